// A camera or a film, cut out while it runs: frames go to the server one at a time, and each is shown with its alpha
// when that is there. What comes meanwhile is left out.

import { endRecording, isRecording, record } from "./recording.js";
import { Failure, element } from "./telling.js";

const LONGEST_SIDE = 720; // of the frames that are sent
const QUALITY = 0.9; // of their JPEG

const canvas = element("canvas");
const context = canvas.getContext("2d");
const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, preload: "auto" });

const live = {
    film: null, // its name at the server
    box: null, // that is drawn, in pixels of the canvas
    told: null, // the box that goes with the next frame
    running: false,
    turn: 0, // counts the films: what belongs to an earlier one is dropped
};

function tell(state, message, warnings = []) {
    document.body.dataset.state = state;
    element("status").textContent = [message, ...warnings].join(" · ");
}

function fail(error) {
    stop();
    tell("error", error.message);
    if (!(error instanceof Failure)) console.error(error);
}

const enable = (id, enabled) => element(id).setAttribute("aria-disabled", String(!enabled));
const enabled = (id) => element(id).getAttribute("aria-disabled") !== "true";

// --- where frames come from ---------------------------------------------------------------------------------------

async function useCamera() {
    close();
    const turn = live.turn;
    try {
        if (!navigator.mediaDevices) throw new Failure("Browsers give the camera to pages of this machine or https alone.");
        const wanted = { video: { width: { ideal: 854 }, height: { ideal: 480 } }, audio: false };
        const stream = await navigator.mediaDevices.getUserMedia(wanted).catch((error) => {
            throw new Failure(`There is no camera for this page: ${error.message}`);
        });
        if (turn !== live.turn) return stream.getTracks().forEach((track) => track.stop());
        video.srcObject = stream;
        await video.play();
        opened(turn);
    } catch (error) {
        if (turn === live.turn) fail(error);
    }
}

async function useFilm(file) {
    close();
    const turn = live.turn;
    try {
        video.src = URL.createObjectURL(file);
        await new Promise((resolve, reject) => {
            video.onloadeddata = resolve;
            video.onerror = () => reject(new Failure(`This browser cannot show ${file.name}.`));
        });
        await video.play(); // a film that was never played may have no frame to draw
        video.pause();
        await new Promise((resolve) => {
            video.onseeked = resolve;
            video.currentTime = 0;
        });
        opened(turn);
    } catch (error) {
        if (turn === live.turn) fail(error);
    }
}

function opened(turn) {
    if (turn !== live.turn) return;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.max(1, Math.round(video.videoWidth * scale));
    canvas.height = Math.max(1, Math.round(video.videoHeight * scale));
    canvas.hidden = false;
    element("empty").hidden = true;
    enable("start", true);
    tell("waiting", "Draw a box around what is to be followed.");
    requestAnimationFrame(() => preview(turn));
}

/** The film as it comes, until something is followed. */
function preview(turn) {
    if (turn !== live.turn || live.running) return;
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    drawBox();
    requestAnimationFrame(() => preview(turn));
}

function close() {
    stop();
    live.turn++;
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    if (video.src) URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    enable("start", false);
}

// --- what is followed ---------------------------------------------------------------------------------------------

/** From here on the subject is followed: that in the box, or what is found. */
function start(box) {
    live.told = box;
    if (live.running) return;
    live.running = true;
    enable("record", true);
    video.play();
    follow(live.turn);
}

function stop() {
    live.running = false;
    endRecording();
    enable("record", false);
    if (live.film) forget(live.film);
    live.film = null;
}

/** The server need not keep this film. */
function forget(name) {
    fetch(`api/films/${name}`, { method: "DELETE", keepalive: true }).catch(() => {});
}

async function follow(turn) {
    const frame = surface();
    try {
        while (!over(turn)) {
            const begin = performance.now();
            frame.drawImage(video, 0, 0, canvas.width, canvas.height);
            const cutout = await cut(frame.canvas, turn);
            if (!cutout) return;
            const { alpha, found } = cutout;
            show(frame.canvas, alpha);
            const rate = 1000 / (performance.now() - begin);
            tell("ready", `${found.verdict} · ${rate.toFixed(0)} frames a second`, found.warnings);
            if (video.ended) break;
            await new Promise(requestAnimationFrame); // else a page that is fast enough would never be drawn
        }
        if (over(turn)) return;
        stop();
        tell("done", "The film is over.");
    } catch (error) {
        if (turn === live.turn) fail(error);
    }
}

/** Whether nobody waits for this film any more: then nothing may change, for it may be another's by now. */
const over = (turn) => turn !== live.turn || !live.running;

/**
 * A frame's alpha, and what was found, from the server; a film that it has forgotten begins anew. Nothing, if the film is
 * over meanwhile.
 */
