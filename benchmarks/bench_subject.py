import cv2
import numpy as np
import pytest

import alphacut

from .pictures import photo


def shrink(image):
    """The least any such detector has to do: read the picture once and write a map of its size."""
    height, width = image.shape[:2]
    small = cv2.cvtColor(
        cv2.resize(image, (300, 300 * height // width), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    )
    return cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize("megapixels", [1, 4])
@pytest.mark.parametrize("implementation", ["alphacut", "cv2-finegrained", "shrink"])
def bench_detect_subject(benchmark, implementation, megapixels):
    """No peer computes this map; OpenCV's fine-grained saliency is another classical one, at the same 300 pixels."""
    image = photo(megapixels)
    benchmark.group = f"subject-detect-{megapixels}MP"
    small = cv2.resize(image, (300, 225), interpolation=cv2.INTER_AREA)
    call = {
        "alphacut": lambda: alphacut.detect_subject(image),
        "cv2-finegrained": lambda: cv2.saliency.StaticSaliencyFineGrained_create().computeSaliency(small),
        "shrink": lambda: shrink(image),
    }[implementation]
    benchmark.pedantic(call, rounds=5, warmup_rounds=1)
