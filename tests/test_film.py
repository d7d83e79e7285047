"""Films through ``alphacut video`` and ``alphacut pipe --track``; small ones, made here."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import alphacut
from alphacut import _film_file, _segments
from alphacut.cli import main
from alphacut.film import cut_film
from test_tracker import film, overlap

BOX = "16,26,38,38"


@pytest.fixture
def av():
    return pytest.importorskip("av", reason="PyAV is not installed: alphacut[video]")


# Times of frames in 1/1000 s: the rate varies.
TIMES = [0, 40, 80, 160, 200, 280, 320, 360, 400, 500]


@pytest.fixture
def source(av, tmp_path):
    """Ten frames and a tone."""
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=25, options={"crf": "10"})
        sound = file.add_stream("aac", rate=48000)
        sound.layout = "mono"
        video.width, video.height, video.pix_fmt = 128, 96, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        for time, (image, _) in zip(TIMES, film(len(TIMES)), strict=True):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        tone = np.sin(np.arange(24000) * 0.06).astype(np.float32)
        for begin in range(0, tone.size, 1024):
            part = tone[begin : begin + 1024]
            frame = av.AudioFrame.from_ndarray(part[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, begin, Fraction(1, 48000)
            file.mux(sound.encode(frame))
        file.mux(sound.encode(None))
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["video", *map(str, arguments)])


def read(av, path, codec=None):
    """Frames in RGBA and their times; `codec` where the default one leaves transparency out."""
    frames, times = [], []
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        context = stream.codec_context if codec is None else av.CodecContext.create(codec, "r")
        for packet in file.demux(stream):
            decoded = context.decode(packet) if packet.size or codec is None else context.decode(None)
            for frame in decoded:
                frames.append(frame.to_ndarray(format="rgba"))
                times.append(frame.pts * float(stream.time_base))
        return frames, times, [(s.type, s.codec_context.name) for s in file.streams]


@pytest.mark.parametrize("suffix", [".webm", ".mov"])
def test_a_film_with_transparency(av, source, suffix):
    out = source.with_suffix(suffix)
    done = run(source, out, "--box", BOX)
    assert done.exit_code == 0, done.output
    frames, times, streams = read(av, out, "libvpx-vp9" if suffix == ".webm" else None)
    assert len(frames) == len(TIMES)
    np.testing.assert_allclose(times, np.array(TIMES) / 1000, atol=0.0021)
    for frame, (_, truth) in zip(frames, film(len(TIMES)), strict=True):
        assert overlap(frame[..., 3] > 127, truth) > 0.75
        assert np.abs(frame[truth][:, 0].astype(int) - 200).mean() < 40
    assert ("audio", "opus" if suffix == ".webm" else "aac") in [
        (kind, name.replace("lib", "")) for kind, name in streams
    ]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_a_film_on_a_background(av, source, suffix):
    out = source.with_name("out" + suffix)
    assert run(source, out, "--box", BOX, "--background", "blue").exit_code == 0
    frames, times, _ = read(av, out)
    np.testing.assert_allclose(times, np.array(TIMES) / 1000, atol=0.0021)
    red, _, blue = frames[-1][..., :3].transpose(2, 0, 1).astype(int)
    assert (blue - red)[film(len(TIMES))[-1][1]].mean() < -50
    assert (blue - red)[:, :20].mean() > 150


def test_a_picture_behind_a_film_is_read_once(av, source, tmp_path):
    picture = tmp_path / "blue.png"
    alphacut.write_image(picture, np.full((9, 7, 3), (0, 0, 255), np.uint8))
    out = source.with_name("out.mp4")
    done = cut_film(
        source,
        out,
        alphacut.Tracker(),
        prompt={"box": (16, 26, 38, 38)},
        background=picture,
        each=lambda number, total, cutout: picture.unlink(missing_ok=True),
    )
    assert done.frames == len(TIMES)
    red, _, blue = read(av, out)[0][-1][..., :3].transpose(2, 0, 1).astype(int)
    assert (blue - red)[:, :20].mean() > 150


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation(source, suffix):
    from PIL import Image, ImageSequence

    out = source.with_suffix(suffix)
    done = run(source, out, "--box", BOX)
    assert done.exit_code == 0, done.output
    with Image.open(out) as picture:
        assert picture.n_frames == len(TIMES)
        shown = [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(picture)]
        for frame, (_, truth) in zip(shown, film(len(TIMES)), strict=True):
            assert overlap(frame[..., 3] > 127, truth) > 0.7


def test_wrong_usage(av, source, tmp_path):
    assert run(source, tmp_path / "a.mp4").exit_code == 2  # no transparency
    assert run(source, tmp_path / "a.avi").exit_code == 2
    assert run(source, tmp_path / "a.webm", "--model", source).exit_code == 2
    assert run(source, source, "--background", "red", "--overwrite").exit_code == 2
    (tmp_path / "link.mkv").symlink_to(source)
    assert run(source, tmp_path / "link.mkv", "--background", "red", "--overwrite").exit_code == 2
    assert run(source, tmp_path / "a.webm", "--box", "900,900,5,5").exit_code == 2
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    assert run(text, tmp_path / "a.webm").exit_code == 1
    assert not (tmp_path / "a.avi").exists()
    kept = tmp_path / "kept.webm"
    kept.write_bytes(b"kept")
    assert run(source, kept).exit_code == 2
    assert kept.read_bytes() == b"kept"


ENDINGS = [(".webm", None), (".mov", None), (".gif", None), (".webp", None), (".mp4", "blue"), (".mkv", "blue")]


class Stopped(Exception):
    """What a crash is in these tests."""


def stops_at(frame, error):
    def each(number, total, cutout):
        if number == frame:
            raise error

    return each


@pytest.mark.parametrize("error", [KeyboardInterrupt, Stopped])
@pytest.mark.parametrize(("suffix", "background"), ENDINGS)
def test_an_interrupted_film_goes_on_and_is_the_same(av, source, monkeypatch, suffix, background, error):
    monkeypatch.setattr(_segments, "LENGTH", 4)
    whole, out = source.with_name("whole" + suffix), source.with_name("out" + suffix)
    given = {"prompt": {"box": (16, 26, 38, 38)}, "background": background}
    assert cut_film(source, whole, alphacut.Tracker(), **given).resumed == 0
    assert not Path(f"{whole}.parts").exists()
    for stop in (2, 6, 8):
        with pytest.raises(Stopped) if error is Stopped else contextlib.nullcontext():
            done = cut_film(source, out, alphacut.Tracker(), **given, each=stops_at(stop, error))
            assert done.interrupted
        assert len(shown(av, out)) == stop + 1  # what there is can be played
    seen = []
    done = cut_film(source, out, alphacut.Tracker(), **given, each=lambda number, total, cutout: seen.append(number))
    assert (done.frames, done.resumed, done.interrupted) == (len(TIMES), 8, False)
    assert seen == [8, 9]
    assert not Path(f"{out}.parts").exists()
    assert shown(av, out) == shown(av, whole)


def shown(av, path):
    """Each frame's time and bytes."""
    if path.suffix == ".webp":  # FFmpeg does not read them when they move
        from PIL import Image, ImageSequence

        with Image.open(path) as picture:
            return [frame.convert("RGBA").tobytes() for frame in ImageSequence.Iterator(picture)]
    codec = "libvpx-vp9" if path.suffix == ".webm" else None
    frames, times, _ = read(av, path, codec)
    return [(time, frame.tobytes()) for time, frame in zip(times, frames, strict=True)]


