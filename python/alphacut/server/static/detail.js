// The part of the cutout that is seen, in full size: asked for when the user has zoomed in and rests.

import { onFinished } from "./cutting.js";
import { redraw } from "./drawing.js";
import { ask } from "./server.js";
import { canvas, place } from "./stage.js";
import { attached, edit, onChange, state, SUBJECT } from "./state.js";

const REST = 600; // milliseconds in which the picture is not moved
const MOST = 4e6; // pixels of a part

let timer = 0;
let controller = null;

onFinished(later);

onChange((names) => {
    if (["picture", ...Object.keys(SUBJECT)].some((name) => names.has(name))) forgetDetail();
    else if (names.has("zoom") || names.has("centre")) later();
});

function forgetDetail() {
    clearTimeout(timer);
    controller?.abort();
    state.picture?.detail?.bitmap.close();
    if (state.picture) state.picture.detail = null;
}

function later() {
    clearTimeout(timer);
    timer = setTimeout(show, REST);
}

/** The part of the picture on the stage, in whole pixels of it. */
function visible() {
    const { width, height } = state.picture;
    const [left, right] = [0, canvas.clientWidth].map((x) => (x - place.x) / place.scale);
    const [top, bottom] = [0, canvas.clientHeight].map((y) => (y - place.y) / place.scale);
    const [x, y] = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top))];
    return [x, y, Math.min(width, Math.ceil(right)) - x, Math.min(height, Math.ceil(bottom)) - y];
}

async function show() {
    const { picture } = state;
    const { mask } = attached();
    const region = visible();
    const sharp = picture.small.width / picture.width; // the scale up to which the preview is
    const coarse = sharp < 1 && place.scale * devicePixelRatio > sharp;
    const held = picture.detail?.region.join() === region.join();
    if (document.body.dataset.state !== "ready" || state.zoom <= 1 || !coarse || held) return;
    if (region[2] <= 0 || region[3] <= 0 || region[2] * region[3] > MOST) return;
    controller?.abort();
    controller = new AbortController();
    const { signal } = controller;
    try {
        const response = await ask(picture, "file", { ...edit(), region }, { mask }, { signal, say: () => {} });
        const bitmap = await createImageBitmap(await response.blob());
        signal.throwIfAborted();
        picture.detail?.bitmap.close();
        picture.detail = { bitmap, region };
        redraw();
    } catch (error) {
        if (error.name !== "AbortError") console.info(error.message); // the preview is seen instead
    }
}
