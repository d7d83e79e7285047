"""Oracle of the foreground stage: the same pyramid and order of updates in float64."""

import numpy as np


def relax(alpha, image, f, b, base):
    """One red and one black half-sweep, in place."""
    height, width = alpha.shape
    colour = np.add.outer(np.arange(height), np.arange(width)) % 2
    for now in (0, 1):
        total = np.zeros((height, width))
        sum_f, sum_b = alpha[..., None] * image, (1 - alpha)[..., None] * image
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            exists = np.ones((height, width))
            exists[(slice(None),) * axis + (0 if step == 1 else -1,)] = 0
            w = exists * (base + 0.1 * abs(alpha - np.roll(alpha, step, axis)))
            total += w
            sum_f = sum_f + w[..., None] * np.roll(f, step, axis)
            sum_b = sum_b + w[..., None] * np.roll(b, step, axis)
        ff, bb, fb = alpha**2 + total, (1 - alpha) ** 2 + total, alpha * (1 - alpha)
        det = (ff * bb - fb**2)[..., None]
        here = (colour == now)[..., None]
        new_f = np.clip((bb[..., None] * sum_f - fb[..., None] * sum_b) / det, 0, 1)
        new_b = np.clip((ff[..., None] * sum_b - fb[..., None] * sum_f) / det, 0, 1)
        f[...], b[...] = np.where(here, new_f, f), np.where(here, new_b, b)


def estimate_foreground(image, alpha, base=1e-5):
    """Floats from 0 to 1; image (H, W, C). Also the coarse level's F, which may stand where alpha is 0."""
    image, alpha = np.asarray(image, np.float64), np.asarray(alpha, np.float64)
    if alpha.size == 1 or not alpha.any():
        return image, image
    height, width = alpha.shape
    levels = max(1, int(np.ceil(np.log2(max(height, width)))))
    mean_f = (alpha[..., None] * image).sum((0, 1)) / alpha.sum()
    mean_b = ((1 - alpha)[..., None] * image).sum((0, 1)) / max((1 - alpha).sum(), 1e-30)
    coarse = next(s for s in (3, 2, 1, 0) if s == 0 or -(-max(height, width) // 2 ** (s - 1)) > 32)
    f = b = None
    for shift in range(levels - 1, -1, -1):
        size = 1 << shift
        rows = np.minimum(np.arange(-(-height // size)) * size + size // 2, height - 1)
        columns = np.minimum(np.arange(-(-width // size)) * size + size // 2, width - 1)
        a, i = alpha[np.ix_(rows, columns)], image[np.ix_(rows, columns)]
        if f is None:
            f, b = np.zeros_like(i) + mean_f, np.zeros_like(i) + mean_b
        else:
            finer = np.ix_(np.arange(len(rows)) // 2, np.arange(len(columns)) // 2)
            f, b = f[finer].copy(), b[finer].copy()
        for _ in range(10 if max(a.shape) <= 32 else 2):
            relax(a, i, f, b, base)
        if shift == coarse:
            far = f[np.ix_(np.arange(height) >> shift, np.arange(width) >> shift)]
    return tuple(np.where(alpha[..., None] == 1, image, v) for v in (f, far))