def test_what_is_left_of_another_film_is_not_gone_on_with(av, source, monkeypatch):
    monkeypatch.setattr(_segments, "LENGTH", 4)
    out = source.with_name("out.webm")
    cut_film(source, out, alphacut.Tracker(), each=stops_at(5, KeyboardInterrupt))
    for tracker, prompt in ((alphacut.Tracker(refine=None), {}), (alphacut.Tracker(), {"box": (16, 26, 38, 38)})):
        with pytest.raises(ValueError, match="another source, prompt or options"):
            cut_film(source, out, tracker, prompt=prompt)
    os.utime(source, (1, 1))
    with pytest.raises(ValueError, match="another source"):
        cut_film(source, out, alphacut.Tracker())
    done = cut_film(source, out, alphacut.Tracker(), resume=False)
    assert (done.resumed, done.frames) == (0, len(TIMES))
    assert not Path(f"{out}.parts").exists()


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_of_something_else_is_left_alone(source, resume):
    out = source.with_name("out.webm")
    folder = Path(f"{out}.parts")
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds no film's parts"):
        cut_film(source, out, alphacut.Tracker(), resume=resume)
    assert (folder / "mine.txt").read_text() == "mine"
    assert not out.exists()
    (folder / "mine.txt").rename(folder / "new")  # as a crash leaves it while the first note is written
    assert cut_film(source, out, alphacut.Tracker()).frames == len(TIMES)
    assert not folder.exists()


