"""Files as people have them: right, or refused with the reason."""

import contextlib
import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, ImageOps, PngImagePlugin, features

import alphacut
from alphacut.files import DecodeError, Picture, read_image, read_mask, write_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(width, height, depth, kind, rows, extra=(), interlaced=0):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*parts) for parts in chunks)


def rows(array):
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)


# --- PNG -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", ["bytes", "pillow"])
def test_gray_with_alpha_keeps_16_bits(rng, held):
    array = rng.integers(0, 65536, (5, 7, 2)).astype(np.uint16)
    data = png(7, 5, 16, 4, rows(array))
    source = data if held == "bytes" else Image.open(io.BytesIO(data))
    for _ in range(2):  # a Pillow picture can be given again
        picture = read_image(source)
        assert picture.pixels.dtype == picture.alpha.dtype == np.uint16
        np.testing.assert_array_equal(picture.pixels, array[..., 0])
        np.testing.assert_array_equal(picture.alpha, array[..., 1])
    if held == "pillow":
        source.load()
        np.testing.assert_array_equal(np.asarray(source.convert("RGBA"))[..., 3], array[..., 1] >> 8)


def test_gray_with_alpha_of_16_bits_is_turned(rng):
    array = rng.integers(0, 65536, (5, 7, 2)).astype(np.uint16)
    exif = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    picture = read_image(png(7, 5, 16, 4, rows(array), [(b"eXIf", exif)]))
    np.testing.assert_array_equal(picture.pixels, np.rot90(array[..., 0], -1))
    np.testing.assert_array_equal(picture.alpha, np.rot90(array[..., 1], -1))


def test_a_transparent_colour_of_16_bits_is_all_of_them():
    key = (1000, 2000, 3000)
    array = np.array([[key, (1001, 2000, 3000), (1000, 2000, 3255), (0, 0, 0)]], np.uint16)
    picture = read_image(png(4, 1, 16, 2, rows(array), [(b"tRNS", struct.pack(">3H", *key))]))
    assert picture.alpha.tolist() == [[0, 255, 255, 255]]
    np.testing.assert_array_equal(picture.pixels, array >> 8)


@pytest.mark.parametrize(("depth", "row", "key"), [(1, b"\x90", 1), (2, b"\xc3", 3), (4, b"\xf3\x3f", 15)])
def test_a_pillow_picture_with_a_transparent_gray_is_left_as_it_is(depth, row, key):
    data = png(4, 1, depth, 0, b"\0" + row, [(b"tRNS", struct.pack(">H", key))])
    image = Image.open(io.BytesIO(data))
    before = dict(image.info)
    assert read_image(image).alpha.tolist() == [[0, 255, 255, 0]]
    assert image.info == before


# --- TIFF, BMP -------------------------------------------------------------------------------------------------------


def tiff(width, bits, data, **more):
    """One row; tags by number."""
    tags = {256: width, 257: 1, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: len(data)}
    tags |= {int(name[1:]): value for name, value in more.items()}
    place = 8 + len(data) + 2 + 12 * len(tags) + 4
    entries, behind = b"", b""
    for tag, value in sorted(tags.items()):
        values = value if isinstance(value, list) else [value]
        if len(values) > 1:
            entries += struct.pack("<HHII", tag, 3, len(values), place + len(behind))
            behind += struct.pack(f"<{len(values)}H", *values)
        else:
            entries += struct.pack("<HHII", tag, 4, 1, values[0])
    head = b"II*\0" + struct.pack("<I", 8 + len(data)) + data
    return head + struct.pack("<H", len(tags)) + entries + bytes(4) + behind


def test_tiff_of_12_bits_has_the_whole_range():
    assert read_image(tiff(2, 12, b"\xff\xf0\x00")).pixels.tolist() == [[65535, 0]]
    assert read_image(tiff(2, 12, b"\x80\x0f\xff")).pixels.tolist() == [[32776, 65535]]


def test_tiff_with_a_palette_of_8_bits_is_not_black():
    entries = list(range(256))
    picture = read_image(tiff(3, 8, b"\0\x80\xff", t262=3, t320=entries * 3))
    assert picture.pixels[0, :, 0].tolist() == [0, 128, 255]
    picture = read_image(tiff(3, 8, b"\0\x80\xff", t262=3, t320=[value * 257 for value in entries] * 3))
    assert picture.pixels[0, :, 0].tolist() == [0, 128, 255]


