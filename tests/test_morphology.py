import cv2
import numpy as np
import pytest
import skimage.morphology

import alphacut
from alphacut.morphological import OPERATIONS
from reference import morphology as reference

CV2 = {
    "erode": cv2.MORPH_ERODE,
    "dilate": cv2.MORPH_DILATE,
    "open": cv2.MORPH_OPEN,
    "close": cv2.MORPH_CLOSE,
    "gradient": cv2.MORPH_GRADIENT,
    "tophat": cv2.MORPH_TOPHAT,
    "blackhat": cv2.MORPH_BLACKHAT,
}
DTYPES = (bool, np.uint8, np.uint16, np.float32)


def made(rng, shape, dtype):
    if dtype is bool:
        return rng.random(shape) < 0.7
    if dtype == np.float32:
        return rng.normal(0, 100, shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def by_cv2(image, operation, radius, shape):
    kernel = reference.footprint(radius, shape).astype(np.uint8)
    result = cv2.morphologyEx(image.view(np.uint8) if image.dtype.kind == "b" else image, CV2[operation], kernel)
    return result.reshape(image.shape).astype(image.dtype)


@pytest.mark.parametrize("shape", ["disc", "box"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_the_definition_at_all_small_shapes(dtype, shape, rng):
    for height in range(1, 9):
        for width in range(1, 9):
            image = made(rng, (height, width), dtype)
            for radius in (0, 1, 2, 3, 9):
                for operation in ("erode", "dilate"):
                    expected = reference.morphology(image, operation, reference.footprint(radius, shape))
                    assert np.array_equal(
                        alphacut.morphology(image, operation, radius=radius, shape=shape), expected
                    ), (height, width, radius)


@pytest.mark.usefixtures("isa", "threads")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_cv2(dtype, operation, rng):
    for size in ((97, 131), (61, 43, 3)):
        image = made(rng, size, dtype)
        for radius, shape in (
            (1, "disc"),
            (2, "disc"),
            (7, "disc"),
            (1, "box"),
            (5, "box"),
            ((3, 0), "box"),
            ((2, 9), "box"),
        ):
            ours = alphacut.morphology(image, operation, radius=radius, shape=shape)
            assert ours.dtype == image.dtype
            assert np.array_equal(ours, by_cv2(image, operation, radius, shape)), (size, radius, shape)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_equals_the_definition(operation, rng):
    image = made(rng, (13, 17, 3), np.uint8)
    for radius, shape in ((2, "disc"), ((1, 3), "box")):
        expected = reference.morphology(image, operation, reference.footprint(radius, shape))
        assert np.array_equal(alphacut.morphology(image, operation, radius=radius, shape=shape), expected)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", ["erode", "dilate", "open", "close"])
def test_far_discs_of_two_values_equal_cv2(operation, dtype, rng):
    values = (False, True) if dtype is bool else (7, 201)
    for share in (0.001, 0.5, 0.999):
        image = np.where(rng.random((150, 140)) < share, *values[::-1]).astype(dtype)
        for radius in (79, 80, 200):
            ours = alphacut.morphology(image, operation, radius=radius)
            assert np.array_equal(ours, by_cv2(image, operation, radius, "disc")), (share, radius)


@pytest.mark.parametrize("radius", [80, 90])
def test_far_discs_of_more_values_equal_cv2(radius, rng):
    for image in (made(rng, (120, 110), np.uint8), made(rng, (120, 60, 3), np.uint8)):
        assert np.array_equal(
            alphacut.morphology(image, "dilate", radius=radius), by_cv2(image, "dilate", radius, "disc")
        )
    constant = np.full((50, 60), 9, np.uint8)
    assert np.array_equal(alphacut.morphology(constant, "erode", radius=radius), constant)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("radius", [30, 101, 700, (0, 500), (500, 0), 32767])
def test_boxes_of_any_size(radius, rng):
    """Of a box that is larger than the picture, everything is in reach."""
    image = made(rng, (420, 90), np.uint16)
    down, across = radius if isinstance(radius, tuple) else (radius, radius)
    ours = alphacut.morphology(image, "dilate", radius=radius, shape="box")
    within = (min(down, 419), min(across, 89))
    assert np.array_equal(ours, by_cv2(image, "dilate", within, "box"))


@pytest.mark.parametrize("radius", [1, 2, 5, 11])
def test_equals_skimage(radius, rng):
    footprint = skimage.morphology.disk(radius)
    assert np.array_equal(footprint.astype(bool), reference.footprint(radius, "disc"))
    image = made(rng, (70, 80), np.uint8)
    for operation, theirs in {
        "erode": skimage.morphology.erosion,
        "dilate": skimage.morphology.dilation,
        "open": skimage.morphology.opening,
        "close": skimage.morphology.closing,
    }.items():
        expected = theirs(image, footprint, mode="ignore")
        assert np.array_equal(alphacut.morphology(image, operation, radius=radius), expected), operation


FOOTPRINTS = {
    "ellipse": cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)),
    "wide ellipse": cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 5)),
    "cross": cv2.getStructuringElement(cv2.MORPH_CROSS, (7, 9)),
    "diamond": skimage.morphology.diamond(4),
    "octagon": skimage.morphology.octagon(3, 2),
    "box": np.ones((3, 5), bool),
    "waist": np.array([[1, 1, 1, 1, 1], [0, 0, 1, 0, 0], [1, 1, 1, 1, 1]]),
    "with an empty frame": np.pad(skimage.morphology.disk(2), 2),
    "one pixel": np.ones((1, 1), np.uint8),
}


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("footprint", FOOTPRINTS.values(), ids=FOOTPRINTS)
def test_footprints_equal_cv2(footprint, rng):
    kernel = footprint.astype(np.uint8)
    for image in (made(rng, (40, 50), np.uint8), made(rng, (30, 20, 3), np.float32), made(rng, (2, 3), np.uint16)):
        for operation in OPERATIONS:
            expected = cv2.morphologyEx(image, CV2[operation], kernel)
            assert np.array_equal(alphacut.morphology(image, operation, footprint=footprint), expected), operation


