"""Exact cuts against PyMaxflow on the same integer graph, and GrabCut against OpenCV's."""

import itertools

import cv2
import maxflow
import numpy as np

import alphacut
from alphacut import _core
from alphacut.graphcut import Cutter

from .pictures import photo
from .race import race

OFFSETS = [(0, 1), (1, 0), (1, 1), (1, -1)]


def centre_box(height, width):
    return width // 5, height // 5, width * 3 // 5, height * 3 // 5


def energies(megapixels, gamma=50, scale=1024):
    """The graph of a GrabCut round: colour histograms inside and outside a box, borders by contrast."""
    image = photo(megapixels, seed=1).astype(np.int32)
    height, width, _ = image.shape
    x, y, w, h = centre_box(height, width)
    inside = np.zeros((height, width), bool)
    inside[y : y + h, x : x + w] = True
    bins = (image // 16) @ [256, 16, 1]
    counts = [np.bincount(bins[side], minlength=4096) + 1.0 for side in (inside, ~inside)]
    odds = (np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum()))[bins]
    data = np.where(inside, np.rint(scale * odds), -8 * gamma * scale - 1).astype(np.int32)
    squares = np.zeros((4, height, width))
    for plane, (dy, dx) in zip(squares, OFFSETS, strict=True):
        here, there = (
            np.s_[: height - dy, max(0, -dx) : width - max(0, dx)],
            np.s_[dy:, max(0, dx) : width + min(0, dx)],
        )
        plane[here] = ((image[here] - image[there]) ** 2).sum(axis=2)
    lengths = np.array([1, 1, 2**0.5, 2**0.5])[:, None, None]
    weights = gamma * scale / lengths * np.exp(-squares / (2 * squares.mean()))
    return np.maximum(data, 0), np.maximum(-data, 0), np.rint(weights).astype(np.int32)


def pymaxflow(source, sink, neighbours):
    graph = maxflow.GraphInt(source.size, 4 * source.size)
    nodes = graph.add_grid_nodes(source.shape)
    for plane, (dy, dx) in zip(neighbours, OFFSETS, strict=True):
        structure = np.zeros((3, 3))
        structure[1 + dy, 1 + dx] = 1
        graph.add_grid_edges(nodes, weights=plane, structure=structure, symmetric=True)
    graph.add_grid_tedges(nodes, source, sink)
    flow = graph.maxflow()
    return graph.get_grid_segments(nodes), flow


@race("graphcut", {"cut": ()}, {"": energies}, ["alphacut", "pymaxflow"], sizes=[0.05, 0.22, 1, 4])
def bench_graph_cut(problem):
    def agree(ours, theirs):
        """The same flow; of several cuts of that capacity, ours is the smaller one."""
        assert ours[1] == theirs[1]
        assert not np.any((ours[0] > 0) & theirs[0])

    return agree, {"alphacut": lambda: alphacut.graph_cut(*problem), "pymaxflow": lambda: pymaxflow(*problem)}


def directed_energies(megapixels):
    """The same on a 4-connected grid, where a border is cheaper from a brighter pixel to a darker one."""
    source, sink, neighbours = energies(megapixels)
    gray = photo(megapixels, seed=1)[..., 1].astype(np.int32)
    back = neighbours[:2].copy()
    back[0, :, :-1] //= np.where(gray[:, :-1] < gray[:, 1:], 4, 1)
    back[1, :-1] //= np.where(gray[:-1] < gray[1:], 4, 1)
    return source, sink, neighbours[:2].copy(), back


def pymaxflow_directed(source, sink, neighbours, reverse):
    graph = maxflow.GraphInt(source.size, 2 * source.size)
    nodes = graph.add_grid_nodes(source.shape)
    for there, back, (dy, dx) in zip(neighbours, reverse, OFFSETS[:2], strict=True):
        structure = np.zeros((3, 3))
        structure[1 + dy, 1 + dx] = 1
        graph.add_grid_edges(nodes, weights=there, structure=structure)
        graph.add_grid_edges(nodes, weights=np.roll(back, (dy, dx), (0, 1)), structure=structure[::-1, ::-1])
    graph.add_grid_tedges(nodes, source, sink)
    flow = graph.maxflow()
    return graph.get_grid_segments(nodes), flow


