"""Morphology by definition: every pixel looks at all of its neighbours."""

import numpy as np

PAD = {"nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap"}  # NumPy's names of SciPy's


def footprint(radius, shape):
    down, across = radius if isinstance(radius, tuple) else (radius, radius)
    y, x = np.mgrid[-down : down + 1, -across : across + 1]
    return y**2 + x**2 <= down**2 if shape == "disc" else np.ones_like(y, bool)


def extreme(plane, inside, greatest, mode, cval):
    (height, width), (rows, columns) = plane.shape, inside.shape
    if mode == "ignore":
        ends = (-np.inf, np.inf) if plane.dtype.kind == "f" else (np.iinfo(plane.dtype).min, np.iinfo(plane.dtype).max)
        mode, cval = "constant", ends[0] if greatest else ends[1]
    how = {"mode": "constant", "constant_values": cval} if mode == "constant" else {"mode": PAD[mode]}
    padded = np.pad(plane, ((rows, rows), (columns, columns)), **how)
    top, left = rows - rows // 2, columns - columns // 2
    seen = [padded[top + y :, left + x :][:height, :width] for y, x in np.argwhere(inside)]
    return np.max(seen, axis=0) if greatest else np.min(seen, axis=0)


def mirrored(inside):
    """Turned around the pixel at ``h // 2, w // 2``, which is not the middle of even sides."""
    odd = np.pad(inside, [(0, 1 - side % 2) for side in inside.shape])
    return odd[::-1, ::-1]


def morphology(image, operation, inside, mode="ignore", cval=0):
    if image.ndim == 3:
        return np.stack([morphology(image[..., c], operation, inside, mode, cval) for c in range(3)], axis=2)
    plane = image.astype(np.uint8) if image.dtype == bool else image
    erode, dilate = (
        lambda a, by=inside, greatest=greatest: extreme(a, by, greatest, mode, cval) for greatest in (False, True)
    )
    back = mirrored(inside)

    def less(a, b):
        return a - b if a.dtype.kind == "f" else a - np.minimum(a, b)

    result = {
        "erode": lambda: erode(plane),
        "dilate": lambda: dilate(plane),
        "open": lambda: dilate(erode(plane), back),
        "close": lambda: erode(dilate(plane), back),
        "gradient": lambda: less(dilate(plane), erode(plane)),
        "tophat": lambda: less(plane, dilate(erode(plane), back)),
        "blackhat": lambda: less(erode(dilate(plane), back), plane),
    }[operation]()
    return result.astype(image.dtype)


def reconstruct(seed, mask, operation, connectivity):
    """By the definition: dilated and held below the mask, until nothing changes."""
    greatest = operation == "dilate"
    inside = np.ones((3, 3), bool) if connectivity == 8 else footprint(1, "disc")
    plane, mask = (a.astype(np.uint8) if a.dtype == bool else a for a in (seed, mask))
    while True:
        grown = extreme(plane, inside, greatest, "ignore", 0)
        grown = np.minimum(grown, mask) if greatest else np.maximum(grown, mask)
        if np.array_equal(grown, plane):
            return grown.astype(seed.dtype)
        plane = grown
