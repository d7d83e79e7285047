// Pictures that come in: chosen, dropped or pasted.

import { surface } from "./matte.js";
import { forget, request, upload } from "./server.js";
import { begin, commit, set, state } from "./state.js";
import { Failure, fail, named, tell, word } from "./telling.js";

const LONGEST_SIDE = 2048; // of the pictures kept here to be shown

let opening = 0; // counts the pictures asked for: the latest wins

/** Puts a picture on the stage; where that fails, the one before stays with all that was drawn. */
export async function openPicture(file) {
    const turn = ++opening;
    [word.reading, word.standing] = [true, false];
    tell("busy", `Reading ${file.name}…`);
    let picture;
    try {
        picture = await opened(file);
    } catch (error) {
        if (turn !== opening) return;
        word.reading = false;
        fail(named(error, file.name));
        return;
    }
    if (turn !== opening) {
        forget(picture.id);
        return;
    }
    word.reading = false;
    if (state.picture) forget(state.picture.id);
    performance.clearMeasures();
    begin(picture);
}

/**
 * A picture as the page knows it: `bytes`, its file; `original`, what is seen of it; `small`, that in the preview's
 * size, as are `cut`, `matte`, `alpha` and `blurred`, what was found; `found`, that in words; `detail`, a part of it in
 * full size; `sent`, files that the server has.
 */
async function opened(file) {
    const bytes = await copied(file);
    const [sent, shown] = await Promise.allSettled([upload(bytes, file.name), decoded(bytes, file.name)]);
    if (sent.reason) throw sent.reason;
    const { id, width, height, preview } = sent.value;
    try {
        const original = await upright(id, bytes, shown.value);
        const sized = (image) => surface(preview.width, preview.height, image);
        const [cut, matte, small] = [sized(), sized(), sized(original)];
        const shownAs = { original, small, cut, matte, alpha: null, detail: null };
        return { id, width, height, name: file.name, bytes, sent: {}, ...shownAs };
    } catch (error) {
        forget(id);
        throw error;
    }
}

/** A picture file as a canvas of at most LONGEST_SIDE, upright. */
async function decoded(bytes, name) {
    const bitmap = await createImageBitmap(bytes, { imageOrientation: "from-image" }).catch(() => {
        throw new Failure(`This browser cannot show ${name}: it is no picture, or of a kind it does not know.`);
    });
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const size = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
    const made = surface(...size, bitmap, false);
    bitmap.close();
    return made;
}

/** What to show of a picture: as decoded here, or, where browsers cannot or do not turn it, as the server sees it. */
async function upright(id, bytes, shown) {
    if (shown && bytes.type !== "image/webp") return shown;
    return decoded(await (await request(`api/pictures/${id}`)).blob(), "it");
}

/** The file's bytes, so that they stay when the file goes. */
async function copied(file) {
    try {
        return new Blob([await file.arrayBuffer()], { type: file.type });
    } catch {
        throw new Failure(`${file.name} cannot be read.`);
    }
}

export function receiveFiles(files, from) {
    if (files.length === 1) openPicture(files[0]);
    else if (files.length > 1) fail(new Failure(`One picture at a time: these were ${files.length}.`));
    else fail(new Failure(`There was no picture file in what was ${from}.`));
}

/** The user's own picture behind the subject. */
export async function setBackdrop(file) {
    try {
        const bytes = await copied(file);
        const image = await decoded(bytes, file.name);
        const drawn = image.getContext("2d");
        drawn.globalCompositeOperation = "destination-over";
        drawn.fillStyle = "white"; // under what is transparent, as the server has it
        drawn.fillRect(0, 0, image.width, image.height);
        set({ view: "result" });
        commit({ behind: "picture", backdrop: { name: file.name, bytes, image } });
    } catch (error) {
        fail(error);
    }
}

/** A file that says what the subject is. */
export async function setMask(file) {
    try {
        commit({ mask: { name: file.name, bytes: await copied(file) } });
    } catch (error) {
        fail(error);
    }
}
