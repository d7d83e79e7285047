// Pointers and keys on the picture.

import { drawing, penDown, penMove, penUp, penCancel } from "./pen.js";
import { redraw } from "./drawing.js";
import { canvas, place, rounded, under } from "./stage.js";
import { state } from "./state.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary || drawing) return;
    state.touched = event.timeStamp;
    penDown(under(event), event.pointerId);
    if (drawing) canvas.setPointerCapture(event.pointerId);
});

canvas.addEventListener("pointermove", (event) => {
    if (!event.isPrimary) return;
    const [x, y] = under(event);
    state.pen = event.pointerType === "touch" ? null : { x, y };
    if (drawing?.pointer === event.pointerId) {
        state.touched = event.timeStamp;
        for (const each of event.getCoalescedEvents()) penMove(under(each));
        penMove([x, y]);
    }
    redraw();
});

canvas.addEventListener("pointerup", (event) => {
    if (drawing?.pointer !== event.pointerId) return;
    state.touched = event.timeStamp;
    penUp();
});

canvas.addEventListener("pointercancel", ({ pointerId }) => drawing?.pointer === pointerId && penCancel());

canvas.addEventListener("pointerleave", () => {
    if (!state.pen?.keyboard) state.pen = null;
    redraw();
});

canvas.addEventListener("blur", () => {
    if (drawing && drawing.pointer === undefined) penUp(); // a stroke of the keyboard ends where its keys go
    state.pen = null;
    redraw();
});

canvas.addEventListener("keydown", (event) => {
    if (state.tool === "move" || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (!arrow && event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (drawing?.pointer !== undefined) return;
    const { width, height } = state.picture;
    if (!state.pen?.keyboard) state.pen = { x: width / 2, y: height / 2, ...state.pen, keyboard: true };
    const { pen } = state;
    state.touched = event.timeStamp;
    if (arrow) {
        const far = (event.shiftKey ? 24 : 4) / place.scale;
        pen.x = Math.min(Math.max(rounded(pen.x + far * arrow[0]), 0), width);
        pen.y = Math.min(Math.max(rounded(pen.y + far * arrow[1]), 0), height);
        if (drawing) penMove([pen.x, pen.y]);
    } else if (!event.repeat) {
        if (drawing) penUp();
        else penDown([pen.x, pen.y]);
    }
    redraw();
});
