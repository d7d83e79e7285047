// The finished picture, at full size: made while the user rests, so that it is there when it is asked for.

import { enable, enabled } from "./controls.js";
import { onFinished } from "./cutting.js";
import { ask } from "./server.js";
import { attached, edit, LOOK, onChange, said, shadow, state } from "./state.js";
import { element, fail, Failure, offer, saving } from "./telling.js";

const REST = 1200; // milliseconds in which nothing is said, before the full size is cut
const ENDINGS = { png: "png", webp: "webp", jpeg: "jpg", tiff: "tif" };

let timer = 0;
// { key, picture, files, controller, blob, data, asked }: the latest file; `blob` is the promise of its `data`, and `asked`
// whether the user waits for it.
let made = null;

/** What the file shall be, as the server takes it. */
export function wished(now, view = "result", format = now.format) {
    const { behind, colour, crop, margin, aspect, quality } = now;
    const wish = { ...edit(now), crop, margin, aspect: aspect || null, format, quality };
    if (view === "mask" || view === "alpha") return { ...wish, what: view };
    const opaque = format === "jpeg" ? "#ffffff" : null; // it has no transparency
    return { ...wish, shadow: shadow(now), background: { colour, picture: "picture", blur: "blur" }[behind] ?? opaque };
}

const wishedNow = (format) => wished(said(), state.view, format);

/** Its name. */
export const saved = (name, format) => `${name.replace(/\.[^.]*$/, "")}-cutout.${ENDINGS[format]}`;

/** The file, which may be there already. */
function file(wish) {
    const files = attached();
    const key = JSON.stringify(wish);
    const same = made?.key === key && made.picture === state.picture;
    if (same && made.files.mask === files.mask && made.files.background === files.background) return made;
    if (!made?.asked) made?.controller.abort();
    const controller = new AbortController();
    const { picture } = state;
    const answer = ask(picture, "file", wish, files, { signal: controller.signal, say: saving });
    const next = { key, picture, files, controller, blob: answer.then((response) => response.blob()) };
    next.blob.then(
        (data) => {
            next.data = data;
            if (made === next) showReady();
        },
        () => made === next && (made = null), // it is asked for anew
    );
    return (made = next);
}

const prepare = () => document.body.dataset.state === "ready" && file(wishedNow());

onFinished(() => rest());

onChange((names) => {
    clearTimeout(timer);
    if (["view", "picture", "steps", ...Object.keys(LOOK)].some((name) => names.has(name))) rest();
    showReady();
});

function rest() {
    clearTimeout(timer);
    timer = setTimeout(prepare, REST);
}

/** Says what a click would save. */
function showReady() {
    const known = !state.change && made?.data && made.picture === state.picture;
    const ready = known && made.key === JSON.stringify(wishedNow());
    const what = { mask: "mask", alpha: "alpha" }[state.view] ?? "cutout";
    element("download-what").textContent = `Download ${what}`;
    element("download-size").textContent = ready ? `${said().format.toUpperCase()}, ${inWords(made.data.size)}` : "";
    element("download").dataset.ready = String(Boolean(ready));
    element("download").draggable = Boolean(ready);
}

function inWords(bytes) {
    return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Does something with the file, saying how it goes. */
async function deliver(id, wish, use) {
    if (!enabled(id)) return;
    enable(id, false);
    const { name } = state.picture;
    const ready = file(wish);
    ready.asked = true;
    if (!ready.data) saving(`Cutting out ${name} at full size…`);
    try {
        saving(await use(ready.blob, name));
    } catch (error) {
        saving("");
        fail(error);
    } finally {
        ready.asked = false;
        enable(id, true);
    }
}

function download() {
    const wish = wishedNow();
    const white = wish.format === "jpeg" && said().behind === "none" && !wish.what;
    deliver("download", wish, async (blob, name) => {
        const title = saved(name, wish.format);
        offer(await blob, title);
        return `Saved as ${title}${white ? ", on white, because a JPEG has no transparency" : ""}`;
    });
}

/** The finished file goes where the button is dragged to: a folder, a mail. Browsers that do not know how drag nothing. */
function carry({ dataTransfer }) {
    const title = saved(state.picture.name, said().format);
    const address = URL.createObjectURL(made.data);
    dataTransfer.effectAllowed = "copy";
    dataTransfer.setData("DownloadURL", `${made.data.type}:${title}:${address}`);
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export function copy() {
    if (element("copy").hidden) return;
    deliver("copy", wishedNow("png"), async (blob, name) => {
        await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]).catch((error) => {
            throw error instanceof Failure ? error : new Failure(`${name} could not be copied: ${error.message}`);
        });
        return `The cutout of ${name} is in the clipboard`;
    });
}

element("copy").hidden = !navigator.clipboard?.write;
element("download").addEventListener("click", download);
element("download").addEventListener("dragstart", carry);
element("copy").addEventListener("click", copy);
