"""Films with known masks, made of cutouts that move before photographs: each shows one difficulty alone.

All from files of the data (see benchmarks.quality); the same frames on every run. A shutter that is open half of the
time blurs what moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from math import cos, pi, sin

import numpy as np
from PIL import Image

from .quality import DATA, load

HEIGHT, WIDTH, COUNT = 480, 854, 32
SUBJECTS = ("peacock", "firetruck", "indian_blackbuck", "hedgehog", "mantis", "anemone_red", "ginger", "cherimoya")
BACKGROUNDS = ("sklearn_china", "mate_TwoWings", "skimage_coffee", "mate_LadyBird", "skimage_rocket", "sklearn_flower")
OPEN = (0.0, 0.25, 0.5)  # of a frame's time, when it is exposed


@dataclass(frozen=True)
class Pose:
    """Of a subject: its middle in shares of the frame, its size and its turn."""

    x: float
    y: float
    scale: float = 1.0
    degrees: float = 0.0


@dataclass(frozen=True)
class Kind:
    """What happens: poses by the time t, 0..1, and what else is in the film."""

    pose: Callable[[float], Pose]
    twin: Callable[[float], Pose] | None = None  # another subject of the same looks, behind
    pan: tuple[float, float] = (0.2, 0.05)  # of the camera, in shares of the frame
    shake: float = 0.0  # of the camera, in pixels
    poles: tuple[tuple[float, float], ...] = ()  # middle and width, of the frame's width; they stand in the scene
    tall: float = 0.42  # of the subject, of the frame's height
    light: float = 0.0  # how far it changes
    noise: float = 2.0


KINDS = {
    "walks": Kind(lambda t: Pose(0.3 + 0.4 * t, 0.55, 1 + 0.25 * t, 8 * sin(9 * t))),
    "poles": Kind(lambda t: Pose(0.25 + 0.5 * t, 0.55), poles=((0.42, 0.03), (0.55, 0.03), (0.7, 0.03), (0.85, 0.03))),
    "hidden": Kind(lambda t: Pose(0.2 + 0.62 * t, 0.55), poles=((0.6, 0.16),), tall=0.3),
    "leaves": Kind(lambda t: Pose(0.6 + 0.8 * max(0, sin(pi * t)), 0.55), pan=(0, 0)),
    "alike": Kind(lambda t: Pose(0.25 + 0.5 * t, 0.6), twin=lambda t: Pose(0.75 - 0.5 * t, 0.4)),
    "fast": Kind(lambda t: Pose(0.5 - 0.3 * cos(3 * pi * t), 0.55 - 0.15 * abs(sin(9 * pi * t)))),
    "shaken": Kind(lambda t: Pose(0.4 + 0.2 * t, 0.55, 1, 10 * sin(7 * t)), shake=14, light=0.15),
    "still": Kind(lambda t: Pose(0.5 + 0.01 * sin(12 * t), 0.55, 1, 5 * sin(8 * t)), pan=(0, 0), noise=5),
    "small": Kind(lambda t: Pose(0.3 + 0.45 * t, 0.5 + 0.1 * sin(8 * t)), tall=0.14),
    "recedes": Kind(lambda t: Pose(0.45, 0.55, 1.3 - 0.9 * sin(pi * t), 0), tall=0.6),
}
NAMES = [f"{kind}-{take}" for kind, take in product(KINDS, range(2))]


def _warped(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)


def _subject(name: str, tall: float) -> np.ndarray:
    """A cutout, premultiplied RGBA, 0..1; its longer side is bounded, too."""
    picture = Image.open(DATA / "cutouts" / f"{name}.png").convert("RGBA")
    picture = picture.crop(picture.getchannel("A").point(lambda a: 255 * (a > 127)).getbbox())
    share = min(tall * HEIGHT / picture.height, 1.2 * tall * HEIGHT / picture.width)
    size = max(1, round(share * picture.width)), max(1, round(share * picture.height))
    pixels = np.asarray(picture.convert("RGBa").resize(size, Image.Resampling.BOX), np.float32) / 255
    return np.pad(pixels, ((1, 1), (1, 1), (0, 0)))


def _background(name: str) -> np.ndarray:
    """A photograph, half as large again as the frame, 0..1."""
    picture = Image.open(next((DATA / "photos").glob(f"{name}.*"))).convert("RGB")
    share = 1.5 * max(WIDTH / picture.width, HEIGHT / picture.height)
    size = round(share * picture.width), round(share * picture.height)
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC), np.float32) / 255


def _placed(subject: np.ndarray, pose: Pose) -> np.ndarray:
    angle = pose.degrees * pi / 180
    turn = pose.scale * np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    middle = np.array([subject.shape[1], subject.shape[0]]) / 2
    shift = np.array([pose.x * WIDTH, pose.y * HEIGHT]) - turn @ middle
    return _warped(subject, np.column_stack([turn, shift]))


def frames(name: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The film of a name in NAMES: RGB uint8 frames, and where the subject is to be seen."""
    number = NAMES.index(name)
    kind = KINDS[name.rsplit("-", 1)[0]]
    rng = np.random.default_rng(number)
    subject = _subject(SUBJECTS[number % len(SUBJECTS)], kind.tall)
    background = _background(BACKGROUNDS[number % len(BACKGROUNDS)])
    bark = load(DATA / "photos" / "skimage_gravel.png", "RGB").astype(np.float32) / 255
    columns = np.arange(WIDTH)
    for k in range(COUNT):
        jolt = kind.shake * rng.uniform(-1, 1, 2)
        picture, seen = np.zeros((HEIGHT, WIDTH, 3), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
        for late in OPEN:
            t = (k + late) / COUNT
            camera = np.array(kind.pan) * t * [WIDTH, HEIGHT] + jolt
            shot = _warped(background, np.array([[1, 0, -60 - camera[0]], [0, 1, -60 - camera[1]]]))
            alpha = np.zeros((HEIGHT, WIDTH), np.float32)
            for pose, own in ((kind.twin, False), (kind.pose, True)):
                if pose is None:
                    continue
                layer = _placed(subject if own else subject[:, ::-1], pose(t))
                shot = layer[..., :3] + (1 - layer[..., 3:]) * shot
                alpha = layer[..., 3] if own else alpha
            for middle, width in kind.poles:
                left = (middle - width / 2) * WIDTH - camera[0]
                before = (columns >= left) & (columns < left + width * WIDTH)
                wood = bark[np.arange(HEIGHT)[:, None] % 512, (columns - round(left))[None] % 512] * [0.6, 0.5, 0.4]
                shot = np.where(before[None, :, None], wood, shot)
                alpha = np.where(before[None], 0, alpha)
            picture += shot / len(OPEN)
            seen += alpha / len(OPEN)
        picture *= 1 + kind.light * sin(20 * k / COUNT)
        picture = 255 * picture + kind.noise * rng.standard_normal(picture.shape).astype(np.float32)
        yield np.clip(np.rint(picture), 0, 255).astype(np.uint8), seen > 0.5
