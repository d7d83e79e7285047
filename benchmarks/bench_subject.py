"""No peer computes this map; OpenCV's fine-grained saliency is another classical one, at the same 300 pixels."""

import cv2
import numpy as np

import alphacut

from .pictures import photo
from .race import race


def shrink(image):
    """The least any such detector has to do: read the picture once and write a map of its size."""
    height, width = image.shape[:2]
    small = cv2.cvtColor(
        cv2.resize(image, (300, 300 * height // width), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    )
    return cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)


@race("subject", {"detect": ()}, {"": photo}, ["alphacut", "cv2-finegrained", "copy"])
def bench_detect_subject(image):
    small = cv2.resize(image, (300, 225), interpolation=cv2.INTER_AREA)

    def agree(ours, theirs):
        """Not the same map: they only must not contradict each other."""
        ours = cv2.resize(ours, (300, 225), interpolation=cv2.INTER_AREA)
        assert np.corrcoef(ours.ravel(), theirs[1].ravel())[0, 1] > 0

    return agree, {
        "alphacut": lambda: alphacut.detect_subject(image),
        "cv2-finegrained": lambda: cv2.saliency.StaticSaliencyFineGrained_create().computeSaliency(small),
        "copy": lambda: shrink(image),
    }
