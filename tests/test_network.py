"""The network's inference: bit-exact against the NumPy oracle, operation by operation."""

import functools
import gc
import os
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from alphacut import _core
from reference import network as reference
from reference.network import weights


@functools.cache
def case(height, width=None, seed=1, make=reference.every_operation):
    """A network, what it is given, and the output of each operation."""
    parts = make(seed)
    colours = reference.random_colours(seed, height, width)
    planes = reference.random_planes(seed, height, width)
    colours.flags.writeable = planes.flags.writeable = False
    return _core.Network(reference.write(*parts)), colours, planes, reference.outputs(parts, colours, planes)


def assert_layers_equal(found, expected):
    assert len(found) == len(expected)
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        assert (a.shape, a.dtype) == (b.shape, b.dtype), f"operation {i}"
        assert a.tobytes() == b.tobytes(), f"operation {i}"


def answer(net, colours, planes):
    return net.ask(net.see(colours), planes)


def assert_runs(net, colours, planes, expected):
    assert_layers_equal(net.layers(colours, planes), expected)
    assert answer(net, colours, planes).tobytes() == expected[-1].tobytes()


def test_random_programs_use_their_range():
    for make in (reference.every_operation, reference.shipped_with_random_weights):
        _, _, _, expected = case(64, make=make)
        for x in expected[:-1]:
            assert (x != 0).mean() > 0.1
            assert x.std() > 20
        assert 0.3 < expected[-1].std() < 30


def test_every_operation_occurs():
    kinds, windows = set(), set()
    for part in reference.every_operation(1):
        for op in part.ops:
            kinds.add((op.kind, len(op.inputs) if op.kind == weights.CONV else 0, op.low < 0))
            windows.add((op.kind == weights.DEPTHWISE, op.kernel, op.stride, op.dilation))
    assert len({kind for kind, _, _ in kinds}) == 6
    assert {(weights.CONV, 1, False), (weights.CONV, 2, True)} <= kinds
    assert {(True, 3, 2, 1), (True, 5, 1, 1), (True, 5, 2, 1), (False, 3, 1, 2), (False, 1, 2, 1)} <= windows


def test_the_file_is_read_back():
    for parts in (reference.every_operation(3), reference.shipped()):
        file = reference.write(*parts)
        assert reference.write(*reference.read(file)) == file


@pytest.mark.usefixtures("isa", "threads")
@pytest.mark.parametrize("size", [(32,), (64,), (96,), (32, 160), (96, 64)])
def test_every_layer(size):
    assert_runs(*case(*size))


@pytest.mark.usefixtures("isa", "threads")
@pytest.mark.parametrize("dilation", [1, 2])
def test_a_wide_depthwise_between_two_pointwise(dilation):
    """Which is run by rows where it is large, if it is not dilated."""
    size = 128
    b = reference.Builder(
        np.random.default_rng(8), [weights.Input(4, 0, -128, 127)], [reference.random_colours(8, size)]
    )
    x2 = b.conv(b.depthwise(b.conv(b.conv(0, 16, 3, 2), 96), 3, 1, dilation), 16)
    picture = b.part((x2,))
    inputs = [weights.Input(16, 1, 0, 4095), weights.Input(8, 2, -128, 127)]
    q = reference.Builder(np.random.default_rng(9), inputs, [b.tensors[x2], reference.random_planes(8, size)])
    q.log_odds(0)
    network = _core.Network(reference.write(picture, q.part()))
    found = network.ask(network.see(reference.random_colours(8, size)), reference.random_planes(8, size))
    assert found.tobytes() == q.tensors[-1].tobytes()


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("seed", range(2, 12))
def test_other_programs(seed):
    assert_runs(*case(32, 48, seed))


@pytest.mark.usefixtures("isa", "threads")
@pytest.mark.parametrize("size", [(64,), (256,), (192, 224)])
def test_the_program_that_comes_with_it(size):
    """So large that wide tensors are made row by row."""
    assert_runs(*case(*size, make=reference.shipped_with_random_weights))


# Each changes operations or planes so that the arithmetic meets its ends.
def changed(change):
    def of(parts, *given):
        parts = [part._replace(ops=tuple(change(op) for op in part.ops)) for part in parts]
        return parts, *given

    return of


