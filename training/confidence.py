"""``python -m training.confidence DATA``: the constants of cpp/src/confidence.cpp, from pictures held out."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import alphacut
from alphacut import _core

from .samples import Pictures

GOOD, FAILED = 0.8, 0.6  # intersection over union
RIDGE = 5e-3


def judged(image: np.ndarray, truth: np.ndarray) -> tuple[list[float], float]:
    """The evidence of an automatic cut, and its intersection over union with the truth."""
    cutout = alphacut.remove_background(image, method="graphcut", refine=None, foreground=False, steps=True)
    found, wanted = cutout.mask > 0, truth >= 128
    iou = np.count_nonzero(found & wanted) / max(1, np.count_nonzero(found | wanted))
    probability = cutout.steps["subject"]
    return _core.cut_evidence(probability, cutout.steps["mask"]), iou


def fitted(evidence: np.ndarray, good: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and bias of a logistic regression, by Newton's method on standardised evidence."""
    mean, deviation = evidence.mean(0), evidence.std(0) + 1e-9
    x = np.column_stack([(evidence - mean) / deviation, np.ones(len(good))])
    ridge = np.full(x.shape[1], RIDGE)
    ridge[-1] = 0
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ w))
        slope = x.T @ (p - good) / len(good) + ridge * w
        curve = (x.T * (p * (1 - p))) @ x / len(good) + np.diag(ridge + 1e-9)
        w -= np.linalg.solve(curve, slope)
    weights = w[:-1] / deviation
    return weights, float(w[-1] - weights @ mean)


def report(confidence: np.ndarray, iou: np.ndarray) -> str:
    """How well confidence tells failures, and how well it is calibrated."""
    failed = iou < FAILED
    ranks = np.argsort(np.argsort(confidence))
    count = np.count_nonzero(~failed)
    area = (ranks[~failed].sum() - count * (count - 1) / 2) / max(1, count * np.count_nonzero(failed))
    limit = np.quantile(confidence[~failed], 0.1)
    lines = [
        f"{len(iou)} pictures, {np.count_nonzero(failed)} below {FAILED}: area under the curve {area:.3f}; "
        f"{np.mean(confidence[failed] < limit):.0%} of them below {limit:.2f}, as are 10 % of the others",
        "| confidence | pictures | its mean | share that is good |\n|---|---|---|---|",
    ]
    for low in (0, 0.2, 0.4, 0.6, 0.8, 0.9):
        high = {0.8: 0.9, 0.9: 1.01}.get(low, low + 0.2)
        where = (confidence >= low) & (confidence < high)
        if where.any():
            means = confidence[where].mean(), np.mean(iou[where] >= GOOD)
            lines.append(f"| {low} to {min(high, 1):.1f} | {where.sum()} | {means[0]:.2f} | {means[1]:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m training.confidence", description=__doc__)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    found = [judged(image, mask) for image, mask in Pictures(options.data).held_out if (mask >= 128).any()]
    evidence, iou = np.array([each[0] for each in found]), np.array([each[1] for each in found])
    weights, bias = fitted(evidence, (iou >= GOOD).astype(float))
    print(f"kWeights = {{{', '.join(f'{w:.3f}' for w in weights)}}}, kBias = {bias:.3f}")
    print(report(1 / (1 + np.exp(-(evidence @ weights + bias))), iou))
