"""Minimum cuts on a grid the plain way: shortest augmenting paths (Edmonds and Karp), for tiny grids."""

from collections import deque

import numpy as np

OFFSETS = [(0, 1), (1, 0), (1, 1), (1, -1)]


def edges(neighbours):
    """(pixel, pixel, capacity) of each edge inside the picture, pixels numbered in raster order."""
    _, height, width = neighbours.shape
    for plane, (dy, dx) in zip(neighbours.tolist(), OFFSETS, strict=True):
        for y in range(height - dy):
            for x in range(max(0, -dx), width - max(0, dx)):
                yield y * width + x, (y + dy) * width + x + dx, plane[y][x]


def cut_capacity(source, sink, neighbours, mask):
    side = np.asarray(mask).ravel() > 0
    terminals = np.where(side, sink.ravel(), source.ravel()).sum(dtype=np.int64)
    return int(terminals) + sum(c for a, b, c in edges(neighbours) if side[a] != side[b])


def graph_cut(source, sink, neighbours):
    """(mask, flow): the smallest source side of all minimum cuts, and the maximum flow."""
    count = source.size
    start, end = count, count + 1
    residual = [{} for _ in range(count + 2)]
    for pixel, (a, b) in enumerate(zip(source.ravel().tolist(), sink.ravel().tolist(), strict=True)):
        residual[start][pixel], residual[pixel][end] = a, b
        residual[pixel][start] = residual[end][pixel] = 0
    for a, b, capacity in edges(neighbours):
        residual[a][b] = residual[b][a] = capacity
    flow = 0
    while True:
        parent = {start: start}
        queue = deque([start])
        while queue and end not in parent:
            a = queue.popleft()
            for b, capacity in residual[a].items():
                if capacity > 0 and b not in parent:
                    parent[b] = a
                    queue.append(b)
        if end not in parent:
            break
        path = [end]
        while path[-1] != start:
            path.append(parent[path[-1]])
        steps = list(zip(path[1:], path[:-1], strict=True))
        amount = min(residual[a][b] for a, b in steps)
        for a, b in steps:
            residual[a][b] -= amount
            residual[b][a] += amount
        flow += amount
    mask = np.zeros(count, np.uint8)
    mask[[pixel for pixel in parent if pixel < count]] = 255
    return mask.reshape(source.shape), flow
