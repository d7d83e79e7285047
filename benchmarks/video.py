"""How well and how fast a subject is followed.

``python -m benchmarks.video [--made] [--peers] [--strip FILE] [CLIP ...]``

The clips (``clips/`` of the data, see benchmarks.quality; with --made those of benchmarks.films instead, each with one
difficulty) are told the true box of the first frame. Of each way:

- J: the mean intersection over union of mask and truth, 1 where both are empty; F: the same of their borders, matched
  within 0.8 % of the diagonal (Perazzi et al., 2016); lost: the share of frames with an IoU below 0.5;
- flicker: the pixels that change from a frame to the next where the truth does not, of the subject's area, in %;
- frames a second, median and 99th percentile of a frame's time in ms; MB: how much the process's peak grew.

With --peers, OpenCV's background subtraction (MOG2, KNN) and box trackers (CSRT, KCF), each with cv2.grabCut. With
--strip, a picture with eight frames a clip, cut out by the last way asked for.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

import alphacut

from . import films
from .quality import DATA, load

Box = tuple[int, int, int, int]
# A way to follow: called with each frame and its true box, which all but one look at in the first frame alone.
Way = Callable[[np.ndarray, "Box | None"], np.ndarray]
FLOW: dict[str, Any] = {"refine": "guided", "foreground": False}


def bounds(mask: np.ndarray, share: float = 0.0) -> Box | None:
    """The box of a mask, wider by a share of its sides."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if rows.size == 0:
        return None
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    down, across = round(share * height), round(share * width)
    top, left = max(0, rows[0] - down), max(0, columns[0] - across)
    bottom, right = min(mask.shape[0], rows[-1] + 1 + down), min(mask.shape[1], columns[-1] + 1 + across)
    return int(left), int(top), int(right - left), int(bottom - top)


def alone() -> Way:
    """Each frame without a prompt."""
    remove = alphacut.Remover(**FLOW)
    return lambda frame, _: remove(frame).mask


def true_box() -> Way:
    """Each frame by its true box: what a perfect box tracker would give."""
    remove = alphacut.Remover(**FLOW)
    return lambda frame, box: np.zeros(frame.shape[:2], np.uint8) if box is None else remove(frame, box=box).mask


def chained() -> Way:
    """The box of the last mask and 8 % around it."""
    remove, last = alphacut.Remover(**FLOW), []

    def follow(frame: np.ndarray, box: Box | None) -> np.ndarray:
        mask = remove(frame, box=last[-1] if last else box).mask
        last.append(bounds(mask, 0.08) or (last[-1] if last else box))
        return mask

    return follow


def tracker(**options: Any) -> Callable[[], Way]:
    def start() -> Way:
        follow, told = alphacut.Tracker(**FLOW, **options), []

        def step(frame: np.ndarray, box: Box | None) -> np.ndarray:
            first = not told
            told.append(first)
            return follow(frame, box=box).mask if first else follow(frame).mask

        return step

    return start


def grab(frame: np.ndarray, labels: np.ndarray, box: Box | None) -> np.ndarray:
    import cv2

    cv2.setRNGSeed(0)
    how = cv2.GC_INIT_WITH_MASK if box is None else cv2.GC_INIT_WITH_RECT
    if box is None and ((labels & 1).all() or not (labels & 1).any()):
        return labels & 1
    cv2.grabCut(frame, labels, box, np.zeros((1, 65)), np.zeros((1, 65)), 2, how)
    return labels & 1