ODD_ONES = {
    "even box": np.ones((4, 6), bool),
    "large even box": np.ones((20, 2), bool),
    "corner": np.array([[1, 0, 0], [1, 0, 0], [1, 1, 1]]),
    "neighbours alone": np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]),
    "a far pixel": np.eye(1, 31, 0, bool),
    "wedge": np.tri(14, 17, 3, bool),
    "rows that fall together in a picture of 3": np.array([[1, 1]] * 6) * np.array([[1], [0], [0], [1], [0], [1]]),
    "ring": np.pad(np.zeros((9, 8), bool), 2, constant_values=True),
    "waist of even sides": np.array([[1, 1, 1, 1], [0, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 1]]),
}
ALL_FOOTPRINTS = FOOTPRINTS | ODD_ONES


@pytest.mark.usefixtures("isa", "threads")
@pytest.mark.parametrize("name", ODD_ONES)
def test_any_footprint_equals_the_definition(name, rng):
    for dtype, size in ((np.uint8, (40, 33)), (np.float32, (21, 50, 3)), (bool, (5, 4)), (np.uint16, (1, 9))):
        image = made(rng, size, dtype)
        for operation in OPERATIONS:
            expected = reference.morphology(image, operation, ODD_ONES[name])
            found = alphacut.morphology(image, operation, footprint=ODD_ONES[name])
            assert np.array_equal(found, expected, equal_nan=dtype is np.float32), (dtype, operation)


@pytest.mark.parametrize("name", ODD_ONES)
def test_any_footprint_equals_cv2_and_skimage(name, rng):
    image = made(rng, (30, 40), np.uint8)
    for operation in ("erode", "dilate"):
        found = alphacut.morphology(image, operation, footprint=ODD_ONES[name])
        assert np.array_equal(found, cv2.morphologyEx(image, CV2[operation], ODD_ONES[name].astype(np.uint8))), (
            operation
        )
    padded = np.pad(ODD_ONES[name], [(1 - side % 2, 0) for side in ODD_ONES[name].shape])  # scikit-image's middle
    theirs = {"open": skimage.morphology.opening, "close": skimage.morphology.closing}
    for operation, function in theirs.items():
        found = alphacut.morphology(image, operation, footprint=padded, mode="reflect")
        assert np.array_equal(found, function(image, ODD_ONES[name], mode="reflect")), operation


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("mode", ["nearest", "reflect", "mirror", "wrap", "constant"])
@pytest.mark.parametrize("name", ALL_FOOTPRINTS)
def test_borders_equal_the_definition(name, mode, rng):
    inside = np.asarray(ALL_FOOTPRINTS[name])
    for size, dtype in (((25, 31), np.uint8), ((3, 50, 3), np.uint16), ((1, 2), np.float32)):
        image = made(rng, size, dtype)
        for operation in ("erode", "dilate", "open", "blackhat"):
            expected = reference.morphology(image, operation, inside, mode, 7)
            found = alphacut.morphology(image, operation, footprint=inside, mode=mode, cval=7)
            assert np.array_equal(found, expected), (size, operation)


