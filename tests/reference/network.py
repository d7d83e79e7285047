"""Oracle of the network: a program's operations, one at a time, in integers. Also makes random programs."""

import importlib.util
import sys
from pathlib import Path

import numpy as np

_root = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("network_weights", _root / "training" / "weights.py")
weights = sys.modules["network_weights"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(weights)
Input, Op, Part, read, write = weights.Input, weights.Op, weights.Part, weights.read, weights.write

f32 = np.float32


def windows(x, op):
    """The pixels under each tap, (taps, height, width, channels)."""
    stride, reach = op.stride, op.kernel * op.dilation
    height, width = x.shape[0] // stride, x.shape[1] // stride
    padded = np.pad(x, ((op.before, reach), (op.before, reach), (0, 0)))
    at = [slice(k * op.dilation, None, stride) for k in range(op.kernel)]
    return np.stack([padded[r, c][:height, :width] for r in at for c in at])


def sums(x, op):
    """int32 sums of products. Doubles hold them exactly, whatever the order, and multiply matrices fast."""
    taps = windows(x, op).astype(float)
    weight = op.weight.reshape(op.channels, op.kernel**2, -1).astype(float)
    if op.kind == weights.DEPTHWISE:
        acc = np.einsum("thwc,ct->hwc", taps, weight[..., 0])
    else:
        rows = taps.transpose(1, 2, 0, 3).reshape(*taps.shape[1:3], -1)
        acc = rows @ weight.reshape(op.channels, -1).T
    assert abs(acc).max() < 2**31
    return acc.astype(np.int32)


def requantise(y, op):
    return np.rint(np.clip(y, f32(op.low), f32(op.high))).astype(np.int16)


def scaled(x, op):
    return sums(x, op).astype(f32) * np.asarray(op.scale, f32) + np.asarray(op.bias, f32)


def conv(op, x, skip=None):
    y = scaled(x, op)
    if skip is not None:
        y = y + skip.astype(f32) * f32(op.factors[0])
    return requantise(y, op)


def average(op, x):
    x = x.astype(np.int32)
    return ((x[::2, ::2] + x[::2, 1::2] + x[1::2, ::2] + x[1::2, 1::2] + 2) >> 2).astype(np.int16)


def up2(x):
    """16 times the bilinear enlargement by 2."""
    for axis in (0, 1):
        x = np.moveaxis(x.astype(np.int32), axis, 0)
        edge = np.pad(x, ((1, 1), *[(0, 0)] * (x.ndim - 1)), mode="edge")
        both = np.stack([3 * x + edge[:-2], 3 * x + edge[2:]], axis=1)
        x = np.moveaxis(both.reshape(-1, *x.shape[1:]), 0, axis)
    return x


def add(op, fine, coarse):
    coarse = coarse if coarse.shape == fine.shape else up2(coarse)
    return requantise(fine.astype(f32) * f32(op.factors[0]) + coarse.astype(f32) * f32(op.factors[1]), op)


def concat(op, *xs):
    return requantise(np.concatenate([x.astype(f32) * f32(a) for x, a in zip(xs, op.factors, strict=True)], axis=2), op)


def log_odds(op, x):
    y = scaled(x, op)
    height, width, _ = y.shape
    return y.reshape(height, width, 2, 2).transpose(0, 2, 1, 3).reshape(2 * height, 2 * width)


RUN = {
    weights.CONV: conv,
    weights.DEPTHWISE: conv,
    weights.ADD: add,
    weights.AVERAGE: average,
    weights.CONCAT: concat,
    weights.LOG_ODDS: log_odds,
}


def run(part, given):
    """The output of each operation."""
    tensors = [np.clip(x, want.low, want.high).astype(np.int16) for x, want in zip(given, part.inputs, strict=True)]
    for op in part.ops:
        tensors.append(RUN[op.kind](op, *(tensors[k] for k in op.inputs)))
    return tensors[len(given) :]


def outputs(parts, colours, planes):
    """The output of each operation of both parts; the last is the log-odds."""
    picture, prompt = parts
    seen = run(picture, [colours])
    return seen + run(prompt, [*(seen[k - 1] for k in picture.outputs), planes])


class Builder:
    """Adds operations of random weights to a part, so scaled that values of random pictures use their range."""

    def __init__(self, rng, inputs, given):
        self.rng, self.inputs, self.ops, self.tensors = rng, tuple(inputs), [], list(given)

    def part(self, outputs=()):
        return Part(self.inputs, tuple(self.ops), tuple(outputs))

    def source(self, tensor):
        return [*self.inputs, *self.ops][tensor]

    def _append(self, op):
        self.ops.append(op)
        self.tensors.append(RUN[op.kind](op, *(self.tensors[k] for k in op.inputs)))
        return len(self.tensors) - 1

    def _weights(self, op, inner):
        """Random ones; scale and bias that spread the results."""
        rng = self.rng
        shape = (op.channels, op.kernel, op.kernel, inner)
        op = op._replace(weight=np.clip(np.rint(rng.normal(0, 40, shape)), -127, 127).astype(np.int8))
        spread = max(float(sums(self.tensors[op.inputs[0]], op).std()), 1.0)
        wanted = 3.0 if op.kind == weights.LOG_ODDS else op.high / 4
        scale = (wanted / spread * rng.uniform(0.5, 1.5, op.channels)).astype(f32)
        bias = (wanted * rng.normal(0, 0.4, op.channels)).astype(f32)
        return op._replace(scale=scale, bias=bias)

    def conv(self, x, channels, kernel=1, stride=1, dilation=1, signed=False, high=None, skip=None, deep=False):
        low, high = (-(high or 32767), high or 32767) if signed else (0, high or 4095)
        before = (kernel - stride) // 2 if stride > 1 else kernel // 2 * dilation
        kind = weights.DEPTHWISE if deep else weights.CONV
        inputs, factors = ((x,), ()) if skip is None else ((x, skip), (float(f32(self.rng.uniform(-0.9, 0.9))),))
        op = Op(kind, inputs, channels, low, high, kernel, stride, dilation, max(before, 0), factors)
        return self._append(self._weights(op, 1 if deep else self.source(x).channels))

    def depthwise(self, x, kernel=3, stride=1, dilation=1, **options):
        return self.conv(x, self.source(x).channels, kernel, stride, dilation, deep=True, **options)

    def add(self, x, y, low=0, high=4095):
        enlarged = self.tensors[x].shape != self.tensors[y].shape
        a, b = (self.rng.uniform(0.3, 0.9, 2) * (1, 1 / 16 if enlarged else 1)).astype(f32).tolist()
        return self._append(Op(weights.ADD, (x, y), self.source(x).channels, low, high, factors=(a, b)))

    def average(self, x):
        given = self.source(x)
        return self._append(Op(weights.AVERAGE, (x,), given.channels, given.low, given.high))

    def concat(self, *xs, low=0, high=4095):
        factors = tuple(self.rng.uniform(0.3, 1.2, len(xs)).astype(f32).tolist())
        channels = sum(self.source(x).channels for x in xs)
        return self._append(Op(weights.CONCAT, xs, channels, low, high, factors=factors))

    def log_odds(self, x):
        op = Op(weights.LOG_ODDS, (x,), 4, 0, 0, 3, 1, 1, 1)
        return self._append(self._weights(op, self.source(x).channels))


def random_colours(seed, height, width=None):
    return np.random.default_rng(seed).integers(-128, 128, (height, width or height, 4)).astype(np.int16)


def random_planes(seed, height, width=None):
    shape = height // 4, (width or height) // 4, 8
    return np.random.default_rng(seed + 1000).integers(-128, 128, shape).astype(np.int16)


def every_operation(seed):
    """A program with each operation, stride, dilation, kernel and kind of output."""
    rng = np.random.default_rng(seed)
    b = Builder(rng, [Input(4, 0, -128, 127)], [random_colours(seed, 64)])
    wide = int(rng.choice([16, 48, 80]))
    x2 = b.conv(0, 16, 3, 2)
    y2 = b.depthwise(x2, 5, high=3000)
    y2 = b.conv(y2, 16, signed=True, skip=x2)
    x = b.conv(y2, wide, high=int(rng.integers(500, 4096)))
    x4 = b.conv(b.depthwise(x, 5, 2), 24, signed=True)
    x = b.conv(b.depthwise(b.conv(x4, 144)), 24, skip=x4, signed=True, high=9000)
    x = b.conv(x, 40, 3, 1, 2, signed=True)
    y4 = b.conv(x, 32, 3)
    x8 = b.depthwise(y4, 3, 2)
    x8 = b.add(b.conv(x8, 32, 1, signed=True), b.average(y4), low=-20000, high=20000)
    x8 = b.depthwise(x8, 3, 1, 2, signed=True)
    z8 = b.conv(y4, 48, 1, 2)
    x16 = b.concat(b.average(x8), b.average(z8), b.conv(z8, 16, 3, 2), low=-5000, high=5000)
    x16 = b.depthwise(x16, 5, signed=True, high=2047)
    outputs = (y2, y4, b.conv(x8, 32, signed=True), x16)
    picture = b.part(outputs)

    sources = [picture.ops[k - 1] for k in outputs]
    inputs = [Input(op.channels, shrink, op.low, op.high) for op, shrink in zip(sources, (1, 2, 3, 4), strict=True)]
    q = Builder(rng, [*inputs, Input(8, 2, -128, 127)], [*(b.tensors[k] for k in outputs), random_planes(seed, 64)])
    p4 = q.conv(4, 16, 3)
    p8 = q.conv(p4, 32, 3, 2)
    x8 = q.add(2, q.conv(3, 32, signed=True))
    x8 = q.conv(q.conv(q.conv(x8, 16), 16, 3, 1, 2), 32, skip=x8)
    x8 = q.add(x8, p8, low=-100, high=4000)
    x4 = q.add(q.conv(p4, 32, skip=1, signed=True), x8)
    x2 = q.add(0, q.conv(x4, 16, signed=True))
    x2 = q.conv(q.depthwise(x2), 16, skip=x2)
    q.log_odds(x2)
    return picture, q.part()


def shipped():
    """The program that comes with the package."""
    return read((_root / "python" / "alphacut" / "subject.weights").read_bytes())


def shipped_with_random_weights(seed):
    """Its topology alone."""
    rng = np.random.default_rng(seed)
    picture, prompt = shipped()

    def again(part, given):
        b = Builder(rng, part.inputs, given)
        for op in part.ops:
            if op.weight is not None:
                op = b._weights(op, op.weight.shape[-1])
            b._append(op._replace(factors=tuple(rng.uniform(0.02, 0.06, len(op.factors)).astype(f32).tolist())))
        return b.part(part.outputs), b.tensors

    picture, tensors = again(picture, [random_colours(seed, 64)])
    prompt, _ = again(prompt, [*(tensors[k] for k in picture.outputs), random_planes(seed, 64)])
    return picture, prompt
