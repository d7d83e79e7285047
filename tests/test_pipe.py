"""Frames through a real process: ``alphacut pipe``."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import alphacut
from alphacut import remove_background
from alphacut.cli import main
from alphacut.files import read_image, write_image

WIDTH, HEIGHT = 64, 48
SIZE = str(WIDTH), str(HEIGHT)
GREEN = (0, 177, 64)


def command(*arguments):
    return [sys.executable, "-m", "alphacut", "pipe", *map(str, arguments)]


def environment():
    paths = [str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def through(data, *arguments, code=0):
    """What comes out, and standard error."""
    done = subprocess.run(command(*arguments), input=data, capture_output=True, env=environment(), timeout=300)
    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    return done.stdout, done.stderr.decode()


def frames(count, channels=3):
    """A disc that moves over green, in every byte value."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    rng = np.random.default_rng(5)
    made = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    for index, frame in enumerate(made):
        frame[...] = GREEN
        disc = (x - 20 - 4 * index) ** 2 + (y - 24) ** 2 < 120
        frame[disc] = rng.integers(0, 256, (np.count_nonzero(disc), 3))
    if channels == 4:
        return np.concatenate([made, np.full((*made.shape[:3], 1), 200, np.uint8)], axis=3)
    return made[..., 0].copy() if channels == 1 else made


KEYED = ("--key", "#00b140", "--despill", "--similarity", "0.05", "--quiet")


@pytest.mark.parametrize("incoming", ["rgb24", "bgr24", "rgba", "gray"])
@pytest.mark.parametrize("out", ["rgba", "gray", "rgb24"])
def test_every_format_in_and_out(incoming, out):
    sent = frames(3, {"rgba": 4, "gray": 1}.get(incoming, 3))
    data = sent[..., ::-1].tobytes() if incoming == "bgr24" else sent.tobytes()
    background = ("--background", "navy") if out == "rgb24" else ()
    got, _ = through(data, *SIZE, "--in", incoming, "--out", out, *KEYED, *background)
    expected = b""
    for frame in sent:
        cutout = remove_background(frame, key=GREEN, despill=True, similarity=0.05)
        expected += {"rgba": cutout.rgba, "gray": cutout.alpha, "rgb24": cutout.on("navy")}[out].tobytes()
    assert got == expected


def test_prompts_and_backgrounds_from_files(tmp_path):
    sent = frames(2)
    strokes = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    strokes[22:26, 15:25] = (0, 255, 0, 255)
    strokes[:3] = (255, 0, 0, 255)
    write_image(tmp_path / "strokes.png", strokes)
    write_image(tmp_path / "ground.png", np.full((30, 90, 3), (1, 2, 250), np.uint8))
    given = ("--scribbles", tmp_path / "strokes.png", "--out", "rgb24", "--background", tmp_path / "ground.png")
    got, _ = through(sent.tobytes(), *SIZE, *given)
    labels = alphacut.read_labels(tmp_path / "strokes.png")
    expected = [remove_background(frame, labels=labels).on(tmp_path / "ground.png") for frame in sent]
    assert got == b"".join(frame.tobytes() for frame in expected)


def test_the_end_of_the_input():
    assert through(b"", *SIZE) == (b"", "")
    data = frames(2).tobytes()
    got, told = through(data[:-1], *SIZE, *KEYED, code=1)
    assert len(got) == WIDTH * HEIGHT * 4
    assert told == f"Error: the input ends within frame 1: {WIDTH * HEIGHT * 3 - 1} of {WIDTH * HEIGHT * 3} bytes\n"


