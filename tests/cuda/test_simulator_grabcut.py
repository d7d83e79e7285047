"""The GPU's GrabCut, simulated on narrow pictures: what the smallest size does not do begins above 320 pixels."""

from types import SimpleNamespace

import numpy as np
import pytest

import alphacut
from alphacut import _core

pytestmark = pytest.mark.usefixtures("simulator")


@pytest.fixture(autouse=True)
def small(small_grid):
    small_grid(2, 1, 2, TILE_X=32, TILE_Y=3, PITCH=34, CELLS=170, STEPS=8, ROUNDS=1, SEARCHES=1)


@pytest.fixture
def flow_of_the_cpu(monkeypatch):
    """The solver has tests of its own, and takes long where it is simulated."""
    from alphacut.cuda import grabcut

    def solve(arcs, excess, labels, state):
        terminals = excess.copy_to_host()
        source, sink = (np.maximum(t, 0).astype(np.int32) for t in (-terminals, terminals))
        mask, flow = _core.graph_cut(source, sink, arcs.copy_to_host()[::2].copy())
        left = np.zeros_like(terminals)
        left[0, 0] = sink.sum(dtype=np.int64) - flow
        excess.copy_to_device(left)
        labels.copy_to_device(np.where(mask > 0, 1, grabcut.FAR).astype(np.int32) << 8)

    monkeypatch.setattr(grabcut, "solve", solve)


