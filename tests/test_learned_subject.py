import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import alphacut
from alphacut import _core
from reference import subject as reference
from test_subject import disc

cv2 = pytest.importorskip("cv2")

pytestmark = pytest.mark.usefixtures("isa")


def blobs(rng, size):
    """A picture with things in it."""
    image = np.full((size, size, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(8):
        centre, radius = rng.integers(0, size, 2), rng.integers(2, size // 3)
        cv2.circle(image, [int(c) for c in centre], int(radius), [int(c) for c in rng.integers(0, 256, 3)], -1)
    return np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [32, 36, 64, 100, 256])
def test_planes_equal_the_reference(rng, size):
    for prompt in range(32):
        image, hints, box, answer = blobs(rng, size), None, None, None
        if prompt & 1:
            x, y = (int(v) for v in rng.integers(0, size - 2, 2))
            box = (x, y, int(rng.integers(1, size - x + 1)), int(rng.integers(1, size - y + 1)))
        if prompt & 2:
            hints = np.where(rng.random((size, size)) < 0.01, rng.integers(0, 2, (size, size)), 3).astype(np.uint8)
            if prompt & 4:
                hints[hints == prompt // 8 % 2] = 2  # strokes of one kind
        if prompt & 16:
            answer = rng.normal(0, 6, (size // 4, size // 4)).astype(np.float32)
        expected = reference.network_input(image, hints, box, answer)
        planes = _core.network_input(image, hints, box, answer)
        for plane in range(8):
            assert np.array_equal(planes[..., plane], expected[..., plane]), (prompt, plane)


def test_planes_of_boxes_that_leave_nothing_out_or_hide_the_strokes(rng):
    image = blobs(rng, 64)
    strokes = np.full((64, 64), 2, np.uint8)
    strokes[2:5, 2:5] = 1
    for box in ((0, 0, 64, 64), (1, 1, 62, 62), (63, 63, 1, 1), (20, 20, 9, 9)):
        for hints in (None, strokes, np.zeros((64, 64), np.uint8), np.ones((64, 64), np.uint8)):
            assert np.array_equal(_core.network_input(image, hints, box), reference.network_input(image, hints, box))


def test_planes_refuse_what_does_not_fit(rng):
    image = blobs(rng, 64)
    for bad in (image[:60], image[:30, :30], image[:62, :62], image[..., 0]):
        with pytest.raises(ValueError, match="image"):
            _core.network_input(bad)
    with pytest.raises(ValueError, match="hints"):
        _core.network_input(image, np.zeros((64, 63), np.uint8))
    with pytest.raises(ValueError, match="answer"):
        _core.network_input(image, answer=np.zeros((64, 64), np.float32))
    for box in ((-1, 0, 5, 5), (5, 0, 2**63 - 1, 5), (0, 0, 65, 5), (0, 60, 5, 5), (3, 3, 0, 4)):
        with pytest.raises(ValueError, match="box"):
            _core.network_input(image, None, box)


def overlap(found, wanted):
    return np.count_nonzero(found & wanted) / np.count_nonzero(found | wanted)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_disc_is_found(dtype, channels):
    found = alphacut.detect_subject(disc(channels=channels, dtype=dtype))
    assert found.dtype == np.float32
    assert found.shape == (90, 120)
    assert found.min() >= 0
    assert found.max() <= 1
    assert overlap(found > 0.5, disc()[..., 0] > 128) > 0.85


def test_prompts_choose_one_of_two(rng):
    image = np.full((120, 200, 3), (60, 90, 60), np.uint8)
    left, right = (np.zeros((120, 200), np.uint8) for _ in range(2))
    cv2.circle(left, (50, 60), 30, 1, -1)
    cv2.circle(right, (150, 60), 30, 1, -1)
    image[left > 0] = 220, 60, 50
    image[right > 0] = 60, 70, 220
    image = np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    labels = np.full(left.shape, 3, np.uint8)
    labels[55:65, 40:60] = 1
    labels[55:65, 140:160] = 0
    box = (15, 25, 70, 70)
    for prompt in ({"box": box}, {"box": box, "labels": labels}):
        found = alphacut.detect_subject(image, **prompt) > 0.5
        assert overlap(found, left > 0) > 0.9
        assert not (found & (right > 0)).any()
    for prompt in ({"box": box}, {"labels": labels}, {"box": box, "labels": labels}):
        cutout = alphacut.remove_background(image, refine=None, **prompt)
        assert overlap(cutout.mask > 0, left > 0) > 0.95


def test_labels_that_leave_a_rectangle_open_are_a_box(rng):
    image = blobs(rng, 150)
    labels = np.zeros((150, 150), np.uint8)
    labels[30:100, 20:120] = 3
    network = _network()
    both = _core.SubjectFinder(network, image, image).find(labels, None, 60, 70)
    boxed = _core.SubjectFinder(network, image, image).find(None, (20, 30, 100, 70), 60, 70)
    assert all(np.array_equal(a, b) for a, b in zip(both, boxed, strict=True))
    assert not both[0][:5].any()  # far outside


def test_the_two_maps_say_the_same(rng):
    """At sizes that show what the network sees cell by cell, so that nothing is interpolated."""
    for box, size in ((None, 256), ((40, 40, 50, 50), 512)):
        image = blobs(rng, 136)
        probability, log_odds = _core.SubjectFinder(_network(), image, image).find(None, box, size, size)
        assert np.abs(log_odds).max() <= 9
        seen = log_odds != 0  # far from a box they say nothing
        assert np.count_nonzero(seen) == 256 * 256
        assert not probability[~seen].any()
        assert np.abs(np.where(log_odds > -9, 1 / (1 + np.exp(-log_odds)), 0) - probability)[seen].max() < 1e-6


def some_strokes(shape, keep=None, remove=None):
    labels = np.full(shape, 2, np.uint8)
    for label, place in ((1, keep), (0, remove)):
        if place is not None:
            labels[place] = label
    return labels


def test_a_finder_answers_each_prompt_as_a_new_one(rng):
    image = cv2.resize(blobs(rng, 100), (400, 300))
    small = alphacut.resize(image, (150, 200), method="area")
    keep, remove = np.s_[100:120, 100:140], np.s_[200:210, 250:300]
    prompts = [
        (None, None),
        (some_strokes((300, 400), keep), None),
        (some_strokes((300, 400), keep, remove), None),
        (None, (40, 30, 250, 200)),
        (some_strokes((300, 400), remove=remove), (40, 30, 250, 200)),
        (None, (41, 30, 250, 200)),  # seen alike, but for where the box begins
        (some_strokes((300, 400), keep), None),
        (None, None),
    ]
    finder = _core.SubjectFinder(_network(), image, small)
    for labels, box in prompts:
        found = finder.find(labels, box, 60, 80)
        fresh = _core.SubjectFinder(_network(), image, small).find(labels, box, 60, 80)
        assert [each.tobytes() for each in found] == [each.tobytes() for each in fresh]
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda prompt: finder.find(*prompt, 60, 80)[1].tobytes(), prompts * 3)
    alone = [_core.SubjectFinder(_network(), image, small).find(*prompt, 60, 80)[1].tobytes() for prompt in prompts]
    assert list(together) == alone * 3


def test_strokes_of_one_kind_change_the_map_one_way(rng):
    for _ in range(4):
        image = blobs(rng, 120)
        before = alphacut.detect_subject(image)
        y, x = (int(v) for v in rng.integers(10, 100, 2))
        place = np.s_[y : y + 10, x : x + 10]
        kept = alphacut.detect_subject(image, labels=some_strokes((120, 120), keep=place))
        removed = alphacut.detect_subject(image, labels=some_strokes((120, 120), remove=place))
        assert (kept >= before).all()
        assert (removed <= before).all()
        assert kept[place].mean() > 0.5
        assert removed[place].mean() < 0.5


def test_evidence_equals_the_reference(rng):
    y, x = np.mgrid[:60, :80]
    for radius in (0, 3, 12, 25, 90):
        distance = np.hypot(y - 30, x - 40) + rng.normal(0, radius / 8, (60, 80))
        probability = (1 / (1 + np.exp((distance - radius) / 2))).astype(np.float32)
        mask = np.where(np.hypot(y - 28, x - 43) < radius, 255, 0).astype(np.uint8)
        found = _core.cut_evidence(probability, mask)
        assert found == pytest.approx(reference.cut_evidence(probability, mask), abs=1e-9)
        assert 0 <= _core.confidence_of(probability, mask) <= 1
    assert _core.confidence_of(np.ones((4, 5), np.float32), np.zeros((4, 5), np.uint8)) == 0
    assert _core.confidence_of(np.zeros((4, 5), np.float32), np.ones((4, 5), np.uint8)) == 0
    assert np.isfinite(_core.cut_evidence(np.ones((1, 1), np.float32), np.ones((1, 1), np.uint8))).all()
    with pytest.raises(ValueError, match="one size"):
        _core.confidence_of(np.zeros((4, 5), np.float32), np.zeros((4, 6), np.uint8))


def test_confidence_tells_a_clear_subject_from_a_doubtful_one():
    y, x = np.mgrid[:60, :80]
    disc = np.hypot(y - 30, x - 40) < 18
    mask = np.where(disc, 255, 0).astype(np.uint8)
    clear = _core.confidence_of(np.where(disc, 0.99, 0.01).astype(np.float32), mask)
    vague = _core.confidence_of(np.where(disc, 0.6, 0.4).astype(np.float32), mask)
    scattered = _core.confidence_of(np.where(disc & ((x // 3 + y // 3) % 2 == 0), 0.9, 0.1).astype(np.float32), mask)
    assert clear > 0.8
    assert max(vague, scattered) < 0.5


def test_a_flat_picture_has_no_subject_unless_told():
    for shape in ((1, 1), (40, 50), (40, 50, 3), (500, 400, 3)):
        for image in (np.full(shape, 77, np.uint8), np.full(shape, 0.4, np.float32)):
            assert not alphacut.detect_subject(image).any()
    flat = np.full((40, 50), 77, np.uint8)
    assert alphacut.detect_subject(flat, labels=some_strokes((40, 50), keep=np.s_[18:22, 20:28])).any()
    assert not alphacut.detect_subject(flat, labels=np.full((40, 50), 2, np.uint8)).any()  # which says nothing


def test_to_remove_from_a_flat_picture_adds_nothing():
    flat = np.full((40, 50), 77, np.uint8)
    assert not alphacut.detect_subject(flat, labels=some_strokes((40, 50), remove=np.s_[10:14, 10:14])).any()


def test_strokes_on_a_strip_equal_those_row_by_row(rng):
    """A picture of one row is looked at as if its row were repeated."""
    row = rng.integers(0, 256, (1, 3000, 3), dtype=np.uint8)
    labels = rng.choice([0, 1, 2, 3], (1, 3000), p=(0.01, 0.01, 0.49, 0.49)).astype(np.uint8)
    tall, high = np.repeat(row, 256, 0), np.repeat(labels, 256, 0)
    found = _core.SubjectFinder(_network(), row, row).find(labels, None, 16, 16)
    expected = _core.SubjectFinder(_network(), tall, tall).find(high, None, 16, 16)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-4)


def test_thin_strokes_are_seen(rng):
    image = cv2.resize(blobs(rng, 100), (1600, 1200))
    labels = np.full((1200, 1600), 3, np.uint8)
    labels[:60, :60] = 0
    before = alphacut.detect_subject(image, labels=labels)
    labels[600, 500:900] = 0
    assert not np.array_equal(alphacut.detect_subject(image, labels=labels), before)


def test_small_shapes_are_finite(rng):
    sides = (1, 2, 3, 5, 8, 9, 16, 17)
    for height in sides:
        for width in sides:
            image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
            labels = rng.integers(0, 4, (height, width), dtype=np.uint8)
            for prompt in ({}, {"labels": labels}, {"box": (width // 2, 0, 1, height)}):
                found = alphacut.detect_subject(image, **prompt)
                assert found.shape == (height, width)
                assert ((found >= 0) & (found <= 1)).all()


def test_long_pictures(rng):
    for shape in ((1, 3000, 3), (3000, 2), (5, 2000)):
        found = alphacut.detect_subject(rng.integers(0, 256, shape, dtype=np.uint8), box=(0, 0, 2, 1))
        assert np.isfinite(found).all()


def test_a_strip_is_made_narrower_first(rng):
    strip = rng.integers(0, 256, (2, 20_000, 3), dtype=np.uint8)
    narrow = alphacut.resize(strip, (2, 256), method="area")
    found, expected = (_core.SubjectFinder(_network(), seen, seen).find(None, None, 8, 16) for seen in (strip, narrow))
    np.testing.assert_array_equal(found, expected)


def test_depths_agree():
    image = disc()
    found = alphacut.detect_subject(image)
    for other in (image.astype(np.float32) / 255, image.astype(np.uint16) * 257):
        assert np.array_equal(alphacut.detect_subject(other), found)


def test_layouts_and_out():
    image = np.repeat(disc(), 2, axis=1)
    for view in (image[::-1], image[:, ::2], image[10:70, 7:99], image[..., ::-1]):
        labels = np.full((2 * view.shape[0], 2 * view.shape[1]), 3, np.uint8)[::2, ::2]
        labels[3:5, 3:9] = 0
        expected = alphacut.detect_subject(np.ascontiguousarray(view), labels=np.ascontiguousarray(labels))
        view.flags.writeable = False
        out = np.full(view.shape[:2], np.nan, np.float32)
        assert alphacut.detect_subject(view, labels=labels, out=out) is out
        assert np.array_equal(out, expected)


def test_same_bytes_for_any_thread_count_and_instruction_set(isa, rng):
    before = _core.num_threads()
    image = np.clip(disc(450, 600) + rng.normal(0, 20, (450, 600, 3)), 0, 255).astype(np.uint8)
    labels = np.full((450, 600), 3, np.uint8)
    labels[200:210, 250:330] = 1
    for prompt in ({}, {"box": (100, 50, 380, 370)}, {"labels": labels}):
        results = []
        for count in (1, 2, 5):
            _core.set_num_threads(count)
            results.append(alphacut.detect_subject(image, **prompt).tobytes())
        _core.set_num_threads(before)
        _core.set_isa(_core.available_isas()[0])
        results.append(alphacut.detect_subject(image, **prompt).tobytes())
        _core.set_isa(isa)
        assert len(set(results)) == 1


def test_points_are_strokes_of_a_dot(rng):
    image = disc()
    labels = np.full((90, 120), 2, np.uint8)
    labels[44:47, 60] = labels[45, 59:62] = 1  # a disc of a radius of one pixel, the least
    expected = alphacut.detect_subject(image, labels=labels)
    assert np.array_equal(alphacut.detect_subject(image, points=[(60.9, 45)]), expected)
    both = labels.copy()
    both[9:12, 20] = both[10, 19:22] = 0
    expected = alphacut.detect_subject(image, labels=both)
    assert np.array_equal(alphacut.detect_subject(image, points=[(20, 10, 0)], labels=labels), expected)
    box = (20, 10, 80, 70)
    within = np.where(labels == 2, np.uint8(3), labels)
    expected = alphacut.detect_subject(image, box=box, labels=within)
    assert np.array_equal(alphacut.detect_subject(image, box=box, points=[(60, 45, 1)]), expected)


def test_errors():
    image = disc()
    with pytest.raises(ValueError, match="outside"):
        alphacut.detect_subject(image, points=[(120, 2)])
    with pytest.raises(TypeError, match="points"):
        alphacut.detect_subject(image, points=(3, 4))
    with pytest.raises(ValueError, match="labels"):
        alphacut.detect_subject(image, points=[(3, 4)], labels=np.zeros((9, 120), np.uint8))
    with pytest.raises(ValueError, match="barrier"):
        alphacut.detect_subject(image, method="barrier", points=[(3, 4)])
    for bad in ([[1]], np.zeros((3, 3)), None):
        with pytest.raises(TypeError, match="image"):
            alphacut.detect_subject(bad)
    for bad in (np.zeros((0, 3), np.uint8), np.zeros((2, 2, 4), np.uint8), np.full((3, 3), np.nan, np.float32)):
        with pytest.raises(ValueError, match="image"):
            alphacut.detect_subject(bad)
    with pytest.raises(TypeError, match="labels"):
        alphacut.detect_subject(image, labels=np.zeros((90, 120)))
    with pytest.raises(ValueError, match="labels"):
        alphacut.detect_subject(image, labels=np.zeros((9, 120), np.uint8))
    with pytest.raises(ValueError, match="labels"):
        alphacut.detect_subject(image, labels=np.full((90, 120), 4, np.uint8))
    with pytest.raises(TypeError, match="box"):
        alphacut.detect_subject(image, box=(1.5, 2, 3, 4))
    with pytest.raises(ValueError, match="box"):
        alphacut.detect_subject(image, box=(120, 2, 3, 4))
    with pytest.raises(ValueError, match="barrier"):
        alphacut.detect_subject(image, method="barrier", box=(1, 2, 3, 4))
    with pytest.raises(TypeError, match="out"):
        alphacut.detect_subject(image, out=np.empty((90, 120)))
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.detect_subject(
            image.astype(np.float32)[..., 0] / 255,
            out=(out := np.zeros((90, 120), np.float32)),
            labels=out.view(np.uint8)[:, ::4],
        )


def _network():
    return alphacut.subject.network()


def test_threads_that_ask_first_get_one_network(monkeypatch):
    """Of features of one network another can make nothing."""
    from alphacut import subject

    monkeypatch.setattr(subject, "_networks", [])
    together = threading.Barrier(8)

    def ask(_):
        together.wait()
        return subject.network()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, list(pool.map(ask, range(8)))))) == 1
