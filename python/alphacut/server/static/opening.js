// Pictures that come in: chosen, dropped or pasted.

import { surface } from "./matte.js";
import { forget, request, upload } from "./server.js";
import { add, commitTo, set, show, state } from "./state.js";
import { Failure, fail, named, tell, word } from "./telling.js";

const LONGEST_SIDE = 2048; // of the pictures kept here to be shown

const MOST = 24; // pictures that are open at once

let opening = 0; // counts what was asked for: the latest comes on the stage

/** Opens picture files, one after the other; the first of them comes on the stage. Where all fail, nothing changes. */
export async function openPictures(files) {
    const turn = ++opening;
    const failures = [];
    let first = true;
    for (const file of files) {
        if (first) {
            [word.reading, word.standing] = [true, false];
            tell("busy", `Reading ${file.name}…`);
        }
        try {
            if (state.pictures.length >= MOST) throw new Failure(`${file.name}: only ${MOST} pictures can be open.`);
            const picture = await opened(file);
            add(picture);
            if (first && (turn === opening || !state.picture)) {
                if (turn === opening) word.reading = false;
                performance.clearMeasures();
                show(picture);
            }
            first = false;
        } catch (error) {
            failures.push(named(error, file.name));
        }
    }
    if (turn === opening) word.reading = false;
    if (!failures.length || turn !== opening) return;
    const [{ message }] = failures;
    const more = failures.length > 1 ? ` So it is with ${failures.length - 1} more of ${files.length} files.` : "";
    fail(failures.length > 1 ? new Failure(message + more) : failures[0]);
}

/**
 * A picture as the page knows it: `bytes`, its file; `original`, what is seen of it; `small`, that in the preview's
 * size, as are `cut`, `matte`, `alpha`, `blurred` and `shadow`, what was found; `found`, that in words; `detail`, a part of it in
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
    if (files.length) openPictures(files);
    else fail(new Failure(`There was no picture file in what was ${from}.`));
}

/** The user's own picture behind the subject. */
export async function setBackdrop(file) {
    const { picture } = state;
    try {
        const bytes = await copied(file);
        const image = await decoded(bytes, file.name);
        const drawn = image.getContext("2d");
        drawn.globalCompositeOperation = "destination-over";
        drawn.fillStyle = "white"; // under what is transparent, as the server has it
        drawn.fillRect(0, 0, image.width, image.height);
        if (picture === state.picture) set({ view: "result" });
        commitTo(picture, { behind: "picture", backdrop: { name: file.name, bytes, image } });
    } catch (error) {
        fail(error);
    }
}

/** A file that says what the subject is. */
export async function setMask(file) {
    const { picture } = state;
    try {
        const bytes = await copied(file);
        commitTo(picture, { mask: { name: file.name, bytes } });
    } catch (error) {
        fail(error);
    }
}
