// The page: a picture, what the user says about it, and the cutout that the server makes of both.
//
//   state     what the page knows; all else listens to it
//   opening   pictures that come in        pointers, keys, controls   what the user does
//   cutting   asks the server for cuts     pen                        what that says of the subject
//   saving    the finished file            stage, matte, drawing      what is seen
//   detail    a part in full size          box                        its geometry
//   shadow    what the subject casts       strip, zip                 several pictures, and all of them as a file
//   loupe     what is under the pen        samples                    pictures for who has none
//   server, telling                        requests, and words for the user

import "./cutting.js";
import "./controls.js";
import "./detail.js";
import { layout } from "./drawing.js";
import "./keys.js";
import { openPictures, receiveFiles, setBackdrop, setMask } from "./opening.js";
import "./pointers.js";
import "./samples.js";
import { copy } from "./saving.js";
import { forget } from "./server.js";
import "./shadow.js";
import { stage } from "./stage.js";
import "./strip.js";
import { state } from "./state.js";
import { element } from "./telling.js";

for (const button of document.querySelectorAll("[data-choose]")) {
    button.addEventListener("click", () => element(button.dataset.choose).click());
}

for (const [id, take] of [["file", openPictures], ["backdrop-file", setBackdrop], ["mask-file", setMask]]) {
    element(id).addEventListener("change", ({ target }) => {
        const files = [...target.files];
        target.value = ""; // the same file can be chosen again
        if (files.length) take(target.multiple ? files : files[0]);
    });
}

document.addEventListener("dragover", (event) => {
    event.preventDefault();
    stage.classList.add("over");
});

document.addEventListener("dragleave", ({ relatedTarget }) => stage.classList.toggle("over", relatedTarget !== null));

document.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("over");
    receiveFiles(event.dataTransfer.files, "dropped");
});

document.addEventListener("paste", (event) => receiveFiles(event.clipboardData.files, "pasted"));

document.addEventListener("copy", (event) => {
    if (!state.picture || !document.getSelection().isCollapsed) return;
    event.preventDefault();
    copy();
});

window.addEventListener("pagehide", () => state.pictures.forEach(({ id }) => forget(id)));
window.addEventListener("resize", layout);
new ResizeObserver(layout).observe(stage);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", layout);

element("where").textContent = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname)
    ? "Nothing leaves this machine."
    : `It goes to ${location.hostname} and nowhere else.`;
