// A ZIP file, its members stored as they are: pictures are compressed already.

import { Failure } from "./telling.js";

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
    return byte;
});

function crc32(bytes) {
    let sum = -1;
    for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
    return ~sum >>> 0;
}

/** A record of little-endian numbers, each given with its width in bytes. */
function record(...numbers) {
    const bytes = new Uint8Array(numbers.reduce((sum, [, width]) => sum + width, 0));
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const [value, width] of numbers) {
        if (width === 2) view.setUint16(at, value, true);
        else view.setUint32(at, value, true);
        at += width;
    }
    return bytes;
}

/** Date and time as DOS has them. */
function stamp(now) {
    const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
    return [[time, 2], [((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate(), 2]];
}

const VERSION = [20, 2];
const UTF8 = [0x800, 2]; // names are

/** A ZIP of `[name, blob]` pairs, below 4 GB, as a blob. */
export async function zipped(files) {
    const [parts, directory] = [[], []];
    const when = stamp(new Date());
    let offset = 0;
    let listed = 0;
    for (const [name, blob] of files) {
        const title = new TextEncoder().encode(name);
        const [sum, size] = [crc32(new Uint8Array(await blob.arrayBuffer())), blob.size];
        const facts = [VERSION, UTF8, [0, 2], ...when, [sum, 4], [size, 4], [size, 4], [title.length, 2], [0, 2]];
        const head = record([0x04034b50, 4], ...facts);
        const entry = record([0x02014b50, 4], VERSION, ...facts, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]);
        parts.push(head, title, blob);
        directory.push(entry, title);
        offset += head.length + title.length + size;
        listed += entry.length + title.length;
    }
    if (offset + listed > 0xffffffff) throw new Failure("All of them are more than a ZIP of 4 GB holds.");
    const count = [files.length, 2];
    const end = record([0x06054b50, 4], [0, 2], [0, 2], count, count, [listed, 4], [offset, 4], [0, 2]);
    return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
