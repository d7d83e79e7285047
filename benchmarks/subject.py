"""How well the subject is found: ``python -m benchmarks.subject [--peers] [--sheet FILE] [PART ...]``.

Parts, by what is told of the subject: none, boxes, strokes. What the network finds ("learned") beside what is found
without it ("barrier"), after the cut, on pictures with ground truth (see benchmarks.quality). With --peers, cv2.grabCut
does the same in the same run. With --sheet, a picture of automatic cutouts: the 8 best, 8 middling and the 8 worst.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

import alphacut

from .quality import DATA, Scores, averaged, load, mask_scores, pairs, timed

METHODS = ("learned", "barrier")


def cut(image: np.ndarray, method: str, **prompt: object) -> alphacut.Cutout:
    return alphacut.remove_background(image, subject=method, refine=None, foreground=False, **prompt)


def opencv(image: np.ndarray, labels: np.ndarray, box: tuple[int, ...] | None) -> np.ndarray:
    import cv2

    labels, models = labels.copy(), (np.zeros((1, 65)), np.zeros((1, 65)))
    cv2.setRNGSeed(0)
    how = cv2.GC_INIT_WITH_MASK if box is None else cv2.GC_INIT_WITH_RECT
    cv2.grabCut(np.ascontiguousarray(image[..., ::-1]), labels, box, *models, 5, how)
    return labels & 1


def none(peers: bool, sheet: Path | None) -> None:
    """Max F is that of the mean precision and recall over the set, β² = 0.3; AUC: whether confidence tells failures."""
    items = [(load(image, "RGB"), load(mask, "L")) for _, image, mask in pairs("saliency", "masks")]
    curves = {method: np.zeros((2, 256)) for method in METHODS}
    cutouts: dict[str, list[tuple[float, float, alphacut.Cutout]]] = {method: [] for method in METHODS}

    def job(method):
        def run(image, truth):
            wanted = truth > 127
            saliency, ms = timed(lambda: alphacut.detect_subject(image, method=method))
            levels = np.rint(saliency * 255).astype(np.uint8)
            above = np.cumsum(np.bincount(levels.ravel(), minlength=256)[::-1])[::-1]
            hit = np.cumsum(np.bincount(levels[wanted], minlength=256)[::-1])[::-1]
            curves[method] += np.where(above > 0, hit / np.maximum(above, 1), 1), hit / max(1, wanted.sum())
            cutout, all_ms = timed(lambda: alphacut.remove_background(image, subject=method))
            found = mask_scores(cutout.mask, truth)
            cutouts[method].append((found["IoU"], cutout.confidence, cutout))
            map_iou = mask_scores((saliency > 0.5).astype(np.uint8), truth)["IoU"]
            error = float(np.abs(saliency - wanted).mean())
            return {"MAE of the map": error, "its IoU": map_iou, "its ms": ms, **found, "ms": all_ms}

        return run

    averaged({method: job(method) for method in METHODS}, items, "ECSSD part, no prompt; the whole flow's time")
    for method in METHODS:
        p, r = curves[method] / len(items)
        f = np.max(1.3 * p * r / np.maximum(0.3 * p + r, 1e-9))
        iou, confidence = np.array([found[:2] for found in cutouts[method]]).T
        failed = iou < 0.5
        ranks = np.argsort(np.argsort(confidence))
        auc = (ranks[~failed].sum() - (~failed).sum() * ((~failed).sum() - 1) / 2) / max(
            1, failed.sum() * (~failed).sum()
        )
        warned = [any("unsure" in warning for warning in found[2].warnings) for found in cutouts[method]]
        print(
            f"{method}: max F {f:.3f}; {failed.sum()} of {len(items)} masks below IoU 0.5, confidence tells them with "
            f"AUC {auc:.2f}; warned of {np.sum(warned & failed)} of them and of {np.sum(warned & ~failed)} others"
        )
    if sheet is not None:
        ranked = sorted(cutouts["learned"], key=lambda found: -found[0])
        middle = len(ranked) // 2
        contact_sheet([*ranked[:8], *ranked[middle - 4 : middle + 4], *ranked[-8:]], sheet)


def contact_sheet(found: list[tuple[float, float, alphacut.Cutout]], path: Path) -> None:
    """Each picture beside its cutout, over magenta, four pairs a row."""
    side, across = 200, 4
    sheet = Image.new("RGB", (2 * side * across, side * -(-len(found) // across)), "white")
    for number, (_, _, cutout) in enumerate(found):
        for k, picture in enumerate((cutout.image, cutout.on("magenta"))):
            small = Image.fromarray(picture)
            small.thumbnail((side - 4, side - 4))
            sheet.paste(small, ((2 * (number % across) + k) * side, number // across * side))
    sheet.save(path)


def compare(peers: bool, items: list[tuple[np.ndarray, np.ndarray, object]], prompt: str, title: str) -> None:
    """The flow's mask from prompts of one kind."""

    def ours(method):
        def job(image, truth, told) -> Scores:
            cutout, ms = timed(lambda: cut(image, method, **{prompt: told}))
            return {**mask_scores(cutout.mask, truth), "ms": ms}

        return job

    def theirs(image, truth, told) -> Scores:
        labels, box = (told, None) if prompt == "labels" else (np.zeros(truth.shape, np.uint8), told)
        mask, ms = timed(lambda: opencv(image, labels, box))
        return {**mask_scores(mask, truth), "ms": ms}

    jobs = {method: ours(method) for method in METHODS}
    averaged({**jobs, "cv2.grabCut": theirs} if peers else jobs, items, title)


