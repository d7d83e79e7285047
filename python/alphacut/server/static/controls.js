// The panel: its controls say what the user says, and show it.
//
// A control with data-said="name" is a part of what is said, and each decision a step; one with data-set="name" is a part
// of the state.

import { drawing, penUp } from "./pen.js";
import { commit, goTo, isTold, LOOK, onChange, propose, said, set, state, SUBJECT } from "./state.js";
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

function show(control) {
    const value = control.dataset.said ? said()[control.dataset.said] : state[control.dataset.set];
    if (control.type === "checkbox") control.checked = value;
    else if (control.type === "radio") control.checked = control.value === value;
    else control.value = value;
}

for (const control of controls) {
    const name = control.dataset.said ?? control.dataset.set;
    control.addEventListener("input", () => {
        if (name === "tool" && drawing) penUp();
        if (control.dataset.set) set({ [name]: valueOf(control) });
        else propose({ [name]: valueOf(control) });
    });
    if (name in LOOK) control.addEventListener("input", () => set({ view: "result" })); // where it can be seen
    if (control.dataset.said) control.addEventListener("change", () => commit());
}

form.addEventListener("submit", (event) => event.preventDefault());

onChange((names) => {
    document.body.dataset.tool = state.tool;
    document.body.classList.toggle("opened", Boolean(state.picture));
    controls.forEach(show);
    element("backdrop").disabled = !said().backdrop;
    enable("undo", state.step > 0);
    enable("redo", state.step < state.steps.length - 1);
    enable("clear", isTold());
    const what = { mask: "mask", alpha: "alpha" }[state.view] ?? "cutout";
    element("download").textContent = `Download ${what}`;
    if (names.has("picture")) opened();
    document.body.classList.toggle("zoomed", state.zoom > 1);
});

/** Shows the controls with the first picture. */
function opened() {
    element("drop").style.setProperty("--ratio", state.picture.width / state.picture.height);
    const focused = element("empty").contains(document.activeElement);
    element("empty").hidden = true;
    for (const id of ["canvas", "panel", "new", "download", "zooming"]) element(id).hidden = false;
    if (focused) element("canvas").focus({ preventScroll: true });
}

element("colour").addEventListener("input", () => propose({ behind: "colour" }));
element("checker-colour").addEventListener("input", () => set({ checker: "colour" }));
element("undo").addEventListener("click", () => goTo(state.step - 1));
element("redo").addEventListener("click", () => goTo(state.step + 1));
element("clear").addEventListener("click", () => isTold() && commit(SUBJECT));
