"""The network's inference: bit-exact against the NumPy oracle, layer by layer."""

import functools
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from alphacut import _core
from reference import network as reference
from reference.network import weights


@functools.cache
def case(height, width=None, seed=1):
    """A network, planes, and the output of each layer."""
    layers = reference.random_network(seed)
    planes = reference.random_planes(seed, height, width)
    planes.flags.writeable = False
    return _core.Network(reference.write(layers)), planes, reference.outputs(planes, layers)


def assert_layers_equal(found, expected):
    assert len(found) == len(expected)
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        assert (a.shape, a.dtype) == (b.shape, b.dtype), f"layer {i}"
        assert a.tobytes() == b.tobytes(), f"layer {i}"


def test_random_networks_use_their_range():
    _, _, expected = case(64)
    for x in expected[:-1]:
        assert (x > 0).mean() > 0.02
        assert (x >= 4095).mean() < 0.05
        assert x.std() > 100
    assert 0.3 < expected[-1].std() < 30


def test_the_file_is_read_back():
    file = reference.write(reference.random_network(3))
    assert reference.write(reference.read(file)) == file


@pytest.mark.usefixtures("isa", "threads")
@pytest.mark.parametrize("size", [(32,), (64,), (96,), (192,), (32, 160), (96, 64)])
def test_every_layer(size):
    net, planes, expected = case(*size)
    assert_layers_equal(net.layers(planes), expected)
    assert net.run(planes).tobytes() == expected[-1].tobytes()


# Each changes layers or planes so that the arithmetic meets its ends.
def flat(value):
    def change(layers, planes):
        extreme = [
            layer._replace(weight=np.where(layer.weight < 0, -127, 127).astype(np.int8))
            if isinstance(layer, weights.Conv)
            else layer
            for layer in layers
        ]
        return extreme, np.full_like(planes, value)

    return change


def ends_only(layers, planes):
    return layers, np.where(planes < 0, -128, 127).astype(np.int16)


def loud(layers, planes):
    """Most activations reach a limit."""
    return [
        layer._replace(scale=100 * layer.scale) if isinstance(layer, weights.Conv) else layer._replace(a=9, b=-0.2)
        for layer in layers
    ], planes


def full(layers, planes):
    """The largest sums: weights of 127, and activations at their upper limit."""
    return [
        layer._replace(weight=np.full_like(layer.weight, 127), scale=layer.scale * 0 + 1)
        if isinstance(layer, weights.Conv)
        else layer
        for layer in layers
    ], np.full_like(planes, 127)


