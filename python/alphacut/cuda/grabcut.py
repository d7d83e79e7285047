"""GrabCut on the GPU: the labels of ``_core.GrabCutter``.

The rounds run on a copy of at most 320 pixels, which is too small for a GPU: they are the CPU's, and nothing larger
than this copy leaves the GPU for them. At the larger sizes everything is done there: the copies themselves, the hints,
the band, the statistics of the colours, the graph and its cut. From a size to the next only sums and models pass by the
host, where the CPU's code makes models and weights of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import cuda

from .. import _core
from .._arrays import Array, native
from ._arrays import checked_out, given, on_device, result, written
from ._exact import minus, plus, times
from ._grid import add_up, dx, dy, launch
from ._kernel import kernel
from .graphcut import FAR, residual_graph, solve
from .resize import resize_area

BAND = 3  # pixels of the smaller size to either side of an edge
_OUTSIDE, _INSIDE, _NODE = range(3)  # where a pixel stands: on a side for good, or in the graph
_COMPONENTS = 16  # of a mixture, at most
_FIELDS = 10  # of a component: a model's numbers, or count, sums and products of its pixels
_SCALE = 1024.0  # capacities to a unit of energy
_MOST = 2**29 - 1  # of a terminal
_MAX_LOG_ODDS = 1e4  # of the colours

# What `notes` holds.
_OVERRULED, _LABELS, _KEPT, _THIN, _NODES, _CONTRAST, _EDGES, _SUPPLY, _LEFT, _CAPACITY = range(10)

int32, float32 = np.int32, np.float32  # Numba widens int32 arithmetic to int64 unless told

_PICTURE, _LABEL_MAP, _NOTES = "uint8[:, :, ::1]", "uint8[:, ::1]", "int64[::1]"
_WEIGHTS = "int32[::1], int32[::1]"  # of straight and diagonal edges, by squared difference of colour
_MODELS = "float32[:, :, ::1], int64[::1]"  # of both sides, and how many components each has
_PRIOR = "float32[:, ::1]"


@cuda.jit(device=True)
def difference(image, y, x, v, u):  # type: ignore[no-untyped-def]
    """Squared difference of two pixels' colours; gray counts three times."""
    total = int32(0)
    for channel in range(3):
        c = min(channel, image.shape[2] - 1)
        d = int32(int32(image[y, x, c]) - int32(image[v, u, c]))
        total = int32(total + int32(d * d))
    return total


@cuda.jit(device=True)
def weight_of(image, y, x, v, u, straight, diagonal):  # type: ignore[no-untyped-def]
    """The capacity between two neighbours."""
    squared = difference(image, y, x, v, u)
    if y != v and x != u:
        return diagonal[min(squared, diagonal.size - 1)]
    return straight[min(squared, straight.size - 1)]


@cuda.jit(device=True)
def best_component(image, y, x, models, side, count):  # type: ignore[no-untyped-def]
    """The best score that a side's model gives a pixel's colour, and whose it is, the first of equals."""
    last = image.shape[2] - 1
    r, g, b = float32(image[y, x, 0]), float32(image[y, x, min(1, last)]), float32(image[y, x, last])
    top, who = float32(-3.0e38), int32(0)
    for k in range(count):
        m = models[side, k]
        d0, d1, d2 = minus(r, m[0]), minus(g, m[1]), minus(b, m[2])
        z0 = times(m[3], d0)
        z1 = plus(times(m[4], d0), times(m[5], d1))
        z2 = plus(plus(times(m[6], d0), times(m[7], d1)), times(m[8], d2))
        value = minus(m[9], plus(plus(times(z0, z0), times(z1, z1)), times(z2, z2)))
        if value > top:
            top, who = value, int32(k)
    return top, who


@cuda.jit(device=True)
def place_of(i, size, cells):  # type: ignore[no-untyped-def]
    """Where pixel i of `size` lies among so many cells: the cell before, and how far from it to the next."""
    at = min(max((np.float64(i) + 0.5) * np.float64(cells) / np.float64(size) - 0.5, 0.0), np.float64(cells - 1))
    first = np.int64(at)
    return first, float32(at - np.float64(first))


