"""The contract of docs/contract.md: threads, fork, changing inputs, interruption, the end of the interpreter."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import alphacut
from alphacut import Remover, _core

PACKAGES = str(Path(alphacut.__file__).parents[1])
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def python(code, **options):
    """What a process of its own says and how it ends."""
    environment = {**os.environ, "PYTHONPATH": PACKAGES}
    head = "import itertools, os, signal, sys, threading, time\nimport numpy as np\nimport alphacut\n"
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", head + code],
        env=environment,
        capture_output=True,
        text=True,
        **options,
    )


def photo(height=120, width=160, seed=0):
    rows, columns = np.mgrid[:height, :width]
    picture = np.stack([rows + 60, columns // 2 + 40, (rows + columns) // 3 + 50], -1)
    picture[np.hypot(rows - height / 2, columns - width / 2) < height / 3] = (200, 60, 30)
    return (picture + np.random.default_rng(seed).integers(0, 12, picture.shape)).astype(np.uint8)


# --- interruption ----------------------------------------------------------------------------------------------------

LONG = """
rng = np.random.default_rng(0)
big = np.kron(rng.integers(0, 255, (150, 200, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
labels = np.full(big.shape[:2], 2, np.uint8)
labels[:9], labels[600:620, 700:900] = 0, 1
work = {
    "grabcut": lambda: alphacut.grabcut(big, labels, exact=True),
    "graph_cut": lambda: alphacut.graph_cut(*rng.integers(0, 99, (2, 1500, 1500), dtype=np.int32),
                                            rng.integers(0, 99, (4, 1500, 1500), dtype=np.int32)),
    "refine_alpha": lambda: alphacut.refine_alpha(big, alphacut.make_trimap(labels, band=300)),
    "denoise": lambda: alphacut.denoise(np.tile(big, (3, 3, 1)), "bilateral"),
    "remove_background": lambda: alphacut.remove_background(np.tile(big, (2, 2, 1)), box=(50, 50, 2900, 2300)),
    "session": lambda: alphacut.Remover().open(np.tile(big, (2, 2, 1))).cut(box=(50, 50, 2900, 2300)),
}[sys.argv[1]]
"""


@POSIX
@pytest.mark.parametrize("work", ["grabcut", "graph_cut", "refine_alpha", "denoise", "remove_background", "session"])
def test_ctrl_c_ends_a_long_call(work):
    """It comes in a fraction of the time that the call takes, and in no more than the call takes to look."""
    code = LONG + (
        "start = time.perf_counter(); work(); whole = time.perf_counter() - start\n"
        "started = []\n"
        "def interrupt():\n"
        "    time.sleep(whole / 5); started.append(time.perf_counter()); os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=interrupt).start()\n"
        "try:\n"
        "    work(); time.sleep(whole); print('too late')\n"
        "except KeyboardInterrupt:\n"
        "    print((time.perf_counter() - started[0]) / whole)\n"
        "work()\n"
    )
    code = code.replace("sys.argv[1]", repr(work))

    def fraction():
        done = python(code, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
        assert done.returncode == 0, done.stderr
        return float(done.stdout)

    assert sum(fraction() < 0.6 for _ in range(3)) >= 2  # others may take the processors meanwhile


@POSIX
def test_a_handler_s_exception_is_the_call_s():
    code = LONG.replace("sys.argv[1]", "'grabcut'") + (
        "class Enough(Exception): pass\n"
        "def handler(*_): raise Enough('so')\n"
        "signal.signal(signal.SIGALRM, handler)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.2)\n"
        "try:\n"
        "    while True: work()\n"
        "except Enough as error:\n"
        "    print(error)\n"
    )
    done = python(code)
    assert (done.returncode, done.stdout) == (0, "so\n"), done.stderr


@POSIX
def test_a_signal_that_raises_nothing_changes_nothing():
    expected = Remover(refine=None)(photo(480, 640)).alpha
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        while len(seen) < 20:
            np.testing.assert_array_equal(Remover(refine=None)(photo(480, 640)).alpha, expected)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_callback_that_works_long(monkeypatch):
    """Work that C++ has Python do may call C++ again, with the lock held and after it was time to ask for signals."""
    from alphacut import session

    class Elsewhere(session._Elsewhere):
        def _chosen(self, stage):
            return stage == "grabcut"

        def _grabcut(self, labels, box, unary, max_iter):
            time.sleep(0.1)
            _core.grabcut_picture(rgba[..., :3])  # copies, and rounds
            return None  # declines

    rgba = np.dstack([photo(), np.full((120, 160), 255, np.uint8)])
    expected = Remover().open(photo()).cut(box=(40, 10, 80, 100))
    monkeypatch.setattr(session, "_Elsewhere", Elsewhere)
    made = Remover().open(photo()).cut(box=(40, 10, 80, 100))
    np.testing.assert_array_equal(made.alpha, expected.alpha)


# --- cancellation ----------------------------------------------------------------------------------------------------


def test_a_token_ends_calls():
    token = alphacut.CancelToken()
    with token:
        alphacut.remove_background(photo())
        assert not token.cancelled
        token.cancel()
        assert token.cancelled
        with pytest.raises(alphacut.Cancelled, match="cancelled"):
            alphacut.remove_background(photo())
        with pytest.raises(RuntimeError):
            alphacut.threshold(photo()[..., 0], 128)
    alphacut.threshold(photo()[..., 0], 128)


def test_tokens_nest_and_are_of_their_thread():
    outer, inner = alphacut.CancelToken(), alphacut.CancelToken()
    with outer:
        with inner:
            inner.cancel()
            thread = threading.Thread(target=alphacut.threshold, args=(photo()[..., 0], 128))
            thread.start()
            thread.join()
            with pytest.raises(alphacut.Cancelled):
                alphacut.threshold(photo()[..., 0], 128)
        alphacut.threshold(photo()[..., 0], 128)
        with alphacut.CancelToken():
            outer.cancel()
            with pytest.raises(alphacut.Cancelled):
                alphacut.threshold(photo()[..., 0], 128)
    failed = []

    def leave():
        try:
            inner.__exit__()
        except RuntimeError as error:
            failed.append(str(error))

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    assert "left by the thread that entered it" in failed[0]


def test_a_session_is_cancelled_and_goes_on():
    with Remover().open(photo()) as session:
        expected = session.cut(box=(40, 10, 80, 100))
        ended = threading.Event()

        def cut():
            try:
                while True:
                    session.cut()
            except alphacut.Cancelled:
                ended.set()

        thread = threading.Thread(target=cut)
        thread.start()
        while not ended.is_set():
            session.cancel()
        thread.join()
        session.cancel()
        again = session.cut(box=(40, 10, 80, 100))
    np.testing.assert_array_equal(again.alpha, expected.alpha)
    session.cancel()  # a closed one has nothing to end


# --- threads and inputs that change ----------------------------------------------------------------------------------

CALLS = {
    "grabcut": "alphacut.grabcut(picture, labels)",
    "flow": "alphacut.remove_background(picture, labels=labels, refine=None)",
    "trimap": "alphacut.remove_background(picture, trimap=mask)",
    "label": "(alphacut.label_components(mask), alphacut.component_stats(mask), alphacut.mask_to_polygons(mask))",
    "outlines": "(alphacut.mask_to_polygons(mask, 8), alphacut.mask_to_rle(mask))",
    "morphology": "(alphacut.morphology(mask, 'open', radius=90), alphacut.morphology(mask, 'close', radius=3))",
    "blur": "(alphacut.gaussian_blur(gray, 2), alphacut.unsharp_mask(gray), alphacut.cast_shadow(mask))",
    "filter": "(alphacut.keep_largest(mask, 3), alphacut.remove_small(mask, 5), alphacut.fill_holes(mask, 50))",
    "kmeans": "(alphacut.kmeans(picture, 8), alphacut.kmeans(gray, 4))",
    "graph_cut": "alphacut.graph_cut(capacity, capacity, neighbours)",
    "directed": "alphacut.graph_cut(capacity, capacity, neighbours, reverse=neighbours[::-1])",
    "expansion": "alphacut.alpha_expansion(neighbours, 3, neighbours=neighbours, labels=labels, max_iter=3)",
    "points": "alphacut.kmeans_points(gray.reshape(-1, 10), 300, max_iter=3)",
    "slic": "(alphacut.slic(picture, 50), alphacut.slic(gray, 50))",
    "matting": "(alphacut.make_trimap(mask), alphacut.refine_alpha(picture, mask, method='guided'))",
    "threshold": "(alphacut.threshold(gray, 'otsu'), alphacut.adaptive_threshold(gray, 31, method='sauvola'))",
    "denoise": "(alphacut.denoise(gray, size=5), alphacut.denoise(gray, 'bilateral'))",
    "subject": "(alphacut.detect_subject(gray), alphacut.barrier_map(gray, mask))",
    "guided": "alphacut.guided_filter(gray, gray, 8, 1e-3)",
    "light": "(alphacut.decode_srgb(gray), alphacut.encode_srgb(gray))",
    "key": "(alphacut.chroma_key(gray, 'gray'), alphacut.despill(picture, 'green', mask))",
    "compose": "(alphacut.composite(picture, mask, picture, linear=True), alphacut.estimate_foreground(picture, mask))",
}


@pytest.mark.parametrize("name", CALLS)
def test_inputs_may_change_during_a_call(name):
    """What comes out is anything, or a documented error; nothing else is harmed."""
    code = (
        "rng = np.random.default_rng(0); H, W = 150, 200\n"
        "def fresh(high, shape=(H, W), dtype=np.uint8): return rng.integers(0, high, shape, dtype=dtype)\n"
        "mask, picture, labels = fresh(2) * 255, fresh(256, (H, W, 3)), fresh(4)\n"
        "capacity, neighbours = fresh(1000, dtype=np.int32), fresh(1000, (4, H, W), np.int32)\n"
        "gray = rng.random((H, W), dtype=np.float32)\n"
        "i = np.iinfo(np.int32)\n"
        "others = [(mask, [fresh(256), mask.copy()]), (picture, [fresh(256, picture.shape)]),\n"
        "    (labels, [fresh(256), labels.copy()]),\n"
        "    (capacity, [rng.integers(i.min, i.max, (H, W), dtype=np.int32), capacity.copy()]),\n"
        "    (neighbours, [rng.integers(i.min, i.max, (4, H, W), dtype=np.int32), neighbours.copy()]),\n"
        "    (gray, [np.full((H, W), v, np.float32) for v in (np.nan, 1e30, -1e30)] + [gray.copy()])]\n"
        "def change():\n"
        "    for k in itertools.count():\n"
        "        for array, values in others: np.copyto(array, values[k % len(values)])\n"
        "threading.Thread(target=change, daemon=True).start()\n"
        "sys.setswitchinterval(1e-5)\n"
        "for _ in range(60):\n"
        f"    try: {CALLS[name]}\n"
        "    except (ValueError, TypeError, OverflowError): pass\n"
        "print('alive', flush=True); os._exit(0)\n"
    )
    done = python(code)
    assert done.stdout == "alive\n", done.stderr


def test_no_reference_is_touched_without_the_lock():
    code = (
        "from alphacut import _core\n"
        "im, out = np.zeros((2, 30, 30), np.uint8); z = (0.0, 0.0, 0.0); stop = False\n"
        "def key():\n"
        "    while not stop:\n"
        "        _core.chroma_key(im, z, z, z, 0.1, 0.1, False, out); _core.despill(im, z, None, 1.0, out)\n"
        "def hold():\n"
        "    while not stop: list(itertools.repeat(out, 10000))\n"
        "before = sys.getrefcount(out)\n"
        "threads = [threading.Thread(target=f) for f in (key, key, hold)]\n"
        "sys.setswitchinterval(1e-6)\n"
        "for t in threads: t.start()\n"
        "time.sleep(2); stop = True\n"
        "for t in threads: t.join()\n"
        "print(sys.getrefcount(out) - before)\n"
    )
    done = python(code)
    assert done.stdout == "0\n", done.stderr


def test_a_copy_of_another_dtype_is_not_asked_for():
    class Odd(np.ndarray):
        def copy(self, order="C"):
            return np.zeros(self.shape, np.uint8).view(Odd)

    picture = np.asfortranarray(np.random.default_rng(0).random((40, 50, 3), dtype=np.float32))
    expected = alphacut.remove_background(np.ascontiguousarray(picture), box=(5, 5, 30, 30)).alpha
    odd = alphacut.remove_background(picture.view(Odd), box=(5, 5, 30, 30)).alpha
    np.testing.assert_array_equal(odd, expected)


@pytest.mark.parametrize("answer", ["x", None, (), ("a", 1), (2**70, 0), (1.5, 0), KeyError("k"), (1, 0)])
def test_odd_answers_to_where_an_array_lives(answer):
    class Array:
        def __dlpack_device__(self):
            if isinstance(answer, Exception):
                raise answer
            return answer

    for call in (alphacut.threshold, lambda a: alphacut.kmeans(a, 2), alphacut.remove_background, alphacut.find_key):
        with pytest.raises(TypeError):
            call(Array())


@pytest.mark.parametrize("key", [((1, 2),), ((1, 2, "a"),), ((1, 2, 3), (1,)), ((1, 2, float("nan")),), (None,)])
def test_keys_of_another_form(key):
    for call in (alphacut.chroma_key, alphacut.despill):
        with pytest.raises((TypeError, ValueError), match=r"key|color"):
            call(photo(), alphacut.KeyColor(*key))


# --- fork and the end ------------------------------------------------------------------------------------------------


def test_a_daemon_thread_inside_a_call_at_the_end():
    code = (
        "def work():\n"
        "    while True: {}\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep({:.3f}); print('end')\n"
    )
    for call in (
        "alphacut.denoise(np.ones((600, 800, 3), np.uint8), size=5)",
        "alphacut.remove_background(np.ones((300, 400, 3), np.uint8))",
        "alphacut.threshold(np.ones((9, 9), np.uint8), 1)",
    ):
        with ThreadPoolExecutor(4) as several:  # so that the lock is asked for, and given, at other moments
            ends = several.map(python, [code.format(call, 0.25 + 0.013 * k) for k in range(12)])
            for done in ends:
                assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", ""), call


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_of_fork_uses_a_busy_remover():
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "picture = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)\n"
        "remover = alphacut.Remover(refine=None); session = remover.open(picture); stop = False\n"
        "def work():\n"
        "    while not stop: remover(picture); session.cut(box=(9, 9, 50, 50))\n"
        "thread = threading.Thread(target=work); thread.start()\n"
        "for _ in range(20):\n"
        "    time.sleep(0.01)\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        remover(picture); os._exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "stop = True; thread.join(); print('done')\n"
    )
    done = python(code)
    assert done.stdout == "done\n", done.stderr


def test_a_subinterpreter_is_told():
    code = (
        "try:\n"
        "    import _interpreters as interpreters\n"
        "except ImportError:\n"
        "    import _xxsubinterpreters as interpreters\n"
        "made = interpreters.create()\n"
        "try:\n"
        "    told = interpreters.run_string(made, 'import sys; sys.path[:] = %r\\nimport alphacut' % sys.path)\n"
        "    print('no', told)\n"
        "except Exception as error:\n"
        "    print('no', error)\n"
        "os._exit(0)\n"
    )
    done = python(code)
    assert done.stdout.startswith("no"), done.stderr
    assert "ImportError" in done.stdout


def test_counts_of_buffers_survive_cancelled_calls():
    remover = Remover()
    remover(photo(420, 560))
    before = _core.buffer_pool_counts()["bytes_in_use"]
    token = alphacut.CancelToken()
    timer = threading.Timer(0.005, token.cancel)
    timer.start()
    ended = False
    while not ended:
        try:
            with token:
                remover(photo(420, 560))
        except alphacut.Cancelled:
            ended = True
    timer.join()
    assert _core.buffer_pool_counts()["bytes_in_use"] == before


def test_a_request_that_nobody_waits_for_ends():
    pytest.importorskip("starlette")
    import asyncio

    from alphacut.server.workers import Workers

    workers, begun, ended = Workers(1, 1), threading.Event(), threading.Event()

    def forever():
        begun.set()
        try:
            while True:
                alphacut.remove_background(photo())
        except alphacut.Cancelled:
            ended.set()
            raise

    async def request():
        with workers.place() as place:
            await asyncio.wait_for(place.run(forever), 0.5)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(request())
    assert begun.is_set()
    ended.wait()
    workers.close()
    while workers.taken:
        pass