def scene(rng, height, width, channels=3):
    image = rng.integers(60, 90, (height, width, channels), np.uint8)
    image[height // 4 : height - height // 4, width // 3 : width * 2 // 3] += 60
    return image[:, :, 0] if channels == 1 else image


def strokes(height, width):
    labels = np.full((height, width), 2, np.uint8)
    labels[:, : width // 8] = 0
    labels[height // 2, width // 2 - 9 : width // 2 + 9] = 1
    return labels


def assert_equals_cpu(image, labels=None, **options):
    got = alphacut.grabcut(image, labels, device="cuda", **options)
    expected = alphacut.grabcut(image, labels, device="cpu", **options)
    assert got[2:6] == expected[2:6]
    assert all(map(np.array_equal, got.models, expected.models))
    for mine, cpu in ((got.labels, expected.labels), (got.mask, expected.mask)):
        assert isinstance(mine, np.ndarray)
        assert mine.dtype == np.uint8
        assert np.array_equal(mine, cpu)
    return got


def test_a_box_with_the_solver(rng):
    got = assert_equals_cpu(scene(rng, 3, 330), box=(80, 0, 170, 3), n_components=2, certify=True)
    assert 0 < np.count_nonzero(got.mask) < got.mask.size


@pytest.mark.usefixtures("flow_of_the_cpu")
@pytest.mark.parametrize(("shape", "channels"), [((3, 321), 1), ((340, 2), 3), ((1, 400), 3)])
def test_shapes_and_channels(shape, channels, rng):
    height, width = shape
    image = scene(rng, max(shape), max(shape), channels)[:height, :width]
    hints = strokes(max(shape), max(shape))[:height, :width]
    hints[0, :1] = 0
    assert_equals_cpu(image, hints.copy(), certify=True)


@pytest.mark.usefixtures("flow_of_the_cpu")
def test_three_sizes(rng):
    image = scene(rng, 2, 1290)
    got = assert_equals_cpu(image, strokes(2, 1290), box=(20, 0, 1200, 2))
    assert 0 < np.count_nonzero(got.mask) < got.mask.size


@pytest.mark.usefixtures("flow_of_the_cpu")
@pytest.mark.parametrize(
    "options",
    [
        {"exact": True, "certify": True},
        {"clean": True, "seed": 7, "max_iter": 1, "gamma": 50.0},
        {"n_components": 1, "gamma": 0.0},
        {"unary": np.linspace(-9, 9, 24, dtype=np.float32).reshape(2, 12)},
    ],
)
def test_options(options, rng):
    assert_equals_cpu(scene(rng, 4, 330), strokes(4, 330), box=(5, 0, 300, 4), **options)


@pytest.mark.usefixtures("flow_of_the_cpu")
@pytest.mark.parametrize("freeze", [False, True])
def test_models_are_taken(freeze, rng):
    image, labels = scene(rng, 4, 330), strokes(4, 330)
    models = alphacut.grabcut(image, labels, device="cpu").models
    assert_equals_cpu(image[:, ::-1].copy(), labels, models=models, freeze_models=freeze, certify=True)


@pytest.mark.usefixtures("flow_of_the_cpu")
@pytest.mark.parametrize("label", [0, 1, 2, 3])
def test_one_sided_hints(label, rng):
    """Nothing to tell a model from: all of one side, with a warning."""
    got = assert_equals_cpu(scene(rng, 2, 330), np.full((2, 330), label, np.uint8), certify=True)
    assert got.warnings


@pytest.mark.usefixtures("flow_of_the_cpu")
def test_warnings_and_thin_strokes(rng):
    """A stroke outside the box; background too thin to be seen at the smaller size but for the second look."""
    image, hints = scene(rng, 3, 800), np.full((3, 800), 3, np.uint8)
    hints[2, 500] = 0
    assert_equals_cpu(image, hints.copy())
    hints[1, 3:9] = 1
    got = assert_equals_cpu(image, hints, box=(100, -3, 2000, 20))
    assert len(got.warnings) >= 2


@pytest.mark.usefixtures("flow_of_the_cpu")
def test_one_colour():
    got = assert_equals_cpu(np.full((3, 330, 3), 77, np.uint8), box=(100, 0, 100, 3), certify=True)
    assert got.warnings


def test_small_pictures_are_the_cpus(rng):
    assert_equals_cpu(scene(rng, 30, 40), box=(5, 5, 30, 20))


@pytest.mark.usefixtures("flow_of_the_cpu")
def test_the_whole_flow(rng):
    image, box = scene(rng, 8, 330), (60, 0, 200, 8)
    got, expected = (alphacut.remove_background(image, box=box, device=device) for device in ("cuda", "cpu"))
    assert got.device.startswith("cuda")
    assert np.array_equal(got.alpha, expected.alpha)


@pytest.mark.usefixtures("flow_of_the_cpu")
def test_depths_strides_out_and_inputs_that_stay(rng):
    image = scene(rng, 6, 660)
    hints = strokes(6, 660)
    before = image.copy(), hints.copy()
    out = np.full((330, 3), 9, np.uint8).T
    got = alphacut.grabcut(image[::2, ::-2], hints[::2, ::2], device="cuda", out=out)
    assert got.mask is out
    expected = alphacut.grabcut(image[::2, ::-2], hints[::2, ::2], device="cpu")
    assert np.array_equal(out, expected.mask)
    assert all(map(np.array_equal, (image, hints), before))
    for picture in (image[:3, :330] / np.float32(255), image[:3, :330].astype(np.uint16) * 257):
        assert_equals_cpu(picture, hints[:3, :330])


class Lent:
    """An array of which nothing is known but DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, *, stream):
        return self.array


@pytest.mark.usefixtures("flow_of_the_cpu")
@pytest.mark.parametrize("lend", [lambda array: array, Lent], ids=["interface", "dlpack"])
def test_arrays_on_the_gpu(there, lend, monkeypatch, rng):
    from alphacut.cuda import _arrays

    monkeypatch.setattr(_arrays._dlpack, "Borrowed", lambda capsule: capsule)
    image, hints = scene(rng, 2, 330), strokes(2, 330)
    unary = np.linspace(-9, 9, 660, dtype=np.float32).reshape(2, 330)
    expected = alphacut.grabcut(image, hints, unary=unary, device="cpu")
    picture, prior = there(image), there(unary)
    for out in (None, there(np.zeros((2, 330), np.uint8)), np.zeros((2, 330), np.uint8)):
        got = alphacut.grabcut(lend(picture), lend(there(hints)), unary=lend(prior), out=out)
        assert got[2:6] == expected[2:6]
        assert all(map(np.array_equal, got.models, expected.models))
        assert out is None or got.mask is out
        assert isinstance(got.mask, np.ndarray) == isinstance(out, np.ndarray)
        mask = got.mask if isinstance(out, np.ndarray) else got.mask.copy_to_host()
        assert np.array_equal(mask, expected.mask)
        assert np.array_equal(got.labels.copy_to_host(), expected.labels)
    for memory in (picture, prior.view(np.uint8)):
        out = memory.reshape(-1)[:660].reshape(2, 330)
        with pytest.raises(ValueError, match="out overlaps an input"):
            alphacut.grabcut(lend(picture), unary=lend(prior), out=out)


def test_results_that_stay_on_the_gpu_are_waited_for(there, monkeypatch, rng):
    from numba import cuda

    from alphacut.cuda import grabcut

    kernel, events = grabcut.write_mask, []

    class Show:
        def __getitem__(self, grid):
            events.append("show")
            return kernel[grid]

    monkeypatch.setattr(grabcut, "write_mask", Show())
    monkeypatch.setattr(cuda, "default_stream", lambda: SimpleNamespace(synchronize=lambda: events.append("wait")))
    alphacut.grabcut(there(scene(rng, 30, 40)), box=(5, 5, 30, 20))
    assert events == ["show", "wait"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"image": np.zeros((2, 330, 4), np.uint8)}, ValueError, "image"),
        ({"image": np.zeros((2, 330), np.int32)}, TypeError, "image"),
        ({"image": np.full((2, 330), np.nan, np.float32)}, ValueError, "image"),
        ({"image": [[1]]}, TypeError, "image"),
        ({"labels": np.zeros((2, 331), np.uint8)}, ValueError, "labels"),
        ({"labels": np.full((2, 330), 4, np.uint8)}, ValueError, "labels must be 0, 1, 2 or 3, got 4"),
        ({"labels": np.zeros((2, 330), np.int32)}, TypeError, "labels"),
        ({"box": (400, 0, 3, 3)}, ValueError, "box"),
        ({"unary": np.zeros((2, 330), np.float64)}, TypeError, "unary"),
        ({"unary": np.full((2, 330), np.nan, np.float32)}, ValueError, "unary"),
        ({"gamma": -1.0}, ValueError, "gamma"),
        ({"max_iter": 0}, ValueError, "max_iter"),
        ({"n_components": 17}, ValueError, "n_components"),
        ({"out": np.zeros((2, 331), np.uint8)}, ValueError, "out"),
    ],
)
def test_errors(change, error, message):
    arguments = {"image": np.zeros((2, 330, 3), np.uint8), "box": (0, 0, 20, 2)} | change
    with pytest.raises(error, match=message):
        alphacut.grabcut(**arguments, device="cuda")
    with pytest.raises(error, match=message):
        alphacut.grabcut(**arguments, device="cpu")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("size", "smaller"), [((9, 23), (4, 10)), ((8, 20), (4, 10)), ((7, 30), (7, 9)), ((1, 33), (1, 1))]
)
def test_smaller_copies(size, smaller, channels, rng):
    from numba import cuda

    from alphacut.cuda.resize import resize_area

    image = rng.integers(0, 256, (*size, channels), np.uint8)
    got = resize_area(cuda.to_device(image), *smaller).copy_to_host()
    expected = alphacut.resize(image[:, :, 0] if channels == 1 else image, smaller, method="area")
    assert np.array_equal(got.reshape(expected.shape), expected)
