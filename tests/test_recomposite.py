"""A known cutout is put over a ground, removed from it again and put over another one: how large a halo is left."""

import functools

import numpy as np
import pytest

import alphacut

cv2 = pytest.importorskip("cv2")

GROUNDS = {"old": (0.15, 0.5, 0.75), "new": (0.9, 0.9, 0.85)}


def texture(rng, shape, colour, contrast, size):
    grain = cv2.GaussianBlur(rng.normal(0, 1, (*shape, 3)), (0, 0), size)
    return np.clip(colour + contrast * grain / grain.std(), 0, 1)


@functools.cache
def cutout(height=160, width=200):
    """The colours of a subject, its alpha with an edge 10 pixels wide, and two grounds; encoded values in 0..1."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:height, :width] - np.array([[[height / 2]], [[width / 2]]])
    ramp = np.clip((height / 3.2 + 6 * np.sin(7 * np.arctan2(y, x)) - np.hypot(y, x)) / 10 + 0.5, 0, 1)
    grounds = [texture(rng, (height, width), colour, 0.04, 5) for colour in GROUNDS.values()]
    return texture(rng, (height, width), (0.75, 0.35, 0.2), 0.05, 3), ramp * ramp * (3 - 2 * ramp), *grounds


def stored(values, dtype):
    return np.rint(255 * values).astype(dtype) if dtype == np.uint8 else values.astype(dtype)


class Scene:
    """The cutout over the old ground, mixed in encoded values or in linear light."""

    def __init__(self, dtype, linear):
        self.front, self.alpha, self.old, self.new = (stored(values, dtype) for values in cutout())
        self.whole, self.linear = 255 if dtype == np.uint8 else 1, linear
        self.picture = alphacut.composite(self.front, self.alpha, self.old, linear=linear)
        self.trimap = np.where(self.alpha == self.whole, 255, np.where(self.alpha == 0, 0, 128)).astype(np.uint8)
        self.truth = alphacut.composite(self.front, self.alpha, self.new, linear=linear)

    def error(self, result):
        """Root mean square at the edge, of the whole range."""
        wrong = (np.asarray(result, np.float64) - self.truth)[self.trimap == 128] / self.whole
        return np.sqrt(np.mean(wrong**2))

    def removed(self, picture, alpha=None):
        """Alpha, estimated if it is not given, and the foreground's colours."""
        alpha = alphacut.refine_alpha(picture, self.trimap) if alpha is None else alpha
        return alpha, alphacut.estimate_foreground(picture, alpha)

    def recomposed_in_light(self, alpha, colours):
        """Over the new ground, all in linear light."""
        return self.whole * alphacut.encode_srgb(alphacut.composite(colours, alpha, alphacut.decode_srgb(self.new)))

    def as_mixed(self, alpha=None):
        """Removed in the light in which the picture was mixed, and put over the new ground in it."""
        if not self.linear:
            alpha, colours = self.removed(self.picture, alpha)
            return alphacut.composite(colours, alpha, self.new)
        light = None if alpha is None else (alpha / self.whole).astype(np.float32)
        return self.recomposed_in_light(*self.removed(alphacut.decode_srgb(self.picture), light))


@pytest.fixture(params=[np.uint8, np.float32], ids=["uint8", "float32"])
def dtype(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["encoded", "linear"])
def scene(dtype, request):
    return Scene(dtype, request.param)


def test_colours_leave_next_to_no_halo_where_alpha_is_known(scene):
    """And the picture itself, instead of the foreground's colours, a bright or dark one."""
    error = scene.error(scene.as_mixed(scene.alpha))
    halo = scene.error(alphacut.composite(scene.picture, scene.alpha, scene.new, linear=scene.linear))
    assert error < 0.01
    assert halo > 6 * error


def test_alpha_and_colours_from_a_trimap(scene):
    error = scene.error(scene.as_mixed())
    alpha, _ = scene.removed(scene.picture)
    halo = scene.error(alphacut.composite(scene.picture, alpha, scene.new, linear=scene.linear))
    assert error < 0.03
    assert halo > 2 * error


def test_mixing_up_light_is_seen(scene):
    """Composing, or estimating, in another light than that of the picture."""
    error = scene.error(scene.as_mixed(scene.alpha))
    alpha, colours = scene.removed(scene.picture, scene.alpha)
    assert scene.error(alphacut.composite(colours, alpha, scene.new, linear=not scene.linear)) > 4 * error
    light = (scene.alpha / scene.whole).astype(np.float32)
    wrong_light = (
        alphacut.composite(colours, alpha, scene.new, linear=True)
        if scene.linear
        else scene.recomposed_in_light(*scene.removed(alphacut.decode_srgb(scene.picture), light))
    )
    assert scene.error(wrong_light) > 2 * error


def test_mixing_up_straight_and_premultiplied_is_seen(dtype):
    scene = Scene(dtype, linear=False)
    error = scene.error(scene.as_mixed())
    rgba = alphacut.composite(scene.removed(scene.picture)[1], scene.removed(scene.picture)[0])
    times = alphacut.premultiply(rgba)
    assert scene.error(alphacut.composite(times[..., :3].copy(), times[..., 3].copy(), scene.new)) > 2 * error
    beside = (1 - rgba[..., 3:] / scene.whole) * scene.new
    assert scene.error(np.minimum(rgba[..., :3] + beside, scene.whole)) > 3 * error  # dark or bright
    assert scene.error(times[..., :3] + beside) < 1.1 * error  # the way of premultiplied colours
    back = alphacut.unpremultiply(times)
    assert scene.error(alphacut.composite(back[..., :3].copy(), back[..., 3].copy(), scene.new)) < 1.1 * error