def test_tiff_samples_with_a_sign_are_refused():
    with pytest.raises(DecodeError, match="sign"):
        read_image(tiff(2, 8, b"\xff\x01", t339=2))


def test_bmp_whose_fourth_byte_is_not_used():
    def bmp(alpha):
        masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
        head = struct.pack("<IiiHHIIiiII", 108, 2, 1, 1, 32, 3, 8, 0, 0, 0, 0) + masks + bytes(52)
        return (
            b"BM" + struct.pack("<IHHI", 14 + len(head) + 8, 0, 0, 14 + len(head)) + head + bytes([1, 2, 3, alpha]) * 2
        )

    picture = read_image(bmp(0))
    assert picture.alpha is None
    assert picture.pixels.tolist() == [[[3, 2, 1]] * 2]
    assert read_image(bmp(9)).alpha.tolist() == [[9, 9]]


# --- HEIF and AVIF ---------------------------------------------------------------------------------------------------


@pytest.fixture
def heic(rng):
    """A HEIC of an upright picture of 24 x 40 whose left half is red, with EXIF data that say 6."""
    heif = pytest.importorskip("pillow_heif")
    array = np.zeros((40, 24, 3), np.uint8)
    array[:, :12] = (220, 20, 20)
    exif = Image.Exif()
    exif[0x0110], exif[0x0112] = "Model", 6
    file = io.BytesIO()
    try:
        heif.from_pillow(Image.fromarray(np.rot90(array))).save(file, quality=95, exif=exif.tobytes())
    except (RuntimeError, OSError) as error:
        pytest.skip(f"no encoder: {error}")
    return file.getvalue(), array


def test_heic_is_read_and_turned_once(heic, monkeypatch):
    data, array = heic
    before = dict(Image.OPEN)
    picture = read_image(data)
    assert before.keys() >= Image.OPEN.keys() - {"AVIF"}  # nothing is registered with Pillow
    assert picture.pixels.shape == array.shape
    assert np.abs(picture.pixels.astype(int) - array).mean() < 10
    assert b"Model" in picture.exif
    with pytest.raises(DecodeError, match="limit of 100"):
        read_image(data, max_pixels=100)
    for lenient in (False, True):
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
        for length in (len(data) - 5, len(data) // 2, 300):
            with pytest.raises(DecodeError):
                read_image(data[:length])


def test_heic_without_the_extra_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for brand in (b"heic", b"mif1", b"heix"):
        with pytest.raises(DecodeError, match=r"pip install 'alphacut\[heif\]'"):
            read_image(struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + b"mif1heic")
    assert {".heic", ".heif", ".hif", ".avif"} <= alphacut.files.READ_SUFFIXES  # found in folders, so that it is told


def test_avif(rng, monkeypatch):
    data = struct.pack(">I", 24) + b"ftyp" + b"mif1" + bytes(4) + b"mif1avif"
    plugin = sys.modules.get("PIL.AvifImagePlugin")
    if plugin is not None and features.check("avif"):
        smooth = np.add.outer(np.arange(32), np.arange(48)).astype(np.uint8) * 3
        found = read_image(saved(Image.fromarray(np.dstack([smooth] * 4)), "AVIF", quality=95))
        assert np.abs(found.pixels.astype(int) - smooth[..., None]).mean() < 3
        assert np.abs(found.alpha.astype(int) - smooth).mean() < 3
    monkeypatch.setitem(sys.modules, "PIL.AvifImagePlugin", None)
    with pytest.raises(DecodeError, match=r"Pillow of 11\.3"):
        read_image(data)


# --- turned pictures and EXIF ----------------------------------------------------------------------------------------


def exif_of(orientation, size=None):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x011A], exif[0x013B] = "Maker", orientation, 72.0, "Author"
    inner = exif.get_ifd(0x8769)
    inner[0x829A], inner[0x9003], inner[0x927C] = 0.004, "2024:05:06 07:08:09", b"notes of the maker" * 9
    if size is not None:
        inner[0xA002], inner[0xA003] = size
    exif.get_ifd(0x8825)[1] = "N"
    return exif


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=pytest.mark.skipif(
    not features.check("avif"), reason="a Pillow without AVIF"))])  # fmt: skip
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_what_pillow_has_turned_is_not_turned_again(format, orientation):
    array = np.zeros((40, 60, 3), np.uint8)
    array[:20, :30] = 255
    data = saved(Image.fromarray(array), format, exif=exif_of(orientation))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    in_place = Image.open(io.BytesIO(data))
    ImageOps.exif_transpose(in_place, in_place=True)
    for source in (data, Image.open(io.BytesIO(data)), upright, in_place, upright.convert("RGB"), upright.copy()):
        found = read_image(source).pixels.astype(int)
        assert found.shape == np.asarray(upright).shape
        assert np.abs(found - np.asarray(upright)).mean() < 8


