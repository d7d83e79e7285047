// Keys that work wherever the focus is.

import { drawing, penCancel, penUp } from "./pen.js";
import { actual, canvas, clamped, zoomTo } from "./stage.js";
import { commit, goTo, isUsable, said, set, state } from "./state.js";
import { beside } from "./strip.js";
import { element } from "./telling.js";

const VIEWS = ["result", "mask", "alpha", "original"];

function choose(tool) {
    if (!isUsable(tool)) return;
    if (drawing) penUp();
    set({ tool });
    canvas.focus({ preventScroll: true });
}

const STEP = 1.5; // of the zoom

const PAGES = ["PageUp", "PageDown"];

/** Whether a control has a use of its own for a key: a number for all, a list for letters, a slider for pages. */
const isTaken = ({ type, tagName }, key, control) =>
    type === "number" || (tagName === "SELECT" && !control) || (type === "range" && PAGES.includes(key));

const sizeBrush = (factor) => set({ brush: clamped(Math.round(state.brush * factor), 4, 120) });

const KEYS = {
    m: () => choose("move"),
    p: () => choose("point"),
    b: () => choose("box"),
    k: () => choose("keep"),
    r: () => choose("remove"),
    o: () => choose("restore"),
    e: () => choose("erase"),
    v: () => set({ view: VIEWS[(VIEWS.indexOf(state.view) + 1) % VIEWS.length] }),
    "+": () => zoomTo(state.zoom * STEP),
    "=": () => zoomTo(state.zoom * STEP),
    "-": () => zoomTo(state.zoom / STEP),
    0: () => zoomTo(1),
    1: () => zoomTo(actual()),
    "[": () => sizeBrush(0.8),
    "]": () => sizeBrush(1.25),
    pageup: () => beside(-1),
    pagedown: () => beside(1),
    c: () => commit({ crop: !said().crop }),
    escape: () => (drawing ? penCancel() : set({ tool: "move" })),
};
const CONTROL_KEYS = { z: () => goTo(state.step - 1), Z: () => goTo(state.step + 1), y: () => goTo(state.step + 1) };

document.addEventListener("keydown", (event) => {
    const third = event.getModifierState("AltGraph"); // on many keyboards brackets need it
    if (!state.picture || event.defaultPrevented || (event.altKey && !third)) return;
    const control = (event.ctrlKey || event.metaKey) && !third;
    if (isTaken(event.target, event.key, control)) return;
    if (PAGES.includes(event.key) && state.pictures.length < 2) return;
    const letter = event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
    const action = control ? CONTROL_KEYS[letter] : KEYS[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
});

const buttons = { "zoom-in": KEYS["+"], "zoom-out": KEYS["-"], "zoom-fit": KEYS[0] };
for (const [id, action] of Object.entries(buttons)) element(id).addEventListener("click", action);
