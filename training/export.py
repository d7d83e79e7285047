"""From trained weights to the file that the package reads: norms folded, weights of 8 bits, activations of 16 or fewer.

The network's code is traced, and what is found becomes a program; so a new topology needs nothing new here.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from . import weights
from .network import Conv, Network

LARGEST, LARGEST_SIGNED = 4095, 32767
BEYOND = 1e-5  # share of a layer's values that may be clipped


def quantised(weight: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(out, kernel, kernel, in) int8 and the step of each output channel, the one of least squared error."""
    w = weight.detach().double().permute(0, 2, 3, 1).numpy()
    flat = w.reshape(len(w), -1)
    top = np.maximum(np.abs(flat).max(1), 1e-12)
    best, least = top / 127, np.full(len(w), np.inf)
    for shrink in np.linspace(1, 0.6, 33):
        step = (top * shrink / 127)[:, None]
        error = ((np.clip(np.rint(flat / step), -127, 127) * step - flat) ** 2).sum(1)
        best, least = np.where(error < least, step[:, 0], best), np.minimum(error, least)
    return np.clip(np.rint(w / best[:, None, None, None]), -127, 127).astype(np.int8), best


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, qualified_name: str) -> bool:
        return isinstance(m, Conv) or super().is_leaf_module(m, qualified_name)


class _Ranges(fx.Interpreter):
    """Runs a part and notes how large the values of each node become."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.tops: dict[fx.Node, list[float]] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, Tensor):
            top = value.abs().flatten()
            k = max(1, int(BEYOND * top.numel()))
            self.tops.setdefault(n, []).append(float(torch.topk(top, k).values[-1]))
            value = value.clone()  # what follows may write in place
        return value


class _Lowering:
    """Writes the operations of a traced part, each when it is first needed."""

    def __init__(self, module: fx.GraphModule, ranges: _Ranges) -> None:
        self.module, self.ranges = module, ranges
        self.inputs: list[weights.Input] = []
        self.ops: list[weights.Op] = []
        self.number: dict[fx.Node, int] = {}
        self.steps: dict[int, float] = {}  # what 1 stands for, of each tensor

    def give(self, node: fx.Node, source: weights.Input, step: float) -> None:
        self.number[node] = len(self.inputs)
        self.steps[len(self.inputs)] = step
        self.inputs.append(source)

    def channels(self, tensor: int) -> int:
        return [*self.inputs, *self.ops][tensor].channels

    def _append(self, node: fx.Node, op: weights.Op, step: float = 1.0) -> int:
        tensor = len(self.inputs) + len(self.ops)
        self.ops.append(op)
        self.number[node], self.steps[tensor] = tensor, step
        return tensor

    def _limits(self, node: fx.Node, limit: float | None) -> tuple[int, int, float]:
        """Range and step of an output that ReLU clips at `limit`, or none does."""
        top = max(float(np.max(self.ranges.tops[node])), 1e-6)
        if limit is None:
            return -LARGEST_SIGNED, LARGEST_SIGNED, top / LARGEST_SIGNED
        step = min(top, limit) / LARGEST
        return 0, int(min(LARGEST, round(min(limit / step, LARGEST)))), step

    def of(self, node: fx.Node) -> int:
        """The number of the tensor that holds this node's value."""
        if node in self.number:
            return self.number[node]
        if node.op == "call_module":
            layer = self.module.get_submodule(str(node.target))
            return self._conv(node, layer) if isinstance(layer, Conv) else self._log_odds(node, layer)
        if node.target in (operator.add, torch.add):
            return self._sum(node, node, None)
        if node.target is F.relu and _is_sum(node.args[0]) and len(node.args[0].users) == 1:
            return self._sum(node, node.args[0], float("inf"))
        if node.target is F.avg_pool2d and node.args[1:] == (2,):
            return self._average(node)
        if node.target is torch.cat:
            return self._concat(node)
        if node.target is F.pixel_shuffle or node.target is torch.pixel_shuffle:
            return self.of(node.args[0])
        raise ValueError(f"no operation for {node.format_node()}")

    def _conv(
        self, node: fx.Node, layer: Conv, result: fx.Node | None = None, skip: fx.Node | None = None, limit: Any = ...
    ) -> int:
        """A convolution; with the sum (and the ReLU) that follows, if `result` is its node."""
        result = result or node
        limit = layer.limit if limit is ... else limit
        source = self.of(node.args[0])
        others = () if skip is None else (self.of(skip),)
        low, high, step = self._limits(result, limit)
        weight, bias = layer.folded()
        missing = self.channels(source) - weight.shape[1]
        if layer.groups == 1 and missing:  # planes of zeros
            weight = F.pad(weight, (0, 0, 0, 0, 0, missing))
        q, scale = quantised(weight)
        return self._append(
            result,
            weights.Op(
                weights.CONV if layer.groups == 1 else weights.DEPTHWISE,
                (source, *others),
                len(q),
                low,
                high,
                layer.kernel,
                layer.stride,
                layer.dilation,
                layer.before,
                tuple(self.steps[other] / step for other in others),
                q,
                (scale * self.steps[source] / step).astype(np.float32),
                (bias.detach().double().numpy() / step).astype(np.float32),
            ),
            step,
        )

    def _sum(self, result: fx.Node, node: fx.Node, limit: float | None) -> int:
        first, second = node.args
        if isinstance(first, fx.Node) and first.target is F.interpolate:
            first, second = second, first
        for a, b in ((first, second), (second, first)):
            layer = self.module.get_submodule(str(b.target)) if b.op == "call_module" else None
            ends = isinstance(layer, Conv) and layer.groups == 1 and layer.limit is None and len(b.users) == 1
            if ends and a.target is not F.interpolate:
                return self._conv(b, layer, result, a, limit)
        enlarged = second.target is F.interpolate
        fine, coarse = self.of(first), self.of(second.args[0] if enlarged else second)
        low, high, step = self._limits(result, limit)
        factors = self.steps[fine] / step, self.steps[coarse] / step / (16 if enlarged else 1)
        return self._append(
            result, weights.Op(weights.ADD, (fine, coarse), self.channels(fine), low, high, factors=factors), step
        )

    def _average(self, node: fx.Node) -> int:
        source = self.of(node.args[0])
        given = [*self.inputs, *self.ops][source]
        op = weights.Op(weights.AVERAGE, (source,), given.channels, given.low, given.high)
        return self._append(node, op, self.steps[source])

    def _concat(self, node: fx.Node) -> int:
        sources = tuple(map(self.of, node.args[0]))
        given = [[*self.inputs, *self.ops][source] for source in sources]
        signed = any(x.low < 0 for x in given)
        low, high, step = self._limits(node, None if signed else float("inf"))
        factors = tuple(self.steps[source] / step for source in sources)
        return self._append(
            node, weights.Op(weights.CONCAT, sources, sum(x.channels for x in given), low, high, factors=factors), step
        )

    def _log_odds(self, node: fx.Node, layer: nn.Module) -> int:
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        source = self.of(node.args[0])
        q, scale = quantised(layer.weight)
        scale = (scale * self.steps[source]).astype(np.float32)
        bias = layer.bias.detach().numpy().astype(np.float32)
        op = weights.Op(weights.LOG_ODDS, (source,), 4, 0, 0, 3, 1, 1, 1, (), q, scale, bias)
        return self._append(node, op)