@pytest.mark.parametrize("mode", ["nearest", "reflect", "mirror", "wrap", "constant"])
@pytest.mark.parametrize("shape", ["disc", "box"])
def test_borders_of_discs_and_boxes(shape, mode, rng):
    for radius, size in ((2, (20, 20)), (9, (4, 7)), (85, (50, 3))):
        for values in (2, 250):
            image = rng.integers(0, values, size, np.uint8)
            inside = reference.footprint(radius, shape)
            for operation in ("erode", "dilate"):
                expected = reference.morphology(image, operation, inside, mode, 1)
                found = alphacut.morphology(image, operation, radius=radius, shape=shape, mode=mode, cval=1)
                assert np.array_equal(found, expected), (radius, operation)


def test_a_border_of_a_value(rng):
    image = made(rng, (6, 5), np.float32)
    for cval in (-np.inf, 0.5, np.inf):
        found = alphacut.morphology(image, "erode", mode="constant", cval=cval)
        assert np.array_equal(
            found, reference.morphology(image, "erode", reference.footprint(1, "disc"), "constant", cval)
        )
    for cval in (-1, 0.5, 256):
        with pytest.raises(ValueError, match="cval must be a value of the image's dtype"):
            alphacut.morphology(image.astype(np.uint8), "erode", mode="constant", cval=cval)


@pytest.mark.parametrize("values", [(0, 1, 199), (0, 100, 255), (255, 100, 0), (7, 7, 8)])
def test_far_discs_of_values_that_come_late(values):
    """Whether a plane has two values is known after its last row."""
    image = np.repeat(np.uint8(values), 40)[:, None].repeat(30, 1)
    ramp = np.arange(200, dtype=np.uint8)[:, None].repeat(30, 1)
    for plane in (image, ramp, ramp[::-1].copy()):
        for operation in ("dilate", "erode"):
            expected = reference.morphology(plane[:, :1], operation, reference.footprint((85, 0), "box"))
            found = alphacut.morphology(plane, operation, radius=85)
            assert np.array_equal(found, expected.repeat(30, 1))


WORDS = {"dilate": "dilation", "erode": "erosion"}  # scikit-image's


