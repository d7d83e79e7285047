"""From trained weights to the file that the package reads: norms folded, weights of 8 bits, activations of 12."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from . import weights
from .network import Block, Conv, Network, up

LARGEST, LARGEST_SIGNED = 4095, 32767
BEYOND = 1e-5  # share of a layer's values that may be clipped


class _Ranges:
    """How large the values of each layer become."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def see(self, name: str, x: Tensor) -> Tensor:
        top = x.abs().flatten()
        k = max(1, int(BEYOND * top.numel()))
        self.values.setdefault(name, []).append(float(torch.topk(top, k).values[-1]))
        return x

    def top(self, name: str) -> float:
        return max(float(np.max(self.values[name])), 1e-6)


def folded(conv: Conv) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution and its norm as one."""
    layer, norm = conv[0], conv[1]
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return layer.weight * gain[:, None, None, None], norm.bias - norm.running_mean * gain


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


class _Walk:
    """Goes through the network once with real pictures (to see ranges), once to write the layers."""

    def __init__(self, network: Network, ranges: _Ranges) -> None:
        self.network, self.ranges = network, ranges

    def run(self, planes: Tensor) -> Tensor:
        n, see = self.network, self.ranges.see

        def conv(name: str, layer: Conv, x: Tensor) -> Tensor:
            return see(name, layer(x))

        def block(name: str, layer: Block, x: Tensor) -> Tensor:
            y = conv(f"{name}.middle", layer.middle, conv(f"{name}.reduce", layer.reduce, x))
            return see(name, F.relu(x + layer.expand(y)))

        def blocks(name: str, layers, x: Tensor) -> Tensor:
            for k, layer in enumerate(layers):
                x = block(f"{name}.{k}", layer, x)
            return x

        b = block("b1", n.b1, conv("s1", n.s1, conv("stem", n.stem, planes / 64)))
        c = blocks("b2", n.b2, conv("s2", n.s2, b))
        d = blocks("b3", n.b3, conv("s3", n.s3, c))
        e = blocks("b4", n.b4, F.avg_pool2d(d, 2))
        d = block("d3", n.d3, see("add3", d + up(e)))
        c = block("d2", n.d2, see("add2", F.relu(c + up(conv("l3", n.l3, d)))))
        b = blocks("d1", n.d1, see("add1", F.relu(b + up(conv("l2", n.l2, c)))))
        return F.pixel_shuffle(n.out(b), 2)

    def layers(self) -> Iterator[weights.Conv | weights.Add]:
        n = self.network

        def step(name: str) -> float:
            return self.ranges.top(name) / (LARGEST_SIGNED if name in ("l2", "l3") else LARGEST)

        def conv(layer: Conv, before: float, after: float, kind: int = weights.RELU, skip: float = 0.0) -> weights.Conv:
            weight, bias = folded(layer)
            q, scale = quantised(weight)
            stride, dilation = layer[0].stride[0], layer[0].dilation[0]
            return weights.Conv(
                q,
                (scale * before / after).astype(np.float32),
                (bias.detach().double().numpy() / after).astype(np.float32),
                stride,
                dilation,
                kind,
                skip,
            )

        def block(name: str, layer: Block, before: float) -> Iterator[weights.Conv]:
            narrow, middle, after = step(f"{name}.reduce"), step(f"{name}.middle"), step(name)
            yield conv(layer.reduce, before, narrow)
            yield conv(layer.middle, narrow, middle)
            yield conv(layer.expand, middle, after, weights.BLOCK_END, before / after)

        yield conv(n.stem, 1 / 64, step("stem"))
        yield conv(n.s1, step("stem"), step("s1"))
        yield from block("b1", n.b1, step("s1"))
        yield conv(n.s2, step("b1"), step("s2"))
        yield from block("b2.0", n.b2[0], step("s2"))
        yield from block("b2.1", n.b2[1], step("b2.0"))
        yield conv(n.s3, step("b2.1"), step("s3"))
        yield from block("b3.0", n.b3[0], step("s3"))
        yield from block("b3.1", n.b3[1], step("b3.0"))
        yield from block("b4.0", n.b4[0], step("b3.1"))
        yield from block("b4.1", n.b4[1], step("b4.0"))
        yield weights.Add(96, step("b3.1") / step("add3"), step("b4.1") / step("add3") / 16)
        yield from block("d3", n.d3, step("add3"))
        yield conv(n.l3, step("d3"), step("l3"), weights.LINEAR)
        yield weights.Add(64, step("b2.1") / step("add2"), step("l3") / step("add2") / 16)
        yield from block("d2", n.d2, step("add2"))
        yield conv(n.l2, step("d2"), step("l2"), weights.LINEAR)
        yield weights.Add(32, step("b1") / step("add1"), step("l2") / step("add1") / 16)
        yield from block("d1.0", n.d1[0], step("add1"))
        yield from block("d1.1", n.d1[1], step("d1.0"))
        q, scale = quantised(n.out.weight)
        yield weights.Conv(
            q,
            (scale * step("d1.1")).astype(np.float32),
            n.out.bias.detach().numpy().astype(np.float32),
            kind=weights.LOGITS,
        )


@torch.no_grad()
def export(network: Network, planes: Tensor) -> bytes:
    """The file's bytes; `planes` (N, 10, S, S) of training samples tell how large the activations become."""
    network.eval()
    ranges = _Ranges()
    walk = _Walk(network, ranges)
    for part in planes.split(8):
        walk.run(part.float())
    return weights.write(walk.layers())