def test_a_state_that_is_damaged_is_told(av, source, monkeypatch):
    monkeypatch.setattr(_segments, "LENGTH", 4)
    out = source.with_name("out.webm")
    cut_film(source, out, alphacut.Tracker(), each=stops_at(5, KeyboardInterrupt))
    state = Path(f"{out}.parts") / "000000.state"
    state.write_bytes(state.read_bytes()[:-9])
    with pytest.raises(ValueError, match="state is damaged"):
        cut_film(source, out, alphacut.Tracker())
    assert len(read(av, out)[0]) == 6


def test_the_command_goes_on(av, source, monkeypatch):
    monkeypatch.setattr(_segments, "LENGTH", 4)
    out = source.with_name("out.webm")
    tracker, prompt = alphacut.Tracker(), {"box": (16, 26, 38, 38)}
    with monkeypatch.context() as patched:
        patched.setattr(_film_file.Segment, "add", interrupted_at(6))
        done = run(source, out, "--box", BOX)
    assert done.exit_code == 1
    assert "again to go on" in done.output
    done = run(source, out, "--box", BOX)
    assert done.exit_code == 0, done.output
    assert f"{len(TIMES)} frames" in done.output
    whole = source.with_name("whole.webm")
    cut_film(source, whole, tracker, prompt=prompt)
    assert shown(av, out) == shown(av, whole)


def interrupted_at(frame):
    add, seen = _film_file.Segment.add, []

    def stopping(self, *arguments):
        seen.append(0)
        if len(seen) > frame:
            raise KeyboardInterrupt
        add(self, *arguments)

    return stopping


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_interrupt_leaves_a_film_that_plays(av, source, tmp_path):
    out = tmp_path / "out.webm"
    code = (
        "import os, signal, sys, alphacut\n"
        "from alphacut.film import cut_film\n"
        "def each(number, total, cutout):\n"
        "    if number == 4: os.kill(os.getpid(), signal.SIGINT)\n"
        "done = cut_film(sys.argv[1], sys.argv[2], alphacut.Tracker(), each=each)\n"
        "sys.exit(0 if done.interrupted else 1)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(alphacut.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code, str(source), str(out)], env=environment, check=False)
    assert done.returncode == 0
    assert 4 <= len(read(av, out)[0]) <= 5


def test_pipe_follows():
    frames = film(6)
    data = b"".join(image.tobytes() for image, _ in frames)
    environment = {**os.environ, "PYTHONPATH": str(Path(alphacut.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "alphacut", "pipe", "128", "96", "--track", "--box", BOX, "--out", "gray"],
        input=data,
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    alphas = np.frombuffer(done.stdout, np.uint8).reshape(6, 96, 128)
    track = alphacut.Tracker()
    for k, (image, truth) in enumerate(frames):
        wanted = track(image, **({"box": (16, 26, 38, 38)} if k == 0 else {})).alpha
        np.testing.assert_array_equal(alphas[k], wanted)
        assert overlap(alphas[k] > 127, truth) > 0.75
