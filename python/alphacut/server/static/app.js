// The page: a picture, what the user says about it (a box and strokes), and the cutout that the server makes of both.

const element = (id) => document.getElementById(id);
const [body, stage, canvas, form] = [document.body, element("drop"), element("canvas"), element("panel")];
const context = canvas.getContext("2d");

const TRIES = 6; // of a request that a busy server turns away
const LONGEST_SIDE = 2048; // of the pictures kept here to be shown
const MARGIN = 16; // of the stage around the picture, where strokes and boxes may begin
const ENLARGED = 2; // how much a picture may be
const WIDEST = 10_000; // brush, in pixels of the picture, that the server draws with
const LEAST_SIDE = 480; // to which a small one is, whatever that takes
const METHODS = { graphcut: "Graph cut", key: "Colour key", kmeans: "Colour clusters", threshold: "Threshold" };
const NOTHING = { box: null, strokes: [] };
const BRUSH = { keep: "rgb(34 180 90 / 0.5)", remove: "rgb(230 60 50 / 0.5)" };

let picture = null; // { id, name, bytes, width, height, original, small, cut, alpha, matte }
let backdrop = null; // { name, bytes, image }: the user's own picture to put behind
let steps = [NOTHING]; // what the user said, one thing after another
let step = 0; // the place in them
let drawing = null; // { stroke } or { from, box } under the pen; { last, apart }: its latest point, how far the next is
let pen = null; // { x, y, keyboard }: where the brush is, in pixels of the picture
let checker = null; // the pattern behind what is transparent
let place = { x: 0, y: 0, width: 1, height: 1, scale: 1 }; // of the picture on the stage
let opening = 0; // counts the pictures asked for: the latest wins
let reading = false; // whether one of them is still on its way
let standing = false; // whether an error is shown that no cut may take away

const chosen = (name) => form.elements[name].value;

function choose(name, value) {
    form.elements[name].value = value;
    form.dispatchEvent(new Event("change"));
}

function tell(state, message = "", warnings = []) {
    body.dataset.state = state;
    const text = document.createElement("p");
    text.append(message);
    const list = document.createElement("ul");
    list.append(...warnings.map((warning) => Object.assign(document.createElement("li"), { textContent: warning })));
    element("status").replaceChildren(text, ...(warnings.length ? [list] : []));
}

/** Shows an error; one that is not of a cut stays until the user does something else. */
function fail(error, ofCut = false) {
    standing = !ofCut;
    tell("error", error.message);
    if (!(error instanceof Failure)) console.error(error);
    if (!ofCut) return;
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
    again.addEventListener("click", () => settle());
    element("status").append(again);
}

// --- the server ------------------------------------------------------------------------------------------------------

/** What went wrong, in words for the user. */
class Failure extends Error {
    constructor(message, code = "") {
        super(message);
        this.code = code;
    }
}

/** The answer to a request; waits for a busy server, which it says, and throws for any other refusal. */
async function request(path, options = {}, say = (message) => tell("busy", message)) {
    for (let attempt = 1; ; attempt++) {
        const response = await fetch(path, options).catch((error) => {
            throw error.name === "AbortError" ? error : new Failure("The server cannot be reached.");
        });
        if (response.ok) return response;
        if (response.status !== 503 || attempt === TRIES) throw await failure(response);
        const seconds = Math.min(Number(response.headers.get("Retry-After")) || 1, 30);
        say(`The server is busy: trying again in ${seconds} s…`);
        await new Promise((resolve, reject) => {
            setTimeout(resolve, seconds * 1000);
            options.signal?.addEventListener("abort", () => reject(options.signal.reason));
        });
    }
}

async function failure(response) {
    const { errors: [error = {}] = [] } = await response.json().catch(() => ({}));
    return new Failure(error.title ?? `The server answered ${response.status}.`, error.code);
}

async function upload(bytes, name, signal) {
    const data = new FormData();
    data.set("file", bytes, name);
    return (await request("api/pictures", { method: "POST", body: data, signal })).json();
}

function forget(id) {
    fetch(`api/pictures/${id}`, { method: "DELETE", keepalive: true }).catch(() => {}); // the server forgets it in time
}

