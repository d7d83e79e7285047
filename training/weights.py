"""The file of a network: a program, as cpp/src/network_file.hpp reads it. Needs NumPy alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

MAGIC, VERSION = b"ACNET\0\0\0", 2
CONV, DEPTHWISE, ADD, AVERAGE, CONCAT, LOG_ODDS = range(6)
WEIGHTED = (CONV, DEPTHWISE, LOG_ODDS)


class Input(NamedTuple):
    """What a part is given; it has 1 / 2**shrink of the picture's height and width."""

    channels: int
    shrink: int
    low: int
    high: int


class Op(NamedTuple):
    """An operation. Its output has the number that follows the inputs' and the earlier outputs'.

    CONV: sums * scale + bias, and + second input * factor if there is one. DEPTHWISE: the same of each channel alone.
    ADD: first * factor + second * factor, where a second of half the size counts as 16 times its bilinear enlargement.
    AVERAGE of 2 x 2. CONCAT: each input * factor, side by side. LOG_ODDS: sums * scale + bias of 4 channels, which
    become 2 x 2 pixels of float32. All others are clipped to low..high and rounded.
    """

    kind: int
    inputs: tuple[int, ...]
    channels: int
    low: int = 0
    high: int = 0
    kernel: int = 0
    stride: int = 0
    dilation: int = 0
    before: int = 0  # pixels that a window reaches to the left and up
    factors: tuple[float, ...] = ()
    weight: np.ndarray | None = None  # (channels, kernel, kernel, channels of the input, or 1) int8, -127..127
    scale: np.ndarray | None = None  # (channels,) float32
    bias: np.ndarray | None = None  # (channels,) float32


class Part(NamedTuple):
    """A program: the outputs are numbers of tensors."""

    inputs: tuple[Input, ...]
    ops: tuple[Op, ...]
    outputs: tuple[int, ...] = ()


def channels_of(part: Part) -> list[int]:
    """Of each tensor."""
    return [x.channels for x in (*part.inputs, *part.ops)]


def count_of_factors(kind: int, inputs: int) -> int:
    return {CONV: inputs - 1, ADD: 2, CONCAT: inputs}.get(kind, 0)


def _u16(*values: int) -> bytes:
    return np.array(values, "<u2").tobytes()


def _i16(*values: int) -> bytes:
    return np.array(values, "<i2").tobytes()


def _f32(values: Any) -> bytes:
    return np.asarray(values, "<f4").tobytes()


def _op(op: Op) -> bytes:
    head = _u16(op.kind, op.channels, op.kernel, op.stride, op.dilation, op.before) + _i16(op.low, op.high)
    content = head + _u16(len(op.inputs), *op.inputs) + _f32(op.factors)
    if op.weight is not None:
        content += _f32(op.scale) + _f32(op.bias) + np.asarray(op.weight, np.int8).tobytes()
    return content


def payload(parts: Sequence[Part]) -> bytes:
    """The parts' bytes, whatever they hold."""
    content = _u16(len(parts))
    for part in parts:
        content += _u16(len(part.inputs), len(part.ops), len(part.outputs))
        for x in part.inputs:
            content += _u16(x.channels, x.shrink) + _i16(x.low, x.high)
        content += b"".join(map(_op, part.ops)) + _u16(*part.outputs)
    return content


def seal(content: bytes, version: int = VERSION) -> bytes:
    """The header and the payload."""
    return MAGIC + np.array([version, len(content), zlib.crc32(content)], "<u4").tobytes() + content


def write(picture: Part, prompt: Part) -> bytes:
    """The bytes of a file. What the arrays say must fit; the rest is checked by what reads it."""
    for part in (picture, prompt):
        for op in part.ops:
            if op.kind not in WEIGHTED:
                continue
            assert op.weight is not None
            inner = 1 if op.kind == DEPTHWISE else channels_of(part)[op.inputs[0]]
            shape = op.channels, op.kernel, op.kernel, inner
            if np.shape(op.weight) != shape:
                raise ValueError(f"weight must have shape {shape}, got {np.shape(op.weight)}")
            if np.abs(np.asarray(op.weight, np.int64)).max() > 127:
                raise ValueError("weights must be from -127 to 127")
            if np.shape(op.scale) != (op.channels,) or np.shape(op.bias) != (op.channels,):
                raise ValueError("scale and bias must have one value for each output channel")
    return seal(payload((picture, prompt)))


def read(file: bytes) -> tuple[Part, Part]:
    """The parts of a file that `write` made."""
    content = file[20:]
    if file != seal(content):
        raise ValueError("not a file of this version, or damaged")
    at = 0

    def take(dtype: str, *shape: int) -> np.ndarray:
        nonlocal at
        values = np.frombuffer(content, dtype, int(np.prod(shape)), at).reshape(shape)
        at += values.nbytes
        return values

    def numbers(dtype: str, count: int) -> list[Any]:
        return take(dtype, count).tolist()

    def op(part: Part) -> Op:
        kind, channels, kernel, stride, dilation, before = numbers("<u2", 6)
        low, high = numbers("<i2", 2)
        inputs = tuple(numbers("<u2", numbers("<u2", 1)[0]))
        factors = tuple(numbers("<f4", count_of_factors(kind, len(inputs))))
        made = Op(kind, inputs, channels, low, high, kernel, stride, dilation, before, factors)
        if kind not in WEIGHTED:
            return made
        scale, bias = take("<f4", channels), take("<f4", channels)
        inner = 1 if kind == DEPTHWISE else channels_of(part)[inputs[0]]
        return made._replace(weight=take("i1", channels, kernel, kernel, inner), scale=scale, bias=bias)

    parts = []
    for _ in range(numbers("<u2", 1)[0]):
        count_in, count_ops, count_out = numbers("<u2", 3)
        inputs = tuple(Input(*numbers("<u2", 2), *numbers("<i2", 2)) for _ in range(count_in))
        part = Part(inputs, ())
        for _ in range(count_ops):
            part = part._replace(ops=(*part.ops, op(part)))
        parts.append(part._replace(outputs=tuple(numbers("<u2", count_out))))
    if at != len(content) or len(parts) != 2:
        raise ValueError("not a file of two parts")
    return parts[0], parts[1]
