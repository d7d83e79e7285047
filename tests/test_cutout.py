import dataclasses
import io as std_io
import os
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image, ImageCms

import alphacut
from alphacut import read_image, remove_background
from alphacut.compositing import checkerboard


@pytest.fixture
def cutout():
    picture = np.full((30, 40, 3), (20, 90, 160), np.uint8)
    mask = np.zeros((30, 40), np.uint8)
    mask[5:20, 10:30] = 255
    return remove_background(picture, mask=mask, refine=None)


def test_rgba_is_foreground_and_alpha(cutout):
    assert cutout.rgba[6, 11].tolist() == [20, 90, 160, 255]
    assert (cutout.rgba[..., 3] == cutout.mask).all()
    assert cutout.box == (10, 5, 20, 15)


@pytest.mark.parametrize("colour", ["red", "#ff0000", (255, 0, 0)])
def test_on_a_colour(cutout, colour):
    composed = cutout.on(colour)
    assert composed[0, 0].tolist() == [255, 0, 0]
    assert composed[6, 11].tolist() == [20, 90, 160]


def test_on_pictures(cutout, tmp_path):
    ground = np.zeros((30, 40, 3), np.uint8)
    ground[:, :20] = 255
    assert np.array_equal(cutout.on(ground)[0], ground[0])
    Image.fromarray(ground).save(tmp_path / "ground.png")
    assert np.array_equal(cutout.on(str(tmp_path / "ground.png")), cutout.on(ground))
    wide = np.zeros((60, 200, 3), np.uint8)
    assert cutout.on(wide).shape == (30, 40, 3)
    assert cutout.on("checkerboard").shape == (30, 40, 3)
    assert np.array_equal(cutout.on("blur"), cutout.image)  # of one colour, so blurred it is the same


def test_crop(cutout):
    cropped = cutout.crop(3)
    assert cropped.rgba.shape == (21, 26, 4)
    assert cropped.box == (3, 3, 20, 15)
    assert cutout.crop(1000).rgba.shape == cutout.rgba.shape
    with pytest.raises(ValueError, match="margin must be 0 or more"):
        cutout.crop(-1)


def test_crop_takes_whole_numbers(cutout):
    for margin in (1.5, "1", True):
        with pytest.raises(TypeError, match="margin must be an int"):
            cutout.crop(margin)


@pytest.mark.parametrize("margin", [0, 3, (0, 9, 4, 1), "40%", 50])
@pytest.mark.parametrize("aspect", ["1:1", "4:5", "35:45", 2, (9, 16), "1:3", "5:1"])
def test_crop_to_an_aspect(cutout, aspect, margin):
    """The subject whole, the ratio to a pixel, of the picture as much as there is, and nothing beyond it."""
    plain, found = cutout.crop(margin), cutout.crop(margin, aspect=aspect)
    height, width = found.alpha.shape
    ratio = aspect[0] / aspect[1] if isinstance(aspect, tuple) else aspect
    ratio = float(np.divide(*map(float, ratio.split(":")))) if isinstance(ratio, str) else ratio
    assert abs(width - height * ratio) <= max(1, ratio)
    assert height >= plain.alpha.shape[0]
    assert width >= plain.alpha.shape[1]
    x, y, w, h = found.box
    bx, by, _, _ = cutout.box
    assert np.array_equal(found.alpha[y : y + h, x : x + w], cutout.alpha[by : by + h, bx : bx + w])
    assert found.alpha.sum() == cutout.alpha.sum()
    whole = cutout.alpha.shape
    for at, inside, length, full in ((x, bx, width, whole[1]), (y, by, height, whole[0])):
        begins = inside - at  # in the picture
        assert (0 <= begins <= full - length) if length <= full else (full - length <= begins <= 0)
    assert np.array_equal(found.on("blur")[y, x], cutout.on("blur")[by, bx])


def test_an_aspect_is_checked(cutout):
    for aspect, message in (
        ("4", "aspect must be like 4:5"),
        ("4:0", "from 1:5 to 5:1"),
        (5.1, "from 1:5 to 5:1"),
        (-1, "from 1:5"),
        ((1, 2, 3), "one number"),
        (float("nan"), "from 1:5"),
    ):
        with pytest.raises(ValueError, match=message):
            cutout.crop(aspect=aspect)
    for aspect in (True, (1, "2"), b"1:1"):
        with pytest.raises(TypeError, match="aspect must be a number"):
            cutout.crop(aspect=aspect)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [None, 3, 4])
