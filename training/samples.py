"""Training samples: a picture, a prompt and the mask that should come of them, drawn from (seed, index) alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from alphacut import _core

Rng = np.random.Generator
Box = tuple[int, int, int, int]  # x, y, width, height

# How often a picture of a kind is drawn, against one general picture: nothing but cats and street fashion, else.
SHARES = {"cats": 0.5, "ccp": 0.45, "pets": 0.25, "flowers": 0.35, "cars": 0.4}
COMPOSITES, EMPTY = 0.08, 0.02
HELD_OUT = 10  # every tenth general picture is never trained on


class Pictures:
    """All pictures in memory."""

    def __init__(self, folder: Path) -> None:
        self.train: list[tuple[np.ndarray, np.ndarray]] = []
        self.held_out: list[tuple[np.ndarray, np.ndarray]] = []
        weights = []
        general = 0
        for path in sorted((folder / "images").iterdir()):
            kind = path.stem.split("_")[0]
            image = _rgb(path)
            mask = np.where(cv2.imread(str(folder / "masks" / f"{path.stem}.png"), 0) >= 128, 255, 0).astype(np.uint8)
            if kind not in SHARES and kind != "msra":
                general += 1
                if general % HELD_OUT == 0:
                    self.held_out.append((image, mask))
                    continue
            self.train.append((image, mask))
            weights.append(SHARES.get(kind, 1.0))
        self.cumulative = np.cumsum(weights) / np.sum(weights)
        self.cutouts = [
            cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
            for path in sorted((folder / "cutouts").iterdir())
        ]
        self.backgrounds = [_rgb(p) for p in sorted((folder / "backgrounds").iterdir())]

    def draw(self, seed: int, index: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Planes (size, size, 10) int8 and mask (size, size) uint8 of one training sample."""
        rng = np.random.default_rng((seed, index))
        r = rng.random()
        if r < COMPOSITES:
            image, mask = self._composite(rng)
        elif r < COMPOSITES + EMPTY:
            image = self.backgrounds[rng.integers(len(self.backgrounds))]
            mask = np.zeros(image.shape[:2], np.uint8)
        else:
            image, mask = self.train[int(np.searchsorted(self.cumulative, rng.random()))]
        prompt = rng.choice(("none", "box", "strokes", "both"), p=(0.52, 0.24, 0.2, 0.04)) if mask.any() else "none"
        if prompt != "none":
            mask = _one_subject(rng, mask)
        return prompted(rng, image, mask, str(prompt), size, augment=True)

    def _composite(self, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
        image = self.backgrounds[rng.integers(len(self.backgrounds))].copy()
        if rng.random() < 0.4:
            image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 3))
        height, width = image.shape[:2]
        mask = np.zeros((height, width), np.uint8)
        for _ in range(1 if rng.random() < 0.75 else 2):
            cut = self.cutouts[rng.integers(len(self.cutouts))]
            scale = rng.uniform(0.25, 0.85) * min(height / cut.shape[0], width / cut.shape[1])
            h, w = (max(8, round(scale * s)) for s in cut.shape[:2])
            if h > height or w > width:
                continue
            cut = cv2.resize(cut, (w, h), interpolation=cv2.INTER_AREA)
            if rng.random() < 0.5:
                cut = cut[:, ::-1]
            y, x = rng.integers(height - h + 1), rng.integers(width - w + 1)
            alpha = cut[..., 3:].astype(np.float32) / 255
            gain = rng.uniform(0.75, 1.2)
            part = image[y : y + h, x : x + w]
            part[:] = np.clip(alpha * cut[..., :3] * gain + (1 - alpha) * part, 0, 255)
            mask[y : y + h, x : x + w][cut[..., 3] >= 128] = 255
        return image, mask


