// The canvas of alphacut.notebook.Editor: what is drawn goes to Python as `said`, and comes back as `alpha`.

const NOTHING = { box: null, points: [], strokes: [] };
const TOOLS = { box: "Box", keep: "Keep", remove: "Remove" };
const COLOURS = { true: "#2fb36b", false: "#e0483e" };
const BRUSH = 16; // its diameter, in pixels of the screen
const CLICK = 4; // what moves less, in the same, is a point

const picture = async (bytes) =>
    bytes.byteLength ? createImageBitmap(new Blob([bytes], { type: "image/png" })) : null;

function button(row, label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", act);
    row.append(made);
    return made;
}

/** What removes dims: the picture, darker where its alpha is low. */
function dimmed(shown, alpha) {
    const surface = new OffscreenCanvas(shown.width, shown.height);
    const context = surface.getContext("2d", { willReadFrequently: true });
    context.drawImage(alpha, 0, 0, shown.width, shown.height);
    const matte = context.getImageData(0, 0, shown.width, shown.height);
    context.drawImage(shown, 0, 0);
    const pixels = context.getImageData(0, 0, shown.width, shown.height);
    for (let at = 0; at < pixels.data.length; at += 4) {
        const share = 0.25 + (0.75 * matte.data[at]) / 255;
        for (let channel = 0; channel < 3; channel++) pixels.data[at + channel] *= share;
    }
    context.putImageData(pixels, 0, 0);
    return surface;
}

async function render({ model, el }) {
    const root = document.createElement("div");
    root.className = "alphacut-editor";
    const row = document.createElement("div");
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "The picture; what is removed is dark");
    const words = document.createElement("p");
    words.setAttribute("role", "status");
    root.append(row, canvas, words);
    el.append(root);

    let tool = "box";
    let pen = null; // what is drawn now, in pixels of the picture
    const before = []; // what was said, one thing after another
    const shown = await picture(model.get("picture"));
    let seen = shown;
    [canvas.width, canvas.height] = [shown.width, shown.height];
    const context = canvas.getContext("2d");
    const scale = () => model.get("size")[0] / canvas.getBoundingClientRect().width;
    const said = () => ({ ...NOTHING, ...model.get("said") });

    const tools = Object.entries(TOOLS).map(([name, label]) => {
        const made = button(row, label, () => {
            tool = name;
            paint();
        });
        return [name, made];
    });
    const undo = button(row, "Undo", () => say(before.pop(), false));
    const clear = button(row, "Clear", () => say(NOTHING));

    function say(values, keep = true) {
        if (keep) before.push(said());
        model.set("said", values);
        model.save_changes();
        paint();
    }

    function paint() {
        for (const [name, made] of tools) made.setAttribute("aria-pressed", String(name === tool));
        undo.disabled = !before.length;
        clear.disabled = JSON.stringify(said()) === JSON.stringify(NOTHING);
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.drawImage(seen, 0, 0);
        const share = canvas.width / model.get("size")[0];
        context.setTransform(share, 0, 0, share, 0, 0);
        const { box, points, strokes } = said();
        const drawn = pen?.points && tool !== "box" ? [...strokes, { ...pen, keep: tool === "keep" }] : strokes;
        context.lineCap = context.lineJoin = "round";
        for (const { keep, points: way, width } of drawn) {
            context.globalAlpha = 0.55;
            context.strokeStyle = COLOURS[Boolean(keep)];
            context.lineWidth = width;
            context.beginPath();
            for (const [x, y] of way) context.lineTo(x, y);
            if (way.length === 1) context.lineTo(...way[0]);
            context.stroke();
        }
        context.globalAlpha = 1;
        for (const [x, y, keep] of points) {
            context.fillStyle = COLOURS[keep !== 0];
            context.beginPath();
            context.arc(x, y, 5 / share, 0, 7);
            context.fill();
        }
        const now = pen && tool === "box" ? between(pen.points[0], pen.points.at(-1)) : box;
        if (!now) return;
        context.lineWidth = 2 / share;
        context.strokeStyle = "#3a86ff";
        context.strokeRect(...now);
    }

    function between([x, y], [u, v]) {
        const [width, height] = model.get("size");
        const clamp = (value, most) => Math.min(Math.max(Math.round(value), 0), most);
        const [left, right] = [Math.min(x, u), Math.max(x, u)].map((value) => clamp(value, width));
        const [top, bottom] = [Math.min(y, v), Math.max(y, v)].map((value) => clamp(value, height));
        return [left, top, Math.max(1, right - left), Math.max(1, bottom - top)];
    }

    function place(event) {
        const area = canvas.getBoundingClientRect();
        const [width, height] = model.get("size");
        const x = ((event.clientX - area.left) / area.width) * width;
        const y = ((event.clientY - area.top) / area.height) * height;
        return [Math.min(Math.max(x, 0), width - 0.01), Math.min(Math.max(y, 0), height - 0.01)];
    }

    canvas.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        canvas.setPointerCapture(event.pointerId);
        pen = { points: [place(event)], width: BRUSH * scale(), alt: event.altKey };
    });
    canvas.addEventListener("pointermove", (event) => {
        if (!pen) return;
        pen.points.push(place(event));
        paint();
    });
    canvas.addEventListener("pointercancel", () => {
        pen = null;
        paint();
    });
    canvas.addEventListener("pointerup", () => {
        if (!pen) return;
        const { points, width, alt } = pen;
        pen = null;
        const [first, last] = [points[0], points.at(-1)];
        const far = Math.hypot(last[0] - first[0], last[1] - first[1]) > CLICK * scale() || points.length > 12;
        const now = said();
        if (!far) {
            const keep = tool === "remove" || alt ? 0 : 1;
            say({ ...now, points: [...now.points, [...first, keep]] });
        } else if (tool === "box") say({ ...now, box: between(first, last) });
        else say({ ...now, strokes: [...now.strokes, { keep: tool === "keep", points, width }] });
    });

    const look = async () => {
        const alpha = await picture(model.get("alpha"));
        seen = alpha ? dimmed(shown, alpha) : shown;
        paint();
    };
    const tell = () => (words.textContent = model.get("told"));
    model.on("change:alpha", look);
    model.on("change:told", tell);
    model.on("change:said", paint);
    tell();
    await look();
    return () => {
        model.off("change:alpha", look);
        model.off("change:told", tell);
        model.off("change:said", paint);
    };
}

export default { render };
