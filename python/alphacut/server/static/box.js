// The box: where it can be taken hold of, and what becomes of it.

import { clamped, place } from "./stage.js";
import { state } from "./state.js";

const REACH = 11; // of a side's handle, in pixels of the page

/** The places to take hold of a box: its corners and the middles of its sides, in turn. */
export function handles([x, y, width, height]) {
    const [middle, right, centre, bottom] = [x + width / 2, x + width, y + height / 2, y + height];
    const [above, below] = [y, bottom].map((level) => [[x, level], [middle, level], [right, level]]);
    return [...above, [right, centre], ...below.reverse(), [x, centre]];
}

/** What of a box is at a point: the sides that move there, all of them inside; null where there is nothing of it. */
export function grip(box, [px, py]) {
    if (!box) return null;
    const [x, y, width, height] = box;
    const reach = REACH / place.scale;
    const across = px > x - reach && px < x + width + reach;
    const down = py > y - reach && py < y + height + reach;
    if (!across || !down) return null;
    const near = (value, side) => Math.abs(value - side) < reach;
    const sides = { left: near(px, x), top: near(py, y) };
    sides.right = near(px, x + width) && !sides.left;
    sides.bottom = near(py, y + height) && !sides.top;
    const any = Object.values(sides).some(Boolean);
    return any ? sides : { left: true, top: true, right: true, bottom: true };
}

/** The cursor that says so. */
export function cursor(sides) {
    if (!sides) return "";
    const { left, top, right, bottom } = sides;
    if (left && right) return "move";
    const vertical = top ? "n" : bottom ? "s" : "";
    return `${vertical}${left ? "w" : right ? "e" : ""}-resize`;
}

/** The box with these sides moved. */
export function moved([x, y, width, height], sides, [dx, dy]) {
    const { picture } = state;
    if (sides.left && sides.right) {
        const inside = (value, most) => Math.round(clamped(value, 0, most));
        return [inside(x + dx, picture.width - width), inside(y + dy, picture.height - height), width, height];
    }
    const [left, right] = [x + sides.left * dx, x + width + sides.right * dx];
    const [top, bottom] = [y + sides.top * dy, y + height + sides.bottom * dy];
    return between([left, top], [right, bottom]);
}

/** The whole pixels of the picture between two corners; null where there are none to speak of. */
export function between([x, y], [otherX, otherY]) {
    if (Math.min(Math.abs(x - otherX), Math.abs(y - otherY)) * place.scale < 2) return null;
    const { picture } = state;
    const left = clamped(Math.floor(Math.min(x, otherX)), 0, picture.width);
    const top = clamped(Math.floor(Math.min(y, otherY)), 0, picture.height);
    const width = clamped(Math.ceil(Math.max(x, otherX)), 0, picture.width) - left;
    const height = clamped(Math.ceil(Math.max(y, otherY)), 0, picture.height) - top;
    return width > 0 && height > 0 ? [left, top, width, height] : null;
}

/** The part of the picture that is kept around a subject: as `_frame.py` says. */
export function cropped([x, y, width, height], margin, aspect) {
    const { picture } = state;
    const [left, top] = [Math.max(0, x - margin), Math.max(0, y - margin)];
    const wide = Math.min(picture.width, x + width + margin) - left;
    const high = Math.min(picture.height, y + height + margin) - top;
    if (!aspect) return [left, top, wide, high];
    const [across, down] = aspect.split(":").map(Number);
    const grown = [Math.max(wide, Math.round((high * across) / down)), Math.max(high, Math.round((wide * down) / across))];
    const begin = (at, length, more, whole) =>
        clamped(at - Math.floor((more - length) / 2), Math.min(0, whole - more), Math.max(0, whole - more));
    return [begin(left, wide, grown[0], picture.width), begin(top, high, grown[1], picture.height), ...grown];
}