/** The server's answer for the picture and what was said; a picture that the server has forgotten goes there again. */
async function ask(draft, signal) {
    const asked = picture;
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ ...said(), draft });
    const send = () => request(`api/pictures/${asked.id}/cut`, { method: "POST", headers, body, signal });
    try {
        return await send();
    } catch (error) {
        if (error.code !== "unknown_picture") throw error;
        asked.id = (await upload(asked.bytes, asked.name, signal)).id;
        return send();
    }
}

// --- cuts: one at a time, and the latest next ------------------------------------------------------------------------

let wanted = null; // { draft, settle }: the cut to ask for next; settle: the finished one comes after it
let running = null; // { draft, controller }: the one under way
let touched = 0; // when the pen last moved

function want(draft, settle = !draft) {
    wanted = { draft, settle };
    standing = false;
    if (reading) body.dataset.state = "busy"; // which its message says more of
    else if (!draft) tell("busy", "Cutting out…");
    else if (body.dataset.state === "error") tell("draft");
    else body.dataset.state = "draft"; // what was found stays to be read
    if (running && !running.draft) running.controller.abort();
    if (!running) run();
}

async function run() {
    while (wanted) {
        const { draft, settle } = wanted;
        wanted = null;
        running = { draft, controller: new AbortController() };
        try {
            await cut(draft, running.controller.signal);
            if (draft && settle) wanted ??= { draft: false, settle };
        } catch (error) {
            if (error.name !== "AbortError" && !reading && !standing) fail(error, true);
        }
    }
    running = null;
}

async function cut(draft, signal) {
    const time = touched;
    const response = await ask(draft, signal);
    const bitmap = await createImageBitmap(await response.blob());
    signal.throwIfAborted();
    receive(bitmap, draft);
    if (draft) {
        if (!reading && !standing && body.dataset.state !== "draft") tell("draft");
        if (time) redraw(() => performance.measure("stroke-to-seen", { start: time, end: performance.now() }));
        return;
    }
    redraw();
    if (wanted || reading || standing) return;
    const found = JSON.parse(response.headers.get("X-Cutout") ?? "{}");
    tell("ready", described(found), found.warnings);
}

function described({ method, confidence, verdict, milliseconds }) {
    const facts = [METHODS[method] ?? method ?? "Done"];
    if (confidence !== undefined) facts.push(`${verdict} (confidence ${Math.round(confidence * 100)} %)`);
    if (milliseconds !== undefined) facts.push(`${Math.round(milliseconds)} ms`);
    return facts.join(" · ");
}

/** Keeps an answer as what is shown: the cutout, and its alpha. */
function receive(bitmap, draft) {
    const { cut, matte, small } = picture;
    const drawn = cut.getContext("2d");
    drawn.globalCompositeOperation = "copy";
    drawn.drawImage(bitmap, 0, 0);
    bitmap.close();
    const { data } = drawn.getImageData(0, 0, cut.width, cut.height);
    const channel = draft ? 0 : 3; // colours at low alpha are not exact when read back, alpha is
    picture.alpha = new Uint8Array(cut.width * cut.height);
    for (let i = 0; i < picture.alpha.length; i++) picture.alpha[i] = data[4 * i + channel];
    paintMatte();
    if (!draft) return;
    drawn.drawImage(small, 0, 0);
    drawn.globalCompositeOperation = "destination-in";
    drawn.drawImage(matte, 0, 0);
}

/** White with the picture's alpha, which the view of the mask has hard. */
function paintMatte() {
    const { alpha, matte } = picture;
    const hard = chosen("view") === "mask";
    const drawn = matte.getContext("2d");
    const pixels = drawn.createImageData(matte.width, matte.height);
    pixels.data.fill(255);
    for (let i = 0; i < alpha.length; i++) pixels.data[4 * i + 3] = hard ? (alpha[i] > 127) * 255 : alpha[i];
    drawn.putImageData(pixels, 0, 0);
}

/** A canvas of this size, with an image over all of it if there is one; kept where it can be `read`. */
function surface(width, height, image = null, read = true) {
    const made = Object.assign(document.createElement("canvas"), { width, height });
    const drawn = made.getContext("2d", { willReadFrequently: read });
    drawn.imageSmoothingQuality = "high";
    if (image) drawn.drawImage(image, 0, 0, width, height);
    return made;
}

// --- pictures --------------------------------------------------------------------------------------------------------

