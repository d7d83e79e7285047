"""SLIC superpixels against scikit-image's and OpenCV's."""

import cv2
import numpy as np
from skimage.segmentation import slic

import alphacut

from .pictures import photo
from .race import race


@race("superpixels", {"slic": ()}, {"": photo}, ["alphacut", "skimage", "cv2"], sizes=[0.3, 1])
def bench_slic(image, n_segments=1000):
    height, width, _ = image.shape
    side = round((height * width / n_segments) ** 0.5)
    bgr = image[..., ::-1].copy()

    def opencv():
        lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)
        found = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLIC, side, 10)
        found.iterate(10)
        found.enforceLabelConnectivity()
        return found.getLabels()

    def error(labels):
        """Mean squared difference from the superpixels' mean colours."""
        counts = np.maximum(np.bincount(labels.ravel()), 1)
        planes = [image[..., c].astype(float) for c in range(3)]
        means = [np.bincount(labels.ravel(), plane.ravel()) / counts for plane in planes]
        return sum(((plane - mean[labels]) ** 2).mean() for plane, mean in zip(planes, means, strict=True))

    def agree(ours, theirs):
        """Other rules for what is left over: about as many pieces, which tell the colours about as well."""
        assert abs(ours.n_segments - n_segments) < n_segments / 3
        assert error(ours.labels) < error(theirs) * 1.5

    return agree, {
        "alphacut": lambda: alphacut.slic(image, n_segments),
        "skimage": lambda: slic(image, n_segments, start_label=0),
        "cv2": opencv,
    }
