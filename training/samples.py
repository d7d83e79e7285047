"""Training samples: a picture, what is asked of it and the mask that should come of it, from (seed, index) alone."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

Rng = np.random.Generator
Box = tuple[int, int, int, int]  # x, y, width, height

# How often a picture of a kind is drawn, against one general picture.
SHARES = {
    "cats": 0.4,
    "catseg": 0.4,
    "ccp": 0.45,
    "celeb": 0.25,
    "pets": 0.15,
    "bfly": 0.3,
    "flowers": 0.25,
    "cars": 0.4,
    "pascal": 0.7,
}
# Kinds whose masks were drawn by a network, or that show a single thing: they never judge.
NEVER_HELD_OUT = {*SHARES, "msra", "uicomp", "uiplain", "netalpha", "objs"} - {"pascal"}
HELD_OUT = 25  # one of so many of the others is never trained on
COMPOSITES, PRODUCTS, EMPTY = 0.06, 0.04, 0.015
PROMPTS = ("none", "box", "strokes", "both")
PROMPT_SHARES = (0.44, 0.18, 0.31, 0.07)
SECOND = (0.2, 0.35)  # how often one more thing is put in, without strokes and with


class Sample(NamedTuple):
    """A picture squashed to a square of side S, and what is asked of it."""

    image: np.ndarray  # (S, S, 3) uint8
    salient: np.ndarray | None  # (S, S) uint8: the right answer without strokes; None: a matter of opinion
    wanted: np.ndarray  # (S, S) uint8: the right answer to all prompts
    box: Box | None
    strokes: bool  # whether strokes correct the answer


class Pictures:
    """All pictures in memory."""

    def __init__(self, folder: Path) -> None:
        self.train: list[tuple[np.ndarray, np.ndarray]] = []
        self.held_out: list[tuple[np.ndarray, np.ndarray]] = []
        self.prompted = [_pair(folder / "prompted", path) for path in _files(folder / "prompted" / "images")]
        weights, general = [], 0
        for path in _files(folder / "images"):
            kind = path.stem.split("_")[0]
            pair = _pair(folder, path)
            if kind not in NEVER_HELD_OUT:
                general += 1
                if general % HELD_OUT == 0:
                    self.held_out.append(pair)
                    continue
            self.train.append(pair)
            weights.append(SHARES.get(kind, 1.0))
        self.cumulative = np.cumsum(weights) / np.sum(weights)
        self.cutouts = [
            cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
            for path in _files(folder / "cutouts")
        ]
        self.backgrounds = [_rgb(path) for path in _files(folder / "backgrounds")]

    def draw(self, seed: int, index: int, size: int) -> Sample:
        """One training sample."""
        rng = np.random.default_rng((seed, index))
        prompt = str(rng.choice(PROMPTS, p=PROMPT_SHARES))
        image, mask, salient = self._picture(rng, prompt)
        if not (mask >= 128).any():
            prompt = "none"
        wanted, judged = mask, salient
        if prompt != "none":
            if rng.random() < SECOND[prompt != "box"]:
                image, wanted, mask = self._second_subject(rng, image, mask)
                judged = False  # of two things side by side none is the subject
            else:
                wanted = _one_subject(rng, mask)
                judged = judged and wanted is mask
        return arranged(rng, image, mask if judged else None, wanted, prompt, size, augment=True)

    def _picture(self, rng: Rng, prompt: str) -> tuple[np.ndarray, np.ndarray, bool]:
        """A picture, its mask, and whether the mask is what it should give without any prompt."""
        r = rng.random()
        if r < COMPOSITES and self.cutouts and self.backgrounds:
            return *self._composite(rng), True
        if r < COMPOSITES + PRODUCTS and self.cutouts:
            return *self._product(rng), True
        if r < COMPOSITES + PRODUCTS + EMPTY and self.backgrounds:
            image = self.backgrounds[rng.integers(len(self.backgrounds))]
            return image, np.zeros(image.shape[:2], np.uint8), True
        if prompt != "none" and self.prompted and rng.random() < 0.05:
            return *self.prompted[rng.integers(len(self.prompted))], False
        return *self.train[int(np.searchsorted(self.cumulative, rng.random()))], True

    def _cutout(self, rng: Rng) -> np.ndarray:
        cut = self.cutouts[rng.integers(len(self.cutouts))]
        return cut[:, ::-1] if rng.random() < 0.5 else cut

    def _composite(self, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
        """Cutouts on a landscape or a room."""
        image = self.backgrounds[rng.integers(len(self.backgrounds))].copy()
        if rng.random() < 0.4:
            image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 3))
        mask = np.zeros(image.shape[:2], np.uint8)
        for _ in range(1 if rng.random() < 0.75 else 2):
            _paste(rng, image, mask, self._cutout(rng), rng.uniform(0.25, 0.9), rng.uniform(0.75, 1.2))
        return image, mask

    def _product(self, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
        """A cutout on a plain or graded ground, perhaps with its shadow, which is background."""
        height, width = (int(side) for side in rng.integers(160, 257, 2))
        ground = np.full(3, 255.0) if rng.random() < 0.4 else rng.uniform(*rng.choice([(0, 255), (200, 255)]), 3)
        if rng.random() < 0.4:
            ground[:] = ground.mean()
        across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
        slope = rng.normal(0, 12, 2) * (rng.random() < 0.6)
        image = np.clip(ground + (slope[0] * across + slope[1] * down)[..., None], 0, 255)
        mask = np.zeros((height, width), np.uint8)
        image = image.astype(np.uint8)
        placed = np.zeros_like(image)
        _paste(rng, placed, mask, self._cutout(rng), rng.uniform(0.4, 0.95), rng.uniform(0.85, 1.1))
        if rng.random() < 0.65 and mask.any():
            left, top, right, bottom = bounds(mask)
            shift = np.float32(
                [[1, 0, rng.normal(0, 0.08) * (right - left)], [0, 1, rng.uniform(0, 0.1) * (bottom - top)]]
            )
            soft = cv2.warpAffine(mask, shift, (width, height))
            if rng.random() < 0.6:  # where it stands, not all of it
                soft[: int(bottom - rng.uniform(0.08, 0.3) * (bottom - top))] = 0
            soft = cv2.GaussianBlur(soft, (0, 0), rng.uniform(1.5, 12)).astype(np.float32)[..., None] / 255
            image = np.clip(image * (1 - rng.uniform(0.1, 0.6) * soft), 0, 255).astype(np.uint8)
        alpha = mask[..., None].astype(np.float32) / 255
        return np.where(mask[..., None] > 0, placed + (1 - alpha) * image, image).astype(np.uint8), mask

    def _second_subject(
        self, rng: Rng, image: np.ndarray, mask: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The picture with one more thing, of its own kind or another; which is wanted, and all."""
        image, mask = image.copy(), mask.copy()
        if rng.random() < 0.4 or not self.cutouts:  # the same once more, mirrored perhaps
            left, top, right, bottom = bounds(mask >= 128)
            soft = cv2.GaussianBlur(mask, (0, 0), 0.7)
            thing = np.dstack([image, soft])[top:bottom, left:right]
            thing = thing[:, ::-1] if rng.random() < 0.5 else thing
        else:
            thing = self._cutout(rng)
        other = np.zeros_like(mask)
        _paste(rng, image, other, thing, rng.uniform(0.3, 0.7), rng.uniform(0.85, 1.15), beside=mask)
        first = np.minimum(mask, 255 - other)
        if not (other >= 128).any() or (first >= 128).sum() < 0.4 * (mask >= 128).sum():
            first = mask
        everything = np.maximum(first, other)
        return image, (first, other, everything)[rng.choice(3, p=(0.5, 0.3, 0.2))], everything


