"""A subject told once is followed: moved, hidden, lost, corrected, over a cut between scenes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image

import alphacut
from alphacut import _core

SIZE = (96, 128)


def scene(seed: int, tint: tuple[int, int, int] = (90, 110, 90)) -> np.ndarray:
    """A ground with texture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(-30, 31, (12, 16, 3)) + np.array(tint)
    return alphacut.resize(np.clip(coarse, 0, 255).astype(np.uint8), SIZE)


def frame(ground: np.ndarray, x: int, y: int = 30, side: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """A red square with a pattern before it, and where it is."""
    image, truth = ground.copy(), np.zeros(SIZE, bool)
    where = np.s_[max(y, 0) : y + side, max(x, 0) : x + side]
    truth[where] = True
    image[where] = (200, 40, 40)
    image[y + 8 : y + 14, max(x + 5, 0) : max(x + 20, 0)] = (230, 200, 40)
    return image, truth


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return ((mask > 0) & truth).sum() / max(1, ((mask > 0) | truth).sum())


def film(count: int = 12) -> list[tuple[np.ndarray, np.ndarray]]:
    ground = scene(1)
    return [frame(ground, 20 + 4 * k, 30 + (k % 3)) for k in range(count)]


def test_a_box_on_the_first_frame_is_enough():
    track = alphacut.Tracker()
    assert track.confidence == 1
    for number, (image, truth) in enumerate(film()):
        cutout = track(image, box=(16, 26, 38, 38)) if number == 0 else track(image)
        assert overlap(cutout.mask, truth) > 0.8
        assert cutout.method == ("track" if number else "graphcut")
        assert cutout.refine == "guided"
        assert cutout.confidence <= track.confidence or number == 0
        assert cutout.alpha.dtype == np.uint8


@pytest.mark.parametrize("how", ["points", "labels", "mask", "trimap", "nothing"])
def test_each_prompt_begins(how):
    frames = film(4)
    truth = frames[0][1]
    labels = np.full(SIZE, 2, np.uint8)
    labels[36:52, 26:44], labels[:4], labels[-4:] = 1, 0, 0
    trimap = alphacut.make_trimap((truth * 255).astype(np.uint8), band=3)
    prompt = {
        "points": {"points": [(35, 45), (90, 10, 0)]},
        "labels": {"labels": labels},
        "mask": {"mask": truth},
        "trimap": {"trimap": trimap},
        "nothing": {},
    }[how]
    track = alphacut.Tracker(refine=None)
    for number, (image, where) in enumerate(frames):
        cutout = track(image, **prompt) if number == 0 else track(image)
        assert overlap(cutout.mask, where) > 0.7


def test_same_bytes_for_threads_instruction_sets_and_again():
    def run() -> list[bytes]:
        track = alphacut.Tracker()
        return [
            (track(image, box=(16, 26, 38, 38)) if k == 0 else track(image)).rgba.tobytes()
            for k, (image, _) in enumerate(film(5))
        ]

    threads, isa = alphacut.get_num_threads(), _core.isa()
    try:
        wanted = run()
        for count in (1, 3):
            alphacut.set_num_threads(count)
            assert run() == wanted
        for name in _core.available_isas():
            _core.set_isa(name)
            assert run() == wanted
    finally:
        alphacut.set_num_threads(threads)
        _core.set_isa(isa)


def test_a_still_film_stays_still():
    image, _ = film(1)[0]
    rng = np.random.default_rng(5)
    track = alphacut.Tracker()
    alphas = []
    for k in range(8):
        noisy = np.clip(image.astype(int) + rng.integers(-2, 3, image.shape), 0, 255).astype(np.uint8)
        alphas.append((track(noisy, box=(16, 26, 38, 38)) if k == 0 else track(noisy)).mask > 0)
    changes = [np.count_nonzero(a ^ b) for a, b in itertools.pairwise(alphas[3:])]
    assert max(changes) <= 0.02 * alphas[-1].sum()


def test_a_cut_between_scenes_begins_anew():
    track = alphacut.Tracker(refine=None)
    for k, (image, _) in enumerate(film(3)):
        track(image, **({"box": (16, 26, 38, 38)} if k == 0 else {}))
    other = scene(9, (30, 60, 190))
    other[20:70, 60:110] = (240, 230, 60)
    cutout = track(other)
    assert any("scene changed" in warning for warning in cutout.warnings)
    assert cutout.method != "track"


def test_another_size_begins_anew():
    track = alphacut.Tracker(refine=None)
    image, _ = film(1)[0]
    track(image, box=(16, 26, 38, 38))
    cutout = track(np.repeat(np.repeat(image, 2, 0), 2, 1))
    assert cutout.mask.shape == (192, 256)
    assert any("size changed" in warning for warning in cutout.warnings)


def test_what_leaves_is_lost_and_found_again():
    ground = scene(1)
    track = alphacut.Tracker(refine=None)
    told = []
    for k, x in enumerate([*range(20, 140, 8), 140, 140, 140]):
        image = frame(ground, x)[0] if x < 128 else ground.copy()
        cutout = track(image, **({"box": (16, 26, 38, 38)} if k == 0 else {}))
        told += [w for w in cutout.warnings if "lost" in w]
    assert told
    assert cutout.confidence < 0.5
    for _ in range(3):
        image, truth = frame(ground, 40)
        cutout = track(image)
        told += [w for w in cutout.warnings if "found again" in w]
    assert any("found again" in w for w in told)
    assert overlap(cutout.mask, truth) > 0.6


def test_a_post_before_the_subject_does_not_take_it_along():
    """The background moves the other way, and with it a post of a colour near the subject's; neither has texture."""
    track = alphacut.Tracker(refine=None)
    ground = np.tile(scene(1), (1, 3, 1))
    for k in range(16):
        camera, left = 90 + 5 * k, 30 + 3 * k
        image, truth = ground[:, camera : camera + SIZE[1]].copy(), np.zeros(SIZE, bool)
        subject, post = np.s_[30:60, left : left + 30], np.s_[:, max(0, 165 - camera) : max(0, 179 - camera)]
        image[subject], truth[subject] = (200, 40, 40), True
        image[post], truth[post] = (190, 45, 45), False
        cutout = track(image, box=(26, 26, 38, 38)) if k == 0 else track(image)
    assert overlap(cutout.mask, truth) > 0.8


def test_behind_a_wall_it_is_expected_on_the_other_side():
    track = alphacut.Tracker(refine=None)
    for k in range(16):
        image, truth = frame(scene(1), 8 + 6 * k)
        image[:, 44:80], truth[:, 44:80] = (60, 60, 70), False
        cutout = track(image, box=(4, 26, 38, 38)) if k == 0 else track(image)
    assert overlap(cutout.mask, truth) > 0.7


def test_what_else_is_there_is_not_taken_for_the_lost_one():
    ground = scene(1)
    ground[4:24, 96:120] = (40, 60, 210)
    track = alphacut.Tracker(refine=None)
    for k, x in enumerate([*range(20, -40, -6), -40, -40, -40]):
        image = frame(ground, x)[0] if x > -30 else ground.copy()
        cutout = track(image, **({"box": (16, 26, 38, 38)} if k == 0 else {}))
    assert not cutout.mask.any()
    assert track.confidence < 0.5


def test_a_point_corrects():
    frames = film(4)
    track = alphacut.Tracker(refine=None)
    track(frames[0][0], box=(16, 26, 38, 38))
    image, _ = frames[1]
    cutout = track(image, points=[(30, 45), (5, 5, 0)])
    assert cutout.mask[45, 30] == 255
    assert overlap(track(frames[2][0]).mask, frames[2][1]) > 0.7


def test_what_was_saved_goes_on():
    frames = film(8)
    track, other = alphacut.Tracker(), alphacut.Tracker()
    other.load(track.save())
    assert other.confidence == 1
    for k, (image, _) in enumerate(frames):
        prompt = {"box": (16, 26, 38, 38)} if k == 0 else {}
        wanted = track(image, **prompt)
        np.testing.assert_array_equal(other(image, **prompt).rgba, wanted.rgba)
        state = track.save()
        other = alphacut.Tracker()
        other.load(state)
        assert other.save() == state
        assert other.confidence == track.confidence


def test_a_state_that_is_none_changes_nothing():
    image, _ = film(1)[0]
    track = alphacut.Tracker()
    track(image, box=(16, 26, 38, 38))
    state = track.save()
    rng = np.random.default_rng(3)
    for end in (0, 7, 8, 15, 16, len(state) // 2, len(state) - 1):
        with pytest.raises(ValueError, match="state is"):
            track.load(state[:end])
    for place in rng.integers(0, len(state), 40):
        with pytest.raises(ValueError, match="state is"):
            track.load(state[:place] + bytes([state[place] ^ 0x55]) + state[place + 1 :])
    with pytest.raises(ValueError, match="state is"):
        track.load(state + b"more")
    with pytest.raises(TypeError, match="state must be bytes"):
        track.load("text")
    assert track.save() == state


def test_reset_forgets():
    frames = film(3)
    track = alphacut.Tracker()
    first = track(frames[0][0], box=(16, 26, 38, 38)).rgba.tobytes()
    track(frames[1][0])
    track.reset()
    assert track.confidence == 1
    assert track(frames[0][0], box=(16, 26, 38, 38)).rgba.tobytes() == first


@pytest.mark.parametrize("kind", ["gray", "uint16", "float32", "rgba"])
def test_each_kind_of_frame(kind):
    track = alphacut.Tracker()
    for k, (image, truth) in enumerate(film(3)):
        made = {
            "gray": lambda image: image[..., 0].copy(),
            "uint16": lambda image: image.astype(np.uint16) * 257,
            "float32": lambda image: image.astype(np.float32) / 255,
            "rgba": lambda image: np.dstack([image, np.full(SIZE, 255, np.uint8)]),
        }[kind](image)
        cutout = track(made, **({"box": (16, 26, 38, 38)} if k == 0 else {}))
        assert cutout.alpha.dtype == made.dtype
        assert overlap(cutout.mask, truth) > 0.7


def test_a_keyed_ground_is_keyed_in_each_frame():
    ground = np.full((*SIZE, 3), (0, 177, 64), np.uint8)
    track = alphacut.Tracker()
    for x in (20, 28):
        image, truth = frame(ground, x)
        cutout = track(image)
        assert cutout.method == "key"
        assert overlap(cutout.mask, truth) > 0.95


def test_a_key_that_was_told_stays():
    """A border too uneven to be found to be plain, and a hole that only the key sees through."""
    ground = np.full((*SIZE, 3), (0, 177, 64), np.uint8)
    ground[:40] = (90, 60, 40)
    track, other = alphacut.Tracker(), alphacut.Tracker()
    for k, x in enumerate((20, 28, 36)):
        image, truth = frame(ground, x, 50, 40)
        image[65:75, x + 15 : x + 25], truth[65:75, x + 15 : x + 25] = (0, 177, 64), False
        truth[:40] = True  # it is not of the key's colour
        cutout = track(image, key="#00b140") if k == 0 else track(image)
        alone = alphacut.remove_background(image, key="#00b140", refine=None)
        assert cutout.method == "key"
        np.testing.assert_array_equal(cutout.alpha, alone.alpha)
        assert overlap(cutout.mask, truth) > 0.95
        other.load(track.save())
        np.testing.assert_array_equal(other(image).alpha, alone.alpha)
    assert track(image, box=(10, 45, 80, 50)).method == "graphcut"


def test_what_a_frame_from_a_file_says_is_kept(tmp_path):
    path = tmp_path / "frame.png"
    exif = Image.Exif()
    exif[0x0110] = "Model"
    alphacut.write_image(path, film(1)[0][0], dpi=(300, 300), exif=exif.tobytes())
    cutout = alphacut.Tracker(refine=None)(path, box=(16, 26, 38, 38))
    assert b"Model" in cutout.exif
    assert cutout.dpi == pytest.approx((300, 300), abs=0.1)


def test_small_and_odd_frames():
    for shape in ((1, 1, 3), (1, 9, 3), (7, 3, 3), (33, 17, 3)):
        track = alphacut.Tracker(method="graphcut")
        for _ in range(3):
            assert track(np.zeros(shape, np.uint8)).mask.shape == shape[:2]


def test_wrong_input_loses_nothing():
    image, _ = film(1)[0]
    track, again = alphacut.Tracker(), alphacut.Tracker()
    for follow in (track, again):
        follow(image, box=(16, 26, 38, 38))
    nan = np.full((*SIZE, 3), np.nan, np.float32)
    for frame_, prompt, error in (
        (image, {"box": (500, 500, 2, 2)}, ValueError),
        (image, {"points": [(-1, 0)]}, ValueError),
        (image, {"labels": np.zeros((3, 3), np.uint8)}, ValueError),
        (image, {"labels": np.full(SIZE, 9, np.uint8)}, ValueError),
        (image, {"box": (1, 1, 9, 9), "mask": np.ones(SIZE, np.uint8)}, ValueError),
        (image, {"instance": 1}, TypeError),
        (nan, {}, ValueError),
        (np.zeros((0, 4, 3), np.uint8), {}, ValueError),
        ("no such film.png", {}, OSError),
    ):
        with pytest.raises(error):
            track(frame_, **prompt)
    image.flags.writeable = False
    assert track(image).rgba.tobytes() == again(image).rgba.tobytes()


@pytest.mark.parametrize("name", ["model", "steps", "box", "device", "nonsense"])
def test_options_that_it_has_no_use_for(name):
    with pytest.raises(TypeError):
        alphacut.Tracker(**{name: None})
