// The panel: its controls say what the user says, and show it.
//
// A control with data-said="name" is a part of what is said, and each decision a step; one with data-set="name" is a
// part of the state.

import { drawing, penUp } from "./pen.js";
import { commit, goTo, onChange, propose, set, SHADOW, state, SUBJECT } from "./state.js";
import { isKeyed, isTold, isUsable, said } from "./state.js";
import { element } from "./telling.js";

const form = element("panel");
const controls = [...form.querySelectorAll("[data-said], [data-set]")];

/** Marks a button as one that does something now, or not; it keeps the focus, which a disabled one would lose. */
export function enable(id, does) {
    element(id).ariaDisabled = String(!does);
}

export const enabled = (id) => element(id).ariaDisabled !== "true";

function valueOf({ type, checked, value }) {
    if (type === "checkbox") return checked;
    return type === "range" || type === "number" ? Number(value) : value;
}

const SIGNED = new Intl.NumberFormat("en", { signDisplay: "exceptZero", maximumFractionDigits: 1 });

/** A value in words, for those that are shown beside their slider. */
const WORDS = {
    shift: (value) => `${SIGNED.format(value)} px`,
    feather: (value) => `${value} px`,
    similarity: (value) => (value === null ? "auto" : value.toFixed(3)),
    blend: (value) => (value === null ? "auto" : value.toFixed(3)),
    quality: String,
    softness: (value) => `${value} %`,
    right: (value) => `${value} %`,
    down: (value) => `${value} %`,
    blur: (value) => `${value} %`,
    darkness: (value) => `${value} %`,
};

function show(control) {
    const name = control.dataset.said ?? control.dataset.set;
    const value = control.dataset.said ? said()[name] : state[name];
    if (control.type === "checkbox") control.checked = value;
    else if (control.type === "radio") control.checked = control.value === value;
    else if (control.type !== "number" || control !== document.activeElement) {
        control.value = value ?? control.dataset.auto; // not while it is typed
    }
    if (!WORDS[name]) return;
    control.ariaValueText = WORDS[name](value);
    control.nextElementSibling.textContent = WORDS[name](value);
}

for (const control of controls) {
    const name = control.dataset.said ?? control.dataset.set;
    control.addEventListener("input", () => {
        if (name === "tool" && drawing) penUp();
        if (control.dataset.set) set({ [name]: valueOf(control) });
        else if (control.checkValidity()) propose({ [name]: valueOf(control) });
    });
    if (["behind", "colour", ...SHADOW].includes(name)) control.addEventListener("input", showResult);
    if (control.dataset.said) control.addEventListener("change", () => commit());
}

/** So that what is chosen is seen. */
function showResult() {
    set({ view: "result" });
}

controls.forEach(show);
form.addEventListener("submit", (event) => event.preventDefault());

onChange((names) => {
    document.body.dataset.tool = state.tool;
    document.body.classList.toggle("opened", Boolean(state.picture));
    controls.filter(({ dataset }) => names.has(dataset.said ?? dataset.set)).forEach(show);
    const now = said();
    element("backdrop").disabled = !now.backdrop;
    enable("undo", state.step > 0);
    enable("redo", state.step < state.steps.length - 1);
    enable("clear", isTold());
    element("mask-name").textContent = now.mask?.name ?? "";
    element("mask-drop").hidden = !now.mask;
    element("aspect-row").hidden = !now.crop;
    element("quality-row").hidden = !["jpeg", "webp"].includes(now.format);
    element("keyed").hidden = !isKeyed(now);
    element("shadow").hidden = now.shadow === "none";
    for (const id of ["key-colour", "key-pick"]) element(id).hidden = now.key !== "colour";
    for (const tool of form.elements.tool) tool.disabled = !isUsable(tool.value);
    if (!isUsable(state.tool)) set({ tool: "move" });
    if (names.has("picture")) opened();
    document.body.classList.toggle("zoomed", state.zoom > 1);
});

/** Shows the controls with the first picture. */
function opened() {
    element("drop").style.setProperty("--ratio", state.picture.width / state.picture.height);
    const focused = element("empty").contains(document.activeElement);
    element("empty").hidden = true;
    for (const id of ["canvas", "panel", "new", "saves", "zooming"]) element(id).hidden = false;
    if (focused) element("canvas").focus({ preventScroll: true });
}

element("colour").addEventListener("input", () => propose({ behind: "colour" }));
element("checker-colour").addEventListener("input", () => set({ checker: "colour" }));
/** What a shadow is to begin with. */
const SHADOWS = {
    drop: { right: 2, down: 3, blur: 3, darkness: 40 },
    contact: { right: 0, down: 0, blur: 4, darkness: 60 },
};
for (const choice of form.elements.shadow) choice.addEventListener("input", () => propose(SHADOWS[choice.value] ?? {}));

element("undo").addEventListener("click", () => goTo(state.step - 1));
element("redo").addEventListener("click", () => goTo(state.step + 1));
element("clear").addEventListener("click", () => isTold() && commit(SUBJECT));
element("key-pick").addEventListener("click", () => {
    set({ tool: "pick" });
    element("canvas").focus({ preventScroll: true });
});
element("mask-drop").addEventListener("click", () => {
    commit({ mask: null });
    element("mask-choose").focus();
});
