"""SLIC superpixels in plain NumPy: cpp/include/alphacut/superpixels.hpp specifies the numbers."""

from collections import deque

import numpy as np


def _parts(count, most):
    return most if count >= most else max(1, int(count + 0.5))


def _pieces(labels):
    """The 4-connected pieces of each label, numbered from 0 in raster order of their first pixels."""
    height, width = labels.shape
    pieces = np.full(labels.shape, -1)
    count = 0
    for y in range(height):
        for x in range(width):
            if pieces[y, x] >= 0:
                continue
            pieces[y, x] = count
            queue = deque([(y, x)])
            while queue:
                v, u = queue.popleft()
                for b, a in ((v - 1, u), (v + 1, u), (v, u - 1), (v, u + 1)):
                    if 0 <= b < height and 0 <= a < width and pieces[b, a] < 0 and labels[b, a] == labels[y, x]:
                        pieces[b, a] = count
                        queue.append((b, a))
            count += 1
    return pieces, count


def slic(lab, n_segments, compactness=10.0, max_iter=10):
    """Labels of a picture that is given in CIE L*a*b*, (H, W, 3)."""
    height, width, _ = lab.shape
    values = np.floor(lab.astype(np.float64) * 16 + 0.5).astype(np.int64)
    few = _parts(min(height, width) / np.sqrt(height * width / n_segments), min(height, width))
    many = _parts(n_segments / few, max(height, width))
    rows, columns = (many, few) if width < height else (few, many)
    reach = max(-(-height // rows), -(-width // columns))
    places = [
        ((2 * i + 1) * 2 * height // rows - 2, (2 * j + 1) * 2 * width // columns - 2)
        for i in range(rows)
        for j in range(columns)
    ]
    centers = np.array([(y, x, *values[(y + 2) // 4, (x + 2) // 4]) for y, x in places])
    down, across = np.mgrid[:height, :width]
    down, across = 4 * down, 4 * across  # in quarters of a pixel
    points = np.dstack([down, across, values])
    labels = np.zeros((height, width), int)

    def near(gap):
        return np.minimum((4 * compactness * gap) ** 2 * (rows * columns) / (height * width) + 0.5, 2**29).astype(int)

    for i in range(max_iter):
        if i > 0:
            before = centers.copy()
            for k in range(len(centers)):
                own = points[labels == k]
                if len(own):
                    centers[k] = (2 * own.sum(0) + len(own)) // (2 * len(own))
            if np.array_equal(before, centers):
                break
        best = np.full((height, width), 2**31 - 1)
        for k, center in enumerate(centers):
            dy, dx = np.abs(down - center[0]), np.abs(across - center[1])
            distance = ((values - center[2:]) ** 2).sum(2) + near(dy) + near(dx)
            closer = (dy <= 4 * reach) & (dx <= 4 * reach) & (distance < best)
            best[closer], labels[closer] = distance[closer], k

    pieces, count = _pieces(labels)
    least = height * width // (4 * rows * columns)
    number = np.zeros(count, int)
    numbers = 0
    for piece in range(count):
        y, x = np.argwhere(pieces == piece)[0]
        if piece == 0 or (pieces == piece).sum() >= least:
            number[piece] = numbers
            numbers += 1
        else:
            number[piece] = number[pieces[y, x - 1] if x > 0 else pieces[y - 1, x]]
    return number[pieces], numbers
