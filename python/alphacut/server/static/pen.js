// The tools: what the pen, of a pointer or the keyboard, says of the subject.

import { between, grip, moved } from "./box.js";
import { place, rounded } from "./stage.js";
import { commit, onChange, propose, said, set, state, withdraw } from "./state.js";

const WIDEST = 10_000; // brush, in pixels of the picture, that the server draws with
const NEAR = 10; // pixels of the page from a point that takes it away

/** What is under the pen: its pointer, its latest point, how far apart the next is, and how it goes on and ends. */
export let drawing = null;

onChange((names) => {
    if (names.has("picture")) drawing = null; // it was of the one before
});

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

const drawStroke = (point) => drawLine("strokes", { keep: state.tool === "keep" }, point);

const drawPaint = (point) => {
    const { tool, softness } = state;
    return drawLine("paint", { keep: tool === "restore", softness: softness / 100 }, point);
};

/** A line of the brush, one more of those in `list`. */
function drawLine(list, kind, point) {
    const { brush } = state;
    const stroke = { ...kind, width: Math.min(rounded(brush / place.scale), WIDEST), points: [point] };
    propose({ [list]: [...said()[list], stroke] });
    const go = (next) => {
        stroke.points.push(next);
        propose({ [list]: said()[list] });
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

const AROUND = 2; // pixels around the one picked, which count as much

/** The colour of the background, from the picture. */
function pickColour(first) {
    let spot = first;
    const end = () => {
        const { width, original } = state.picture;
        const scale = original.width / width;
        const corner = spot.map((value) => Math.floor(value * scale) - AROUND);
        const { data } = original.getContext("2d").getImageData(...corner, 2 * AROUND + 1, 2 * AROUND + 1);
        const sums = [0, 0, 0, 0];
        for (let i = 0; i < data.length; i++) sums[i % 4] += data[i] * (i % 4 === 3 ? 1 : data[i - (i % 4) + 3] / 255);
        if (!sums[3]) return;
        const bytes = sums.slice(0, 3).map((sum) => Math.min(Math.round((sum * 255) / sums[3]), 255));
        propose({ key: "colour", keyColour: `#${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}` });
        set({ tool: "move" });
    };
    return { go: (point) => (spot = point), end };
}

const TOOLS = {
    box: drawBox,
    point: setPoint,
    keep: drawStroke,
    remove: drawStroke,
    restore: drawPaint,
    erase: drawPaint,
    pick: pickColour,
};