@race("graphcut", {"directed": ()}, {"": directed_energies}, ["alphacut", "pymaxflow"], sizes=[0.22, 1])
def bench_directed_cut(problem):
    def agree(ours, theirs):
        assert ours[1] == theirs[1]
        assert not np.any((ours[0] > 0) & theirs[0])

    source, sink, neighbours, reverse = problem
    return agree, {
        "alphacut": lambda: alphacut.graph_cut(source, sink, neighbours, reverse=reverse),
        "pymaxflow": lambda: pymaxflow_directed(*problem),
    }


def gray_levels(megapixels, n_labels=8):
    """To say each pixel of a noisy picture by one of a few levels: truncated differences, and a truncated metric."""
    gray = photo(megapixels, seed=1)[..., 1].astype(np.int32)
    gray += np.random.default_rng(0).normal(0, 15, gray.shape).astype(np.int32)
    levels = (np.arange(n_labels) * 2 + 1) * 256 // (2 * n_labels)
    costs = np.minimum(np.abs(gray - levels[:, None, None]), 60).astype(np.int32)
    return costs, 20 * np.minimum(np.abs(np.subtract.outer(range(n_labels), range(n_labels))), 2)


@race("graphcut", {"expansion": ()}, {"": gray_levels}, ["alphacut", "pymaxflow"], sizes=[0.05, 0.22])
def bench_alpha_expansion(problem):
    costs, metric = problem
    floats, weights = costs.transpose(1, 2, 0).astype(float), metric.astype(float)
    ones = np.ones((2, *costs.shape[1:]), np.int32)

    def agree(ours, theirs):
        """Other moves of equal worth lead elsewhere: about the same energy."""
        energy = _core.labelling_energy(costs, ones, metric.astype(np.int32), theirs.astype(np.uint8))
        assert ours.energy <= energy * 1.001

    return agree, {
        "alphacut": lambda: alphacut.alpha_expansion(costs, metric),
        "pymaxflow": lambda: maxflow.fastmin.aexpansion_grid(floats, weights),
    }


@race(
    "graphcut",
    {"grabcut": ()},
    {"": photo},
    ["alphacut", "cv2"],
    sizes=[0.1, 1, 12],
    skip={"cv2": (0.5, "takes from some 10 seconds to minutes")},
)
def bench_grabcut(image):
    box = centre_box(*image.shape[:2])
    bgr = image[..., ::-1].copy()

    def opencv():
        labels = np.zeros(image.shape[:2], np.uint8)
        cv2.grabCut(bgr, labels, box, None, None, 5, cv2.GC_INIT_WITH_RECT)
        return labels & 1

    def agree(ours, theirs):
        """Other clusters, other rounding: both must mark most of the same pixels."""
        assert np.mean((ours.mask > 0) != (theirs > 0)) < 0.2

    return agree, {"alphacut": lambda: alphacut.grabcut(image, box=box), "cv2": opencv}


@race("graphcut", {"stroke": ()}, {"": photo}, ["alphacut", "alphacut-again", "alphacut-anew"], sizes=[1])
def bench_stroke(image):
    """A correction where strokes were cut: resumed from there; cut with what is kept of the picture; anew.

    It makes background of 9 x 30 pixels across the edge; every second call takes it back.
    """
    height, width = image.shape[:2]
    labels = np.full((height, width), 3, np.uint8)
    labels[: height // 20] = labels[-height // 20 :] = 0
    labels[height // 2, width // 3 : width // 2] = 1
    mask = alphacut.grabcut(image, labels).mask
    edge = np.argwhere((mask[:, 1:] != mask[:, :-1]) & (labels[:, 1:] == 3))
    y, x = edge[len(edge) // 2]
    more = labels.copy()
    more[max(0, y - 4) : y + 5, max(0, x - 15) : x + 15] = 0
    more[labels == 1] = 1
    cutters = {resume: Cutter(image) for resume in (False, True)}

    def agree(ours, other):
        """Resumed cuts start elsewhere: the hints hold, and most pixels are the same."""
        assert np.array_equal(ours.labels[labels < 2], other.labels[labels < 2])
        assert np.mean(ours.mask != other.mask) < 0.1

    def stroke(cut):
        turn = itertools.cycle((more, labels))
        cut(labels)
        return lambda: cut(next(turn))

    return agree, {
        "alphacut": stroke(lambda hints: cutters[True].cut(hints, None, None, resume=True)),
        "alphacut-again": stroke(lambda hints: cutters[False].cut(hints, None, None)),
        "alphacut-anew": stroke(lambda hints: alphacut.grabcut(image, hints)),
    }
