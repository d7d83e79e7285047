import numpy as np
import pytest

import alphacut

pytestmark = pytest.mark.usefixtures("isa")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_equals_numpy_at_all_small_shapes(dtype, rng):
    scale = 255 if dtype == np.uint8 else 1
    for height in range(1, 18):
        for width in range(1, 18):
            gray = (rng.random((height, width)) * scale).astype(dtype)
            assert np.array_equal(alphacut.threshold(gray, scale // 2), np.where(gray > scale // 2, 255, 0))
