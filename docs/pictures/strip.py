"""Makes the strip at the top of the README and of the site: ``python docs/pictures/strip.py`` (``pip install
'.[demo]'``).

The photographs are scikit-image's, which says of each that it is CC0 or in the public domain; no prompt is given.
The last two are failures.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

import alphacut

CELL, GAP, LINE = 224, 8, 34
# Each with the left end of the square of full height that is shown, in heights.
PHOTOGRAPHS = {
    "cat": (data.cat, 0.5),
    "coffee": (data.coffee, 0.16),
    "camera": (data.camera, 0.0),
    "retina": (data.retina, 0.0),
    "astronaut": (data.astronaut, 0.0),
    "rocket": (data.rocket, 0.25),
}
BOARD = Image.fromarray(np.uint8(255 - 45 * (np.indices((CELL, CELL)) // 8 % 2).sum(0) % 90)).convert("RGBA")
GRAY = (128, 136, 144, 255)  # can be read on white and on black


def main() -> None:
    size = len(PHOTOGRAPHS) * (CELL + GAP) - GAP, 2 * CELL + GAP + LINE
    strip = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(21)
    for number, (load, left) in enumerate(PHOTOGRAPHS.values()):
        picture = load()
        cutout = alphacut.remove_background(picture)
        x = number * (CELL + GAP)
        side = min(picture.shape[:2])
        start = round(left * side)
        for row, pixels in enumerate((picture, cutout.rgba)):
            square = Image.fromarray(pixels[:side, start : start + side]).convert("RGBA")
            cell = BOARD.copy()
            cell.alpha_composite(square.resize((CELL, CELL), Image.Resampling.LANCZOS))
            strip.paste(cell, (x, row * (CELL + GAP)))
        middle = x + CELL // 2, size[1] - LINE // 2
        draw.text(middle, f"{cutout.verdict.partition(':')[0]}, {cutout.confidence:.2f}", GRAY, font, anchor="mm")
    out = Path(__file__).with_name("strip.webp")
    strip.save(out, quality=80, method=6)
    print(f"{out}: {out.stat().st_size // 1000} KB, {strip.width} x {strip.height}")


if __name__ == "__main__":
    main()