/** A picture file as a canvas of at most LONGEST_SIDE, upright. */
async function decoded(file) {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
        throw new Failure("This browser cannot show that kind of picture.");
    });
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const size = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
    const made = surface(...size, bitmap, false);
    bitmap.close();
    return made;
}

/** Puts a picture on the stage; where that fails, the one before stays with all that was drawn. */
async function openPicture(file) {
    const turn = ++opening;
    [reading, standing] = [true, false];
    tell("busy", `Reading ${file.name}…`);
    try {
        const bytes = await copied(file);
        const [sent, shown] = await Promise.allSettled([upload(bytes, file.name), decoded(bytes)]);
        if (sent.reason) throw sent.reason;
        const { id, width, height, preview } = sent.value;
        const original = await upright(id, bytes, shown.value).catch((error) => {
            forget(id);
            throw error;
        });
        if (turn !== opening) return forget(id);
        if (picture) forget(picture.id);
        picture = { id, width, height, name: file.name, bytes, original, alpha: null };
        for (const part of ["cut", "matte"]) picture[part] = surface(preview.width, preview.height);
        picture.small = surface(preview.width, preview.height, picture.original);
    } catch (error) {
        if (turn === opening) {
            reading = false;
            fail(error);
        }
        return;
    }
    reading = false;
    wanted = null;
    performance.clearMeasures();
    running?.controller.abort();
    [steps, step, drawing, pen, touched] = [[NOTHING], 0, null, null, 0];
    element("compare").value = 0;
    stage.style.setProperty("--ratio", picture.width / picture.height);
    const focused = element("empty").contains(document.activeElement);
    element("empty").hidden = true;
    for (const part of [canvas, form, element("new"), element("download")]) part.hidden = false;
    body.classList.add("opened");
    if (focused) canvas.focus({ preventScroll: true });
    update();
    layout();
    want(false);
}

/** What to show of a picture: as decoded here, or, where browsers cannot or do not turn it, as the server sees it. */
async function upright(id, bytes, shown) {
    if (shown && bytes.type !== "image/webp") return shown;
    return decoded(await (await request(`api/pictures/${id}`)).blob());
}

/** The file's bytes, so that they stay when the file goes. */
async function copied(file) {
    try {
        return new Blob([await file.arrayBuffer()], { type: file.type });
    } catch {
        throw new Failure(`${file.name} cannot be read.`);
    }
}

function receiveFiles(files, from) {
    if (files.length === 1) openPicture(files[0]);
    else if (files.length > 1) fail(new Failure(`One picture at a time: these were ${files.length}.`));
    else fail(new Failure(`There was no picture file in what was ${from}.`));
}

async function setBackdrop(file) {
    try {
        const bytes = await copied(file);
        const image = await decoded(bytes);
        const drawn = image.getContext("2d");
        drawn.globalCompositeOperation = "destination-over";
        drawn.fillStyle = "white"; // under what is transparent, as the server has it
        drawn.fillRect(0, 0, image.width, image.height);
        backdrop = { name: file.name, bytes, image };
        for (const input of form.elements.view) input.disabled = false;
        choose("view", "picture");
    } catch (error) {
        fail(error);
    }
}

/** Says how a download goes, whatever is cut meanwhile. */
function saving(message) {
    element("saving").textContent = message;
}

