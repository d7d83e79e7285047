"""Oracle of the network: integers, a layer at a time. Also makes random networks."""

import importlib.util
from pathlib import Path

import numpy as np

_path = Path(__file__).parents[2] / "training" / "weights.py"
_spec = importlib.util.spec_from_file_location("weights", _path)
weights = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(weights)
Add, Conv, read, write = weights.Add, weights.Conv, weights.read, weights.write

f32 = np.float32


def sums(x, layer):
    """int32 sums of products. Doubles hold them exactly, whatever the order, and multiply matrices fast."""
    out, kernel = layer.weight.shape[:2]
    reach, stride = (kernel // 2) * layer.dilation, layer.stride
    height, width = -(-x.shape[0] // stride), -(-x.shape[1] // stride)
    padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)))
    at = [slice(k * layer.dilation, None, stride) for k in range(kernel)]
    taps = np.concatenate([padded[r, c][:height, :width] for r in at for c in at], axis=2).astype(float)
    acc = taps @ layer.weight.reshape(out, -1).T.astype(float)
    assert abs(acc).max() < 2**31
    return acc.astype(np.int32)


def requantise(y, low, high):
    return np.rint(np.clip(y, f32(low), f32(high))).astype(np.int16)


def conv(x, layer, block_input=None):
    """A convolution of x (H, W, C), or the end of the block that began with `block_input`."""
    y = sums(x, layer).astype(f32) * np.asarray(layer.scale, f32) + np.asarray(layer.bias, f32)
    if layer.kind == weights.LOGITS:
        return y
    if layer.kind == weights.BLOCK_END:
        y = y + block_input.astype(f32) * f32(layer.skip)
    low, high = (-32767, 32767) if layer.kind == weights.LINEAR else (0, 4095)
    return requantise(y, low, high)


def pool(x):
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


def up_add(fine, coarse, layer):
    return requantise(fine.astype(f32) * f32(layer.a) + up2(coarse).astype(f32) * f32(layer.b), 0, 4095)


def depth_to_space(x):
    height, width, _ = x.shape
    return x.reshape(height, width, 2, 2).transpose(0, 2, 1, 3).reshape(2 * height, 2 * width)


def outputs(planes, layers):
    """The output of each layer in turn, the pooling's too, then the logits."""
    layers, made = iter(layers), []

    def keep(x):
        made.append(x)
        return x

    def block(x):
        y = keep(conv(x, next(layers)))
        y = keep(conv(y, next(layers)))
        return keep(conv(y, next(layers), x))

    def step(x):
        return keep(conv(x, next(layers)))

    def add(fine, coarse):
        return keep(up_add(fine, coarse, next(layers)))

    b = block(step(step(planes)))
    c = block(block(step(b)))
    d = block(block(step(c)))
    e = block(block(keep(pool(d))))
    d = block(add(d, e))
    c = block(add(c, step(d)))
    b = block(block(add(b, step(c))))
    made.append(depth_to_space(conv(b, next(layers))))
    assert next(layers, None) is None
    return made


def random_network(seed, gain=1.0):
    """Layers of random weights. With gain 1 about half of the activations are 0 and few reach the upper limit."""
    rng = np.random.default_rng(seed)
    layers = []
    for channels, out, kernel, stride, dilation, kind in weights.topology():
        if kind == weights.ADD:
            layers.append(Add(out, f32(rng.uniform(0.5, 0.9)), f32(rng.uniform(0.3, 0.6) / 16)))
            continue
        weight = np.clip(np.rint(rng.normal(0, 40, (out, kernel, kernel, channels))), -127, 127).astype(np.int8)
        spread = 40 * np.sqrt(kernel * kernel * channels) * (74 if channels == 10 else 800)  # of the sums
        wanted = {weights.LOGITS: 3.0, weights.BLOCK_END: 500.0}.get(kind, 1000.0)
        scale = (gain * wanted / spread * rng.uniform(0.5, 1.5, out)).astype(f32)
        bias = (gain * wanted * rng.normal(0, 0.4, out)).astype(f32)
        skip = f32(rng.uniform(0.6, 0.9)) if kind == weights.BLOCK_END else 0.0
        layers.append(Conv(weight, scale, bias, stride, dilation, kind, skip))
    return layers


def random_planes(seed, height, width=None):
    return np.random.default_rng(seed).integers(-128, 128, (height, width or height, 10)).astype(np.int16)
