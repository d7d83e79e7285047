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


def blurred(plane, sigma, axis):
    """Three boxes along an axis, nothing beyond the ends."""
    size = plane.shape[axis]
    for box in box_widths(sigma):
        width = min(box, 2 * size + 1)  # sees all already
        plane = np.apply_along_axis(np.convolve, axis, plane, np.full(width, 1 / width), "full")
        start = width // 2
        plane = np.take(plane, range(start, start + size), axis)
    return plane


def drop_shadow(alpha, dx, dy, sigma, opacity):
    """Of an (H, W) alpha in 0..1 that goes on beyond the border."""
    height, width = alpha.shape
    rows = np.clip(np.arange(height) - dy, 0, height - 1)
    columns = np.clip(np.arange(width) - dx, 0, width - 1)
    cast = alpha[np.ix_(rows, columns)]
    for axis in (0, 1):
        cast = blurred(cast, sigma, axis) / blurred(np.ones_like(cast), sigma, axis)
    return opacity * cast.clip(0, 1)


def contact_shadow(alpha, dx, dy, sigma, opacity):
    height, width = alpha.shape
    subject = alpha > 0.5
    seeds = np.zeros((height, width))
    rows = np.flatnonzero(subject.any(1))
    for x in range(width):
        column = np.flatnonzero(subject[:, x])
        if column.size and 0 <= x + dx < width and 0 <= column[-1] + dy < height:
            above = (rows[-1] - column[-1]) / max(1, 0.08 * (rows[-1] + 1 - rows[0]))
            seeds[column[-1] + dy, x + dx] = 1 / (1 + above**2) ** 2
    cast = blurred(seeds, sigma, 1) / blurred(np.ones_like(seeds), sigma, 1)
    line = np.ones(1)
    for box in box_widths(sigma / 3):
        wide = min(box, 2 * max(height, width) + 1)
        line = np.convolve(line, np.full(wide, 1 / wide))
    return opacity * (blurred(cast, sigma / 3, 0) / line[line.size // 2]).clip(0, 1)


def over(colours, alpha, color, shadow):
    """Straight RGBA of a subject over its shadow, in 0..1."""
    cast = shadow * (1 - alpha)
    both = alpha + cast
    mixed = colours * alpha[..., None] + np.asarray(color) * cast[..., None]
    return np.dstack([np.where(both[..., None] > 0, mixed / np.maximum(both, 1e-300)[..., None], colours), both])


def blurred_background(image, alpha, sigma):
    """Of an (H, W, C) picture and an alpha in 0..1, in float64."""
    weight = 1 - alpha[..., None]
    planes = np.concatenate([image * weight, weight], axis=2)
    total = planes.sum((0, 1))
    mean = total[:-1] / total[-1] if total[-1] > 0 else np.full(image.shape[2], 0.5)
    for axis in (0, 1):
        planes = blurred(planes, sigma, axis)
    return (planes[..., :-1] + 1e-6 * mean) / (planes[..., -1:] + 1e-6)