def _is_sum(node: Any) -> bool:
    return isinstance(node, fx.Node) and node.target in (operator.add, torch.add)


def _traced(part: nn.Module) -> tuple[fx.GraphModule, _Ranges]:
    module = fx.GraphModule(part, _Tracer().trace(part))
    return module, _Ranges(module)


def _given(module: fx.GraphModule) -> list[tuple[fx.Node, float]]:
    """What each argument becomes before it is used, and what 1 of it stands for there."""
    found = []
    for node in module.graph.nodes:
        if node.op == "placeholder":
            (user,) = tuple(node.users) if len(node.users) == 1 else (None,)
            scaled = user is not None and user.target is operator.truediv
            found.append((user, 1 / float(user.args[1])) if scaled else (node, 1.0))
    return found


@torch.no_grad()
def export(network: Network, colours: Tensor, planes: Tensor) -> bytes:
    """The file's bytes. Training samples tell how large the activations become.

    `colours` are (N, 3, S, S) and `planes` (N, 8, S / 4, S / 4).
    """
    network.eval()
    picture, seen = _traced(network.picture)
    prompt, asked = _traced(network.prompt)
    for some, plane in zip(colours.split(8), planes.split(8), strict=True):
        asked.run(*seen.run(some.float()), plane.float())

    first = _Lowering(picture, seen)
    ((node, step),) = _given(picture)
    first.give(node, weights.Input(colours.shape[1] + colours.shape[1] % 2, 0, -128, 127), step)
    (end,) = (n for n in picture.graph.nodes if n.op == "output")
    outputs = tuple(first.of(n) for n in end.args[0])

    second = _Lowering(prompt, asked)
    *features, (node, step) = _given(prompt)
    for (feature, _), output in zip(features, outputs, strict=True):
        op = first.ops[output - len(first.inputs)]
        shrink = _shrinks(first)[output]
        second.give(feature, weights.Input(op.channels, shrink, op.low, op.high), first.steps[output])
    shrink = round(np.log2(colours.shape[-1] / planes.shape[-1]))
    second.give(node, weights.Input(planes.shape[1], shrink, -128, 127), step)
    (end,) = (n for n in prompt.graph.nodes if n.op == "output")
    second.of(end.args[0])
    return weights.write(
        weights.Part(tuple(first.inputs), tuple(first.ops), outputs),
        weights.Part(tuple(second.inputs), tuple(second.ops)),
    )


def _shrinks(part: _Lowering) -> list[int]:
    found = [x.shrink for x in part.inputs]
    for op in part.ops:
        found.append(found[op.inputs[0]] + (op.stride == 2 or op.kind == weights.AVERAGE))
    return found