def arranged(
    rng: Rng, image: np.ndarray, salient: np.ndarray | None, wanted: np.ndarray, prompt: str, size: int, augment: bool
) -> Sample:
    """The picture, or the box with a margin, squashed to a square, perhaps turned, mirrored and recoloured."""
    with_box = prompt in ("box", "both") and bool((wanted >= 128).any())
    masks = [wanted] if salient is None else [wanted, salient]
    # How loosely people draw a box: of the subject's sides, left, top, right, bottom.
    slack = rng.uniform(-0.02, rng.choice((0.02, 0.08, 0.18, 0.3)), 4) if with_box and augment else np.zeros(4)
    image, masks = _warped(rng, image, masks, slack if with_box else None, size, augment)
    if augment:
        image = _recoloured(rng, image)
    wanted = masks[0]
    if not (wanted >= 128).any():
        with_box = False
    box = _box(wanted >= 128, slack) if with_box else None
    strokes = prompt in ("strokes", "both")
    # What a box asks for is wanted already without strokes; so is what stands out.
    before = wanted if with_box or not strokes else None if salient is None else masks[1]
    return Sample(image, before, wanted, box, strokes)


def corrected(rng: Rng, wanted: np.ndarray, answer: np.ndarray, count: int | None = None) -> np.ndarray:
    """Strokes as (S, S) hints, 0 background, 1 foreground, 2 nothing: most where the answer, 0..1, is wrong."""
    size = wanted.shape[0]
    hints = np.full((size, size), 2, np.uint8)
    scribbled = count is None and rng.random() < 0.25
    inside = wanted >= 128
    wrong = (answer > 0.5) != inside
    cores = [cv2.erode(r.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0 for r in (~inside, inside)]
    if scribbled:  # over both sides, wherever the answer is right or wrong
        count = 0
        for side in (0, 1, 0, 1, 0):
            spots = np.flatnonzero(cores[side])
            if len(spots) and rng.random() < 0.75:
                hints[_stroke(rng, inside == side, spots, size, line=True) & cores[side]] = side
    elif count is None:
        count = int(rng.choice((1, 2, rng.integers(3, 6), rng.integers(6, 16)), p=(0.42, 0.2, 0.24, 0.14)))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA].astype(float) * (stats[1:, cv2.CC_STAT_AREA] >= 12)
    for part in np.flatnonzero(areas > 0.1 * areas.max())[:4] if scribbled and len(areas) else ():
        where = labels == part + 1
        side = int(inside[where].mean() > 0.5)
        spots = np.flatnonzero(where & cores[side])
        if len(spots):
            hints[_stroke(rng, where, spots, size, line=True) & cores[side]] = side
    for _ in range(count):
        if areas.sum() > 0 and rng.random() < 0.8:
            part = int(np.argmax(areas)) if rng.random() < 0.6 else int(rng.choice(len(areas), p=areas / areas.sum()))
            where = labels == part + 1
            areas[part] *= 0.3  # the next one elsewhere, or not
            side = int(inside[where].mean() > 0.5)
        else:
            side = int(rng.random() < 0.55)
            where = cores[side]
        spots = np.flatnonzero(where & cores[side])
        if len(spots) == 0:
            spots = np.flatnonzero(where & (inside == side))
        if len(spots) == 0:
            continue
        hints[_stroke(rng, where, spots, size) & (cores[side] | (where & (inside == side)))] = side
    return hints


