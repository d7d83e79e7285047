"""Oracles of the matting stage: float64, brute force, for small pictures."""

import numpy as np


def box_mean(plane, radius):
    """Mean over the part of each window that lies in the picture; planes in the last axes."""
    height, width = plane.shape[:2]
    total = np.zeros((height + 1, width + 1, *plane.shape[2:]))
    total[1:, 1:] = np.asarray(plane, np.float64).cumsum(0).cumsum(1)
    y0, y1 = np.clip(np.arange(height) - radius, 0, None), np.clip(np.arange(height) + radius + 1, None, height)
    x0, x1 = np.clip(np.arange(width) - radius, 0, None), np.clip(np.arange(width) + radius + 1, None, width)
    sums = total[y1][:, x1] - total[y0][:, x1] - total[y1][:, x0] + total[y0][:, x0]
    count = (y1 - y0)[:, None] * (x1 - x0)
    return sums / count.reshape(count.shape + (1,) * (plane.ndim - 2))


def shrink(plane, factor):
    rows, columns = np.arange(0, plane.shape[0], factor), np.arange(0, plane.shape[1], factor)
    sums = np.add.reduceat(np.add.reduceat(np.asarray(plane, np.float64), rows, 0), columns, 1)
    count = np.add.reduceat(np.add.reduceat(np.ones(plane.shape[:2]), rows, 0), columns, 1)
    return sums / count.reshape(count.shape + (1,) * (plane.ndim - 2))


def enlarge(plane, factor, shape):
    """Bilinear between cell centres, the outermost repeated."""
    for axis in (0, 1):
        n = plane.shape[axis]
        at = np.clip((np.arange(shape[axis]) + 0.5) / factor - 0.5, 0, n - 1)
        first = np.minimum(at.astype(int), max(n - 2, 0))
        share = np.expand_dims(at - first, tuple(range(1, plane.ndim)))
        plane = np.moveaxis(plane, axis, 0)
        plane = plane[first] * (1 - share) + plane[np.minimum(first + 1, n - 1)] * share
        plane = np.moveaxis(plane, 0, axis)
    return plane


def guided_filter(guide, src, radius, eps, subsample=1):
    full = np.atleast_3d(np.asarray(guide, np.float64))
    i, p, radius = shrink(full, subsample), shrink(src, subsample), radius // subsample
    mean_i, mean_p = box_mean(i, radius), box_mean(p, radius)
    cov = box_mean(i[..., :, None] * i[..., None, :], radius) - mean_i[..., :, None] * mean_i[..., None, :]
    cov_ip = box_mean(i * p[..., None], radius) - mean_i * mean_p[..., None]
    a = np.linalg.solve(cov + eps * np.eye(i.shape[2]), cov_ip[..., None])[..., 0]
    b = mean_p - (a * mean_i).sum(-1)
    a, b = (enlarge(box_mean(v, radius), subsample, full.shape) for v in (a, b))
    return (a * full).sum(-1) + b


def squared_distance(mask):
    """To the nearest pixel of the other kind; a huge number if there is none."""
    points = np.argwhere(np.ones_like(mask, bool))
    kinds = mask.astype(bool).ravel()
    squared = ((points[:, None] - points[None]) ** 2).sum(-1)
    return np.where(kinds[:, None] != kinds[None], squared, 10**9).min(1).reshape(mask.shape)