async function cut(frame, turn) {
    const file = await new Promise((resolve) => frame.toBlob(resolve, "image/jpeg", QUALITY));
    if (over(turn)) return null;
    const body = new FormData();
    body.set("file", file, "frame.jpg");
    const box = live.told;
    live.told = null;
    if (box) body.set("box", box.join(","));
    const path = live.film ? `api/films/${live.film}` : "api/films";
    const response = await fetch(path, { method: "POST", body }).catch(() => {
        throw new Failure("The server cannot be reached.");
    });
    const begun = response.headers.get("X-Film");
    if (over(turn)) {
        if (begun) forget(begun);
        return null;
    }
    if (response.status === 503) {
        live.told ??= box;
        await new Promise((resolve) => setTimeout(resolve, 1000 * (Number(response.headers.get("Retry-After")) || 1)));
        return over(turn) ? null : cut(frame, turn);
    }
    if (response.status === 404 && live.film) {
        live.film = null;
        live.told ??= box;
        return cut(frame, turn);
    }
    if (!response.ok) {
        const { errors: [error = {}] = [] } = await response.json().catch(() => ({}));
        throw new Failure(error.title ?? `The server answered ${response.status}.`);
    }
    live.film = begun ?? live.film; // from here on the film's end forgets it
    const alpha = await createImageBitmap(await response.blob());
    return over(turn) ? null : { alpha, found: JSON.parse(response.headers.get("X-Cutout")) };
}

function surface() {
    const { width, height } = canvas;
    const made = Object.assign(document.createElement("canvas"), { width, height });
    return made.getContext("2d", { willReadFrequently: true });
}

// --- what is seen -------------------------------------------------------------------------------------------------

const matte = { drawn: null };

function show(frame, alpha) {
    const { width, height } = canvas;
    if (matte.drawn?.canvas.width !== width || matte.drawn.canvas.height !== height) matte.drawn = surface();
    const { drawn } = matte;
    drawn.globalCompositeOperation = "copy";
    drawn.drawImage(alpha, 0, 0, width, height);
    alpha.close();
    const pixels = drawn.getImageData(0, 0, width, height);
    for (let i = 0; i < pixels.data.length; i += 4) pixels.data[i + 3] = pixels.data[i]; // gray to alpha
    drawn.putImageData(pixels, 0, 0);
    drawn.globalCompositeOperation = "source-in";
    drawn.drawImage(frame, 0, 0);
    context.clearRect(0, 0, width, height);
    const behind = element("behind").value;
    if (behind === "colour") {
        context.fillStyle = element("colour").value;
        context.fillRect(0, 0, width, height);
    } else if (behind === "blur") {
        context.filter = `blur(${Math.round(width / 50)}px)`;
        context.drawImage(frame, 0, 0);
        context.filter = "none";
    }
    context.drawImage(drawn.canvas, 0, 0);
    if (live.box) drawBox();
}

function drawBox() {
    if (!live.box) return;
    for (const [colour, dash] of [["rgb(0 0 0 / 0.6)", []], ["white", [6, 4]]]) {
        context.lineWidth = 2;
        context.strokeStyle = colour;
        context.setLineDash(dash);
        context.strokeRect(...live.box);
    }
}

// --- what the user does -------------------------------------------------------------------------------------------

/** The place of a pointer in the canvas, which is shown as large as fits. */
function placeOf({ clientX, clientY }) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const scale = Math.min(width / canvas.width, height / canvas.height);
    const x = (clientX - left - (width - canvas.width * scale) / 2) / scale;
    const y = (clientY - top - (height - canvas.height * scale) / 2) / scale;
    return [Math.min(Math.max(x, 0), canvas.width), Math.min(Math.max(y, 0), canvas.height)];
}

let corner = null;

canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    corner = placeOf(event);
});
canvas.addEventListener("pointermove", (event) => {
    if (!corner) return;
    const [x, y] = placeOf(event);
    const [left, top] = [Math.min(x, corner[0]), Math.min(y, corner[1])].map(Math.floor);
    live.box = [left, top, Math.ceil(Math.max(x, corner[0])) - left, Math.ceil(Math.max(y, corner[1])) - top];
});
canvas.addEventListener("pointerup", () => {
    const { box } = live;
    corner = live.box = null;
    if (box && box[2] > 3 && box[3] > 3) start(box);
});
canvas.addEventListener("pointercancel", () => {
    corner = live.box = null;
});

element("camera").addEventListener("click", useCamera);
element("choose").addEventListener("click", () => element("file").click());
element("file").addEventListener("change", ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) useFilm(file);
});
element("start").addEventListener("click", () => enabled("start") && start(null));

element("record").addEventListener("click", () => {
    if (isRecording()) endRecording();
    else if (enabled("record")) record(canvas);
});

window.addEventListener("pagehide", close);
