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
    shadow: "none", // or drop, contact
    shadowColour: "#000000",
    right: 2, // where it lies, in percent of the subject's longer side
    down: 3,
    blur: 3, // how soft it is, in the same
    darkness: 40, // percent
    crop: false,
    margin: 0,
    aspect: "", // width to height of what is cropped, such as 4:5
    format: "png",
    quality: 90,
});

const START = Object.freeze({ ...SUBJECT, ...LOOK });

export const state = {
    picture: null, // see opening.js
    pictures: [], // all that are open; each that is not on the stage has its `steps` and `step`
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
    loupe: true, // whether what is under the pen is seen enlarged
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

/** The same of any picture: of one that is not on the stage, a step of its own. */
export function commitTo(picture, values) {
    if (picture === state.picture) return commit(values);
    const steps = picture.steps.slice(0, picture.step + 1);
    picture.steps = [...steps, { ...steps.at(-1), ...values }];
    picture.step += 1;
    changed("pictures");
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

/** One more picture, of which nothing is said but how the one on the stage looks. */
export function add(picture) {
    const look = Object.fromEntries(Object.keys(LOOK).map((name) => [name, state.steps[state.step][name]]));
    Object.assign(picture, { steps: [{ ...START, ...look }], step: 0 });
    state.pictures = [...state.pictures, picture];
    changed("pictures");
}

/** Another picture on the stage; what was said of the one before stays with it. */
export function show(picture) {
    if (picture === state.picture) return;
    if (state.picture) Object.assign(state.picture, { steps: state.steps, step: state.step });
    const { steps, step } = picture;
    Object.assign(state, { picture, steps, step, change: null });
    Object.assign(state, { pen: null, touched: 0, compare: 0, zoom: 1, centre: [0.5, 0.5] });
    changed("picture", "steps", "compare", ...Object.keys(START));
}

/** Takes a picture away, but not the last one; the one beside it comes on the stage. */
export function drop(picture) {
    const place = state.pictures.indexOf(picture);
    const rest = state.pictures.toSpliced(place, 1);
    if (!rest.length) return;
    state.pictures = rest;
    if (picture === state.picture) show(rest[Math.min(place, rest.length - 1)]);
    changed("pictures");
}

/** Whether a picture was not taken away meanwhile. */
export const isOpen = (picture) => state.pictures.includes(picture);

/** All that is said of a picture. */
export const saidOf = (picture) => (picture === state.picture ? said() : picture.steps[picture.step]);

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

/** What of a look makes the shadow. */
export const SHADOW = ["shadow", "shadowColour", "right", "down", "blur", "darkness"];

/** The shadow, as the server takes it. */
export function shadow({ shadow: kind, shadowColour: color, right, down, blur, darkness } = said()) {
    if (kind === "none") return null;
    return { kind, offset: [`${right}%`, `${down}%`], softness: `${blur}%`, opacity: darkness / 100, color };
}

/** The files that belong to it. */
export const attached = ({ mask, backdrop } = said()) => ({ mask, background: backdrop });