@cuda.jit(device=True)
def between(a, b, share):  # type: ignore[no-untyped-def]
    """a, or a share of the way to b."""
    return plus(a, times(share, minus(b, a)))


@cuda.jit(device=True)
def terminal_of(image, y, x, models, counts, log_odds):  # type: ignore[no-untyped-def]
    """Log-odds of foreground of an undecided pixel, as a capacity; those of its colour are 0 where a model is empty."""
    odds = float32(0)
    if counts[0] > 0 and counts[1] > 0:
        front, _ = best_component(image, y, x, models, 1, counts[1])
        back, _ = best_component(image, y, x, models, 0, counts[0])
        odds = min(max(minus(front, back), float32(-_MAX_LOG_ODDS)), float32(_MAX_LOG_ODDS))
    prior = float32(0)
    rows, columns = log_odds.shape
    if rows > 0:
        v, down = place_of(y, image.shape[0], rows)
        u, right = place_of(x, image.shape[1], columns)
        below, after = min(v + 1, rows - 1), min(u + 1, columns - 1)
        prior = between(
            between(log_odds[v, u], log_odds[v, after], right),
            between(log_odds[below, u], log_odds[below, after], right),
            down,
        )
    data = times(float32(_SCALE), plus(odds, prior))
    return int32(plus(data, float32(-0.5) if data < 0 else float32(0.5)))


@kernel(f"void({_LABEL_MAP}, int64, int64, int64, int64, int64, {_LABEL_MAP}, {_NOTES})")
def apply_hints(hints, hinted, left, top, right, bottom, labels, notes):  # type: ignore[no-untyped-def]
    """The hints, or 3 if there are none; outside the box 0. Notes the values seen, and foreground that is overruled."""
    height, width = labels.shape
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        label = np.uint8(3)
        if hinted != 0:
            label = hints[y, x]
            if label > 3:
                cuda.atomic.max(notes, _LABELS, np.int64(label))
        if y < top or y >= bottom or x < left or x >= right:
            if label == 1:
                notes[_OVERRULED] = 1
            label = np.uint8(0)
        labels[y, x] = label


