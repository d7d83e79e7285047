import numpy as np
import pytest

import alphacut
from alphacut import _core
from reference import superpixels as reference

pytestmark = pytest.mark.usefixtures("isa")


def blobs(rng, height, width, noise=6):
    """Patches of a few colours, with noise."""
    y, x = np.mgrid[:height, :width]
    seeds = rng.integers(0, max(height, width), (6, 2))
    patch = ((y[..., None] - seeds[:, 0]) ** 2 + (x[..., None] - seeds[:, 1]) ** 2).argmin(axis=2)
    image = rng.integers(0, 256, (6, 3))[patch] + rng.normal(0, noise, (height, width, 3))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), patch


def lab_of(image):
    lab = alphacut.rgb_to_lab(image)
    if image.ndim == 2:
        lab[..., 1:] = 0
    return lab


def assert_pieces(found):
    """Every label is one piece, numbered in raster order."""
    labels, count = found
    assert labels.dtype == np.int32
    pieces = alphacut.label_components(labels, connectivity=4, delta=0, background=None)[0]
    assert np.array_equal(pieces, labels + 1)
    assert labels.max() + 1 == count
    return found


@pytest.mark.parametrize(
    "options", [{}, {"compactness": 1}, {"compactness": 1000.0}, {"max_iter": 1}, {"max_iter": 40}]
)
def test_equals_the_reference(options, rng):
    for shape in ((23, 31), (40, 17), (1, 30), (30, 1), (9, 64)):
        image, _ = blobs(rng, *shape)
        for n_segments in (1, 7, 40, 10**6):
            found = alphacut.slic(image, n_segments, **options)
            labels, count = reference.slic(lab_of(image), n_segments, **options)
            assert np.array_equal(found.labels, labels)
            assert found.n_segments == count
            if n_segments < 10**6:
                assert_pieces(found)


def test_all_small_shapes(rng):
    for height in range(1, 18):
        for width in range(1, 18):
            image = rng.integers(0, 256, (height, width, 3), np.uint8)
            found = assert_pieces(alphacut.slic(image, 5, compactness=3))
            assert np.array_equal(found.labels, reference.slic(lab_of(image), 5, 3)[0])


def test_every_kind_of_picture(rng):
    image, _ = blobs(rng, 60, 70)
    expected = alphacut.slic(image, 20).labels
    assert np.array_equal(alphacut.slic(image.astype(np.uint16) * np.uint16(257), 20).labels, expected)
    real = alphacut.slic(image / np.float32(255), 20)
    assert np.array_equal(real.labels, reference.slic(lab_of(image / np.float32(255)), 20)[0])
    gray = image[..., 0].copy()
    assert np.array_equal(alphacut.slic(gray, 20).labels, reference.slic(lab_of(gray), 20)[0])
    for view in (np.s_[::-1], np.s_[:, ::2], np.s_[3:, 5:]):
        assert np.array_equal(
            alphacut.slic(image[view], 9).labels, alphacut.slic(np.ascontiguousarray(image[view]), 9).labels
        )


def test_the_same_bytes_for_all_threads_and_instruction_sets(isa, rng):
    image, _ = blobs(rng, 300, 500)  # several blocks of rows
    before = _core.num_threads()
    _core.set_isa(_core.available_isas()[0])
    _core.set_num_threads(1)
    expected = alphacut.slic(image, 200)
    _core.set_isa(isa)
    for threads in (1, 2, 5):
        _core.set_num_threads(threads)
        assert np.array_equal(alphacut.slic(image, 200).labels, expected.labels)
    _core.set_num_threads(before)


def test_superpixels_follow_edges_as_well_as_scikit_images(rng):
    segmentation = pytest.importorskip("skimage.segmentation")
    image, patch = blobs(rng, 120, 160, noise=12)

    def undersegmentation(labels):
        """Pixels that do not belong to their superpixel's patch."""
        counts = np.zeros((labels.max() + 1, 6), int)
        np.add.at(counts, (labels, patch), 1)
        return 1 - counts.max(axis=1).sum() / patch.size

    ours = assert_pieces(alphacut.slic(image, 150, compactness=20))
    theirs = segmentation.slic(image, 150, compactness=20, start_label=0)
    assert 130 < ours.n_segments < 170
    assert undersegmentation(ours.labels) < undersegmentation(theirs) + 0.002
    assert undersegmentation(ours.labels) < 0.012


def test_few_and_many_segments(rng):
    image, _ = blobs(rng, 20, 30)
    assert not alphacut.slic(image, 1).labels.any()
    every = alphacut.slic(image, 600, max_iter=1)
    assert np.array_equal(every.labels, np.arange(600).reshape(20, 30))
    counts = [alphacut.slic(image, n).n_segments for n in (4, 20, 100)]
    assert counts == sorted(counts)


def test_one_colour_becomes_a_grid():
    labels = alphacut.slic(np.full((20, 40, 3), 90, np.uint8), 8).labels
    assert np.array_equal(labels, np.kron(np.arange(8).reshape(2, 4), np.ones((10, 10), int)))
