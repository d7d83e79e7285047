// The tools: what the pen, of a pointer or the keyboard, says of the subject.

import { place, rounded } from "./stage.js";
import { commit, propose, said, state, withdraw } from "./state.js";

const WIDEST = 10_000; // brush, in pixels of the picture, that the server draws with

/** What is under the pen: { stroke } or { from }, its latest point, how far apart the next is, whose pointer it is. */
export let drawing = null;

export function penDown(point, pointer) {
    const { tool, brush } = state;
    if (tool === "move" || drawing) return;
    drawing = { last: point, pointer };
    if (tool === "box") {
        Object.assign(drawing, { from: point, apart: 1 });
        return;
    }
    const stroke = { keep: tool === "keep", width: Math.min(rounded(brush / place.scale), WIDEST), points: [point] };
    Object.assign(drawing, { stroke, apart: Math.max(1, brush / 8) });
    propose({ strokes: [...said().strokes, stroke] });
}

export function penMove(point) {
    const { last, apart, stroke, from } = drawing;
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) * place.scale < apart) return; // nobody sees the difference
    drawing.last = point;
    if (stroke) stroke.points.push(point);
    const box = from && boxBetween(from, point);
    if (box) propose({ box });
    else if (stroke) propose({ strokes: said().strokes });
}

export function penUp() {
    drawing = null;
    commit();
}

export function penCancel() {
    drawing = null;
    withdraw();
}

/** The whole pixels of the picture between two corners; null where there are none to speak of. */
function boxBetween([x, y], [otherX, otherY]) {
    if (Math.min(Math.abs(x - otherX), Math.abs(y - otherY)) * place.scale < 2) return null;
    const clamped = (value, most) => Math.min(Math.max(value, 0), most);
    const { picture } = state;
    const left = clamped(Math.floor(Math.min(x, otherX)), picture.width);
    const top = clamped(Math.floor(Math.min(y, otherY)), picture.height);
    const width = clamped(Math.ceil(Math.max(x, otherX)), picture.width) - left;
    const height = clamped(Math.ceil(Math.max(y, otherY)), picture.height) - top;
    return width > 0 && height > 0 ? [left, top, width, height] : null;
}