@pytest.mark.parametrize(("stored", "xmp", "shape"), [(6, 1, (6, 4)), (0, 6, (6, 4)), (9, 6, (6, 4)), (9, 1, (4, 6))])
def test_an_orientation_that_there_is_not_says_nothing(stored, xmp, shape):
    text = f'<x:xmpmeta tiff:Orientation="{xmp}"/>'.encode()
    data = saved(Image.new("L", (6, 4)), "WEBP", exif=exif_of(stored), xmp=text)
    assert read_image(data).pixels.shape[:2] == shape


def test_what_was_turned_by_hand_is_not_turned_again():
    array = np.arange(24, dtype=np.uint8).reshape(4, 6)
    data = saved(Image.fromarray(array), "PNG", exif=exif_of(6, (6, 4)))
    stored = Image.open(io.BytesIO(data))
    upright = np.rot90(array, -1)
    for source in (
        stored,
        stored.convert("L"),
        stored.transpose(Image.Transpose.ROTATE_270),
        stored.rotate(270, expand=True),
    ):
        np.testing.assert_array_equal(read_image(source).pixels, upright)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_is_saved_if_asked_to(tmp_path, format, suffix):
    photo = Image.new("RGB", (60, 50), "white")
    photo.paste((200, 30, 30), (20, 15, 40, 35))
    exif = exif_of(6, (60, 50))
    cutout = alphacut.remove_background(saved(photo, format, exif=exif.tobytes()), refine=None)
    assert cutout.alpha.shape == (60, 50)
    path = tmp_path / f"a{suffix}"
    cutout.save(path, background="blue")
    assert 0x010F not in Image.open(io.BytesIO(path.read_bytes())).getexif()
    cutout.save(path, background="blue", exif=True)
    found = Image.open(io.BytesIO(path.read_bytes())).getexif()
    assert (found[0x010F], found[0x013B]) == ("Maker", "Author")
    assert found.get(0x0112, 1) == 1
    inner = found.get_ifd(0x8769)
    assert inner[0x9003] == "2024:05:06 07:08:09"
    assert float(inner[0x829A]) == pytest.approx(0.004)
    assert not inner.keys() & {0x927C, 0xA002, 0xA003}
    assert found.get_ifd(0x8825) == {1: "N"}
    assert read_image(path).pixels.shape[:2] == (60, 50)
    with pytest.raises(TypeError, match="exif"):
        cutout.save(path, exif=1)


def test_what_is_no_exif_is_not_written_into_a_tiff(tmp_path):
    with pytest.raises(ValueError, match="exif must be EXIF data"):
        write_image(tmp_path / "a.tiff", np.zeros((2, 2), np.uint8), exif=b"something else")
    assert not list(tmp_path.iterdir())


def test_exif_of_other_order_and_of_any_damage(rng):
    image = Image.fromarray(rng.integers(0, 256, (4, 6), np.uint8))
    exif = exif_of(8)
    exif.endian = ">"
    whole = exif.tobytes()
    kept = read_image(saved(image, "PNG", exif=whole)).exif
    assert kept[6:8] == b"MM"
    assert b"Maker" in kept
    for length in range(6, len(whole), 3):
        read_image(saved(image, "PNG", exif=whole[:length]))
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(6, len(whole), 4):
            damaged[place] = rng.integers(256)
        read_image(saved(image, "PNG", exif=bytes(damaged)))


def test_exif_that_is_none(tmp_path):
    write_image(tmp_path / "a.jpg", np.zeros((2, 2), np.uint8))
    assert read_image(tmp_path / "a.jpg").exif is None
    with pytest.raises(TypeError, match="exif must be bytes"):
        write_image(tmp_path / "b.jpg", np.zeros((2, 2), np.uint8), exif="text")


# --- profiles --------------------------------------------------------------------------------------------------------


