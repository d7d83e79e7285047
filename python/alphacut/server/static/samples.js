// Pictures to try the page with, drawn here.

import { openPictures } from "./opening.js";
import { element, fail, Failure } from "./telling.js";

const [WIDTH, HEIGHT] = [960, 720];

/** Numbers from 0 to 1 that are the same each time. */
function dice(seed) {
    return () => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return seed / 2 ** 32;
    };
}

function ellipse(drawn, x, y, across, down, style) {
    drawn.fillStyle = style;
    drawn.beginPath();
    drawn.ellipse(x, y, across, down, 0, 0, 2 * Math.PI);
    drawn.fill();
}

function slope(drawn, from, to, ...colours) {
    const made = drawn.createLinearGradient(...from, ...to);
    colours.forEach((colour, i) => made.addColorStop(i / (colours.length - 1), colour));
    return made;
}

/** A mug on a table, and a window far behind it. */
function mug(drawn) {
    drawn.fillStyle = slope(drawn, [0, 0], [0, 520], "#8fa3ad", "#c9d3d4");
    drawn.fillRect(0, 0, WIDTH, 520);
    drawn.filter = "blur(18px)";
    for (const x of [90, 250, 760]) {
        drawn.fillStyle = "#eef4f2";
        drawn.fillRect(x, 60, 120, 300);
    }
    drawn.filter = "none";
    drawn.fillStyle = slope(drawn, [0, 500], [0, HEIGHT], "#a87b50", "#6d4a2b");
    drawn.fillRect(0, 500, WIDTH, HEIGHT - 500);
    drawn.filter = "blur(14px)";
    ellipse(drawn, 520, 622, 210, 26, "rgb(40 22 8 / 0.55)");
    drawn.filter = "none";
    drawn.strokeStyle = "#a32d22";
    drawn.lineWidth = 36;
    drawn.beginPath();
    drawn.ellipse(640, 430, 90, 100, 0, -1.5, 1.6);
    drawn.stroke();
    drawn.fillStyle = slope(drawn, [330, 0], [640, 0], "#8e1f17", "#e2493a", "#c93a2c", "#7d1a13");
    drawn.beginPath();
    drawn.moveTo(330, 260);
    drawn.lineTo(345, 590);
    drawn.ellipse(485, 590, 140, 34, 0, Math.PI, 0, true);
    drawn.lineTo(640, 260);
    drawn.fill();
    ellipse(drawn, 485, 260, 155, 40, "#f3e9dc");
    ellipse(drawn, 485, 266, 138, 32, "#3a2115");
}

/** A fluffy thing in front of leaves. */
function fluff(drawn) {
    const random = dice(5);
    drawn.fillStyle = "#2f5d3a";
    drawn.fillRect(0, 0, WIDTH, HEIGHT);
    drawn.filter = "blur(22px)";
    for (let i = 0; i < 90; i++) {
        const [x, y, size] = [random() * WIDTH, random() * HEIGHT, 30 + 70 * random()];
        ellipse(drawn, x, y, size, size * 0.8, `hsl(${95 + 50 * random()} 40% ${22 + 26 * random()}%)`);
    }
    drawn.filter = "none";
    drawn.lineCap = "round";
    for (let i = 0; i < 5200; i++) {
        const [angle, reach] = [2 * Math.PI * random(), Math.sqrt(random())];
        const [x, y] = [480 + 190 * reach * Math.cos(angle), 390 + 190 * reach * Math.sin(angle)];
        const [length, turn] = [30 + 45 * random(), angle + 0.9 * (random() - 0.5)];
        drawn.strokeStyle = `hsl(${24 + 14 * random()} 62% ${48 + 34 * random() * (1 - 0.4 * reach)}%)`;
        drawn.lineWidth = 1 + 2 * random();
        drawn.beginPath();
        drawn.moveTo(x, y);
        drawn.lineTo(x + length * Math.cos(turn), y + length * Math.sin(turn));
        drawn.stroke();
    }
    for (const x of [420, 540]) {
        ellipse(drawn, x, 360, 34, 38, "#fffdf5");
        ellipse(drawn, x + 6, 366, 18, 20, "#1c1a18");
        ellipse(drawn, x, 358, 6, 6, "#ffffff");
    }
    ellipse(drawn, 480, 436, 26, 16, "#3b2417");
}

/** A bottle on white, as a shop shows it. */
function bottle(drawn) {
    drawn.fillStyle = slope(drawn, [0, 0], [0, HEIGHT], "#fafafa", "#ececec");
    drawn.fillRect(0, 0, WIDTH, HEIGHT);
    drawn.filter = "blur(16px)";
    ellipse(drawn, 490, 650, 150, 16, "rgb(0 0 0 / 0.3)");
    drawn.filter = "none";
    drawn.fillStyle = slope(drawn, [370, 0], [590, 0], "#0c4a5e", "#1f8fae", "#135f78", "#0a3a4a");
    drawn.beginPath();
    drawn.roundRect(370, 260, 220, 390, [70, 70, 24, 24]);
    drawn.roundRect(430, 130, 100, 160, 16);
    drawn.fill();
    drawn.fillStyle = slope(drawn, [424, 0], [536, 0], "#1b1b1f", "#55555e", "#1b1b1f");
    drawn.beginPath();
    drawn.roundRect(424, 70, 112, 84, 10);
    drawn.fill();
    drawn.fillStyle = "#f6efe0";
    drawn.fillRect(370, 400, 220, 150);
    ellipse(drawn, 480, 475, 46, 46, "#e07a2f");
}

for (const [name, draw] of [["mug", mug], ["fluff", fluff], ["bottle", bottle]]) {
    const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
    draw(canvas.getContext("2d"));
    const button = Object.assign(document.createElement("button"), { type: "button", ariaLabel: `Sample: ${name}` });
    button.append(canvas);
    button.addEventListener("click", () => {
        canvas.toBlob((blob) => {
            if (blob) openPictures([new File([blob], `${name}.png`, { type: blob.type })]);
            else fail(new Failure(`The sample ${name} could not be drawn.`));
        });
    });
    element("samples").append(button);
}