@pytest.mark.parametrize("linear", [False, True])
def test_on_takes_every_background_in_every_depth(tmp_path, rng, dtype, channels, linear):
    def picture(height, width, channels, dtype):
        pixels = rng.integers(0, 256, (height, width, channels or 1), np.uint8)
        pixels = pixels if channels else pixels[..., 0]
        if dtype == np.uint16:
            return pixels.astype(np.uint16) * np.uint16(257)
        return pixels if dtype == np.uint8 else pixels.astype(np.float32) / np.float32(255)

    mask = np.zeros((12, 17), bool)
    mask[3:9, 4:12] = True
    cutout = remove_background(picture(12, 17, channels, dtype), mask=mask)
    Image.fromarray(picture(5, 9, 4, np.uint8)).save(tmp_path / "ground.png")
    backgrounds = ["red", [1, 2, 3], "blur", "checkerboard", tmp_path / "ground.png", str(tmp_path / "ground.png")]
    for depth in (np.uint8, np.uint16, np.float32):
        backgrounds += [picture(*shape, depth) for shape in ((5, 9, None), (1, 1, 3), (40, 2, 4))]
    for one in (cutout, cutout.crop(2)):
        for background in backgrounds:
            composed = one.on(background, linear=linear)
            assert composed.shape == (*one.alpha.shape, 3)
            assert composed.dtype == dtype
        for what in ("rgba", "mask", "alpha"):
            one.save(tmp_path / f"{what}.png", what=what)


@pytest.mark.parametrize(
    ("background", "error"),
    [
        (3, TypeError),
        ("no such colour", ValueError),
        ((1, 2, 300), ValueError),
        (np.zeros((4, 4, 3), np.int64), TypeError),
        (np.zeros((4, 4, 2), np.uint8), ValueError),
        (np.full((4, 4, 3), 2, np.float32), ValueError),
    ],
)
def test_on_names_a_bad_background(cutout, background, error):
    with pytest.raises(error, match="background"):
        cutout.on(background)


def test_a_background_that_looks_like_a_path_is_one(cutout, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"missing\.png"):
        cutout.on("missing.png")
    (tmp_path / "folder").mkdir()
    Image.new("RGB", (4, 4), "blue").save(tmp_path / "folder" / "ground", "png")
    assert cutout.on(os.path.join("folder", "ground"))[0, 0].tolist() == [0, 0, 255]


def test_cutouts_compare_by_identity(cutout):
    assert cutout == cutout
    assert cutout != cutout.crop()
    assert len({cutout, cutout}) == 1


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_save_keeps_transparency(cutout, tmp_path, suffix):
    cutout.save(tmp_path / f"out.{suffix}")
    with Image.open(tmp_path / f"out.{suffix}") as picture:
        assert picture.mode == "RGBA"
        assert np.array_equal(np.asarray(picture)[..., 3], cutout.alpha)


def test_save_jpeg_needs_a_background(cutout, tmp_path):
    with pytest.raises(ValueError, match=r"(?i)jpeg"):
        cutout.save(tmp_path / "out.jpg")
    assert not (tmp_path / "out.jpg").exists()
    with pytest.raises(ValueError, match="png_level goes with png only"):
        cutout.save(tmp_path / "out.jpg", background="white", png_level=3)
    cutout.save(tmp_path / "out.jpg", background="white")
    assert np.asarray(Image.open(tmp_path / "out.jpg"))[0, 0].min() > 250
    with pytest.raises(ValueError, match="background has no place"):
        cutout.save(tmp_path / "out.png", what="mask", background="white")


