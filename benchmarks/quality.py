"""How good the results are, on pictures with ground truth: ``python -m benchmarks.quality [--peers] [PART ...]``.

Parts: boxes, strokes, band, matting, bands, foreground, superpixels; benchmarks.subject has more on prompts. The
pictures are looked for in ALPHACUT_DATA (default ../shared/data) and only measured on. With --peers, OpenCV (and
pymatting or scikit-image, if installed) does the same job in the same run.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

import alphacut

DATA = Path(os.environ.get("ALPHACUT_DATA", Path(__file__).parents[2] / "shared" / "data"))
Scores = dict[str, float]


def load(path: Path, mode: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert(mode))


def pairs(folder: str, second: str) -> Iterator[tuple[str, Path, Path]]:
    for path in sorted((DATA / folder / "images").iterdir()):
        yield path.stem, path, DATA / folder / second / f"{path.stem}.png"


def mask_scores(mask: np.ndarray, truth: np.ndarray, inside: np.ndarray | None = None) -> Scores:
    """Wrong pixels (of all, and of those in the box) in %, and intersection over union; 128 is not judged."""
    judged = truth != 128
    found, wanted = (mask > 0) & judged, (truth > 128) & judged
    wrong = found != wanted
    union = np.count_nonzero(found | wanted)
    scores = {"wrong %": 100 * wrong.sum() / judged.sum(), "IoU": np.count_nonzero(found & wanted) / max(1, union)}
    if inside is not None:
        scores["wrong in box %"] = 100 * wrong[inside].sum() / max(1, judged[inside].sum())
    return scores


def averaged(jobs: dict[str, Callable[..., Scores]], items: list[tuple[Any, ...]], title: str) -> None:
    """Runs each job on each item and prints a Markdown table of the means and of the median time."""
    rows: dict[str, list[Scores]] = {name: [] for name in jobs}
    for item in tqdm(items, desc=title, disable=None):
        for name, job in jobs.items():
            start = time.perf_counter()
            scores = job(*item)
            rows[name].append({**scores, "ms": scores.get("ms", 1000 * (time.perf_counter() - start))})
    columns = list(next(iter(rows.values()))[0])
    print(f"\n**{title}** ({len(items)} pictures; ms is the median)\n")
    print("| |" + "|".join([*columns, "all, s"]) + "|\n|---|" + "---|" * (len(columns) + 1))
    for name, scores in rows.items():
        means = [np.median([s[c] for s in scores]) if c == "ms" else np.mean([s[c] for s in scores]) for c in columns]
        means.append(sum(s["ms"] for s in scores) / 1000)
        print(f"| {name} |" + "|".join(f"{value:.4g}" for value in means) + "|")


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = function()
    return result, 1000 * (time.perf_counter() - start)


def boxes(peers: bool) -> None:
    items = []
    for stem, image, mask in pairs("grabcut", "masks"):
        x0, y0, x1, y1 = map(int, (DATA / "grabcut" / "bboxes_tight" / f"{stem}.txt").read_text().split())
        items.append((load(image, "RGB"), load(mask, "L"), (x0, y0, x1 - x0, y1 - y0)))

    def score(mask: np.ndarray, ms: float, truth: np.ndarray, box: tuple[int, ...]) -> Scores:
        inside = np.zeros(truth.shape, bool)
        inside[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
        return {**mask_scores(mask, truth, inside), "ms": ms}

    def pipeline(image, truth, box):
        cutout, ms = timed(lambda: alphacut.remove_background(image, box=box, refine=None, foreground=False))
        return score(cutout.mask, ms, truth, box)

    def cut(image, truth, box):
        found, ms = timed(lambda: alphacut.grabcut(image, box=box, clean=True))
        return score(found.mask, ms, truth, box)

    def opencv(image, truth, box):
        import cv2

        labels = np.zeros(truth.shape, np.uint8)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        bgr = np.ascontiguousarray(image[..., ::-1])
        cv2.setRNGSeed(0)
        _, ms = timed(lambda: cv2.grabCut(bgr, labels, box, *models, 5, cv2.GC_INIT_WITH_RECT))
        return score(labels & 1, ms, truth, box)

    jobs = {"alphacut remove_background": pipeline, "alphacut grabcut, clean": cut}
    averaged({**jobs, "cv2.grabCut": opencv} if peers else jobs, items, "GrabCut set, tight boxes")


def strokes(peers: bool) -> None:
    items = []
    for stem, image, mask in pairs("grabcut", "masks"):
        scribbles = np.asarray(Image.open(DATA / "grabcut" / "scribbles_gsc" / f"{stem}.png"))
        labels = np.choose(scribbles, (2, 1, 0)).astype(np.uint8)
        items.append((load(image, "RGB"), load(mask, "L"), labels))

    def pipeline(image, truth, labels):
        cutout, ms = timed(lambda: alphacut.remove_background(image, labels=labels, refine=None, foreground=False))
        return {**mask_scores(cutout.mask, truth), "ms": ms}

    def opencv(image, truth, labels):
        import cv2

        labels, models = labels.copy(), (np.zeros((1, 65)), np.zeros((1, 65)))
        bgr = np.ascontiguousarray(image[..., ::-1])
        cv2.setRNGSeed(0)
        _, ms = timed(lambda: cv2.grabCut(bgr, labels, None, *models, 5, cv2.GC_INIT_WITH_MASK))
        return {**mask_scores(labels & 1, truth), "ms": ms}

    def cut(image, truth, labels):
        found, ms = timed(lambda: alphacut.grabcut(image, np.where(labels == 2, 3, labels), clean=True))
        return {**mask_scores(found.mask, truth), "ms": ms}

    jobs = {"alphacut remove_background": pipeline, "alphacut grabcut, clean": cut}
    averaged({**jobs, "cv2.grabCut": opencv} if peers else jobs, items, "GrabCut set, strokes (scribbles_gsc)")


def band(peers: bool) -> None:
    """What cutting a band costs: how much more energy than the exact cut, and how many pixels differ. Boxes from the
    masks; every cut certified."""
    items = [(load(image, "RGB"), load(mask, "L")) for folder in ("grabcut", "saliency")
             for _, image, mask in pairs(folder, "masks")]  # fmt: skip

    energies = []

    def gap(image, truth):
        rows, columns = np.flatnonzero((truth > 128).any(axis=1)), np.flatnonzero((truth > 128).any(axis=0))
        box = (columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0])
        banded, exact = (alphacut.grabcut(image, box=box, exact=exact, certify=True) for exact in (False, True))
        energies.append((banded.energy, exact.energy))
        return {
            "pixels that differ, %": 100 * np.mean(banded.mask != exact.mask),
            "wrong %, band": mask_scores(banded.mask, truth)["wrong %"],
            "wrong %, exact": mask_scores(exact.mask, truth)["wrong %"],
        }

    averaged({"grabcut": gap}, items, "A band against the whole picture")
    band, exact = np.transpose(energies)
    more = 100 * (band / np.maximum(exact, 1) - 1)  # some exact cuts keep nothing, at no cost
    total, median, high = 100 * (band.sum() / exact.sum() - 1), np.median(more), np.percentile(more, 90)
    print(f"\nEnergy of the band: {total:.2g} % more than exact in all; of a picture {median:.2g} % (median), "
          f"{high:.2g} % (90th percentile).")  # fmt: skip


def matting(peers: bool) -> None:
    def score(alpha: np.ndarray, ms: float, truth: np.ndarray, trimap: np.ndarray) -> Scores:
        error = (alpha.astype(np.float64) - truth / 255.0)[trimap == 128]
        return {"MSE": float(np.mean(error**2)), "SAD, thousands": float(np.abs(error).sum() / 1000), "ms": ms}

    def ours(method):
        def job(image, truth, trimap):
            alpha, ms = timed(lambda: alphacut.refine_alpha(image, trimap, method=method))
            return score(alpha / 255, ms, truth, trimap)

        return job

    def closed_form(image, truth, trimap):
        import pymatting

        known = np.where(trimap == 128, 0.5, trimap / 255.0)
        alpha, ms = timed(lambda: pymatting.estimate_alpha_cf(image / 255.0, known))
        return score(alpha, ms, truth, trimap)

    jobs = {f"alphacut {method}": ours(method) for method in ("guided", "sampled", "closed_form")}
    if peers:
        jobs["pymatting closed form"] = closed_form
    for trimaps in ("trimaps", "trimaps2"):
        items = []
        for stem, image, alpha in pairs("matting", "alphas"):
            items.append((load(image, "RGB"), load(alpha, "L"), load(DATA / "matting" / trimaps / f"{stem}.png", "L")))
        averaged(jobs, items, f"alphamatting set, {trimaps}")


def bands(peers: bool) -> None:
    """Alpha from a mask, the exact one and a graph cut's, by the trimap's band as a part of the default."""

    def near_edge(mask: np.ndarray, pixels: float) -> np.ndarray:
        return np.maximum(alphacut.distance_transform(mask), alphacut.distance_transform(255 - mask)) <= pixels

    def ours(width: float, drawn: bool):
        def job(image, truth):
            exact = (truth > 127) * np.uint8(255)
            scale = (exact.size / 450_000) ** 0.5
            mask = exact
            if not drawn:
                hints = np.where(near_edge(exact, 20 * scale), 3, exact // 255).astype(np.uint8)
                mask = alphacut.grabcut(image, hints).mask
            trimap = alphacut.make_trimap(mask, band=max(1, 10 * scale * width))
            alpha, ms = timed(lambda: alphacut.refine_alpha(image, trimap))
            zone = near_edge(exact, 30 * scale) | ((truth > 0) & (truth < 255))
            return {"MSE": float(np.mean((alpha[zone] / 255 - truth[zone] / 255) ** 2)), "ms": ms}

        return job

    jobs = {
        f"{kind}, {width:g} of the default band": ours(width, kind == "exact mask")
        for kind in ("exact mask", "cut's mask")
        for width in (0.5, 0.7, 1, 1.4, 2)
    }
    pictures = [(load(image, "RGB"), load(alpha, "L")) for _, image, alpha in pairs("matting", "alphas")]
    for factor in (0.5, 1, 2):
        items = []
        for image, alpha in pictures:
            size = round(image.shape[0] * factor), round(image.shape[1] * factor)
            items.append((alphacut.resize(image, size), alphacut.resize(alpha, size)))
        megapixels = items[0][1].size / 1e6
        averaged(jobs, items, f"Alpha from a mask, {megapixels:.2g} megapixels, within 30 pixels (at 0.45) of the edge")


def composites() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Cut-outs over photos: picture, alpha and the foreground's true colours."""
    photos = [load(path, "RGB") for path in sorted((DATA / "photos").glob("*.jpg"))]
    items = []
    for number, path in enumerate(sorted((DATA / "cutouts").rglob("*.png"))):
        rgba = load(path, "RGBA")
        height, width = rgba.shape[:2]
        ground = alphacut.resize(photos[number % len(photos)], (height, width))
        image = alphacut.composite(rgba[..., :3], rgba[..., 3], ground)
        items.append((image, rgba[..., 3], rgba[..., :3]))
    return items


