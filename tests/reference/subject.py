"""Oracles in plain Python."""

import heapq

import cv2
import numpy as np

import alphacut


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


def prompt_planes(rgb, hints=None, box=None):
    """What the network sees, as cpp/src/prompt_planes.hpp says; `box` is (x, y, width, height)."""
    size = rgb.shape[0]
    n = size // 2
    planes = np.zeros((size, size, 10), np.int16)
    planes[..., :3] = rgb.astype(np.int16) - 128
    half = alphacut.resize(rgb, (n, n), method="area")
    cells = np.full((n, 2, n, 2), 2) if hints is None else hints.reshape(n, 2, n, 2)
    back, front = (cells == 0).any((1, 3)), (cells == 1).any((1, 3))
    x0, y0, x1, y1 = (0, 0, size, size) if box is None else (box[0], box[1], box[0] + box[2], box[1] + box[3])
    outside = np.ones((n, n), bool)
    outside[(y0 + 1) // 2 : y1 // 2, (x0 + 1) // 2 : x1 // 2] = False
    known = outside | back
    told = bool(known.any())
    if not told:
        known = _frame(n, 1)
    front &= ~known

    def put(plane, values):
        planes.reshape(n, 2, n, 2, 10)[..., plane] = np.rint(values).astype(np.int16)[:, None, :, None]

    def closeness(strokes):
        distance = cv2.distanceTransform((~strokes).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return 127 * (6 / (6 + distance * np.float32(96 / n)))

    far = alphacut.barrier_map(half, known, passes=3)
    put(3, 255 * (far / (far + 50)) - 128)
    if front.any():
        near = alphacut.barrier_map(half, front, passes=3)
        put(4, 127 * ((far - near) / (far + near + 5)))
        put(8, closeness(front))
    if back.any():
        put(9, closeness(back))
    if box is not None:
        planes[..., 6] = -100
        planes[y0:y1, x0:x1, 6] = 100
    u = ((np.arange(size) + 0.5 - (x0 + x1) / 2) / ((x1 - x0) / 2)) ** 2
    v = ((np.arange(size) + 0.5 - (y0 + y1) / 2) / ((y1 - y0) / 2)) ** 2
    square = v[:, None] + u
    planes[..., 7] = np.rint(80 * (1 - np.minimum(square, 2.5)))
    if not told:
        known = _frame(n, n // 12)
    weight = 256 * front
    if not front.any():
        weight = np.where(known, 0, np.rint(256 * np.maximum(1 - square[::2, ::2], 0) ** 2))
    inside, out = _colour_shares(half, weight), _colour_shares(half, known)
    planes[..., 5] = np.rint(127 * (inside - out) / (inside + out + 1e-4))[_colour(rgb)]
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
