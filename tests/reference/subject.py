"""Oracles in plain Python."""

import heapq

import numpy as np
import pytest

import alphacut

cv2 = pytest.importorskip("cv2")


def barrier_passes(channel, seed, passes):
    """FastMBD's raster passes, as printed: the first forward, the next backward, and so on."""
    height, width = channel.shape
    high = np.where(seed != 0, channel, np.float32(np.inf))
    low = np.where(seed != 0, channel, np.float32(-np.inf))
    for k in range(passes):
        step = 1 if k % 2 == 0 else -1
        for y in range(height)[::step]:
            for x in range(width)[::step]:
                for ny, nx in ((y, x - step), (y - step, x)):
                    if 0 <= ny < height and 0 <= nx < width:
                        top, bottom = max(high[ny, nx], channel[y, x]), min(low[ny, nx], channel[y, x])
                        if top - bottom < high[y, x] - low[y, x]:
                            high[y, x], low[y, x] = top, bottom
    return high - low


def barrier_exact(channel, seed):
    """The exact distance: for each lowest value allowed, the least highest value on the way (Dijkstra)."""
    height, width = channel.shape
    best = np.full(channel.shape, np.inf, np.float32)
    for floor in np.unique(channel):
        top = np.full(channel.shape, np.inf)
        queue = []
        for y, x in np.argwhere(seed != 0):
            if channel[y, x] >= floor:
                top[y, x] = channel[y, x]
                queue.append((top[y, x], y, x))
        heapq.heapify(queue)
        while queue:
            t, y, x = heapq.heappop(queue)
            for ny, nx in ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x)):
                if 0 <= ny < height and 0 <= nx < width and channel[ny, nx] >= floor:
                    new = max(t, channel[ny, nx])
                    if new < top[ny, nx]:
                        top[ny, nx] = new
                        heapq.heappush(queue, (new, ny, nx))
        best = np.minimum(best, (top - floor).astype(np.float32))
    return best


def network_input(rgb, hints=None, box=None, answer=None):
    """What the network sees of a prompt, as cpp/src/network_input.hpp says; `box` is (x, y, width, height)."""
    size = rgb.shape[0]
    n = size // 4
    planes = np.zeros((n, n, 8), np.int16)
    cells = alphacut.resize(rgb, (n, n), method="area")
    strokes = np.full((n, 4, n, 4), 2) if hints is None else hints.reshape(n, 4, n, 4)
    back, front = (strokes == 0).any((1, 3)), (strokes == 1).any((1, 3))
    x0, y0, x1, y1 = (0, 0, size, size) if box is None else (box[0], box[1], box[0] + box[2], box[1] + box[3])
    outside = np.ones((n, n), bool)
    outside[y0 // 4 : -(-y1 // 4), x0 // 4 : -(-x1 // 4)] = False
    known = outside | back
    told = bool(known.any())
    if not told:
        known = _frame(n, 1)
    front &= ~back
    known &= ~front
    if not known.any():
        known = _frame(n, 1)

    def put(plane, values):
        planes[..., plane] = np.rint(values)

    def closeness(which):
        distance = cv2.distanceTransform((~which).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return 127 * (6 / (6 + distance * np.float32(96 / n)))

    far = alphacut.barrier_map(cells, known, passes=3)
    put(0, 255 * (far / (far + 50)) - 128)
    if front.any():
        near = alphacut.barrier_map(cells, front, passes=3)
        put(1, 127 * ((far - near) / (far + near + 5)))
        put(5, closeness(front))
    if back.any():
        put(6, closeness(back))
    middle = 4 * np.arange(n) + 2
    if box is not None:
        within = [(middle >= a) & (middle < b) for a, b in ((y0, y1), (x0, x1))]
        put(3, np.where(within[0][:, None] & within[1], 100, -100))
    u, v = (((middle - (a + b) / 2) / ((b - a) / 2)) ** 2 for a, b in ((x0, x1), (y0, y1)))
    square = v[:, None] + u
    put(4, 80 * (1 - np.minimum(square, 2.5)))
    if not told:
        known = _frame(n, max(n // 12, 1))
    weight = 256 * front
    if not front.any():
        weight = np.where(known, 0, np.rint(256 * np.maximum(1 - square, 0) ** 2))
    inside, out = _colour_shares(cells, weight), _colour_shares(cells, known)
    put(2, np.rint(127 * (inside - out) / (inside + out + 1e-4))[_colour(cells)])
    if answer is not None:
        put(7, np.clip(np.float32(14) * answer, -127, 127))
    return planes


def _frame(size, width):
    frame = np.ones((size, size), bool)
    frame[width:-width, width:-width] = False
    return frame


def _colour(rgb):
    return (rgb >> 4) @ np.array([256, 16, 1])


def _colour_shares(rgb, weight):
    h = np.zeros((18, 18, 18))
    h[1:-1, 1:-1, 1:-1] = np.bincount(_colour(rgb).ravel(), weight.ravel(), 4096).reshape(16, 16, 16)
    h = h[:-2] + 2 * h[1:-1] + h[2:]
    h = h[:, :-2] + 2 * h[:, 1:-1] + h[:, 2:]
    h = h[:, :, :-2] + 2 * h[:, :, 1:-1] + h[:, :, 2:]
    return h.ravel() / max(h.sum(), 1)


def cut_evidence(probability, mask):
    """What tells good cuts from bad ones (cpp/src/confidence.hpp)."""
    p, inside = probability.astype(np.float64), mask > 0
    likely = probability > 0.5
    if not inside.any() or not likely.any():
        return [0.0] * 3

    def soft_iou(where):
        return p[where].sum() / (where.sum() + p[~where].sum())

    shares = np.array([soft_iou(inside), soft_iou(likely), np.abs(2 * p - 1)[inside | likely].mean()])
    shares = np.clip(shares, 1e-4, 1 - 1e-4)
    return list(np.log(shares / (1 - shares)))
