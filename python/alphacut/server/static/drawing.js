// What the stage shows: drawn from the state, never changing it.

import { cropped, handles } from "./box.js";
import { drawLoupe } from "./loupe.js";
import { paintMatte, surface } from "./matte.js";
import { canvas, layOut, onStage, place } from "./stage.js";
import { onChange, said, state } from "./state.js";
import { element } from "./telling.js";

const POINT = { keep: "rgb(20 128 66)", remove: "rgb(200 45 38)" };
const BRUSH = { keep: "rgb(34 180 90 / 0.5)", remove: "rgb(230 60 50 / 0.5)" };

const BRUSHES = ["keep", "remove", "restore", "erase"];
const SHADE = { dimmed: "rgb(0 0 0 / 0.62)", tinted: "rgb(225 29 72 / 0.6)" }; // over what is taken out
const CHECKERS = { light: ["#ffffff", "#e6e6ec"], dark: ["#2b2b33", "#383842"] };

const context = canvas.getContext("2d");
let checker = null; // the pattern behind what is transparent
let frame = 0;
let seen = []; // to call when the next frame is on the screen

onChange((names) => {
    if (names.has("view") && state.picture?.alpha) paintMatte();
    if (["picture", "zoom", "centre", "checker", "checkerColour"].some((name) => names.has(name))) layout();
    else redraw();
});

/** Draws with the next frame; calls `then` when that is seen. */
export function redraw(then) {
    if (then) seen.push(then);
    frame ||= requestAnimationFrame(draw);
}

/** Draws anew what the window or its colours have changed. */
export function layout() {
    if (!state.picture) return;
    layOut();
    element("zoom").textContent = `${Math.round(place.scale * devicePixelRatio * 100)} %`;
    checker = checkerboard();
    draw();
}

function draw() {
    cancelAnimationFrame(frame);
    frame = 0;
    if (!state.picture) return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = place.scale < 3;
    context.imageSmoothingQuality = "medium";
    paint();
    if (state.pen) drawPen();
    drawLoupe(context, () => [paint(), state.pen && drawPen()], outline);
    const called = seen;
    seen = [];
    if (called.length) setTimeout(() => called.forEach((call) => call())); // after the frame
}

/** The picture and what was said of it. */
function paint() {
    const { x, width } = place;
    const original = state.view === "original" || !state.picture.alpha ? 1 : state.compare / 100;
    const middle = x + width * original;
    fill(checker);
    if (original < 1) inside(middle, x + width, drawResult);
    if (original > 0) inside(x, middle, () => put(state.picture.original));
    if (original > 0 && original < 1) outline(() => context.rect(middle, place.y, 0, place.height));
    if (state.tool !== "move") drawSaid();
}

function inside(left, right, paint) {
    context.save();
    context.beginPath();
    context.rect(left, place.y, right - left, place.height);
    context.clip();
    paint();
    context.restore();
}

const put = (image) => context.drawImage(image, place.x, place.y, place.width, place.height);

function drawResult() {
    const { picture, view, tool, removed } = state;
    const { behind, colour, backdrop, shadow, crop, margin, aspect } = said();
    if (view !== "result") {
        fill("black");
        put(picture.matte);
        return;
    }
    if (tool !== "move" && removed !== "hidden") {
        put(picture.original);
        fill(SHADE[removed]);
    } else if (behind === "colour") fill(colour);
    else if (behind === "picture") cover(backdrop.image);
    else if (behind === "blur" && picture.blurred) put(picture.blurred);
    if (shadow !== "none" && picture.shadow && (tool === "move" || removed === "hidden")) put(picture.shadow);
    if (picture.detail) drawDetail(picture);
    else put(picture.cut);
    if (crop && tool === "move" && picture.found?.box) drawCrop(picture.found.box, margin, aspect);
}

/** The cutout with one part of it in full size. */
function drawDetail({ cut, detail: { bitmap, region } }) {
    const part = [...onStage(region), region[2] * place.scale, region[3] * place.scale];
    context.save();
    context.beginPath();
    context.rect(place.x, place.y, place.width, place.height);
    context.rect(...part);
    context.clip("evenodd");
    put(cut);
    context.restore();
    context.drawImage(bitmap, ...part);
}