def gray_profile(gamma):
    """A profile for gray of one exponent, by hand."""
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    text = b"desc" + bytes(4) + struct.pack(">I", 2) + b"g\0" + bytes(78)
    blocks = {b"desc": text + bytes(-len(text) % 4), b"wtpt": white, b"kTRC": curve}
    place, table, data = 128 + 4 + 12 * len(blocks), struct.pack(">I", len(blocks)), b""
    for name, block in blocks.items():
        table += name + struct.pack(">II", place + len(data), len(block))
        data += block
    head = struct.pack(">I4sI4s4s4s", place + len(data), bytes(4), 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + data


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_of_another_profile_is_brought_to_srgb(dtype):
    full = np.iinfo(dtype).max
    linear = np.linspace(0, full, 64).round().astype(dtype).reshape(8, 8)
    data = saved(Image.fromarray(linear), "PNG", icc_profile=gray_profile(1.0))
    picture = read_image(data)
    assert picture.icc_profile is None
    assert picture.pixels.dtype == dtype
    expected = alphacut.encode_srgb((linear / full).astype(np.float32))
    assert np.abs(picture.pixels / full - expected).max() < 1.6 / 255
    stored = np.rint(linear / full * 255).astype(np.uint8)
    np.testing.assert_array_equal(read_mask(data), stored)  # a mask is no colour


def test_gray_of_a_profile_keeps_its_tones_in_the_cutout():
    photo = np.full((50, 60), 255, np.uint8)
    photo[15:35, 20:40] = 55
    cutout = alphacut.remove_background(
        saved(Image.fromarray(photo), "PNG", icc_profile=gray_profile(1.0)), refine=None
    )
    file = io.BytesIO()
    cutout.save(file, format="png")
    found = read_image(file.getvalue())
    assert found.icc_profile is None
    assert found.pixels[25, 30].tolist() == pytest.approx(
        [round(255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055))] * 3, abs=1
    )


def test_gray_whose_profile_cannot_be_read_stays():
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    broken = SRGB[:16] + b"GRAY" + SRGB[20:]
    picture = read_image(Picture(pixels, icc_profile=broken))
    assert picture.icc_profile == broken
    assert picture.pixels is pixels


def test_profile_and_resolution_reach_pillow_and_files(tmp_path):
    photo = Image.new("RGB", (60, 50), "white")
    photo.paste((200, 30, 30), (20, 15, 40, 35))
    cutout = alphacut.remove_background(saved(photo, "PNG", icc_profile=SRGB, dpi=(300, 200)), refine=None)
    info = cutout.to_pil().info
    assert info["icc_profile"] == SRGB
    assert info["dpi"] == pytest.approx((300, 200), rel=1e-3)
    for name in ("a.png", "a.tiff"):
        cutout.save(tmp_path / name)
        picture = read_image(tmp_path / name)
        assert picture.icc_profile == SRGB
        assert picture.dpi == pytest.approx((300, 200), rel=1e-3)


# --- Pillow's globals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "WEBP"])
def test_cut_short_is_told_whatever_pillow_is_set_to(rng, format, monkeypatch):
    data = saved(Image.fromarray(rng.integers(0, 256, (120, 90, 3), np.uint8)), format)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    assert read_image(data).pixels.shape == (120, 90, 3)
    for length in (len(data) * 2 // 3, len(data) // 2):
        with pytest.raises(DecodeError):
            read_image(data[:length])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_settings_of_pillow_stay(rng):
    def settings():
        texts = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
        return Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, ImageFile.MAXBLOCK, texts

    before = settings()
    for format in ("PNG", "TIFF", "WEBP"):
        read_image(saved(Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)), format))
    with contextlib.suppress(DecodeError):
        read_image(png(60000, 60000, 8, 2, b""))
    assert settings() == before


# --- arrays ----------------------------------------------------------------------------------------------------------


def test_float64_is_taken_as_float32(rng):
    array = rng.random((6, 7, 4))
    picture = read_image(array)
    assert picture.pixels.dtype == picture.alpha.dtype == np.float32
    np.testing.assert_array_equal(picture.pixels, array[..., :3].astype(np.float32))
    image = np.full((50, 60, 3), 0.9)
    image[15:35, 20:40] = (0.8, 0.1, 0.1)
    cutout, single = (alphacut.remove_background(pixels) for pixels in (image, image.astype(np.float32)))
    assert cutout.alpha.dtype == np.float32
    assert cutout.alpha.tobytes() == single.alpha.tobytes()
    for bad in (image * 255, np.full((4, 4), np.nan), np.full((4, 4), 1e300)):
        with pytest.raises(ValueError, match=r"image of float32 must lie in 0\.\.1"):
            alphacut.remove_background(bad)
    file = io.BytesIO()
    write_image(file, np.full((2, 2), 0.5), format="png")
    assert read_image(file.getvalue()).pixels.tolist() == [[128, 128]] * 2