def weighted(op, **fields):
    return op._replace(**fields) if op.weight is not None else op


def planes_only(change):
    return lambda parts, *given: (parts, *(change(x).astype(np.int16) for x in given))


ends_only = planes_only(lambda x: np.where(x < 0, -128, 127))
beyond = planes_only(lambda x: np.where(x < 0, -32768, 32767))  # what is given is clipped
lowest = planes_only(lambda x: np.full_like(x, -128))


@changed
def extreme(op):
    """Weights of either end."""
    return op if op.weight is None else op._replace(weight=np.where(op.weight < 0, -127, 127).astype(np.int8))


@changed
def loud(op):
    """Most activations reach a limit."""
    op = weighted(op, scale=None if op.scale is None else 100 * op.scale)
    return op._replace(factors=tuple(9 * a for a in op.factors))


@changed
def full(op):
    """The largest sums: weights of 127, and activations at their upper limit."""
    return weighted(op, weight=np.full_like(op.weight, 127), scale=np.ones(op.channels, np.float32))


@changed
def ties(op):
    """Sums that lie half way between two results."""
    half = np.full(op.channels, 0.5, np.float32)
    if op.weight is not None:
        op = op._replace(weight=(op.weight // 64).astype(np.int8), scale=half, bias=np.rint(2 * op.bias) / 2)
    return op._replace(factors=tuple(0.5 for _ in op.factors))


@changed
def inexact(op):
    """Sums that float32 cannot hold exactly, and scales that bring them back into the range."""
    return weighted(op, weight=np.full_like(op.weight, 127), scale=None if op.scale is None else op.scale / 64)


@changed
def enormous(op):
    """Factors at their limit: no product may become infinite, no sum NaN."""
    big = np.float32(9.9e19)
    if op.weight is not None:
        op = op._replace(scale=np.copysign(big, op.scale - op.scale.mean()), bias=np.copysign(big, op.bias))
    return op._replace(factors=tuple(float(big) * (-1) ** k for k, _ in enumerate(op.factors)))


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("change", [ends_only, beyond, lowest, extreme, loud, full, ties, inexact, enormous])
@pytest.mark.parametrize("make", [reference.every_operation, reference.shipped_with_random_weights])
def test_ends_of_the_arithmetic(change, make):
    given = reference.random_colours(5, 64), reference.random_planes(5, 64)
    parts, colours, planes = change(make(5), *given)
    expected = reference.outputs(parts, colours, planes)
    assert_runs(_core.Network(reference.write(*parts)), colours, planes, expected)
    if change is loud:
        ops = [op for part in parts for op in part.ops][:-1]
        assert any(x.min() < 0 and (abs(x) == op.high).mean() > 0.5 for op, x in zip(ops, expected, strict=False))
    if change is ties:
        y = reference.scaled(colours, parts[0].ops[0])
        assert (y % 1 == 0.5).mean() > 0.2


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize(
    "cut",
    [
        lambda p: np.repeat(p, 2, axis=0)[::2],
        lambda p: np.ascontiguousarray(p[::-1])[::-1],
        lambda p: np.pad(p, ((0, 0), (3, 5), (0, 0)))[:, 3:-5],
        lambda p: np.repeat(p, 2, axis=1)[:, ::2],
        lambda p: np.repeat(p, 3, axis=2)[:, :, ::3],
        np.asfortranarray,
        lambda p: np.frombuffer(b"\0" + p.tobytes(), np.uint8)[1:].view(np.int16).reshape(p.shape),
    ],
)
def test_planes_of_any_layout(cut):
    net, colours, planes, expected = case(64)
    views = cut(colours), cut(planes)
    before = [view.copy() for view in views]
    assert answer(net, *views).tobytes() == expected[-1].tobytes()
    for view, kept in zip(views, before, strict=True):
        assert np.array_equal(view, kept)


@pytest.mark.usefixtures("isa")
def test_out():
    net, colours, planes, expected = case(96)
    features = net.see(colours)
    canvas = np.full((120, 130), np.nan, np.float32)
    out = canvas[6:102, 11:107]
    assert net.ask(features, planes, out=out) is out
    assert np.array_equal(out, expected[-1])
    assert np.isnan(canvas).sum() == canvas.size - out.size
    reversed_rows = np.empty((96, 96), np.float32)[::-1]
    assert np.array_equal(net.ask(features, planes, out=reversed_rows), expected[-1])


def test_wrong_out():
    net, colours, planes, expected = case(64)
    features = net.see(colours)
    right = np.zeros((64, 64), np.float32)
    for wrong, error, text in [
        (right.astype(np.float64), TypeError, "float64"),
        (np.zeros((32, 32), np.float32), ValueError, "shape"),
        (np.zeros((64, 64, 1), np.float32), ValueError, "shape"),
        (np.zeros((64, 128), np.float32)[:, ::2], ValueError, "packed"),
        ([1.0], TypeError, "numpy.ndarray"),
    ]:
        with pytest.raises(error, match=text):
            net.ask(features, planes, out=wrong)
    right.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        net.ask(features, planes, out=right)
    shared = np.zeros(64 * 64, np.float32)
    with pytest.raises(ValueError, match="overlaps"):
        net.ask(features, shared.view(np.int16)[:2048].reshape(16, 16, 8), out=shared.reshape(64, 64))
    assert net.ask(features, planes).tobytes() == expected[-1].tobytes()


def test_wrong_colours_and_planes():
    net, colours, planes, _ = case(64)
    features = net.see(colours)
    for wrong, error, text in [
        (colours.astype(np.int8), TypeError, "int16"),
        (colours.astype(np.uint16), TypeError, "uint16"),
        (colours.astype(">i2"), TypeError, "int16"),
        (colours.tolist(), TypeError, "numpy.ndarray"),
        (colours[..., 0], ValueError, "shape"),
        (colours[None], ValueError, "shape"),
        (colours[..., :3], ValueError, "4 channels"),
        (colours[:33], ValueError, "multiples of 16, at most 1024, got 33 x 64 x 4"),
        (colours[:, :40], ValueError, "multiples of 16"),
        (np.zeros((16, 1040, 4), np.int16), ValueError, "at most 1024"),
        (colours[:0], ValueError, "no side 0"),
    ]:
        for call in (net.see, lambda x: net.layers(x, planes)):
            with pytest.raises(error, match=text):
                call(wrong)
    for wrong, error, text in [
        (planes.astype(np.int8), TypeError, "int16"),
        (planes[..., 0], ValueError, "shape"),
        (planes[..., :7], ValueError, "planes must be 16 x 16 x 8, got 16 x 16 x 7"),
        (planes[:15], ValueError, "planes must be 16 x 16 x 8"),
        (planes[:, :15], ValueError, "planes must be 16 x 16 x 8"),
    ]:
        with pytest.raises(error, match=text):
            net.ask(features, wrong)
    with pytest.raises(ValueError, match="of this network"):
        case(64, seed=2)[0].ask(features, planes)
    with pytest.raises(TypeError):
        net.ask(None, planes)


@functools.cache
def parts():
    return reference.every_operation(1)


@functools.cache
def file():
    return reference.write(*parts())


def with_op(part, number, **fields):
    """The file with one operation changed, unchecked."""
    changed = list(parts())
    ops = list(changed[part].ops)
    ops[number] = ops[number]._replace(**fields)
    changed[part] = changed[part]._replace(ops=tuple(ops))
    return weights.seal(weights.payload(changed))


def with_part(part, **fields):
    changed = list(parts())
    changed[part] = changed[part]._replace(**fields)
    return weights.seal(weights.payload(changed))


def find(kind, part=0, **fields):
    """The number of the first operation of this kind."""
    ops = parts()[part].ops
    return next(
        k for k, op in enumerate(ops) if op.kind == kind and all(getattr(op, n) == v for n, v in fields.items())
    )


def replaced(array, value):
    array = array.copy()
    array.ravel()[0] = value
    return array


CONV, DEEP, ADD, MEAN, CONCAT, ODDS = range(6)
SKIP = next(k for k, op in enumerate(parts()[0].ops) if op.kind == CONV and len(op.inputs) == 2)
LAST = len(parts()[1].ops) - 1
INPUT = weights.Input


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: b"", "too early"),
        (lambda: file()[:7], "too early"),
        (lambda: file()[:19], "too early"),
        (lambda: b"ONNX" + file()[4:], "does not begin"),
        (lambda: file()[:6] + b"1" + file()[7:], "does not begin"),
        (lambda: weights.seal(file()[20:], version=1), "version must be 2, got 1"),
        (lambda: file()[:-1], "bytes after the header"),
        (lambda: file() + b"\0", "bytes after the header"),
        (lambda: file()[:20], "bytes after the header"),
        (lambda: file()[:-1] + bytes([file()[-1] ^ 1]), "checksum"),
        (lambda: file()[:3000] + bytes([file()[3000] ^ 128]) + file()[3001:], "checksum"),
        (lambda: file()[:16] + bytes([file()[16] ^ 1]) + file()[17:], "checksum"),
        (lambda: weights.seal(b""), "too early"),
        (lambda: weights.seal(file()[20:-4]), "too early"),
        (lambda: weights.seal(file()[20:] + bytes(4)), "goes on"),
        (lambda: weights.seal(b"\3" + file()[21:]), "must have 2 parts, got 3"),
        (lambda: with_part(0, inputs=()), "picture: too few"),
        (lambda: with_part(1, ops=()), "prompt: too few"),
        (lambda: with_part(0, inputs=(INPUT(3, 0, -128, 127),)), "picture, input 0: channels must be even"),
        (lambda: with_part(0, inputs=(INPUT(0, 0, -128, 127),)), "channels must be even, from 2"),
        (lambda: with_part(0, inputs=(INPUT(4, 9, -128, 127),)), "halved more than 8"),
        (lambda: with_part(0, inputs=(INPUT(4, 0, 5, 4),)), "low must not be above high"),
        (lambda: with_part(0, inputs=(INPUT(4, 1, -128, 127),)), "log-odds|shrink|of its size|halved|features"),
        (lambda: with_part(0, inputs=(INPUT(1026, 0, -128, 127),)), "more than 1024 values"),
        (lambda: with_part(0, outputs=(0,)), "picture, output 0: must be the output of an operation"),
        (lambda: with_part(0, outputs=(999,)), "must be the output of an operation"),
        (lambda: with_part(0, outputs=(5, 5)), "output 1: is an output already"),
        (lambda: with_part(0, outputs=()), "must end with features"),
        (lambda: with_part(0, outputs=parts()[0].outputs[:2]), "must have the features and the planes"),
        (lambda: with_part(0, outputs=parts()[0].outputs[::-1]), "take the features as they are made"),
        (lambda: with_part(1, outputs=(7,)), "end with log-odds alone"),
        (lambda: with_part(1, ops=parts()[1].ops[:-1]), "end with log-odds alone"),
        (lambda: with_part(1, ops=(*parts()[1].ops, parts()[1].ops[0])), "nothing may follow"),
        (lambda: with_op(0, 0, kind=6), "picture, operation 0: unknown kind 6"),
        (lambda: with_op(0, 0, inputs=(1,)), "its inputs must be"),
        (lambda: with_op(0, 0, inputs=(65535,)), "its inputs must be"),
        (lambda: with_op(0, 0, inputs=()), "wrong number of inputs"),
        (lambda: with_op(0, 0, inputs=(0, 0, 0)), "wrong number of inputs"),
        (lambda: with_op(0, find(DEEP), inputs=(1, 1)), "wrong number of inputs"),
        (lambda: with_op(0, find(ADD), inputs=(1,)), "wrong number of inputs"),
        (lambda: with_op(0, find(MEAN), inputs=(1, 1)), "wrong number of inputs"),
        (lambda: with_op(0, find(CONCAT), inputs=()), "wrong number of inputs"),
        (lambda: with_op(0, 0, channels=0), "multiple of 8"),
        (lambda: with_op(0, 0, channels=12), "multiple of 8, at most 4096, got 12"),
        (lambda: with_op(0, 0, channels=4104), "multiple of 8, at most 4096"),
        (lambda: with_op(0, 0, kernel=5), "kernel must be 1 or 3"),
        (lambda: with_op(0, 0, kernel=0), "kernel must be 1 or 3"),
        (lambda: with_op(0, find(DEEP), kernel=1), "kernel must be 3 or 5"),
        (lambda: with_op(0, 0, stride=3), "stride must be 1 or 2"),
        (lambda: with_op(0, 0, stride=0), "stride must be 1 or 2"),
        (lambda: with_op(0, 0, dilation=3), "dilation must be 1 or 2"),
        (lambda: with_op(0, 0, dilation=0), "dilation must be 1 or 2"),
        (lambda: with_op(0, 0, before=3), "reach more than 2 pixels"),
        (lambda: with_op(0, find(DEEP), before=1), "reach more than 2 pixels"),
        (lambda: with_op(0, find(DEEP), dilation=2), "reach more than 2 pixels"),
        (lambda: with_op(0, find(CONV, kernel=1, stride=1), before=1), "reach more than 2 pixels"),
        (lambda: with_op(0, 0, low=5, high=4), "low must not be above high"),
        (lambda: with_op(0, find(DEEP), channels=32), "channels must be 16, got 32"),
        (lambda: with_op(0, SKIP, channels=24), "channels of the second input must be 24, got 16"),
        (lambda: with_op(0, SKIP, stride=2), "shrink of the second input must be 2, got 1"),
        (lambda: with_op(0, find(ADD), channels=48), "channels of the first input must be 48"),
        (lambda: with_op(0, find(ADD), channels=40), "multiple of 16"),
        (lambda: with_op(0, find(ADD), kernel=1), "kernel must be 0, got 1"),
        (lambda: with_op(0, find(ADD), inputs=(*parts()[0].ops[find(ADD)].inputs[:1], 1)), "channels of the second"),
        (lambda: with_op(0, find(MEAN), channels=48), "channels must be 32, got 48"),
        (lambda: with_op(0, find(MEAN), high=4094), "high must be 4095, got 4094"),
        (lambda: with_op(0, find(MEAN), low=-1), "low must be 0, got -1"),
        (lambda: with_op(0, find(CONCAT), channels=80), "channels must be 96, got 80"),
        (lambda: with_op(0, find(CONCAT), stride=1), "stride must be 0"),
        (lambda: with_op(1, LAST, channels=8), "channels must be 4, got 8"),
        (lambda: with_op(1, LAST, kernel=1, before=0), "kernel must be 3, got 1"),
        (lambda: with_op(1, LAST, stride=2), "stride must be 1, got 2"),
        (lambda: with_op(1, LAST, dilation=2, before=2), "dilation must be 1, got 2"),
        (lambda: with_op(1, LAST, before=0), "before must be 1, got 0"),
        (lambda: with_op(1, LAST, high=1), "high must be 0, got 1"),
        (lambda: with_op(1, LAST, inputs=(1,)), "half the picture's size"),
        (lambda: with_op(0, 0, weight=replaced(parts()[0].ops[0].weight, -128)), "weight is -128"),
        *(
            (lambda n=n, v=v: with_op(0, 0, **{n: replaced(getattr(parts()[0].ops[0], n), v)}), "below 1e20")
            for n in ("scale", "bias")
            for v in (np.nan, np.inf, -1e20)
        ),
        (lambda: with_op(0, SKIP, factors=(np.nan,)), "below 1e20"),
        (lambda: with_op(0, find(ADD), factors=(1, np.inf)), "below 1e20"),
        (lambda: with_op(0, find(CONCAT), factors=(1, 1e21, 1)), "below 1e20"),
    ],
)
def test_wrong_files(make, text):
    with pytest.raises(ValueError, match=text):
        _core.Network(make())


