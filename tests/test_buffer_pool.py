"""The pool of buffers: removers take no new memory for pictures like the last ones."""

import copy
import gc
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import alphacut
from alphacut import Remover, _core

SIZE = (420, 560)  # planes of a byte a pixel are above the pool's least size


def scene(height=SIZE[0], width=SIZE[1], seed=3):
    """A bright disc on a dark textured ground: (picture, disc)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    disc = (y - height * 0.5) ** 2 + (x - width * 0.5) ** 2 < (0.28 * height) ** 2
    ground = np.stack([60 + 30 * np.sin(x / 9), 80 + 30 * np.cos(y / 7), np.full(disc.shape, 90)], axis=2)
    picture = np.where(disc[..., None], (210, 120, 40), ground) + rng.normal(0, 6, (height, width, 3))
    return np.clip(picture, 0, 255).astype(np.uint8), np.where(disc, 255, 0).astype(np.uint8)


def box(picture):
    height, width = picture.shape[:2]
    return width // 5, height // 6, 3 * width // 5, 2 * height // 3


def counts():
    gc.collect()
    return _core.buffer_pool_counts()


@pytest.fixture(autouse=True)
def _nothing_kept():
    """No test leaves a remover or a buffer behind."""
    before = counts()
    yield
    assert counts()["bytes_kept"] == before["bytes_kept"] == 0
    assert counts()["bytes_in_use"] == before["bytes_in_use"]


PROMPTS = {
    "box": lambda picture, mask: {"box": box(picture)},
    "mask": lambda picture, mask: {"mask": mask},
    "trimap": lambda picture, mask: {"trimap": alphacut.make_trimap(mask)},
    "nothing": lambda picture, mask: {},
    "key": lambda picture, mask: {"key": (80, 80, 90)},
}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("refine", ["auto", "guided", None])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_further_calls_take_no_new_buffer(prompt, refine):
    picture, mask = scene()
    remove = Remover(refine=refine, **PROMPTS[prompt](picture, mask))
    expected = remove(picture).rgba
    taken = []
    for _ in range(9):
        before = _core.buffer_pool_counts()
        cutout = remove(picture)  # the memory of the one before is free only when this one is there
        assert np.array_equal(cutout.rgba, expected)
        taken.append(_core.buffer_pool_counts()["taken"] - before["taken"])
        assert _core.buffer_pool_counts()["reused"] > before["reused"]
    assert taken[3:] == [0] * 6


def test_sizes_in_turn_stay_bounded():
    remove = Remover(refine="guided")
    kept = []
    for i in range(16):
        picture, _ = scene(300 + 10 * i, 400 + (13 * i) % 100)
        remove(picture, box=box(picture))
        kept.append(_core.buffer_pool_counts()["bytes_kept"])
    remove.reset()
    for _ in range(3):
        remove(picture, box=box(picture))
    assert max(kept) < 2.5 * _core.buffer_pool_counts()["bytes_kept"]


def test_buffers_of_no_further_use_go_back():
    remove = Remover()
    large, _ = scene(900, 1200)
    small, _ = scene()
    remove(large, box=box(large))
    at_first = _core.buffer_pool_counts()["bytes_kept"]
    for _ in range(5):
        remove(small, box=box(small))
    assert _core.buffer_pool_counts()["bytes_kept"] < at_first / 2


def test_threads_at_once():
    pictures = [scene(400 + 10 * i, 560, seed=i)[0] for i in range(4)]
    remove = Remover()
    expected = [remove(picture, box=box(picture)).rgba.tobytes() for picture in pictures]
    with ThreadPoolExecutor(2) as pool:
        for round in range(6):
            found = pool.map(lambda picture: remove(picture, box=box(picture)).rgba.tobytes(), pictures)
            assert list(found) == expected
            if round == 2:
                before = _core.buffer_pool_counts()
    after = _core.buffer_pool_counts()
    fresh, reused = (after[name] - before[name] for name in ("taken", "reused"))
    assert fresh < 0.1 * reused


def test_removers_share_and_the_last_one_gives_all_back():
    picture, mask = scene()
    first, second = Remover(mask=mask), Remover(mask=mask)
    first(picture)
    assert _core.buffer_pool_counts()["bytes_kept"] > 0
    first.reset()
    assert _core.buffer_pool_counts()["bytes_kept"] == 0
    second(picture)
    del first
    assert counts()["bytes_kept"] > 0
    del second
    assert counts()["bytes_kept"] == 0


def test_results_are_their_holders():
    picture, mask = scene()
    remove = Remover(mask=mask)
    cutouts = [remove(picture) for _ in range(3)]
    arrays = [getattr(cutout, name) for cutout in cutouts for name in ("mask", "alpha", "foreground")]
    for i, array in enumerate(arrays):
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert array.ctypes.data % 64 == 0
        assert not any(np.shares_memory(array, other) for other in arrays[:i])
    saved = [array.copy() for array in arrays]
    for _ in range(3):
        remove(255 - picture)
    remove.reset()
    assert all(map(np.array_equal, arrays, saved))
    del remove
    gc.collect()
    other = alphacut.remove_background(255 - picture, mask=mask)
    assert all(map(np.array_equal, arrays, saved))
    assert not any(np.shares_memory(array, other.foreground) for array in arrays)
    again = pickle.loads(pickle.dumps(arrays[0]))
    assert np.array_equal(again, saved[0])


def test_dropping_many_held_results_keeps_few():
    picture, mask = scene()
    remove = Remover(mask=mask)
    cutouts = [remove(picture) for _ in range(30)]
    bytes_in_use = _core.buffer_pool_counts()["bytes_in_use"]
    assert bytes_in_use >= 30 * 5 * mask.size
    del cutouts
    assert counts()["bytes_kept"] < bytes_in_use / 2


def test_without_a_remover_arrays_are_numpys():
    picture, mask = scene()
    before = _core.buffer_pool_counts()
    assert alphacut.threshold(picture, 90).flags.owndata
    alphacut.refine_alpha(picture, mask)
    assert _core.buffer_pool_counts() == before
    alphacut.remove_background(picture, mask=mask)  # nor is a single call's memory kept
    assert _core.buffer_pool_counts() == before
    remove = Remover()
    remove(picture, mask=mask)
    assert not alphacut.threshold(picture, 90).flags.owndata
    assert alphacut.threshold(picture[:9, :9], 90).flags.owndata  # small


def test_a_failed_call_gives_its_memory_back():
    picture, mask = scene()
    remove = Remover()
    remove(picture, mask=mask)
    with pytest.raises(ValueError, match="shape"):
        remove(picture, mask=mask[1:])
    with pytest.raises(ValueError, match="unknown pixels"):
        remove(picture, trimap=np.full_like(mask, 7))
    assert _core.buffer_pool_counts()["bytes_in_use"] == 0


def test_removers_are_copied_and_pickled():
    picture, mask = scene()
    expected = Remover(mask=mask)(picture).rgba
    for remove in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        assert np.array_equal(remove(Remover(mask=mask))(picture).rgba, expected)


def test_what_is_too_large_is_a_memory_error():
    remove = Remover()
    remove.warmup((9, 9))
    for side in (2**24, 2**31, 2**40):
        with pytest.raises((MemoryError, ValueError)):
            _core.checkerboard(side, side, 8)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_of_fork_uses_the_store():
    script = """
import os, threading
import numpy as np
from alphacut import Remover
picture = np.zeros((420, 560, 3), np.uint8)
picture[100:300, 100:300] = 255
remove = Remover(mask=picture[..., 0])
expected = remove(picture).rgba.tobytes()
stop = threading.Event()
def work():
    while not stop.is_set():
        remove(picture)
thread = threading.Thread(target=work)
thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(remove(picture).rgba.tobytes() != expected)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
thread.join()
"""
    options = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    subprocess.run(options, check=True, timeout=120)


@pytest.mark.usefixtures("one_thread")
def test_further_frames_of_a_film_take_no_new_buffer():
    picture, _ = scene()
    track = alphacut.Tracker()
    track(picture, box=box(picture))
    taken = []
    for k in range(12):
        frame = np.roll(picture, 2 * (k % 2), axis=1)
        before = _core.buffer_pool_counts()
        cutout = track(frame)
        assert cutout.method == "track"
        taken.append(_core.buffer_pool_counts()["taken"] - before["taken"])
        assert _core.buffer_pool_counts()["reused"] > before["reused"]
    assert taken[6:] == [0] * 6