/** Shades what is cut off around the subject. */
function drawCrop(box, margin, aspect) {
    const [left, top, width, height] = cropped(box, margin, aspect);
    const inner = [...onStage([left, top]), width * place.scale, height * place.scale];
    context.fillStyle = "rgb(0 0 0 / 0.55)";
    context.beginPath();
    context.rect(place.x, place.y, place.width, place.height);
    context.rect(...inner);
    context.fill("evenodd");
    outline(() => context.rect(...inner), [6, 4]);
}

function fill(style) {
    context.fillStyle = style;
    context.fillRect(place.x, place.y, place.width, place.height);
}

/** A background, scaled around its centre to cover the picture. */
function cover(image) {
    const { x, y, width, height } = place;
    const scale = Math.max(width / image.width, height / image.height);
    const [wide, high] = [image.width * scale, image.height * scale];
    context.drawImage(image, x + (width - wide) / 2, y + (height - high) / 2, wide, high);
}

function checkerboard() {
    if (state.checker === "colour") return state.checkerColour;
    const own = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const [one, other] = CHECKERS[state.checker] ?? CHECKERS[own];
    const tile = surface(16, 16);
    const drawn = tile.getContext("2d");
    for (const [colour, x, y, side] of [[one, 0, 0, 16], [other, 0, 0, 8], [other, 8, 8, 8]]) {
        drawn.fillStyle = colour;
        drawn.fillRect(x, y, side, side);
    }
    return context.createPattern(tile, "repeat");
}

function drawSaid() {
    const { box, strokes, points } = said();
    for (const stroke of strokes) drawStroke(stroke);
    if (box) drawBox(box);
    for (const [x, y, keep] of points) {
        const spot = onStage([x, y]);
        context.fillStyle = keep ? POINT.keep : POINT.remove;
        context.beginPath();
        context.arc(...spot, 8, 0, 2 * Math.PI);
        context.fill();
        outline(() => context.arc(...spot, 8, 0, 2 * Math.PI));
        sign(keep, spot);
    }
}

function drawBox(box) {
    outline(() => context.rect(...onStage(box), box[2] * place.scale, box[3] * place.scale), [6, 4]);
    if (state.tool !== "box") return;
    for (const spot of handles(box)) {
        const [x, y] = onStage(spot);
        context.fillStyle = "white";
        context.fillRect(x - 4, y - 4, 8, 8);
        outline(() => context.rect(x - 4, y - 4, 8, 8));
    }
}

/** A stroke in its colour, with a sign for those who do not see it. */
function drawStroke({ keep, width, points }) {
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = Math.max(width * place.scale, 1);
    context.strokeStyle = keep ? BRUSH.keep : BRUSH.remove;
    const begin = onStage(points[0]);
    context.beginPath();
    context.moveTo(...begin);
    for (const point of points) context.lineTo(...onStage(point));
    context.stroke();
    sign(keep, begin);
}

function sign(keep, spot) {
    context.font = "700 14px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = "white";
    context.fillText(keep ? "+" : "−", ...spot);
}

/** A line that is seen on light and dark. */
function outline(path, dashes = []) {
    context.lineCap = "butt";
    for (const [width, colour, dash] of [[3, "rgb(0 0 0 / 0.55)", []], [1.5, "white", dashes]]) {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.setLineDash(dash);
        context.beginPath();
        path();
        context.stroke();
    }
    context.setLineDash([]);
}

/** The brush where the pen is; for the keyboard, and for a box, a crosshair. */
function drawPen() {
    const { pen, tool, brush, softness } = state;
    if (tool === "move") return;
    const [x, y] = onStage([pen.x, pen.y]);
    if (BRUSHES.includes(tool)) outline(() => context.arc(x, y, Math.max(brush / 2, 1), 0, 2 * Math.PI));
    if (["restore", "erase"].includes(tool) && softness > 0) {
        outline(() => context.arc(x, y, Math.max((brush / 2) * (1 - softness / 100), 1), 0, 2 * Math.PI), [2, 3]);
    }
    if (!pen.keyboard) return;
    outline(() => context.rect(x - 9, y, 18, 0));
    outline(() => context.rect(x, y - 9, 0, 18));
}
