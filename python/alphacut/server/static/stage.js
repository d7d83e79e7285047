// Where the picture lies on the stage.

import { state } from "./state.js";
import { element } from "./telling.js";

const MARGIN = 16; // of the stage around the picture, where strokes and boxes may begin
const ENLARGED = 2; // how much a picture may be
const LEAST_SIDE = 480; // to which a small one is, whatever that takes

export const [stage, canvas] = [element("drop"), element("canvas")];

/** Of the picture on the stage, in pixels of the page. */
export const place = { x: 0, y: 0, width: 1, height: 1, scale: 1 };

const snapped = (value) => Math.round(value * devicePixelRatio) / devicePixelRatio;

/** Fits the picture into the stage, on whole pixels of the screen. */
export function fit() {
    const { picture } = state;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    const pixels = [width, height].map((side) => Math.round(side * devicePixelRatio));
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
    const most = Math.max(ENLARGED, LEAST_SIDE / Math.max(picture.width, picture.height));
    const fitting = Math.min((width - 2 * MARGIN) / picture.width, (height - 2 * MARGIN) / picture.height, most);
    place.scale = Math.max(fitting, 1e-6); // of a stage without room, too
    [place.width, place.height] = [picture.width, picture.height].map(
        (side) => snapped(side * place.scale) || 1 / devicePixelRatio,
    );
    [place.x, place.y] = [snapped((width - place.width) / 2), snapped((height - place.height) / 2)];
    canvas.dataset.place = [place.x, place.y, place.width, place.height].join();
}

export const rounded = (value) => Math.round(value * 100) / 100;

/** A point of the picture, on the stage. */
export const onStage = ([x, y]) => [place.x + x * place.scale, place.y + y * place.scale];

/** The point of the picture under a pointer. */
export function under({ clientX, clientY }) {
    const { left, top } = canvas.getBoundingClientRect();
    return [rounded((clientX - left - place.x) / place.scale), rounded((clientY - top - place.y) / place.scale)];
}
