"""Alpha and foreground colours against their peers, quality and time of one run: ``python -m benchmarks.matting``.

Prints a table each for alpha and for colours: errors over the pictures of ALPHACUT_DATA, times there and on enlarged
ones. --plot FILE draws the solver's iterations against the error, --edges FILE a contact sheet of four edges.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

import alphacut
from alphacut import _core
from alphacut.matting import METHODS

from .quality import DATA, colour_scores, composites, load

Alpha = Callable[[], np.ndarray]  # alpha in 0..1
SIZES = (2, 12)  # megapixels
ENLARGED = "GT15"  # fur; about as many unknown pixels as the median picture
WEIGHT, ITERATIONS, LOW, SCALE = 0.03, 15, 0.05, 0.9  # of refine_alpha's "closed_form"
EDGES = {"hair": "GT03", "fur": "GT15", "wire and paper": "GT25", "hard edge": "GT19"}
GROUND = (255, 0, 255)


# What each method gets is prepared beforehand, in its favour; the call returned is timed.
def ours(method: str, image: np.ndarray, trimap: np.ndarray) -> Alpha:
    return lambda: alphacut.refine_alpha(image, trimap, method=method) / np.float32(255)


def pymatting(name: str, image: np.ndarray, trimap: np.ndarray) -> Alpha:
    import pymatting

    unit, known = image / 255.0, np.where((trimap > 0) & (trimap < 255), 0.5, trimap / 255.0)
    return lambda: getattr(pymatting, f"estimate_alpha_{name}")(unit, known)


def cv2_guided(image: np.ndarray, trimap: np.ndarray) -> Alpha:
    source = trimap / np.float32(255)
    return lambda: np.clip(cv2.ximgproc.guidedFilter(image, source, 20, 1e-4 * 255**2), 0, 1)


def alphamat(image: np.ndarray, trimap: np.ndarray) -> Alpha:
    bgr = np.ascontiguousarray(image[..., ::-1])
    return lambda: cv2.alphamat.infoFlow(bgr, trimap) / 255.0


ALPHA = {f"alphacut {method}": functools.partial(ours, method) for method in METHODS} | {
    "pymatting closed form": functools.partial(pymatting, "cf"),
    "pymatting KNN": functools.partial(pymatting, "knn"),
    "pymatting large kernel": functools.partial(pymatting, "lkm"),
    "cv2 guided filter on the trimap": cv2_guided,
    "cv2.alphamat": alphamat,
}
# From which size a peer is not tried, and why.
LIMITS = {
    "pymatting closed form": (4, "memory"),
    "pymatting KNN": (4, "minutes"),
    "pymatting large kernel": (4, "minutes"),
}


def absent(name: str) -> str | None:
    if name.startswith("pymatting") and importlib.util.find_spec("pymatting") is None:
        return "not installed"
    if name.startswith("cv2.alphamat") and not hasattr(cv2, "alphamat"):
        return "not in this OpenCV"
    return None


def milliseconds(call: Callable[[], Any], warm: bool = False) -> tuple[Any, float]:
    """The result and the median of as many calls as half a second holds, at least one; `warm`: it was called before."""
    times: list[float] = []
    if not warm:
        call()
    while not times or (sum(times) < 0.5 and len(times) < 20):
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    return result, 1000 * float(np.median(times))


def pictures(trimaps: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Picture, trimap and true alpha (0..1)."""
    return [
        (
            load(path, "RGB"),
            load(DATA / "matting" / trimaps / f"{path.stem}.png", "L"),
            load(DATA / "matting" / "alphas" / f"{path.stem}.png", "L") / 255.0,
        )
        for path in sorted((DATA / "matting" / "images").iterdir())
    ]


def enlarged(megapixels: float) -> tuple[np.ndarray, np.ndarray]:
    image = load(next((DATA / "matting" / "images").glob(f"{ENLARGED}.*")), "RGB")
    trimap = load(DATA / "matting" / "trimaps" / f"{ENLARGED}.png", "L")
    scale = (megapixels * 1e6 / trimap.size) ** 0.5
    size = round(scale * trimap.shape[1]), round(scale * trimap.shape[0])
    return cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), cv2.resize(
        trimap, size, interpolation=cv2.INTER_NEAREST
    )


