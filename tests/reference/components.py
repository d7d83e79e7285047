"""Components by flood fill, and outlines by filling them."""

import numpy as np


def label_pieces(values, connectivity, delta, background):
    """Labels of neighbours whose values differ by at most delta, in raster order, and their count."""
    height, width = values.shape
    labels = np.zeros((height, width), np.int32)
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)] + [(1, 1), (1, -1), (-1, 1), (-1, -1)] * (connectivity == 8)
    count = 0
    for start in np.ndindex(height, width):
        if labels[start] or values[start] == background:
            continue
        count += 1
        labels[start] = count
        stack = [start]
        while stack:
            y, x = stack.pop()
            for dy, dx in steps:
                v, u = y + dy, x + dx
                if not (0 <= v < height and 0 <= u < width) or labels[v, u] or values[v, u] == background:
                    continue
                if abs(float(values[v, u]) - float(values[y, x])) <= delta:
                    labels[v, u] = count
                    stack.append((v, u))
    return labels, count


def label(mask, connectivity):
    """The same of what is not 0."""
    return label_pieces(np.asarray(mask) != 0, connectivity, 0, False)


def convex_area(mask):
    """Pixels in the convex hull of the middles of the pixels' sides, by the half-planes of all pairs of points."""
    ys, xs = np.nonzero(mask)
    points = {p for y, x in zip(2 * ys, 2 * xs, strict=True) for p in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))}
    points = np.array(sorted(points))
    grid = np.stack(np.mgrid[: mask.shape[0], : mask.shape[1]], -1) * 2
    inside = np.ones(mask.shape, bool)
    for a in points:
        for b in points:
            side = (b[0] - a[0]) * (points[:, 1] - a[1]) - (b[1] - a[1]) * (points[:, 0] - a[0])
            if (side <= 0).all() and (a != b).any():
                inside &= (b[0] - a[0]) * (grid[..., 1] - a[1]) - (b[1] - a[1]) * (grid[..., 0] - a[0]) <= 0
    return int(inside.sum())


def fill_holes(mask, max_area, connectivity):
    labels, count = label(mask == 0, 12 - connectivity)
    border = {*labels[0], *labels[-1], *labels[:, 0], *labels[:, -1]}
    holes = [i for i in range(1, count + 1) if i not in border and (labels == i).sum() <= max_area]
    return np.where((mask != 0) | np.isin(labels, holes), 255, 0)


def rings_of(polygons):
    return [ring for polygon in polygons for ring in (polygon.exterior, *polygon.holes)]


def fill(rings, shape):
    """The pixels inside an odd number of rings: each vertical edge flips everything to its right."""
    flips = np.zeros((shape[0], shape[1] + 1), np.uint8)
    for ring in rings:
        for (x, y), (u, v) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            if x == u:
                flips[min(y, v) : max(y, v), x] ^= 1
    return np.bitwise_xor.accumulate(flips, axis=1)[:, :-1] * np.uint8(255)


def area(ring):
    """Signed: positive if clockwise with y downwards."""
    x, y = ring.astype(np.int64).T
    return int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) // 2


def farthest(ring, points):
    """The greatest distance of a point from a closed ring."""
    a, b = ring.astype(float), np.roll(ring, -1, axis=0).astype(float)
    along = b - a
    share = ((points[:, None] - a) * along).sum(2) / (along**2).sum(1)
    near = a + np.clip(share, 0, 1)[..., None] * along
    return np.sqrt(((points[:, None] - near) ** 2).sum(2)).min(1).max()


def run_lengths(mask):
    counts, value = [0], False
    for pixel in (mask.T != 0).ravel():
        if pixel != value:
            counts.append(0)
            value = not value
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}
