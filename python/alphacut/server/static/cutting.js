// Cuts: one at a time, and the latest next.

import { receive } from "./matte.js";
import { redraw } from "./drawing.js";
import { ask } from "./server.js";
import { attached, edit, onChange, said, state, SUBJECT } from "./state.js";
import { described, fail, tell, word } from "./telling.js";

const listeners = []; // to call when a finished cut is there

export const onFinished = (listener) => listeners.push(listener);

let wanted = null; // { draft, settle }: the cut to ask for next; settle: the finished one comes after it
let running = null; // { draft, controller }: the one under way

onChange((names) => {
    if (names.has("picture")) {
        running?.controller.abort(); // the cut of the one before
        const { found, stale, blurred } = state.picture;
        if (found && !stale && (said().behind !== "blur" || blurred)) rest();
        else want(false);
    } else if (Object.keys(SUBJECT).some((name) => names.has(name))) {
        state.picture.stale = true;
        want(true, !state.change);
    } else if (names.has("behind") && said().behind === "blur") {
        state.picture.stale = true; // the blurred background is of an earlier cut, or not there
        want(false);
    }
});

/** Nothing is to be cut: what was found of the picture is there. */
function rest() {
    wanted = null;
    word.standing = false;
    if (word.reading) return;
    tell("ready", described(state.picture.found), state.picture.found.warnings);
    for (const listener of listeners) listener();
}

/** Asks for a cut of what is said by then: a draft, and the finished one after it if it is to `settle`. */
function want(draft, settle = !draft) {
    wanted = { draft, settle };
    word.standing = false;
    const { dataset } = document.body;
    if (word.reading) dataset.state = "busy"; // which its message says more of
    else if (!draft) tell("busy", `Cutting out ${state.picture.name}…`);
    else if (dataset.state === "error") tell("draft");
    else dataset.state = "draft"; // what was found stays to be read
    if (running && !running.draft) running.controller.abort();
    if (!running) run();
}

async function run() {
    while (wanted) {
        const { draft, settle } = wanted;
        wanted = null;
        running = { draft, controller: new AbortController() };
        try {
            await cut(draft, running.controller.signal);
            if (draft && settle) wanted ??= { draft: false, settle };
        } catch (error) {
            if (error.name !== "AbortError" && !word.isTaken) fail(error, () => want(true, true));
        }
    }
    running = null;
}

async function cut(draft, signal) {
    const time = state.touched;
    const { picture } = state;
    const { mask } = attached();
    const wish = edit();
    const response = await ask(picture, "cut", { ...wish, draft }, { mask }, { signal });
    const bitmap = await createImageBitmap(await response.blob());
    signal.throwIfAborted();
    receive(bitmap, draft);
    if (draft) {
        if (!word.isTaken && document.body.dataset.state !== "draft") tell("draft");
        if (time) redraw(() => performance.measure("stroke-to-seen", { start: time, end: performance.now() }));
        return;
    }
    picture.found = JSON.parse(response.headers.get("X-Cutout") ?? "{}");
    if (said().behind === "blur") await blur(picture, wish, mask, signal);
    picture.stale = Boolean(wanted); // more was said meanwhile
    redraw();
    if (wanted || word.isTaken) return;
    tell("ready", described(picture.found), picture.found.warnings);
    for (const listener of listeners) listener();
}

/** The preview's own background, blurred. */
async function blur(picture, wish, mask, signal) {
    const response = await ask(picture, "blurred", wish, { mask }, { signal });
    const bitmap = await createImageBitmap(await response.blob());
    signal.throwIfAborted();
    picture.blurred?.close();
    picture.blurred = bitmap;
}
