"""The network that comes with the package, of 256 x 256 pixels, against NumPy's matrix products in float32.

Both parts do as many multiply-adds as their names say. NumPy makes those of the convolutions that mix channels alone.
On a busy machine set OPENBLAS_NUM_THREADS=1: its threads wait for each other.
"""

import numpy as np

from alphacut import _core
from reference import network as reference
from reference.network import weights

from .race import race

SIDE = 256
SIZES = {"picture-495M-multiply-adds": (0, 495), "prompt-135M-multiply-adds": (1, 135)}


def network(_):
    """The file of a network, and what its parts are given and make."""
    parts = reference.shipped_with_random_weights(1)
    colours, planes = reference.random_colours(1, SIDE), reference.random_planes(1, SIDE)
    picture = [colours, *reference.run(parts[0], [colours])]
    given = [*(picture[k] for k in parts[0].outputs), planes]
    return parts, (picture, [*given, *reference.run(parts[1], given)])


def products(part, tensors):
    """How many multiply-adds a part has."""
    return sum(
        op.weight.size // op.channels * tensors[len(part.inputs) + k].size
        for k, op in enumerate(part.ops)
        if op.weight is not None
    )


def taps(x, op):
    """The windows as rows of a matrix."""
    seen = reference.windows(x.astype(np.float32), op)
    return np.ascontiguousarray(seen.transpose(1, 2, 0, 3)).reshape(seen.shape[1] * seen.shape[2], -1)


@race("network", SIZES, {"": network}, ["alphacut", "im2col", "matmul"], sizes=[SIDE * SIDE / 1e6])
def bench_network(made, which, millions):
    parts, tensors = made
    part, values = parts[which], tensors[which]
    assert round(products(part, values) / 1e6) == millions
    convolutions = [
        (values[op.inputs[0]], op) for op in part.ops if op.weight is not None and op.kind != weights.DEPTHWISE
    ]
    rows = [taps(x, op) for x, op in convolutions]
    columns = [op.weight.reshape(op.channels, -1).T.astype(np.float32) for _, op in convolutions]
    sums = [reference.sums(x, op) for x, op in convolutions]
    net, out = _core.Network(reference.write(*parts)), np.empty((SIDE, SIDE), np.float32)
    colours, planes = tensors[0][0], tensors[1][len(parts[1].inputs) - 1]
    features = net.see(colours)

    def agree(ours, theirs):
        if which == 1:
            assert np.array_equal(ours, values[-1])
        for product, exact in zip(theirs, sums, strict=True):
            assert np.abs(product - exact.reshape(product.shape)).max() <= 1e-5 * np.abs(exact).max()

    return agree, {
        "alphacut": (lambda: net.see(colours) and None) if which == 0 else (lambda: net.ask(features, planes, out=out)),
        "im2col": lambda: [taps(x, op) @ b for (x, op), b in zip(convolutions, columns, strict=True)],
        "matmul": lambda: [a @ b for a, b in zip(rows, columns, strict=True)],
    }