def test_profile_and_resolution_survive(tmp_path):
    source = std_io.BytesIO()
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (16, 16), "red").save(source, "png", icc_profile=profile, dpi=(300, 300))
    remove_background(source.getvalue(), mask=np.ones((16, 16), bool)).save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.info["icc_profile"] == profile
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(900, 600), (200, 2000, 3), (1, 1), (30, 40, 3)])
def test_shows_itself_side_by_side(dtype, shape):
    full = 1 if dtype == np.float32 else np.iinfo(dtype).max
    picture = np.full(shape, full, dtype) * dtype(0.8 if dtype == np.float32 else 1)
    mask = np.zeros(shape[:2], np.uint8)
    mask[:, : -(-shape[1] // 2)] = 255
    drawn = read_image(remove_background(picture, mask=mask, refine=None)._repr_png_())
    shown = drawn.pixels
    scale = min(1, 360 / max(shape[:2]))
    height, width = (max(1, round(side * scale)) for side in shape[:2])
    assert shown.shape == (height, 4 * width + 3 * 8, 3)
    between = np.arange(shown.shape[1]) % (width + 8) >= width
    np.testing.assert_array_equal(drawn.alpha == 0, np.broadcast_to(between, drawn.alpha.shape))  # for a dark page, too
    panels = [shown[:, i * (width + 8) : i * (width + 8) + width] for i in range(4)]
    assert panels[0].min() == (204 if dtype == np.float32 else 255)
    assert (panels[1][:, 0] == 255).all()
    assert (panels[2][:, 0] == 255).all()
    assert np.array_equal(panels[3][:, 0], panels[0][:, 0])
    if width > 1:
        assert not panels[1][:, -1].any()
        assert np.array_equal(panels[3][:, -1], checkerboard(height, width)[:, -1])


def test_shows_itself(cutout):
    assert "40×30" in repr(cutout)
    assert cutout.to_pil().mode == "RGBA"
    assert cutout.to_pil().info == {}
    told = dataclasses.replace(cutout, icc_profile=swapped(), dpi=(300.0, 150.0)).to_pil().info
    assert told == {"icc_profile": swapped(), "dpi": (300.0, 150.0)}


@lru_cache  # of the second in which it is made
def swapped():
    """The profile of a colour space whose red is sRGB's green, and the reverse."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"____"), (b"gXYZ", b"rXYZ"), (b"____", b"gXYZ")):
        profile = profile.replace(old, new)
    return profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_what_lies_behind_is_brought_into_the_pictures_profile(tmp_path):
    pixels = np.full((30, 40, 3), 250, np.uint8)
    pixels[10:20, 10:30] = (200, 30, 40)
    alphacut.write_image(tmp_path / "photo.png", pixels, icc_profile=swapped())
    cutout = alphacut.remove_background(tmp_path / "photo.png", mask=pixels[..., 1] < 100, refine=None)
    assert cutout.on("#ff8000")[0, 0].tolist() == pytest.approx([128, 255, 0], abs=1)
    assert cutout.on("#ff8000")[15, 20].tolist() == [200, 30, 40]
    ground = np.full((30, 40, 3), (255, 128, 0), np.uint8)
    assert cutout.on(ground)[0, 0].tolist() == pytest.approx([128, 255, 0], abs=1)
    assert cutout.on(alphacut.Picture(ground, icc_profile=swapped()))[0, 0].tolist() == [255, 128, 0]
    cutout.save(tmp_path / "on.png", background="#ff8000")
    kept = alphacut.read_image(tmp_path / "on.png")
    assert kept.icc_profile == swapped()
    assert kept.pixels[0, 0].tolist() == pytest.approx([128, 255, 0], abs=1)
    linear = swapped().replace(b"rTRC", b"____")  # a profile that nobody can read
    assert dataclasses.replace(cutout, icc_profile=linear).on("#ff8000")[0, 0].tolist() == [255, 128, 0]
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile", bytes(200), None):
        plain = dataclasses.replace(cutout, icc_profile=profile)
        assert plain.on("#ff8000")[0, 0].tolist() == [255, 128, 0]
        assert plain.on(ground)[0, 0].tolist() == [255, 128, 0]


def test_a_transparent_background_lies_over_white():
    pixels = np.full((30, 40, 3), 90, np.uint8)
    cutout = alphacut.remove_background(pixels, mask=np.zeros((30, 40), bool), refine=None)
    ground = np.full((30, 40, 4), (0, 200, 0, 0), np.uint8)
    ground[15:, :, 3] = 255
    assert cutout.on(ground)[0, 0].tolist() == [255, 255, 255]
    assert cutout.on(ground)[20, 0].tolist() == [0, 200, 0]
    ground[..., 3] = 128
    assert cutout.on(ground)[0, 0].tolist() == pytest.approx([127, 227, 127], abs=1)
