// The finished picture, at full size.

import { enable, enabled } from "./controls.js";
import { request } from "./server.js";
import { said, state } from "./state.js";
import { element, fail, saving } from "./telling.js";

element("download").addEventListener("click", download);

async function download() {
    if (!enabled("download")) return;
    const { name, bytes } = state.picture;
    const { view } = state;
    const { box, strokes, behind, colour, backdrop } = said();
    const data = new FormData();
    data.set("file", bytes, name);
    data.set("format", "png");
    if (box) data.set("box", box.join());
    if (strokes.length) data.set("strokes", JSON.stringify(strokes));
    if (view === "mask") data.set("om", "true");
    else if (view === "alpha") data.set("channels", "alpha");
    else if (behind === "colour") data.set("bg_color", colour);
    else if (behind === "picture") data.set("bg_image_file", backdrop.bytes, backdrop.name);
    saving(`Cutting out ${name} at full size…`);
    enable("download", false);
    try {
        const response = await request("api/remove", { method: "POST", body: data }, saving);
        const saved = `${name.replace(/\.[^.]*$/, "")}-cutout.png`;
        const link = Object.assign(document.createElement("a"), { download: saved });
        link.href = URL.createObjectURL(await response.blob());
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
        saving(`Saved as ${saved}`);
    } catch (error) {
        saving("");
        fail(error);
    } finally {
        enable("download", true);
    }
}
