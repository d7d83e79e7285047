"""Shadows of cutouts: their planes, and what lies over and under them."""

import pickle

import numpy as np
import pytest

import alphacut
from alphacut import Cutout, Shadow, cast_shadow, composite
from reference import composite as reference

WHOLE = {np.uint8: 255, np.uint16: 65535, np.float32: 1}
DTYPES = list(WHOLE)
SIZES = [(1, 1), (1, 9), (23, 1), (17, 40), (70, 65)]


def blob(rng, size, dtype):
    """Noise, and in a larger picture a subject with some legs."""
    alpha = (rng.random(size) * 2 - 0.8).clip(0, 1)
    height, width = size
    alpha[height // 4 : height // 2, width // 4 : -width // 4] = 1
    alpha[height // 2 :] = 0
    for leg, low in ((0.3, 0.9), (0.6, 0.8)):
        alpha[height // 2 : int(low * height), int(leg * width) : int(leg * width) + 3] = 1
    return (alpha * WHOLE[dtype]).astype(dtype)


def cutout(alpha, colour=(200, 100, 50), **more):
    image = np.full((*alpha.shape, 3), colour, np.uint8)
    mask = (alpha > 127).astype(np.uint8) * np.uint8(255)
    rows, columns = np.nonzero(mask)
    box = (int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    return Cutout(image, mask, alpha, image, box, 1.0, "mask", **more)


def disc(size=120, radius=30, middle=(60, 60)):
    y, x = np.mgrid[:size, :size]
    return ((np.hypot(x - middle[0], y - middle[1]) < radius) * 255).astype(np.uint8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["drop", "contact"])
@pytest.mark.parametrize("softness", [0, 0.4, 2.5, 9.0, 500.0])
def test_planes_equal_float64(kind, softness, dtype, rng):
    exact = {"drop": reference.drop_shadow, "contact": reference.contact_shadow}[kind]
    for size in SIZES:
        alpha = blob(rng, size, dtype)
        for offset in [(0, 0), (3, -2), (-400, 5)]:
            result = cast_shadow(alpha, Shadow(kind, offset, softness, 0.7))
            expected = exact(alpha / WHOLE[dtype], *offset, softness, 0.7)
            assert result.dtype == dtype
            tolerance = 1e-5 if dtype == np.float32 else 0.5 + 1e-5 * WHOLE[dtype]
            assert np.abs(result - WHOLE[dtype] * expected).max() <= tolerance, (size, offset)


@pytest.mark.parametrize("dtype", DTYPES)
def test_composites_equal_float64(dtype, rng):
    size = 31, 45
    whole = WHOLE[dtype]
    front, back = ((rng.random((*size, 3)) * whole).astype(dtype) for _ in range(2))
    alpha = blob(rng, size, dtype)
    shadow = Shadow("drop", (4, 6), 3, 0.8, (20, 60, 100))
    plane, color = cast_shadow(alpha, shadow) / whole, np.array(shadow.color) / 255
    level = {np.uint8: 1.01, np.uint16: 2, np.float32: 1e-5}[dtype]  # the background is rounded on its way
    under = reference.blend(np.broadcast_to(color, front.shape), plane, back / whole)
    expected = reference.blend(front / whole, alpha / whole, under)
    assert np.abs(composite(front, alpha, back, shadow=shadow) - whole * expected).max() <= level
    under = reference.blend_linear(np.broadcast_to(color, front.shape), plane, back / whole)
    expected = reference.blend_linear(front / whole, alpha / whole, under)
    assert np.abs(composite(front, alpha, back, shadow=shadow, linear=True) - whole * expected).max() <= 2 * level
    white = reference.blend(np.broadcast_to(color, front.shape), plane, np.ones_like(expected))
    expected = reference.blend(front / whole, alpha / whole, white)
    assert np.abs(composite(front, alpha, "white", shadow=shadow) - whole * expected).max() <= level
    rgba = composite(front, alpha, shadow=shadow)
    expected = whole * reference.over(*(each.astype(np.float64) / whole for each in (front, alpha)), color, plane)
    if dtype == np.uint8:
        assert np.array_equal(rgba, np.floor(expected + 0.5 + 1e-9))
    else:
        assert np.abs(rgba - expected).max() <= level


def test_every_byte_over_every_shadow_is_the_nearest_integer():
    alpha, shadow = (each.astype(np.uint8) for each in np.mgrid[:256, :256])
    for front, color in ((0, 255), (255, 0), (77, 200)):
        colours = np.full((256, 256, 3), front, np.uint8)
        rgba = alphacut._core.to_rgba(colours, alpha, None, shadow, (color,) * 3)
        cast = shadow.astype(np.int64) * (255 - alpha.astype(np.int64))
        own = 255 * alpha.astype(np.int64)
        both = own + cast
        mixed = np.where(both, (2 * (own * front + cast * color) + both) // np.maximum(2 * both, 1), front)
        assert np.array_equal(rgba[..., 0], mixed)
        assert np.array_equal(rgba[..., 3], (2 * both + 255) // 510)


def test_a_transparent_shadow_is_the_same_over_any_ground(rng):
    """What a viewer makes of the RGBA picture is what composing at once gives."""
    alpha = blob(rng, (60, 80), np.float32)
    front, back = (rng.random((60, 80, 3)).astype(np.float32) for _ in range(2))
    rgba = composite(front, alpha, shadow="drop")
    later = composite(np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3]), back)
    assert np.abs(later - composite(front, alpha, back, shadow="drop")).max() < 1e-5


def test_the_subject_itself_stays_as_it_is():
    made = cutout(disc())
    inside = made.alpha == 255
    assert (made.on("white", shadow="drop")[inside] == (200, 100, 50)).all()
    assert (made.on("white", shadow="contact")[inside] == (200, 100, 50)).all()
    assert np.array_equal(made.on(None), made.rgba)
    clear = Shadow(opacity=0)
    assert np.array_equal(made.on("white", shadow=clear), made.on("white"))
    assert np.array_equal(made.on(None, shadow=clear), made.rgba)


def test_a_drop_shadow_lies_where_it_is_told_to():
    shadow = cast_shadow(disc(), Shadow("drop", (20, 10), 0, 1))
    assert np.array_equal(shadow, disc(middle=(80, 70)))
    everywhere = cast_shadow(np.full((9, 12), 255, np.uint8), "drop:offset=-4,4:opacity=1")
    assert (everywhere == 255).all()  # a subject that the border cuts off goes on


def test_a_contact_shadow_is_darkest_where_the_subject_stands():
    plane = cast_shadow(disc(), "contact")
    assert plane[89, 60] == plane.max() == 153
    assert plane[89, 60] > plane[89, 46] > plane[89, 30] == 0
    assert plane[50:70, 20:25].max() == 0  # none beside the middle of the disc
    box = np.zeros((100, 200), np.uint8)
    box[20:80, 40:160] = 255
    dark = cast_shadow(box, "contact:opacity=0.5:softness=8")
    assert dark[79, 100] == pytest.approx(127.5, abs=1)  # a line on the ground keeps its opacity
    assert dark[79, 34] > dark[79, 28] > dark[79, 5] == 0


def test_percentages_are_of_the_subject():
    """A shadow stays as it is when the cutout is cropped."""
    whole = cutout(disc(200, 30, (100, 90)))
    cropped = whole.crop(40)
    ahead = whole.on("white", shadow="drop")[21:160, 31:170]
    assert np.abs(cropped.on("white", shadow="drop").astype(int) - ahead).max() <= 1


def test_the_colour_is_brought_into_the_profile(rng):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = cutout(disc(), icc_profile=profile)
    assert made.on("white", shadow="drop:color=red").dtype == np.uint8
    assert np.array_equal(made.on("white", shadow="drop"), cutout(disc()).on("white", shadow="drop"))


def test_no_subject_casts_no_shadow():
    for kind in ("drop", "contact"):
        for dtype in (np.uint8, np.float32):
            assert not cast_shadow(np.zeros((5, 7), dtype), kind).any()
    assert cast_shadow(np.ones((5, 7), bool), "drop:softness=0:opacity=1").tolist() == [[255] * 7] * 5


def test_out_and_memory(rng):
    alpha = blob(rng, (20, 30), np.uint8)
    out = np.zeros_like(alpha)
    assert cast_shadow(alpha, out=out) is out
    assert np.array_equal(out, cast_shadow(alpha))
    with pytest.raises(ValueError, match="out overlaps an input"):
        cast_shadow(alpha, out=alpha)
    wide = np.repeat(alpha, 2, 1)[:, ::2]
    assert np.array_equal(cast_shadow(wide), out)


def test_saved_with_a_shadow(tmp_path):
    made = cutout(disc())
    made.save(tmp_path / "a.png", shadow="contact")
    assert np.array_equal(
        alphacut.read_image(tmp_path / "a.png").alpha, composite(made.foreground, made.alpha, shadow="contact")[..., 3]
    )
    made.save(tmp_path / "b.png", shadow="drop", background="blur")
    with pytest.raises(ValueError, match="shadow has no place in what='mask'"):
        made.save(tmp_path / "c.png", shadow="drop", what="mask")
    with pytest.raises(ValueError, match="linear needs a background"):
        made.on(None, shadow="drop", linear=True)


@pytest.mark.parametrize(
    ("text", "shadow"),
    [
        ("drop", Shadow()),
        (" contact ", Shadow("contact")),
        ("drop:offset=10,-5%:softness=3:opacity=0.25", Shadow("drop", (10, "-5%"), 3, 0.25)),
        ("contact:color=#102030:softness=2%", Shadow("contact", color=(16, 32, 48), softness="2%")),
        ("drop:color=1,2,3", Shadow(color=(1, 2, 3))),
    ],
)
def test_texts(text, shadow):
    assert Shadow.of(text) == shadow
    assert pickle.loads(pickle.dumps(shadow)) == shadow


@pytest.mark.parametrize(
    "text",
    [
        *("", "cast", "drop:", "drop:size=3", "drop:offset=3", "drop:offset=1,2,3", "drop:softness=-1"),
        *("drop:softness=nan", "drop:opacity=1.1", "drop:opacity", "drop:softness=1:softness=2", "drop:opacity=inf"),
        *("drop:color=nocolour", "drop:offset=x,1", "drop:softness=1e9", "drop:color=#00000000"),
    ],
)
def test_texts_that_cannot_be_understood(text):
    with pytest.raises(ValueError, match=r"shadow .*(must|twice)"):
        Shadow.of(text)


def test_wrong_arguments():
    alpha = np.zeros((4, 5), np.uint8)
    with pytest.raises(TypeError, match="shadow must be a Shadow or a str, got int"):
        composite(np.zeros((4, 5, 3), np.uint8), alpha, shadow=1)
    with pytest.raises(TypeError, match="shadow must be a Shadow or a str, got NoneType"):
        cast_shadow(alpha, None)
    with pytest.raises(TypeError, match="kind must be a str"):
        Shadow(1)
    with pytest.raises(TypeError, match="offset must be"):
        Shadow(offset=3)
    with pytest.raises(TypeError, match="opacity must be a number"):
        Shadow(opacity="half")
    with pytest.raises(ValueError, match="softness must be pixels or a percentage"):
        Shadow(softness="soft")
    with pytest.raises(ValueError, match=r"alpha must have shape \(height, width\)"):
        cast_shadow(np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(TypeError, match="alpha must have dtype"):
        cast_shadow(np.zeros((4, 5), np.int32))
    with pytest.raises(ValueError, match="alpha"):
        cast_shadow(np.full((4, 5), np.nan, np.float32))