def ties(layers, planes):
    """Sums that lie half way between two results."""
    half = np.float32(0.5)
    return [
        layer._replace(
            weight=(layer.weight // 64).astype(np.int8),
            scale=layer.scale * 0 + half,
            bias=np.rint(2 * layer.bias) / 2,
            skip=half if layer.kind == weights.BLOCK_END else 0,
        )
        if isinstance(layer, weights.Conv)
        else layer._replace(a=half, b=half / 8)
        for layer in layers
    ], planes // 16


def inexact(layers, planes):
    """Sums that float32 cannot hold exactly, and scales that bring them back into the range."""
    return [
        layer._replace(weight=np.full_like(layer.weight, 127), scale=layer.scale * np.float32(0.01))
        if isinstance(layer, weights.Conv)
        else layer
        for layer in layers
    ], planes


def enormous(layers, planes):
    """Factors at their limit: no product may become infinite, no sum NaN."""
    big = np.float32(9.9e19)
    return [
        layer._replace(
            scale=np.copysign(big, layer.scale - layer.scale.mean()),
            bias=np.copysign(big, layer.bias),
            skip=-big if layer.kind == weights.BLOCK_END else 0,
        )
        if isinstance(layer, weights.Conv)
        else layer._replace(a=big, b=-big)
        for layer in layers
    ], planes


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("change", [flat(-128), flat(127), ends_only, loud, full, ties, inexact, enormous])
@pytest.mark.parametrize("size", [32, 96])
def test_ends_of_the_arithmetic(change, size):
    layers, planes = change(reference.random_network(5), reference.random_planes(5, size))
    expected = reference.outputs(planes, layers)
    assert_layers_equal(_core.Network(reference.write(layers)).layers(planes), expected)
    if change is loud:
        kinds = [layer.kind for layer in layers if isinstance(layer, weights.Conv)]
        assert weights.LINEAR in kinds
        linear = [x for x in expected[:-1] if x.min() < 0]
        assert len(linear) == 2
        assert all(abs(x).max() == 32767 and (abs(x) == 32767).mean() > 0.5 for x in linear)
        assert all((x == 4095).mean() > 0.2 for x in expected[:19])
    if change is ties:
        y = reference.sums(planes, layers[0]).astype(np.float32) / 2 + layers[0].bias
        assert (y % 1 == 0.5).mean() > 0.2


@pytest.mark.usefixtures("isa")
def test_any_planes_of_16_bits(rng):
    layers = reference.random_network(6)
    planes = rng.choice(np.array([-32768, 32767, 0], np.int16), (32, 32, 10))
    assert_layers_equal(_core.Network(reference.write(layers)).layers(planes), reference.outputs(planes, layers))


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
    net, planes, expected = case(64)
    view = cut(planes)
    assert np.array_equal(view, planes)
    before = view.copy()
    assert net.run(view).tobytes() == expected[-1].tobytes()
    assert np.array_equal(view, before)


@pytest.mark.usefixtures("isa")
def test_out():
    net, planes, expected = case(96)
    canvas = np.full((60, 70), np.nan, np.float32)
    out = canvas[6:54, 11:59]
    assert net.run(planes, out=out) is out
    assert np.array_equal(out, expected[-1])
    assert np.isnan(canvas).sum() == canvas.size - out.size
    reversed_rows = np.empty((48, 48), np.float32)[::-1]
    assert np.array_equal(net.run(planes, out=reversed_rows), expected[-1])


def test_wrong_out():
    net, planes, expected = case(64)
    right = np.zeros((32, 32), np.float32)
    for wrong, error, text in [
        (right.astype(np.float64), TypeError, "float64"),
        (np.zeros((64, 64), np.float32), ValueError, "shape"),
        (np.zeros((32, 32, 1), np.float32), ValueError, "shape"),
        (np.zeros((32, 64), np.float32)[:, ::2], ValueError, "packed"),
        ([1.0], TypeError, "numpy.ndarray"),
    ]:
        with pytest.raises(error, match=text):
            net.run(planes, out=wrong)
    right.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        net.run(planes, out=right)
    shared = planes.copy()
    with pytest.raises(ValueError, match="overlaps"):
        net.run(shared, out=shared.reshape(-1).view(np.float32)[:1024].reshape(32, 32))
    assert net.run(planes).tobytes() == expected[-1].tobytes()


@pytest.mark.parametrize("call", ["run", "layers"])
def test_wrong_planes(call):
    net, planes, _ = case(64)
    for wrong, error, text in [
        (planes.astype(np.int8), TypeError, "int16"),
        (planes.astype(np.uint16), TypeError, "uint16"),
        (planes.astype(">i2"), TypeError, "int16"),
        (planes.tolist(), TypeError, "numpy.ndarray"),
        (planes[..., 0], ValueError, "shape"),
        (planes[None], ValueError, "shape"),
        (planes[..., :9], ValueError, "10 channels"),
        (planes[:33], ValueError, "multiples of 32, got 33 x 64 x 10"),
        (planes[:, :48], ValueError, "multiples of 32"),
        (planes[:16, :16], ValueError, "multiples of 32"),
        (planes[:0], ValueError, "no side 0"),
    ]:
        with pytest.raises(error, match=text):
            getattr(net, call)(wrong)


@functools.cache
def file():
    return reference.write(reference.random_network(1))


def with_payload(change):
    content = bytearray(file()[20:])
    change(content)
    return weights.seal(bytes(content))


def set_at(at, *values):
    def change(content):
        content[at : at + len(values)] = bytes(values)

    return change


FIRST = 12 + 4 + 4 * 16 + 4 * 16 + 16 * 90  # the bytes of the first layer
NAN, INFINITY = np.float32("nan").tobytes(), np.float32("inf").tobytes()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: b"", "too early"),
        (lambda: file()[:7], "too early"),
        (lambda: file()[:19], "too early"),
        (lambda: b"ONNX" + file()[4:], "does not begin"),
        (lambda: file()[:6] + b"1" + file()[7:], "does not begin"),
        (lambda: weights.seal(file()[20:], version=2), "version must be 1, got 2"),
        (lambda: file()[:-1], "bytes after the header"),
        (lambda: file() + b"\0", "bytes after the header"),
        (lambda: file()[:20], "bytes after the header"),
        (lambda: file()[:-1] + bytes([file()[-1] ^ 1]), "checksum"),
        (lambda: file()[:3000] + bytes([file()[3000] ^ 128]) + file()[3001:], "checksum"),
        (lambda: file()[:16] + bytes([file()[16] ^ 1]) + file()[17:], "checksum"),
        (lambda: weights.seal(b""), "too early"),
        (lambda: weights.seal(file()[20:-4]), "too early"),
        (lambda: weights.seal(file()[20:] + bytes(4)), "goes on"),
        (lambda: with_payload(set_at(0, 12)), "layer 0 must have in = 10, got 12"),
        (lambda: with_payload(set_at(3, 1)), "layer 0 must have out = 16, got 272"),
        (lambda: with_payload(set_at(4, 1)), "layer 0 must have kernel = 3, got 1"),
        (lambda: with_payload(set_at(6, 1)), "layer 0 must have stride = 2, got 1"),
        (lambda: with_payload(set_at(8, 2)), "layer 0 must have dilation = 1, got 2"),
        (lambda: with_payload(set_at(10, 0)), "layer 0 must have kind = 1, got 0"),
        (lambda: with_payload(set_at(FIRST, 17)), "layer 1 must have in = 16, got 17"),
        (lambda: with_payload(set_at(12, 0, 0, 128, 63)), "layer 0 ends no block"),
        (lambda: with_payload(set_at(12, *NAN)), "below 1e20"),
        (lambda: with_payload(set_at(16, *NAN)), "below 1e20"),
        (lambda: with_payload(set_at(16, *INFINITY)), "below 1e20"),
        (lambda: with_payload(set_at(16, *np.float32(-1e20).tobytes())), "below 1e20"),
        (lambda: with_payload(set_at(16 + 64, *NAN)), "below 1e20"),
        (lambda: with_payload(set_at(16 + 128, 128)), "weight is -128"),
    ],
)
def test_wrong_files(make, text):
    with pytest.raises(ValueError, match=text):
        _core.Network(make())


