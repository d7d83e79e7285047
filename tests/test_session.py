"""One opened picture: the same bytes as call by call, and what is not done twice."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import alphacut
from alphacut import Remover, _core, remove_background
from golden.calls import labels, picture, soft

BOX = (30, 8, 74, 72)
PROMPTS = [
    {},
    {"box": BOX},
    {"points": [(66, 42), (10, 10, 0)]},
    {"points": [(20, 70)]},
    {"labels": labels()},
    {"box": BOX, "labels": labels()},
    {"mask": soft() > 127},
    {"key": "#5a6a50"},
]


def same(a, b):
    assert a.mask.tobytes() == b.mask.tobytes()
    assert a.alpha.tobytes() == b.alpha.tobytes()
    assert a.foreground.tobytes() == b.foreground.tobytes()
    assert (a.confidence, a.method, a.subject, a.warnings) == (b.confidence, b.method, b.subject, b.warnings)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_prompts_in_any_order_give_the_bytes_of_each_alone(dtype):
    image = picture() if dtype == np.uint8 else (picture() / 255 * (65535 if dtype == np.uint16 else 1)).astype(dtype)
    session = Remover().open(image)
    for prompt in [*PROMPTS, *reversed(PROMPTS)]:
        same(session.cut(**prompt), remove_background(image, **prompt))


def test_the_caller_may_write_into_an_array_between_calls():
    image, remove = picture().copy(), Remover(refine=None)
    remove(image, box=BOX)
    image[30:50, 40:60] = 255
    same(remove(image, box=BOX), remove_background(image, refine=None, box=BOX))


@pytest.mark.parametrize("prompt", PROMPTS[:3])
def test_layouts_give_the_same_bytes(prompt):
    expected = remove_background(picture(), **prompt)
    wide = np.zeros((90, 260, 3), np.uint8)
    wide[:, ::2] = picture()
    for view in (wide[:, ::2], picture()[::-1].copy()[::-1], np.asfortranarray(picture())):
        view.setflags(write=False)
        same(Remover().open(view).cut(**prompt), expected)
    opaque = np.dstack([picture(), np.full((90, 130), 255, np.uint8)])
    same(Remover().open(opaque).cut(**prompt), expected)


def test_strokes_are_resumed_as_by_a_remover():
    session, remove = Remover(refine=None).open(picture()), Remover(refine=None)
    strokes = np.full((90, 130), 3, np.uint8)
    for row in (20, 40, 60):
        strokes[row : row + 4, 60:70] = row != 60
        same(session.cut(labels=strokes, box=BOX, resume=True), remove(picture(), labels=strokes, box=BOX, resume=True))


def grown(scale):
    """The picture so many times larger, and a canvas for strokes."""
    return np.kron(picture(), np.ones((scale, scale, 1), np.uint8)), np.full((90 * scale, 130 * scale), 2, np.uint8)


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("options", [{}, {"method": "graphcut", "clean": False}, {"subject": "barrier"}])
def test_stroke_after_stroke_is_cut_as_all_at_once(options, threads):
    image, strokes = grown(12)  # so large that an edge is cut in three sizes
    before = _core.num_threads()
    _core.set_num_threads(threads)
    try:
        session, boxes = Remover(refine=None, **options).open(image), [None, None, (300, 60, 900, 900)]
        for k, (y, x, keep) in enumerate(
            [(500, 780, 1), (300, 700, 1), (60, 100, 0), (240, 880, 0), (700, 300, 1), (500, 800, 0), (300, 700, 2)]
        ):
            strokes[y : y + 25, x : x + 90] = keep
            same(session.cut(labels=strokes), remove_background(image, refine=None, labels=strokes, **options))
            if k % 2:  # what comes between leaves no trace
                session.cut(box=boxes[k % 3], labels=strokes, resume=True)
                with pytest.raises(ValueError, match="labels must be"):
                    session.cut(labels=strokes + 2)
    finally:
        _core.set_num_threads(before)


def test_threads_share_a_session():
    session = Remover(refine=None).open(picture())
    expected = [remove_background(picture(), refine=None, **prompt) for prompt in PROMPTS]
    with ThreadPoolExecutor(4) as pool:
        for cutout, k in zip(pool.map(lambda k: session.cut(**PROMPTS[k % 8]), range(24)), range(24), strict=True):
            same(cutout, expected[k % 8])


class Counted(alphacut.Model):
    """A model without a network, that counts its runs."""

    def __init__(self):
        self.runs = []

    def small_map(self, pixels, instance=None):
        self.runs.append((pixels.copy(), instance))
        return np.where(soft() > (instance or 0) * 100, np.float32(0.95), np.float32(0.05))


def test_a_model_runs_once_for_each_instance():
    model = Counted()
    session = Remover(model=model, refine=None, preprocess="denoise").open(picture())
    for instance in (0, 1, 0, 1):
        session.cut(instance=instance)
        session.cut(instance=instance, points=[(66, 42)])
    assert [instance for _, instance in model.runs] == [0, 1]
    assert np.array_equal(model.runs[0][0], alphacut.denoise(picture()))


def test_the_first_cut_tells_what_reading_took(tmp_path):
    alphacut.write_image(tmp_path / "a.png", picture())
    session = Remover().open(tmp_path / "a.png")
    first, second = session.cut(box=BOX), session.cut(box=BOX)
    assert list(first.timings) == ["read", "preprocess", "subject", "segment", "refine", "foreground"]
    assert first.timings["read"] > second.timings["read"] == 0
    assert session.size == (90, 130)


def test_what_is_wrong_is_said():
    with Remover().open(picture()) as session:
        with pytest.raises(ValueError, match="instances are found by a model"):
            session.instances()
        with pytest.raises(TypeError, match="boxes"):
            session.cut(boxes=BOX)
        with pytest.raises(TypeError, match="resume"):
            session.cut(resume=1)
        with pytest.raises(ValueError, match="labels must be 0, 1, 2 or 3"):
            session.cut(labels=soft())
        with pytest.raises(ValueError, match="lies outside"):
            session.cut(points=[(130, 5)])
        session.cut(box=BOX)  # none of them did harm
    for call in (session.cut, session.instances):
        with pytest.raises(ValueError, match="closed"):
            call()
    session.close()
    with pytest.raises(ValueError, match="float32 must lie in"):
        Remover().open(np.full((4, 4), 2, np.float32))


def large(dtype=np.uint8):
    """RGBA, so large that each of its planes takes a buffer of the pool."""
    rgba = np.tile(np.dstack([picture(), 255 - soft() // 4]), (3, 3, 1))
    return rgba if dtype == np.uint8 else (rgba / 255 * (65535 if dtype == np.uint16 else 1)).astype(dtype)


def buffers_of_a_cut(image):
    """How many buffers of the pool one cut takes."""
    with Remover(refine=None, foreground=False).open(image) as session:
        before = _core.buffer_pool_counts()
        session.cut(box=(90, 24, 222, 216))
        after = _core.buffer_pool_counts()
    return sum(after[kind] - before[kind] for kind in ("taken", "reused"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_lies_apart_is_copied_once_and_nothing_else(dtype, one_thread):
    rgba = large(dtype)
    rgb = np.ascontiguousarray(rgba[..., :3])
    packed = buffers_of_a_cut(rgb)
    assert buffers_of_a_cut(rgb[::-1]) == packed  # rows of any stride are read in place
    assert buffers_of_a_cut(rgba[..., :3]) == packed + 1
    assert buffers_of_a_cut(np.asfortranarray(rgb)) == packed + 1
    alpha_in_floats = 1 if dtype == np.uint16 else 0
    own = 4  # its colours, its alpha, and what was found before and after that is multiplied in
    assert buffers_of_a_cut(rgba) == packed + own + alpha_in_floats


def test_other_depths_are_converted_once(one_thread):
    packed = {d: buffers_of_a_cut(np.ascontiguousarray(large(d)[..., :3])) for d in (np.uint8, np.uint16, np.float32)}
    small = 2  # the small copy, of floats and in bytes
    assert packed[np.float32] <= packed[np.uint8] + 1 + small  # the picture in bytes
    assert packed[np.uint16] <= packed[np.float32] + 2  # the picture in floats; the alpha in 16 bits


def layouts():
    """Pairs of arrays of the same values, and how the second changes."""
    rgba = large()
    floats = large(np.float32)
    yield rgba[..., :3], rgba[..., :3].copy()
    yield rgba[..., 3], rgba[..., 3].copy()
    yield rgba[::-1, ::2], rgba[::-1, ::2].copy()
    yield floats[..., 1:], floats[..., 1:].copy()
    yield floats[:, :, 0].T, floats[:, :, 0].T.copy()
    yield np.broadcast_to(rgba[:1, :1, :3], (70, 80, 3)), np.tile(rgba[:1, :1, :3], (70, 80, 1))
    yield rgba[:, :1, :3], rgba[:, :1, :3].copy()
    yield np.ones((), np.float32), np.ones((), np.float32)
    yield rgba[:0], rgba[:0].copy()


@pytest.mark.parametrize(("a", "b"), [*layouts()])
def test_bytes_are_compared_where_they_lie(a, b):
    with _core.BufferPool():
        before = _core.buffer_pool_counts()
        assert _core.same_bytes(a, b)
        assert _core.same_bytes(b, a)
        assert _core.buffer_pool_counts() == before
    for place in {0, b.size // 2, b.size - 1} if b.size else ():
        other = b.copy()
        other.reshape(-1).view(np.uint8)[place * b.itemsize] ^= 1
        assert not _core.same_bytes(a, other)
        assert not _core.same_bytes(other, a)
    assert not _core.same_bytes(a, b.astype(np.float64))
    assert not _core.same_bytes(a, b[..., None])
