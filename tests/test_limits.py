"""What a file may cost is known before it is decoded: files that are small and ask for much."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, features

from alphacut.files import DecodeError, TooManyPixelsError, limits, read_image


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def directory(tags, at=8, data=b""):
    """A directory of TIFF at `at`: tag -> (type, number, value or place)."""
    entries = b"".join(struct.pack("<HHII", tag, *values) for tag, values in sorted(tags.items()))
    return struct.pack("<H", len(tags)) + entries + bytes(4) + data


def tiff(tags, data=b""):
    """The data lie behind the directory, where `DATA` stands for their place."""
    place = 8 + 2 + 12 * len(tags) + 4
    tags = {tag: tuple(place if value is DATA else value for value in values) for tag, values in tags.items()}
    return b"II*\0" + struct.pack("<I", 8) + directory(tags, data=data)


DATA = object()
GRAY = {256: (3, 1, 16), 257: (3, 1, 16), 258: (3, 1, 8), 259: (3, 1, 8), 262: (3, 1, 1), 277: (3, 1, 1)}


def tiled(side):
    packed = zlib.compress(bytes(side * side))
    parts = {322: (4, 1, side), 323: (4, 1, side), 324: (4, 1, DATA), 325: (4, 1, len(packed))}
    return tiff(GRAY | parts, packed)


def test_tile_of_a_tiff():
    assert read_image(tiled(256)).pixels.shape == (16, 16)
    with pytest.raises(DecodeError, match="16 x 16 pixels, but a tile of 4112 x 4112"):
        read_image(tiled(4112))
    with pytest.raises(DecodeError, match="a tile of 256 x 256"):  # never more at once than is allowed
        read_image(tiled(256), max_pixels=65535)


def test_a_large_tile_of_a_large_picture_is_read(rng, monkeypatch):
    monkeypatch.setattr(limits, "MAX_TILE", 64)
    array = rng.integers(0, 256, (40, 50), np.uint8)
    padded = np.zeros((48, 64), np.uint8)
    padded[:40, :50] = array
    packed = zlib.compress(padded.tobytes())
    parts = {256: (3, 1, 50), 257: (3, 1, 40), 322: (4, 1, 64), 323: (4, 1, 48), 324: (4, 1, DATA)}
    np.testing.assert_array_equal(read_image(tiff(GRAY | parts | {325: (4, 1, len(packed))}, packed)).pixels, array)


def test_strips_of_a_tiff(monkeypatch):
    monkeypatch.setattr(limits, "MAX_STRIPS", 3)
    strips = {273: (4, 4, DATA), 279: (4, 4, DATA), 278: (4, 1, 4)}
    with pytest.raises(DecodeError, match="4 strips or tiles are more than the limit of 3"):
        read_image(tiff(GRAY | strips, bytes(64)))


@pytest.mark.parametrize("rows", [16, 2**31 - 1, 2**32 - 1])
def test_strips_that_are_longer_than_the_picture(rows):
    packed = zlib.compress(bytes(256))
    strips = {273: (4, 1, DATA), 279: (4, 1, len(packed)), 278: (4, 1, rows)}
    try:
        assert read_image(tiff(GRAY | strips, packed)).pixels.shape == (16, 16)
    except DecodeError:
        assert rows > 16


def test_tags_that_share_their_data():
    data = bytes(1 << 20)
    strips = {273: (4, 1, DATA), 279: (4, 1, 256), 259: (3, 1, 1)}
    many = {tag: (1, len(data), DATA) for tag in range(40000, 40100)}
    assert read_image(tiff(GRAY | strips | dict(list(many.items())[:1]), data)).pixels.shape == (16, 16)
    with pytest.raises(DecodeError, match="metadata that take"):
        read_image(tiff(GRAY | strips | many, data))


def test_a_tiff_of_too_many_pixels_is_refused_by_its_directory():
    with pytest.raises(TooManyPixelsError, match="60000 x 60000"):
        read_image(tiff(GRAY | {256: (3, 1, 60000), 257: (3, 1, 60000), 273: (4, 1, DATA), 279: (4, 1, 8)}, bytes(8)))


@pytest.mark.parametrize("start", ["preview", "CR2"])
def test_a_cameras_raw_file_is_no_picture(start):
    strips = {273: (4, 1, DATA), 279: (4, 1, 256), 259: (3, 1, 1)}
    data = tiff(GRAY | strips | ({254: (4, 1, 1)} if start == "preview" else {}), bytes(256))
    if start == "CR2":
        data = b"II*\0" + struct.pack("<I", 16) + b"CR\2\0" + bytes(4) + directory(GRAY | strips | {273: (4, 1, 8)})
    with pytest.raises(DecodeError, match="raw file"):
        read_image(data)


# --- JPEG ------------------------------------------------------------------------------------------------------------


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def progressive(scans, between=b""):
    """A gray picture of 8 x 8 whose further scans say nothing new."""
    head = segment(0xDB, b"\0" + bytes([16] * 64)) + segment(0xC2, struct.pack(">BHHB", 8, 8, 8, 1) + b"\1\x11\0")
    codes = segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0") + segment(
        0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0"
    )
    first = segment(0xDA, b"\1\1\0\0\0\0") + b"\x7f"
    further = segment(0xDA, b"\1\1\0\1\x3f\0") + b"\x7f" + between
    return b"\xff\xd8" + head + codes + first + further * (scans - 1) + b"\xff\xd9"


def test_scans_of_a_jpeg():
    assert read_image(progressive(limits.MAX_SCANS)).pixels.shape == (8, 8)
    assert read_image(progressive(10) + progressive(60)).pixels.shape == (8, 8)  # the second one is not read
    end = segment(0xFE, b"\xff\xd9")  # no end, but the text of a comment
    for data in (
        progressive(limits.MAX_SCANS + 1),
        progressive(3000),
        progressive(100, end),
        progressive(100, b"\xff"),
    ):
        with pytest.raises(DecodeError, match="more than the limit of 64 scans"):
            read_image(data)


def test_scans_of_a_jpeg_that_is_not_progressive(rng):
    data = saved(Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)), "JPEG", subsampling=0)
    start = data.index(b"\xff\xda")
    scan = data[start:-2]
    alone = scan[:4] + b"\1" + scan[5:]  # one component of the three at a time
    with pytest.raises(DecodeError, match="scans"):
        read_image(data[:start] + alone * 100 + b"\xff\xd9")


def test_segments_of_a_jpeg(rng):
    data = saved(Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)), "JPEG")
    assert read_image(data[:2] + segment(0xFE, b"a") * 1000 + data[2:]).pixels.shape == (8, 8)
    with pytest.raises(DecodeError, match="segments"):
        read_image(data[:2] + segment(0xFE, b"a") * 30_000 + data[2:])


def exif_that_shares(size, tags):
    many = {tag: (1, size, 8) for tag in range(1000, 1000 + tags)}
    return b"II*\0" + struct.pack("<I", size) + bytes(size - 8) + directory(many)


def test_exif_tags_that_share_their_data(rng):
    image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
    few, many = (b"Exif\0\0" + exif_that_shares(40_000, tags) for tags in (1, 2000))
    data = saved(image, "JPEG")
    assert read_image(data[:2] + segment(0xE1, few) + data[2:]).pixels.shape == (8, 8, 3)
    with pytest.raises(DecodeError, match="metadata that take"):
        read_image(data[:2] + segment(0xE1, many) + data[2:])
    for format in ("PNG", "WEBP"):  # of which nothing reads the tags but ourselves, and only those we want
        assert read_image(saved(image, format, exif=many)).exif is None


@pytest.mark.skipif(not features.check("avif"), reason="a Pillow without AVIF")
def test_exif_of_an_avif(rng):
    image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    data = saved(image, "AVIF", exif=exif)
    assert b"Maker" in read_image(data).exif
    with pytest.raises(DecodeError, match="metadata that take"):
        read_image(data + exif_that_shares(100_000, 1000))


# --- others ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["VP8X", "VP8L", "VP8 "])
def test_canvas_of_a_webp(rng, kind):
    image = Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8))
    data = saved(image, "WEBP", lossless=kind == "VP8L", **({"xmp": b"<x/>"} if kind == "VP8X" else {}))
    assert data[12:16] == kind.encode()
    assert read_image(data, max_pixels=63).pixels.shape == (9, 7, 3)
    with pytest.raises(TooManyPixelsError, match="7 x 9 pixels are more than the limit of 62"):
        read_image(data, max_pixels=62)


def jpeg2000(box=None, **size):
    """A sound file whose codestream then says something else."""
    data = bytearray(saved(Image.new("RGB", (40, 30)), "JPEG2000", no_jp2=box is None))
    place = data.index(b"\xff\x4f\xff\x51") + 8
    for name, value in size.items():
        if name == "channels":
            data[place + 32 : place + 34] = struct.pack(">H", value)
        else:
            number = ["width", "height", "left", "top", "tile_width", "tile_height"].index(name)
            data[place + 4 * number : place + 4 * number + 4] = struct.pack(">I", value)
    return bytes(data)


@pytest.mark.parametrize("box", [None, True])
def test_codestream_of_a_jpeg_2000(box):
    assert read_image(jpeg2000(box)).pixels.shape == (30, 40, 3)
    with pytest.raises(TooManyPixelsError, match="60000 x 30000"):
        read_image(jpeg2000(box, width=60000, height=30000))
    with pytest.raises(DecodeError, match="16000 channels"):
        read_image(jpeg2000(box, channels=16000))
    with pytest.raises(DecodeError, match="40000 tiles"):
        read_image(jpeg2000(box, width=2000, height=2000, tile_width=10, tile_height=10))
    with pytest.raises(DecodeError):
        read_image(jpeg2000(box, tile_width=0))
    if box:
        with pytest.raises(DecodeError):
            read_image(jpeg2000(box, width=39))


@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG", "WEBP", "JPEG2000"])
def test_headers_that_end_anywhere(rng, format):
    data = saved(Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)), format)
    for length in range(1, min(len(data) - 2, 400), 3):
        try:
            assert read_image(data[:length]).pixels.shape == (8, 8, 3)
        except DecodeError:
            continue
