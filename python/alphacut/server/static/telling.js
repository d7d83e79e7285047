// What the page tells the user in words.

import { state } from "./state.js";

export const element = (id) => document.getElementById(id);

/** What went wrong, in words for the user. */
export class Failure extends Error {
    constructor(message, code = "") {
        super(message);
        this.code = code;
    }
}

/** The same error with the file's name in place of the field's, by which the server calls it. */
export function named(error, name) {
    error.message = error.message.replace(/^(file|mask|background): /, `${name}: `);
    return error;
}

/** What no cut may take the word from. */
export const word = {
    reading: false, // a picture that is on its way
    standing: false, // an error that is shown
    get isTaken() {
        return this.reading || this.standing;
    },
};

export function tell(state, message = "", warnings = []) {
    document.body.dataset.state = state;
    const text = document.createElement("p");
    text.append(message);
    const list = document.createElement("ul");
    list.append(...warnings.map((warning) => Object.assign(document.createElement("li"), { textContent: warning })));
    element("status").replaceChildren(text, ...(warnings.length ? [list] : []));
}

/** Shows an error; one that is not of a cut, which can be tried `again`, stays until the user does something else. */
export function fail(error, again = null) {
    word.standing = !again;
    tell("error", error.message);
    if (!(error instanceof Failure)) console.error(error);
    if (!again) return;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
    button.addEventListener("click", () => again());
    element("status").append(button);
}

/** Gives the user a file. */
export function offer(blob, name) {
    const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(blob) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** How sure a cut is, as a number. */
export const sureness = (confidence) => `confidence ${Math.round(confidence * 100)} %`;

/** Says how a download goes, whatever is cut meanwhile. */
export function saving(message) {
    element("saving").textContent = message;
}

const METHODS = { graphcut: "Graph cut", key: "Colour key", kmeans: "Colour clusters", threshold: "Threshold" };

export function described({ method, confidence, verdict, milliseconds }) {
    const facts = [METHODS[method] ?? method ?? "Done"];
    if (confidence !== undefined) facts.push(`${verdict} (${sureness(confidence)})`);
    if (milliseconds !== undefined) facts.push(`${Math.round(milliseconds)} ms`);
    return `${state.picture.name}: ${facts.join(" · ")}`;
}