def test_sums_that_may_leave_32_bits():
    def program(taps, high):
        b = reference.Builder(
            np.random.default_rng(0), [INPUT(taps, 0, -high, high)], [np.zeros((16, 16, taps), np.int16)]
        )
        x = b.conv(0, 16, 1, 2)
        b.ops[0] = b.ops[0]._replace(weight=np.full((16, 1, 1, taps), -127, np.int8))
        q = reference.Builder(
            np.random.default_rng(0),
            [INPUT(16, 1, 0, 4095), INPUT(8, 2, -128, 127)],
            [np.zeros((8, 8, 16), np.int16), np.zeros((4, 4, 8), np.int16)],
        )
        q.log_odds(0)
        return reference.write(b.part((x,)), q.part())

    assert 127 * 516 * 32767 < 2**31 < 127 * 518 * 32767
    _core.Network(program(516, 32767))
    with pytest.raises(ValueError, match="picture, operation 0: its sums may leave 32 bits"):
        _core.Network(program(518, 32767))


def test_damaged_files_are_refused_or_run():
    """Whatever a byte becomes, with a right checksum: no crash, no sanitizer's complaint."""
    rng = np.random.default_rng(8)
    colours, planes = reference.random_colours(1, 32), reference.random_planes(1, 32)
    content = bytearray(file()[20:])
    for _ in range(1500):
        damaged = bytearray(content)
        damaged[rng.integers(min(len(content), int(10 ** rng.uniform(1, 5))))] = rng.integers(256)
        try:
            net = _core.Network(weights.seal(bytes(damaged)))
            answer(net, colours, planes)
        except ValueError:
            pass


