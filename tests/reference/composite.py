"""Compositing in float64, straight from the definitions."""

import numpy as np


def blend(foreground, alpha, background, whole=1.0):
    alpha = np.asarray(alpha, np.float64)[..., None] / whole
    return foreground * alpha + background * (1 - alpha)


def to_linear(encoded):
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def to_encoded(linear):
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def blend_linear(foreground, alpha, background, whole=1.0):
    return whole * to_encoded(blend(to_linear(foreground / whole), alpha, to_linear(background / whole), whole))


def box_widths(sigma):
    """Odd widths of three boxes (Kovesi 2010)."""
    low = int((np.sqrt(4 * sigma**2 + 1) - 1) / 2) * 2 + 1
    count = round((12 * sigma**2 - 3 * low**2 - 12 * low - 9) / (-4 * low - 4))
    return [low if i < count else low + 2 for i in range(3)]


def blurred_background(image, alpha, sigma):
    """Of an (H, W, C) picture and an alpha in 0..1, in float64."""
    weight = 1 - alpha[..., None]
    planes = np.concatenate([image * weight, weight], axis=2)
    total = planes.sum((0, 1))
    mean = total[:-1] / total[-1] if total[-1] > 0 else np.full(image.shape[2], 0.5)
    for axis in (0, 1):
        for box in box_widths(sigma):
            width = min(box, 2 * image.shape[axis] + 1)  # sees all already
            planes = np.apply_along_axis(np.convolve, axis, planes, np.full(width, 1 / width), "full")
            start = width // 2
            planes = np.take(planes, range(start, start + image.shape[axis]), axis)
    return (planes[..., :-1] + 1e-6 * mean) / (planes[..., -1:] + 1e-6)
