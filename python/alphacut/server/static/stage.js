// Where the picture lies on the stage.

import { set, state } from "./state.js";
import { element } from "./telling.js";

const MARGIN = 16; // of the stage around the picture, where strokes and boxes may begin
const ENLARGED = 2; // how much a picture may be
const LEAST_SIDE = 480; // to which a small one is, whatever that takes

const MOST = 32; // pixels of the screen for one of the picture, across

export const [stage, canvas] = [element("drop"), element("canvas")];

/** Of the picture on the stage, in pixels of the page; `fitting` is the scale at which all of it is seen. */
export const place = { x: 0, y: 0, width: 1, height: 1, scale: 1, fitting: 1 };

const snapped = (value) => Math.round(value * devicePixelRatio) / devicePixelRatio;

export const clamped = (value, least, most) => Math.min(Math.max(value, least), most);

/** Lays the picture on the stage, on whole pixels of the screen. */
export function layOut() {
    const { picture } = state;
    const sides = [stage.clientWidth, stage.clientHeight];
    const pixels = sides.map((side) => Math.round(side * devicePixelRatio));
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
    const most = Math.max(ENLARGED, LEAST_SIDE / Math.max(picture.width, picture.height));
    const [across, down] = sides.map((side) => side - 2 * MARGIN);
    place.fitting = Math.max(Math.min(across / picture.width, down / picture.height, most), 1e-6); // without room, too
    place.scale = place.fitting * state.zoom;
    [place.width, place.height] = [picture.width, picture.height].map(
        (side) => snapped(side * place.scale) || 1 / devicePixelRatio,
    );
    [place.x, place.y] = [place.width, place.height].map((side, axis) => snapped(offset(side, sides[axis], axis)));
    canvas.dataset.place = [place.x, place.y, place.width, place.height].join();
}

/** Where a side of the picture begins: in the middle if it fits, else never farther in than the margin. */
function offset(side, room, axis) {
    if (side <= room - 2 * MARGIN) return (room - side) / 2;
    return clamped(room / 2 - state.centre[axis] * side, room - MARGIN - side, MARGIN);
}

/** The scale at which a pixel of the picture is one of the screen, as a zoom. */
export const actual = () => 1 / devicePixelRatio / place.fitting;

/** Zooms to a factor, so that `spot` of the stage stays where it is. */
export function zoomTo(zoom, spot = [stage.clientWidth / 2, stage.clientHeight / 2]) {
    const next = clamped(zoom, Math.min(1, actual()), Math.max(MOST * actual(), 8));
    const factor = next / state.zoom;
    moveTo([spot[0] + (place.x - spot[0]) * factor, spot[1] + (place.y - spot[1]) * factor], next);
}

/** Moves the picture by pixels of the page. */
export const moveBy = (dx, dy) => moveTo([place.x + dx, place.y + dy], state.zoom);

function moveTo([x, y], zoom) {
    const [width, height] = [place.width, place.height].map((side) => (side / state.zoom) * zoom);
    const centre = [(stage.clientWidth / 2 - x) / width, (stage.clientHeight / 2 - y) / height];
    set({ zoom, centre: centre.map((share) => clamped(share, 0, 1)) });
}

export const rounded = (value) => Math.round(value * 100) / 100;

/** A point of the picture, on the stage. */
export const onStage = ([x, y]) => [place.x + x * place.scale, place.y + y * place.scale];

/** The point of the picture under a pointer. */
export function under({ clientX, clientY }) {
    const { left, top } = canvas.getBoundingClientRect();
    return [rounded((clientX - left - place.x) / place.scale), rounded((clientY - top - place.y) / place.scale)];
}