def errors(alpha: np.ndarray, trimap: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Mean square, and sum of absolute values in thousands, over the unknown pixels."""
    wrong = (alpha - truth)[(trimap > 0) & (trimap < 255)]
    return float(np.mean(wrong**2)), float(np.abs(wrong).sum() / 1000)


def table(title: list[str], rows: Iterator[tuple[str, list[str]]]) -> None:
    """Each row is printed when it is ready: some take minutes."""
    print("\n| |" + "|".join(title) + "|\n|---|" + "---|" * len(title))
    for name, cells in rows:
        print(f"| {name} |" + "|".join(cells) + "|", flush=True)


def alpha_rows(names: list[str], sizes: list[float]) -> Iterator[tuple[str, list[str]]]:
    sets = [pictures(trimaps) for trimaps in ("trimaps", "trimaps2")]
    for name in names:
        if reason := absent(name):
            yield name, [reason]
            continue
        cells, medians = [], []
        for items in sets:
            scores = []
            for image, trimap, truth in items:
                alpha, ms = milliseconds(ALPHA[name](image, trimap), warm=bool(medians))
                scores.append(errors(alpha, trimap, truth))
                medians.append(ms)
            mse, sad = np.mean(scores, axis=0)
            cells += [f"{mse:.4f}", f"{sad:.2f}"]
        cells.append(f"{np.median(medians[: len(sets[0])]):.4g}")
        for size in sizes:
            least, reason = LIMITS.get(name, (float("inf"), ""))
            cells.append(reason if size >= least else f"{milliseconds(ALPHA[name](*enlarged(size)), warm=True)[1]:.4g}")
        yield name, cells


def alpha_table(names: list[str], sizes: list[float]) -> None:
    columns = ["MSE, trimaps", "SAD", "MSE, trimaps2", "SAD", "ms, 0.47 MP", *(f"{size:g} MP" for size in sizes)]
    table(columns, alpha_rows(names, sizes))
    _, trimap = enlarged(1)
    share = np.mean((trimap > 0) & (trimap < 255))
    print("\nErrors over unknown pixels, SAD in thousands; ms at 0.47 MP: of the median picture. Larger pictures are "
          f"{ENLARGED}, enlarged, {100 * share:.0f} % of it unknown.")  # fmt: skip


def own_colours(image: np.ndarray, alpha: np.ndarray) -> Alpha:
    return lambda: alphacut.estimate_foreground(image, alpha)


def pymatting_colours(image: np.ndarray, alpha: np.ndarray) -> Alpha:
    import pymatting

    unit, plane = image / 255.0, alpha / 255.0
    return lambda: 255 * pymatting.estimate_foreground_ml(unit, plane)


COLOURS = {
    "alphacut": own_colours,
    "pymatting multi-level": pymatting_colours,
    "the picture itself": lambda image, alpha: image.copy,
}


def colour_rows(sizes: list[float]) -> Iterator[tuple[str, list[str]]]:
    from .bench_foreground import edges

    items = composites()
    for name, job in COLOURS.items():
        if reason := absent(name):
            yield name, [reason]
            continue
        scores = [colour_scores(job(image, alpha)(), 0, alpha, truth) for image, alpha, truth in items]
        cells = [f"{np.mean([score[key] for score in scores]):.4f}" for key in ("MSE", "MAE")]
        yield name, cells + [f"{milliseconds(job(*edges(size)[:2]))[1]:.4g}" for size in sizes]


def colour_table(sizes: list[float]) -> None:
    table(["weighted MSE", "MAE", *(f"ms, {size:g} MP" for size in sizes)], colour_rows(sizes))


def iterations_plot(path: Path) -> None:
    """The error of "closed_form" after each number of iterations of its solver; a dot marks refine_alpha itself."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "alphacut", "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    steps = [0, 1, 2, 3, 5, 7, 10, 15, 20, 28, 40, 60, 80, 120]
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for trimaps, color in (("trimaps", "C0"), ("trimaps2", "C1")):
        items = pictures(trimaps)
        curves = {"filtered samples": np.zeros(len(steps)), "samples": np.zeros(len(steps))}
        whole = 0.0
        for image, trimap, truth in tqdm(items, desc=trimaps, disable=None):
            labels, raw, confidence = _core.sample_colours(image, trimap)
            filtered = alphacut.refine_alpha(image / np.float32(255), trimap, method="sampled")
            for curve, start in zip(curves.values(), (filtered, raw), strict=True):
                for i, count in enumerate(steps):
                    solved = _core.solve_laplacian(image, labels, confidence, start, WEIGHT, count)
                    unknown = (labels > 0) & (labels < 255)
                    alpha = np.where(unknown, np.clip((solved - LOW) / SCALE, 0, 1), labels / 255)
                    curve[i] += errors(alpha, trimap, truth)[0] / len(items)
            whole += errors(alphacut.refine_alpha(image, trimap) / 255, trimap, truth)[0] / len(items)
        for (name, curve), style in zip(curves.items(), ("-", "--"), strict=True):
            axes.plot(steps, curve, style, color=color, label=f"{trimaps}, from {name}")
            print(f"{trimaps}, from {name}: ", ", ".join(f"{n}: {e:.4f}" for n, e in zip(steps, curve, strict=True)))
        axes.plot(ITERATIONS, whole, "o", color=color)
        print(f"refine_alpha: {whole:.4f}")
    axes.set(xlabel="iterations of the solver", ylabel="MSE of unknown pixels", ylim=(0, None), xlim=(0, steps[-1]))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def edge_sheet(path: Path) -> None:
    """Four edges: picture, trimap, true alpha and each tier's; each over a strong colour with the picture's colours and
    with the foreground's. The detail with the most partial alpha; below, alpha from a mask alone."""
    side, rows = 220, []
    for name, stem in EDGES.items():
        image = load(next((DATA / "matting" / "images").glob(f"{stem}.*")), "RGB")
        truth, trimap = (load(DATA / "matting" / kind / f"{stem}.png", "L") for kind in ("alphas", "trimaps"))
        partial = cv2.blur(
            ((truth > 25) & (truth < 230)).astype(np.float32), (side, side), borderType=cv2.BORDER_CONSTANT
        )
        centre = np.unravel_index(np.argmax(partial), partial.shape)
        y, x = (min(max(int(c) - side // 2, 0), n - side) for c, n in zip(centre, partial.shape, strict=True))
        part = np.s_[y : y + side, x : x + side]
        mask = (truth > 127).view(np.uint8) * np.uint8(255)
        for hint_name, hint in (("trimap", trimap), ("mask", mask)):
            cells = [image[part], hint[part], truth[part]]
            for method in METHODS:
                alpha = alphacut.refine_alpha(image, hint, method=method)
                colours = alphacut.estimate_foreground(image, alpha)
                cells += [alpha[part], alphacut.composite(image, alpha, GROUND)[part]]
                cells += [alphacut.composite(colours, alpha, GROUND)[part]]
                error = errors(alpha / 255.0, trimap, truth / 255.0)
                print(f"{name} ({stem}), {hint_name}, {method}: MSE {error[0]:.4f}, SAD {error[1]:.2f}")
            rows.append(np.hstack([np.dstack([cell] * 3) if cell.ndim == 2 else cell for cell in cells]))
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matting", description=__doc__)
    parser.add_argument("methods", nargs="*", help="only methods whose names contain one of these")
    parser.add_argument("--size", type=float, action="append", help="megapixels instead of 2 and 12; may be repeated")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw iterations against quality instead")
    parser.add_argument("--edges", type=Path, metavar="FILE", help="write the contact sheet instead")
    options = parser.parse_args()
    if not DATA.is_dir():
        parser.exit(0, f"no pictures in {DATA}: set ALPHACUT_DATA\n")
    if options.plot:
        iterations_plot(options.plot)
    if options.edges:
        edge_sheet(options.edges)
    if options.plot or options.edges:
        return
    names = [name for name in ALPHA if not options.methods or any(part in name for part in options.methods)]
    sizes = options.size or list(SIZES)
    alpha_table(names, sizes)
    if not options.methods:
        colour_table([0.47, *sizes])


if __name__ == "__main__":
    main()
