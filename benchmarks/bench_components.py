"""Components against OpenCV and cc3d, on a natural mask and on noise."""

import cv2
import numpy as np
import skimage.measure

import alphacut

from .pictures import gray, mask, noise_mask
from .race import race

MASKS = {"natural": mask, "noise": noise_mask}


def cc3d_labels(mask):
    import cc3d

    # Its faster way for two values labels some of the background of a natural mask of 100 megapixels.
    binary = mask.size < 50_000_000
    return cc3d.connected_components(mask, connectivity=8, binary_image=binary, return_N=True)


@race("components", {"labels": ()}, MASKS, ["alphacut", "cv2", "cc3d", "copy"])
def bench_labels(mask):
    mask = mask.copy()  # cc3d refuses read-only arrays
    out = np.empty(mask.shape, np.int32)

    def agree(ours, theirs):
        """The same components, under any numbers."""
        numbers = np.empty(ours[1] + 1, np.int64)
        numbers[ours[0]] = theirs[0]
        assert np.array_equal(numbers[ours[0]], theirs[0])
        assert np.array_equal(np.sort(numbers), np.arange(ours[1] + 1))

    return agree, {
        "alphacut": lambda: alphacut.label_components(mask, out=out),
        "cv2": lambda: cv2.connectedComponents(mask)[::-1],
        "cc3d": lambda: cc3d_labels(mask),
        "copy": lambda: np.copyto(out, mask, casting="unsafe"),
    }


@race("components", {"stats": ()}, MASKS, ["alphacut", "cv2"])
def bench_stats(mask):
    def agree(ours, theirs):
        """The same table but for its order. The centroids are quotients of the same sums."""
        _, _, table, centres = theirs
        theirs = np.c_[table, centres][1:]
        ours = np.c_[ours.box, ours.area, ours.centroid]
        ours, theirs = (table[np.lexsort(table[:, [4, 3, 2, 6, 5, 1, 0]].T)] for table in (ours, theirs))
        assert np.allclose(ours, theirs, rtol=1e-12, atol=0)

    return agree, {
        "alphacut": lambda: alphacut.component_stats(mask),
        "cv2": lambda: cv2.connectedComponentsWithStats(mask),
    }


def cv2_keep_largest(mask):
    _, labels, table, _ = cv2.connectedComponentsWithStats(mask)
    return np.where(labels == 1 + np.argmax(table[1:, 4]), np.uint8(255), np.uint8(0))


def cv2_fill_holes(mask):
    """Its contours, filled."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return cv2.drawContours(np.zeros_like(mask), contours, -1, 255, cv2.FILLED)


FILTERS = {
    "keep_largest": (alphacut.keep_largest, cv2_keep_largest),
    "fill_holes": (alphacut.fill_holes, cv2_fill_holes),
}


@race("components", FILTERS, MASKS, ["alphacut", "cv2"])
def bench_filters(mask, ours, theirs):
    return np.testing.assert_array_equal, {"alphacut": lambda: ours(mask), "cv2": lambda: theirs(mask)}


@race("components", {"polygons": (4,), "polygons8": (8,)}, {"natural": mask}, ["alphacut", "cv2"])
def bench_polygons(mask, connectivity):
    def agree(ours, _):
        """OpenCV's outlines run through pixel centres and are 8-connected: they are not the same, only the job is."""
        assert len(ours) == cv2.connectedComponents(mask, connectivity=connectivity)[0] - 1

    return agree, {
        "alphacut": lambda: alphacut.mask_to_polygons(mask, connectivity),
        "cv2": lambda: cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0],
    }


@race("components", {"pieces": ()}, {"": lambda megapixels: gray(megapixels) // 32}, ["alphacut", "skimage", "cc3d"])
def bench_pieces(values):
    def agree(ours, theirs):
        """As many; scikit-image's are numbered alike."""
        assert ours[1] == theirs[1]

    def cc3d_pieces():
        import cc3d

        return cc3d.connected_components(values, connectivity=8, return_N=True)

    return agree, {
        "alphacut": lambda: alphacut.label_components(values, delta=0),
        "skimage": lambda: skimage.measure.label(values, connectivity=2, return_num=True),
        "cc3d": cc3d_pieces,
    }


@race("components", {"shapes": ()}, {"natural": mask}, ["alphacut", "skimage"], sizes=(0.3,))
def bench_shapes(mask):
    """Perimeter and Euler number; scikit-image goes from region to region."""
    names = ("perimeter", "euler_number", "eccentricity", "orientation")

    def agree(ours, theirs):
        np.testing.assert_allclose(ours.perimeter, theirs["perimeter"])
        assert np.array_equal(ours.euler_number, theirs["euler_number"])

    return agree, {
        "alphacut": lambda: alphacut.component_shapes(mask),
        "skimage": lambda: skimage.measure.regionprops_table(skimage.measure.label(mask != 0), properties=names),
    }
