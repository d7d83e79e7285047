// The shadow of the cutout on the stage, as the server casts it: one at a time, and the latest next.

import { onFinished } from "./cutting.js";
import { redraw } from "./drawing.js";
import { ask } from "./server.js";
import { attached, edit, isOpen, onChange, said, shadow, SHADOW, state } from "./state.js";
import { fail } from "./telling.js";

let running = false;
let wanted = false;

onFinished(want);

onChange((names) => {
    if (!names.has("picture") && SHADOW.some((name) => names.has(name))) want();
});

function want() {
    wanted = said().shadow !== "none";
    if (wanted && !running) run();
}

async function run() {
    running = true;
    while (wanted) {
        wanted = false;
        const { picture } = state;
        try {
            const response = await ask(picture, "shadow", { ...edit(), shadow: shadow() }, { mask: attached().mask });
            const bitmap = await createImageBitmap(await response.blob());
            picture.shadow?.close();
            picture.shadow = bitmap;
            redraw();
        } catch (error) {
            if (isOpen(picture)) fail(error);
        }
    }
    running = false;
}