async function download() {
    if (!enabled("download")) return;
    const { name, bytes } = picture;
    const view = chosen("view");
    const { box, strokes } = said();
    const data = new FormData();
    data.set("file", bytes, name);
    data.set("format", "png");
    if (box) data.set("box", box.join());
    if (strokes.length) data.set("strokes", JSON.stringify(strokes));
    if (view === "mask") data.set("om", "true");
    if (view === "alpha") data.set("channels", "alpha");
    if (view === "colour") data.set("bg_color", element("background-colour").value);
    if (view === "picture") data.set("bg_image_file", backdrop.bytes, backdrop.name);
    saving("Cutting out at full size…");
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

// --- what the user says ----------------------------------------------------------------------------------------------

/** The box and the strokes, with what is under the pen. */
function said() {
    const now = steps[step];
    if (drawing?.stroke) return { ...now, strokes: [...now.strokes, drawing.stroke] };
    return drawing?.box ? { ...now, box: drawing.box } : now;
}

function penDown(point) {
    const tool = chosen("tool");
    if (tool === "look" || drawing) return;
    const brush = element("brush").value;
    const width = Math.min(rounded(brush / place.scale), WIDEST);
    const stroke = { keep: tool === "keep", width, points: [point] };
    drawing = tool === "box" ? { from: point, apart: 1 } : { stroke, apart: Math.max(1, brush / 8) };
    drawing.last = point;
    if (drawing.stroke) want(true);
}

function penMove(point) {
    const [dx, dy] = [point[0] - drawing.last[0], point[1] - drawing.last[1]];
    if (Math.hypot(dx, dy) * place.scale < drawing.apart) return; // fewer points, of which nobody sees the difference
    drawing.last = point;
    if (drawing.stroke) drawing.stroke.points.push(point);
    else drawing.box = boxBetween(drawing.from, point);
    want(true);
}

function penUp() {
    if (!drawing) return;
    if (drawing.stroke || drawing.box) record(said());
    drawing = null;
    settle(touched);
}

function penCancel() {
    drawing = null;
    settle();
}

function record(next) {
    steps = [...steps.slice(0, ++step), next];
}

function goTo(next) {
    if (drawing || !(next in steps)) return;
    step = next;
    settle();
}

function startOver() {
    if (said() === NOTHING) return;
    record(NOTHING);
    settle();
}

/** A draft at once, then the finished cutout; `since` when the pen moved last, if it did. */
function settle(since = 0) {
    touched = since;
    update();
    redraw();
    want(true, true);
}

/** The whole pixels of the picture between two corners; null where there are none to speak of. */
function boxBetween([x, y], [otherX, otherY]) {
    if (Math.min(Math.abs(x - otherX), Math.abs(y - otherY)) * place.scale < 2) return null;
    const clamped = (value, most) => Math.min(Math.max(value, 0), most);
    const left = clamped(Math.floor(Math.min(x, otherX)), picture.width);
    const top = clamped(Math.floor(Math.min(y, otherY)), picture.height);
    const width = clamped(Math.ceil(Math.max(x, otherX)), picture.width) - left;
    const height = clamped(Math.ceil(Math.max(y, otherY)), picture.height) - top;
    return width > 0 && height > 0 ? [left, top, width, height] : null;
}

const rounded = (value) => Math.round(value * 100) / 100;

/** The point of the picture under a pointer. */
function under({ clientX, clientY }) {
    const { left, top } = canvas.getBoundingClientRect();
    return [rounded((clientX - left - place.x) / place.scale), rounded((clientY - top - place.y) / place.scale)];
}

// --- the stage -------------------------------------------------------------------------------------------------------

/** Fits the picture into the stage, on whole pixels of the screen. */
function layout() {
    if (!picture) return;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    [canvas.width, canvas.height] = [width, height].map((side) => Math.round(side * devicePixelRatio));
    const most = Math.max(ENLARGED, LEAST_SIDE / Math.max(picture.width, picture.height));
    const fitting = Math.min((width - 2 * MARGIN) / picture.width, (height - 2 * MARGIN) / picture.height, most);
    const scale = Math.max(fitting, 1e-6); // of a stage without room, too
    const snapped = (value) => Math.round(value * devicePixelRatio) / devicePixelRatio;
    const [wide, high] = [picture.width, picture.height].map((side) => snapped(side * scale) || 1 / devicePixelRatio);
    place = { x: snapped((width - wide) / 2), y: snapped((height - high) / 2), width: wide, height: high, scale };
    checker = checkerboard();
    canvas.dataset.place = [place.x, place.y, wide, high].join();
    draw();
}

let frame = 0;
let seen = []; // to call when the next frame is on the screen

function redraw(then) {
    if (then) seen.push(then);
    frame ||= requestAnimationFrame(draw);
}

function draw() {
    cancelAnimationFrame(frame);
    frame = 0;
    if (!picture) return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = place.scale < 3;
    context.imageSmoothingQuality = "medium";
    const { x, y, width, height } = place;
    const original = chosen("view") === "original" || !picture.alpha ? 1 : element("compare").value / 100;
    const middle = x + width * original;
    fill(checker);
    if (original < 1) inside(middle, x + width, drawResult);
    if (original > 0) inside(x, middle, () => context.drawImage(picture.original, x, y, width, height));
    if (original > 0 && original < 1) outline(() => context.rect(middle, y, 0, height));
    if (chosen("tool") !== "look") drawSaid();
    if (pen) drawPen();
    const called = seen;
    seen = [];
    if (called.length) setTimeout(() => called.forEach((call) => call())); // after the frame
}

function inside(left, right, paint) {
    context.save();
    context.beginPath();
    context.rect(left, place.y, right - left, place.height);
    context.clip();
    paint();
    context.restore();
}

function drawResult() {
    const view = chosen("view");
    const matte = view === "mask" || view === "alpha";
    if (matte) fill("black");
    if (view === "colour") fill(element("background-colour").value);
    if (view === "picture") cover(backdrop.image);
    context.drawImage(matte ? picture.matte : picture.cut, place.x, place.y, place.width, place.height);
}

function fill(style) {
    context.fillStyle = style;
    context.fillRect(place.x, place.y, place.width, place.height);
}

/** A background, scaled around its centre to cover the picture. */
function cover(image) {
    const { x, y, width, height } = place;
    const scale = Math.max(width / image.width, height / image.height);
    const [wide, high] = [image.width * scale, image.height * scale];
    context.drawImage(image, x + (width - wide) / 2, y + (height - high) / 2, wide, high);
}

function checkerboard() {
    const tile = surface(16, 16);
    const drawn = tile.getContext("2d");
    const [light, dark] = ["--checker", "--checker-other"].map((name) => getComputedStyle(body).getPropertyValue(name));
    for (const [colour, x, y, side] of [[light, 0, 0, 16], [dark, 0, 0, 8], [dark, 8, 8, 8]]) {
        drawn.fillStyle = colour;
        drawn.fillRect(x, y, side, side);
    }
    return context.createPattern(tile, "repeat");
}

const onStage = ([x, y]) => [place.x + x * place.scale, place.y + y * place.scale];

function drawSaid() {
    const { box, strokes } = said();
    for (const stroke of strokes) drawStroke(stroke);
    if (box) outline(() => context.rect(...onStage(box), box[2] * place.scale, box[3] * place.scale), [6, 4]);
}

/** A stroke in its colour, with a sign for those who do not see it. */
function drawStroke({ keep, width, points }) {
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = Math.max(width * place.scale, 1);
    context.strokeStyle = keep ? BRUSH.keep : BRUSH.remove;
    const begin = onStage(points[0]);
    context.beginPath();
    context.moveTo(...begin);
    for (const point of points) context.lineTo(...onStage(point));
    context.stroke();
    context.font = "700 14px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = "white";
    context.fillText(keep ? "+" : "−", ...begin);
}

/** A line that is seen on light and dark. */
function outline(path, dashes = []) {
    context.lineCap = "butt";
    for (const [width, colour, dash] of [[3, "rgb(0 0 0 / 0.55)", []], [1.5, "white", dashes]]) {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.setLineDash(dash);
        context.beginPath();
        path();
        context.stroke();
    }
    context.setLineDash([]);
}

/** The brush where the pen is; for the keyboard, and for a box, a crosshair. */
function drawPen() {
    const tool = chosen("tool");
    if (tool === "look") return;
    const [x, y] = onStage([pen.x, pen.y]);
    if (tool !== "box") outline(() => context.arc(x, y, Math.max(element("brush").value / 2, 1), 0, 2 * Math.PI));
    if (!pen.keyboard) return;
    outline(() => context.rect(x - 9, y, 18, 0));
    outline(() => context.rect(x, y - 9, 0, 18));
}

/** Marks a button as one that does something now, or not; it keeps the focus, which a disabled one would lose. */
function enable(id, does) {
    element(id).ariaDisabled = String(!does);
}

const enabled = (id) => element(id).ariaDisabled !== "true";

/** Brings buttons and names in line with what is chosen. */
function update() {
    body.dataset.tool = chosen("tool");
    enable("undo", step > 0);
    enable("redo", step < steps.length - 1);
    enable("clear", said() !== NOTHING);
    const parts = { mask: "mask", alpha: "alpha", colour: "on colour", picture: "on picture" };
    element("download").textContent = `Download ${parts[chosen("view")] ?? "cutout"}`;
}

// --- pointers, keys, files -------------------------------------------------------------------------------------------

canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary || drawing) return;
    touched = event.timeStamp;
    penDown(under(event));
    if (!drawing) return;
    drawing.pointer = event.pointerId;
    canvas.setPointerCapture(event.pointerId);
    redraw();
});