def seeds(rng, mask, operation):
    """A picture that lies below the mask (above it for "erode"), and touches it here and there."""
    other = made(rng, mask.shape, bool if mask.dtype == bool else mask.dtype.type)
    low, high = (np.minimum, np.maximum) if mask.dtype != bool else (np.logical_and, np.logical_or)
    return low(mask, other) if operation == "dilate" else high(mask, other)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("operation", ["dilate", "erode"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reconstruction_equals_the_definition(dtype, operation, connectivity, rng):
    for height in range(1, 7):
        for width in range(1, 7):
            mask = made(rng, (height, width), dtype)
            seed = seeds(rng, mask, operation)
            found = alphacut.reconstruct(seed, mask, connectivity, operation=operation)
            assert found.dtype == dtype
            assert np.array_equal(found, reference.reconstruct(seed, mask, operation, connectivity)), (height, width)


@pytest.mark.parametrize("operation", ["dilate", "erode"])
@pytest.mark.parametrize("dtype", DTYPES[1:])
def test_reconstruction_equals_skimage(dtype, operation, rng):
    rough = made(rng, (70, 90), dtype)
    smooth = alphacut.gaussian_blur(rng.random((90, 70)).astype(np.float32), 2)
    scale = 1 if dtype == np.float32 else np.iinfo(dtype).max
    smooth = ((smooth - smooth.min()) / np.ptp(smooth) * scale).astype(dtype)
    for mask in (rough, smooth):
        few = np.where(rng.random(mask.shape) < 0.003, mask, mask.min() if operation == "dilate" else mask.max())
        for seed in (seeds(rng, mask, operation), few.astype(dtype)):
            for connectivity, footprint in ((8, np.ones((3, 3))), (4, skimage.morphology.disk(1))):
                expected = skimage.morphology.reconstruction(seed, mask, WORDS[operation], footprint)
                assert np.array_equal(alphacut.reconstruct(seed, mask, connectivity, operation=operation), expected)


def test_reconstruction_goes_around_all_corners():
    """A serpent of rows that are joined at the right and at the left in turn: each pass gets a row far."""
    serpent = np.zeros((61, 40), np.uint8)
    serpent[::2] = 200
    serpent[1::4, -1] = serpent[3::4, 0] = 200
    for turned in (serpent, serpent[::-1].copy(), serpent.T.copy(), serpent.T[::-1, ::-1].copy()):
        seed = np.zeros_like(turned)
        y, x = turned.nonzero()
        seed[y[0], x[0]] = 150
        for connectivity in (4, 8):
            found = alphacut.reconstruct(seed, turned, connectivity=connectivity)
            assert np.array_equal(found, np.where(turned > 0, 150, 0))


def test_reconstruction_of_bool_and_of_nothing(rng):
    mask = made(rng, (9, 9), bool)
    seed = np.zeros_like(mask)
    seed[mask.nonzero()[0][0], mask.nonzero()[1][0]] = True
    out = np.zeros_like(mask)
    assert alphacut.reconstruct(seed, mask, out=out) is out
    assert np.array_equal(out, alphacut.keep_touching(mask, seed).astype(bool))
    assert alphacut.reconstruct(mask[:0], mask[:0]).shape == (0, 9)
    for out in (seed, mask):
        with pytest.raises(ValueError, match="out overlaps an input"):
            alphacut.reconstruct(seed, mask, out=out)
    for out, error in ((np.zeros((9, 9), np.uint8), TypeError), (np.zeros((9, 8), bool), ValueError)):
        with pytest.raises(error, match="out must"):
            alphacut.reconstruct(seed, mask, out=out)


def test_a_seed_beyond_the_mask_is_refused(rng):
    mask = np.full((4, 5), 7, np.uint8)
    seed = mask.copy()
    seed[2, 3] = 8
    with pytest.raises(ValueError, match="seed must be nowhere above mask, but is at row 2, column 3"):
        alphacut.reconstruct(seed, mask)
    with pytest.raises(ValueError, match="seed must be nowhere below mask, but is at row 0, column 0"):
        alphacut.reconstruct(np.zeros_like(mask), mask, operation="erode")
    with pytest.raises(TypeError, match="seed must have the dtype of mask, bool, got uint8"):
        alphacut.reconstruct(mask, mask > 0)
    with pytest.raises(ValueError, match="seed must have the shape of mask"):
        alphacut.reconstruct(mask[1:], mask)


OTHERS = (np.int8, np.int16, np.int32, np.int64, np.uint32, np.uint64, np.float16, np.float64)


def wide(rng, shape, dtype):
    """Values from end to end of the dtype."""
    if np.dtype(dtype).kind == "f":
        return (rng.normal(0, 1, shape) * 10.0 ** rng.integers(-4, 4, shape)).astype(dtype)
    ends = np.iinfo(dtype)
    return rng.integers(ends.min, ends.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("dtype", OTHERS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_other_depths_equal_the_definition(operation, dtype, rng):
    for size in ((19, 23), (9, 8, 3)):
        image = wide(rng, size, dtype)
        for mode in ("ignore", "wrap", "constant"):
            inside = reference.footprint(2, "disc")
            found = alphacut.morphology(image, operation, radius=2, mode=mode, cval=5)
            parts = {
                word: reference.morphology(image, word, inside, mode, 5)
                for word in ("erode", "dilate", "open", "close")
            }
            pair = {"gradient": ("dilate", "erode"), "tophat": (None, "open"), "blackhat": ("close", None)}.get(
                operation
            )
            if pair is None:
                expected = parts[operation]
            else:
                more, less = (image if word is None else parts[word] for word in pair)
                if np.dtype(dtype).kind == "f":
                    expected = more - less
                else:
                    exact = np.maximum(more.astype(object) - less.astype(object), 0)
                    expected = np.minimum(exact, np.iinfo(dtype).max).astype(dtype)
            assert found.dtype == dtype
            assert np.array_equal(found, expected), (size, mode)


@pytest.mark.parametrize("dtype", [np.int16, np.float64])
def test_other_depths_equal_cv2(dtype, rng):
    image = wide(rng, (70, 80), dtype)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 9))
    for operation in OPERATIONS:
        expected = cv2.morphologyEx(image, CV2[operation], kernel)
        assert np.array_equal(alphacut.morphology(image, operation, footprint=kernel), expected), operation


def test_other_depths_where_nothing_is_in_reach(rng):
    far = np.eye(1, 31, 0, bool)
    for dtype in (np.int16, np.float64):
        image = wide(rng, (3, 20), dtype)
        for operation in ("erode", "dilate"):
            expected = reference.morphology(image, operation, far)
            assert np.array_equal(alphacut.morphology(image, operation, footprint=far), expected)


@pytest.mark.parametrize("dtype", OTHERS)
@pytest.mark.parametrize("operation", ["dilate", "erode"])
def test_reconstruction_of_other_depths(operation, dtype, rng):
    mask = wide(rng, (30, 40), dtype)
    other = wide(rng, (30, 40), dtype)
    seed = np.minimum(mask, other) if operation == "dilate" else np.maximum(mask, other)
    for connectivity in (4, 8):
        found = alphacut.reconstruct(seed, mask, connectivity, operation=operation)
        assert found.dtype == dtype
        assert np.array_equal(found, reference.reconstruct(seed, mask, operation, connectivity))
    out = np.empty_like(mask)
    assert alphacut.reconstruct(seed, mask, operation=operation, out=out) is out
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.reconstruct(seed, mask, operation=operation, out=seed)


def test_arguments_of_other_depths_are_checked(rng):
    image = wide(rng, (6, 7), np.int16)
    out = np.empty_like(image)
    assert alphacut.morphology(image, "erode", out=out) is out
    for bad, error, message in (
        ({"out": image}, ValueError, "overlaps"),
        ({"out": np.empty((6, 7), np.uint16)}, TypeError, "out must"),
        ({"mode": "constant", "cval": 40000}, ValueError, "cval must be a value"),
        ({"mode": "constant", "cval": 0.5}, ValueError, "cval must be a value"),
    ):
        with pytest.raises(error, match=message):
            alphacut.morphology(image, "erode", **bad)
    with pytest.raises(ValueError, match="finite"):
        alphacut.morphology(np.full((3, 3), np.nan), "erode")
    for shape in ((0, 4), (4, 0, 3)):
        assert alphacut.morphology(np.zeros(shape, np.int32), "open").shape == shape


def test_pictures_without_pixels():
    for shape in ((0, 4), (4, 0), (0, 4, 3)):
        assert alphacut.morphology(np.zeros(shape, np.uint8), "open").shape == shape


def test_bool_is_written_to_out_of_bool(rng):
    mask = made(rng, (9, 9), bool)
    out = np.zeros((9, 9), bool)
    assert alphacut.morphology(mask, "dilate", out=out) is out
    assert np.array_equal(out, alphacut.morphology(mask, "dilate"))
    with pytest.raises(TypeError, match=r"out must be a numpy.ndarray of bool, got uint8"):
        alphacut.morphology(mask, "dilate", out=np.zeros((9, 9), np.uint8))
    with pytest.raises(ValueError, match="out overlaps an input"):
        alphacut.morphology(mask, "dilate", out=mask)


def test_arguments_are_checked(rng):
    image = made(rng, (9, 9), np.uint8)
    with pytest.raises(ValueError, match=r"radius of a disc must be one number, got 1 and 2"):
        alphacut.morphology(image, "erode", radius=(1, 2))
    with pytest.raises(ValueError, match=r"radius must be from 0 to 32767, got -1"):
        alphacut.morphology(image, "erode", radius=(0, -1), shape="box")
    with pytest.raises(ValueError, match=r"radius must be one number or two"):
        alphacut.morphology(image, "erode", radius=(1, 2, 3), shape="box")
    with pytest.raises(TypeError, match=r"each radius must be an int, got float"):
        alphacut.morphology(image, "erode", radius=(1, 2.0), shape="box")
    with pytest.raises(TypeError, match=r"image must have dtype bool, uint8, uint16 or float32, got complex128"):
        alphacut.morphology(image.astype(complex), "erode")
