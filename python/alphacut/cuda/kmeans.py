"""k-means on the GPU, by the specification in cpp/include/alphacut/kmeans.hpp.

One launch for each iteration and no transfer between them: the last block to finish moves the centres. Empty clusters
are rare and are filled from the host. The samples that k-means++ draws from are few: the host seeds, with the CPU's
code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from .. import _core
from .._arrays import Array
from ._kernel import kernel

THREADS = 256
MIN_BLOCKS = 128  # Numba warns of fewer; idle ones cost next to nothing
MAX_BLOCKS = 1024
RUN = 16  # neighbouring pixels to a thread: most have one label, and are added up in registers
_UNITS = 16320
_MAX_CLUSTERS = 256
_TABLE = 4 * _MAX_CLUSTERS
_MAX_PIXELS = 2**32
_LAST_INDEX = _MAX_PIXELS - 1

# What `state` holds.
_ARRIVED, _STATUS, _CLOSING, _N_ITER, _OUT_OF_RANGE, _SQUARE_SUM = range(6)
_RUNNING, _DONE, _EMPTY_CLUSTER = range(3)

int32 = np.int32  # Numba widens int32 arithmetic to int64 unless told


def _kernel_for_pixels(signature: str) -> Any:
    return kernel(*(signature.format(pixel=pixel) for pixel in ("uint8", "float32")))


@_kernel_for_pixels("void({pixel}[::1], float64, int64[::1])")
def measure(pixels, scale, state):  # type: ignore[no-untyped-def]
    """Sum up |X|², and note values that are out of range or NaN."""
    total = cuda.shared.array(1, np.int64)
    thread = cuda.threadIdx.x
    if thread == 0:
        total[0] = 0
    cuda.syncthreads()
    limit = 16320.0 / scale
    part = np.int64(0)
    for i in range(cuda.grid(1), pixels.size, cuda.gridsize(1)):
        value = np.float64(pixels[i])
        if value >= 0.0 and value <= limit:
            fixed = np.int64(value * scale + 0.5)
            part += fixed * fixed
        else:
            state[_OUT_OF_RANGE] = 1
    cuda.atomic.add(total, 0, part)
    cuda.syncthreads()
    if thread == 0:
        cuda.atomic.add(state, _SQUARE_SUM, total[0])


@_kernel_for_pixels(
    "void({pixel}[::1], int64, float64, int64, int64, int64, int32[::1], int64[::1], uint8[::1], int64[::1])"
)
def iterate(pixels, channels, scale, k, max_iter, tolerated, centers, sums, labels, state):  # type: ignore[no-untyped-def]
    """Label every pixel; then the last block to finish moves the centres, or ends the loop.

    `centers` holds four values a centre: its three and their squared length. `sums` holds four a cluster: of the
    channels, and the count; zero on entry.
    """
    if state[_STATUS] != _RUNNING:
        return
    near = cuda.shared.array(_TABLE, np.int32)
    local = cuda.shared.array(_TABLE, np.int64)
    flags = cuda.shared.array(3, np.int64)  # this block is the last; a cluster is empty; greatest squared movement
    thread = cuda.threadIdx.x
    for i in range(thread, 4 * k, cuda.blockDim.x):
        near[i] = centers[i]
        local[i] = 0
    if thread < 3:
        flags[thread] = 0
    cuda.syncthreads()

    n = labels.size
    for begin in range(cuda.grid(1) * RUN, n, cuda.gridsize(1) * RUN):
        run_label = int32(-1)
        run_r = run_g = run_b = run_count = int32(0)
        for i in range(begin, min(begin + RUN, n)):
            r = int32(np.float64(pixels[i * channels]) * scale + 0.5)
            g = b = int32(0)
            if channels == 3:
                g = int32(np.float64(pixels[i * channels + 1]) * scale + 0.5)
                b = int32(np.float64(pixels[i * channels + 2]) * scale + 0.5)
            best = int32(0x7FFFFFFF)
            label = int32(0)
            for j in range(k):
                dot = int32(int32(int32(r * near[4 * j]) + int32(g * near[4 * j + 1])) + int32(b * near[4 * j + 2]))
                score = int32(near[4 * j + 3] - int32(2 * dot))
                if score < best:
                    best = score
                    label = int32(j)
            labels[i] = label
            if label != run_label:
                if run_count > 0:
                    cuda.atomic.add(local, 4 * run_label, np.int64(run_r))
                    cuda.atomic.add(local, 4 * run_label + 1, np.int64(run_g))
                    cuda.atomic.add(local, 4 * run_label + 2, np.int64(run_b))
                    cuda.atomic.add(local, 4 * run_label + 3, np.int64(run_count))
                run_label = label
                run_r = run_g = run_b = run_count = int32(0)
            run_r = int32(run_r + r)
            run_g = int32(run_g + g)
            run_b = int32(run_b + b)
            run_count = int32(run_count + 1)
        cuda.atomic.add(local, 4 * run_label, np.int64(run_r))
        cuda.atomic.add(local, 4 * run_label + 1, np.int64(run_g))
        cuda.atomic.add(local, 4 * run_label + 2, np.int64(run_b))
        cuda.atomic.add(local, 4 * run_label + 3, np.int64(run_count))
    cuda.syncthreads()

    for i in range(thread, 4 * k, cuda.blockDim.x):
        if local[i] != 0:
            cuda.atomic.add(sums, i, local[i])
    cuda.threadfence()
    cuda.syncthreads()
    if thread == 0 and cuda.atomic.add(state, _ARRIVED, 1) == cuda.gridDim.x - 1:
        flags[0] = 1
    cuda.syncthreads()
    if flags[0] == 0:
        return

    cuda.threadfence()
    if thread == 0:
        state[_ARRIVED] = 0
    if state[_CLOSING] == 1:
        if thread == 0:
            state[_STATUS] = _DONE
        return
    for j in range(thread, k, cuda.blockDim.x):
        count = cuda.atomic.add(sums, 4 * j + 3, 0)  # read past the first-level cache
        if count == 0:
            flags[1] = 1
            continue
        moved = np.int64(0)
        norm = np.int64(0)
        for c in range(3):
            mean = (2 * cuda.atomic.add(sums, 4 * j + c, 0) + count) // (2 * count)
            moved += (mean - near[4 * j + c]) * (mean - near[4 * j + c])
            norm += mean * mean
            near[4 * j + c] = int32(mean)
        near[4 * j + 3] = int32(norm)
        cuda.atomic.max(flags, 2, moved)
    cuda.syncthreads()
    if flags[1] == 1:
        if thread == 0:
            state[_STATUS] = _EMPTY_CLUSTER
        return
    if thread == 0:
        state[_N_ITER] += 1
        if flags[2] == 0:
            state[_STATUS] = _DONE
        if flags[2] <= tolerated or state[_N_ITER] == max_iter:
            state[_CLOSING] = 1
    if flags[2] > 0:
        for i in range(thread, 4 * k, cuda.blockDim.x):
            centers[i] = near[i]
            sums[i] = 0


@_kernel_for_pixels("void({pixel}[::1], int64, float64, int32[::1], int64, int64, uint32[::1], int64[::1])")
def relax(pixels, channels, scale, centers, first, last, distances, farthest):  # type: ignore[no-untyped-def]
    """Lower the distances to those to centres first .. last - 1 (set them if first is 0), and find the greatest.

    ``farthest[0]`` becomes at least ``distance << 32 | (2^32 - 1 - index)``: the first in raster order wins ties.
    """
    greatest = cuda.shared.array(1, np.int64)
    thread = cuda.threadIdx.x
    if thread == 0:
        greatest[0] = 0
    cuda.syncthreads()
    own = np.int64(0)
    for i in range(cuda.grid(1), distances.size, cuda.gridsize(1)):
        distance = np.int64(0xFFFFFFFF)
        if first > 0:
            distance = np.int64(distances[i])
        for j in range(first, last):
            squared = np.int64(0)
            for c in range(channels):
                fixed = np.int64(np.float64(pixels[i * channels + c]) * scale + 0.5)
                squared += (fixed - centers[4 * j + c]) * (fixed - centers[4 * j + c])
            distance = min(distance, squared)
        distances[i] = distance
        own = max(own, distance << 32 | (_LAST_INDEX - i))
    cuda.atomic.max(greatest, 0, own)
    cuda.syncthreads()
    if thread == 0:
        cuda.atomic.max(farthest, 0, greatest[0])


@_kernel_for_pixels("void({pixel}[::1], int64, int64[::1], {pixel}[::1])")
def gather(pixels, channels, indices, samples):  # type: ignore[no-untyped-def]
    """Copy the pixels at `indices`."""
    for i in range(cuda.grid(1), indices.size, cuda.gridsize(1)):
        for c in range(channels):
            samples[i * channels + c] = pixels[indices[i] * channels + c]


def kmeans(
    image: Any, n_clusters: int, seed: int, max_iter: int, tol: int, init: list[int], out: Array | None = None
) -> tuple[Array, Array, int, int]:
    """As ``_core.kmeans``, and the same bytes.

    Parameters
    ----------
    image : array
        In host memory, or on the current GPU (``__cuda_array_interface__``), used in place; then contiguous.
    n_clusters, seed, max_iter, tol, init, out
        As there: `tol` and the centres in units of 1/16320 of full scale, `init` flat.

    Returns
    -------
    labels, centers, inertia, n_iter
        NumPy arrays, and ints in units of 1/16320².
    """
    height, width, channels = _checked_shape(image, n_clusters, max_iter)
    labels = _checked_labels(out, image, height, width)
    n = height * width
    scale = 64.0 if image.dtype == np.uint8 else 16320.0
    pixels = _on_device(image)
    state = cuda.to_device(np.zeros(6, np.int64))
    measure[_launch(n)](pixels, scale, state)
    if state.copy_to_host()[_OUT_OF_RANGE]:
        raise ValueError("image must have finite values from 0 to 1")
    if init:
        start = np.array(init, np.int32).reshape(n_clusters, channels)
    else:
        samples = _samples(pixels, n, channels, seed)
        start = _core.kmeans_seed(samples, n_clusters, seed)
    values = np.zeros((n_clusters, 3), np.int64)
    values[:, :channels] = start

    centers = cuda.to_device(_packed(values))
    sums = cuda.to_device(np.zeros(4 * n_clusters, np.int64))
    device_labels = cuda.device_array(n, np.uint8)
    while True:
        done = int(state.copy_to_host()[_N_ITER])
        for _ in range(min(max_iter - done + 1, 64)):  # 64: a loop without end is not queued at once
            iterate[_launch(-(-n // RUN))](
                pixels, channels, scale, n_clusters, max_iter, tol * tol, centers, sums, device_labels, state
            )
        status = state.copy_to_host()
        if status[_STATUS] == _DONE:
            break
        if status[_STATUS] == _EMPTY_CLUSTER:
            _update_and_refill(pixels, channels, scale, max_iter, tol * tol, centers, sums, state)
            if state.copy_to_host()[_STATUS] == _DONE:
                break

    labels[...] = device_labels.copy_to_host().reshape(height, width)
    values = centers.copy_to_host().reshape(n_clusters, 4).astype(np.int64)
    totals = sums.copy_to_host().reshape(n_clusters, 4)
    status = state.copy_to_host()
    inertia = int(status[_SQUARE_SUM]) + int((totals[:, 3] * values[:, 3]).sum())
    inertia -= int((2 * values[:, :3] * totals[:, :3]).sum())
    return labels, values[:, :channels].astype(np.int32), inertia, int(status[_N_ITER])


def _update_and_refill(
    pixels: Any, channels: int, scale: float, max_iter: int, tolerated: int, centers: Any, sums: Any, state: Any
) -> None:
    """The update, where clusters are empty: each takes the farthest pixel."""
    old = centers.copy_to_host().reshape(-1, 4)[:, :3].astype(np.int64)
    totals = sums.copy_to_host().reshape(-1, 4)
    count = totals[:, 3:]
    filled = np.flatnonzero(count)
    new = np.where(count > 0, (2 * totals[:, :3] + count) // np.maximum(2 * count, 1), old)
    n = pixels.size // channels
    distances = cuda.device_array(n, np.uint32)

    def farthest(candidates: Array, first: int) -> tuple[int, int]:
        best = cuda.to_device(np.zeros(1, np.int64))
        relax[_launch(n)](
            pixels, channels, scale, cuda.to_device(_packed(candidates)), first, len(candidates), distances, best
        )
        key = int(best.copy_to_host()[0])
        return key >> 32, _LAST_INDEX - (key & _LAST_INDEX)

    used = new[filled]
    distance, index = farthest(used, 0)
    for j in np.flatnonzero(count == 0):
        if distance == 0:
            break
        pixel = pixels[index * channels : (index + 1) * channels].copy_to_host()
        new[j, :channels] = np.floor(pixel.astype(np.float64) * scale + 0.5)
        new[j, channels:] = 0
        used = np.vstack([used, new[j]])
        distance, index = farthest(used, len(used) - 1)

    moved = int(((new - old) ** 2).sum(axis=1).max())
    status = state.copy_to_host()
    status[_N_ITER] += 1
    status[_STATUS] = _DONE if moved == 0 else _RUNNING
    status[_CLOSING] = moved <= tolerated or status[_N_ITER] == max_iter
    state.copy_to_device(status)
    if moved > 0:
        centers.copy_to_device(_packed(new))
        sums.copy_to_device(np.zeros(totals.size, np.int64))


def _packed(values: Array) -> Array:
    """Centres as the kernels read them: three values and their squared length, flat."""
    return np.column_stack([values, (values**2).sum(axis=1)]).astype(np.int32).ravel()


def _samples(pixels: Any, n: int, channels: int, seed: int) -> Array:
    indices = _core.kmeans_samples(n, seed)
    samples = cuda.device_array(indices.size * channels, pixels.dtype)
    gather[_launch(indices.size)](pixels, channels, cuda.to_device(indices), samples)
    host: Array = samples.copy_to_host()
    return host.reshape(1, -1) if channels == 1 else host.reshape(1, -1, 3)


def _launch(work: int) -> tuple[int, int]:
    return min(max(-(-work // THREADS), MIN_BLOCKS), MAX_BLOCKS), THREADS


def _on_device(image: Any) -> Any:
    if isinstance(image, np.ndarray):
        return cuda.to_device(np.ascontiguousarray(image).reshape(-1))
    return cuda.as_cuda_array(image).reshape(-1)


def _checked_shape(image: Any, n_clusters: int, max_iter: int) -> tuple[int, int, int]:
    if not isinstance(image, np.ndarray):
        if not hasattr(image, "__cuda_array_interface__"):
            raise TypeError(f"image must be a numpy.ndarray or an array on a GPU, got {type(image).__name__}")
        image = cuda.as_cuda_array(image)
        if not image.is_c_contiguous():
            raise ValueError("image on a GPU must be contiguous")
    if image.dtype not in (np.uint8, np.float32):
        raise TypeError(f"image must have dtype uint8 or float32, got {image.dtype}")
    shape = image.shape
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)) or image.size == 0:
        raise ValueError(f"image must have shape (height, width) or (height, width, 3), no side 0, got {shape}")
    if shape[0] * shape[1] > _MAX_PIXELS:
        raise ValueError(f"image must have at most 2**32 pixels, got {shape[0] * shape[1]}")
    if not 1 <= n_clusters <= _MAX_CLUSTERS:
        raise ValueError(f"n_clusters must be from 1 to {_MAX_CLUSTERS}, got {n_clusters}")
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, got {max_iter}")
    return shape[0], shape[1], 3 if len(shape) == 3 else 1


def _checked_labels(out: Array | None, image: Any, height: int, width: int) -> Array:
    if out is None:
        return np.empty((height, width), np.uint8)
    if not isinstance(out, np.ndarray) or out.dtype != np.uint8:
        raise TypeError("out must be a numpy.ndarray of dtype uint8")
    if out.shape != (height, width) or not out.flags.writeable:
        raise ValueError(f"out must be writeable and have shape ({height}, {width}), got {out.shape}")
    if isinstance(image, np.ndarray) and np.shares_memory(out, image):
        raise ValueError("out overlaps an input")
    return out