def connected(members):
    """The 8-connected parts of a mask, each as a mask: least index by flooding."""
    parts = np.arange(members.size).reshape(members.shape)
    height, width = members.shape
    before = None
    while before is None or (parts != before).any():
        before = parts.copy()
        for y in range(height):
            for x in range(width):
                near = np.s_[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
                parts[y, x] = parts[near][members[near] == members[y, x]].min()
    return [parts == part for part in np.unique(parts[members])]


def at_edge(squared, y, x):
    """Whether, looking in 16 directions, some pixel is twice as far from the edge."""
    length = np.sqrt(np.float32(squared[y, x]))
    for turn in range(16):
        dy, dx = (abs(f(turn * np.pi / 8)) * length for f in (np.sin, np.cos))
        v = y + int(np.floor(dy + 0.5)) * (1 if turn < 8 else -1)
        u = x + int(np.floor(dx + 0.5)) * (1 if abs(turn - 8) > 4 else -1)
        if 0 <= v < squared.shape[0] and 0 <= u < squared.shape[1] and squared[v, u] >= 3.6 * squared[y, x]:
            return True
    return False


def make_trimap(mask, band):
    mask = mask.astype(bool)
    squared = squared_distance(mask)
    unknown = squared <= band**2
    known = np.argwhere(mask & ~unknown)
    points = np.argwhere(np.ones_like(mask))
    to_known = ((points[:, None] - known[None]) ** 2).sum(-1).min(1, initial=10**9).reshape(mask.shape)
    inside = np.where(mask, np.minimum(squared, (int(band) + 1) ** 2), 0)
    any_background = (~mask & ~unknown).any()
    for part in connected(mask & unknown & (to_known > (band + 1.5) ** 2)):
        if (to_known[part] > (5 * band) ** 2).any():
            for y, x in np.argwhere(part):
                unknown[y, x] = at_edge(inside, y, x)
    if not any_background:
        for part in connected(~mask):
            unknown[part & (squared == squared[part].max())] = False
    return np.where(unknown, 128, np.where(mask, 255, 0)).astype(np.uint8)


def laplacian(image, eps=1e-5):
    """Levin, Lischinski and Weiss's matrix, dense."""
    colours = np.asarray(image, np.float64)
    if colours.ndim == 2:
        colours = np.repeat(colours[..., None], 3, 2)
    height, width = colours.shape[:2]
    matrix = np.zeros((height * width, height * width))
    index = np.arange(height * width).reshape(height, width)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            near = np.s_[y - 1 : y + 2, x - 1 : x + 2]
            d = colours[near].reshape(9, 3)
            d = d - d.mean(0)
            inverse = np.linalg.inv(d.T @ d / 9 + eps / 9 * np.eye(3))
            members = index[near].ravel()
            matrix[np.ix_(members, members)] += np.eye(9) - (1 + d @ inverse @ d.T) / 9
    return matrix


def solve_laplacian(image, labels, confidence, alpha, weight):
    unknown = ((labels > 0) & (labels < 255)).ravel()
    matrix = laplacian(image)
    x = alpha.astype(np.float64).ravel()
    c = weight * confidence.astype(np.float64).ravel()[unknown]
    right = c * x[unknown] - matrix[unknown][:, ~unknown] @ x[~unknown]
    x[unknown] = np.linalg.solve(matrix[unknown][:, unknown] + np.diag(c), right)
    return x.reshape(labels.shape)


def offsets_within(reach):
    offsets = [(dx, dy) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]
    return sorted((o for o in offsets if np.hypot(*o) <= reach), key=lambda o: o[0] ** 2 + o[1] ** 2)


def expand_known(colours, labels):
    out = np.where((labels == 0) | (labels == 255), labels, 128)
    for y, x in np.argwhere(out == 128):
        near = []
        for dx, dy in offsets_within(5):
            v, u = y + dy, x + dx
            if 0 <= v < labels.shape[0] and 0 <= u < labels.shape[1] and labels[v, u] in (0, 255):
                differs = np.linalg.norm(colours[v, u] - colours[y, x])
                if differs <= 5 - np.hypot(dx, dy):
                    near.append((dx * dx + dy * dy, differs, len(near), labels[v, u]))
        if near:
            out[y, x] = min(near)[3]
    return out


def mix(i, f, b, least):
    return np.clip((i - b) @ (f - b) / (((f - b) ** 2).sum() + least), 0, 1)


def misfit(i, f, b):
    return ((i - b - mix(i, f, b, 1e-3) * (f - b)) ** 2).sum()


def sample_colours(image, labels):
    """Expanded labels, alpha and confidence. `image` is (H, W, 3) from 0 to 1."""
    full = np.asarray(image, np.float64) * 255
    labels = expand_known(full, labels)
    half = shrink(full, 2)
    kinds = np.where(shrink(labels == 255, 2) > 0.5, 255, np.where(shrink(labels == 0, 2) > 0.5, 0, 128))
    height, width = kinds.shape

    def inside(y, x):
        return 0 <= y < height and 0 <= x < width

    def rays(y, x):
        found, least = {0: [], 255: []}, {0: np.inf, 255: np.inf}
        base = (0, 7, 6, 1, 4, 5, 2, 3, 0)[x % 3 + 3 * (y % 3)]
        limit = 100
        for k, turn in enumerate((0, 1, 2, 3) if base < 4 else (0, 2, 1, 3) if base == 4 else (0, 3, 2, 1)):
            angle = np.deg2rad(base * 11.25 + 90 * turn)
            cost, wanted, before = 0, {0, 255}, half[y, x]
            if k == 2:
                limit = min([100, *(16 + 4 * s for kind in found.values() for _, _, s in kind)])
            for step in range(1, 1 + limit):
                u = int(np.floor(x + round(step * np.cos(angle), 5) + 0.5))
                v = int(np.floor(y + round(step * np.sin(angle), 5) + 0.5))
                if not inside(v, u):
                    break
                cost += ((half[v, u] - before) ** 2).sum()
                before = half[v, u]
                if kinds[v, u] in wanted:
                    wanted.remove(kinds[v, u])
                    found[kinds[v, u]].append((v, u, step))
                    least[kinds[v, u]] = min(least[kinds[v, u]], cost)
        return found, least

    def variance(y, x):
        near = np.s_[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
        return ((half[near][kinds[near] == kinds[y, x]] - half[y, x]) ** 2).sum(-1).mean()

    pairs = {}
    for y, x in np.argwhere(kinds == 128):
        found, least = rays(y, x)
        best = np.inf
        for fy, fx, fd in found[255]:
            for by, bx, bd in found[0]:
                f, b = half[fy, fx], half[by, bx]
                near = half[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].reshape(-1, 3)
                n = sum(misfit(i, f, b) for i in near)
                likely = least[0] / (least[255] + least[0] + 1e-6)
                a = likely + (1 - 2 * likely) * mix(half[y, x], f, b, 1e-3)
                cost = (n + 1e-3) ** 3 * (a + 1e-3) ** 2 * fd * bd**4
                if cost < best:
                    best = cost
                    pairs[y, x] = np.concatenate([f, b, [variance(fy, fx), variance(by, bx)]])

    shared = {}
    for y, x in np.argwhere(kinds == 128):
        near = [pairs[y + dy, x + dx] for dx, dy in offsets_within(9) if (y + dy, x + dx) in pairs]
        near = sorted(near, key=lambda p, i=half[y, x]: misfit(i, p[:3], p[3:6]))[:3]
        if near:
            mean = np.mean(near, 0)
            f, b, f_variance, b_variance = mean[:3], mean[3:6], mean[6], mean[7]
            f = half[y, x] if ((f - half[y, x]) ** 2).sum() < f_variance else f
            b = half[y, x] if ((b - half[y, x]) ** 2).sum() < b_variance else b
            shared[y, x] = np.concatenate([f, b])

    alpha, confidence = (labels == 255).astype(float), np.ones(labels.shape)
    for y, x in np.argwhere(labels == 128):
        total, mean = 0, np.zeros(6)
        at_y, at_x = (np.clip((v + 0.5) / 2 - 0.5, 0, n - 1) for v, n in ((y, height), (x, width)))
        for v in (int(at_y), int(at_y) + 1):
            for u in (int(at_x), int(at_x) + 1):
                w = (1 - abs(v - at_y)) * (1 - abs(u - at_x))
                if w > 0 and (v, u) in shared:
                    total, mean = total + w, mean + w * shared[v, u]
        alpha[y, x], confidence[y, x] = 0.5, 0
        if total > 0:
            f, b, i = mean[:3] / total, mean[3:] / total, full[y, x]
            if ((f - b) ** 2).sum() >= 1:
                alpha[y, x] = mix(i, f, b, 1)
                confidence[y, x] = np.exp(-20 / 255 * np.linalg.norm(i - b - alpha[y, x] * (f - b)))
    return labels.astype(np.uint8), alpha, confidence
