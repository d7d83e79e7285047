"""The file of the network's weights, as cpp/include/alphacut/network.hpp reads it. Needs NumPy alone."""

import zlib
from typing import NamedTuple

import numpy as np

MAGIC, VERSION = b"ACNET\0\0\0", 1
LINEAR, RELU, BLOCK_END, LOGITS, ADD = range(5)


class Conv(NamedTuple):
    """A convolution: y = sums * scale + bias, and + input of the block * skip where the kind is BLOCK_END."""

    weight: np.ndarray  # (out, kernel, kernel, in) int8, -127..127
    scale: np.ndarray  # (out,) float32
    bias: np.ndarray  # (out,) float32
    stride: int = 1
    dilation: int = 1
    kind: int = RELU
    skip: float = 0.0

    @property
    def shape(self):
        out, kernel, _, channels = self.weight.shape
        return channels, out, kernel, self.stride, self.dilation, self.kind


class Add(NamedTuple):
    """relu(fine * a + coarse * b), where coarse is the sum of four taps of weights 9, 3, 3 and 1."""

    channels: int
    a: float
    b: float

    @property
    def shape(self):
        return 0, self.channels, 0, 0, 0, ADD


def _bottleneck(channels, dilation=1):
    middle = channels // 2
    yield channels, middle, 1, 1, 1, RELU
    yield middle, middle, 3, 1, dilation, RELU
    yield middle, channels, 1, 1, 1, BLOCK_END


def topology():
    """The layers in the order of the file: (in, out, kernel, stride, dilation, kind)."""
    yield 10, 16, 3, 2, 1, RELU
    yield 16, 32, 3, 2, 1, RELU
    yield from _bottleneck(32)
    yield 32, 64, 3, 2, 1, RELU
    yield from _bottleneck(64)
    yield from _bottleneck(64, 2)
    yield 64, 96, 3, 2, 1, RELU
    yield from _bottleneck(96)
    yield from _bottleneck(96, 2)
    yield from _bottleneck(96)  # of the average of 2 x 2
    yield from _bottleneck(96)
    yield 0, 96, 0, 0, 0, ADD
    yield from _bottleneck(96)
    yield 96, 64, 1, 1, 1, LINEAR
    yield 0, 64, 0, 0, 0, ADD
    yield from _bottleneck(64)
    yield 64, 32, 1, 1, 1, LINEAR
    yield 0, 32, 0, 0, 0, ADD
    yield from _bottleneck(32)
    yield from _bottleneck(32)
    yield 32, 4, 3, 1, 1, LOGITS


def payload(layers):
    """The layers' bytes, whatever their shapes."""
    parts = []
    for layer in layers:
        parts.append(np.array(layer.shape, "<u2").tobytes())
        if isinstance(layer, Add):
            parts.append(np.array([layer.a, layer.b], "<f4").tobytes())
            continue
        parts += [np.asarray(v, "<f4").tobytes() for v in (layer.skip, layer.scale, layer.bias)]
        parts.append(np.asarray(layer.weight, np.int8).tobytes())
        parts.append(bytes(-len(parts[-1]) % 4))
    return b"".join(parts)


def seal(content, version=VERSION):
    """The header and the payload."""
    return MAGIC + np.array([version, len(content), zlib.crc32(content)], "<u4").tobytes() + content


def write(layers):
    """The bytes of a file; a ValueError for layers that are not the network's."""
    layers = list(layers)
    shapes = [layer.shape for layer in layers]
    if shapes != list(topology()):
        raise ValueError(f"layers must be those of the topology, got {shapes}")
    for layer in layers:
        if isinstance(layer, Conv):
            if np.abs(np.asarray(layer.weight, np.int64)).max() > 127:
                raise ValueError("weights must be from -127 to 127")
            if np.shape(layer.scale) != (layer.shape[1],) or np.shape(layer.bias) != (layer.shape[1],):
                raise ValueError("scale and bias must have one value for each output channel")
    return seal(payload(layers))


def read(file):
    """The layers of a file that `write` made."""
    content = file[20:]
    if file != seal(content):
        raise ValueError("not a file of this version, or damaged")
    layers, at = [], 0

    def take(dtype, *shape):
        nonlocal at
        values = np.frombuffer(content, dtype, int(np.prod(shape)), at).reshape(shape)
        at += values.nbytes
        return values

    for shape in topology():
        if tuple(take("<u2", 6)) != shape:
            raise ValueError(f"layer {len(layers)} is not the topology's")
        channels, out, kernel, stride, dilation, kind = shape
        if kind == ADD:
            layers.append(Add(out, *map(float, take("<f4", 2))))
            continue
        skip, scale, bias = float(take("<f4", 1)[0]), take("<f4", out), take("<f4", out)
        weight = take(np.int8, out, kernel, kernel, channels)
        at += -at % 4
        layers.append(Conv(weight, scale, bias, stride, dilation, kind, skip))
    if at != len(content):
        raise ValueError("the file is too long")
    return layers
