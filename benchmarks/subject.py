"""How well the subject is found: ``python -m benchmarks.subject [--peers] [--sheet FILE] [PART ...]``.

Parts, by what is told of the subject: none; harder (none, DUTS-TE); boxes; strokes; corrections, which are discs on top
of the automatic answer. What the network finds ("learned") beside what is found without it ("barrier"), after the cut,
on pictures with ground truth (see benchmarks.quality). With --peers, cv2.grabCut does the same in the same run. With
--sheet, a picture of automatic cutouts, of the best, the middling and the worst third the 10 that are least alike.
"""

from __future__ import annotations

import argparse
import itertools
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


def harder(peers: bool, sheet: Path | None) -> None:
    none(peers, sheet, "duts_te", "DUTS-TE part")


def none(peers: bool, sheet: Path | None, folder: str = "saliency", name: str = "ECSSD part") -> None:
    """Max F is that of the mean precision and recall over the set, β² = 0.3; AUC: whether confidence tells failures."""
    items = [(load(image, "RGB"), load(mask, "L")) for _, image, mask in pairs(folder, "masks")]
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

    averaged({method: job(method) for method in METHODS}, items, f"{name}, no prompt; the whole flow's time")
    for method in METHODS:
        p, r = curves[method] / len(items)
        f = np.max(1.3 * p * r / np.maximum(0.3 * p + r, 1e-9))
        iou, confidence = np.array([found[:2] for found in cutouts[method]]).T
        failed = iou < 0.6
        ranks = np.argsort(np.argsort(confidence))
        auc = (ranks[~failed].sum() - (~failed).sum() * ((~failed).sum() - 1) / 2) / max(
            1, failed.sum() * (~failed).sum()
        )
        warned = [any("unsure" in warning for warning in found[2].warnings) for found in cutouts[method]]
        print(
            f"{method}: max F {f:.3f}; {failed.sum()} of {len(items)} masks below IoU 0.6, confidence tells them with "
            f"AUC {auc:.2f}; warned of {np.sum(warned & failed)} of them and of {np.sum(warned & ~failed)} others"
        )
        print("\n| confidence | pictures | its mean | share with IoU of at least 0.8 |\n|---|---|---|---|")
        for low, high in itertools.pairwise((0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.01)):
            where = (confidence >= low) & (confidence < high)
            if where.any():
                print(
                    f"| {low} to {min(high, 1)} | {where.sum()} | {confidence[where].mean():.2f} "
                    f"| {np.mean(iou[where] >= 0.8):.2f} |"
                )
    if sheet is not None:
        ranked = sorted(cutouts["learned"], key=lambda found: -found[0])
        thirds = np.array_split(np.arange(len(ranked)), 3)
        contact_sheet([ranked[k] for third in thirds for k in least_alike(ranked, list(third), 10)], sheet)


def least_alike(found: list[tuple[float, float, alphacut.Cutout]], among: list[int], count: int) -> list[int]:
    """The ones that differ most from each other in colours, coarsely: each farthest from those before, in order."""
    looks = {k: alphacut.resize(found[k][2].image, (6, 6)).astype(float).ravel() for k in among}
    chosen = [among[0]]
    while len(chosen) < min(count, len(among)):
        rest = [k for k in among if k not in chosen]
        chosen.append(max(rest, key=lambda k: min(float(np.linalg.norm(looks[k] - looks[c])) for c in chosen)))
    return sorted(chosen)


def contact_sheet(found: list[tuple[float, float, alphacut.Cutout]], path: Path) -> None:
    """Each picture beside its cutout, over magenta, five pairs a row."""
    side, across = 200, 5
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


def corrections(peers: bool, sheet: Path | None) -> None:
    """One right disc on top of the automatic answer, in the largest part that is missing or too much; then up to five.

    A picture counts where that part has at least a two-hundredth of its pixels.
    """
    gains: dict[str, list[tuple[float, float]]] = {"keep": [], "remove": []}
    five = []
    for _, path, truth_path in tqdm(list(pairs("saliency", "masks")), desc="corrections", disable=None):
        image, truth = load(path, "RGB"), load(truth_path, "L")
        truth = np.where(truth == 128, 129, truth)  # all is judged
        first = cut(image, "learned").mask
        before = mask_scores(first, truth)["IoU"]
        for name, wrong in (("keep", (truth > 128) & (first == 0)), ("remove", (truth <= 128) & (first > 0))):
            labels = np.full(truth.shape, 2, np.uint8)
            if dab(labels, wrong, truth, least=truth.size // 200):
                after = mask_scores(cut(image, "learned", labels=labels).mask, truth)["IoU"]
                gains[name].append((before, after))
        labels, mask, course = np.full(truth.shape, 2, np.uint8), first, [before]
        for _ in range(5):
            correct(labels, mask, truth, None)
            mask = cut(image, "learned", labels=labels).mask if (labels < 2).any() else mask
            course.append(mask_scores(mask, truth)["IoU"])
        five.append(course)
    print("\n**One right disc on top of the automatic answer** (ECSSD part)\n")
    print("| disc | pictures | mean gain of IoU | worse by .05 | ending below .1 |\n|---|---|---|---|---|")
    for name, found in gains.items():
        before, after = np.array(found).T
        worse, lost = np.mean(after < before - 0.05), np.count_nonzero(after < 0.1)
        print(f"| {name} | {len(found)} | {np.mean(after - before):+.3f} | {worse:.3f} | {lost} |")
    courses = np.array(five)
    print("\nIoU after 0 to 5 discs, each where the answer before errs most:", np.round(courses.mean(0), 3).tolist())
    steps = np.diff(courses, axis=1)
    print(f"steps that make it worse by .05: {np.mean(steps < -0.05):.3f}")


def correct(labels: np.ndarray, mask: np.ndarray, truth: np.ndarray, foreground: bool | None) -> None:
    """Draws a dab where the mask errs most: in the middle of the largest error, or of that side's."""
    judged = truth != 128
    wrong = judged & ((mask > 0) != (truth > 128))
    if foreground is not None:
        wrong = judged & (truth > 128) if foreground else judged & (truth < 128)
    dab(labels, wrong, truth)


def dab(labels: np.ndarray, wrong: np.ndarray, truth: np.ndarray, least: int = 1) -> bool:
    """Draws a disc of what is true in the middle of the largest wrong part; not if that has too few pixels."""
    import cv2

    count, parts, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8))
    if count < 2 or stats[1:, cv2.CC_STAT_AREA].max() < least:
        return False
    largest = (parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(largest, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    radius = max(2, min(int(depth[y, x] * 0.7), max(truth.shape) // 40))
    rows, columns = np.ogrid[: truth.shape[0], : truth.shape[1]]
    side = truth[y, x] > 128
    disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    labels[disc & (truth != 128) & ((truth > 128) == side)] = side
    return True


PARTS = {"none": none, "harder": harder, "boxes": boxes, "strokes": strokes, "corrections": corrections}

if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.subject", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    for name in options.parts or PARTS:
        PARTS[name](options.peers, options.sheet)
