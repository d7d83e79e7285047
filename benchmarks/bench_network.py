"""The network of 192 x 192 planes against NumPy's matrix products in float32: as many multiply-adds, and no more.

On a busy machine set OPENBLAS_NUM_THREADS=1: its threads wait for each other.
"""

import numpy as np

from alphacut import _core
from reference import network as reference

from .race import race

SIDE = 192


def network(_):
    """The bytes of a network, planes, its logits, and for each convolution its layer and input."""
    layers, planes = reference.random_network(1), reference.random_planes(1, SIDE)
    inputs, plain = [], reference.sums

    def noted(x, layer):
        inputs.append((layer, x.astype(np.float32)))
        return plain(x, layer)

    reference.sums = noted
    try:
        logits = reference.outputs(planes, layers)[-1]
    finally:
        reference.sums = plain
    return reference.write(layers), planes, logits, inputs


def taps(x, layer):
    """The windows as rows of a matrix."""
    kernel, step, stride = layer.weight.shape[1], layer.dilation, layer.stride
    reach, height, width = kernel // 2 * step, x.shape[0] // stride, x.shape[1] // stride
    padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)))
    at = [slice(k * step, None, stride) for k in range(kernel)]
    windows = [padded[r, c][:height, :width] for r in at for c in at]
    return np.concatenate(windows, axis=2).reshape(height * width, -1)


SIZES = {"109M-multiply-adds": ()}


@race("network", SIZES, {"": network}, ["alphacut", "im2col", "matmul"], sizes=[SIDE * SIDE / 1e6])
def bench_network(inputs):
    file, planes, logits, convolutions = inputs
    net, out = _core.Network(file), np.empty_like(logits)
    rows = [taps(x, layer) for layer, x in convolutions]
    columns = [layer.weight.reshape(len(layer.weight), -1).T.astype(np.float32) for layer, _ in convolutions]
    sums = [reference.sums(x, layer) for layer, x in convolutions]
    assert round(sum(a.size * b.shape[1] for a, b in zip(rows, columns, strict=True)) / 1e6) == 108

    def agree(ours, products):
        assert np.array_equal(ours, logits)
        for product, exact in zip(products, sums, strict=True):
            assert np.abs(product - exact.reshape(product.shape)).max() <= 1e-5 * np.abs(exact).max()

    return agree, {
        "alphacut": lambda: net.run(planes, out=out),
        "im2col": lambda: [taps(x, layer) @ b for (layer, x), b in zip(convolutions, columns, strict=True)],
        "matmul": lambda: [a @ b for a, b in zip(rows, columns, strict=True)],
    }
