// Pointers and keys on the picture.

import { cursor, grip, handles } from "./box.js";
import { redraw } from "./drawing.js";
import { drawing, penDown, penMove, penUp, penCancel } from "./pen.js";
import { canvas, clamped, moveBy, place, rounded, under, zoomTo } from "./stage.js";
import { said, state } from "./state.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WHEEL = { plain: 0.002, pinch: 0.01 }; // of the zoom's logarithm, for one pixel of the wheel
const STRIDE = 64; // pixels of the page that an arrow moves the picture

const fingers = new Map(); // touches, where they are
let hand = null; // { pointer, x, y }: what moves the picture
let space = null; // { used }: while the key is held

const middle = () => {
    const [[x, y], [otherX, otherY]] = fingers.values();
    return { x: (x + otherX) / 2, y: (y + otherY) / 2, apart: Math.hypot(x - otherX, y - otherY) };
};

const spotOf = ({ clientX, clientY }) => {
    const { left, top } = canvas.getBoundingClientRect();
    return [clientX - left, clientY - top];
};

canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") fingers.set(event.pointerId, spotOf(event));
    if (fingers.size > 1) {
        if (drawing) penCancel();
        hand = null;
        return;
    }
    if (drawing || hand || (event.button !== 0 && event.button !== 1)) return;
    if (event.button === 1 || space || state.tool === "move") {
        if (space) space.used = true;
        if (event.button === 1) event.preventDefault();
        const [x, y] = spotOf(event);
        hand = { pointer: event.pointerId, x, y };
        document.body.classList.add("moving");
    } else {
        state.touched = event.timeStamp;
        penDown(under(event), { pointer: event.pointerId, other: event.altKey });
    }
    if (drawing || hand) canvas.setPointerCapture(event.pointerId);
});

canvas.addEventListener("pointermove", (event) => {
    const [x, y] = spotOf(event);
    if (fingers.size > 1 && fingers.has(event.pointerId)) {
        const before = middle();
        fingers.set(event.pointerId, [x, y]);
        const after = middle();
        moveBy(after.x - before.x, after.y - before.y);
        zoomTo((state.zoom * after.apart) / before.apart, [after.x, after.y]);
        return;
    }
    if (hand?.pointer === event.pointerId) {
        moveBy(x - hand.x, y - hand.y);
        Object.assign(hand, { x, y });
        return;
    }
    if (!event.isPrimary) return;
    const at = under(event);
    state.pen = event.pointerType === "touch" ? null : { x: at[0], y: at[1] };
    if (drawing?.pointer === event.pointerId) {
        state.touched = event.timeStamp;
        for (const each of event.getCoalescedEvents()) penMove(under(each));
        penMove(at);
    } else canvas.style.cursor = state.tool === "box" ? cursor(grip(said().box, at)) : "";
    redraw();
});

canvas.addEventListener("pointerup", (event) => {
    lift(event);
    if (drawing?.pointer !== event.pointerId) return;
    state.touched = event.timeStamp;
    penUp();
});

canvas.addEventListener("pointercancel", (event) => {
    lift(event);
    if (drawing?.pointer === event.pointerId) penCancel();
});

function lift({ pointerId }) {
    fingers.delete(pointerId);
    if (hand?.pointer !== pointerId) return;
    hand = null;
    document.body.classList.remove("moving");
}

// Two fingers are for the picture, not for the page.
canvas.addEventListener("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });

canvas.addEventListener("pointerleave", () => {
    if (!state.pen?.keyboard) state.pen = null;
    redraw();
});

canvas.addEventListener(
    "wheel",
    (event) => {
        event.preventDefault();
        const pixels = event.deltaY * (event.deltaMode ? 16 : 1);
        zoomTo(state.zoom * Math.exp(-pixels * (event.ctrlKey ? WHEEL.pinch : WHEEL.plain)), spotOf(event));
    },
    { passive: false },
);

canvas.addEventListener("blur", () => {
    if (drawing && drawing.pointer === undefined) penUp(); // a stroke of the keyboard ends where its keys go
    state.pen = null;
    redraw();
});

canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow && state.tool === "move") moveBy(-STRIDE * arrow[0], -STRIDE * arrow[1]);
    else if (arrow) {
        const far = (event.shiftKey ? 24 : 4) / place.scale;
        movePen(event, (pen) => [pen.x + far * arrow[0], pen.y + far * arrow[1]]);
    } else if (event.key === "Enter" && state.tool !== "move") press(event);
    else if (event.key === "h" && state.tool === "box" && said().box && !drawing) nextHandle(event);
    else return;
    event.preventDefault();
});

/** The pen of the keyboard, which begins where the pointer is, or in the middle. */
function keyboardPen({ timeStamp }) {
    const { width, height } = state.picture;
    if (!state.pen?.keyboard) state.pen = { x: width / 2, y: height / 2, ...state.pen, keyboard: true };
    state.touched = timeStamp;
    return state.pen;
}

function movePen(event, to) {
    if (drawing?.pointer !== undefined) return;
    const pen = keyboardPen(event);
    const { width, height } = state.picture;
    const [x, y] = to(pen);
    pen.x = clamped(rounded(x), 0, width);
    pen.y = clamped(rounded(y), 0, height);
    if (drawing) penMove([pen.x, pen.y]);
    redraw();
}

/** Puts the pen of the keyboard down, or takes it up. */
function press(event) {
    if (event.repeat || drawing?.pointer !== undefined) return;
    const { x, y } = keyboardPen(event);
    if (!drawing) penDown([x, y], { other: event.altKey });
    if (drawing && (["point", "pick"].includes(state.tool) || drawing.pressed)) penUp();
    else if (drawing) drawing.pressed = true;
    redraw();
}

/** Takes the pen of the keyboard to the next place where the box can be taken hold of. */
function nextHandle(event) {
    const { x, y } = keyboardPen(event);
    const spots = handles(said().box);
    const here = spots.findIndex((spot) => Math.hypot(spot[0] - x, spot[1] - y) * place.scale < 1);
    movePen(event, () => spots[(here + 1) % spots.length]);
}

/** Whether Space, pressed there, is for the picture. */
const isFree = (target) => !target.closest("button, summary, select, a, input:not([type=radio], [type=range])");

document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !state.picture || !isFree(event.target)) return;
    event.preventDefault();
    if (event.repeat) return;
    space = { used: false };
    document.body.classList.add("ready-to-move");
});

document.addEventListener("keyup", (event) => {
    if (event.key !== " " || !space) return;
    const { used } = space;
    space = null;
    document.body.classList.remove("ready-to-move");
    if (!used && state.tool !== "move" && document.activeElement === canvas) press(event);
});