def test_every_field_of_every_layer_is_read():
    """No shape may be another, whichever layer it is."""
    layers, at = reference.read(file()), 0
    for i, layer in enumerate(layers):
        for field in range(6):
            low = file()[20 + at + 2 * field]
            with pytest.raises(ValueError, match=f"layer {i} must have"):
                _core.Network(with_payload(set_at(at + 2 * field, low ^ 1)))
        at += len(weights.payload([layer]))
    assert at == len(file()) - 20


def test_wrong_additions():
    layers = reference.read(file())
    at = 0
    for layer in layers:
        if isinstance(layer, weights.Add):
            for k in (12, 16):
                with pytest.raises(ValueError, match="below 1e20"):
                    _core.Network(with_payload(set_at(at + k, *NAN)))
        at += len(weights.payload([layer]))


@pytest.mark.parametrize("wrong", [None, 3, "ACNET", bytearray(b"ACNET"), np.zeros(9, np.uint8)])
def test_only_bytes(wrong):
    with pytest.raises(TypeError):
        _core.Network(wrong)


def test_the_writer_refuses_what_is_no_network():
    layers = reference.random_network(1)
    with pytest.raises(ValueError, match="topology"):
        weights.write(layers[:-1])
    with pytest.raises(ValueError, match="-127"):
        weights.write([layers[0]._replace(weight=np.full((16, 3, 3, 10), -128, np.int8)), *layers[1:]])
    with pytest.raises(ValueError, match="one value"):
        weights.write([layers[0]._replace(scale=np.ones(1, np.float32)), *layers[1:]])
    assert zlib.crc32(file()[20:]) == int.from_bytes(file()[16:20], "little")


def test_many_threads_at_once():
    cases = [case(32), case(64), case(96), case(96, 64), case(64, seed=2)]

    def work(i):
        net, planes, expected = cases[i % len(cases)]
        return net.run(planes).tobytes() == expected[-1].tobytes()

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(200)))


def test_sizes_in_turn():
    net = case(32)[0]
    for size in [(32,), (96,), (32,), (96, 64), (64,), (32,)]:
        _, planes, expected = case(*size)
        for _ in range(2):
            assert net.run(planes).tobytes() == expected[-1].tobytes()


def test_no_block_of_the_store():
    """The network keeps its own memory: removers that come and go have no part in it."""
    layers = reference.random_network(1)
    planes = reference.random_planes(1, 192)
    out = np.empty((96, 96), np.float32)
    reserve = _core.BlockReserve()
    before = _core.block_counts()
    net = _core.Network(reference.write(layers))
    for _ in range(3):
        net.run(planes, out=out)
    after = _core.block_counts()
    reserve.release()
    assert after == before
