// The pixels of the picture on the stage, in the preview's size: the cutout, and its alpha.

import { state } from "./state.js";

/** A canvas of this size, with an image over all of it if there is one; kept where it can be `read`. */
export function surface(width, height, image = null, read = true) {
    const made = Object.assign(document.createElement("canvas"), { width, height });
    const drawn = made.getContext("2d", { willReadFrequently: read });
    drawn.imageSmoothingQuality = "high";
    if (image) drawn.drawImage(image, 0, 0, width, height);
    return made;
}

/** Keeps an answer of the server as what is shown: the cutout, and its alpha. */
export function receive(bitmap, draft, picture = state.picture) {
    const { cut, matte, small } = picture;
    const drawn = cut.getContext("2d");
    drawn.globalCompositeOperation = "copy";
    drawn.drawImage(bitmap, 0, 0);
    bitmap.close();
    const { data } = drawn.getImageData(0, 0, cut.width, cut.height);
    const channel = draft ? 0 : 3; // colours at low alpha are not exact when read back, alpha is
    const alpha = new Uint8Array(cut.width * cut.height);
    for (let i = 0; i < alpha.length; i++) alpha[i] = data[4 * i + channel];
    picture.alpha = alpha;
    paintMatte(picture);
    if (!draft) return;
    drawn.drawImage(small, 0, 0);
    drawn.globalCompositeOperation = "destination-in";
    drawn.drawImage(matte, 0, 0);
}

/** White with the picture's alpha, which the view of the mask has hard. */
export function paintMatte({ alpha, matte } = state.picture) {
    const hard = state.view === "mask";
    const drawn = matte.getContext("2d");
    const pixels = drawn.createImageData(matte.width, matte.height);
    const words = new Uint32Array(pixels.data.buffer); // RGBA, the last byte the highest on every machine of today
    for (let i = 0; i < alpha.length; i++) words[i] = 0xffffff | ((hard ? (alpha[i] > 127) * 255 : alpha[i]) << 24);
    drawn.putImageData(pixels, 0, 0);
}
