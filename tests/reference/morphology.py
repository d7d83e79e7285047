"""Morphology by definition: every pixel looks at all of its neighbours."""

import numpy as np


def footprint(radius, shape):
    down, across = radius if isinstance(radius, tuple) else (radius, radius)
    y, x = np.mgrid[-down : down + 1, -across : across + 1]
    return y**2 + x**2 <= down**2 if shape == "disc" else np.ones_like(y, bool)


def extreme(plane, inside, greatest):
    height, width = plane.shape
    down, across = inside.shape[0] // 2, inside.shape[1] // 2
    result = np.empty_like(plane)
    for y in range(height):
        for x in range(width):
            top, left = max(0, y - down), max(0, x - across)
            seen = plane[top : y + down + 1, left : x + across + 1]
            counts = inside[top - y + down :, left - x + across :][: seen.shape[0], : seen.shape[1]]
            result[y, x] = seen[counts].max() if greatest else seen[counts].min()
    return result


def morphology(image, operation, radius, shape):
    if image.ndim == 3:
        return np.stack([morphology(image[..., c], operation, radius, shape) for c in range(3)], axis=2)
    inside = footprint(radius, shape)
    plane = image.astype(np.uint8) if image.dtype == bool else image
    erode, dilate = (lambda a, greatest=greatest: extreme(a, inside, greatest) for greatest in (False, True))
    result = {
        "erode": lambda: erode(plane),
        "dilate": lambda: dilate(plane),
        "open": lambda: dilate(erode(plane)),
        "close": lambda: erode(dilate(plane)),
        "gradient": lambda: dilate(plane) - erode(plane),
        "tophat": lambda: plane - dilate(erode(plane)),
        "blackhat": lambda: erode(dilate(plane)) - plane,
    }[operation]()
    return result.astype(image.dtype)
