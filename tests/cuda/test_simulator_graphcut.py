"""The GPU's graph cut, simulated on small grids."""

import numpy as np
import pytest

import alphacut
from alphacut import _core

pytestmark = pytest.mark.usefixtures("simulator")

LARGEST = 2**30 - 1


@pytest.fixture(autouse=True)
def small(small_grid):
    small_grid(8, 2, 2, TILE_X=4, TILE_Y=3, PITCH=6, CELLS=30, STEPS=6, ROUNDS=1, SEARCHES=2)


def random_grid(rng, height, width, largest):
    def capacities(*shape):
        return (rng.integers(0, largest, shape, endpoint=True) * (rng.random(shape) < rng.random())).astype(np.int32)

    return capacities(height, width), capacities(height, width), capacities(4, height, width)


def assert_equals_cpu(source, sink, neighbours):
    got = alphacut.graph_cut(source, sink, neighbours, device="cuda", certify=True)
    expected = alphacut.graph_cut(source, sink, neighbours, device="cpu")
    assert isinstance(got.flow, int)
    assert got.flow == expected.flow
    assert got.mask.dtype == np.uint8
    assert np.array_equal(got.mask, expected.mask)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 4), (4, 5), (7, 6)])
@pytest.mark.parametrize("largest", [1, 1000, LARGEST])
def test_equals_cpu(shape, largest, rng):
    assert_equals_cpu(*random_grid(rng, *shape, largest))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (4, 5), (7, 6)])
@pytest.mark.parametrize("planes", [2, 4])
@pytest.mark.parametrize("largest", [1, 1000, LARGEST])
def test_directed_and_4_connected_grids_equal_cpu(shape, planes, largest, rng):
    source, sink, neighbours = random_grid(rng, *shape, largest)
    reverse = random_grid(rng, *shape, largest)[2]
    for back in (None, reverse[:planes]):
        got, expected = (
            alphacut.graph_cut(source, sink, neighbours[:planes], reverse=back, device=device, certify=True)
            for device in ("cuda", "cpu")
        )
        assert got.flow == expected.flow
        assert np.array_equal(got.mask, expected.mask)


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (4, 5)])
@pytest.mark.parametrize("terminals", [(0, 0), (7, 0), (0, 7), (7, 7), (LARGEST, LARGEST)])
@pytest.mark.parametrize("weight", [0, LARGEST])
def test_one_sided_and_saturated_grids(shape, terminals, weight):
    source, sink = (np.full(shape, capacity, np.int32) for capacity in terminals)
    assert_equals_cpu(source, sink, np.full((4, *shape), weight, np.int32))


def test_a_long_way_between_the_terminals():
    """From one corner to the other, over every tile and back."""
    source, sink = np.zeros((2, 4, 5), np.int32)
    source[0, 0], sink[3, 0] = 5, 9
    neighbours = np.zeros((4, 4, 5), np.int32)
    neighbours[0, [0, 3]] = 8
    neighbours[1, :, 4] = 8
    assert_equals_cpu(source, sink, neighbours)


def test_excess_beyond_32_bits():
    """Eight neighbours with all they can send meet in a pixel."""
    source, sink = np.zeros((2, 3, 5), np.int32)
    sink[:] = LARGEST
    sink[1, 1] = 0
    source[1, 4] = LARGEST
    assert_equals_cpu(source, sink, np.full((4, 3, 5), LARGEST, np.int32))


def test_strides_out_and_the_input_stays(rng):
    source, sink, neighbours = random_grid(rng, 8, 5, 50)
    inputs = source[::2], sink[::-2], neighbours[:, 1::2]
    before = [array.copy() for array in inputs]
    out = np.full((5, 4), 9, np.uint8).T
    got = alphacut.graph_cut(*inputs, device="cuda", out=out)
    assert got.mask is out
    assert np.array_equal(out, alphacut.graph_cut(*inputs, device="cpu").mask)
    assert all(map(np.array_equal, inputs, before))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"source": np.zeros((2, 3), np.int64)}, TypeError, "source"),
        ({"sink": [[1]]}, TypeError, "sink"),
        ({"source": np.zeros((0, 3), np.int32)}, ValueError, "source"),
        ({"source": np.zeros(3, np.int32)}, ValueError, "source"),
        ({"sink": np.zeros((3, 2), np.int32)}, ValueError, "sink"),
        ({"neighbours": np.zeros((3, 2, 3), np.int32)}, ValueError, "neighbours"),
        ({"reverse": np.zeros((2, 2, 3), np.int32)}, ValueError, "reverse"),
        ({"reverse": np.zeros((4, 2, 3), np.int64)}, TypeError, "reverse"),
        ({"reverse": np.full((4, 2, 3), -1, np.int32)}, ValueError, "capacities"),
        ({"source": np.full((2, 3), -1, np.int32)}, ValueError, "capacities"),
        ({"neighbours": np.full((4, 2, 3), 2**30, np.int32)}, ValueError, "capacities"),
        ({"out": np.zeros((2, 4), np.uint8)}, ValueError, "out"),
        ({"out": np.zeros((2, 3), np.int32)}, TypeError, "out"),
        ({"out": [[0]]}, TypeError, "out"),
        ({"out": np.broadcast_to(np.uint8(0), (2, 3))}, ValueError, "out"),
    ],
)
def test_errors(change, error, message):
    arguments = {"source": np.zeros((2, 3), np.int32), "sink": np.zeros((2, 3), np.int32)}
    arguments = {**arguments, "neighbours": np.zeros((4, 2, 3), np.int32)} | change
    with pytest.raises(error, match=message):
        alphacut.graph_cut(**arguments, device="cuda")


def test_entries_outside_the_picture_are_ignored(rng):
    source, sink, neighbours = random_grid(rng, 3, 4, 9)
    neighbours[0, :, -1] = neighbours[1, -1] = neighbours[2, -1] = neighbours[3, -1] = -1
    neighbours[2, :, -1] = neighbours[3, :, 0] = -1
    assert_equals_cpu(source, sink, neighbours)
    assert _core.graph_cut(source, sink, neighbours)[1] >= 0


def test_the_mask_stays_with_the_source(there, rng):
    host = [rng.integers(0, 9, shape).astype(np.int32) for shape in ((4, 5), (4, 5), (4, 4, 5))]
    expected = alphacut.graph_cut(*host, device="cpu")
    got = alphacut.graph_cut(*map(there, host))
    assert not isinstance(got.mask, np.ndarray)
    assert np.array_equal(got.mask.copy_to_host(), expected.mask)
    assert got.flow == expected.flow
    with pytest.raises(TypeError, match="sink must have dtype int32"):
        alphacut.graph_cut(there(host[0]), there(host[1].astype(np.int64)), host[2])