canvas.addEventListener("pointermove", (event) => {
    if (!event.isPrimary) return;
    const [x, y] = under(event);
    pen = event.pointerType === "touch" ? null : { x, y };
    if (drawing?.pointer === event.pointerId) {
        touched = event.timeStamp;
        for (const each of event.getCoalescedEvents()) penMove(under(each));
        penMove([x, y]);
    }
    redraw();
});

canvas.addEventListener("pointerup", (event) => {
    if (drawing?.pointer !== event.pointerId) return;
    touched = event.timeStamp;
    penUp();
});

canvas.addEventListener("pointercancel", ({ pointerId }) => drawing?.pointer === pointerId && penCancel());

canvas.addEventListener("pointerleave", () => {
    if (!pen?.keyboard) pen = null;
    redraw();
});

canvas.addEventListener("blur", () => {
    if (drawing && drawing.pointer === undefined) penUp(); // a stroke of the keyboard ends where its keys go
    pen = null;
    redraw();
});

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

canvas.addEventListener("keydown", (event) => {
    if (chosen("tool") === "look" || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (!arrow && event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (drawing?.pointer !== undefined) return;
    if (!pen?.keyboard) pen = { x: picture.width / 2, y: picture.height / 2, ...pen, keyboard: true };
    touched = event.timeStamp;
    if (arrow) {
        const far = (event.shiftKey ? 24 : 4) / place.scale;
        pen.x = Math.min(Math.max(rounded(pen.x + far * arrow[0]), 0), picture.width);
        pen.y = Math.min(Math.max(rounded(pen.y + far * arrow[1]), 0), picture.height);
        if (drawing) penMove([pen.x, pen.y]);
    } else if (!event.repeat) {
        if (drawing) penUp();
        else penDown([pen.x, pen.y]);
    }
    redraw();
});

function draws(tool) {
    choose("tool", tool);
    canvas.focus({ preventScroll: true });
}

function nextView() {
    const views = [...form.elements.view].filter((input) => !input.disabled).map((input) => input.value);
    choose("view", views[(views.indexOf(chosen("view")) + 1) % views.length]);
}

function sizeBrush(factor) {
    element("brush").value *= factor;
    redraw();
}

const KEYS = {
    b: () => draws("box"),
    k: () => draws("keep"),
    r: () => draws("remove"),
    v: nextView,
    "[": () => sizeBrush(0.8),
    "]": () => sizeBrush(1.25),
    escape: () => (drawing ? penCancel() : choose("tool", "look")),
};
const CONTROL_KEYS = { z: () => goTo(step - 1), Z: () => goTo(step + 1), y: () => goTo(step + 1) };

document.addEventListener("keydown", (event) => {
    const third = event.getModifierState("AltGraph"); // on many keyboards brackets need it
    if (!picture || event.defaultPrevented || (event.altKey && !third)) return;
    const control = (event.ctrlKey || event.metaKey) && !third;
    const letter = event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
    const action = control ? CONTROL_KEYS[letter] : KEYS[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
});

form.addEventListener("change", () => {
    if (drawing && body.dataset.tool !== chosen("tool")) penUp();
    if (picture?.alpha) paintMatte();
    update();
    redraw();
});
form.addEventListener("submit", (event) => event.preventDefault());

element("compare").addEventListener("input", () => redraw());
element("background-colour").addEventListener("input", () => choose("view", "colour"));
element("background-choose").addEventListener("click", () => element("background-file").click());
element("undo").addEventListener("click", () => goTo(step - 1));
element("redo").addEventListener("click", () => goTo(step + 1));
element("clear").addEventListener("click", startOver);
element("download").addEventListener("click", download);

for (const button of document.querySelectorAll("[data-choose]")) {
    button.addEventListener("click", () => element("file").click());
}

for (const [id, take] of [["file", openPicture], ["background-file", setBackdrop]]) {
    element(id).addEventListener("change", ({ target }) => {
        const [file] = target.files;
        target.value = ""; // the same file can be chosen again
        if (file) take(file);
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

window.addEventListener("pagehide", () => picture && forget(picture.id));
window.addEventListener("resize", layout);
new ResizeObserver(layout).observe(stage);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", layout);

element("where").textContent = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname)
    ? "Nothing leaves this machine."
    : `It goes to ${location.hostname} and nowhere else.`;
