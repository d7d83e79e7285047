import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import alphacut
from alphacut import _core
from alphacut.graphcut import Cutter
from reference import graphcut as reference

cv2 = pytest.importorskip("cv2")
maxflow = pytest.importorskip("maxflow")

pytestmark = pytest.mark.usefixtures("isa")

LARGEST = 2**30 - 1


def checked_cut(source, sink, neighbours):
    """graph_cut, with the flow proved equal to the capacity of the cut."""
    mask, flow = alphacut.graph_cut(source, sink, neighbours)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 255}
    assert isinstance(flow, int)
    assert flow == _core.cut_capacity(source, sink, neighbours, mask)
    return mask, flow


def random_grid(rng, height, width, largest):
    def capacities(*shape):
        kept = rng.random(shape) < rng.choice([0.1, 0.5, 1.0])
        top = largest if rng.random() < 0.7 else max(1, largest // 8)
        return (rng.integers(0, top, shape, endpoint=True) * kept).astype(np.int32)

    return capacities(height, width), capacities(height, width), capacities(4, height, width)


def peer(source, sink, neighbours):
    graph = maxflow.GraphInt(source.size, 4 * source.size)
    nodes = graph.add_grid_nodes(source.shape)
    for plane, (dy, dx) in zip(neighbours, reference.OFFSETS, strict=True):
        structure = np.zeros((3, 3))
        structure[1 + dy, 1 + dx] = 1
        graph.add_grid_edges(nodes, weights=plane, structure=structure, symmetric=True)
    graph.add_grid_tedges(nodes, source, sink)
    return graph, nodes


# 0/1, few ties, many values, and as large as PyMaxflow's 32-bit sums allow. Each instruction set takes its share of
# 2,500 grids a size, 10,000 in all.
@pytest.mark.parametrize("largest", [1, 5, 1000, 10**6])
def test_equals_pymaxflow_on_random_grids(largest, isa):
    share = _core.available_isas().index(isa)
    rng = np.random.default_rng([largest, share])
    for _ in range(-(-2500 // len(_core.available_isas()))):
        height, width = rng.integers(1, 25, 2)
        source, sink, neighbours = random_grid(rng, height, width, largest)
        mask, flow = alphacut.graph_cut(source, sink, neighbours, certify=True)
        graph, nodes = peer(source, sink, neighbours)
        assert flow == graph.maxflow()
        # The peer's sink side is what still reaches the sink: the source side of the mirrored problem.
        segments = graph.get_grid_segments(nodes)
        mirrored, _ = alphacut.graph_cut(sink, source, neighbours, certify=True)
        assert np.array_equal(mirrored > 0, segments)
        # And the other way round: the mirrored peer's sink side is the smallest source side.
        graph, nodes = peer(sink, source, neighbours)
        assert flow == graph.maxflow()
        assert np.array_equal(mask > 0, graph.get_grid_segments(nodes))


@pytest.mark.parametrize("largest", [1, 5, 1000, LARGEST])
def test_equals_the_reference_exactly(largest, rng):
    for _ in range(60):
        height, width = rng.integers(1, 7, 2)
        problem = random_grid(rng, height, width, largest)
        mask, flow = checked_cut(*problem)
        assert flow == reference.cut_capacity(*problem, mask)
        expected, expected_flow = reference.graph_cut(*problem)
        assert flow == expected_flow
        assert np.array_equal(mask, expected)


def test_all_small_shapes(rng):
    for height in range(1, 18):
        for width in range(1, 18):
            source, sink, neighbours = random_grid(rng, height, width, 20)
            mask, flow = checked_cut(source, sink, neighbours)
            flipped = np.stack([np.zeros_like(source)] * 4)
            flipped[0, :, :-1] = neighbours[0, :, :-1][:, ::-1]
            flipped[1] = neighbours[1][:, ::-1]
            flipped[2] = neighbours[3][:, ::-1]
            flipped[3] = neighbours[2][:, ::-1]
            other, other_flow = checked_cut(source[:, ::-1], sink[:, ::-1], flipped)
            assert flow == other_flow
            assert np.array_equal(mask, other[:, ::-1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (4, 5)])
@pytest.mark.parametrize("weight", [0, 3, LARGEST])
def test_one_sided_and_zero_grids(shape, weight):
    zero, one = np.zeros(shape, np.int32), np.ones(shape, np.int32)
    neighbours = np.full((4, *shape), weight, np.int32)
    assert checked_cut(zero, zero, neighbours)[1] == 0
    assert not checked_cut(zero, zero, neighbours)[0].any()
    assert checked_cut(one, zero, neighbours)[0].all()
    assert not checked_cut(zero, one, neighbours)[0].any()
    mask, flow = checked_cut(one, one, neighbours)  # a tie: the smallest source side is empty
    assert not mask.any()
    assert flow == one.size


def test_largest_capacities_everywhere():
    full = np.full((20, 30), LARGEST, np.int32)
    half = np.where(np.arange(30) < 15, full, 0).astype(np.int32)
    neighbours = np.full((4, 20, 30), LARGEST, np.int32)
    mask, flow = checked_cut(half, full - half, neighbours)
    assert flow == min(300 * LARGEST, (20 + 2 * 19) * LARGEST)
    assert np.array_equal(mask > 0, half > 0)


def test_long_thin_paths():
    """A serpentine of 2,000 pixels, one terminal at each end: labels grow with the path."""
    wall, lane = 1, 1000
    neighbours = np.zeros((4, 40, 50), np.int32)
    neighbours[0, :, :-1] = lane
    neighbours[1, np.arange(39), np.where(np.arange(39) % 2, 0, 49)] = lane
    source, sink = np.zeros((2, 40, 50), np.int32)
    source[0, 0] = sink[39, 0] = 5000
    mask, flow = checked_cut(source, sink, neighbours)
    assert flow == lane
    assert mask.sum() == 255
    neighbours[0, 20, 30] = wall
    mask, flow = checked_cut(source, sink, neighbours)
    assert flow == wall


def test_entries_outside_the_picture_are_ignored(rng):
    source, sink, neighbours = random_grid(rng, 6, 7, 9)
    expected = checked_cut(source, sink, neighbours)
    neighbours[0, :, -1] = neighbours[2, :, -1] = neighbours[3, :, 0] = -5
    neighbours[1:, -1] = LARGEST + 1
    mask, flow = checked_cut(source, sink, neighbours)
    assert flow == expected[1]
    assert np.array_equal(mask, expected[0])


def test_any_strides_and_read_only_inputs(rng):
    source, sink, neighbours = random_grid(rng, 24, 32, 50)
    for rows, columns in [
        (np.s_[::-1], np.s_[:]),
        (np.s_[::2], np.s_[:]),
        (np.s_[:], np.s_[::2]),
        (np.s_[3:], np.s_[5:]),
    ]:
        views = [a[..., rows, columns] for a in (source, sink, neighbours)]
        for view in views:
            view.flags.writeable = False
        mask, flow = checked_cut(*views)
        expected = checked_cut(*[np.ascontiguousarray(view) for view in views])
        assert flow == expected[1]
        assert np.array_equal(mask, expected[0])


def random_directed_grid(rng, height, width, largest):
    source, sink, neighbours = random_grid(rng, height, width, largest)
    reverse = np.roll(random_grid(rng, height, width, largest)[2], 1, axis=0)
    planes = rng.choice([2, 4])
    return source, sink, neighbours[:planes], reverse[:planes]


def checked_directed_cut(source, sink, neighbours, reverse):
    cut = alphacut.graph_cut(source, sink, neighbours, reverse=reverse, certify=True)
    assert cut.flow == _core.cut_capacity(source, sink, neighbours, cut.mask, reverse)
    assert cut.flow == reference.cut_capacity(source, sink, neighbours, cut.mask, reverse)
    return cut


def directed_peer(source, sink, neighbours, reverse):
    graph = maxflow.GraphInt(source.size, 4 * source.size)
    nodes = graph.add_grid_nodes(source.shape)
    for there, back, (dy, dx) in zip(neighbours, reverse, reference.OFFSETS, strict=False):
        structure = np.zeros((3, 3))
        structure[1 + dy, 1 + dx] = 1
        graph.add_grid_edges(nodes, weights=there, structure=structure)
        moved = np.roll(back, (dy, dx), (0, 1))  # where the neighbour is
        graph.add_grid_edges(nodes, weights=moved, structure=structure[::-1, ::-1])
    graph.add_grid_tedges(nodes, source, sink)
    return graph, nodes


@pytest.mark.parametrize("largest", [1, 5, 1000, 10**6])
def test_directed_and_4_connected_grids_equal_pymaxflow(largest, isa):
    share = _core.available_isas().index(isa)
    rng = np.random.default_rng([largest, share])
    for _ in range(-(-1000 // len(_core.available_isas()))):
        source, sink, neighbours, reverse = random_directed_grid(rng, *rng.integers(1, 25, 2), largest)
        cut = checked_directed_cut(source, sink, neighbours, reverse)
        graph, nodes = directed_peer(source, sink, neighbours, reverse)
        assert cut.flow == graph.maxflow()
        # The peer's sink side is the source side of the problem with all edges turned round, and the other way.
        segments = graph.get_grid_segments(nodes)
        assert np.array_equal(checked_directed_cut(sink, source, reverse, neighbours).mask > 0, segments)
        graph, nodes = directed_peer(sink, source, reverse, neighbours)
        assert cut.flow == graph.maxflow()
        assert np.array_equal(cut.mask > 0, graph.get_grid_segments(nodes))


@pytest.mark.parametrize("largest", [1, 5, 1000, LARGEST])
def test_directed_grids_equal_the_reference_exactly(largest, rng):
    for _ in range(40):
        source, sink, neighbours, reverse = random_directed_grid(rng, *rng.integers(1, 7, 2), largest)
        cut = checked_directed_cut(source, sink, neighbours, reverse)
        expected, flow = reference.graph_cut(source, sink, neighbours, reverse)
        assert cut.flow == flow
        assert np.array_equal(cut.mask, expected)


def test_directed_grids_equal_scipy(rng):
    sparse = pytest.importorskip("scipy.sparse")
    graphs = pytest.importorskip("scipy.sparse.csgraph")
    for _ in range(20):
        source, sink, neighbours, reverse = random_directed_grid(rng, *rng.integers(2, 30, 2), 1000)
        start, end = source.size, source.size + 1
        rows = [(start, i, c) for i, c in enumerate(source.ravel().tolist())]
        rows += [(i, end, c) for i, c in enumerate(sink.ravel().tolist())]
        for a, b, there, back in reference.edges(neighbours, reverse):
            rows += [(a, b, there), (b, a, back)]
        a, b, c = np.array(rows, np.int32).T
        graph = sparse.csr_array((c, (a, b)), shape=(end + 1, end + 1))
        flow = graphs.maximum_flow(graph, start, end).flow_value
        assert checked_directed_cut(source, sink, neighbours, reverse).flow == flow


def test_reverse_of_the_same_capacities_changes_nothing(rng, threads):
    for planes in (2, 4):
        source, sink, neighbours = random_grid(rng, 120, 131, 1000)
        symmetric = alphacut.graph_cut(source, sink, neighbours[:planes])
        directed = alphacut.graph_cut(source, sink, neighbours[:planes], reverse=neighbours[:planes].copy())
        assert directed.flow == symmetric.flow
        assert np.array_equal(directed.mask, symmetric.mask)
    four = neighbours.copy()
    four[2:] = 0
    assert np.array_equal(
        alphacut.graph_cut(source, sink, four).mask, alphacut.graph_cut(source, sink, neighbours[:2]).mask
    )


def test_an_edge_leads_one_way():
    source, sink = np.array([[9, 0]], np.int32), np.array([[0, 9]], np.int32)
    right, none = np.zeros((2, 2, 1, 2), np.int32)
    right[0, 0, 0] = 4
    assert alphacut.graph_cut(source, sink, right, reverse=none).flow == 4
    assert alphacut.graph_cut(source, sink, none, reverse=right).flow == 0
    assert alphacut.graph_cut(sink, source, none, reverse=right).flow == 4


def test_directed_entries_outside_the_picture_are_ignored(rng):
    source, sink, neighbours, _ = random_directed_grid(rng, 6, 7, 9)
    neighbours, reverse = (random_grid(rng, 6, 7, 9)[2] for _ in range(2))
    expected = checked_directed_cut(source, sink, neighbours, reverse)
    for plane in (neighbours, reverse):
        plane[0, :, -1] = plane[2, :, -1] = plane[3, :, 0] = -5
        plane[1:, -1] = LARGEST + 1
    cut = checked_directed_cut(source, sink, neighbours, reverse)
    assert cut.flow == expected.flow
    assert np.array_equal(cut.mask, expected.mask)


def test_reverse_is_refused_where_it_does_not_fit(rng):
    source, sink, neighbours = random_grid(rng, 5, 6, 50)
    for wrong in (neighbours[:2], neighbours[:, 1:], neighbours[0]):
        with pytest.raises(ValueError, match="reverse"):
            alphacut.graph_cut(source, sink, neighbours, reverse=wrong)
    with pytest.raises(TypeError, match="reverse"):
        alphacut.graph_cut(source, sink, neighbours, reverse=neighbours.astype(np.int64))
    bad = neighbours.copy()
    bad[0, 0, 0] = -1
    with pytest.raises(ValueError, match="reverse"):
        alphacut.graph_cut(source, sink, neighbours, reverse=bad)
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.graph_cut(source, sink, neighbours, reverse=bad, out=bad.view(np.uint8)[0, :, :6])


def test_certify_changes_nothing(rng, threads):
    problem = random_grid(rng, 300, 270, 1000)  # several blocks of rows
    mask, flow = alphacut.graph_cut(*problem)
    certified = alphacut.graph_cut(*problem, certify=True)
    assert certified.flow == flow == _core.cut_capacity(*problem, mask)
    assert np.array_equal(certified.mask, mask)


def test_out(rng):
    source, sink, neighbours = random_grid(rng, 9, 13, 50)
    expected, _ = checked_cut(source, sink, neighbours)
    out = np.full((9, 26), 77, np.uint8)[:, :13]
    assert alphacut.graph_cut(source, sink, neighbours, out=out).mask is out
    assert np.array_equal(out, expected)
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.graph_cut(source, sink, neighbours, out=source.view(np.uint8)[:, :13])
    with pytest.raises(ValueError, match="shape"):
        alphacut.graph_cut(source, sink, neighbours, out=out[1:])
    with pytest.raises(TypeError, match="uint8"):
        alphacut.graph_cut(source, sink, neighbours, out=out.astype(np.int32))


def test_graph_cut_refuses(rng):
    source, sink, neighbours = random_grid(rng, 5, 6, 50)
    with pytest.raises(TypeError, match=r"source .*int32.*int64"):
        alphacut.graph_cut(source.astype(np.int64), sink, neighbours)
    with pytest.raises(TypeError, match="neighbours"):
        alphacut.graph_cut(source, sink, neighbours.astype(np.float32))
    with pytest.raises(TypeError, match="sink"):
        alphacut.graph_cut(source, sink.tolist(), neighbours)
    with pytest.raises(ValueError, match="neighbours"):
        alphacut.graph_cut(source, sink, neighbours[:3])
    with pytest.raises(ValueError, match="sink"):
        alphacut.graph_cut(source, sink[1:], neighbours)
    with pytest.raises(ValueError, match="neighbours"):
        alphacut.graph_cut(source, sink, neighbours[:, :, 1:])
    with pytest.raises(ValueError, match="source"):
        alphacut.graph_cut(source[:0], sink[:0], neighbours)
    for wrong in (-1, LARGEST + 1):
        for index, name in enumerate(["source", "sink", "neighbours"]):
            arrays = [source.copy(), sink.copy(), neighbours.copy()]
            arrays[index][..., 2, 3] = wrong
            with pytest.raises(ValueError, match=name):
                alphacut.graph_cut(*arrays)


def test_more_pixels_than_indices_are_refused():
    row = np.zeros((1, 1 << 17), np.int32)
    huge = np.broadcast_to(row, (1 << 14, 1 << 17))  # 2^31 pixels, in the memory of one row
    out = np.broadcast_to(np.zeros((1, 1 << 17), np.uint8), huge.shape)
    out.flags.writeable = True
    with pytest.raises(ValueError, match="too large"):
        alphacut.graph_cut(huge, huge, np.broadcast_to(huge, (4, *huge.shape)), out=out)


def potts(n_labels, penalty):
    return penalty * (1 - np.eye(n_labels, dtype=int))


def random_labelling(rng, n_labels, height, width):
    """Costs, weights and a metric: Potts, truncated linear, or ways between random points."""
    costs = rng.integers(-20 if rng.random() < 0.3 else 0, 60, (n_labels, height, width)).astype(np.int32)
    neighbours = rng.integers(0, 9, (rng.choice([2, 4]), height, width)).astype(np.int32)
    gaps = np.abs(np.subtract.outer(np.arange(n_labels), np.arange(n_labels)))
    points = rng.integers(0, 9, (n_labels, 2))
    ways = np.abs(points[:, None] - points[None]).sum(2)
    return costs, [potts(n_labels, int(rng.integers(0, 9))), np.minimum(3 * gaps, 5), ways][rng.integers(3)], neighbours


def test_alpha_expansion_makes_the_best_moves(rng):
    """Against all sets of pixels, tried one by one."""
    for _ in range(60):
        n_labels, height, width = rng.integers(1, 5), *[(1, 1), (1, 7), (3, 3), (4, 2), (2, 5)][rng.integers(5)]
        problem = random_labelling(rng, n_labels, height, width)
        cut = alphacut.alpha_expansion(problem[0], problem[1], neighbours=problem[2], certify=True)
        labels, energy, rounds = reference.alpha_expansion(*problem)
        assert np.array_equal(cut.labels, labels)
        assert (cut.energy, cut.n_iter) == (energy, rounds)
        assert cut.energy == _core.labelling_energy(problem[0], problem[2], problem[1].astype(np.int32), cut.labels)


def test_alpha_expansion_is_within_twice_the_least_energy(rng):
    every = np.stack(np.unravel_index(np.arange(3**8), (3,) * 8), axis=1).reshape(-1, 2, 4)
    for _ in range(30):
        costs, _, neighbours = random_labelling(rng, 3, 2, 4)
        costs = np.abs(costs)
        metric = potts(3, 7)
        least = reference.labelling_energy(costs, metric, neighbours, every).min()
        cut = alphacut.alpha_expansion(costs, 7, neighbours=neighbours, certify=True)
        assert least <= cut.energy <= 2 * least
        again = alphacut.alpha_expansion(costs, 7, neighbours=neighbours, labels=every[rng.integers(len(every))])
        assert least <= again.energy <= 2 * least


def test_two_labels_are_cut_exactly(rng, threads):
    for planes in (2, 4):
        source, sink, neighbours = random_grid(rng, 60, 70, 1000)
        cut = alphacut.graph_cut(source, sink, neighbours[:planes])
        costs = np.stack([sink, source])  # label 0 is the source's side
        for start in (None, np.ones_like(source), np.zeros_like(source)):
            found = alphacut.alpha_expansion(costs, 1, neighbours=neighbours[:planes], labels=start, certify=True)
            assert found.energy == cut.flow
        assert np.array_equal(found.labels == 0, alphacut.graph_cut(sink, source, neighbours[:planes]).mask == 0)


def test_the_energy_never_rises_and_ends(rng):
    costs, metric, neighbours = random_labelling(rng, 9, 40, 50)
    last = None
    labels = rng.integers(0, 9, (40, 50))
    for _ in range(20):
        energy = reference.labelling_energy(costs, metric, neighbours, labels)
        assert last is None or energy == last
        step = alphacut.alpha_expansion(costs, metric, neighbours=neighbours, labels=labels, max_iter=1, certify=True)
        assert step.n_iter == 1
        assert step.energy <= energy
        if step.energy == energy:
            assert np.array_equal(step.labels, labels)
            break
        labels, last = step.labels, step.energy
    else:
        raise AssertionError("it goes on")


@pytest.mark.parametrize("truncation", [1, 3])
def test_alpha_expansion_is_as_good_as_pymaxflow(truncation, rng):
    clean = np.kron(rng.integers(0, 6, (5, 6)), np.ones((8, 9), int))
    noisy = np.clip(clean + rng.normal(0, 1.2, clean.shape).round().astype(int), 0, 5)
    costs = (np.abs(noisy - np.arange(6)[:, None, None]) * 10).astype(np.int32)
    metric = np.minimum(np.abs(np.subtract.outer(range(6), range(6))), truncation) * 12
    ours = alphacut.alpha_expansion(costs, metric, certify=True)
    theirs = maxflow.fastmin.aexpansion_grid(costs.transpose(1, 2, 0).astype(float), metric.astype(float))
    ones = np.ones((2, *clean.shape), np.int32)
    assert ours.energy == reference.labelling_energy(costs, metric, ones, ours.labels)
    assert ours.energy <= 1.002 * reference.labelling_energy(costs, metric, ones, theirs)
    assert np.mean(ours.labels != clean) < np.mean(noisy != clean) / 2


def test_alpha_expansion_of_views_into_out(rng, threads):
    costs, metric, neighbours = random_labelling(rng, 5, 130, 140)  # several blocks of rows
    before = [array.copy() for array in (costs, neighbours)]
    expected = alphacut.alpha_expansion(costs, metric, neighbours=neighbours)
    out = np.full((130, 280), 9, np.uint8)[:, ::2][:, :140]
    with pytest.raises(ValueError, match="out"):
        alphacut.alpha_expansion(costs, metric, neighbours=neighbours, out=out[1:])
    out = np.full((130, 280), 9, np.uint8)[:, :140]
    for plane in (costs, neighbours):
        plane.flags.writeable = False
    found = alphacut.alpha_expansion(
        np.repeat(costs, 2, axis=2)[:, :, ::2],
        metric.astype(np.int16),
        neighbours=neighbours[:, ::-1][:, ::-1],
        out=out,
    )
    assert found.labels is out
    assert np.array_equal(out, expected.labels)
    assert found[1:] == expected[1:]
    assert all(map(np.array_equal, (costs, neighbours), before))
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.alpha_expansion(costs, metric, labels=out, out=out)


def test_the_largest_costs_and_weights_fit():
    largest = 2**28 - 1
    costs = np.full((3, 6, 7), largest, np.int32)
    costs[np.arange(42) % 3, np.arange(42) // 7, np.arange(42) % 7] = -largest
    neighbours = np.full((4, 6, 7), 2**26 - 1, np.int32)
    cut = alphacut.alpha_expansion(costs, 1, neighbours=neighbours, certify=True)
    assert cut.energy == reference.labelling_energy(costs, potts(3, 1), neighbours, cut.labels)
    far = np.full((4, 6, 7), 1, np.int32)
    cut = alphacut.alpha_expansion(costs, potts(3, 2**26 - 1), neighbours=far, certify=True)
    assert cut.energy == reference.labelling_energy(costs, potts(3, 2**26 - 1), far, cut.labels)


def test_one_label_is_everywhere():
    costs = np.full((1, 3, 4), 7, np.int32)
    cut = alphacut.alpha_expansion(costs, 5)
    assert not cut.labels.any()
    assert (cut.energy, cut.n_iter) == (84, 1)


def disc(height=60, width=80, noise=6, seed=0):
    """A reddish disc on green ground, its mask, and a box around it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    truth = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (height / 4) ** 2
    image = np.where(truth[..., None], (190, 70, 60), (60, 120, 70)) + rng.normal(0, noise, (height, width, 3))
    box = (width // 2 - height // 4 - 4, height // 4 - 4, height // 2 + 8, height // 2 + 8)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), truth, box


def overlap(a, b):
    return np.sum(a & b) / np.sum(a | b)


@pytest.mark.parametrize("noise", [2, 12])
def test_grabcut_finds_a_disc_as_well_as_opencv(noise):
    image, truth, box = disc(noise=noise)
    cut = alphacut.grabcut(image, box=box)
    labels = np.zeros(truth.shape, np.uint8)
    cv2.grabCut(image[..., ::-1].copy(), labels, box, None, None, 5, cv2.GC_INIT_WITH_RECT)
    assert cut.warnings == ()
    assert overlap(cut.mask > 0, truth) > 0.97
    assert overlap(cut.mask > 0, truth) >= overlap((labels & 1) > 0, truth) - 0.01
    assert np.array_equal(cut.mask > 0, (cut.labels & 1) > 0)
    x, y, width, height = box
    inside = np.zeros(truth.shape, bool)
    inside[y : y + height, x : x + width] = True
    assert np.all(cut.labels[~inside] == 0)
    assert np.all(cut.labels[inside] >= 2)
    assert cut.energy >= 0
    assert 1 <= cut.n_iter <= 5


def test_grabcut_gives_its_models_and_takes_them():
    image, truth, box = disc(noise=12)
    cut = alphacut.grabcut(image, box=box, certify=True)
    for model in cut.models:
        n = model.size // 13
        assert model.dtype == np.float64
        assert 1 <= n <= 5
        assert model[:n].sum() == pytest.approx(1, abs=1e-5)
        for covariance in model[4 * n :].reshape(n, 3, 3):
            assert np.array_equal(covariance, covariance.T)
            assert np.linalg.eigvalsh(covariance).min() > 3.9  # of the picture's own noise and rounding
    n = cut.models[1].size // 13
    assert np.abs(cut.models[1][:n] @ cut.models[1][n : 4 * n].reshape(n, 3) - image[truth].mean(0)).max() < 3
    again = alphacut.grabcut(image, box=box, models=cut.models, freeze_models=True, certify=True)
    assert again.n_iter == 1
    assert np.mean(again.mask != cut.mask) < 1e-3
    for told, kept in zip(cut.models, again.models, strict=True):
        assert np.allclose(told, kept, rtol=1e-3, atol=1e-3)
    started = alphacut.grabcut(image, box=box, models=cut.models)
    assert overlap(started.mask > 0, truth) > 0.97
    assert started.n_iter <= cut.n_iter


def test_grabcut_takes_opencvs_models_and_gives_it_its_own():
    image, truth, box = disc(noise=12)
    labels, back, front = np.zeros(truth.shape, np.uint8), None, None
    _, back, front = cv2.grabCut(image, labels, box, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    again = labels.copy()
    cv2.grabCut(image, again, None, back.copy(), front.copy(), 1, cv2.GC_EVAL_FREEZE_MODEL)
    ours = alphacut.grabcut(image, labels, gamma=50, models=(back, front), freeze_models=True)
    assert overlap(ours.labels & 1, again & 1) > 0.99
    cut = alphacut.grabcut(image, box=box)
    padded = []
    for model in cut.models:  # OpenCV has 5, some of weight 0
        n = model.size // 13
        parts = model[:n], model[n : 4 * n], model[4 * n :]
        parts = [np.pad(part, (0, k * (5 - n))) for part, k in zip(parts, (1, 3, 9), strict=True)]
        parts[2][9 * n :] = np.tile(np.eye(3).ravel(), 5 - n)
        padded.append(np.concatenate(parts)[None])
    theirs = cut.labels.copy()
    cv2.grabCut(image, theirs, None, *[model.copy() for model in padded], 1, cv2.GC_EVAL_FREEZE_MODEL)
    assert overlap(theirs & 1, cut.labels & 1) > 0.99
    same = alphacut.grabcut(image, cut.labels, models=padded, freeze_models=True)
    assert np.array_equal(same.mask, alphacut.grabcut(image, cut.labels, models=cut.models, freeze_models=True).mask)


def test_frozen_models_serve_another_picture_at_every_size():
    image, _, box = disc(500, 700, noise=12)
    models = alphacut.grabcut(image, box=box).models
    other, truth, _ = disc(900, 1400, noise=12, seed=3)
    cut = alphacut.grabcut(other, np.full(truth.shape, 3, np.uint8), models=models, freeze_models=True, certify=True)
    assert overlap(cut.mask > 0, truth) > 0.98
    assert cut.warnings == ()
    for told, kept in zip(models, cut.models, strict=True):
        assert np.allclose(told, kept, rtol=1e-3, atol=1e-3)
    free = alphacut.grabcut(other, np.full(truth.shape, 3, np.uint8), models=models)
    assert overlap(free.mask > 0, truth) > 0.98


def test_models_are_refused_where_they_are_none():
    image, _, box = disc()
    model = np.concatenate([[1], [9, 9, 9], np.eye(3).ravel()])
    for wrong in (-np.eye(3), np.triu(np.ones((3, 3))), np.zeros((3, 3)), np.full((3, 3), 7.0)):
        bad = model.copy()
        bad[4:] = wrong.ravel()
        with pytest.raises(ValueError, match="models"):
            alphacut.grabcut(image, box=box, models=(model, bad))
    with pytest.raises(ValueError, match="freeze_models"):
        alphacut.grabcut(image, box=box, freeze_models=True)


def test_grabcut_takes_every_kind_of_picture():
    image, truth, box = disc()
    expected = alphacut.grabcut(image, box=box)
    for same in (np.divide(image, 255, dtype=np.float32), image.astype(np.uint16) * 257):
        cut = alphacut.grabcut(same, box=box)
        assert np.array_equal(cut.labels, expected.labels)
        assert cut.energy == expected.energy
    for gray in (image[..., 0], np.divide(image[..., 0], 255, dtype=np.float32)):
        assert overlap(alphacut.grabcut(gray, box=box).mask > 0, truth) > 0.97
    strided = np.repeat(image, 2, axis=1)[:, ::2]
    assert np.array_equal(alphacut.grabcut(strided, box=box).labels, expected.labels)
    reversed_cut = alphacut.grabcut(image[::-1], (np.where(expected.labels > 0, 3, 0).astype(np.uint8))[::-1])
    assert overlap(reversed_cut.mask[::-1] > 0, truth) > 0.97


def test_grabcut_keeps_sure_labels_and_its_input():
    image, _, box = disc()
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, image.shape[:2]).astype(np.uint8)
    before = labels.copy()
    cut = alphacut.grabcut(image, labels)
    assert np.array_equal(labels, before)
    assert np.array_equal(cut.labels[labels < 2], labels[labels < 2])
    assert np.all(cut.labels[labels >= 2] >= 2)
    labels.flags.writeable = False
    both = alphacut.grabcut(image, labels, box=box)
    x, y, width, height = box
    window = np.s_[y : y + height, x : x + width]
    assert np.array_equal(both.labels[window][labels[window] < 2], labels[window][labels[window] < 2])
    outside = np.ones(labels.shape, bool)
    outside[window] = False
    assert not both.mask[outside].any()
    assert both.warnings == ("foreground labels outside the box were taken as background",)


def test_grabcut_unary():
    image, truth, box = disc()
    flat = np.full_like(image, 90)
    prior = np.where(truth, 3, -3).astype(np.float32)
    maybe = np.full(truth.shape, 3, np.uint8)
    cut = alphacut.grabcut(flat, maybe, unary=prior, gamma=0.5)
    assert overlap(cut.mask > 0, truth) > 0.95
    assert not alphacut.grabcut(image, box=box, unary=np.full(truth.shape, -10000, np.float32)).mask.any()
    everything = alphacut.grabcut(image, box=box, unary=np.full(truth.shape, 10000, np.float32))
    assert (everything.mask > 0).sum() == box[2] * box[3]
    alone = alphacut.grabcut(image, unary=prior)  # also says where to start
    assert overlap(alone.mask > 0, truth) > 0.95
    small = alphacut.grabcut(image, unary=prior[::4, ::4].copy())
    assert overlap(small.mask > 0, truth) > 0.95
    for wrong in (np.nan, np.inf, 10001):
        prior[2, 3] = wrong
        with pytest.raises(ValueError, match="unary"):
            alphacut.grabcut(image, box=box, unary=prior)


def test_grabcut_degenerate_hints():
    image, _, box = disc()
    height, width = image.shape[:2]

    def labels(value):
        return np.full((height, width), value, np.uint8)

    for value, full in [(0, False), (1, True), (2, False), (3, True)]:
        cut = alphacut.grabcut(image, labels(value))
        assert np.all(cut.mask == (255 if full else 0))
        assert cut.n_iter == 0
        assert len(cut.warnings) == 1
        assert np.array_equal(cut.labels, labels(value))
    cut = alphacut.grabcut(image, box=(0, 0, width, height))
    assert cut.mask.all()
    assert "background" in cut.warnings[0]
    one = labels(2)
    one[30, 40] = 1
    assert alphacut.grabcut(image, one).mask[30, 40] == 255
    sure = (np.arange(width) < 40).astype(np.uint8) * np.ones((height, 1), np.uint8)
    cut = alphacut.grabcut(image, sure)
    assert np.array_equal(cut.labels, sure)
    assert cut.n_iter == 1
    cut = alphacut.grabcut(np.full_like(image, 9), box=box)
    assert not cut.mask.any()
    assert cut.warnings[0].startswith("the picture has one colour")
    x, y = box[:2]
    clipped = alphacut.grabcut(image, box=(x, y, 10**12, 10**12))
    assert clipped.warnings[0] == "the box was clipped to the picture"
    for corner in (
        (-(2**63), 0, 5, 5),
        (2**63 - 1, 2**63 - 1, 2**63 - 1, 2**63 - 1),
        (0, 0, 0, 5),
        (80, 0, 1, 1),
        (-5, 0, 5, 9),
    ):
        with pytest.raises(ValueError, match="box"):
            alphacut.grabcut(image, box=corner)
    whole = alphacut.grabcut(image, box=(-(2**62), -(2**62), 2**63 - 1, 2**63 - 1))
    assert whole.mask.all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_grabcut_never_fails_on_legal_hints(data):
    height, width = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = data.draw(st.sampled_from([(height, width), (height, width, 3)]))
    image = rng.integers(0, data.draw(st.sampled_from([1, 2, 256])), shape).astype(np.uint8)
    allowed = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    labels = rng.choice(allowed, (height, width)).astype(np.uint8) if data.draw(st.booleans()) else None
    box = None
    if labels is None or data.draw(st.booleans()):
        left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
        box = (left, top, data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12)))
    unary = rng.normal(0, 4, (height, width)).astype(np.float32) if data.draw(st.booleans()) else None
    gamma = data.draw(st.sampled_from([0.0, 1.0, 50.0, 50000.0]))
    cut = alphacut.grabcut(
        image,
        labels,
        box=box,
        unary=unary,
        gamma=gamma,
        max_iter=data.draw(st.integers(1, 6)),
        n_components=data.draw(st.integers(1, 16)),
        seed=data.draw(st.integers(0, 2**63 - 1)),
    )
    assert np.isfinite(cut.energy)
    assert cut.energy >= 0
    assert np.array_equal(cut.mask, np.where(cut.labels & 1, 255, 0))
    if labels is not None and box is None:
        assert np.array_equal(cut.labels[labels < 2], labels[labels < 2])


def test_large_pictures_are_cut_coarse_to_fine():
    image, truth, box = disc(700, 900, noise=20)
    cut = alphacut.grabcut(image, box=box, certify=True)
    assert overlap(cut.mask > 0, truth) > 0.99
    assert not cut.exact
    exact = alphacut.grabcut(image, box=box, exact=True, certify=True)
    assert exact.exact
    assert exact.energy <= cut.energy <= 1.001 * exact.energy
    assert np.mean(exact.mask != cut.mask) < 1e-3
    assert alphacut.grabcut(image[:200, :200], box=(50, 50, 100, 100)).exact
    hints = np.full(truth.shape, 3, np.uint8)
    hints[:20], hints[340:360, 440:460], hints[300, 300:700] = 0, 1, 0  # a thin stroke of background across the disc
    cut = alphacut.grabcut(image, hints, certify=True, clean=True)
    assert np.array_equal(cut.labels[hints < 2], hints[hints < 2])
    assert cut.mask[350, 450] == 255


def test_a_thin_subject_between_the_sampled_rows_is_kept(rng):
    image = rng.integers(35, 46, (2000, 2000), dtype=np.uint8)
    for top in (618, 986, 1020):
        picture = image.copy()
        picture[top : top + 16, 700:1300] = 200
        cut = alphacut.grabcut(picture, box=(600, top - 60, 800, 140))
        assert overlap(cut.mask > 0, picture == 200) > 0.98


def test_unary_and_thin_background_hold_at_every_size():
    gray = np.full((400, 400), 128, np.uint8)
    halves = np.where(np.arange(400) < 200, 5, -5).astype(np.float32) * np.ones((400, 1), np.float32)
    for exact in (False, True):
        cut = alphacut.grabcut(gray, unary=halves, gamma=0.5, exact=exact, certify=True)
        assert np.mean((cut.mask > 0) != (halves > 0)) < 0.01
        start = alphacut.grabcut(gray, np.full(gray.shape, 2, np.uint8), unary=halves, gamma=0.5, exact=exact)
        assert np.array_equal(start.mask, cut.mask)
    image, truth, _ = disc(800, 2000, noise=10)
    framed = alphacut.grabcut(image, box=(3, 3, 1994, 794))  # thinner than a pixel of the smallest size
    assert overlap(framed.mask > 0, truth) > 0.98
    labels = np.full(truth.shape, 3, np.uint8)
    labels[7, 100:1900] = 0
    stroked = alphacut.grabcut(image, labels)
    assert overlap(stroked.mask > 0, truth) > 0.98


def test_clean_drops_specks_and_holes():
    image, truth, _ = disc(120, 160, noise=0)
    speck, hole = np.s_[4:9, 4:9], np.s_[58:61, 78:81]
    image[speck], image[hole] = image[60, 90], image[2, 2]
    hints = np.full(truth.shape, 3, np.uint8)
    hints[[0, -1]] = hints[:, [0, -1]] = 0
    plain = alphacut.grabcut(image, hints, gamma=1)
    assert plain.mask[6, 6] == 255
    assert plain.mask[59, 79] == 0
    clean = alphacut.grabcut(image, hints, gamma=1, clean=True)
    assert clean.mask[6, 6] == 0
    assert clean.mask[59, 79] == 255
    assert not clean.warnings  # too little to tell of
    spots = image.copy()
    for x in (4, 20, 36):
        spots[4:11, x : x + 7] = image[60, 90]
    (told,) = alphacut.grabcut(spots, hints, gamma=1, clean=True).warnings
    assert told.startswith("cleaning dropped 3 parts (")
    hints[5, 5] = 1  # a stroke: now the speck is what is wanted
    assert alphacut.grabcut(image, hints, gamma=1, clean=True).mask[6, 6] == 255


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_cuts_of_one_picture_are_those_of_new_ones(data):
    """Whatever was cut before, and through every size: long pictures have several."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    height, width = data.draw(st.integers(1, 7)), data.draw(st.sampled_from([5, 321, 700, 1500]))
    image = rng.integers(0, data.draw(st.sampled_from([2, 256])), (height, width, 3)).astype(np.uint8)
    image[:, width // 4 : width // 2] //= 3
    if data.draw(st.booleans()):
        image = image.transpose(1, 0, 2).copy()
    cutter = Cutter(image)
    for _ in range(3):
        labels = rng.choice(
            [0, 1, 2, 3],
            image.shape[:2],
            p=data.draw(st.sampled_from([[0.1, 0.1, 0, 0.8], [0.2, 0, 0, 0.8], [0, 0.01, 0.5, 0.49]])),
        )
        labels = labels.astype(np.uint8) if data.draw(st.booleans()) else None
        box = (
            (image.shape[1] // 5, 0, max(1, image.shape[1] // 2), 9)
            if labels is None or data.draw(st.booleans())
            else None
        )
        unary = rng.normal(0, 4, (2, 9)).astype(np.float32) if data.draw(st.booleans()) else None
        options = {
            "exact": data.draw(st.booleans()),
            "clean": data.draw(st.booleans()),
            "certify": data.draw(st.booleans()),
        }
        warm, cold = (
            cutter.cut(labels, box, unary, **options),
            alphacut.grabcut(image, labels, box=box, unary=unary, **options),
        )
        assert np.array_equal(warm.labels, cold.labels)
        assert warm[2:6] == cold[2:6]
        assert all(map(np.array_equal, warm.models, cold.models))
        if labels is not None and box is None:
            assert np.array_equal(cold.labels[labels < 2], labels[labels < 2])
        assert np.isfinite(cold.energy)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_resumed_cuts_keep_hints_and_leave_no_trace(data):
    """Strokes that come, go and contradict what was cut; through every size; whatever can not be resumed."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    height, width = data.draw(st.integers(1, 7)), data.draw(st.sampled_from([1, 5, 321, 700, 1500]))
    shape = data.draw(st.sampled_from([(height, width), (height, width, 3)]))
    image = rng.integers(0, data.draw(st.sampled_from([2, 256])), shape).astype(np.uint8)
    image[:, width // 4 : width // 2] //= 3
    if data.draw(st.booleans()):
        image = image.swapaxes(0, 1).copy()
    box = data.draw(st.sampled_from([None, (image.shape[1] // 5, 0, max(1, image.shape[1] // 2), 9)]))
    cutter, twin = Cutter(image), Cutter(image)
    labels = rng.choice([0, 1, 2, 3], image.shape[:2], p=[0.1, 0.1, 0, 0.8]).astype(np.uint8)
    inside = np.ones(labels.shape, bool)
    if box is not None:
        inside[:] = False
        inside[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
    for turn in range(4):
        options = {name: data.draw(st.booleans()) for name in ("exact", "clean")}
        if data.draw(st.integers(0, 9)) == 0:
            options["n_components"] = data.draw(st.integers(1, 7))
        unary = rng.normal(0, 4, (2, 9)).astype(np.float32) if data.draw(st.integers(0, 9)) == 0 else None
        cut = cutter.cut(labels, box, unary, resume=True, certify=True, **options)
        again = twin.cut(labels.copy(), box, unary, resume=True, certify=True, **options)
        assert np.array_equal(cut.labels, again.labels)
        assert cut[2:6] == again[2:6]
        assert all(map(np.array_equal, cut.models, again.models))
        if turn == 0:
            cold = alphacut.grabcut(image, labels, box=box, unary=unary, certify=True, **options)
            assert np.array_equal(cut.labels, cold.labels)
            assert cut[2:6] == cold[2:6]
            assert all(map(np.array_equal, cut.models, cold.models))
        assert np.isfinite(cut.energy)
        known = inside & (labels < 2)
        assert np.array_equal(cut.labels[known], labels[known])
        assert np.all(cut.labels[inside & (labels > 1)] > 1)
        assert not cut.labels[~inside].any()
        start, size = data.draw(st.integers(0, width)), data.draw(st.sampled_from([1, 9, 80, 1500]))
        value = data.draw(st.sampled_from([0, 1, 3]))
        part = labels[:, start : start + size] if image.shape[1] == width else labels[start : start + size]
        part[...] = value
    anew, cold = cutter.cut(labels, box, None), alphacut.grabcut(image, labels, box=box)
    assert np.array_equal(anew.labels, cold.labels)
    assert anew[2:6] == cold[2:6]
    assert all(map(np.array_equal, anew.models, cold.models))


def strokes_on_a_disc():
    """A noisy disc of several sizes, and its labels stroke by stroke: more, against the answer, and some gone again."""
    image, truth, _ = disc(500, 700, noise=25)
    labels = np.full(truth.shape, 3, np.uint8)
    labels[:9], labels[240:260, 330:350] = 0, 1
    steps = [labels.copy()]
    for stroke, value in (
        (np.s_[-9:], 0),
        (np.s_[255:262, 300:380], 1),
        (np.s_[200:210, 380:400], 0),
        (np.s_[200:210, 380:400], 3),
        (np.s_[240:262, 300:380], 3),
        (np.s_[200:210, 340:350], 1),
    ):
        labels[stroke] = value
        steps.append(labels.copy())
    return image, truth, steps


def test_resumed_cuts_are_the_same_for_all_threads_and_instruction_sets(isa):
    image, truth, steps = strokes_on_a_disc()

    def resumed(name, threads):
        _core.set_isa(name)
        _core.set_num_threads(threads)
        cutter = Cutter(image)
        return [cutter.cut(labels, None, None, resume=True) for labels in steps]

    before = _core.num_threads()
    expected = resumed(_core.available_isas()[0], 1)
    for threads in (1, 2, 5):
        for cut, same in zip(resumed(isa, threads), expected, strict=True):
            assert np.array_equal(cut.labels, same.labels)
            assert cut[2:6] == same[2:6]
            assert all(map(np.array_equal, cut.models, same.models))
    _core.set_num_threads(before)
    assert [cut.n_iter for cut in expected[1:]] == [1] * (len(steps) - 1)
    assert not any(cut.exact for cut in expected)
    assert overlap(expected[-1].mask > 0, truth) > 0.97


def test_what_cannot_be_resumed_is_cut_anew():
    image, _, steps = strokes_on_a_disc()
    box = (100, 50, 500, 400)
    started = {"box": None, "unary": None, "n_components": 5}
    for change in ({"box": box}, {"n_components": 3}):
        for before, now in ((started, started | change), (started | change, started)):
            cutter = Cutter(image)
            cutter.cut(steps[0], **before)
            cut, cold = cutter.cut(steps[1], **now, resume=True), alphacut.grabcut(image, steps[1], **now)
            assert np.array_equal(cut.labels, cold.labels)
            assert cut[2:6] == cold[2:6]
            assert all(map(np.array_equal, cut.models, cold.models))
    cutter = Cutter(image)
    with pytest.raises(ValueError, match="labels"):
        cutter.cut(steps[0] + 4, None, None, resume=True)
    cutter.cut(np.ones_like(steps[0]), None, None)  # no round
    assert np.array_equal(
        cutter.cut(steps[1], None, None, resume=True).labels, alphacut.grabcut(image, steps[1]).labels
    )
    cutter.cut(np.zeros_like(steps[0]), None, None, resume=True)  # nor here: all is hinted
    cut = cutter.cut(steps[0], box, None, resume=True)
    assert cut.n_iter > 1
    assert cutter.cut(steps[0], (100, 50, 500, 400), None, resume=True).n_iter == 1


def test_unary_joins_strokes_and_may_change_while_resuming():
    image, truth, steps = strokes_on_a_disc()
    strokes = steps[1]
    there = np.where(truth, 3, -3).astype(np.float32)
    for weight in (0.1, 1.0):
        assert overlap(alphacut.grabcut(image, strokes, unary=np.float32(weight) * there).mask > 0, truth) > 0.97
    nothing = alphacut.grabcut(image, strokes, unary=np.zeros((3, 4), np.float32))
    assert np.array_equal(nothing.labels, alphacut.grabcut(image, strokes).labels)
    cutter = Cutter(image)
    for unary in (None, there, -there / 100, None, there):
        cut = cutter.cut(strokes, None, unary, resume=True, certify=True)
        assert overlap(cut.mask > 0, truth) > 0.97
    assert cut.n_iter == 1


def test_a_resumed_stroke_changes_only_what_is_near():
    image, truth, _ = disc(500, 700, noise=25)
    labels = np.full(truth.shape, 3, np.uint8)
    labels[:9], labels[240:260, 330:350] = 0, 1
    cutter = Cutter(image)
    before = cutter.cut(labels, None, None)
    same = cutter.cut(labels, None, None, resume=True)
    assert np.mean(same.mask != before.mask) < 1e-3
    labels[200:206, 345:355] = 0  # inside the disc
    after = cutter.cut(labels, None, None, resume=True)
    assert not after.mask[labels == 0].any()
    far = np.ones(truth.shape, bool)
    far[150:260, 290:410] = False
    assert np.mean(after.mask[far] != same.mask[far]) < 1e-3
    exact = cutter.cut(labels, None, None, exact=True, resume=True)
    assert (exact.exact, exact.n_iter) == (True, 1)


def test_resumed_strokes_are_about_as_good_as_new_cuts(data_dir):
    """A stroke where each cut is most wrong, four times."""
    wrong = {True: [], False: []}
    for stem in ("flower", "llama", "sheep", "banana1", "person5"):
        folder = data_dir / "grabcut"
        if not (folder / "scribbles_gsc" / f"{stem}.png").exists():
            continue
        image = cv2.imread(str(next((folder / "images").glob(f"{stem}.*"))))[..., ::-1].copy()
        truth = cv2.imread(str(folder / "masks" / f"{stem}.png"), 0)
        scribbles = np.asarray(Image.open(folder / "scribbles_gsc" / f"{stem}.png"))
        for resume in wrong:
            cutter = Cutter(image)
            labels = np.select([scribbles == 1, scribbles == 2], [1, 0], 3).astype(np.uint8)
            for _ in range(5):
                cut = cutter.cut(labels, None, None, resume=resume)
                errors = ((cut.mask > 0) != (truth == 255)) & (truth != 128)
                depth = cv2.distanceTransform(np.pad(errors, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
                y, x = np.unravel_index(depth.argmax(), depth.shape)
                stroke = cv2.circle(np.zeros_like(truth), (int(x), int(y)), int(depth.max() / 2), 1, -1) > 0
                labels[stroke & errors] = truth[y, x] == 255
            wrong[resume].append(errors.sum() / (truth != 128).sum())
    assert wrong[True]
    assert np.mean(wrong[True]) < np.mean(wrong[False]) + 0.005


def test_an_undone_stroke_brings_the_subject_back():
    """A stroke may leave nothing of the subject; there is nothing to go on from then."""
    image, truth, _ = disc(200, 300)
    frame = np.full(truth.shape, 3, np.uint8)
    frame[:9] = frame[-9:] = frame[:, :9] = frame[:, -9:] = 0
    brush = frame.copy()
    brush[20:180, 40:260] = 0
    brush[100:104, 150:154] = 3
    cutter = Cutter(image)
    first = cutter.cut(frame, None, None, resume=True)
    assert overlap(first.mask > 0, truth) > 0.98
    cutter.cut(brush, None, None, resume=True)
    for _ in range(2):
        undone = cutter.cut(frame, None, None, resume=True)
        assert overlap(undone.mask > 0, truth) > 0.98
        assert undone.warnings == ()


def test_strokes_within_a_box_through_three_sizes():
    image, truth, box = disc(900, 1400, noise=20)
    cutter = Cutter(image)
    labels = np.full(truth.shape, 3, np.uint8)
    for stroke, value in ((np.s_[440:460, 690:710], 1), (np.s_[230:240, 600:800], 0), (np.s_[600:620, 700:720], 0)):
        labels[stroke] = value
        cut = cutter.cut(labels, box, None, resume=True, certify=True, clean=value == 0)
        inside = np.zeros(truth.shape, bool)
        inside[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
        known = inside & (labels < 2)
        assert np.array_equal(cut.labels[known], labels[known])
        assert not cut.labels[~inside].any()
    assert cut.n_iter == 1
    assert overlap(cut.mask > 0, alphacut.grabcut(image, labels, box=box).mask > 0) > 0.98


def test_grabcut_refuses():
    image, _, box = disc()
    with pytest.raises(ValueError, match="labels, a box or unary"):
        alphacut.grabcut(image)
    with pytest.raises(ValueError, match="labels"):
        alphacut.grabcut(image, np.full(image.shape[:2], 4, np.uint8))
    with pytest.raises(ValueError, match="labels"):
        alphacut.grabcut(image, np.zeros((3, 4), np.uint8))
    with pytest.raises(TypeError, match="labels"):
        alphacut.grabcut(image, np.zeros(image.shape[:2], np.int32))
    with pytest.raises(TypeError, match="image"):
        alphacut.grabcut(image.astype(np.int64), box=box)
    with pytest.raises(ValueError, match="image"):
        alphacut.grabcut(np.full(image.shape, 1.5, np.float32), box=box)
    with pytest.raises(ValueError, match="unary"):
        alphacut.grabcut(image, box=box, unary=np.zeros((2, 0), np.float32))
    with pytest.raises(ValueError, match="box"):
        alphacut.grabcut(image, box=(1, 2, 3))
    with pytest.raises(TypeError):
        alphacut.grabcut(image, box=(1.5, 2, 3, 4))
    for name, values in {"max_iter": (0, -1), "gamma": (-1, 1e6, np.nan), "n_components": (0, 17)}.items():
        for value in values:
            with pytest.raises(ValueError, match=name):
                alphacut.grabcut(image, box=box, **{name: value})


@pytest.mark.parametrize("size", [(240, 320), (500, 700)])  # several blocks of rows; several sizes
def test_the_same_bytes_for_all_threads_and_instruction_sets(isa, size):
    image, _, box = disc(*size, noise=25)
    assert image.shape[0] > 2 * (1 << 14) // image.shape[1]
    _core.set_isa(_core.available_isas()[0])
    before = _core.num_threads()
    _core.set_num_threads(1)
    expected = alphacut.grabcut(image, box=box)
    _core.set_isa(isa)
    for threads in (1, 2, 5):
        _core.set_num_threads(threads)
        cut = alphacut.grabcut(image, box=box)
        assert cut.energy == expected.energy
        assert cut.n_iter == expected.n_iter
        assert np.array_equal(cut.labels, expected.labels)
    _core.set_num_threads(before)
