import itertools

import numpy as np
import pytest

import alphacut
from alphacut import Geometry

STEPS = {
    "flip": lambda g: g.flip(),
    "upside down": lambda g: g.flip("vertical"),
    "turn": lambda g: g.rotate(1),
    "turn back": lambda g: g.rotate(-1),
    "half a turn": lambda g: g.rotate(2),
    "crop": lambda g: g.crop((1, 2, 5, 3)),
    "crop of nothing": lambda g: g.crop((3, 90, 4, 4)),
    "pad": lambda g: g.pad((1, 2, 3, 4)),
}
BY_NUMPY = {
    "flip": np.fliplr,
    "upside down": np.flipud,
    "turn": np.rot90,
    "turn back": lambda a: np.rot90(a, -1),
    "half a turn": lambda a: np.rot90(a, 2),
    "crop": lambda a: a[2:5, 1:6],
    "crop of nothing": lambda a: a[90:94, 3:7],
    "pad": lambda a: np.pad(a, ((1, 3), (4, 2)), constant_values=-1),
}


@pytest.mark.parametrize("steps", list(itertools.product(STEPS, repeat=3)), ids="-".join)
def test_all_ways_of_three_steps(steps):
    """Each pixel has a number: arrays by NumPy, points and boxes by where their pixels are, and the way back."""
    image = np.arange(7 * 9, dtype=np.int32).reshape(7, 9)
    expected, geometry = image, Geometry(image.shape)
    for step in steps:
        expected, geometry = BY_NUMPY[step](expected), STEPS[step](geometry)
    found = geometry.image(image, fill=-1)
    assert np.array_equal(found, expected)
    assert geometry.size == expected.shape
    for y, x in np.argwhere(expected >= 0):
        source = divmod(int(expected[y, x]), 9)
        assert geometry.points([(*source[::-1], 0)]) == [(x, y, 0)]
        assert geometry.inverse().points([(x, y)]) == [source[::-1]]
    box = (2, 3, 3, 2)
    x, y, width, height = geometry.box(box)
    assert geometry.inverse().box((x, y, width, height)) == box
    corners = geometry.points([(2, 3), (4, 4)])
    assert (x, y) == tuple(np.min(corners, axis=0))
    assert (x + width - 1, y + height - 1) == tuple(np.max(corners, axis=0))
    back = geometry.inverse().image(found, fill=-1)
    assert np.array_equal(back, np.where(np.isin(image, expected), image, -1))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_pictures_of_any_depth(dtype, rng):
    image = rng.integers(0, 2, (5, 6, 4)).astype(dtype)
    result = Geometry((5, 6)).pad(1).image(image, fill=1)
    assert result.dtype == dtype
    assert result.shape == (7, 8, 4)
    assert (result[0] == 1).all()
    assert np.array_equal(result[1:-1, 1:-1], image)
    assert not np.shares_memory(Geometry((5, 6)).image(image), image)


def test_empty_pictures():
    assert Geometry((0, 4)).rotate(1).image(np.zeros((0, 4), np.uint8)).shape == (4, 0)
    assert Geometry((0, 0)).pad(2).image(np.zeros((0, 0)), fill=np.nan).shape == (4, 4)


def test_prompts_go_with_the_picture(rng):
    """A box in a turned picture cuts what the box does in the picture."""
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:40, 30:60] = 200
    geometry = Geometry(image.shape).rotate(1).crop((5, 5, 50, 60))
    cutout = alphacut.remove_background(geometry.image(image), box=geometry.box((26, 16, 38, 28)), refine=None)
    mask = geometry.inverse().image(cutout.mask)
    assert np.array_equal(mask != 0, image[..., 0] != 0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: Geometry(3), ValueError, r"shape must be \(height, width\), got 3"),
        (lambda g: Geometry((3, -1)), ValueError, "each of shape must be from 0"),
        (lambda g: Geometry((3, 1.0)), TypeError, "each of shape must be an int, got float"),
        (lambda g: g.flip("diagonal"), ValueError, "direction must be"),
        (lambda g: g.rotate(0.5), TypeError, "turns must be an int, got float"),
        (lambda g: g.crop((1, 2, 3)), ValueError, "box must be four whole numbers"),
        (lambda g: g.crop((1, 2, 3, -1)), ValueError, "box must have no value below 0"),
        (lambda g: g.pad(-1), ValueError, "border must have no value below 0"),
        (lambda g: g.pad((1, 2)), ValueError, r"border must be four whole numbers \(top, right"),
        (lambda g: g.box("abcd"), TypeError, "box must be four"),
        (lambda g: g.points([(1,)]), ValueError, "each of points must be"),
        (lambda g: g.points([("a", 2)]), TypeError, "each of points must be numbers"),
        (lambda g: g.image([[1]]), TypeError, "image must be a numpy.ndarray, got list"),
        (lambda g: g.image(np.zeros((4, 4))), ValueError, r"image must have shape \(3, 5\)"),
        (lambda g: g.image(np.zeros((3, 5), complex)), TypeError, "image must be of bool, integers or"),
        (
            lambda g: g.image(np.zeros((3, 5), np.uint8), fill=256),
            ValueError,
            "fill must be a value of the image's dtype",
        ),
        (lambda g: g.image(np.zeros((3, 5), bool), fill=0.5), ValueError, "fill must be a value of the image's dtype"),
    ],
)
def test_arguments_are_checked(call, error, message):
    with pytest.raises(error, match=message):
        call(Geometry((3, 5)))
