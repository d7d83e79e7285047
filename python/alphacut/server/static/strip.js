// Several pictures: a strip of them, each with how sure its cutout is, and a ZIP of all.

import { enable, enabled } from "./controls.js";
import { onFinished } from "./cutting.js";
import { receive, surface } from "./matte.js";
import { drawing, penUp } from "./pen.js";
import { saved, wished } from "./saving.js";
import { ask, forget } from "./server.js";
import { attached, drop, edit, isOpen, onChange, saidOf, show, state } from "./state.js";
import { element, fail, Failure, offer, saving, sureness } from "./telling.js";
import { zipped } from "./zip.js";

const SIDE = 72; // of a thumbnail, in pixels of the page
const SCALE = 2; // its own pixels for one of those

let running = false;

onFinished(() => {
    update(state.picture);
    cutRest();
});

onChange((names) => {
    if (names.has("pictures")) list();
    if (names.has("picture")) mark();
});

/** Lists the pictures that are open; one alone needs no strip. */
function list() {
    const items = state.pictures.map((picture) => picture.item ?? item(picture));
    element("pictures").replaceChildren(...items);
    element("strip").hidden = items.length < 2;
    mark();
    if (state.picture?.found) cutRest();
}

function item(picture) {
    const button = Object.assign(document.createElement("button"), { type: "button", title: picture.name });
    const scale = (SIDE * SCALE) / Math.max(picture.width, picture.height);
    const size = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
    const thumbnail = surface(...size, picture.original);
    button.append(thumbnail, document.createElement("span"));
    button.addEventListener("click", () => show(picture));
    const made = document.createElement("li");
    made.append(button);
    picture.item = made;
    update(picture);
    return made;
}

/** Shows what was found of a picture. */
function update(picture) {
    if (!picture.item) return;
    const button = picture.item.firstChild;
    const [thumbnail, caption] = button.children;
    const { verdict, confidence } = picture.found ?? {};
    caption.textContent = verdict ? verdict.split(":")[0] : picture.failed ? "failed" : "…";
    button.dataset.verdict = verdict?.split(/[ :]/)[0] ?? "";
    const told = verdict ? `${verdict}, ${sureness(confidence)}` : picture.failed ? "could not be cut out" : "not cut out yet";
    button.ariaLabel = `${picture.name}: ${told}`;
    if (!verdict) return;
    const drawn = thumbnail.getContext("2d");
    drawn.clearRect(0, 0, thumbnail.width, thumbnail.height);
    drawn.drawImage(picture.cut, 0, 0, thumbnail.width, thumbnail.height);
}

/** Marks the one on the stage. */
function mark() {
    for (const picture of state.pictures) {
        const button = picture.item?.firstChild;
        if (!button) continue;
        if (picture === state.picture) button.ariaCurrent = "true";
        else button.removeAttribute("aria-current");
    }
    state.picture?.item?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Cuts those that are not cut yet, one after the other, while the one on the stage is at rest. */
async function cutRest() {
    if (running) return;
    running = true;
    const next = () => state.pictures.find((picture) => !picture.found && !picture.failed && picture !== state.picture);
    for (let picture = next(); picture && document.body.dataset.state === "ready"; picture = next()) {
        try {
            const now = saidOf(picture);
            const wish = { ...edit(now), draft: false };
            const response = await ask(picture, "cut", wish, { mask: attached(now).mask }, { say: () => {} });
            const bitmap = await createImageBitmap(await response.blob());
            if (picture === state.picture) { // which is cut already
                bitmap.close();
                continue;
            }
            receive(bitmap, false, picture);
            picture.found = JSON.parse(response.headers.get("X-Cutout") ?? "{}");
            update(picture);
        } catch (error) {
            picture.failed = true;
            update(picture);
            if (!(error instanceof Failure)) console.error(error);
        }
    }
    running = false;
}

/** The picture before (-1) or after (1) the one on the stage. */
export function beside(step) {
    const { pictures, picture } = state;
    const next = pictures[pictures.indexOf(picture) + step];
    if (!next) return;
    if (drawing) penUp(); // what it says is said of this one
    show(next);
}

/** A name that none of these has. */
function unlike(names, name) {
    const [, stem, ending] = name.match(/^(.*)(\.[^.]*)$/);
    let unused = name;
    for (let number = 2; names.has(unused); number++) unused = `${stem}-${number}${ending}`;
    names.add(unused);
    return unused;
}

async function saveAll() {
    if (!enabled("zip")) return;
    enable("zip", false);
    const [files, names] = [[], new Set()];
    try {
        for (const [number, picture] of state.pictures.entries()) {
            if (!isOpen(picture)) continue; // closed since
            const now = saidOf(picture);
            saving(`Cutting out ${number + 1} of ${state.pictures.length} at full size: ${picture.name}…`);
            const response = await ask(picture, "file", wished(now), attached(now), { say: saving }).catch((error) => {
                if (isOpen(picture)) throw error;
            });
            if (!response) continue;
            files.push([unlike(names, saved(picture.name, now.format)), await response.blob()]);
        }
        offer(await zipped(files), "cutouts.zip");
        saving(`Saved ${files.length} cutouts as cutouts.zip`);
    } catch (error) {
        saving("");
        fail(error);
    } finally {
        enable("zip", true);
    }
}

element("zip").addEventListener("click", saveAll);
element("close").addEventListener("click", () => {
    const { picture } = state;
    drop(picture);
    forget(picture.id);
    const focus = state.pictures.length > 1 ? state.picture.item.firstChild : element("canvas");
    focus.focus({ preventScroll: true });
});
