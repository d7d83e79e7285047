"""The edge of a matte moved and softened."""

import numpy as np
import pytest

import alphacut
from alphacut import adjust_edge
from golden.calls import picture, soft
from reference import edge as reference


@pytest.mark.usefixtures("isa", "threads")
@pytest.mark.parametrize("shift", [0, 1, -1, 3, -5, 0.5, -2.25, 9.75])
@pytest.mark.parametrize("feather", [0, 0.3, 2, 6.5])
def test_equals_the_reference(rng, shift, feather):
    for height, width in ((1, 1), (1, 9), (7, 2), (23, 31)):
        alpha = np.where(rng.random((height, width)) < 0.4, rng.integers(0, 256, (height, width)), 255).astype(np.uint8)
        expected = reference.adjusted(alpha, shift, feather)
        found = adjust_edge(alpha, shift=shift, feather=feather)
        assert np.abs(found - expected).max() <= (1.01 if shift % 1 and feather else 0.51)  # rounded once or twice
        real = adjust_edge(alpha.astype(np.float32) / np.float32(255), shift=shift, feather=feather)
        assert real == pytest.approx(expected / 255, abs=2e-5)
        wide = adjust_edge(alpha.astype(np.uint16) * np.uint16(257), shift=shift, feather=feather)
        assert wide == pytest.approx(expected * 257, abs=2)


def test_what_has_one_alpha_all_around_keeps_it_exactly(rng):
    for value in (0, 1):
        alpha = np.full((40, 50), value, np.float32)
        alpha[:8] = rng.random((8, 50))
        found = adjust_edge(alpha, shift=-2, feather=2.5)
        assert (found[18:] == value).all()


def test_outwards_never_lowers_and_inwards_never_raises():
    alpha = soft()
    last = alpha
    for shift in (0.5, 1, 2.5, 6, 20):
        out, inwards = adjust_edge(alpha, shift=shift), adjust_edge(alpha, shift=-shift)
        assert (out >= last).all()
        assert (inwards <= alpha).all()
        last = out
    assert np.array_equal(adjust_edge(alpha), alpha)
    assert np.array_equal(adjust_edge(255 - alpha, shift=3), 255 - adjust_edge(alpha, shift=-3))


def test_a_disc_grows_by_so_many_pixels():
    y, x = np.mgrid[:101, :101]
    disc = (y - 50) ** 2 + (x - 50) ** 2 <= 20**2
    for shift in (-7, 7):
        grown = adjust_edge(disc, shift=shift)
        assert np.sqrt((grown > 127).sum() / np.pi) == pytest.approx(20 + shift, abs=0.4)


def test_the_flow_moves_its_edge_before_the_colours():
    plain = alphacut.remove_background(picture(), box=(30, 8, 74, 72))
    for edge in ((2, 0), (-3, 1.5), [0.5, 4]):
        moved = alphacut.remove_background(picture(), box=(30, 8, 74, 72), edge=edge)
        expected = adjust_edge(plain.alpha, shift=edge[0], feather=edge[1])
        assert np.array_equal(moved.alpha, expected)
        assert np.array_equal(moved.foreground, alphacut.estimate_foreground(picture(), expected))
    assert alphacut.remove_background(picture(), box=(30, 8, 74, 72), edge=(0, 0)).alpha.tobytes() == (
        plain.alpha.tobytes()
    )


def test_layouts_and_out():
    alpha = soft()
    expected = adjust_edge(alpha, shift=2, feather=1)
    out = np.full_like(alpha, 77)
    assert adjust_edge(np.asfortranarray(alpha), shift=2, feather=1, out=out) is out
    assert np.array_equal(out, expected)


@pytest.mark.parametrize(
    ("edge", "error"),
    [
        ((101, 0), ValueError),
        ((0, -1), ValueError),
        ((float("nan"), 0), ValueError),
        ((0, float("nan")), ValueError),
        ((1,), ValueError),
        (("1", 0), TypeError),
        (3, TypeError),
        ("1,2", TypeError),
    ],
)
def test_errors(edge, error):
    with pytest.raises(error, match=r"edge|shift|feather"):
        alphacut.Remover(edge=edge)
    if not isinstance(edge, (int, str)) and len(edge) == 2:
        with pytest.raises(error, match=r"shift|feather"):
            adjust_edge(soft(), shift=edge[0], feather=edge[1])
