"""The editor of notebooks, its Python half; the other is tests/browser/test_notebook.py's."""

import io

import numpy as np
import pytest
from PIL import Image

import alphacut

pytest.importorskip("anywidget", reason="the extra 'notebook' is not installed")
from alphacut.notebook import Editor


def scene(height=60, width=90):
    rng = np.random.default_rng(3)
    image = rng.integers(150, 190, (height, width, 3), np.uint8)
    image[15:45, 10:35] = (200, 40, 30)
    image[15:45, 55:80] = (30, 60, 200)
    return image


def seen(editor):
    return np.asarray(Image.open(io.BytesIO(editor.alpha)))


def test_what_is_drawn_is_cut():
    image = scene()
    editor = Editor(image, refine=None)
    assert editor.size == [90, 60]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(editor.picture))), image)
    for said, prompts in (
        ({}, {}),
        ({"box": [5, 10, 35, 40]}, {"box": (5, 10, 35, 40)}),
        ({"box": None, "points": [[70, 30, 1], [20, 30, 0]]}, {"points": [(70, 30), (20, 30, 0)]}),
    ):
        editor.said = said
        expected = alphacut.remove_background(image, refine=None, **prompts)
        assert np.array_equal(seen(editor), expected.alpha)
        assert np.array_equal(editor.cutout.alpha, expected.alpha)
        assert editor.told.startswith(expected.verdict)


def test_strokes_are_labels():
    editor = Editor(scene())
    strokes = [
        {"keep": True, "points": [[65, 20], [65, 40]], "width": 6},
        {"keep": False, "points": [[20, 20], [20, 40]], "width": 6},
    ]
    editor.said = {"strokes": strokes}
    mask = editor.cutout.mask
    assert mask[30, 65]
    assert not mask[30, 20]
    first = editor.cutout
    assert editor.cutout is first  # made once


def test_the_cutout_has_the_options_and_the_full_size():
    image = np.kron(scene(), np.ones((20, 20, 1), np.uint8))  # 1200 × 1800, shown smaller
    editor = Editor(image)
    assert max(seen(editor).shape) == 900
    editor.said = {"box": [100, 200, 700, 800]}
    expected = alphacut.remove_background(image, box=(100, 200, 700, 800))
    assert np.array_equal(editor.cutout.rgba, expected.rgba)
    assert editor.cutout.refine == expected.refine


def test_what_cannot_be_cut_is_told():
    editor = Editor(scene())
    before = editor.alpha
    editor.said = {"points": [[500, 3, 1]]}
    assert "lies outside the picture" in editor.told
    assert editor.alpha == before
    with pytest.raises(ValueError, match="lies outside the picture"):
        _ = editor.cutout
    editor.said = {}
    assert editor.told.startswith(editor.cutout.verdict)
    with pytest.raises(TypeError, match="refine"):
        Editor(scene(), refine=3)
