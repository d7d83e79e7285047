// Requests to the server.

import { isOpen } from "./state.js";
import { Failure, named, tell } from "./telling.js";

const TRIES = 6; // of a request that a busy server turns away

/** The answer to a request; waits for a busy server, which it says, and throws for any other refusal. */
export async function request(path, options = {}, say = (message) => tell("busy", message)) {
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

export async function upload(bytes, name, signal) {
    const body = new FormData();
    body.set("file", bytes, name);
    return (await request("api/pictures", { method: "POST", body, signal })).json();
}

export function forget(id) {
    fetch(`api/pictures/${id}`, { method: "DELETE", keepalive: true }).catch(() => {}); // the server forgets it in time
}

/** The server's answer for a picture; one that it has forgotten goes there again, with the files that belong to it. */
export async function ask(picture, what, wish, files, { signal, say } = {}) {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify(wish);
    const send = async () => {
        await attach(picture, files, signal);
        return request(`api/pictures/${picture.id}/${what}`, { method: "POST", headers, body, signal }, say);
    };
    try {
        return await send();
    } catch (error) {
        if (error.code !== "unknown_picture" || !isOpen(picture)) throw error;
        picture.id = (await upload(picture.bytes, picture.name, signal)).id;
        picture.sent = {};
        return send();
    }
}

/** Sends what a cut needs beside the picture, unless the server has it. */
async function attach(picture, files, signal) {
    for (const [what, file] of Object.entries(files)) {
        if (!file || picture.sent[what] === file) continue;
        const body = new FormData();
        body.set("file", file.bytes, file.name);
        await request(`api/pictures/${picture.id}/${what}`, { method: "PUT", body, signal }).catch((error) => {
            throw named(error, file.name);
        });
        picture.sent[what] = file;
    }
}
