// The tools: what the pen, of a pointer or the keyboard, says of the subject.

import { between, grip, moved } from "./box.js";
import { place, rounded } from "./stage.js";
import { commit, propose, said, state, withdraw } from "./state.js";

const WIDEST = 10_000; // brush, in pixels of the picture, that the server draws with
const NEAR = 10; // pixels of the page from a point that takes it away

/** What is under the pen: its pointer, its latest point, how far apart the next is, and how it goes on and ends. */
export let drawing = null;

const TOOLS = { box: drawBox, keep: drawStroke, remove: drawStroke, point: setPoint };

/** Puts the pen down; `other` says the opposite of what a point would. */
export function penDown(point, { pointer, other = false } = {}) {
    if (drawing || !TOOLS[state.tool]) return;
    drawing = { pointer, last: point, apart: 1, go: () => {}, end: () => {}, ...TOOLS[state.tool](point, other) };
}

export function penMove(point) {
    const { last, apart, go } = drawing;
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) * place.scale < apart) return; // nobody sees the difference
    drawing.last = point;
    go(point);
}

export function penUp() {
    const { end } = drawing;
    drawing = null;
    end();
    commit();
}

export function penCancel() {
    drawing = null;
    withdraw();
}

function drawStroke(point) {
    const { tool, brush } = state;
    const stroke = { keep: tool === "keep", width: Math.min(rounded(brush / place.scale), WIDEST), points: [point] };
    propose({ strokes: [...said().strokes, stroke] });
    const go = (next) => {
        stroke.points.push(next);
        propose({ strokes: said().strokes });
    };
    return { apart: Math.max(1, brush / 8), go };
}

/** A new box, or the one there is moved by what it was taken hold of. */
function drawBox(from) {
    const { box } = said();
    const sides = grip(box, from);
    const go = (point) => {
        const next = sides ? moved(box, sides, [point[0] - from[0], point[1] - from[1]]) : between(from, point);
        if (next) propose({ box: next });
    };
    return { go };
}

/** A point where the pen comes up; the one that is there already goes. */
function setPoint(first, other) {
    let spot = first;
    const end = () => {
        const { width, height } = state.picture;
        const [x, y] = spot;
        if (x < 0 || y < 0 || x >= width || y >= height) return;
        const { points } = said();
        const apart = points.map((point) => Math.hypot(point[0] - x, point[1] - y) * place.scale);
        const near = apart.findIndex((pixels) => pixels < NEAR);
        const keep = Number((state.keeps === "keep") !== other);
        propose({ points: near >= 0 ? points.toSpliced(near, 1) : [...points, [x, y, keep]] });
    };
    return { go: (point) => (spot = point), end };
}
