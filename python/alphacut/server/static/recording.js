// A film of what a canvas shows, as a link to it.

import { element } from "./telling.js";

const KINDS = ["video/webm;codecs=vp9", "video/webm", "video/mp4"];

let recorder = null;

export const isRecording = () => recorder !== null;

export const endRecording = () => recorder?.stop();

export function record(canvas) {
    const parts = [];
    const type = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    recorder = new MediaRecorder(canvas.captureStream(), { mimeType: type });
    recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
    recorder.addEventListener("stop", () => {
        recorder = null;
        show("Record", false);
        const link = element("download");
        if (link.href) URL.revokeObjectURL(link.href);
        link.href = URL.createObjectURL(new Blob(parts, { type }));
        link.download = type.startsWith("video/mp4") ? "cutout.mp4" : "cutout.webm";
        link.hidden = false;
    });
    recorder.start();
    show("Stop", true);
}

function show(label, pressed) {
    element("record").textContent = label;
    element("record").setAttribute("aria-pressed", String(pressed));
}