def _stroke(rng: Rng, where: np.ndarray, spots: np.ndarray, size: int, line: bool = False) -> np.ndarray:
    """A click, a dab or a line that begins at one of the spots; or surely a line."""
    drawn = np.zeros((size, size), np.uint8)
    start = int(spots[rng.integers(len(spots))])
    if rng.random() < 0.4:  # people click into the middle
        depth = cv2.distanceTransform(np.pad(where.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        start = int(depth.argmax())
    y, x = divmod(start, size)
    if not line and rng.random() < 0.5:
        cv2.circle(drawn, (x, y), round(size * rng.uniform(0.006, 0.05)), 1, -1)
        return drawn > 0
    points = np.unravel_index(spots[rng.integers(len(spots), size=rng.integers(1, 4))], where.shape)
    points = np.stack([[y, *points[0]], [x, *points[1]]], 1)[:, ::-1]
    steps = np.clip(points - points[0], -size // 3, size // 3)
    points = points[0] + (steps * rng.uniform(0.2, 1)).astype(int)
    cv2.polylines(drawn, [points.astype(np.int32)], False, 1, max(1, round(size * rng.uniform(0.004, 0.06))))
    return drawn > 0


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is not 0."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _rgb(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _pair(folder: Path, path: Path) -> tuple[np.ndarray, np.ndarray]:
    mask = folder / "masks" / f"{path.stem}.png"
    read = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
    if read is None:
        raise ValueError(f"{mask}: there must be a mask for {path.name}")
    return _rgb(path), read


def _paste(
    rng: Rng,
    image: np.ndarray,
    mask: np.ndarray,
    thing: np.ndarray,
    scale: float,
    gain: float,
    beside: np.ndarray | None = None,
) -> None:
    """Put an RGBA thing into the picture, and its alpha into the mask; `beside` what is there, if that can be."""
    height, width = image.shape[:2]
    scale *= min(height / thing.shape[0], width / thing.shape[1])
    h, w = (max(8, round(scale * side)) for side in thing.shape[:2])
    if h > height or w > width:
        return
    thing = cv2.resize(np.ascontiguousarray(thing), (w, h), interpolation=cv2.INTER_AREA)
    places = [(rng.integers(height - h + 1), rng.integers(width - w + 1)) for _ in range(1 if beside is None else 8)]
    if beside is not None:
        places.sort(key=lambda at: int(beside[at[0] : at[0] + h, at[1] : at[1] + w].sum(dtype=np.int64)))
    y, x = places[0]
    alpha = thing[..., 3:].astype(np.float32) / 255
    part = image[y : y + h, x : x + w]
    part[:] = np.clip(alpha * thing[..., :3] * gain + (1 - alpha) * part, 0, 255)
    there = mask[y : y + h, x : x + w]
    there[:] = np.maximum(there, thing[..., 3])


def _one_subject(rng: Rng, mask: np.ndarray) -> np.ndarray:
    """Sometimes one of several subjects alone."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask >= 128).astype(np.uint8))
    large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= 0.01 * mask.size]
    if len(large) < 2 or rng.random() < 0.25:
        return mask
    return np.where(labels == large[rng.integers(len(large))], mask, 0).astype(np.uint8)


def _warped(
    rng: Rng, image: np.ndarray, masks: list[np.ndarray], slack: np.ndarray | None, size: int, augment: bool
) -> tuple[np.ndarray, list[np.ndarray]]:
    """A part of the picture, or what is seen for a box with this slack, squashed to a square, perhaps turned, mirrored.

    For a box that is the box and 18 % around it, see SubjectFinder.
    """
    flip = -1.0 if augment and rng.random() < 0.5 else 1.0
    height, width = image.shape[:2]
    inside = masks[0] >= 128
    x0, y0, x1, y1 = 0.0, 0.0, float(width), float(height)
    if slack is not None:
        left, top, right, bottom = bounds(inside)
        if flip < 0:
            slack = slack[[2, 1, 0, 3]]
        box = 1 + slack + slack[[2, 3, 0, 1]]  # its sides
        margin = slack + 0.18 * box * (rng.uniform(0.8, 1.2, 4) if augment else 1)
        w, h = right - left, bottom - top
        x0, y0 = max(0.0, left - margin[0] * w), max(0.0, top - margin[1] * h)
        x1, y1 = min(x1, right + margin[2] * w), min(y1, bottom + margin[3] * h)
    elif augment and rng.random() < 0.75:
        w, h = (side * rng.uniform(0.65, 1.0) for side in (width, height))
        x0, y0 = rng.uniform(0, width - w), rng.uniform(0, height - h)
        if inside.any() and rng.random() < 0.75:  # whole, as photographers frame; else cut by the frame
            left, top, right, bottom = bounds(inside)
            x0, y0 = min(x0, left), min(y0, top)
            x1, y1 = max(x0 + w, right), max(y0 + h, bottom)
        else:
            x1, y1 = x0 + w, y0 + h
        x1, y1 = min(x1, float(width)), min(y1, float(height))
    angle = rng.normal(0, 0.1) if augment and rng.random() < 0.5 else 0.0
    sx, sy = (x1 - x0) / size, (y1 - y0) / size
    cx, cy, c, s = (x0 + x1) / 2, (y0 + y1) / 2, np.cos(angle), np.sin(angle)
    # from the square's coordinates (pixel centres at whole numbers) to the picture's
    m = np.array([[c * sx * flip, -s * sy, 0.0], [s * sx * flip, c * sy, 0.0]])
    m[:, 2] = np.array([cx - 0.5, cy - 0.5]) - m[:, :2] @ np.full(2, (size - 1) / 2)
    if max(sx, sy) > 1.2:
        image = cv2.GaussianBlur(image, (0, 0), 0.35 * max(sx, sy))
    how = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    image, *masks = (
        cv2.warpAffine(plane, m, (size, size), flags=how, borderMode=cv2.BORDER_REFLECT_101)
        for plane in (image, *masks)
    )
    return image, masks


def _recoloured(rng: Rng, image: np.ndarray) -> np.ndarray:
    """Other light, colours, sharpness and noise."""
    if rng.random() < 0.05:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = np.repeat(gray[..., None], 3, 2)
    elif rng.random() < 0.4:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
        k = rng.uniform(0.5, 1.5)
        image = cv2.addWeighted(image, k, np.repeat(gray, 3, 2), 1 - k, 0)
    if rng.random() < 0.7:
        gain = np.exp(rng.normal(-0.03, 0.18) + rng.normal(0, 0.05, 3))
        offset, gamma = rng.normal(0, 10), np.exp(rng.normal(0, 0.18))
        ramp = np.arange(256)[:, None] / 255
        table = np.clip(255 * ramp**gamma * gain + offset, 0, 255).astype(np.uint8)
        image = cv2.LUT(image, table[None])
    r = rng.random()
    if r < 0.1:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2))
    elif r < 0.2:
        image = np.clip(image + rng.normal(0, rng.uniform(2, 10), image.shape), 0, 255).astype(np.uint8)
    elif r < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))]
        image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
    return image


def _box(inside: np.ndarray, slack: np.ndarray) -> Box:
    """The mask's box, with so much around it."""
    size = inside.shape[0]
    left, top, right, bottom = bounds(inside)
    w, h = right - left, bottom - top
    x0, y0 = round(max(0, left - slack[0] * w)), round(max(0, top - slack[1] * h))
    x1, y1 = round(min(size, right + slack[2] * w)), round(min(size, bottom + slack[3] * h))
    return x0, y0, max(x1 - x0, 1), max(y1 - y0, 1)