@kernel(f"void({_LABEL_MAP}, int64, {_LABEL_MAP}, {_NOTES})")
def shrink_labels(labels, parts, small, notes):  # type: ignore[no-untyped-def]
    """Labels at a smaller size, as ``shrink_labels``: background where it covers more than one of so many parts."""
    height, width = labels.shape
    rows, columns = small.shape
    for i in range(cuda.grid(1), rows * columns, cuda.gridsize(1)):
        y = i // columns
        x = i - y * columns
        top, bottom = y * height // rows, ((y + 1) * height - 1) // rows + 1
        left, right = x * width // columns, ((x + 1) * width - 1) // columns + 1
        known = np.int64(0)
        stroke = False
        for v in range(top, bottom):
            for u in range(left, right):
                label = labels[v, u]
                known += label == 0
                stroke = stroke or label == 1
        enough = parts * known > (bottom - top) * (right - left)
        if known > 0 and not stroke:
            notes[_KEPT if enough else _THIN] = 1
        if stroke:
            small[y, x] = 1
        elif enough:
            small[y, x] = 0
        else:
            small[y, x] = labels[(2 * y + 1) * height // (2 * rows), (2 * x + 1) * width // (2 * columns)]


@kernel(f"void({_LABEL_MAP}, int64, {_LABEL_MAP})")
def find_band(small, whole, small_domain):  # type: ignore[no-untyped-def]
    """Where the sides meet within a few pixels, or everywhere: the graph; elsewhere the pixel's side."""
    height, width = small.shape
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        side = small[y, x] & 1
        meet = whole != 0
        for v in range(max(y - BAND, 0), min(y + BAND + 1, height)):
            for u in range(max(x - BAND, 0), min(x + BAND + 1, width)):
                meet = meet or small[v, u] & 1 != side
        small_domain[y, x] = _NODE if meet else side


@kernel(f"void({_LABEL_MAP}, {_LABEL_MAP}, {_LABEL_MAP}, {_LABEL_MAP}, {_NOTES})")
def enlarge_labels(small, small_domain, labels, domain, notes):  # type: ignore[no-untyped-def]
    """The smaller size's sides for undecided labels, and where each pixel stands."""
    height, width = labels.shape
    rows, columns = small.shape
    nodes = np.int64(0)
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        label = labels[y, x]
        if label > 1:
            v, u = (2 * y + 1) * rows // (2 * height), (2 * x + 1) * columns // (2 * width)  # its centre lies there
            labels[y, x] = 2 + (small[v, u] & 1)
            label = small_domain[v, u]
        domain[y, x] = label
        nodes += label == _NODE
    add_up(nodes, notes, _NODES)


@kernel(f"void({_PICTURE}, int64, {_NOTES})")
def measure_contrast(image, step, notes):  # type: ignore[no-untyped-def]
    """Squared differences between the neighbours of every `step`-th row and those ahead of them, and their number."""
    height, width, _ = image.shape
    total = np.int64(0)
    edges = np.int64(0)
    for i in range(cuda.grid(1), ((height - 1) // step + 1) * width, cuda.gridsize(1)):
        y = i // width * step
        x = i % width
        for k in range(0, 8, 2):
            v, u = y + dy(k), x + dx(k)
            if v < height and u >= 0 and u < width:
                total += difference(image, y, x, v, u)
                edges += 1
    add_up(total, notes, _CONTRAST)
    add_up(edges, notes, _EDGES)


@kernel(f"void({_PICTURE}, {_LABEL_MAP}, {_MODELS}, int64, int64[:, :, ::1])")
def add_colours(image, labels, models, counts, step, sums):  # type: ignore[no-untyped-def]
    """Count, sums and products of the colours of each component's pixels, in every `step`-th row."""
    own = cuda.shared.array((2, _COMPONENTS, _FIELDS), np.int64)
    for i in range(cuda.threadIdx.x, 2 * _COMPONENTS * _FIELDS, cuda.blockDim.x):
        own[i // (_COMPONENTS * _FIELDS), i // _FIELDS % _COMPONENTS, i % _FIELDS] = 0
    cuda.syncthreads()
    height, width, channels = image.shape
    for i in range(cuda.grid(1), ((height - 1) // step + 1) * width, cuda.gridsize(1)):
        y = i // width * step
        x = i % width
        side = np.int64(labels[y, x] & 1)
        _, k = best_component(image, y, x, models, side, counts[side])
        cuda.atomic.add(own, (side, k, 0), np.int64(1))
        at = 4
        for c in range(3):
            a = np.int64(image[y, x, min(c, channels - 1)])
            cuda.atomic.add(own, (side, k, 1 + c), a)
            for d in range(c + 1):
                cuda.atomic.add(own, (side, k, at), a * np.int64(image[y, x, min(d, channels - 1)]))
                at += 1
    cuda.syncthreads()
    for i in range(cuda.threadIdx.x, 2 * _COMPONENTS * _FIELDS, cuda.blockDim.x):
        field = i // (_COMPONENTS * _FIELDS), i // _FIELDS % _COMPONENTS, i % _FIELDS
        if own[field] != 0:
            cuda.atomic.add(sums, field, own[field])


@kernel(
    f"void({_PICTURE}, {_LABEL_MAP}, {_WEIGHTS}, {_MODELS}, {_PRIOR}, int32[:, :, ::1], int64[:, ::1], int32[:, ::1], "
    f"{_NOTES})"
)
def build(image, domain, straight, diagonal, models, counts, log_odds, arcs, excess, labels, notes):  # type: ignore[no-untyped-def]
    """The residual graph of the nodes before any flow; edges to other pixels join them to a terminal."""
    height, width, _ = image.shape
    supply = np.int64(0)
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        node = domain[y, x] == _NODE
        fold = int32(0)
        open_arcs = int32(0)
        for k in range(8):
            v, u = y + dy(k), x + dx(k)
            capacity = int32(0)
            if node and v >= 0 and v < height and u >= 0 and u < width:
                capacity = weight_of(image, y, x, v, u, straight, diagonal)
                if domain[v, u] != _NODE:
                    fold = int32(fold + capacity) if domain[v, u] == _INSIDE else int32(fold - capacity)
                    capacity = int32(0)
            arcs[k, y, x] = capacity
            if capacity > 0:
                open_arcs |= int32(1) << int32(k)
        own = np.int64(0)
        if node:
            own = -np.int64(min(max(terminal_of(image, y, x, models, counts, log_odds) + fold, -_MOST), _MOST))
        excess[y, x] = own
        labels[y, x] = open_arcs
        supply += max(own, np.int64(0))
    add_up(supply, notes, _SUPPLY)


@kernel(f"void(int64[:, ::1], int32[:, ::1], {_LABEL_MAP}, {_LABEL_MAP}, {_NOTES})")
def decide_labels(excess, reached, domain, labels, notes):  # type: ignore[no-untyped-def]
    """The sides of the nodes, and the excess that is left."""
    height, width = labels.shape
    left = np.int64(0)
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        if domain[y, x] == _NODE:
            labels[y, x] = 3 if reached[y, x] >> int32(8) < FAR else 2
        left += max(excess[y, x], np.int64(0))
    add_up(left, notes, _LEFT)


@kernel(f"void({_PICTURE}, {_LABEL_MAP}, {_LABEL_MAP}, {_WEIGHTS}, int64[:, ::1], {_NOTES})")
def measure_cut(image, domain, labels, straight, diagonal, terminals, notes):  # type: ignore[no-untyped-def]
    """What the cut of the nodes costs. `terminals` is the excess before any flow."""
    height, width, _ = image.shape
    capacity = np.int64(0)
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        if domain[y, x] != _NODE:
            continue
        side = labels[y, x] & 1
        capacity += max(terminals[y, x] if side == 1 else -terminals[y, x], np.int64(0))
        for k in range(0, 8, 2):
            v, u = y + dy(k), x + dx(k)
            if v < height and u >= 0 and u < width and domain[v, u] == _NODE and labels[v, u] & 1 != side:
                capacity += weight_of(image, y, x, v, u, straight, diagonal)
    add_up(capacity, notes, _CAPACITY)


@kernel(f"void({_PICTURE}, {_LABEL_MAP}, {_WEIGHTS}, {_MODELS}, {_PRIOR}, {_NOTES})")
def measure_energy(image, labels, straight, diagonal, models, counts, log_odds, notes):  # type: ignore[no-untyped-def]
    """What labels cost over the whole picture: data of undecided pixels against their better side, and border."""
    height, width, _ = image.shape
    cost = np.int64(0)
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        side = labels[y, x] & 1
        if labels[y, x] > 1:
            data = min(max(terminal_of(image, y, x, models, counts, log_odds), -_MOST), _MOST)
            cost += max(np.int64(-data if side == 1 else data), np.int64(0))
        for k in range(0, 8, 2):
            v, u = y + dy(k), x + dx(k)
            if v < height and u >= 0 and u < width and labels[v, u] & 1 != side:
                cost += weight_of(image, y, x, v, u, straight, diagonal)
    add_up(cost, notes, _CAPACITY)


@kernel(f"void({_LABEL_MAP}, {_LABEL_MAP})")
def write_mask(labels, mask):  # type: ignore[no-untyped-def]
    """255 where foreground."""
    height, width = labels.shape
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        mask[i // width, i % width] = 255 * (labels[i // width, i % width] & 1)


class Level:
    """One size of the picture, larger than the smallest: edge weights, and the cut of the nodes."""

    def __init__(self, image: Any, gamma: float) -> None:
        self.image = image
        self.pixels = image.shape[0] * image.shape[1]
        every, self.fitted = _core.grabcut_steps(self.pixels)
        notes = self._contrast(every)
        if notes[_CONTRAST] == 0:
            notes = self._contrast(1)
        straight, diagonal = _core.edge_weights(gamma, int(notes[_CONTRAST]), int(notes[_EDGES]))
        self.weights = cuda.to_device(straight), cuda.to_device(diagonal)

    def _contrast(self, step: int) -> Array:
        notes = _no_notes()
        measure_contrast[launch(self.pixels // step)](self.image, step, notes)
        found: Array = notes.copy_to_host()
        return found

    def fit(self, labels: Any, models: list[Array]) -> list[Array]:
        """The models of both sides, each pixel in its best component of the old ones."""
        sums = cuda.to_device(np.zeros((2, _COMPONENTS, _FIELDS), np.int64))
        add_colours[launch(self.pixels // self.fitted)](self.image, labels, *_packed(models), self.fitted, sums)
        return [_core.refit(own, self.fitted, old) for own, old in zip(sums.copy_to_host(), models, strict=True)]

    def cut(self, domain: Any, models: list[Array], log_odds: Any, labels: Any, certify: bool) -> int:
        """Cut exactly, write 2 or 3 to the labels of the nodes, and return the flow."""
        arcs, excess, reached, state = residual_graph(*labels.shape)
        grid, notes = launch(self.pixels), _no_notes()
        build[grid](self.image, domain, *self.weights, *_packed(models), log_odds, arcs, excess, reached, notes)
        terminals = None
        if certify:
            terminals = cuda.device_array_like(excess)
            terminals.copy_to_device(excess)
        solve(arcs, excess, reached, state)
        decide_labels[grid](excess, reached, domain, labels, notes)
        if certify:
            measure_cut[grid](self.image, domain, labels, *self.weights, terminals, notes)
        found = notes.copy_to_host()
        flow = int(found[_SUPPLY] - found[_LEFT])
        if certify and flow != found[_CAPACITY]:
            raise RuntimeError("grabcut: the flow does not equal the capacity of the cut")
        return flow

    def cost(self, models: list[Array], log_odds: Any, labels: Any) -> int:
        """Of the labels over the whole picture."""
        notes = _no_notes()
        measure_energy[launch(self.pixels)](self.image, labels, *self.weights, *_packed(models), log_odds, notes)
        return int(notes.copy_to_host()[_CAPACITY])


def grabcut(
    image: Any,
    labels: Any,
    box: Sequence[int] | None,
    unary: Any,
    *,
    gamma: float,
    max_iter: int,
    n_components: int,
    seed: int,
    clean: bool,
    exact: bool,
    certify: bool,
    models: list[list[float]],
    freeze_models: bool,
    out: Any,
) -> tuple[Any, Any, float, int, bool, tuple[str, ...], tuple[Array, Array]]:
    """As ``_core.GrabCutter(image, gamma).cut(...)``, and the same bytes.

    `image`, `labels`, `unary` and `out` are in host memory or on the current GPU, there contiguous, the picture of
    uint8. Mask (without `out`) and labels are on the GPU if `image` is.
    """
    picture = _picture(image)
    shape = picture.shape[:2]
    hints = None if labels is None else given(labels, "labels", (np.uint8,))
    if hints is not None and hints.shape != shape:
        raise ValueError(f"grabcut: labels must have the size of image, {shape}, got {hints.shape}")
    prior = None if unary is None else given(unary, "unary", (np.float32,))
    # What is on a GPU is so as Numba's view of it; a picture in host memory may have been copied to become 8 bits deep.
    original = image if isinstance(image, np.ndarray) else None
    target = checked_out(out, tuple(a for a in (picture, hints, prior, original) if a is not None), shape)
    sizes, boxes, warnings = _core.grabcut_plan(shape[0], shape[1], box)

    pictures = [on_device(picture)]
    for size in sizes[-2::-1]:
        pictures.insert(0, resize_area(pictures[0], *size))
    told, notes = _hints(None if hints is None else on_device(hints), sizes, boxes)
    if notes[_LABELS] > 0:
        raise ValueError(f"grabcut: labels must be 0, 1, 2 or 3, got {notes[_LABELS]}")
    if notes[_OVERRULED] > 0:
        warnings.append("foreground labels outside the box were taken as background")
    found, back, front, odds, energy, rounds, doubts = _core.grabcut_coarse(
        pictures[0].copy_to_host().squeeze(2) if picture.shape[2] == 1 else pictures[0].copy_to_host(),
        gamma,
        told[0].copy_to_host(),
        boxes[0] if boxes else None,
        None if prior is None else _host(prior),
        max_iter,
        n_components,
        seed,
        clean,
        certify,
        models,
        freeze_models,
    )
    told[0] = cuda.to_device(found)
    mixtures = [back, front]
    log_odds = cuda.to_device(np.empty((0, 0), np.float32) if odds is None else odds)
    for i in range(1, len(sizes)):
        level: Level | None = None
        domain, nodes = _domain(told[i - 1], told[i], exact and i == len(sizes) - 1)
        if rounds == 0 or nodes == 0:
            continue
        level = Level(pictures[i], gamma)
        if min(map(len, mixtures)) > 0 and not freeze_models:
            mixtures = level.fit(told[i], mixtures)
        energy = level.cut(domain, mixtures, log_odds, told[i], certify) / _SCALE
    if certify and len(sizes) > 1:
        energy = (level or Level(pictures[-1], gamma)).cost(mixtures, log_odds, told[-1]) / _SCALE

    mask = written(target, shape)
    write_mask[launch(mask.size)](told[-1], mask)
    cuda.default_stream().synchronize()  # if all results stay on the GPU, no copy waits for them
    full = result(told[-1], None, image)
    background, foreground = _core.gaussians(*mixtures)
    whole = exact or len(sizes) == 1
    return (result(mask, out, image), full, energy, rounds, whole, (*warnings, *doubts), (background, foreground))


def _picture(image: Any) -> Any:
    """As (H, W, C) of uint8."""
    if isinstance(image, np.ndarray):
        image = _core.grabcut_picture(native(image))
    else:
        image = given(image, "image", (np.uint8,))
        if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or image.size == 0:
            raise ValueError(
                f"image must have shape (height, width) or (height, width, 3), no side 0, got {image.shape}"
            )
    return image.reshape(*image.shape[:2], -1)


def _host(array: Any) -> Array:
    host: Array = array if isinstance(array, np.ndarray) else array.copy_to_host()
    return host


def _hints(hints: Any, sizes: list[list[int]], boxes: list[tuple[int, int, int, int]]) -> tuple[list[Any], Array]:
    """Labels at every size, and what was noted at the largest."""
    told, notes = [], _no_notes()
    for i, (height, width) in enumerate(sizes):
        labels = written(None, (height, width))
        left, top, box_width, box_height = boxes[i] if boxes else (0, 0, width, height)
        small = hints
        if hints is not None and i < len(sizes) - 1:
            small, seen = cuda.device_array((height, width), np.uint8), _no_notes()
            shrink_labels[launch(small.size)](hints, 4, small, seen)
            found = seen.copy_to_host()
            if found[_THIN] > 0 and found[_KEPT] == 0:
                shrink_labels[launch(small.size)](hints, 2**31 - 1, small, seen)  # better too much than none
        notes = _no_notes()
        apply_hints[launch(labels.size)](
            labels if small is None else small,
            small is not None,
            left,
            top,
            left + box_width,
            top + box_height,
            labels,
            notes,
        )
        told.append(labels)
    return told, notes.copy_to_host()


def _domain(small: Any, labels: Any, whole: bool) -> tuple[Any, int]:
    """Where the larger size's pixels stand, and how many are nodes; gives undecided ones the smaller's sides."""
    small_domain, domain, notes = cuda.device_array_like(small), cuda.device_array_like(labels), _no_notes()
    find_band[launch(small.size)](small, whole, small_domain)
    enlarge_labels[launch(labels.size)](small, small_domain, labels, domain, notes)
    return domain, int(notes.copy_to_host()[_NODES])


def _packed(models: list[Array]) -> tuple[Any, Any]:
    """Both sides' models as the kernels read them, and how many components each has."""
    values = np.zeros((2, _COMPONENTS, _FIELDS), np.float32)
    for side, model in zip(values, models, strict=True):
        side.reshape(-1)[: model.size] = model
    return cuda.to_device(values), cuda.to_device(np.array([model.size // _FIELDS for model in models]))


def _no_notes() -> Any:
    return cuda.to_device(np.zeros(_CAPACITY + 1, np.int64))
