"""Exact minimum cuts on the GPU: the mask and flow of ``_core.graph_cut``.

Push-relabel (Goldberg and Tarjan, JACM 1988) in tiles. A block takes a tile with its capacities into registers and
shared memory and pushes and relabels there for a while; what crosses the border goes to the pixels next to it. Tiles
are of four colours, as in a chequerboard of 2 by 2: those of one colour run at once and share no neighbour, so every
push sees true labels. In between, the distances are found anew by breadth-first search, in tiles too. When that finds
no excess on a way to the source, no augmenting path is left: the flow is maximal, whatever the number of rounds so far.

As on the CPU flow runs backwards, from the sink to the source, so that the last search gives the answer: the pixels
that the source still reaches. Of all minimum cuts that is the one with the fewest source pixels, so it is the CPU's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from ._arrays import checked_out, given, on_device, result, written
from ._grid import add_up, at_least, dx, dy, launch
from ._kernel import kernel

TILE_X, TILE_Y = 32, 16
PITCH, CELLS = TILE_X + 2, (TILE_X + 2) * (TILE_Y + 2)  # of a tile with the pixels around it
TILE_REGISTERS = 128  # a thread, so that the 512 of a tile fit
STEPS = 32  # of pushing and relabelling in a tile, at most, before its neighbours have their turn
ROUNDS = 4  # turns of all colours between two searches
SEARCHES = 8  # launches of the search between two looks at whether it has ended
_MAX_CAPACITY = 2**30 - 1
_INPUTS = ("source", "sink", "neighbours")

# A pixel's label is 256 · its distance to the source, in pixels, + the arcs that are open, a bit each.
FAR = 2**23 - 1

# What `state` holds.
_SUPPLY, _DIRECT, _LEFT, _OUT_OF_RANGE, _TOOFAR, _PENDING, _ACTIVE, _WAS_ACTIVE, _HIGHEST, _CAPACITY = range(10)

int32 = np.int32  # Numba widens int32 arithmetic to int64 unless told


@kernel(
    "void(int32[:, ::1], int32[:, ::1], int32[:, :, ::1], int32[:, :, ::1], int32[:, :, ::1], int64[:, ::1],"
    "int32[:, ::1], int64[::1])"
)
def load_graph(source, sink, neighbours, reverse, arcs, excess, labels, state):  # type: ignore[no-untyped-def]
    """The residual graph before any flow, against the edges; arcs out of the picture are closed."""
    height, width = source.shape
    directions = 2 * neighbours.shape[0]
    supply = np.int64(0)
    direct = np.int64(0)
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        start, end = source[y, x], sink[y, x]
        bits = start | end
        open_arcs = int32(0)
        for k in range(8):
            v, u = y + dy(k), x + dx(k)
            capacity = int32(0)
            if k < directions and v >= 0 and v < height and u >= 0 and u < width:
                capacity = reverse[k >> 1, y, x] if k & 1 == 0 else neighbours[k >> 1, v, u]
            bits |= capacity
            arcs[k, y, x] = capacity
            if capacity > 0:
                open_arcs |= int32(1) << int32(k)
        if bits < 0 or bits > _MAX_CAPACITY:
            state[_OUT_OF_RANGE] = 1
        excess[y, x] = np.int64(end) - np.int64(start)
        supply += max(np.int64(end) - np.int64(start), np.int64(0))
        direct += min(np.int64(end), np.int64(start))
        labels[y, x] = open_arcs
    add_up(supply, state, _SUPPLY)
    add_up(direct, state, _DIRECT)


@kernel("void(int64[:, ::1], int32[:, ::1], int32[:, ::1], int32[:, ::1], int32[:, ::1], int64[::1])")
def begin_search(excess, labels, pending, following, active, state):  # type: ignore[no-untyped-def]
    """Distance 1 where the source may still give, far elsewhere; all tiles are to be searched, none is active."""
    height, width = labels.shape
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        distance = int32(FAR)
        if excess[y, x] < 0:
            distance = int32(1)
        labels[y, x] = distance << int32(8) | (labels[y, x] & int32(255))
    tiles_y, tiles_x = pending.shape
    for i in range(cuda.grid(1), tiles_y * tiles_x, cuda.gridsize(1)):
        pending[i // tiles_x, i % tiles_x] = 1
        following[i // tiles_x, i % tiles_x] = 0
        active[i // tiles_x, i % tiles_x] = 0
    if cuda.grid(1) == 0:
        state[_PENDING] = tiles_y * tiles_x
        state[_WAS_ACTIVE] = state[_ACTIVE]
        state[_ACTIVE] = 0
        state[_HIGHEST] = 0


@kernel("void(int32[:, ::1], int32[:, ::1], int32[:, ::1], int64[::1])", max_registers=TILE_REGISTERS)
def search_paths(labels, pending, following, state):  # type: ignore[no-untyped-def]
    """Shorten the distances in the pending tiles until none in the tile can be; then those around it follow.

    Distances only fall. A neighbour may run at the same time and see an old one, but then it runs again.
    """
    tiles_y, tiles_x = pending.shape
    if cuda.blockIdx.x >= tiles_y * tiles_x:
        return
    tile_y = cuda.blockIdx.x // tiles_x
    tile_x = cuda.blockIdx.x - tile_y * tiles_x
    if pending[tile_y, tile_x] == 0:
        return
    distances = cuda.shared.array(CELLS, np.int32)
    height, width = labels.shape
    left, top = tile_x * TILE_X, tile_y * TILE_Y
    thread = cuda.threadIdx.y * TILE_X + cuda.threadIdx.x
    for i in range(thread, CELLS, TILE_X * TILE_Y):
        y, x = top + i // PITCH - 1, left + i % PITCH - 1
        distances[i] = int32(FAR)
        if y >= 0 and y < height and x >= 0 and x < width:
            distances[i] = labels[y, x] >> int32(8)
    y, x = top + cuda.threadIdx.y, left + cuda.threadIdx.x
    cell = (cuda.threadIdx.y + 1) * PITCH + cuda.threadIdx.x + 1
    open_arcs = int32(0)
    if y < height and x < width:
        open_arcs = labels[y, x] & int32(255)
    cuda.syncthreads()
    first = distances[cell]
    while True:
        shortest = distances[cell]
        for k in range(8):
            if (open_arcs >> int32(k)) & int32(1) != 0:
                shortest = min(shortest, int32(distances[cell + dy(k) * PITCH + dx(k)] + 1))
        cuda.syncthreads()
        shorter = int32(0)
        if shortest < distances[cell]:
            distances[cell] = shortest
            shorter = int32(1)
        if cuda.syncthreads_or(shorter) == 0:
            break
    if distances[cell] < first:
        labels[y, x] = distances[cell] << int32(8) | open_arcs
        if distances[cell] == FAR - 1:
            state[_TOOFAR] = 1
        for k in range(8):  # the border tells each neighbour on its side
            u, v = (x + dx(k)) // TILE_X, (y + dy(k)) // TILE_Y
            if x + dx(k) < 0 or y + dy(k) < 0 or u >= tiles_x or v >= tiles_y:
                continue
            if (u != tile_x or v != tile_y) and cuda.atomic.exch(following, (v, u), 1) == 0:
                cuda.atomic.add(state, _PENDING, 1)
    if thread == 0:
        pending[tile_y, tile_x] = 0
        cuda.atomic.sub(state, _PENDING, 1)


@kernel("void(int64[:, ::1], int32[:, ::1], int32[:, ::1], int64[::1])")
def end_search(excess, labels, active, state):  # type: ignore[no-untyped-def]
    """Which tiles have excess that leads to the source, how much of it there is in pixels, and the longest way."""
    height, width = labels.shape
    pixels = np.int64(0)
    longest = np.int64(0)
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        distance = labels[y, x] >> int32(8)
        if distance < FAR and excess[y, x] > 0:
            pixels += 1
            longest = max(longest, np.int64(distance))
            active[y // TILE_Y, x // TILE_X] = 1
    add_up(pixels, state, _ACTIVE)
    if longest > state[_HIGHEST]:  # what it was a moment ago, at least
        cuda.atomic.max(state, _HIGHEST, longest)


@kernel(
    "void(int32[:, :, ::1], int64[:, ::1], int32[:, ::1], int32[:, ::1], int64[::1], int32, int32)",
    max_registers=TILE_REGISTERS,
)
def discharge(arcs, excess, labels, active, state, colour, steps):  # type: ignore[no-untyped-def]
    """Push and relabel in the active tiles of one colour.

    Pixels much farther than any excess was wait for the next search: what is out of reach lies farther, too.
    """
    tiles_y, tiles_x = active.shape
    across = (tiles_x + 1) // 2
    tile_y = 2 * (cuda.blockIdx.x // across) + (colour >> 1)
    tile_x = 2 * (cuda.blockIdx.x % across) + (colour & 1)
    if tile_y >= tiles_y or tile_x >= tiles_x or active[tile_y, tile_x] == 0:
        return
    distances = cuda.shared.array(CELLS, np.int32)
    flow = cuda.shared.array((8, CELLS), np.int32)
    gain = cuda.shared.array(CELLS, np.int64)
    limit = int32(min(state[_HIGHEST] + 2, FAR - 1))
    height, width = labels.shape
    left, top = tile_x * TILE_X, tile_y * TILE_Y
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    thread = ty * TILE_X + tx
    for i in range(thread, CELLS, TILE_X * TILE_Y):
        y, x = top + i // PITCH - 1, left + i % PITCH - 1
        distances[i] = int32(FAR)
        gain[i] = np.int64(0)
        for k in range(8):
            flow[k, i] = int32(0)
        if y >= 0 and y < height and x >= 0 and x < width:
            distances[i] = labels[y, x] >> int32(8)
    y, x = top + ty, left + tx
    cell = (ty + 1) * PITCH + tx + 1
    inside = y < height and x < width
    residual = cuda.local.array(8, np.int32)
    own = np.int64(0)
    for k in range(8):
        residual[k] = int32(0)
        if inside:
            residual[k] = arcs[k, y, x]
    if inside:
        own = excess[y, x]
    cuda.syncthreads()

    for _ in range(steps):
        busy = int32(0)
        if own > 0 and distances[cell] <= limit:
            busy = int32(1)
        if cuda.syncthreads_or(busy) == 0:
            break
        for k in range(8):
            there = cell + dy(k) * PITCH + dx(k)
            amount = int32(0)
            if own > 0 and residual[k] > 0 and distances[cell] <= limit and distances[cell] == distances[there] + 1:
                amount = int32(min(own, np.int64(residual[k])))
                own -= amount
                residual[k] -= amount
                u, v = tx + dx(k), ty + dy(k)
                if u < 0 or u >= TILE_X or v < 0 or v >= TILE_Y:
                    cuda.atomic.add(gain, there, np.int64(amount))
                    arcs[k ^ 1, y + dy(k), x + dx(k)] += amount  # this pixel's alone
                    cuda.atomic.or_(labels, (y + dy(k), x + dx(k)), int32(1) << int32(k ^ 1))
            flow[k, cell] = amount
        cuda.syncthreads()
        for k in range(8):
            received = flow[k, cell - dy(k) * PITCH - dx(k)]
            own += received
            residual[k ^ 1] += received
        nearest = int32(FAR)
        for k in range(8):
            if residual[k] > 0:
                nearest = min(nearest, distances[cell + dy(k) * PITCH + dx(k)])
        cuda.syncthreads()
        if own > 0 and nearest >= distances[cell]:
            distances[cell] = min(int32(nearest + 1), int32(FAR))

    if inside:
        open_arcs = int32(0)
        for k in range(8):
            arcs[k, y, x] = residual[k]
            if residual[k] > 0:
                open_arcs |= int32(1) << int32(k)
        excess[y, x] = own
        labels[y, x] = distances[cell] << int32(8) | open_arcs
    busy = int32(0)
    if own > 0 and distances[cell] <= limit:
        busy = int32(1)
    any_busy = cuda.syncthreads_or(busy)
    if thread == 0 and any_busy == 0:
        active[tile_y, tile_x] = 0
    for i in range(thread, CELLS, TILE_X * TILE_Y):
        if gain[i] > 0:
            y, x = top + i // PITCH - 1, left + i % PITCH - 1
            excess[y, x] += gain[i]
            active[y // TILE_Y, x // TILE_X] = 1


@kernel("void(int64[:, ::1], int32[:, ::1], uint8[:, ::1], int64[::1])")
def write_mask(excess, labels, mask, state):  # type: ignore[no-untyped-def]
    """255 where the source still reaches; the excess that is left."""
    height, width = labels.shape
    left = np.int64(0)
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        side = np.uint8(0)
        if labels[y, x] >> int32(8) < FAR:
            side = np.uint8(255)
        mask[y, x] = side
        left += max(excess[y, x], np.int64(0))
    add_up(left, state, _LEFT)


@kernel("void(int32[:, ::1], int32[:, ::1], int32[:, :, ::1], int32[:, :, ::1], uint8[:, ::1], int64[::1])")
def measure_cut(source, sink, neighbours, reverse, mask, state):  # type: ignore[no-untyped-def]
    """Add up the capacity of the cut, from the inputs."""
    height, width = source.shape
    capacity = np.int64(0)
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        if mask[y, x] == 0:
            capacity += source[y, x]
        else:
            capacity += sink[y, x]
        for k in range(0, 2 * neighbours.shape[0], 2):
            v, u = y + dy(k), x + dx(k)
            if v < height and u >= 0 and u < width and (mask[y, x] == 0) != (mask[v, u] == 0):
                if mask[y, x] == 0:
                    capacity += reverse[k >> 1, y, x]
                else:
                    capacity += neighbours[k >> 1, y, x]
    add_up(capacity, state, _CAPACITY)


def graph_cut(
    source: Any, sink: Any, neighbours: Any, out: Any = None, certify: bool = False, reverse: Any = None
) -> tuple[Any, int]:
    """As ``_core.graph_cut``, and the same bytes.

    Parameters
    ----------
    source, sink, neighbours : array, int32
        As there; in host memory or on the current GPU (``__cuda_array_interface__`` or DLPack), there contiguous.
    out : (H, W) uint8 array, optional
        Gets the mask; on a GPU or in host memory.
    certify : bool
        As there.
    reverse : array, int32, optional
        As there.

    Returns
    -------
    mask, flow
        The mask is on the GPU if `source` is and there is no `out`.
    """
    arrays = [given(a, name, (np.int32,)) for name, a in zip(_INPUTS, (source, sink, neighbours), strict=True)]
    height, width = _checked_shape(*(array.shape for array in arrays))
    if reverse is not None:
        arrays.append(given(reverse, "reverse", (np.int32,)))
        if arrays[3].shape != arrays[2].shape:
            raise ValueError(f"reverse must have the shape of neighbours, {arrays[2].shape}, got {arrays[3].shape}")
    target = checked_out(out, arrays, (height, width))
    inputs = [on_device(array) for array in arrays]
    if reverse is None:
        inputs.append(inputs[2])
    mask = written(target, (height, width))
    arcs, excess, labels, state = residual_graph(height, width)
    pixels = launch(height * width)
    load_graph[pixels](*inputs, arcs, excess, labels, state)
    solve(arcs, excess, labels, state)
    write_mask[pixels](excess, labels, mask, state)
    if certify:
        measure_cut[pixels](*inputs, mask, state)
    found = state.copy_to_host()
    flow = int(found[_DIRECT] + found[_SUPPLY] - found[_LEFT])
    if certify and flow != found[_CAPACITY]:
        raise RuntimeError("graph cut: the flow is not the capacity of the cut; please report this with the input")
    return result(mask, out, arrays[0]), flow


def residual_graph(height: int, width: int) -> tuple[Any, Any, Any, Any]:
    """Memory for a graph: residual capacities of the arcs, excess, labels; and the state of a solver that begins."""
    n = height * width
    memory = cuda.device_array(5 * n + (n + 1) // 2, np.int64)  # one block: each costs a call of the driver
    arcs = memory[n : 5 * n].view(np.int32).reshape(8, height, width)
    labels = memory[5 * n :].view(np.int32)[:n].reshape(height, width)
    state = np.zeros(_CAPACITY + 1, np.int64)
    state[_ACTIVE] = 1
    return arcs, memory[:n].reshape(height, width), labels, cuda.to_device(state)


def solve(arcs: Any, excess: Any, labels: Any, state: Any) -> None:
    """Maximum flow: until no excess leads to the source; the pixels that the source still reaches are then not far."""
    height, width = labels.shape
    tiles = -(-height // TILE_Y), -(-width // TILE_X)
    pending, following, active = (cuda.device_array(tiles, np.int32) for _ in range(3))
    pixels, threads = launch(height * width), (TILE_X, TILE_Y)
    every = at_least(tiles[0] * tiles[1])
    coloured = at_least(-(-tiles[0] // 2) * -(-tiles[1] // 2))
    while True:
        begin_search[pixels](excess, labels, pending, following, active, state)
        waiting = True
        while waiting:
            for _ in range(SEARCHES):
                search_paths[every, threads](labels, pending, following, state)
                pending, following = following, pending
            found = state.copy_to_host()
            if found[_OUT_OF_RANGE]:
                raise ValueError("graph cut: the capacities must be from 0 to 2^30 - 1")
            if found[_TOOFAR]:
                raise ValueError("graph cut: the way from a pixel to its terminal takes 2^23 pixels")
            waiting = found[_PENDING] > 0
        if found[_WAS_ACTIVE] == 0:  # before this search, which then changed nothing
            return
        end_search[pixels](excess, labels, active, state)
        for turn in range(4 * ROUNDS):
            discharge[coloured, threads](arcs, excess, labels, active, state, turn % 4, STEPS)


def _checked_shape(source: tuple[int, ...], sink: tuple[int, ...], neighbours: tuple[int, ...]) -> tuple[int, int]:
    if len(source) != 2 or 0 in source:
        raise ValueError(f"source must have shape (height, width), no side 0, got {source}")
    if sink != source:
        raise ValueError(f"sink must have shape {source}, as source, got {sink}")
    if neighbours not in ((4, *source), (2, *source)):
        raise ValueError(f"neighbours must have shape {(4, *source)} or {(2, *source)}, as source, got {neighbours}")
    if (source[0] + 2) * (source[1] + 1) >= 2**31:
        raise ValueError(f"graph cut: a picture of {source[0]} x {source[1]} pixels is too large")
    return source[0], source[1]