def boxes(peers: bool, sheet: Path | None) -> None:
    for slack in (0, 5, 15, 30):
        items = []
        for stem, image, mask in pairs("grabcut", "masks"):
            x0, y0, x1, y1 = map(int, (DATA / "grabcut" / "bboxes_tight" / f"{stem}.txt").read_text().split())
            pixels = load(image, "RGB")
            x0, y0 = max(0, x0 - slack), max(0, y0 - slack)
            x1, y1 = min(pixels.shape[1], x1 + slack), min(pixels.shape[0], y1 + slack)
            items.append((pixels, load(mask, "L"), (x0, y0, x1 - x0, y1 - y0)))
        compare(peers, items, "box", f"GrabCut set, boxes + {slack} px")


def strokes(peers: bool, sheet: Path | None) -> None:
    items = []
    for stem, image, mask in pairs("grabcut", "masks"):
        scribbles = np.asarray(Image.open(DATA / "grabcut" / "scribbles_gsc" / f"{stem}.png"))
        items.append((load(image, "RGB"), load(mask, "L"), np.choose(scribbles, (2, 1, 0)).astype(np.uint8)))
    compare(peers, items, "labels", "GrabCut set, strokes (scribbles_gsc)")
    most = 8
    table = {name: np.zeros((most, 2)) for name in ((*METHODS, "cv2.grabCut") if peers else METHODS)}
    for image, truth, _ in tqdm(items, desc="stroke by stroke", disable=None):
        for name, rows in table.items():
            labels = np.full(truth.shape, 3, np.uint8)
            mask = np.zeros(truth.shape, np.uint8)
            for k in range(most):
                correct(labels, mask, truth, foreground=None if k > 1 else k == 0)
                if k > 0:
                    known = np.where(labels == 3, 2, labels).astype(np.uint8)
                    mask = opencv(image, known, None) if name == "cv2.grabCut" else cut(image, name, labels=labels).mask
                scores = mask_scores(mask, truth)
                rows[k] += scores["wrong %"], scores["IoU"]
    print("\n**Stroke by stroke**, each where the answer before errs most: wrong %, IoU\n")
    print("| strokes |" + "|".join(table) + "|\n|---|" + "---|" * len(table))
    for k in range(1, most):
        cells = (f"{w:.2f}, {iou:.3f}" for w, iou in (rows[k] / len(items) for rows in table.values()))
        print(f"| {k + 1} |" + "|".join(cells) + "|")


def correct(labels: np.ndarray, mask: np.ndarray, truth: np.ndarray, foreground: bool | None) -> None:
    """Draws a dab where the mask errs most: in the middle of the largest error, or of that side's."""
    import cv2

    judged = truth != 128
    wrong = judged & ((mask > 0) != (truth > 128))
    if foreground is not None:
        wrong = judged & (truth > 128) if foreground else judged & (truth < 128)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8))
    if count < 2:
        return
    largest = (parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(largest, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    radius = max(2, min(int(depth[y, x] * 0.7), max(truth.shape) // 40))
    rows, columns = np.ogrid[: truth.shape[0], : truth.shape[1]]
    side = truth[y, x] > 128
    dab = ((rows - y) ** 2 + (columns - x) ** 2 <= radius**2) & judged & ((truth > 128) == side)
    labels[dab] = side


PARTS = {"none": none, "boxes": boxes, "strokes": strokes}

if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.subject", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    for name in options.parts or PARTS:
        PARTS[name](options.peers, options.sheet)
