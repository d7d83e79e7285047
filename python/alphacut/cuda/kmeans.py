"""k-means on the GPU, by the specification in cpp/include/alphacut/kmeans.hpp.

The picture is read once, into points: a word for each pixel with its three values, 8 bits each in units of 64 where
they come from uint8 (so 32 bits in all), else 16 bits each in units of 1. One launch for each iteration and no transfer
between them: the last block to finish moves the centres. Empty clusters are rare and are filled from the host. The
samples that k-means++ draws from are few: the host seeds, with the CPU's code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from .. import _core
from .._arrays import Array
from ._arrays import checked_out, given, on_device, result, written
from ._grid import launch
from ._kernel import kernel

POINTS = 4  # to a thread at a time: a centre is loaded once for all of them
CENTERS = 4  # in one go, so that the loop costs less; a power of 2, at most the threads of a block
COPIES = 32  # of a block's sums, a lane of a warp each, so that no two lanes add to one; fewer if they grow too large
_MOST_SUMS = 8192  # with all copies; 4 bytes each
_MOST_POINTS = 2**19  # to a block: a copy of a sum, of at least 8, stays below 2**31
_MAX_CLUSTERS = 256
_MAX_PIXELS = 2**32
_LAST_INDEX = _MAX_PIXELS - 1
_LOW = 2**32 - 1

# What `state` holds; behind that three values for each centre and four sums for each cluster: of the channels, and the
# count. The sums are zero when an iteration begins.
_ARRIVED, _STATUS, _CLOSING, _N_ITER, _OUT_OF_RANGE, _SQUARE_SUM, _FIELDS = range(7)
_RUNNING, _DONE, _EMPTY_CLUSTER = range(3)

_POINT_TYPES = ("int32", "int64")

int32 = np.int32  # Numba widens int32 arithmetic to int64 unless told
uint32, uint64 = np.uint32, np.uint64  # of an index: not negative, so not counted from the end
_INT32 = np.dtype(np.int32)  # memory whose size the launch gives: the simulator wants a dtype


@kernel(
    "void(uint8[::1], int64, float64, int64, int32[::1], int64[::1])",
    "void(float32[::1], int64, float64, int64, int64[::1], int64[::1])",
)
def pack(pixels, channels, scale, unit, points, state):  # type: ignore[no-untyped-def]
    """Make points of pixels, sum up |X|², and note values that are out of range or NaN."""
    total = cuda.shared.array(1, np.int64)
    thread = cuda.threadIdx.x
    if thread == 0:
        total[0] = 0
    cuda.syncthreads()
    limit = 16320.0 / (scale * unit)
    bits = 8 if unit == 64 else 16
    part = np.int64(0)
    for i in range(cuda.grid(1), points.size, cuda.gridsize(1)):
        point = np.int64(0)
        for c in range(channels):
            value = np.float64(pixels[i * channels + c])
            if value >= 0.0 and value <= limit:
                fixed = np.int64(value * scale + 0.5)
                part += fixed * fixed
                point |= fixed << (bits * c)
            else:
                state[_OUT_OF_RANGE] = 1
        points[i] = point
    cuda.atomic.add(total, 0, part * unit * unit)
    cuda.syncthreads()
    if thread == 0:
        cuda.atomic.add(state, _SQUARE_SUM, total[0])


@kernel(*(f"void({points}[::1], int32, int32, int32, int64, int64, int64[::1], uint8[::1])" for points in _POINT_TYPES))
def assign_pixels(points, unit, k, copies, max_iter, tolerated, state, labels):  # type: ignore[no-untyped-def]
    """Label every pixel; then the last block to finish moves the centres, or ends the loop.

    The least ``|C|² - 2 C·X`` is nearest; a centre lies ready as ``|C|²`` and -2 C in the points' units, two values to
    a word.
    """
    if state[_STATUS] != _RUNNING:
        return
    centers = state[_FIELDS : _FIELDS + 3 * k]
    sums = state[_FIELDS + 3 * k :]
    red_green = cuda.shared.array(_MAX_CLUSTERS, np.int64)
    blue_norm = cuda.shared.array(_MAX_CLUSTERS, np.int64)
    local = cuda.shared.array(0, _INT32)  # 4 * k * copies
    flags = cuda.shared.array(3, np.int64)  # this block is the last; a cluster is empty; greatest squared movement
    thread = cuda.threadIdx.x
    for j in range(int32(thread), k, int32(cuda.blockDim.x)):
        r, g, b = centers[3 * j], centers[3 * j + 1], centers[3 * j + 2]
        red_green[j] = (-2 * unit * r & _LOW) | (-2 * unit * g) << 32
        blue_norm[j] = (-2 * unit * b & _LOW) | (r * r + g * g + b * b) << 32
    padded = uint32((k + CENTERS - 1) & -CENTERS)
    if k + thread < padded:
        red_green[k + thread], blue_norm[k + thread] = 0, 0x7FFFFFFF << 32  # not nearer than any other
    i = uint32(thread)
    while i < 4 * k * copies:
        local[i] = 0
        i = uint32(i + cuda.blockDim.x)
    if thread < 3:
        flags[thread] = 0
    cuda.syncthreads()

    n = labels.size
    bits = 8 if unit == 64 else 16
    mask = (1 << bits) - 1
    own = thread & (copies - 1)
    red = cuda.local.array(POINTS, np.int32)
    green = cuda.local.array(POINTS, np.int32)
    blue = cuda.local.array(POINTS, np.int32)
    least = cuda.local.array(POINTS, np.int32)
    label = cuda.local.array(POINTS, np.int32)
    counted = cuda.local.array(POINTS, np.int32)  # none behind the last pixel
    first = np.int64(cuda.blockIdx.x) * POINTS * cuda.blockDim.x + thread
    while first < n:
        for m in range(POINTS):
            i = first + m * cuda.blockDim.x
            counted[m] = int32(0)
            point = np.int64(0)
            if i < n:
                point = points[uint64(i)]
                counted[m] = int32(1)
            red[m] = int32(point & mask)
            green[m] = int32((point >> bits) & mask)
            blue[m] = int32(point >> (2 * bits))
            least[m] = int32(0x7FFFFFFF)
            label[m] = int32(0)
        j = uint32(0)
        while j < padded:
            for _ in range(CENTERS):
                first_two, others = red_green[j], blue_norm[j]
                for m in range(POINTS):
                    score = int32(int32(others >> 32) + int32(red[m] * int32(first_two)))
                    score = int32(score + int32(green[m] * int32(first_two >> 32)))
                    score = int32(score + int32(blue[m] * int32(others)))
                    if score < least[m]:
                        least[m] = score
                        label[m] = int32(j)
                j = uint32(j + 1)
        for m in range(POINTS):
            if counted[m] > 0:
                labels[uint64(first + m * cuda.blockDim.x)] = label[m]
            slot = uint32(4 * copies * label[m] + own)
            cuda.atomic.add(local, slot, red[m])
            cuda.atomic.add(local, uint32(slot + copies), green[m])
            cuda.atomic.add(local, uint32(slot + 2 * copies), blue[m])
            cuda.atomic.add(local, uint32(slot + 3 * copies), counted[m])
        first += np.int64(cuda.gridDim.x) * POINTS * cuda.blockDim.x
    cuda.syncthreads()

    for i in range(thread, 4 * k, cuda.blockDim.x):
        total = np.int64(0)
        for copy in range(copies):
            total += local[i * copies + ((copy + i) & (copies - 1))]  # each thread of a warp from a bank of its own
        if i & 3 != 3:
            total *= unit
        if total != 0:
            cuda.atomic.add(sums, i, total)
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
        if cuda.atomic.add(sums, 4 * j + 3, 0) == 0:  # read past the first-level cache
            flags[1] = 1
    cuda.syncthreads()
    if flags[1] == 1:
        if thread == 0:
            state[_STATUS] = _EMPTY_CLUSTER
        return
    for j in range(thread, k, cuda.blockDim.x):
        count = cuda.atomic.add(sums, 4 * j + 3, 0)
        moved = np.int64(0)
        for c in range(3):
            mean = (2 * cuda.atomic.add(sums, 4 * j + c, 0) + count) // (2 * count)
            moved += (mean - centers[3 * j + c]) * (mean - centers[3 * j + c])
            centers[3 * j + c] = mean
        cuda.atomic.max(flags, 2, moved)
    cuda.syncthreads()
    if thread == 0:
        state[_N_ITER] += 1
        if flags[2] == 0:
            state[_STATUS] = _DONE
        if flags[2] <= tolerated or state[_N_ITER] == max_iter:
            state[_CLOSING] = 1
    if flags[2] > 0:
        for i in range(thread, 4 * k, cuda.blockDim.x):
            sums[i] = 0


@kernel(*(f"void({points}[::1], int64, int64[::1], int64, int64, uint32[::1], int64[::1])" for points in _POINT_TYPES))
def shorten_distances(points, unit, centers, first, last, distances, farthest):  # type: ignore[no-untyped-def]
    """Lower the distances to those to centres first .. last - 1 (set them if first is 0), and find the greatest.

    ``farthest[0]`` becomes at least ``distance << 32 | (2^32 - 1 - index)``: the first in raster order wins ties.
    """
    greatest = cuda.shared.array(1, np.int64)
    thread = cuda.threadIdx.x
    if thread == 0:
        greatest[0] = 0
    cuda.syncthreads()
    bits = 8 if unit == 64 else 16
    mask = (1 << bits) - 1
    own = np.int64(0)
    for i in range(cuda.grid(1), distances.size, cuda.gridsize(1)):
        distance = np.int64(0xFFFFFFFF)
        if first > 0:
            distance = np.int64(distances[i])
        for j in range(first, last):
            squared = np.int64(0)
            for c in range(3):
                difference = ((points[i] >> (bits * c)) & mask) * unit - centers[3 * j + c]
                squared += difference * difference
            distance = min(distance, squared)
        distances[i] = distance
        own = max(own, distance << 32 | (_LAST_INDEX - i))
    cuda.atomic.max(greatest, 0, own)
    cuda.syncthreads()
    if thread == 0:
        cuda.atomic.max(farthest, 0, greatest[0])


@kernel(*(f"void({pixel}[::1], int64, int64[::1], {pixel}[::1])" for pixel in ("uint8", "float32")))
def gather_samples(pixels, channels, indices, samples):  # type: ignore[no-untyped-def]
    """Copy the pixels at `indices`."""
    for i in range(cuda.grid(1), indices.size, cuda.gridsize(1)):
        for c in range(channels):
            samples[i * channels + c] = pixels[indices[i] * channels + c]


def kmeans(
    image: Any,
    n_clusters: int,
    seed: int,
    max_iter: int,
    tol: int,
    init: list[int],
    attempts: int = 1,
    out: Any = None,
) -> tuple[Any, Array, int, int]:
    """As ``_core.kmeans``, and the same bytes.

    Parameters
    ----------
    image : array
        In host memory, or on the current GPU (``__cuda_array_interface__`` or DLPack), then contiguous.
    n_clusters, seed, max_iter, tol, init, attempts
        As there: `tol` and the centres in units of 1/16320 of full scale, `init` flat.
    out : (H, W) uint8 array, optional
        Gets the labels; on a GPU or in host memory.

    Returns
    -------
    labels, centers, inertia, n_iter
        The labels are on the GPU if `image` is and there is no `out`; the centres are a NumPy array, the rest ints, in
        units of 1/16320 and 1/16320².
    """
    image = given(image, "image", (np.uint8, np.float32))
    height, width, channels = _checked_shape(image.shape, n_clusters, max_iter, attempts)
    target = checked_out(out, (image,), (height, width))
    n, k = height * width, n_clusters
    unit, scale = (64, 1.0) if image.dtype == np.uint8 else (1, 16320.0)
    pixels = on_device(image).reshape(-1)
    points = cuda.device_array(n, np.int32 if unit == 64 else np.int64)
    state = cuda.to_device(np.zeros(_FIELDS, np.int64))
    pack[launch(n)](pixels, channels, scale, unit, points, state)
    found = state.copy_to_host()
    if found[_OUT_OF_RANGE]:
        raise ValueError("image must have finite values from 0 to 1")
    if init:
        starts = [np.array(init).reshape(k, channels)]
    else:
        seeds = [_core.kmeans_attempt_seed(seed, attempt) for attempt in range(attempts)]
        starts = [_core.kmeans_seed(_samples(pixels, n, channels, each), k, each) for each in seeds]
    del pixels

    target = written(target, (height, width))
    best: tuple[Any, Array, int, int] | None = None
    for start in starts:
        labels = target if best is None else cuda.device_array((height, width), np.uint8)
        ends = _converge(points, unit, start, max_iter, tol, int(found[_SQUARE_SUM]), labels)
        if best is None or ends[1] < best[2]:
            best = labels, *ends
    assert best is not None
    labels, centers, inertia, n_iter = best
    if labels is not target:
        target.copy_to_device(labels)
    return result(target, out, image), centers, inertia, n_iter


def _converge(
    points: Any, unit: int, start: Array, max_iter: int, tol: int, square_sum: int, labels: Any
) -> tuple[Array, int, int]:
    """One attempt: writes the labels, and returns centres, inertia and the number of updates."""
    n, (k, channels) = points.size, start.shape
    found = np.zeros(_FIELDS + 7 * k, np.int64)
    centers = found[_FIELDS : _FIELDS + 3 * k].reshape(k, 3)
    sums = found[_FIELDS + 3 * k :].reshape(k, 4)
    centers[:, :channels] = start
    state = cuda.to_device(found)
    copies = min(COPIES, 2 ** ((_MOST_SUMS // (4 * k)).bit_length() - 1))
    blocks, threads = launch(-(-n // POINTS))
    grid = max(blocks, n // _MOST_POINTS), threads, 0, 4 * 4 * k * copies
    while found[_STATUS] != _DONE:
        for _ in range(min(max_iter - int(found[_N_ITER]) + 1, 64)):  # 64: a loop without end is not queued at once
            assign_pixels[grid](points, unit, k, copies, max_iter, tol * tol, state, labels.reshape(-1))
        state.copy_to_host(found)
        if found[_STATUS] == _EMPTY_CLUSTER:
            _update_and_refill(points, unit, max_iter, tol * tol, centers, sums, found)
            state.copy_to_device(found)
    inertia = square_sum + int((sums[:, 3] * (centers**2).sum(axis=1)).sum())
    inertia -= int((2 * centers * sums[:, :3]).sum())
    return centers[:, :channels].astype(np.int32), inertia, int(found[_N_ITER])


def picture(image: Any) -> Any:
    """The image as an array with NumPy's shape and dtype: itself, or Numba's view of it on the current GPU."""
    return image if isinstance(image, np.ndarray) else given(image, "image", (np.uint8, np.float32))


def _update_and_refill(
    points: Any, unit: int, max_iter: int, tolerated: int, centers: Array, sums: Array, state: Array
) -> None:
    """The update, where clusters are empty: each takes the farthest pixel. The last three are changed."""
    count = sums[:, 3:]
    new = np.where(count > 0, (2 * sums[:, :3] + count) // np.maximum(2 * count, 1), centers)
    distances = cuda.device_array(points.size, np.uint32)

    def farthest(candidates: Array, first: int) -> tuple[int, int]:
        best = cuda.to_device(np.zeros(1, np.int64))
        there = cuda.to_device(candidates.ravel())
        shorten_distances[launch(points.size)](points, unit, there, first, len(candidates), distances, best)
        key = int(best.copy_to_host()[0])
        return key >> 32, _LAST_INDEX - (key & _LAST_INDEX)

    bits = 8 if unit == 64 else 16
    used = new[np.flatnonzero(count)]
    distance, index = farthest(used, 0)
    for j in np.flatnonzero(count == 0):
        if distance == 0:
            break
        point = int(points[index : index + 1].copy_to_host()[0])
        new[j] = [(point >> bits * c & 2**bits - 1) * unit for c in range(3)]
        used = np.vstack([used, new[j]])
        distance, index = farthest(used, len(used) - 1)

    moved = int(((new - centers) ** 2).sum(axis=1).max())
    state[_N_ITER] += 1
    state[_STATUS] = _DONE if moved == 0 else _RUNNING
    state[_CLOSING] = moved <= tolerated or state[_N_ITER] == max_iter
    if moved > 0:
        centers[:] = new
        sums[:] = 0


def _samples(pixels: Any, n: int, channels: int, seed: int) -> Array:
    indices = _core.kmeans_samples(n, seed)
    samples = cuda.device_array(indices.size * channels, pixels.dtype)
    gather_samples[launch(indices.size)](pixels, channels, cuda.to_device(indices), samples)
    host: Array = samples.copy_to_host()
    return host.reshape(1, -1) if channels == 1 else host.reshape(1, -1, 3)


def _checked_shape(shape: tuple[int, ...], n_clusters: int, max_iter: int, attempts: int) -> tuple[int, int, int]:
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)) or 0 in shape:
        raise ValueError(f"image must have shape (height, width) or (height, width, 3), no side 0, got {shape}")
    if shape[0] * shape[1] > _MAX_PIXELS:
        raise ValueError(f"image must have at most 2**32 pixels, got {shape[0] * shape[1]}")
    if not 1 <= n_clusters <= _MAX_CLUSTERS:
        raise ValueError(f"n_clusters must be from 1 to {_MAX_CLUSTERS}, got {n_clusters}")
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, got {max_iter}")
    if not 1 <= attempts <= 1000:
        raise ValueError(f"attempts must be from 1 to 1000, got {attempts}")
    return shape[0], shape[1], 3 if len(shape) == 3 else 1
