import contextlib
import io
import os
import stat
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

import alphacut
from alphacut.files import (
    WRITE_SUFFIXES,
    DecodeError,
    Picture,
    TooManyPixelsError,
    read_image,
    read_labels,
    read_mask,
    write_image,
)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GRAY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(width, height, depth, colour_type, rows=b"", extra=()):
    """A PNG made by hand, its header claiming whatever it is told to."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*parts) for parts in chunks)


@pytest.fixture
def rgb(rng):
    return rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)


@pytest.fixture
def rgba(rng):
    return rng.integers(0, 256, (5, 7, 4), dtype=np.uint8)


# --- sources ---------------------------------------------------------------------------------------------------------


def test_every_source_gives_the_same(tmp_path, rgb):
    data = saved(Image.fromarray(rgb), "PNG")
    path = tmp_path / "ein Bild ✂ 画像.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        sources = [str(path), path, data, bytearray(data), memoryview(data), io.BytesIO(data), file]
        sources += [memoryview(data + data)[: len(data)], memoryview(bytes(each for each in data for _ in "12"))[::2]]
        sources += [Image.fromarray(rgb), Image.open(io.BytesIO(data)), rgb]
        for source in sources:
            picture = read_image(source)
            assert picture.alpha is None
            np.testing.assert_array_equal(picture.pixels, rgb)


def test_a_file_is_read_from_where_it_stands_and_need_not_seek(rgb):
    data = saved(Image.fromarray(rgb), "TIFF")

    class Pipe:
        def __init__(self, data):
            self.read = io.BytesIO(data).read

    np.testing.assert_array_equal(read_image(Pipe(data)).pixels, rgb)
    file = io.BytesIO(b"before" + data)
    file.seek(6)
    np.testing.assert_array_equal(read_image(file).pixels, rgb)


def test_a_pillow_picture_is_left_as_it_is(rgba):
    source = Image.fromarray(rgba)
    source.getexif()[0x0112] = 6
    picture = read_image(source)
    assert picture.pixels.shape == (7, 5, 3)
    assert source.size == (7, 5)
    assert source.getexif()[0x0112] == 6
    np.testing.assert_array_equal(np.asarray(source), rgba)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_arrays_are_not_copied(dtype):
    for shape in [(4, 5), (4, 5, 3), (4, 5, 4)]:
        array = np.zeros(shape, dtype)
        picture = read_image(array)
        assert np.shares_memory(picture.pixels, array)
        assert picture.pixels.dtype == dtype
        assert (picture.alpha is not None) == (shape[-1] == 4)
        if picture.alpha is not None:
            assert np.shares_memory(picture.alpha, array)


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (np.zeros((3, 3), np.int64), TypeError, "int64"),
        (np.zeros((3, 3), bool), TypeError, "bool"),
        (np.zeros(3, np.uint8), ValueError, r"\(3,\)"),
        (np.zeros((3, 3, 2), np.uint8), ValueError, r"\(3, 3, 2\)"),
        (np.zeros((0, 3), np.uint8), ValueError, "at least one pixel"),
        (3, TypeError, "int"),
        (None, TypeError, "NoneType"),
        (io.StringIO("text"), TypeError, "binary mode"),
    ],
)
def test_what_is_no_source(source, error, words):
    with pytest.raises(error, match=words):
        read_image(source)


def test_pillow_is_imported_only_when_needed():
    code = (
        "import sys, numpy, alphacut.files as io; io.read_image(numpy.zeros((2, 2), 'u1')); print('PIL' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=plain_env())
    assert done.stdout.strip() == "False"


def plain_env():
    import alphacut

    return {**os.environ, "PYTHONPATH": str(Path(alphacut.__file__).parents[1])}


# --- modes -----------------------------------------------------------------------------------------------------------


def test_one_bit():
    array = np.array([[True, False, True]])
    pixels = read_image(saved(Image.fromarray(array), "PNG")).pixels
    np.testing.assert_array_equal(pixels, [[255, 0, 255]])
    assert pixels.dtype == np.uint8


def test_gray_and_gray_with_alpha(rng):
    array = rng.integers(0, 256, (3, 4, 2), dtype=np.uint8)
    picture = read_image(saved(Image.fromarray(array[..., 0]), "JPEG", quality=100))
    assert picture.pixels.shape == (3, 4)
    picture = read_image(saved(Image.fromarray(array), "PNG"))
    np.testing.assert_array_equal(picture.pixels, array[..., 0])
    np.testing.assert_array_equal(picture.alpha, array[..., 1])


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_rgba(rgba, format):
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    picture = read_image(saved(Image.fromarray(rgba), format, **options))
    np.testing.assert_array_equal(picture.pixels, rgba[..., :3])
    np.testing.assert_array_equal(picture.alpha, rgba[..., 3])


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_gray(rng, format):
    array = rng.integers(0, 65536, (5, 7), dtype=np.uint16)
    by_hand = b"P5 7 5 65535\n" + array.astype(">u2").tobytes()  # Pillow before 11 does not write these
    picture = read_image(by_hand if format == "PPM" else saved(Image.fromarray(array), format))
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, array)


def test_sixteen_bit_big_endian():
    image = Image.frombytes("I;16B", (2, 1), bytes([1, 2, 3, 4]))
    pixels = read_image(image).pixels
    assert pixels.dtype == np.uint16
    assert pixels.dtype.isnative
    np.testing.assert_array_equal(pixels, [[0x0102, 0x0304]])


def test_sixteen_bit_gray_with_a_transparent_value():
    rows = b"\0" + struct.pack(">2H", 1000, 2000)
    picture = read_image(png(2, 1, 16, 0, rows, [(b"tRNS", struct.pack(">H", 2000))]))
    np.testing.assert_array_equal(picture.pixels, [[1000, 2000]])
    np.testing.assert_array_equal(picture.alpha, [[65535, 0]])


def test_sixteen_bit_colour_is_read_with_eight():
    picture = read_image(png(1, 1, 16, 2, b"\0" + bytes([10, 255, 20, 0, 30, 7])))
    np.testing.assert_array_equal(picture.pixels, [[[10, 20, 30]]])


def test_32_bit_integers_and_floats():
    assert read_image(Image.fromarray(np.array([[0, 65535]], np.int32))).pixels.tolist() == [[0, 65535]]
    floats = np.array([[0.0, 0.5, 1.0]], np.float32)
    picture = read_image(saved(Image.fromarray(floats), "TIFF"))
    assert picture.pixels.dtype == np.uint16
    assert picture.pixels.tolist() == [[0, 32768, 65535]]
    for bad in (np.array([[65536]], np.int32), np.array([[-1]], np.int32)):
        with pytest.raises(DecodeError, match=r"0\.\.65535"):
            read_image(Image.fromarray(bad))
    for bad in (np.array([[1.5]], np.float32), np.array([[np.nan, 0.5]], np.float32)):
        with pytest.raises(DecodeError, match=r"0\.\.1"):
            read_image(Image.fromarray(bad))


@pytest.mark.parametrize("transparency", [1, bytes([255, 0, 128])])
def test_palette_with_transparency(transparency):
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    for x in range(3):
        image.putpixel((x, 0), x)
    picture = read_image(saved(image, "PNG"))
    assert picture.alpha is None
    assert picture.pixels.tolist() == [[[10, 20, 30], [40, 50, 60], [70, 80, 90]]]
    picture = read_image(saved(image, "PNG", transparency=transparency))
    assert picture.pixels.tolist() == [[[10, 20, 30], [40, 50, 60], [70, 80, 90]]]
    assert picture.alpha.tolist() == [[255, 0, 255 if transparency == 1 else 128]]


@pytest.mark.parametrize(("mode", "transparency"), [("1", 0), ("L", 7), ("RGB", (1, 2, 3))])
def test_one_transparent_colour(mode, transparency):
    image = Image.new(mode, (2, 1), 255 if mode != "RGB" else (9, 9, 9))
    image.putpixel((1, 0), transparency)
    assert read_image(saved(image, "PNG", transparency=transparency)).alpha.tolist() == [[255, 0]]


def test_first_frame_of_an_animation(rng):
    frames = [Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)) for _ in range(2)]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_array_equal(read_image(data).pixels, np.asarray(frames[0]))
    data = saved(Image.new("P", (4, 4), 0), "GIF", save_all=True, append_images=[Image.new("P", (4, 4), 1)])
    assert read_image(data).pixels.shape == (4, 4, 3)


def test_cmyk_loses_its_profile():
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    picture = read_image(saved(image, "JPEG", icc_profile=SRGB[:16] + b"CMYK" + SRGB[20:], quality=100))
    assert picture.icc_profile is None
    assert picture.pixels.shape == (8, 8, 3)
    red, green, blue = picture.pixels[4, 4]
    assert red > 250
    assert green < 5
    assert blue < 5


@pytest.mark.parametrize("mode", ["RGBa", "La", "HSV", "YCbCr", "RGBX", "PA"])
def test_uncommon_modes(mode):
    picture = read_image(
        Image.new("LA" if mode in ("La", "PA") else "RGBA" if mode == "RGBa" else "RGB", (2, 2)).convert(mode)
    )
    assert picture.pixels.dtype == np.uint8
    assert (picture.alpha is not None) == (mode in ("RGBa", "La", "PA"))


def test_a_mode_that_is_not_supported():
    with pytest.raises(DecodeError, match="LAB"):
        read_image(Image.new("LAB", (2, 2)))


# --- orientation, profile, resolution --------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_orientation_is_applied_once(rgba, orientation, format):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True, "exact": True} if format == "WEBP" else {"dpi": (100, 200)}
    picture = read_image(saved(Image.fromarray(rgba), format, exif=exif, **options))
    transposes = [None, 0, 3, 1, 5, 4, 6, 2]  # Pillow's numbers: flip left-right, rotate by 180, ...
    code = transposes[orientation - 1]
    upright = np.asarray(Image.fromarray(rgba) if code is None else Image.fromarray(rgba).transpose(code))
    np.testing.assert_array_equal(picture.pixels, upright[..., :3])
    np.testing.assert_array_equal(picture.alpha, upright[..., 3])
    if format == "PNG":
        assert picture.dpi == pytest.approx((200, 100) if orientation >= 5 else (100, 200), rel=1e-3)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(rgb, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(read_image(saved(Image.fromarray(rgb), "PNG", exif=exif)).pixels, rgb)


def test_exif_that_cannot_be_read_is_passed_over(rgb):
    data = saved(Image.fromarray(rgb), "PNG", exif=b"Exif\0\0garbage that is no TIFF header")
    np.testing.assert_array_equal(read_image(data).pixels, rgb)


def test_a_resolution_that_no_file_can_mean(rgb):
    pixels_a_metre = struct.pack(">IIB", 0xFFFFFFFF, 0xFFFFFFFF, 1)
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    assert read_image(png(7, 5, 8, 2, rows, [(b"pHYs", pixels_a_metre)])).dpi is None


def test_no_profile_and_no_resolution(rgb):
    for format in ("PNG", "TIFF", "JPEG", "WEBP"):
        picture = read_image(saved(Image.fromarray(rgb), format))
        assert (picture.icc_profile, picture.dpi) == (None, None)


# --- limits and damage -----------------------------------------------------------------------------------------------


def test_pixel_limit_is_checked_before_decoding(tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(png(60000, 60000, 8, 6))
    with pytest.raises(DecodeError, match=r"huge\.png: 60000 x 60000 pixels are more than the limit of 256000000"):
        read_image(path)
    with pytest.raises(TooManyPixelsError, match="7 x 5 pixels are more than the limit of 34"):
        read_image(Image.new("L", (7, 5)), max_pixels=34)
    assert read_image(Image.new("L", (7, 5)), max_pixels=35).pixels.shape == (5, 7)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG", "GIF", "BMP"])
def test_pillows_own_limit_does_not_count(rgb, format, monkeypatch):
    data = saved(Image.fromarray(rgb), format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    assert read_image(data).pixels.shape == (5, 7, 3)
    assert Image.MAX_IMAGE_PIXELS == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 3, 3), (900, 1300), (700, 1000, 3), (600, 900, 4), (3, 300000, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_in_bands(rng, shape, dtype):
    full = np.iinfo(dtype).max
    smooth = np.linspace(0, full, shape[1])[None, :].repeat(shape[0], 0)
    pixels = (smooth if len(shape) == 2 else smooth[..., None].repeat(shape[2], 2)).astype(dtype)
    pixels[..., : shape[1] // 3] = rng.integers(0, full + 1, pixels[..., : shape[1] // 3].shape, dtype)
    if dtype == np.uint16 and len(shape) == 3:
        pixels = (pixels >> 8).astype(np.uint8)
    made = []
    before = alphacut.get_num_threads()
    try:
        for threads in (1, 3):
            alphacut.set_num_threads(threads)
            file = io.BytesIO()
            write_image(file, pixels, format="png", dpi=(300, 72.5))
            made.append(file.getvalue())
    finally:
        alphacut.set_num_threads(before)
    assert made[0] == made[1]
    picture = read_image(made[0])
    whole = picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])
    np.testing.assert_array_equal(whole, pixels)
    assert picture.dpi == pytest.approx((300, 72.5), abs=0.02)


def test_pillow_that_another_thread_is_importing(tmp_path, rgb, monkeypatch):
    write_image(tmp_path / "a.png", rgb)
    monkeypatch.setitem(sys.modules, "PIL.Image", type(sys)("PIL.Image"))  # as it is at first
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, rgb)


def test_empty_exif_is_none(rng):
    made = []
    for exif in (None, b""):
        file = io.BytesIO()
        write_image(file, rng.integers(7, 8, (2, 3), np.uint8), format="png", exif=exif)
        made.append(file.getvalue())
    assert made[0] == made[1]


def test_png_levels_are_lossless_and_smaller(tmp_path):
    smooth = np.add.outer(np.arange(200, dtype=np.uint8), np.arange(300, dtype=np.uint8) // 3)
    sizes = []
    for level in (0, 1, None, 4, 9):
        write_image(tmp_path / "a.png", smooth, png_level=level)
        assert np.array_equal(read_image(tmp_path / "a.png").pixels, smooth)
        sizes.append((tmp_path / "a.png").stat().st_size)
    assert sizes[2] <= 1.1 * sizes[3]
    assert sizes[0] > smooth.size > max(sizes[1:])
    assert len(set(sizes)) == 5


@pytest.mark.parametrize("compression", [None, "tiff_adobe_deflate", "tiff_lzw", "packbits"])
def test_tiff_of_any_compression(rgba, compression, monkeypatch):
    data = saved(Image.fromarray(rgba), "TIFF", compression=compression)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    np.testing.assert_array_equal(read_image(data).pixels, rgba[..., :3])


@pytest.mark.parametrize(("limit", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_a_limit_that_is_none(limit, error):
    with pytest.raises(error, match="max_pixels"):
        read_image(b"", max_pixels=limit)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_file_cut_short(tmp_path, rng, format):
    data = saved(Image.fromarray(rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)), format)
    path = tmp_path / f"short.{format.lower()}"
    for length in (10, 30, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(DecodeError, match="short"):
            read_image(path)


@pytest.mark.parametrize(
    "data", [b"", b"P", b"BM", b"text, not a picture", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a" + b"\0" * 20]
)
def test_not_a_picture(tmp_path, data):
    path = tmp_path / "thing.png"
    path.write_bytes(data)
    with pytest.raises(DecodeError, match=r"thing\.png"):
        read_image(path)
    with pytest.raises(DecodeError, match="the bytes given"):
        read_image(data)


def test_errors_of_the_file_system_stay(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "missing.png")
    with pytest.raises(IsADirectoryError):
        read_image(tmp_path)


def test_flipped_bytes_give_a_picture_or_a_decode_error(rng):
    for format in ("PNG", "TIFF", "JPEG", "GIF", "WEBP"):
        data = saved(Image.fromarray(rng.integers(0, 256, (9, 11, 3), dtype=np.uint8)), format)
        for _ in range(40):
            broken = bytearray(data)
            for position in rng.integers(0, len(data), 3):
                broken[position] = rng.integers(0, 256)
            with contextlib.suppress(DecodeError):
                assert isinstance(read_image(bytes(broken), max_pixels=10_000), Picture)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (b"tEXt", b"Comment\0" + bytes(1 << 21)),
        (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(5 << 20))),
        (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 28), 1)),  # unpacked to its limit only
        (b"iTXt", b"Comment\0\1\0de\0Notiz\0" + zlib.compress(bytes(3 << 20))),
        (b"iTXt", b"Comment\0\0\0\0\0" + bytes(3 << 20)),
        (b"iCCP", b"profile\0\0" + zlib.compress(bytes(2 << 20))),
    ],
)
def test_png_with_metadata_that_pillow_refuses(tmp_path, kind, data):
    rows = b"".join(b"\0" + bytes([k, 2 * k, 3 * k] * 5) for k in range(4))
    small = (b"tEXt", b"Comment\0short")
    file = png(5, 4, 8, 2, rows, extra=[(b"pHYs", struct.pack(">IIB", 11811, 11811, 1)), (kind, data), small])
    (tmp_path / "a.png").write_bytes(file)
    for source in (file, tmp_path / "a.png"):
        picture = read_image(source)
        assert picture.pixels[:, 0].tolist() == [[k, 2 * k, 3 * k] for k in range(4)]
        assert picture.dpi == pytest.approx((300, 300), abs=0.1)


def test_png_with_many_texts():
    texts = [(b"zTXt", b"Comment\0\0" + zlib.compress(bytes((1 << 20) - 1)))] * 80
    assert read_image(png(1, 1, 8, 0, b"\0\7", extra=texts)).pixels.tolist() == [[7]]


@pytest.mark.parametrize(("depth", "scale"), [(1, 255), (2, 85), (4, 17), (8, 1)])
def test_gray_png_of_few_bits_with_a_transparent_level(depth, scale):
    levels = [0, 2**depth - 1, 0, 2**depth - 1]
    bits = "".join(f"{level:0{depth}b}" for level in levels).ljust(8, "0")
    row = int(bits, 2).to_bytes(len(bits) // 8, "big")
    picture = read_image(png(4, 1, depth, 0, b"\0" + row, extra=[(b"tRNS", struct.pack(">H", 2**depth - 1))]))
    assert picture.pixels.tolist() == [[level * scale for level in levels]]
    assert picture.alpha.tolist() == [[255, 0, 255, 0]]


def test_png_of_16_bits_with_a_transparent_colour():
    row = b"\0" + struct.pack(">6H", 1000, 2000, 3000, 40000, 50000, 60000)
    picture = read_image(png(2, 1, 16, 2, row, extra=[(b"tRNS", struct.pack(">3H", 1000, 2000, 3000))]))
    assert picture.alpha.tolist() == [[0, 255]]


def tiff(bits, photometric, values, **more):
    """A picture of one row, by hand."""
    data = np.array(values, "<u2" if bits == 16 else "u1").tobytes()
    samples = more.get("samples", 1)
    tags = {256: len(values) // samples, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 8, 277: samples, 278: 1}
    tags |= {279: len(data)} | ({284: more["planar"]} if "planar" in more else {})
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_tiff_whose_white_is_zero():
    assert read_image(tiff(8, 0, [0, 10, 255])).pixels.tolist() == [[255, 245, 0]]
    assert read_image(tiff(16, 0, [0, 4096, 65535])).pixels.tolist() == [[65535, 61439, 0]]
    assert read_image(tiff(16, 1, [0, 4096, 65535])).pixels.tolist() == [[0, 4096, 65535]]


def test_tiff_in_planes(rng):
    """One plane after the other: right with 8 bits, refused with more, and the error says what helps."""
    pixels = rng.integers(0, 256, (3, 4, 3), np.uint8)
    assert np.array_equal(read_image(layered(pixels)).pixels, pixels)
    rgba = rng.integers(0, 256, (3, 4, 4), np.uint8)
    picture = read_image(layered(rgba, t338=2))
    assert np.array_equal(picture.pixels, rgba[..., :3])
    assert np.array_equal(picture.alpha, rgba[..., 3])
    for samples in (3, 4):
        with pytest.raises(DecodeError, match="interleaved channels"):
            read_image(layered(np.full((3, 4, samples), 60000, np.uint16), **({"t338": 2} if samples == 4 else {})))
    with pytest.raises(DecodeError, match="interleaved channels"):
        read_image(tiff(16, 2, [1, 2, 3, 4, 5, 6], samples=3, planar=2))


def layered(pixels, **more):
    """A TIFF whose planes lie one after the other; tags by number."""
    height, width, samples = pixels.shape
    planes = [np.ascontiguousarray(pixels[..., i]).tobytes() for i in range(samples)]
    starts = [8 + sum(map(len, planes[:i])) for i in range(samples)]
    bits, kind = 8 * pixels.dtype.itemsize, 3 if pixels.dtype.kind == "f" else 1
    tags = {256: width, 257: height, 258: [bits] * samples, 259: 1, 262: 2, 273: starts, 277: samples, 278: height}
    tags |= {279: [*map(len, planes)], 284: 2, 339: [kind] * samples, **{int(name[1:]): more[name] for name in more}}
    data, entries = b"".join(planes), b""
    for tag, value in sorted(tags.items()):
        values = value if isinstance(value, list) else [value]
        inline = struct.pack("<I", values[0] if len(values) == 1 else 8 + len(data))
        entries += struct.pack("<HHI", tag, 4, len(values)) + inline
        data += struct.pack(f"<{len(values)}I", *values) if len(values) > 1 else b""
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_a_tiff_that_pillow_cannot_read_says_what_to_do():
    for dtype, told in (
        (np.float32, "3 floating-point samples of 32 bits a pixel in planes"),
        (np.uint32, "3 samples"),
    ):
        with pytest.raises(DecodeError, match=told) as error:
            read_image(layered(np.ones((3, 4, 3), dtype)))
        assert "save it with 8 bits a sample, or give its pixels as an array" in str(error.value)


def test_a_file_at_its_end_is_told(rng):
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (5, 6, 3), np.uint8)).save(file, "PNG")
    with pytest.raises(DecodeError, match=r"at its end \(seek"):
        read_image(file)
    file.seek(0)
    assert read_image(file).pixels.shape == (5, 6, 3)


@pytest.mark.parametrize("ending", ["jfif", "JPE", "mpo", "apng"])
def test_other_endings_of_known_formats(rng, tmp_path, ending):
    pixels = rng.integers(0, 256, (5, 6, 3), np.uint8)
    format = "PNG" if ending == "apng" else "JPEG"
    with open(tmp_path / f"a.{ending}", "wb") as file:
        Image.fromarray(pixels).save(file, format)
    assert read_image(tmp_path / f"a.{ending}").pixels.shape == (5, 6, 3)
    if ending != "mpo" and ending != "apng":
        write_image(tmp_path / f"b.{ending}", pixels)
        assert (tmp_path / f"b.{ending}").read_bytes()[:2] == b"\xff\xd8"


def test_many_threads_read_at_once(rng):
    arrays = [rng.integers(0, 256, (20, 30, 3), dtype=np.uint8) for _ in range(8)]
    data = [saved(Image.fromarray(array), "PNG") for array in arrays]
    results = [None] * len(data)

    def read(index):
        results[index] = read_image(data[index]).pixels

    workers = [threading.Thread(target=read, args=(index,)) for index in range(len(data))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for array, result in zip(arrays, results, strict=True):
        np.testing.assert_array_equal(array, result)


# --- masks -----------------------------------------------------------------------------------------------------------


def test_masks_are_as_stored(rng):
    gray = rng.integers(0, 256, (3, 4), dtype=np.uint8)
    np.testing.assert_array_equal(read_mask(saved(Image.fromarray(gray), "PNG")), gray)
    np.testing.assert_array_equal(read_mask(gray), gray)
    colour = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_mask(colour), np.asarray(Image.fromarray(colour).convert("L")))
    for alpha in (gray, np.zeros_like(gray)):
        np.testing.assert_array_equal(read_mask(np.dstack([colour, alpha])), alpha)
    opaque = np.dstack([colour, np.full_like(gray, 255)])
    np.testing.assert_array_equal(read_mask(opaque), read_mask(colour))


def test_masks_of_sixteen_bits_are_rounded():
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(read_mask(every), np.rint(every / 257).astype(np.uint8))


# --- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", sorted(WRITE_SUFFIXES - {".jpg", ".jpeg", ".jfif", ".jpe"}))
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lossless_round_trip(tmp_path, rgba, suffix, channels):
    pixels = rgba[..., 0] if channels == 1 else rgba[..., :channels]
    for name in (f"a{suffix}", f"a{suffix.upper()}"):
        write_image(tmp_path / name, pixels, icc_profile=SRGB if channels > 1 else None, dpi=(300, 300))
        picture = read_image(tmp_path / name)
        if channels == 1 and suffix == ".webp":  # WebP has no gray
            assert (picture.pixels == pixels[..., None]).all()
        else:
            np.testing.assert_array_equal(picture.pixels, pixels[..., :3] if channels > 1 else pixels)
        if channels == 4:
            np.testing.assert_array_equal(picture.alpha, pixels[..., 3])
        assert picture.icc_profile == (SRGB if channels > 1 else None)
        if suffix != ".webp":
            assert picture.dpi == pytest.approx((300, 300), rel=1e-4)
    assert sorted(os.listdir(tmp_path)) == sorted([f"a{suffix}", f"a{suffix.upper()}"])


def test_jpeg(tmp_path, rgb):
    smooth = np.zeros((32, 32, 3), np.uint8) + np.arange(32, dtype=np.uint8)[:, None] * 4
    for quality in (None, 60):
        write_image(tmp_path / "a.jpg", smooth, icc_profile=SRGB, dpi=(96, 72), quality=quality)
        picture = read_image(tmp_path / "a.jpg")
        assert np.abs(picture.pixels.astype(int) - smooth).max() < 8
        assert (picture.icc_profile, picture.dpi) == (SRGB, (96, 72))
    with pytest.raises(ValueError, match="JPEG has no transparency"):
        write_image(tmp_path / "a.jpg", np.zeros((2, 2, 4), np.uint8))


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_sixteen_bit_gray_round_trip(rng, format):
    pixels = rng.integers(0, 65536, (5, 7), dtype=np.uint16)
    for array in (pixels, pixels[::-1, ::2]):
        file = io.BytesIO()
        write_image(file, array, format=format)
        np.testing.assert_array_equal(read_image(file.getvalue()).pixels, array)


def test_other_depths_become_eight_bits(rng):
    pixels = rng.integers(0, 65536, (5, 7, 4), dtype=np.uint16)
    expected = np.rint(pixels / 257).astype(np.uint8)
    for array in (pixels, (pixels / 65535).astype(np.float32)):
        file = io.BytesIO()
        write_image(file, array, format="PNG")
        picture = read_image(file.getvalue())
        np.testing.assert_array_equal(np.dstack([picture.pixels, picture.alpha]), expected)
    file = io.BytesIO()
    write_image(file, pixels[..., 0], format="jpeg")
    assert read_image(file.getvalue()).pixels.dtype == np.uint8


def test_rows_of_any_stride(rgb):
    for pixels in (rgb[:, ::-1], rgb[::2, ::2], np.asfortranarray(rgb)):
        file = io.BytesIO()
        write_image(file, pixels, format="png")
        np.testing.assert_array_equal(read_image(file.getvalue()).pixels, pixels)


def test_a_profile_for_other_pixels_is_left_out(rgb):
    for pixels, profile in ((rgb, GRAY_PROFILE), (rgb[..., 0], SRGB)):
        file = io.BytesIO()
        write_image(file, pixels, format="png", icc_profile=profile)
        assert read_image(file.getvalue()).icc_profile is None
    file = io.BytesIO()
    write_image(file, rgb[..., 0], format="png", icc_profile=GRAY_PROFILE)
    assert read_image(file.getvalue()).icc_profile == GRAY_PROFILE


@pytest.mark.parametrize(
    ("pixels", "options", "error", "words"),
    [
        ([[0]], {}, TypeError, "list"),
        (np.zeros((2, 2), np.int64), {}, TypeError, "int64"),
        (np.zeros((2, 2, 2), np.uint8), {}, ValueError, r"\(2, 2, 2\)"),
        (np.zeros((0, 2), np.uint8), {}, ValueError, "at least one pixel"),
        (np.full((2, 2), 1.5, np.float32), {}, ValueError, r"0\.\.1"),
        (np.full((2, 2), np.nan, np.float32), {}, ValueError, r"0\.\.1"),
        (np.zeros((2, 2), np.uint8), {"format": "bmp"}, ValueError, "bmp"),
        (np.zeros((2, 2), np.uint8), {"format": 3}, TypeError, "format"),
        (np.zeros((2, 2), np.uint8), {"quality": 50}, ValueError, "jpeg and webp"),
        (np.zeros((2, 2), np.uint8), {"png_level": 10}, ValueError, "png_level must be from 0 to 9"),
        (np.zeros((2, 2), np.uint8), {"format": "webp", "png_level": 4}, ValueError, "png only"),
        (np.zeros((2, 2), np.uint8), {"format": "jpeg", "quality": 0}, ValueError, "1 to 100"),
        (np.zeros((2, 2), np.uint8), {"format": "jpeg", "quality": "high"}, TypeError, "quality"),
        (np.zeros((2, 2), np.uint8), {"dpi": (0, 3)}, ValueError, "dpi"),
        (np.zeros((2, 2), np.uint8), {"icc_profile": "sRGB"}, TypeError, "icc_profile"),
        (np.zeros((1, 20000), np.uint8), {"format": "webp"}, ValueError, "16383"),
    ],
)
def test_what_cannot_be_written(tmp_path, pixels, options, error, words):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(error, match=words):
        write_image(path, pixels, **options)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.png"]


def test_destinations_that_cannot_be(tmp_path, rgb):
    with pytest.raises(ValueError, match="ending"):
        write_image(tmp_path / "a.gif", rgb)
    with pytest.raises(ValueError, match="format must be given"):
        write_image(io.BytesIO(), rgb)
    with pytest.raises(TypeError, match="int"):
        write_image(3, rgb, format="png")
    with pytest.raises(FileNotFoundError, match=r"a\.png"):
        write_image(tmp_path / "no folder" / "a.png", rgb)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(IsADirectoryError):
        write_image(tmp_path / "folder.png", rgb)


@pytest.mark.parametrize("function", ["replace", "chmod"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, rgb, monkeypatch, function):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match=r"No space.*a\.png"):
        write_image(path, rgb)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_permissions_are_those_of_open(tmp_path, rgb):
    before = os.umask(0o027)
    try:
        write_image(tmp_path / "new.png", rgb)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.png").stat().st_mode) == 0o640
    (tmp_path / "old.png").write_bytes(b"")
    (tmp_path / "old.png").chmod(0o604)
    write_image(tmp_path / "old.png", rgb)
    assert stat.S_IMODE((tmp_path / "old.png").stat().st_mode) == 0o604


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
def test_links_are_replaced_and_pipes_written_to(tmp_path, rgb):
    (tmp_path / "target.png").write_bytes(b"kept")
    (tmp_path / "link.png").symlink_to("target.png")
    write_image(tmp_path / "link.png", rgb)
    assert (tmp_path / "target.png").read_bytes() == b"kept"
    assert not (tmp_path / "link.png").is_symlink()
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_image(pipe, rgb)
    reader.join()
    np.testing.assert_array_equal(read_image(got[0]).pixels, rgb)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_relative_paths_and_odd_names(tmp_path, rgb, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a b ✂.png", "x" * 240 + ".png"):
        write_image(name, rgb)
        np.testing.assert_array_equal(read_image(name).pixels, rgb)


def test_text_that_unpacks_to_too_much_is_a_decode_error(rgb):
    bomb = b"key\0\0" + zlib.compress(bytes(PngImagePlugin.MAX_TEXT_CHUNK * 2))
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    data = png(7, 5, 8, 2, rows, [(b"zTXt", bomb)])
    with contextlib.suppress(DecodeError):  # or a Pillow that passes over such text
        np.testing.assert_array_equal(read_image(data).pixels, rgb)


# --- labels ----------------------------------------------------------------------------------------------------------


def test_strokes_in_colour_are_labels():
    picture = np.full((4, 6, 3), (120, 140, 90), np.uint8)
    picture[0, :3] = (0, 255, 0)
    picture[1, 2:4] = (255, 0, 0)
    picture[2, 0] = (31, 224, 30)  # what a JPEG makes of green
    picture[2, 1] = (32, 255, 0)
    picture[2, 2] = (223, 0, 0)
    expected = np.full((4, 6), 2, np.uint8)
    expected[0, :3] = expected[2, 0] = 1
    expected[1, 2:4] = 0
    np.testing.assert_array_equal(read_labels(picture), expected)
    expected[expected == 2] = 3
    np.testing.assert_array_equal(read_labels(picture, undecided=3), expected)


def test_strokes_that_cannot_be_seen_are_none():
    picture = np.zeros((2, 3, 4), np.uint8)
    picture[0, 0] = (0, 255, 0, 255)
    picture[0, 1] = (255, 0, 0, 0)
    np.testing.assert_array_equal(read_labels(picture), [[1, 2, 2], [2, 2, 2]])
    picture[0, 0, 3] = 100
    with pytest.raises(ValueError, match="no strokes"):
        read_labels(picture)


def test_gray_labels_are_taken_as_they_are(tmp_path):
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4) % 4
    write_image(tmp_path / "labels.png", labels)
    np.testing.assert_array_equal(read_labels(tmp_path / "labels.png"), labels)
    np.testing.assert_array_equal(read_labels(np.repeat(labels[..., None], 3, axis=2)), labels)
    np.testing.assert_array_equal(read_labels(labels.astype(np.uint16)), labels)
    with pytest.raises(ValueError, match="must be 0, 1, 2 or 3, source has 7"):
        read_labels(np.full((2, 2), 7, np.uint8))
    with pytest.raises(ValueError, match="must be 0, 1, 2 or 3, source has float32"):
        read_labels(np.ones((2, 2), np.float32))
    for empty in (np.zeros((2, 3, 4), np.uint8), np.dstack([labels] * 4)):
        with pytest.raises(ValueError, match="no strokes"):
            read_labels(empty)


def test_strokes_of_a_brush():
    from alphacut._strokes import Stroke, draw_labels

    strokes = [Stroke(True, [(2, 5), (12, 5)], 3), Stroke(False, [(7, 5)], 1), Stroke(True, [(-50, -50), (99, -50)], 9)]
    labels = draw_labels(strokes, (10, 16), undecided=2)
    assert labels.shape == (10, 16)
    assert labels[5, 3] == labels[4, 10] == labels[6, 12] == 1
    assert labels[5, 7] == 0  # the later one covers
    assert labels[8, 7] == labels[0, 0] == 2
    far = [(x, 5) for x in (-(10**6), 10**6)] * 2000
    labels = draw_labels([Stroke(True, far, 1)], (10, 16), undecided=2)
    assert (labels[5] == 1).all()
    with pytest.raises(ValueError, match="too wide"):
        draw_labels([Stroke(True, far, 10**4)] * 10, (10, 16), undecided=2)


def test_a_picture_is_taken_as_it_is(rgb):
    picture = Picture(rgb, rgb[..., 0], b"profile", (72, 72))
    assert read_image(picture) is picture
    for pixels, alpha, error in (
        (rgb.tolist(), None, TypeError),
        (rgb, rgb[..., 0].tolist(), TypeError),
        (rgb.astype(np.int32), None, TypeError),
        (rgb[:0], None, ValueError),
        (np.dstack([rgb, rgb[..., 0]]), None, ValueError),
        (rgb, rgb[1:, :, 0], ValueError),
        (rgb, rgb[..., 0].astype(np.uint16), ValueError),
    ):
        with pytest.raises(error, match="source"):
            read_image(Picture(pixels, alpha))


def test_a_resolution_of_complex_numbers_is_refused():
    for dpi in (np.array([300, 300], np.complex64), (300 + 0j, 300)):
        with pytest.raises((TypeError, ValueError), match="dpi"):
            write_image(io.BytesIO(), np.zeros((4, 4), np.uint8), format="png", dpi=dpi)
