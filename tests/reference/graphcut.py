"""Minimum cuts on a grid the plain way: shortest augmenting paths (Edmonds and Karp), for tiny grids."""

from collections import deque

import numpy as np

OFFSETS = [(0, 1), (1, 0), (1, 1), (1, -1)]


def edges(neighbours, reverse=None):
    """(pixel, pixel, capacity, capacity back) of each edge in the picture, pixels numbered in raster order."""
    planes, height, width = neighbours.shape
    reverse = neighbours if reverse is None else reverse
    for plane, back, (dy, dx) in zip(neighbours.tolist(), reverse.tolist(), OFFSETS[:planes], strict=True):
        for y in range(height - dy):
            for x in range(max(0, -dx), width - max(0, dx)):
                yield y * width + x, (y + dy) * width + x + dx, plane[y][x], back[y][x]


def cut_capacity(source, sink, neighbours, mask, reverse=None):
    side = np.asarray(mask).ravel() > 0
    terminals = np.where(side, sink.ravel(), source.ravel()).sum(dtype=np.int64)
    return int(terminals) + sum(
        there if side[a] else back for a, b, there, back in edges(neighbours, reverse) if side[a] != side[b]
    )


def graph_cut(source, sink, neighbours, reverse=None):
    """(mask, flow): the smallest source side of all minimum cuts, and the maximum flow."""
    count = source.size
    start, end = count, count + 1
    residual = [{} for _ in range(count + 2)]
    for pixel, (a, b) in enumerate(zip(source.ravel().tolist(), sink.ravel().tolist(), strict=True)):
        residual[start][pixel], residual[pixel][end] = a, b
        residual[pixel][start] = residual[end][pixel] = 0
    for a, b, there, back in edges(neighbours, reverse):
        residual[a][b], residual[b][a] = there, back
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


def _sides(neighbours):
    """Of each plane: its weights in the picture, and the slices of the pixels and of their neighbours."""
    _, height, width = neighbours.shape
    for plane, (dy, dx) in zip(neighbours, OFFSETS, strict=False):
        here = np.s_[..., : height - dy, max(0, -dx) : width - max(0, dx)]
        there = np.s_[..., dy:, max(0, dx) : width + min(0, dx)]
        yield plane[here].astype(np.int64), here, there


def labelling_energy(costs, smoothness, neighbours, labels):
    """What each of some labellings (..., H, W) costs."""
    labels = np.asarray(labels)
    energy = sum((plane * (labels == label)).sum((-2, -1)) for label, plane in enumerate(costs.astype(np.int64)))
    for weights, here, there in _sides(neighbours):
        energy = energy + (weights * np.asarray(smoothness)[labels[here], labels[there]]).sum((-2, -1))
    return energy


def alpha_expansion(costs, smoothness, neighbours, max_iter=100):
    """(labels, energy, rounds): of all sets of pixels the best one is moved, the smallest of equals."""
    n_labels, *shape = costs.shape
    sets = np.unpackbits(np.arange(2 ** costs[0].size, dtype=">u4").view(np.uint8).reshape(-1, 4), axis=1)
    sets = sets[:, 32 - costs[0].size :].reshape(-1, *shape).astype(bool)
    labels = costs.argmin(axis=0)
    idle = rounds = 0
    while idle < n_labels and rounds < max_iter:
        rounds += 1
        for alpha in range(n_labels):
            if idle == n_labels:
                break
            moved = np.where(sets, alpha, labels)
            energy = labelling_energy(costs, smoothness, neighbours, moved)
            best = np.flatnonzero(energy == energy.min())
            best = moved[best[(moved[best] != labels).sum((-2, -1)).argmin()]]
            idle = idle + 1 if np.array_equal(best, labels) else 1
            labels = best
    return labels, int(labelling_energy(costs, smoothness, neighbours, labels)), rounds