def test_a_warning_is_told_once():
    noise = np.random.default_rng(3).integers(0, 256, (4, HEIGHT, WIDTH, 3), np.uint8)
    _, told = through(noise.tobytes(), *SIZE, "--key", "lime")
    border, whole = told.splitlines()
    assert border.startswith("frame 0: only ")
    assert whole == "frame 0: the cutout is nearly the whole picture"
    assert through(noise.tobytes(), *SIZE, "--key", "lime", "--quiet")[1] == ""


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize("width", [16, WIDTH, 640])  # less and more than what a pipe holds
def test_a_reader_that_goes_away(width):
    data = np.zeros((20, HEIGHT, width, 3), np.uint8).tobytes()
    run = subprocess.Popen(
        command(width, HEIGHT, *KEYED),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    feeder = threading.Thread(target=_feed, args=(run.stdin, data * 4))
    feeder.start()
    assert len(run.stdout.read(100)) == 100
    run.stdout.close()
    told = run.stderr.read()
    assert run.wait(300) == 0
    assert told == b""
    run.stderr.close()
    feeder.join()


def _feed(stream, data):
    """Write until nobody takes it."""
    try:
        with stream:
            stream.write(data)
    except BrokenPipeError:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_slow_reader_holds_the_writer_back_in_constant_memory():
    width, height, count = 320, 240, 60  # a frame is more than a pipe holds
    frame = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8).tobytes()
    sent = 0

    def feed(stream):
        nonlocal sent
        with stream:
            for _ in range(count):
                stream.write(frame)
                sent += 1

    with subprocess.Popen(
        command(width, height, *KEYED, "--refine", "none"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    ) as run:
        feeder = threading.Thread(target=feed, args=(run.stdin,))
        feeder.start()
        peaks = []
        for got in range(1, count + 1):
            assert len(run.stdout.read(width * height * 4)) == width * height * 4
            time.sleep(0.02)  # in which a process that held nothing back would run ahead
            assert sent <= got + 2
            if got < count:
                status = Path(f"/proc/{run.pid}/status").read_text()
                peaks.append(int(status.split("VmHWM:")[1].split()[0]))
        feeder.join()
    assert run.returncode == 0
    assert peaks[-1] - peaks[4] < 8 * 1024  # KiB; all frames together are 30 MiB


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_ends_it_cleanly():
    with subprocess.Popen(
        command(*SIZE, *KEYED),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as run:
        run.stdin.write(frames(1).tobytes())
        run.stdin.flush()
        run.stdout.read(WIDTH * HEIGHT * 4)
        run.send_signal(signal.SIGINT)
        assert run.stderr.read().strip() == b"Aborted!"
        assert run.wait(300) == 1


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_pipe_that_does_not_wait():
    sent = frames(2)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with subprocess.Popen(command(*SIZE, *KEYED), stdin=reading, stdout=subprocess.PIPE, env=environment()) as process:
        os.close(reading)
        os.write(writing, sent[0].tobytes())
        first = process.stdout.read(WIDTH * HEIGHT * 4)
        time.sleep(0.2)  # the reader finds nothing meanwhile
        os.write(writing, sent[1].tobytes())
        os.close(writing)
        rest = process.stdout.read()
    assert (len(first), len(rest), process.returncode) == (WIDTH * HEIGHT * 4, WIDTH * HEIGHT * 4, 0)


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_stream_that_is_closed(closed):
    line = shlex.join(command(*SIZE)) + f" {closed}"
    done = subprocess.run(line, shell=True, capture_output=True, input=b"", env=environment(), timeout=120)
    assert done.returncode == 2
    assert b"is closed" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_told():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(*SIZE, *KEYED), input=frames(1).tobytes(), stdout=full, stderr=subprocess.PIPE, env=environment()
        )
    assert done.returncode == 1
    assert done.stderr == b"Error: standard output: No space left on device\n"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
@pytest.mark.parametrize("side", ["stdin", "stdout"])
def test_a_terminal_is_refused(side):
    ours, theirs = os.openpty()
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, side: theirs}
    done = subprocess.run(command(*SIZE), **streams, stderr=subprocess.PIPE, env=environment(), timeout=300)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    assert b"terminal" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "WIDTH"),
        ([64], "HEIGHT"),
        ([0, 48], "x>=1"),
        ([10**6, 10**6], "more than the limit"),
        ([64, 48, "--in", "yuv420p"], "yuv420p"),
        ([64, 48, "--out", "rgb24"], "go together"),
        ([64, 48, "--background", "red"], "go together"),
        ([64, 48, "--box", "100,100,5,5"], "overlap the 64×48 picture"),
        ([64, 48, "--mask", "other.png"], "mask must have the picture's shape"),
        ([64, 48, "--labels", "other.png"], "no strokes"),
        ([64, 48, "--box", "1,1,5,5", "--blend", "0.1"], "blend: for a background that is keyed out"),
        ([64, 48, "--key", "red", "--similarity", "3"], "similarity"),
        ([64, 48, "--threads", "0"], "threads"),
        ([64, 48, "--seed", "-1"], "seed"),
    ],
)
def test_usage_errors(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    write_image("other.png", np.full((5, 6, 3), (1, 2, 3), np.uint8))
    result = CliRunner().invoke(main, ["pipe", *map(str, arguments)])
    assert result.exit_code == 2, result.output
    assert words in result.output


# --- with ffmpeg on both sides ---------------------------------------------------------------------------------------

FFMPEG = shutil.which("ffmpeg")
RAW = ("-f", "rawvideo", "-s", f"{WIDTH}x{HEIGHT}", "-r", "10")


def ffmpeg(*arguments):
    return [FFMPEG, "-v", "error", "-nostdin", *map(str, arguments)]


def between(source, given, sink):
    """source | alphacut pipe given | sink"""
    with (
        subprocess.Popen(source, stdout=subprocess.PIPE) as first,
        subprocess.Popen(
            command(*SIZE, *given),
            stdin=first.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        ) as middle,
    ):
        first.stdout.close()
        with subprocess.Popen(sink, stdin=middle.stdout) as last:
            middle.stdout.close()
            told = middle.stderr.read()
    assert (first.returncode, middle.returncode, last.returncode, told) == (0, 0, 0, b"")


@pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not installed")
def test_ffmpeg_to_pictures(tmp_path):
    source = ("-f", "lavfi", "-i", f"testsrc=size={WIDTH}x{HEIGHT}:rate=10:duration=0.5")
    box = (10, 8, 40, 30)
    between(
        ffmpeg(*source, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
        ["--box", ",".join(map(str, box)), "--quiet"],
        ffmpeg(*RAW, "-pix_fmt", "rgba", "-i", "-", tmp_path / "out%d.png"),
    )
    subprocess.run(ffmpeg(*source, "-pix_fmt", "rgb24", tmp_path / "in%d.png"), check=True)
    for number in range(1, 6):
        expected = remove_background(tmp_path / f"in{number}.png", box=box)
        got = read_image(tmp_path / f"out{number}.png")
        np.testing.assert_array_equal(np.dstack([got.pixels, got.alpha]), expected.rgba)
    assert not (tmp_path / "out6.png").exists()


@pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not installed")
def test_ffmpeg_to_a_film(tmp_path):
    sent = frames(5)
    for number, frame in enumerate(sent, 1):
        write_image(tmp_path / f"in{number}.png", frame)
    between(
        ffmpeg("-i", tmp_path / "in%d.png", "-f", "rawvideo", "-pix_fmt", "bgr24", "-"),
        ["--in", "bgr24", "--out", "gray", *KEYED],
        ffmpeg(*RAW, "-pix_fmt", "gray", "-i", "-", "-c:v", "ffv1", tmp_path / "alpha.mkv"),
    )
    decoded = ffmpeg("-i", tmp_path / "alpha.mkv", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    got = np.frombuffer(subprocess.run(decoded, capture_output=True, check=True).stdout, np.uint8)
    expected = [remove_background(frame, key=GREEN, despill=True, similarity=0.05).alpha for frame in sent]
    np.testing.assert_array_equal(got.reshape(-1, HEIGHT, WIDTH), expected)