def prompted(
    rng: Rng, image: np.ndarray, mask: np.ndarray, prompt: str, size: int, augment: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What the network sees of a picture squashed to a square with a prompt drawn, and its mask."""
    image, mask = _warped(rng, image, mask, prompt, size, augment)
    if augment:
        image = _recoloured(rng, image)
    hints = box = None
    if mask.any():
        if prompt in ("box", "both"):
            box = _box(rng, mask, augment)
        if prompt in ("strokes", "both"):
            hints = _strokes(rng, image, mask, box)
    return _core.prompt_planes(image, hints, box).astype(np.int8), mask


def _rgb(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _one_subject(rng: Rng, mask: np.ndarray) -> np.ndarray:
    """Sometimes one of several subjects alone."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= 0.01 * mask.size]
    if len(large) < 2 or rng.random() < 0.4:
        return mask
    return np.where(labels == large[rng.integers(len(large))], 255, 0).astype(np.uint8)


def _bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _warped(
    rng: Rng, image: np.ndarray, mask: np.ndarray, prompt: str, size: int, augment: bool
) -> tuple[np.ndarray, np.ndarray]:
    """A part of the picture, or the box with a margin, squashed to a square, perhaps turned and mirrored."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = 0.0, 0.0, float(width), float(height)
    if prompt in ("box", "both") and mask.any():
        left, top, right, bottom = _bounds(mask)
        margin = rng.uniform(0.1, 0.3, 4) if augment else np.full(4, 0.18)
        w, h = right - left, bottom - top
        x0, y0 = max(0.0, left - margin[0] * w), max(0.0, top - margin[1] * h)
        x1, y1 = min(x1, right + margin[2] * w), min(y1, bottom + margin[3] * h)
    elif augment and rng.random() < 0.8:
        w, h = (side * rng.uniform(0.65, 1.0) for side in (width, height))
        x0, y0 = rng.uniform(0, width - w), rng.uniform(0, height - h)
        if mask.any() and rng.random() < 0.7:  # whole, as photographers frame; else cut by the frame
            left, top, right, bottom = _bounds(mask)
            x0, y0 = min(x0, left), min(y0, top)
            x1, y1 = max(x0 + w, right), max(y0 + h, bottom)
        else:
            x1, y1 = x0 + w, y0 + h
        x1, y1 = min(x1, float(width)), min(y1, float(height))
    angle = rng.normal(0, 0.1) if augment and rng.random() < 0.6 else 0.0
    flip = -1.0 if augment and rng.random() < 0.5 else 1.0
    sx, sy = (x1 - x0) / size, (y1 - y0) / size
    cx, cy, c, s = (x0 + x1) / 2, (y0 + y1) / 2, np.cos(angle), np.sin(angle)
    # from the square's coordinates (pixel centres at whole numbers) to the picture's
    m = np.array([[c * sx * flip, -s * sy, 0.0], [s * sx * flip, c * sy, 0.0]])
    m[:, 2] = np.array([cx - 0.5, cy - 0.5]) - m[:, :2] @ np.full(2, (size - 1) / 2)
    if not augment or sx > 2 or sy > 2 or rng.random() < 0.15:
        sigma = 0.35 * max(sx, sy) if max(sx, sy) > 1.2 else 0
        if sigma:
            image = cv2.GaussianBlur(image, (0, 0), sigma)
    how = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    image = cv2.warpAffine(image, m, (size, size), flags=how, borderMode=cv2.BORDER_REFLECT_101)
    mask = cv2.warpAffine(mask, m, (size, size), flags=how, borderMode=cv2.BORDER_REFLECT_101)
    return image, np.where(mask >= 128, 255, 0).astype(np.uint8)


def _recoloured(rng: Rng, image: np.ndarray) -> np.ndarray:
    """Other light, colours, sharpness and noise."""
    if rng.random() < 0.06:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = np.repeat(gray[..., None], 3, 2)
    elif rng.random() < 0.5:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
        k = rng.uniform(0.5, 1.5)
        image = cv2.addWeighted(image, k, np.repeat(gray, 3, 2), 1 - k, 0)
    if rng.random() < 0.8:
        gain = np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.06, 3))
        offset, gamma = rng.normal(0, 12), np.exp(rng.normal(0, 0.15))
        ramp = np.arange(256)[:, None] / 255
        table = np.clip(255 * ramp**gamma * gain + offset, 0, 255).astype(np.uint8)
        image = cv2.LUT(image, table[None])
    r = rng.random()
    if r < 0.12:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2))
    elif r < 0.24:
        image = np.clip(image + rng.normal(0, rng.uniform(2, 12), image.shape), 0, 255).astype(np.uint8)
    return image


def _box(rng: Rng, mask: np.ndarray, augment: bool) -> Box:
    """The mask's box, drawn as loosely as people do."""
    size = mask.shape[0]
    left, top, right, bottom = _bounds(mask)
    slack = np.zeros(4)
    if augment:
        slack = rng.uniform(-0.02, rng.choice((0.02, 0.08, 0.18)), 4)
    w, h = right - left, bottom - top
    x0, y0 = round(max(0, left - slack[0] * w)), round(max(0, top - slack[1] * h))
    x1, y1 = round(min(size, right + slack[2] * w)), round(min(size, bottom + slack[3] * h))
    return x0, y0, max(x1 - x0, 1), max(y1 - y0, 1)


def _strokes(rng: Rng, image: np.ndarray, mask: np.ndarray, box: Box | None) -> np.ndarray:
    """Lines and dabs in the subject and beside it, half of them where colours alone would be wrong."""
    size = mask.shape[0]
    hints = np.full((size, size), 2, np.uint8)
    inside = mask > 0
    guess = _core.prompt_planes(image, None, box)[..., 5] > 0 if rng.random() < 0.5 else None
    counts = [(rng.integers(1, 4), rng.integers(1, 5)), (rng.integers(1, 3), 0), (0, rng.integers(1, 4))]
    front, back = counts[rng.choice(3, p=(0.8, 0.12, 0.08))]
    for label, region, count in ((0, ~inside, back), (1, inside, front)):
        if not count:
            continue
        core = cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2, borderValue=1) > 0
        if not core.any():
            core = region
        for _ in range(count):
            where = core
            if guess is not None:
                wrong = core & (guess == (label == 0))
                where = wrong if wrong.sum() > 20 else core
            if not where.any():
                continue
            spots = np.flatnonzero(where)
            line = np.zeros((size, size), np.uint8)
            points = np.unravel_index(spots[rng.integers(len(spots), size=rng.integers(1, 4))], where.shape)
            points = np.stack(points[::-1], 1)
            if len(points) > 1:  # a stroke is not as long as the picture
                steps = np.clip(points - points[0], -size // 3, size // 3)
                points = points[0] + (steps * rng.uniform(0.3, 1)).astype(int)
            cv2.polylines(line, [points.astype(np.int32)], False, 1, int(rng.integers(1, 5)))
            hints[(line > 0) & core] = label
    return hints