def subtraction(kind: str) -> Callable[[], Way]:
    """What moves before a background model, cut by cv2.grabCut; the first frame by its box."""

    def start() -> Way:
        import cv2

        model = getattr(cv2, f"createBackgroundSubtractor{kind}")(detectShadows=False)
        seen: list[int] = []

        def follow(frame: np.ndarray, box: Box | None) -> np.ndarray:
            bgr = np.ascontiguousarray(frame[..., ::-1])
            moving = model.apply(bgr)
            seen.append(1)
            if len(seen) == 1:
                return grab(bgr, np.zeros(frame.shape[:2], np.uint8), box)
            likely = cv2.morphologyEx(moving, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
            return grab(bgr, np.where(likely > 0, 3, 2).astype(np.uint8), None)

        return follow

    return start


def boxed(kind: str) -> Callable[[], Way]:
    """The box of an OpenCV tracker, wider by 8 %, cut by cv2.grabCut."""

    def start() -> Way:
        import cv2

        create = getattr(cv2, f"Tracker{kind}_create", None) or getattr(cv2.legacy, f"Tracker{kind}_create")
        follower, last = create(), []

        def follow(frame: np.ndarray, box: Box | None) -> np.ndarray:
            bgr = np.ascontiguousarray(frame[..., ::-1])
            if not last:
                follower.init(bgr, box)
                last.append(box)
            else:
                held, found = follower.update(bgr)
                last.append(tuple(map(int, found)) if held else last[-1])
            x, y, width, height = last[-1]
            inside = np.zeros(frame.shape[:2], bool)
            inside[max(0, y) : y + height, max(0, x) : x + width] = True
            wide = bounds(inside, 0.08)
            return grab(bgr, np.zeros(frame.shape[:2], np.uint8), wide) if wide else inside.astype(np.uint8)

        return follow

    return start


WAYS: dict[str, Callable[[], Way]] = {
    "each frame alone": alone,
    "box of the last mask + 8 %": chained,
    "true box each frame": true_box,
    "Tracker": tracker(),
}
PEERS: dict[str, Callable[[], Way]] = {
    "cv2 MOG2 + grabCut": subtraction("MOG2"),
    "cv2 KNN + grabCut": subtraction("KNN"),
    "cv2 CSRT + grabCut": boxed("CSRT"),
    "cv2 KCF + grabCut": boxed("KCF"),
}


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union; 1 where both are empty."""
    union = (mask | truth).sum()
    return float((mask & truth).sum() / union) if union else 1.0


def border(mask: np.ndarray) -> np.ndarray:
    edge = np.zeros(mask.shape, bool)
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    edge[:-1] |= mask[:-1] != mask[1:]
    return edge


def border_score(mask: np.ndarray, truth: np.ndarray) -> float:
    edges = border(mask), border(truth)
    if not edges[0].any() or not edges[1].any():
        return float(edges[0].any() == edges[1].any())
    near = np.ceil(0.008 * np.hypot(*mask.shape))
    shares = [
        np.mean(alphacut.distance_transform((~other).astype(np.uint8))[edge] <= near)
        for edge, other in (edges, edges[::-1])
    ]
    return float(2 * shares[0] * shares[1] / max(sum(shares), 1e-9))


def scores(masks: list[np.ndarray], truths: list[np.ndarray], seconds: list[float]) -> dict[str, float]:
    overlaps = np.array([overlap(m, t) for m, t in zip(masks, truths, strict=True)])
    area = np.mean([t.sum() for t in truths])
    flicker = [
        100 * ((masks[k] ^ masks[k - 1]) & ~(truths[k] ^ truths[k - 1])).sum() / area for k in range(1, len(masks))
    ]
    ms = 1000 * np.array(seconds[1:])
    return {
        "J": float(overlaps.mean()),
        "F": float(np.mean([border_score(m, t) for m, t in zip(masks, truths, strict=True)])),
        "lost": float((overlaps < 0.5).mean()),
        "flicker": float(np.mean(flicker)),
        "fps": 1000 / float(ms.mean()),
        "p50": float(np.median(ms)),
        "p99": float(np.percentile(ms, 99)),
    }


def run(start: Callable[[], Way], frames: list[np.ndarray], truths: list[np.ndarray]) -> tuple[Any, ...]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    way, masks, seconds = start(), [], []
    for frame, truth in zip(frames, truths, strict=True):
        box = bounds(truth)
        begin = time.perf_counter()
        mask = way(frame, box)
        seconds.append(time.perf_counter() - begin)
        masks.append(mask > 0)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
    return masks, {**scores(masks, truths, seconds), "MB": grown}


def strip(frames: list[np.ndarray], masks: list[np.ndarray], truths: list[np.ndarray], count: int = 8) -> Image.Image:
    """Frames evenly spaced: what is cut out over magenta, with the truth's border in green and the IoU."""
    from PIL import ImageDraw

    size = (320, 320 * frames[0].shape[0] // frames[0].shape[1])
    sheet = Image.new("RGB", (4 * size[0], -(-count // 4) * size[1]))
    for k, n in enumerate(np.linspace(0, len(frames) - 1, count).round().astype(int)):
        shown = np.where(masks[n][..., None], frames[n], frames[n] // 3 + np.array([170, 0, 170], np.uint8))
        edge = border(truths[n])
        edge[1:] |= edge[:-1]
        shown[edge] = (0, 255, 0)
        small = Image.fromarray(shown.astype(np.uint8)).resize(size)
        ImageDraw.Draw(small).text((4, 4), f"{n}: {overlap(masks[n], truths[n]):.2f}", fill="yellow")
        sheet.paste(small, (k % 4 * size[0], k // 4 * size[1]))
    return sheet


def clip_of(name: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Frames and truths."""
    if name in films.NAMES:
        made = list(films.frames(name))
        return [frame for frame, _ in made], [truth for _, truth in made]
    images = sorted((DATA / "clips" / name / "images").iterdir())
    truths = [load(DATA / "clips" / name / "masks" / f"{path.stem}.png", "L") > 127 for path in images]
    return [load(path, "RGB") for path in images], truths


def main() -> None:
    clips = sorted(path.name for path in (DATA / "clips").iterdir() if path.is_dir())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--made", action="store_true", help="the films of benchmarks.films: " + ", ".join(films.NAMES))
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--way", action="append", choices=[*WAYS, *PEERS], help="only this; may be given again")
    parser.add_argument("--strip", type=Path)
    parser.add_argument("clips", nargs="*", metavar="CLIP", help=", ".join(clips))
    given = parser.parse_args()
    ways = {**WAYS, **(PEERS if given.peers else {})}
    if given.way:
        ways = {name: {**WAYS, **PEERS}[name] for name in given.way}
    names = given.clips or (films.NAMES if given.made else clips)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    strips = []
    for clip in names:
        frames, truths = clip_of(clip)
        for name, start in tqdm(ways.items(), desc=clip, disable=None):
            masks, found = run(start, frames, truths)
            rows[name].append(found)
        strips.append(strip(frames, masks, truths))
    columns = [*names, "mean", "F", "lost", "flicker %", "fps", "p50", "p99", "MB"]
    print("| J |" + "|".join(columns) + "|\n|---|" + "---|" * len(columns))
    for name, found in rows.items():
        values = [f"{f['J']:.3f}" for f in found]
        values += [f"{np.mean([f[key] for f in found]):.3f}" for key in ("J", "F", "lost")]
        values += [f"{np.mean([f[key] for f in found]):.1f}" for key in ("flicker", "fps", "p50")]
        values += [f"{np.max([f['p99'] for f in found]):.1f}", f"{np.max([f['MB'] for f in found]):.0f}"]
        print(f"| {name} |" + "|".join(values) + "|")
    if given.strip:
        sheet = Image.new("RGB", (strips[0].width, sum(part.height + 8 for part in strips)))
        top = 0
        for part in strips:
            sheet.paste(part, (0, top))
            top += part.height + 8
        sheet.save(given.strip)


if __name__ == "__main__":
    main()
