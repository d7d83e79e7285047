"""Arrays on the GPU, simulated: what is taken, what is refused, and where results go."""

import numpy as np
import pytest

import alphacut

pytestmark = pytest.mark.usefixtures("simulator")


@pytest.fixture(autouse=True)
def small(small_grid):
    small_grid(8, 2, 2048)


@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:0"])
def test_labels_stay_with_the_picture(there, device, rng):
    image = rng.integers(0, 256, (5, 6, 3), np.uint8)
    expected = alphacut.kmeans(image, 3, device="cpu", max_iter=3)
    got = alphacut.kmeans(there(image), 3, device=device, max_iter=3)
    assert not isinstance(got.labels, np.ndarray)
    assert np.array_equal(got.labels.copy_to_host(), expected.labels)
    assert isinstance(got.centers, np.ndarray)
    assert np.array_equal(got.centers, expected.centers)
    assert got[2:] == expected[2:]
    assert np.array_equal(alphacut.kmeans(got.labels, 2).centers, alphacut.kmeans(expected.labels, 2).centers)


def test_labels_go_where_out_is(there, rng):
    image = rng.random((4, 5), np.float32)
    expected = alphacut.kmeans(image, 2, device="cpu").labels
    for picture in (image, there(image)):
        for out in (np.zeros((4, 5), np.uint8), there(np.zeros((4, 5), np.uint8))):
            assert alphacut.kmeans(picture, 2, device="cuda", out=out).labels is out
            assert np.array_equal(out if isinstance(out, np.ndarray) else out.copy_to_host(), expected)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"image": lambda there: there(np.zeros((4, 4), np.int16))},
            TypeError,
            "image must have dtype uint8 or float32",
        ),
        ({"image": lambda there: there(np.zeros((4, 4, 2), np.uint8))}, ValueError, "shape"),
        (
            {"image": lambda there: there(np.zeros((4, 8), np.uint8))[:, ::2]},
            ValueError,
            "image on a GPU must be contig",
        ),
        ({"out": lambda there: there(np.zeros((4, 5), np.uint8))}, ValueError, "out must be writeable and have shape"),
        ({"out": lambda there: there(np.zeros((4, 4), np.int8))}, TypeError, "out must have dtype uint8"),
        ({"out": lambda there: there(np.zeros((4, 8), np.uint8))[:, ::2]}, ValueError, "out on a GPU must be contig"),
    ],
)
def test_errors(there, change, error, message):
    arguments = {"image": there(np.zeros((4, 4), np.uint8)), **{name: make(there) for name, make in change.items()}}
    with pytest.raises(error, match=message):
        alphacut.kmeans(n_clusters=2, device="cuda", **arguments)


@pytest.mark.parametrize("index", [(np.newaxis,), (slice(None), np.newaxis)])
def test_what_numba_calls_contiguous_goes_to_the_gpu(index, monkeypatch):
    """On a GPU, unlike here, the kernels take nothing with a stride of 0."""
    from alphacut.cuda import _arrays

    monkeypatch.setattr(_arrays.cuda, "to_device", lambda array: array)
    array = np.arange(20, dtype=np.uint8)[index]
    assert 0 in array.strides
    assert 0 not in _arrays.on_device(array).strides
    assert np.shares_memory(_arrays.on_device(array), array)


def test_out_overlaps(there):
    memory = there(np.zeros(40, np.uint8))
    image = memory[:16].reshape(4, 4)
    for begin in (0, 1, 15):
        with pytest.raises(ValueError, match="out overlaps an input"):
            alphacut.kmeans(image, 2, out=memory[begin : begin + 16].reshape(4, 4))
    alphacut.kmeans(image, 2, out=memory[16:32].reshape(4, 4))


def test_an_array_of_another_gpu(there, monkeypatch):
    from alphacut.cuda import _arrays

    monkeypatch.setattr(_arrays, "_ordinal", lambda address, current: 3)
    with pytest.raises(ValueError, match=r"image lives on cuda:3, but the current GPU is cuda:0: pass device='cuda:3'"):
        alphacut.kmeans(there(np.zeros((4, 4), np.uint8)), 2)


def test_dlpack_alone(there, monkeypatch):
    """What has no CUDA array interface is asked for its memory on the stream that is Numba's."""
    from alphacut.cuda import _arrays

    class Lent:
        asked = None

        def __dlpack_device__(self):
            return 2, 0

        def __dlpack__(self, *, stream):
            self.asked = stream
            return "capsule"

    image = np.arange(20, dtype=np.uint8).reshape(4, 5)
    monkeypatch.setattr(_arrays._dlpack, "Borrowed", lambda capsule: there(image) if capsule == "capsule" else None)
    lent = Lent()
    got = alphacut.kmeans(lent, 2)
    assert lent.asked == 1
    assert np.array_equal(got.labels.copy_to_host(), alphacut.kmeans(image, 2).labels)
