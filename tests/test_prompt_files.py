"""Prompts as people hold them: paths, bytes, open files and Pillow pictures, as well as arrays."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from alphacut import DecodeError, Remover, remove_background


@pytest.fixture
def image(rng):
    picture = rng.normal(0, 6, (60, 80, 3)) + np.array((120, 130, 90))
    picture[15:45, 20:60] += (70, -70, -40)
    return picture.clip(0, 255).astype(np.uint8)


@pytest.fixture
def mask():
    inside = np.zeros((60, 80), np.uint8)
    inside[15:45, 20:60] = 255
    return inside


def held(array, tmp_path):
    """Every way to hold an array as a picture."""
    picture = Image.fromarray(array)
    file = io.BytesIO()
    picture.save(file, "PNG")
    (tmp_path / "a.png").write_bytes(file.getvalue())
    return [tmp_path / "a.png", str(tmp_path / "a.png"), file.getvalue(), io.BytesIO(file.getvalue()), picture]


@pytest.mark.parametrize("name", ["mask", "trimap", "labels"])
def test_every_way_to_hold_a_prompt_gives_the_same(image, mask, tmp_path, name):
    array = {
        "mask": mask,
        "trimap": np.where(mask, 255, 0).astype(np.uint8),
        "labels": np.where(mask, 1, 2).astype(np.uint8),
    }
    array = array[name]
    if name == "trimap":
        array[13:17] = array[43:47] = 128
    expected = remove_background(image, **{name: array})
    for source in held(array, tmp_path):
        assert remove_background(image, **{name: source}).alpha.tobytes() == expected.alpha.tobytes()
    remover = Remover(**{name: tmp_path / "a.png"})
    (tmp_path / "a.png").unlink()  # read once
    for _ in range(2):
        assert remover(image).alpha.tobytes() == expected.alpha.tobytes()
    assert Remover()(image, **{name: Image.fromarray(array)}).alpha.tobytes() == expected.alpha.tobytes()


@pytest.mark.parametrize("value", [1, 255, 100])
@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "RGBA", "I;16"])
def test_masks_of_any_mode(image, mask, value, mode):
    expected = remove_background(image, mask=mask)
    if mode == "RGBA":  # the subject is what can be seen
        source = Image.merge("RGBA", [Image.new("L", (80, 60), value)] * 3 + [Image.fromarray(mask)])
    elif mode == "I;16":
        source = Image.fromarray((mask > 0) * np.uint16(value * 257))
    elif mode == "1":
        source = Image.fromarray(mask > 0)
    elif mode == "P":
        source = Image.fromarray((mask > 0).astype(np.uint8)).convert("P")
        source.putpalette([0, 0, 0, value, value, 0])
    else:
        source = Image.fromarray((mask > 0) * np.uint8(value)).convert(mode)
    assert remove_background(image, mask=source).alpha.tobytes() == expected.alpha.tobytes()


def test_a_soft_mask_is_cut_at_half(image, mask):
    soft = Image.fromarray(mask).filter(ImageFilter.GaussianBlur(4))
    expected = remove_background(image, mask=np.asarray(soft) > 127).alpha.tobytes()
    assert remove_background(image, mask=np.asarray(soft)).alpha.tobytes() == expected
    assert remove_background(image, mask=soft).alpha.tobytes() == expected


def test_strokes_painted_into_the_photo(image):
    painted = image.copy()
    painted[28:32, 30:50] = (0, 255, 0)
    painted[2:5, 5:70] = (255, 0, 0)
    alone = remove_background(image, labels=Image.fromarray(painted))
    labels = np.full(image.shape[:2], 2, np.uint8)
    labels[28:32, 30:50], labels[2:5, 5:70] = 1, 0
    assert alone.alpha.tobytes() == remove_background(image, labels=labels).alpha.tobytes()
    labels[labels == 2] = 3  # inside a box, what has no stroke is probably the subject
    box = (15, 10, 50, 40)
    both = remove_background(image, labels=Image.fromarray(painted), box=box)
    assert both.alpha.tobytes() == remove_background(image, labels=labels, box=box).alpha.tobytes()


@pytest.mark.parametrize("name", ["mask", "trimap", "labels"])
def test_what_is_no_prompt(image, name, tmp_path):
    with pytest.raises(FileNotFoundError):
        remove_background(image, **{name: tmp_path / "none.png"})
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(DecodeError, match=r"text\.png"):
        remove_background(image, **{name: Path(tmp_path / "text.png")})
    for bad in ([[1]], 3, object()):
        with pytest.raises(TypeError, match=f"{name} must be"):
            remove_background(image, **{name: bad})
    for bad in (np.zeros((60, 80)), np.zeros((60, 80), np.int64)):
        with pytest.raises(TypeError, match=f"{name} must be a uint8"):
            remove_background(image, **{name: bad})
    with pytest.raises(ValueError, match=f"{name} must have the picture's shape"):
        remove_background(image, **{name: Image.new("L", (80, 61))})
