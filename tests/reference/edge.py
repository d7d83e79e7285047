"""The edge of a matte moved and softened, in a few lines of NumPy."""

import numpy as np


def morphed(alpha, radius, pick):
    """Dilation or erosion by a disc, the border replicated."""
    padded = np.pad(alpha, radius, mode="edge")
    height, width = alpha.shape
    result = alpha.copy()
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dy * dy + dx * dx <= radius * radius:
                result = pick(result, padded[radius + dy :, radius + dx :][:height, :width])
    return result


def adjusted(alpha, shift, feather):
    """In double precision, of values in any unit."""
    alpha = alpha.astype(np.float64)
    whole, pick = int(abs(shift)), np.maximum if shift > 0 else np.minimum
    part = abs(shift) - whole
    alpha = (1 - part) * morphed(alpha, whole, pick) + part * morphed(alpha, whole + 1, pick)
    if feather == 0:
        return alpha
    radius = int(np.ceil(3 * feather))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / feather) ** 2)
    weights /= weights.sum()
    padded = np.pad(alpha, radius, mode="edge")
    down = sum(w * padded[k : k + alpha.shape[0]] for k, w in enumerate(weights))
    return sum(w * down[:, k : k + alpha.shape[1]] for k, w in enumerate(weights))
