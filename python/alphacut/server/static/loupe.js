// What is under the pen, enlarged, in a corner of the stage that the pen is not in.

import { drawing } from "./pen.js";
import { canvas, onStage } from "./stage.js";
import { state } from "./state.js";

const [RADIUS, MARGIN, FACTOR] = [72, 14, 4];

/** Where the loupe looks, on the stage: at the pen, or the finger that draws; null where it has no use. */
function spot() {
    if (!state.loupe || state.tool === "move") return null;
    if (state.pen) return onStage([state.pen.x, state.pen.y]);
    return drawing ? onStage(drawing.last) : null;
}

/** Draws with `paint`, enlarged and inside the loupe; `frame(path)` draws its rim. */
export function drawLoupe(context, paint, frame) {
    const at = spot();
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!at || width < 4 * RADIUS || height < 3 * RADIUS) return;
    const near = 2 * (RADIUS + MARGIN);
    const left = !(at[0] < near && at[1] < near);
    const [x, y] = [left ? RADIUS + MARGIN : width - RADIUS - MARGIN, RADIUS + MARGIN];
    const circle = () => context.arc(x, y, RADIUS, 0, 2 * Math.PI);
    context.save();
    context.beginPath();
    circle();
    context.clip();
    context.fillStyle = getComputedStyle(canvas.parentElement).backgroundColor;
    context.fill();
    context.translate(x, y);
    context.scale(FACTOR, FACTOR);
    context.translate(-at[0], -at[1]);
    paint();
    context.restore();
    frame(circle);
}
