// What the page knows, in one place, and how it changes. Nothing is drawn and nobody is asked from here.

/** What says where the subject is and how it is cut: the server cuts again when one of these changes. */
export const SUBJECT = Object.freeze({
    box: null,
    strokes: [],
    points: [],
    mask: null, // { name, bytes }: a file that says it
    key: "none", // what is known of a plain background: none, auto (the colour that the border has), colour
    keyColour: "#00b140",
    similarity: null, // to the key, null: the server's own
    blend: null,
    despill: false,
    shift: 0, // of the edge, in pixels
    feather: 0,
    refine: true,
    foreground: true,
    clean: true,
    paint: [], // strokes, with their softness, into the alpha itself
});

/** What becomes of the cutout. */
export const LOOK = Object.freeze({
    behind: "none", // or colour, picture, blur
    colour: "#3a86c8",
    backdrop: null, // { name, bytes, image }
    crop: false,
    margin: 0,
    format: "png",
    quality: 90,
});

const START = Object.freeze({ ...SUBJECT, ...LOOK });

export const state = {
    picture: null, // see opening.js
    steps: [START], // what the user said, one thing after another; undo goes over all of it
    step: 0, // the place in them
    change: null, // what the pen or a slider is about to say, not yet a step
    tool: "move", // or box, point, keep, remove, restore, erase, pick: a key's colour
    view: "result",
    removed: "dimmed", // how what is taken out is seen while a tool is at work
    checker: "auto", // what is seen through transparency: light, dark, as the page is, or a colour
    checkerColour: "#2fb36b",
    keeps: "keep", // what a point says: keep or remove
    zoom: 1, // 1 where the picture just fits
    centre: [0.5, 0.5], // of the stage, in shares of the picture
    compare: 0, // percent of the picture, from the left, that is shown as it was
    brush: 24, // its diameter, in pixels of the screen
    softness: 50, // percent of its radius over which it fades, where it paints alpha
    pen: null, // { x, y, keyboard }: where the brush is, in pixels of the picture
    touched: 0, // when the pen last moved
};

const listeners = [];

/** Calls `listener(names)` after each change, with what changed: of what was said, or of the state. */
export function onChange(listener) {
    listeners.push(listener);
}

function changed(...names) {
    for (const listener of listeners) listener(new Set(names));
}

/** All that the user says now, with what is under the pen. */
export const said = () => ({ ...state.steps[state.step], ...state.change });

/** Sets what is no step: the tool, the view and the like. */
export function set(values) {
    const names = Object.keys(values).filter((name) => state[name] !== values[name]);
    Object.assign(state, values);
    if (names.length) changed(...names);
}

/** Says something that is not yet decided: while a slider moves or a stroke is drawn. */
export function propose(values) {
    state.change = { ...state.change, ...values };
    changed(...Object.keys(values));
}

/** Takes back what was proposed. */
export function withdraw() {
    const names = Object.keys(state.change ?? {});
    state.change = null;
    state.touched = 0;
    if (names.length) changed(...names);
}

/** Makes what was proposed, with `values`, a step. */
export function commit(values = {}) {
    const before = state.steps[state.step];
    const change = { ...state.change, ...values };
    state.change = null;
    const names = Object.keys(change);
    if (names.some((name) => before[name] !== change[name])) {
        state.steps = [...state.steps.slice(0, ++state.step), { ...before, ...change }];
        names.push("steps");
    }
    if (names.length) changed(...names);
}

/** Undo and redo: to the step of this number, if there is one. */
export function goTo(step) {
    if (state.change || !(step in state.steps)) return;
    const [before, after] = [said(), state.steps[step]];
    state.step = step;
    state.touched = 0;
    changed("steps", ...Object.keys(after).filter((name) => before[name] !== after[name]));
}

/** Whether anything was said of the subject. */
export const isTold = (now = said()) => Object.keys(SUBJECT).some((name) => now[name] !== SUBJECT[name]);

/** Another picture on the stage, of which nothing was said. */
export function begin(picture) {
    const { colour, format, quality } = state.steps[state.step];
    Object.assign(state, { picture, steps: [{ ...START, colour, format, quality }], step: 0, change: null });
    Object.assign(state, { pen: null, touched: 0, compare: 0, zoom: 1, centre: [0.5, 0.5] });
    changed("picture", "steps", "compare", ...Object.keys(START));
}

/** Whether the background's colour alone decides, whatever else was said. */
export const isKeyed = (now = said()) => now.key !== "none";

const BESIDE_KEY = ["move", "restore", "erase", "pick"];

/** Whether a tool does something now. */
export const isUsable = (tool) => !isKeyed() || BESIDE_KEY.includes(tool);

/** What is said of the subject, as the server takes it. */
export function edit(now = said()) {
    const { box, strokes, points, mask, similarity, blend, despill } = now;
    const { shift, feather, refine, foreground, clean, paint } = now;
    const common = { edge: [shift, feather], refine, foreground, clean, paint };
    if (!isKeyed(now)) return { box, strokes, points, mask: Boolean(mask), ...common };
    return { key: now.key === "auto" ? "auto" : now.keyColour, similarity, blend, despill, ...common };
}

/** The files that belong to it. */
export const attached = ({ mask, backdrop } = said()) => ({ mask, background: backdrop });