def colour_scores(colours: np.ndarray, ms: float, alpha: np.ndarray, truth: np.ndarray) -> Scores:
    """Errors weighted by alpha, where 0 < alpha < 1."""
    soft = (alpha > 0) & (alpha < 255)
    weight = alpha[soft, None] / 255.0
    error = (colours.astype(np.float64) - truth)[soft] / 255
    scale = 3 * max(weight.sum(), 1e-9)
    return {
        "MSE": float((weight * error**2).sum() / scale),
        "MAE": float((weight * abs(error)).sum() / scale),
        "ms": ms,
    }


def foreground(peers: bool) -> None:
    def ours(image, alpha, truth):
        colours, ms = timed(lambda: alphacut.estimate_foreground(image, alpha))
        return colour_scores(colours, ms, alpha, truth)

    def nothing(image, alpha, truth):
        return colour_scores(image, 0.0, alpha, truth)

    def multilevel(image, alpha, truth):
        import pymatting

        colours, ms = timed(lambda: pymatting.estimate_foreground_ml(image / 255.0, alpha / 255.0))
        return colour_scores(colours * 255, ms, alpha, truth)

    jobs = {"alphacut multilevel": ours, "the picture itself": nothing}
    averaged({**jobs, "pymatting multi-level": multilevel} if peers else jobs, composites(), "Foreground colours")


