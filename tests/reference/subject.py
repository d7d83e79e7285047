"""Oracles in plain Python."""

import heapq

import numpy as np


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