@pytest.mark.parametrize("wrong", [None, 3, "ACNET", bytearray(b"ACNET"), np.zeros(9, np.uint8)])
def test_only_bytes(wrong):
    with pytest.raises(TypeError):
        _core.Network(wrong)


def test_the_writer_refuses_arrays_that_do_not_fit():
    picture, prompt = parts()
    first = picture.ops[0]
    for fields, text in [
        ({"weight": first.weight[:, :2]}, "must have shape"),
        ({"weight": np.full(first.weight.shape, -128, np.int8)}, "-127"),
        ({"scale": np.ones(1, np.float32)}, "one value"),
    ]:
        with pytest.raises(ValueError, match=text):
            weights.write(picture._replace(ops=(first._replace(**fields), *picture.ops[1:])), prompt)
    with pytest.raises(ValueError, match="damaged"):
        weights.read(file()[:-1])
    assert zlib.crc32(file()[20:]) == int.from_bytes(file()[16:20], "little")


def test_many_threads_at_once():
    cases = [case(32), case(64), case(96), case(96, 64), case(64, seed=2)]

    def work(i):
        net, colours, planes, expected = cases[i % len(cases)]
        return answer(net, colours, planes).tobytes() == expected[-1].tobytes()

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(200)))


def test_features_are_asked_again_and_from_many_threads():
    net, colours, planes, expected = case(96)
    other = case(96, seed=2)[1]
    kept, others = net.see(colours), net.see(other)
    wanted = net.ask(others, planes)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda i: net.ask((kept, others)[i % 2], planes).tobytes(), range(80)):
            assert found in (expected[-1].tobytes(), wanted.tobytes())
    assert net.ask(kept, planes).tobytes() == expected[-1].tobytes()


def test_features_outlive_the_network():
    net = _core.Network(file())
    features = net.see(reference.random_colours(1, 32))
    del net
    gc.collect()
    del features


def test_sizes_in_turn():
    for size in [(32,), (96,), (32,), (96, 64), (64,), (32,)]:
        net, colours, planes, expected = case(*size)
        for _ in range(2):
            assert answer(case(32)[0], colours, planes).tobytes() == expected[-1].tobytes()
            assert answer(net, colours, planes).tobytes() == expected[-1].tobytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_fork_goes_on():
    net, colours, planes, expected = case(64)
    features = net.see(colours)
    child = os.fork()
    if child == 0:
        os._exit(0 if net.ask(features, planes).tobytes() == expected[-1].tobytes() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_buffer_of_the_pool():
    """The network keeps its own memory: removers that come and go have no part in it."""
    colours, planes = reference.random_colours(1, 192), reference.random_planes(1, 192)
    out = np.empty((192, 192), np.float32)
    pool = _core.BufferPool()
    before = _core.buffer_pool_counts()
    net = _core.Network(file())
    for _ in range(3):
        net.ask(net.see(colours), planes, out=out)
    after = _core.buffer_pool_counts()
    pool.release()
    assert after == before
