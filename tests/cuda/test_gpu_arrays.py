"""Arrays of other libraries and devices, on a real GPU."""

import gc

import numpy as np
import pytest

import alphacut
from alphacut import _device

pytestmark = pytest.mark.usefixtures("gpu")


class DlpackOnly:
    """An array of which nothing is known but DLPack."""

    def __init__(self, array):
        self._array = array

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (60, 80, 3), np.uint8)


def on_gpu(array):
    """An array of ours, as a result is."""
    from numba import cuda

    from alphacut.cuda import _arrays

    return _arrays.result(cuda.to_device(array), None, None)


def test_results_are_lent_and_taken_back(image):
    labels = alphacut.kmeans(on_gpu(image), 5).labels
    assert labels.__dlpack_device__() == (2, _device.current())
    expected = alphacut.kmeans(labels.copy_to_host(), 3, device="cpu")
    for picture in (labels, DlpackOnly(labels)):
        got = alphacut.kmeans(picture, 3)
        assert np.array_equal(got.labels.copy_to_host(), expected.labels)
        assert np.array_equal(got.centers, expected.centers)
    with pytest.raises(BufferError):
        labels.__dlpack__(dl_device=(1, 0))


@pytest.mark.parametrize("index", [(np.newaxis,), (slice(None), np.newaxis)])
def test_an_axis_without_a_stride(index, image):
    """Contiguous for NumPy, but not for Numba."""
    picture = image.reshape(-1)[index]
    assert 0 in picture.strides
    labels = alphacut.kmeans(picture, 3, device="cuda").labels
    assert np.array_equal(labels, alphacut.kmeans(picture, 3, device="cpu").labels)


def test_lent_memory_outlives_its_array(image):
    from numba import cuda

    from alphacut.cuda import _dlpack

    borrowed = _dlpack.Borrowed(on_gpu(image).__dlpack__())
    gc.collect()
    view = cuda.as_cuda_array(borrowed)
    del borrowed
    gc.collect()
    cuda.to_device(np.zeros_like(image))
    assert np.array_equal(view.copy_to_host(), image)


def test_dlpack_memory_comes_back(image):
    from numba import cuda

    there = DlpackOnly(on_gpu(image))
    free = []
    for _ in range(50):
        alphacut.kmeans(there, 3, max_iter=2)
        cuda.synchronize()
        cuda.current_context().memory_manager.deallocations.clear()
        free.append(cuda.current_context().get_memory_info().free)
    assert free[-1] == free[10]


def test_out_through_dlpack(image):
    out = on_gpu(np.zeros(image.shape[:2], np.uint8))
    lent = DlpackOnly(out)
    assert alphacut.kmeans(image, 4, device="cuda", out=lent).labels is lent
    assert np.array_equal(out.copy_to_host(), alphacut.kmeans(image, 4).labels)


def test_overlap(image):
    from numba import cuda

    there = cuda.to_device(image)
    for begin in (0, 60 * 80, 60 * 80 * 2):
        out = there.reshape(-1)[begin : begin + 60 * 80].reshape(60, 80)
        with pytest.raises(ValueError, match="overlaps"):
            alphacut.kmeans(there, 2, out=out)


def test_an_unfinished_input_is_waited_for(image):
    """Written on a stream that the array names."""
    from numba import cuda

    stream = cuda.stream()
    there = cuda.device_array(image.shape, np.uint8, stream=stream)
    pinned = cuda.pinned_array(image.shape, np.uint8)
    pinned[:] = image
    there.copy_to_device(pinned, stream=stream)
    assert np.array_equal(alphacut.kmeans(there, 3).labels.copy_to_host(), alphacut.kmeans(image, 3).labels)


def test_another_gpu(image):
    from numba import cuda

    if len(cuda.gpus) < 2:
        pytest.skip("one GPU")
    with cuda.gpus[1]:
        there = on_gpu(image)
    for picture in (there, DlpackOnly(there), cuda.as_cuda_array(there)):
        with pytest.raises(ValueError, match=r"image lives on cuda:1, but the current GPU is cuda:0"):
            alphacut.kmeans(picture, 2)
        got = alphacut.kmeans(picture, 2, device="cuda:1")
        assert got.labels.__dlpack_device__() == (2, 1)


def test_cupy(image):
    cupy = pytest.importorskip("cupy")
    there = cupy.asarray(image)
    expected = alphacut.kmeans(image, 4)
    got = alphacut.kmeans(there, 4)
    assert np.array_equal(cupy.from_dlpack(got.labels).get(), expected.labels)
    assert np.array_equal(cupy.asarray(got.labels).get(), expected.labels)
    assert alphacut.kmeans(there, 4, out=cupy.empty(image.shape[:2], np.uint8)).labels.get().tolist() == (
        expected.labels.tolist()
    )


def test_torch(image):
    torch = pytest.importorskip("torch")
    there = torch.from_numpy(image).cuda()
    expected = alphacut.kmeans(image, 4, init=np.full((4, 3), [[10], [90], [160], [250]]))
    got = alphacut.kmeans(there, 4, init=np.full((4, 3), [[10], [90], [160], [250]]))
    assert np.array_equal(torch.from_dlpack(got.labels).cpu().numpy(), expected.labels)
    assert np.array_equal(got.centers, expected.centers)
    with pytest.raises(TypeError, match=r"image lives on a GPU.*\.cpu\(\)\.numpy\(\)"):
        alphacut.denoise(there)