def superpixels(peers: bool) -> None:
    """Pixels in a superpixel that lies mostly on the other side, and the border within 1 pixel of theirs, in %."""
    items = [(load(image, "RGB"), load(mask, "L") > 128) for _, image, mask in pairs("grabcut", "masks")]

    def scores(labels: np.ndarray, ms: float, truth: np.ndarray) -> Scores:
        counts = np.bincount(labels.ravel())
        inside = np.bincount(labels.ravel(), truth.ravel(), len(counts))
        wrong = np.minimum(inside, counts - inside).sum()
        found, border = (edges(plane) for plane in (labels, truth))
        near = alphacut.morphology(found, "dilate", radius=1, shape="box")
        hit = 100 * np.count_nonzero(near & border) / np.count_nonzero(border)
        return {"segments": np.count_nonzero(counts), "wrong %": 100 * wrong / truth.size, "border %": hit, "ms": ms}

    def edges(plane: np.ndarray) -> np.ndarray:
        made = np.zeros(plane.shape, bool)
        made[:, :-1] |= plane[:, :-1] != plane[:, 1:]
        made[:-1] |= plane[:-1] != plane[1:]
        return made

    def ours(count: int, image: np.ndarray, truth: np.ndarray) -> Scores:
        found, ms = timed(lambda: alphacut.slic(image, count))
        return scores(found.labels, ms, truth)

    def skimage(count: int, image: np.ndarray, truth: np.ndarray) -> Scores:
        from skimage.segmentation import slic

        labels, ms = timed(lambda: slic(image, count, start_label=0))
        return scores(labels, ms, truth)

    def opencv(count: int, image: np.ndarray, truth: np.ndarray) -> Scores:
        import cv2

        def run() -> np.ndarray:
            lab, side = cv2.cvtColor(image, cv2.COLOR_RGB2LAB), round((truth.size / count) ** 0.5)
            found = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLIC, side, 10)
            found.iterate(10)
            found.enforceLabelConnectivity()
            return found.getLabels()

        labels, ms = timed(run)
        return scores(labels, ms, truth)

    jobs = {"alphacut": ours, "scikit-image": skimage, "OpenCV": opencv} if peers else {"alphacut": ours}
    named = {f"{name}, {count}": partial(job, count) for count in (200, 600) for name, job in jobs.items()}
    averaged(named, items, "Superpixels")


PARTS = {part.__name__: part for part in (boxes, strokes, band, matting, bands, foreground, superpixels)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--peers", action="store_true", help="measure OpenCV and pymatting too")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        parser.exit(0, f"no pictures in {DATA}: set ALPHACUT_DATA\n")
    for name in arguments.parts or PARTS:
        PARTS[name](arguments.peers)


if __name__ == "__main__":
    main()
