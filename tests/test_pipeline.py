import copy
import inspect
import io as std_io
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import alphacut
from alphacut import Remover, _core, remove_background
from alphacut.graphcut import Cutter


def scene(height=120, width=160, seed=3, dtype=np.uint8):
    """A bright textured disc on a dark textured ground that is not uniform: (picture, disc)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    disc = (y - height * 0.5) ** 2 + (x - width * 0.5) ** 2 < (0.28 * height) ** 2
    ground = np.stack([60 + 30 * np.sin(x / 9), 80 + 30 * np.cos(y / 7), np.full(disc.shape, 90)], axis=2)
    picture = np.where(disc[..., None], (210, 120, 40), ground) + rng.normal(0, 6, (height, width, 3))
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if dtype == np.uint16:
        return picture.astype(np.uint16) * 257, disc
    if dtype == np.float32:
        return picture.astype(np.float32) / 255, disc
    return picture, disc


def overlap(mask, truth):
    return np.count_nonzero((mask > 0) & truth) / np.count_nonzero((mask > 0) | truth)


BOX = (35, 20, 90, 80)
DTYPES = (np.uint8, np.uint16, np.float32)


def test_remover_takes_the_options_of_remove_background():
    options = dict(inspect.signature(remove_background).parameters)
    del options["image"]
    assert list(inspect.signature(Remover).parameters.values()) == list(options.values())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_box_cuts_out_the_disc_in_every_depth(dtype):
    picture, disc = scene(dtype=dtype)
    cutout = remove_background(picture, box=BOX)
    assert overlap(cutout.mask, disc) > 0.95
    assert cutout.method == "graphcut"
    assert cutout.alpha.dtype == cutout.foreground.dtype == dtype
    assert cutout.rgba.shape == (*disc.shape, 4)
    assert cutout.mask.dtype == np.uint8
    assert set(np.unique(cutout.mask)) <= {0, 255}
    assert 0.5 < cutout.confidence <= 1
    assert {"read", "segment", "refine", "foreground"} <= set(cutout.timings)
    assert cutout.device == "cpu"


def test_points_are_dabs_of_labels():
    picture, disc = scene()
    labels = np.full(disc.shape, 2, np.uint8)
    labels[60, 80] = 1  # radius 1 at this size
    labels[59:62, 80] = labels[60, 79:82] = 1
    labels[3:6, 5] = labels[4, 4:7] = 0
    expected = remove_background(picture, labels=labels)
    for points in (
        [(80.7, 60), (5, 4, 0)],
        np.array([(80, 60, 1), (5, 4, 0)], float),
        [(5, 4, 1), (80, 60), (5, 4, 0)],
    ):
        cutout = remove_background(picture, points=points)
        assert cutout.alpha.tobytes() == expected.alpha.tobytes()
    labels[labels == 2] = 3
    expected = remove_background(picture, labels=labels, box=BOX)
    boxed = remove_background(picture, points=[(80, 60), (5, 4, 0)], box=BOX)
    assert boxed.alpha.tobytes() == expected.alpha.tobytes()
    own = np.full(disc.shape, 2, np.uint8)
    own[60, 80] = 0
    cutout = remove_background(picture, points=[(80, 60)], labels=own)
    assert cutout.mask[60, 80] == 255
    assert own[60, 80] == 0


def two_discs():
    """The scene with a second disc, of another colour, beside the first."""
    picture, disc = scene(160, 260)
    y, x = np.mgrid[:160, :260]
    other = (y - 40) ** 2 + (x - 215) ** 2 < 20**2
    picture[other] = np.clip(picture[other] * 0.2 + (20, 60, 190), 0, 255).astype(np.uint8)
    return picture, disc, other


def test_strokes_of_one_kind_change_the_cut_one_way():
    picture, disc, other = two_discs()
    remove = Remover(refine=None, foreground=False)
    before = remove(picture).mask
    for point in ((215, 40), (130, 80), (20, 20), (250, 150)):
        kept = remove(picture, points=[point]).mask
        removed = remove(picture, points=[(*point, 0)]).mask
        assert (kept >= before).all()
        assert (removed <= before).all()
        assert kept[point[::-1]] == 255
        assert removed[point[::-1]] == 0
        fresh = remove_background(picture, points=[point], refine=None, foreground=False)
        assert fresh.mask.tobytes() == kept.tobytes()
    both = remove(picture, points=[(215, 40), (130, 80, 0)]).mask
    assert overlap(both, other) > 0.8
    assert not (both[disc] > 0).mean() > 0.1


def test_a_part_that_is_removed_and_never_kept_is_given_up(rng):
    y, x = np.mgrid[:256, :256]
    image = rng.integers(90, 140, (256, 256, 3)).astype(np.uint8)
    discs = [(x - cx) ** 2 + (y - cy) ** 2 < 30**2 for cx, cy in ((60, 60), (190, 70), (70, 190), (190, 180))]
    for disc, colour in zip(discs, ((200, 40, 30), (30, 60, 200), (230, 220, 40), (20, 130, 60)), strict=True):
        image[disc] = np.clip(image[disc] * 0.1 + colour, 0, 255).astype(np.uint8)
    for removed in range(1, 4):
        labels = np.full((256, 256), 2, np.uint8)
        labels[55:65, 55:65] = 1
        for disc in discs[1 : 1 + removed]:
            rows, columns = (int(np.median(where)) for where in np.nonzero(disc))
            labels[rows - 2 : rows + 3, columns - 2 : columns + 3] = 0
        answer = alphacut.detect_subject(image, labels=labels)
        parts, count = alphacut.label_components(np.uint8(255) * (answer > 0.5), connectivity=4)
        for part in range(1, count + 1):
            touched = labels[parts == part]
            assert not (touched == 0).any() or (touched == 1).any()
        mask = remove_background(image, labels=labels, refine=None).mask
        assert (mask[discs[0]] > 0).mean() > 0.9
        assert all((mask[disc] > 0).mean() < 0.1 for disc in discs[1 : 1 + removed])


def test_a_stroke_to_keep_takes_nothing_from_a_keyed_picture():
    image = np.full((100, 200, 3), 255, np.uint8)
    for x, colour in ((20, (200, 30, 30)), (90, (30, 60, 200)), (150, (20, 120, 40))):
        image[30:70, x : x + 30] = colour
    before = remove_background(image, refine=None)
    assert before.method == "key"
    for x in (30, 100, 160):
        kept = remove_background(image, points=[(x, 50)], refine=None)
        assert (kept.mask >= before.mask).all()


def test_a_soft_mask_is_cut_at_half():
    picture, disc = scene()
    y, x = np.mgrid[: disc.shape[0], : disc.shape[1]]
    near = np.hypot(y - 60, x - 80)
    soft = np.clip(255 * (60 - near) / 60, 0, 255).astype(np.uint8)
    options = {"refine": None, "foreground": False}
    cut = remove_background(picture, mask=soft, **options).mask
    assert np.array_equal(cut > 0, soft > 127)
    for mask in (disc, disc.astype(np.uint8), disc * np.uint8(255), disc * np.uint8(128)):
        assert np.array_equal(remove_background(picture, mask=mask, **options).mask > 0, disc)
    assert not remove_background(picture, mask=disc * np.uint8(127), **options).mask.any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_is_cut_out_already_stays(dtype):
    picture, disc = scene()
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    y, x = np.mgrid[: disc.shape[0], : disc.shape[1]]
    own = np.clip((34 - np.hypot(y - 60, x - 80)) / 4, 0, 1)
    black = np.zeros((*disc.shape, 4))
    black[..., 3] = own
    shown = np.dstack([picture / 255, own])
    shown[own == 0, :3] = 0
    for image in (black, shown):
        image = (image * full).round().astype(dtype) if dtype != np.float32 else image.astype(dtype)
        cutout = remove_background(image)
        assert cutout.method == "alpha"
        assert np.array_equal(cutout.rgba, image)
        assert any("cut out already" in warning for warning in cutout.warnings)
        assert remove_background(image, refine="guided", foreground=True).alpha.tobytes() == cutout.alpha.tobytes()
        assert remove_background(image, box=(40, 20, 80, 80)).method == "graphcut"
        assert remove_background(image, method="graphcut").method == "graphcut"
    hole = np.dstack([picture, np.full(disc.shape, 255, np.uint8)])
    hole[5:9, 5:9, 3] = 0
    assert remove_background(hole).method != "alpha"


def test_a_photo_whose_border_alone_is_hidden_is_not_cut_out():
    picture, disc = scene(300, 400)
    image = np.dstack([picture, np.full(disc.shape, 255, np.uint8)])
    rounded = image.copy()
    for frame in (image, rounded):
        frame[..., 3] = np.pad(np.full((disc.shape[0] - 40, disc.shape[1] - 40), 255, np.uint8), 20)
    rounded[20:24, 20:24, 3] = 0
    for photo in (image, rounded):
        cutout = remove_background(photo)
        assert cutout.method == "graphcut"
        assert overlap(cutout.mask, disc) > 0.9
        assert not cutout.mask[photo[..., 3] == 0].any()
        assert remove_background(photo, subject="barrier").method != "alpha"
    book = np.zeros((300, 400, 4), np.uint8)  # a thing that is a rectangle
    book[40:260, 120:280] = 200, 60, 30, 255
    assert remove_background(book).method == "alpha"
    assert remove_background(book, subject="barrier").method == "alpha"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_hidden_pixels_count_nowhere(dtype, rng):
    picture, disc = scene()
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    corner = np.zeros(disc.shape, bool)
    corner[:50, :40] = True
    stroke = np.full(disc.shape, 2, np.uint8)
    stroke[55:65, 70:90] = 1
    for own in (disc, ~corner):
        results = []
        for color in (0, 90, 255):
            image = np.dstack([np.where(own[..., None], picture, color), own * 255]) / 255 * full
            image = image.astype(dtype) if dtype == np.float32 else image.round().astype(dtype)
            results.append(
                [
                    remove_background(image, **options).alpha.tobytes()
                    for options in (
                        {},
                        {"box": (40, 20, 80, 80)},
                        {"labels": stroke},
                        {"method": "key"},
                        {"method": "kmeans"},
                        {"method": "threshold"},
                        {"refine": None, "method": "graphcut"},
                    )
                ]
            )
        assert results[0] == results[1] == results[2]
    cut_out = np.dstack([np.where(disc[..., None], picture, 0), disc * np.uint8(255)]).astype(np.uint8)
    for options in ({"box": (40, 20, 80, 80)}, {"method": "key"}):  # nothing but the subject is shown
        assert overlap(remove_background(cut_out, refine=None, **options).mask, disc) > 0.97


def product(ground, shadow=0.5, size=320):
    """A picture of a thing of two colours on `ground`, the thing's share (0..1), and the light, less in a shadow."""
    y, x = (value / 4 for value in np.mgrid[: 4 * size, : 4 * size])
    shape = ((x - 160) / 70) ** 2 + ((y - 150) / 80) ** 2 < 1
    soft = np.exp(-((((x - 170) / 90) ** 2 + ((y - 225) / 22) ** 2) ** 2))
    small = [part.reshape(size, 4, size, 4).mean((1, 3)) for part in (shape, 1 - shadow * soft, shape & (y < 130))]
    alpha, light, upper = (part[..., None] for part in small)
    thing = upper * (40, 90, 160) + (alpha - upper) * (160, 60, 40)
    picture = thing + (1 - alpha) * light * np.asarray(ground)
    return picture.round().clip(0, 255).astype(np.uint8), alpha[..., 0], light[..., 0]


@pytest.mark.parametrize("ground", [(255, 255, 255), (150, 150, 150), (240, 236, 228), (0, 177, 64)])
@pytest.mark.parametrize("subject", ["auto", "barrier"])
def test_a_soft_shadow_is_background(ground, subject):
    picture, alpha, light = product(ground)
    cutout = remove_background(picture, subject=subject)
    assert cutout.method == "key"
    shadow = (alpha == 0) & (light < 0.9)
    assert shadow.sum() > 3000
    assert cutout.alpha[shadow].mean() < 255 * (0.02 if subject == "auto" else 0.35)
    assert overlap(cutout.mask, alpha > 0.5) > (0.98 if subject == "auto" else 0.8)
    assert cutout.alpha[alpha == 1].mean() > 250
    exact = remove_background(picture, key=ground, refine=None, clean=False)  # a key that is given is but a colour
    assert np.array_equal(exact.alpha, alphacut.chroma_key(picture, ground))


@pytest.mark.parametrize("ground", [(255, 255, 255), (200, 200, 205)])
def test_a_thin_gray_part_is_no_shadow(ground):
    """A cable that the network does not see has a shadow's hue and its soft slope, but is a narrow seam."""
    y, x = np.mgrid[:1920, :1920] / 4
    shapes = (abs(x - 150) < 80) & (abs(y - 240) < 110), abs(y - 240 - 60 * np.sin((x - 230) / 60)) < 2.2
    body, cable = (shape.reshape(480, 4, 480, 4).mean((1, 3)) for shape in (shapes[0], shapes[1] & (abs(x - 325) < 95)))
    light = (body * 60 + cable * (1 - body) * 205 + (1 - body) * (1 - cable) * 255) / 255
    cutout = remove_background((light[..., None] * ground).round().astype(np.uint8))
    assert cutout.method == "key"
    assert cutout.alpha[cable == 1].mean() > 240
    assert cutout.alpha[(body == 0) & (cable == 0)].mean() < 2


@pytest.mark.parametrize(("step", "finger", "top"), [(25, 17, 130), (25, 20, 150), (14, 9, 150)])
def test_what_lies_between_fingers_is_background(step, finger, top):
    """The network's map is too coarse for the gaps, and takes them for the hand."""
    y, x = np.mgrid[:480, :480]
    palm = np.hypot((y - 300) / 1.1, x - 240) < 110
    hand = palm | (abs(x - 240) < 100) & (y > top) & (y < 300) & ((x - 140) % step < finger)
    light = 0.7 + 0.3 * np.sin(x / 30) * np.cos(y / 40)
    picture = np.where(hand[..., None], light[..., None] * (205, 150, 115), 255).round().astype(np.uint8)
    cutout = remove_background(picture)
    assert cutout.method == "key"
    gaps = ~hand & (abs(x - 240) < 60) & (y > top + 15) & (y < 300)
    assert gaps.sum() > 500
    assert cutout.alpha[gaps].mean() < 2
    assert cutout.alpha[hand].mean() > 250


def test_a_jpeg_leaves_nothing_outside():
    picture, alpha, _ = product((255, 255, 255), shadow=0)
    file = std_io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=75)
    cutout = remove_background(np.asarray(Image.open(file)))
    far = alphacut.distance_transform(np.where(alpha > 0, 0, 255).astype(np.uint8)) > 3
    assert not (cutout.mask[far] > 0).any()
    assert cutout.alpha[far].max() < 128
    assert overlap(cutout.mask, alpha > 0.5) > 0.98


def test_ground_that_the_subject_encloses_and_the_keys_colour_in_the_subject():
    y, x = np.mgrid[:320, :320]
    from_centre = np.hypot(y - 160, x - 160)
    ring = (from_centre < 110) & (from_centre > 70)
    cutout = remove_background(np.where(ring[..., None], (190, 40, 30), 255).astype(np.uint8), refine=None)
    assert overlap(cutout.mask, ring) > 0.97
    disc = from_centre < 110
    label = (np.abs(y - 160) < 5) & (np.abs(x - 160) < 25)
    picture = np.where(disc[..., None], (190, 40, 30), 255).astype(np.uint8)
    picture[label] = 255
    assert remove_background(picture, refine=None).mask[label].all()


def test_a_coloured_ground_leaves_less_tint_at_the_edge():
    picture = product((200, 30, 30), shadow=0)[0]
    cutout = remove_background(picture)
    edge = (cutout.alpha > 0) & (cutout.alpha < 255)
    estimated = alphacut.estimate_foreground(picture, cutout.alpha)
    expected = alphacut.despill(estimated, alphacut.find_key(picture), alpha=cutout.alpha)
    assert np.array_equal(cutout.foreground, expected)
    assert np.array_equal(cutout.foreground[cutout.alpha == 255], picture[cutout.alpha == 255])
    assert edge.any()
    left, before = (colours[edge].astype(int) for colours in (cutout.foreground, estimated))
    assert (left[:, 0] - left[:, 1:].max(1)).mean() <= (before[:, 0] - before[:, 1:].max(1)).mean()


@pytest.mark.parametrize("method", ["auto", "graphcut", "kmeans", "threshold", "key"])
def test_a_picture_that_is_nearly_black_is_said_to_be(method):
    picture, _ = scene()
    for image in ((picture.astype(np.uint16) * 16), (picture / 255 / 17).astype(np.float32), picture // 17):
        cutout = remove_background(image, method=method)
        assert any("nearly black" in warning for warning in cutout.warnings)
        assert cutout.confidence <= 0.3
    assert not any("nearly black" in warning for warning in remove_background(picture, method=method).warnings)


def test_nothing_is_empty_or_whole_in_silence():
    picture, disc = scene()
    nothing, everything = np.zeros(disc.shape, np.uint8), np.full(disc.shape, 255, np.uint8)
    plain = np.full((50, 60, 3), 120, np.uint8)
    calls = [
        (picture, {"mask": nothing}),
        (picture, {"trimap": nothing}),
        (picture, {"mask": everything}),
        (picture, {"trimap": everything}),
        (picture, {"labels": nothing + np.uint8(1)}),
        (np.dstack([picture, nothing]), {"box": BOX}),
        *((plain, {"method": method}) for method in ("auto", "graphcut", "kmeans", "threshold", "key")),
        (plain, {"key": "#787878"}),
        (plain, {"key": "red"}),
        (plain, {"subject": "barrier", "method": "graphcut"}),
        ((picture // 16).astype(np.uint16), {}),  # 12 bits in 16: dark, not empty
    ]
    for image, prompt in calls:
        cutout = remove_background(image, **prompt)
        share = np.mean(cutout.mask > 0)
        if share == 0 or share > 0.99:
            assert cutout.warnings, prompt
            assert cutout.confidence <= 0.3, prompt
            assert cutout.verdict == "unsure: draw a box"
        if not cutout.alpha.any():
            assert not cutout.foreground.any()
    assert [np.mean(remove_background(image, **prompt).mask > 0) for image, prompt in calls[:4]] == [0, 0, 1, 1]


@pytest.mark.parametrize("method", ["threshold", "kmeans", "key"])
def test_what_cleaning_drops_and_fills_is_told(method):
    picture = np.full((100, 120, 3), 250, np.uint8)
    picture[20:80, 20:80] = (40, 60, 90)
    for x in (90, 100, 110):
        picture[50:56, x : x + 6] = (40, 60, 90)  # each a hundredth of the square
    picture[30:35, 30:35] = picture[60:65, 30:35] = 250
    options = {"method": method, "subject": "barrier", "refine": None}
    (told,) = [warning for warning in remove_background(picture, **options).warnings if "cleaning" in warning]
    # What is enclosed the key does not take for background without a network: then nothing is to be filled.
    what = "3.0% of the mask) and filled holes (1.4%" if method != "key" else "2.9%"
    assert told == f"cleaning dropped 3 parts ({what} of the mask); with clean off they stay"
    whole = remove_background(picture, **options, clean=False)
    assert whole.mask[52, 92] == 255
    assert not any("cleaning" in warning for warning in whole.warnings)
    picture[50:56, 100:] = picture[50, 90:96] = 250  # one part, and not worth a word
    assert not any("dropped" in warning for warning in remove_background(picture, **options).warnings)


def test_strokes_from_many_threads_on_one_remover():
    picture, _, _ = two_discs()
    remover = Remover(refine=None, foreground=False)
    prompts = [
        {"points": [(215, 40)]},
        {"points": [(130, 80)], "box": (90, 40, 80, 80)},
        {"points": [(130, 80, 0)], "box": (80, 10, 170, 130)},
        {"points": [(215, 40, 0)]},
    ]
    expected = [remove_background(picture, refine=None, foreground=False, **prompt).mask for prompt in prompts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda prompt: remover(picture, **prompt).mask, prompts * 6))
    for k, mask in enumerate(found):
        assert np.array_equal(mask, expected[k % 4])


def test_a_first_resumed_stroke_is_the_same_as_one_not_resumed():
    picture, _, _ = two_discs()
    for point in ((215, 40), (130, 80, 0)):
        resumed = Remover(refine=None)(picture, points=[point], resume=True)
        assert np.array_equal(resumed.mask, remove_background(picture, points=[point], refine=None).mask)


@pytest.mark.parametrize("method", ["graphcut", "kmeans", "threshold"])
def test_methods_find_the_disc(method):
    picture, disc = scene()
    cutout = remove_background(picture, box=BOX, method=method)
    assert overlap(cutout.mask, disc) > 0.9
    assert cutout.method == method


@pytest.mark.parametrize(("subject", "finder"), [("auto", "learned"), ("learned", "learned"), ("barrier", "barrier")])
def test_without_a_prompt_the_disc_is_found(subject, finder):
    picture, disc = scene()
    cutout = remove_background(picture, subject=subject)
    assert overlap(cutout.mask, disc) > 0.9
    assert (cutout.method, cutout.subject) == ("graphcut", finder)


def test_an_unsure_subject_is_said():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    cutout = remove_background(noise)
    assert cutout.confidence < 0.55
    assert any("unsure" in warning or "no subject" in warning for warning in cutout.warnings)
    assert not any("unsure" in warning for warning in remove_background(scene()[0]).warnings)


def test_what_needs_no_network_never_reads_it(monkeypatch):
    picture, disc = scene()
    green = picture.copy()
    green[~disc] = (0, 200, 0)

    def refuse():
        raise AssertionError("the network was asked for")

    monkeypatch.setattr("alphacut.session.network", refuse)
    for image, prompt in (
        (picture, {"mask": disc}),
        (picture, {"trimap": alphacut.make_trimap(disc)}),
        (green, {"key": "lime"}),
        (picture, {"method": "kmeans"}),
        (picture, {"method": "threshold"}),
    ):
        assert remove_background(image, **prompt).subject is None
    with pytest.raises(AssertionError, match="the network was asked for"):
        remove_background(picture, box=BOX)


def test_barrier_never_asks_the_network(monkeypatch):
    picture, disc = scene()
    monkeypatch.setattr("alphacut.session.network", lambda: None)  # which is no network
    for prompt, finder in (({}, "barrier"), ({"box": BOX}, None)):
        cutout = remove_background(picture, subject="barrier", **prompt)
        assert overlap(cutout.mask, disc) > 0.9
        assert cutout.subject == finder
        with pytest.raises(TypeError):
            remove_background(picture, **prompt)


def test_a_uniform_border_is_keyed():
    picture, disc = scene()
    picture[~disc] = (250, 251, 249)
    cutout = remove_background(picture)
    assert cutout.method == "key"
    assert overlap(cutout.mask, disc) > 0.97
    given = remove_background(picture, key=(250, 251, 249))
    assert overlap(given.mask, disc) > 0.97


def test_a_frame_is_not_keyed():
    picture, disc = scene(300, 400)
    framed = np.full((320, 420, 3), 255, np.uint8)
    framed[10:-10, 10:-10] = picture
    cutout = remove_background(framed)
    assert cutout.method == "graphcut"
    assert overlap(cutout.mask[10:-10, 10:-10], disc) > 0.9
    assert any("frame" in warning for warning in cutout.warnings)
    assert remove_background(framed, method="key").method == "key"
    assert remove_background(framed, subject="barrier").method == "key"


def test_many_things_on_a_plain_background_are_keyed():
    things = np.zeros((240, 320), bool)
    y, x = np.mgrid[:240, :320]
    for row in range(30, 220, 45):
        for column in range(30, 300, 45):
            things |= (y - row) ** 2 + (x - column) ** 2 < 81
    cutout = remove_background(np.where(things[..., None], (180, 60, 50), 250).astype(np.uint8))
    assert cutout.method == "key"
    assert overlap(cutout.mask, things) > 0.97


def test_a_box_too_small_for_the_map_still_counts():
    picture = np.random.default_rng(1).integers(0, 256, (1500, 2000, 3), dtype=np.uint8)
    cutout = remove_background(picture, box=(700, 400, 5, 6), refine=None)
    assert not any("stands out" in warning for warning in cutout.warnings)
    cutout.mask[400:406, 700:705] = 0
    assert not cutout.mask.any()


def test_a_key_is_judged_by_the_border_it_explains():
    picture, disc = scene()
    picture[~disc] = (0, 200, 0)
    picture[:60, 0] = (200, 0, 0)
    right = remove_background(picture, key=(0, 200, 0))
    border = 2 * 160 + 2 * 118
    assert right.confidence == pytest.approx(1 - 60 / border, abs=0.01)
    wrong = remove_background(picture, key="blue")
    assert wrong.confidence < 0.1
    assert any("of the border has the colour" in warning for warning in wrong.warnings)


def test_similarity_and_blend_reach_the_key():
    picture, disc = scene()
    picture[~disc] = (0, 200, 0)
    picture[:, :80][~disc[:, :80]] = (20, 180, 20)
    plain = {"refine": None, "clean": False}
    for ramp in ({"similarity": 0.2}, {"blend": 0.9}, {"similarity": 0.1, "blend": 0.01}):
        given = remove_background(picture, key=(0, 200, 0), **ramp, **plain)
        assert np.array_equal(given.alpha, alphacut.chroma_key(picture, (0, 200, 0), **ramp))
        assert not np.array_equal(given.alpha, remove_background(picture, key=(0, 200, 0), **plain).alpha)
    picture[~disc] = (0, 200, 0)
    found = remove_background(picture, blend=0.9, **plain)
    assert found.method == "key"
    assert not np.array_equal(found.alpha, remove_background(picture, **plain).alpha)


@pytest.mark.parametrize("option", [{"similarity": 0.1}, {"blend": 0.1}, {"despill": True}])
def test_options_of_a_key_need_one(option):
    (name,) = option
    mask = np.ones((120, 160), bool)
    for other in ({"box": BOX}, {"mask": mask}, {"trimap": mask.view(np.uint8)}, {"method": "graphcut"}):
        with pytest.raises(ValueError, match=f"{name}: for a background that is keyed out, which {next(iter(other))}"):
            Remover(**option, **other)
    picture, _ = scene()
    found = Remover(**option)(picture)
    assert found.method == "graphcut"  # known only when the border is seen
    assert "the background was not keyed out: similarity, blend and despill changed nothing" in found.warnings


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("foreground", [True, False])
def test_despill_takes_the_tint_off(dtype, foreground):
    picture, disc = scene(dtype=dtype)
    full = 1 if dtype == np.float32 else np.iinfo(dtype).max
    picture[~disc] = (0, full, 0)
    picture[50:70, 70:90] = (full * 2 / 3, full * 4 / 5, full / 2)  # a reflection of the ground
    for prompt in ({}, {"key": "lime"}, {"preprocess": "white_balance"}):
        plain = remove_background(picture, foreground=foreground, **prompt)
        clean = remove_background(picture, foreground=foreground, despill=True, **prompt)
        assert clean.method == "key"
        assert np.array_equal(clean.alpha, plain.alpha)
        assert np.array_equal(clean.foreground, alphacut.despill(plain.foreground, "lime"))
        assert not np.array_equal(clean.foreground, plain.foreground)
    assert np.array_equal(picture, plain.image)


def test_steps_are_kept_in_order_where_asked():
    picture, disc = scene(700, 900)
    trimap = alphacut.make_trimap(disc, band=5)
    green = picture.copy()
    green[~disc] = (0, 200, 0)
    labels = np.full(disc.shape, 2, np.uint8)
    labels[350, 400:500] = 1
    for image, options, names in (
        (picture, {}, ["subject", "mask", "trimap"]),
        (picture, {"preprocess": ["denoise"], "labels": labels}, ["preprocess", "subject", "mask", "trimap"]),
        (picture, {"box": (200, 100, 500, 500), "subject": "barrier"}, ["mask", "trimap"]),
        (picture, {"mask": disc, "refine": None}, ["mask"]),
        (picture, {"trimap": trimap}, ["trimap"]),
        (green, {}, ["subject", "mask", "trimap"]),
        (green, {"refine": None, "subject": "barrier"}, ["mask"]),
        (green, {"refine": "guided", "key": (0, 200, 0)}, ["mask", "trimap"]),
        (picture, {"method": "kmeans"}, ["mask", "trimap"]),
    ):
        assert remove_background(image, **options).steps == {}
        cutout = remove_background(image, steps=True, **options)
        assert list(cutout.steps) == [*names, "alpha", "foreground"]
        assert cutout.steps["alpha"] is cutout.alpha
        assert cutout.steps["foreground"] is cutout.foreground
        if "trimap" in names:
            seen = cutout.steps.get("preprocess", image)
            again = alphacut.refine_alpha(seen, cutout.steps["trimap"], method=cutout.refine)
            assert np.array_equal(again, cutout.alpha)
        bare = remove_background(image, steps=True, foreground=False, **options)
        assert list(bare.steps) == [*names, "alpha"]
        for twin in (pickle.loads(pickle.dumps(cutout)), copy.deepcopy(cutout), cutout.crop()):
            assert list(twin.steps) == list(cutout.steps)


def test_steps_belong_to_the_caller():
    picture, _ = scene()
    remove = Remover(box=BOX, steps=True)
    first = remove(picture)
    expected = first.rgba.tobytes()
    for name in ("subject", "mask", "trimap"):
        first.steps[name][...] = 0
    assert remove(picture).rgba.tobytes() == expected


def test_a_large_picture_is_cut_small_and_refined_at_full_size():
    picture, disc = scene(1100, 1500)
    cutout = remove_background(picture, box=(300, 150, 900, 800))
    assert cutout.alpha.shape == disc.shape
    assert overlap(cutout.mask, disc) > 0.98


def test_labels_and_thin_strokes_are_obeyed_in_a_large_picture():
    picture, disc = scene(900, 1200)
    labels = np.full(disc.shape, 2, np.uint8)
    labels[448:451, 500:700] = 1
    labels[20:22, 20:1180] = 0
    labels[880:882, 20:1180] = 0
    cutout = remove_background(picture, labels=labels, refine=None)
    assert (cutout.mask[labels == 1] == 255).all()
    assert (cutout.mask[labels == 0] == 0).all()
    assert overlap(cutout.mask, disc) > 0.9


def test_labels_reach_the_cut():
    picture, disc = scene()
    labels = np.where(disc, 3, 2).astype(np.uint8)
    labels[:3] = 0
    labels[60, 80] = 1
    cutout = remove_background(picture, labels=labels)
    assert np.array_equal(cutout.mask, alphacut.grabcut(picture, labels, clean=True).mask)
    assert overlap(cutout.mask, disc) > 0.95


def test_strokes_one_after_the_other_give_the_bytes_of_all_at_once():
    picture, disc = scene()
    remover = alphacut.Remover(refine=None)
    labels = np.full(disc.shape, 3, np.uint8)
    labels[:4] = 0
    for stroke in (np.s_[60, 70:90], np.s_[50:70, 80], np.s_[-4:]):
        labels[stroke] = 0 if isinstance(stroke, slice) else 1
        got = remover(picture, labels=labels)
        once = remove_background(picture.copy(), labels=labels, refine=None)
        assert np.array_equal(got.mask, once.mask)
        assert np.array_equal(got.foreground, once.foreground)
    again = pickle.loads(pickle.dumps(remover))(picture, labels=labels)
    assert np.array_equal(again.mask, got.mask)
    picture[10:20, 10:20] = 255 - picture[10:20, 10:20]  # the same array, another picture
    once = remove_background(picture, labels=labels, refine=None)
    assert np.array_equal(remover(picture, labels=labels).mask, once.mask)
    remover.reset()
    assert np.array_equal(remover(picture, labels=labels).mask, once.mask)


def test_resumed_strokes_change_the_latest_cut():
    picture, disc = scene(500, 700)
    labels = np.full(disc.shape, 3, np.uint8)
    labels[:4], labels[245:255, 340:360] = 0, 1
    remover, cutter = Remover(refine=None, subject="barrier"), Cutter(picture.copy())
    learned = Remover(refine=None)
    for stroke, value in ((None, 3), (np.s_[200:210, 340:360], 1), (np.s_[20:30, 300:400], 0), (np.s_[245:255], 3)):
        if stroke is not None:
            labels[stroke] = value
        got = remover(picture, labels=labels, resume=True)
        assert np.array_equal(got.mask, cutter.cut(labels, None, None, clean=True, resume=True).mask)
        assert overlap(learned(picture, labels=labels, resume=True).mask, disc) > 0.9
    other = pickle.loads(pickle.dumps(remover))  # has nothing to go on from
    anew = remove_background(picture, labels=labels, refine=None, subject="barrier").mask
    for cut in (remover(picture, labels=labels), other(picture, labels=labels, resume=True)):
        assert np.array_equal(cut.mask, anew)
    for prompt in ({}, {"mask": disc}, {"box": BOX}):  # another picture; no cut to resume
        expected = remove_background(picture[::-1], refine=None, subject="barrier", **prompt)
        assert np.array_equal(remover(picture[::-1], resume=True, **prompt).mask, expected.mask)


def test_a_given_mask_is_kept_and_only_its_edge_refined():
    picture, disc = scene()
    hard = remove_background(picture, mask=disc, refine=None)
    assert np.array_equal(hard.mask > 0, disc)
    assert np.array_equal(hard.alpha, hard.mask)
    assert (hard.method, hard.confidence) == ("mask", 1.0)
    soft = remove_background(picture, mask=np.where(disc, 255, 0).astype(np.uint8))
    trimap = alphacut.make_trimap(hard.mask)
    assert (soft.alpha[trimap == 255] == 255).all()
    assert (soft.alpha[trimap == 0] == 0).all()


def test_unknown_pixels_of_a_trimap_that_is_not_refined_are_cut_at_half():
    trimap = np.repeat(np.uint8([[0, 1, 60, 127, 128, 200, 254, 255]]), 4, axis=0)
    for dtype in (np.uint8, np.float32):
        cutout = remove_background(np.full((4, 8, 3), 1, dtype), trimap=trimap, refine=None)
        assert np.array_equal(cutout.mask, np.where(trimap > 127, 255, 0))
        assert cutout.box == (4, 0, 4, 4)
        assert np.array_equal(cutout.alpha, trimap if dtype == np.uint8 else trimap / np.float32(255))


def test_a_trimap_is_solved_only_where_it_is_unknown():
    picture, disc = scene()
    trimap = alphacut.make_trimap(np.where(disc, 255, 0).astype(np.uint8), band=5)
    cutout = remove_background(picture, trimap=trimap)
    assert cutout.method == "trimap"
    assert (cutout.alpha[trimap == 255] == 255).all()
    assert (cutout.alpha[trimap == 0] == 0).all()
    assert overlap(cutout.mask, disc) > 0.95


def test_own_alpha_is_multiplied_in():
    picture, disc = scene()
    own = np.where(np.arange(160) < 80, 128, 255).astype(np.uint8)[None].repeat(120, axis=0)
    whole = remove_background(picture, mask=disc, refine=None)
    rgba = remove_background(np.dstack([picture, own]), mask=disc, refine=None)
    assert np.array_equal(rgba.alpha, (whole.alpha.astype(int) * own + 127) // 255)


def test_gray_pictures_stay_gray():
    picture, disc = scene()
    gray = picture[..., 0].copy()
    cutout = remove_background(gray, box=BOX)
    assert overlap(cutout.mask, disc) > 0.9
    assert cutout.foreground.shape == gray.shape
    assert cutout.rgba.shape == (*gray.shape, 4)
    assert cutout.on("red").shape == (*gray.shape, 3)


def test_every_source_gives_the_same_cutout(tmp_path):
    picture, _ = scene()
    Image.fromarray(picture).save(tmp_path / "scene.png")
    data = (tmp_path / "scene.png").read_bytes()
    sources = [
        tmp_path / "scene.png",
        str(tmp_path / "scene.png"),
        data,
        std_io.BytesIO(data),
        Image.fromarray(picture),
    ]
    expected = remove_background(picture, box=BOX)
    for source in sources:
        assert np.array_equal(remove_background(source, box=BOX).rgba, expected.rgba)


def test_same_bytes_for_every_instruction_set_and_thread_count():
    picture, _ = scene(300, 400)
    prompts = [{"box": (90, 50, 220, 200)}, {}, {"method": "kmeans"}, {"refine": "guided"}]
    before = _core.isa(), _core.num_threads()
    results = []
    try:
        for name in _core.available_isas():
            for threads in (1, 2):
                _core.set_isa(name)
                _core.set_num_threads(threads)
                results.append([remove_background(picture, **prompt).rgba.tobytes() for prompt in prompts])
    finally:
        _core.set_isa(before[0])
        _core.set_num_threads(before[1])
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (2, 2), (5, 4)])
@pytest.mark.parametrize("value", [0, 255])
def test_degenerate_pictures_have_an_answer(shape, value):
    picture = np.full((*shape, 3), value, np.uint8)
    height, width = shape
    one = np.full(shape, 2, np.uint8)
    one[0, 0] = 1
    for prompt in (
        {},
        {"box": (0, 0, width, height)},
        {"box": (0, 0, 1, 1)},
        {"labels": one},
        {"labels": np.zeros(shape, np.uint8)},
        {"labels": np.ones(shape, np.uint8)},
        {"mask": np.zeros(shape, np.uint8)},
        {"mask": np.ones(shape, bool)},
        {"trimap": np.zeros(shape, np.uint8)},
        {"key": "white"},
        {"method": "kmeans"},
        {"method": "threshold"},
        {"method": "graphcut"},
    ):
        cutout = remove_background(picture, **prompt)
        assert cutout.rgba.shape == (*shape, 4)
        assert 0 <= cutout.confidence <= 1


def test_nothing_found_is_said():
    flat = np.full((40, 60, 3), 90, np.uint8)
    cutout = remove_background(flat, method="graphcut")
    assert cutout.box is None
    assert cutout.confidence == 0
    assert any("no subject" in warning for warning in cutout.warnings)
    assert cutout.crop() is cutout


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "magic"}, ValueError, "method must be one of"),
        ({"method": 3}, TypeError, "method must be a str"),
        ({"refine": "magic"}, ValueError, "refine must be one of"),
        ({"subject": "magic"}, ValueError, "subject must be one of"),
        ({"preprocess": "magic"}, ValueError, "preprocess must be one of"),
        ({"device": "tpu"}, ValueError, "device"),
        ({"seed": -1}, ValueError, "seed must be from 0"),
        ({"seed": 1.5}, TypeError, "seed must be an int"),
        ({"box": (1, 2, 3)}, ValueError, "box must be four"),
        ({"box": (1, 2, 3.5, 4)}, TypeError, "each value of box must be an int"),
        ({"box": (1, 2, 0, 4)}, ValueError, "sides of at least 1"),
        ({"box": (500, 2, 5, 4)}, ValueError, "overlap the 160×120 picture"),
        ({"labels": np.zeros((3, 3), np.uint8)}, ValueError, "labels must have the picture's shape"),
        ({"labels": np.full((120, 160), 4, np.uint8)}, ValueError, "labels must be 0, 1, 2 or 3"),
        ({"mask": np.zeros((120, 160))}, TypeError, "mask must be a uint8"),
        ({"mask": [[0]]}, TypeError, "mask must be a path.* or an array, got list"),
        ({"trimap": np.zeros((120, 161), np.uint8)}, ValueError, "trimap must have the picture's shape"),
        ({"key": "no such colour"}, ValueError, "no such colour"),
        ({"key": "red", "box": BOX}, ValueError, "contradict"),
        ({"key": "red", "method": "kmeans"}, ValueError, "cannot use key"),
        ({"box": BOX, "method": "key"}, ValueError, "cannot use box"),
        ({"mask": np.zeros((120, 160), bool), "method": "graphcut"}, ValueError, "cannot use mask"),
    ],
)
def test_bad_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        remove_background(scene()[0], **options)


@pytest.mark.parametrize(
    ("picture", "error"),
    [
        (np.zeros((4, 4, 2), np.uint8), ValueError),
        (np.zeros((4, 4, 3), np.int64), TypeError),
        (np.zeros((0, 4, 3), np.uint8), ValueError),
        (np.zeros(4, np.uint8), ValueError),
        (np.full((4, 4, 3), np.nan, np.float32), ValueError),
        (np.full((4, 4, 3), 2, np.float32), ValueError),
        (b"not a picture", alphacut.DecodeError),
        (7, TypeError),
    ],
)
def test_bad_pictures_are_refused(picture, error):
    with pytest.raises(error):
        remove_background(picture)


def test_remover_takes_a_prompt_for_each_picture():
    picture, disc = scene()
    remove = Remover(refine=None)
    remove.warmup((120, 160))
    assert np.array_equal(remove(picture, mask=disc).mask > 0, disc)
    assert np.array_equal(remove(picture, box=BOX).rgba, remove_background(picture, box=BOX, refine=None).rgba)
    with pytest.raises(TypeError, match="frame: prompts are"):
        remove(picture, frame=3)


@pytest.mark.parametrize(
    "options", [{}, {"method": "key"}, {"key": "green"}, {"method": "kmeans"}, {"mask": np.ones((4, 4), bool)}]
)
@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (64, 48, 3)])
def test_every_remover_warms_up(options, shape):
    Remover(**options).warmup(shape)


@pytest.mark.parametrize(
    ("shape", "error"), [((0, 5), ValueError), ((4.0, 5), TypeError), ((7,), TypeError), (7, TypeError)]
)
def test_warmup_refuses_what_is_no_shape(shape, error):
    with pytest.raises(error, match="shape"):
        Remover().warmup(shape)


def test_prompts_are_checked_when_the_remover_is_made():
    for prompt, error in (
        ({"box": (1, 2, 3)}, ValueError),
        ({"key": "no such colour"}, ValueError),
        ({"mask": [[1]]}, TypeError),
        ({"box": BOX, "key": "red"}, ValueError),
        ({"key": "red", "method": "kmeans"}, ValueError),
    ):
        with pytest.raises(error, match=next(iter(prompt))):
            Remover(**prompt)


def test_one_remover_serves_many_threads():
    pictures = [scene(400 + 8 * i, 520 - 8 * i, seed=i, dtype=DTYPES[i % 3])[0] for i in range(6)]
    remove = Remover(box=(120, 80, 280, 260), refine="guided", preprocess=["denoise", "white_balance"])
    expected = [remove(picture).rgba.tobytes() for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda picture: remove(picture).rgba.tobytes(), pictures * 4)
        assert list(found) == expected * 4


def test_a_trimap_without_unknown_pixels_is_the_alpha():
    picture, disc = scene()
    trimap = np.where(disc, 255, 0).astype(np.uint8)
    cutout = remove_background(picture, trimap=trimap)
    assert np.array_equal(cutout.alpha, trimap)
    assert cutout.refine is None
    assert not np.shares_memory(remove_background(picture, trimap=trimap, refine=None).alpha, trimap)


@pytest.mark.parametrize("known", [0, 255])
def test_a_trimap_that_cannot_be_solved_is_named(known):
    trimap = np.full((120, 160), known, np.uint8)
    trimap[3:9, 3:9] = 100
    with pytest.raises(ValueError, match="trimap has unknown pixels"):
        remove_background(scene()[0], trimap=trimap)


@pytest.mark.parametrize("prompt", [{"mask": np.ones((5, 6), bool)}, {"method": "threshold"}, {"key": "red"}])
def test_a_float_picture_out_of_range_is_named_whatever_runs(prompt):
    for shape in ((5, 6), (5, 6, 3), (5, 6, 4)):
        for bad in (np.nan, np.inf, -0.1, 1.1):
            picture = np.full(shape, 0.5, np.float32)
            picture.flat[-1] = bad
            with pytest.raises(ValueError, match="image of float32 must lie in"):
                remove_background(picture, refine=None, foreground=False, **prompt)


def test_inputs_are_not_changed_and_may_be_read_only():
    picture, disc = scene()
    mask = np.where(disc, 255, 0).astype(np.uint8)
    before = picture.copy()
    picture.flags.writeable = mask.flags.writeable = False
    for prompt in ({"mask": mask}, {"box": BOX}, {"box": BOX, "method": "threshold"}, {}):
        remove_background(picture, **prompt)
    assert np.array_equal(picture, before)


def test_real_photos_with_a_box_are_mostly_right(data_dir):
    ious = []
    for stem in ("flower", "llama", "sheep", "stone2", "ceramic", "fullmoon"):
        folder = data_dir / "grabcut"
        if not (folder / "masks" / f"{stem}.png").exists():
            continue
        x0, y0, x1, y1 = map(int, (folder / "bboxes_tight" / f"{stem}.txt").read_text().split())
        picture = next((folder / "images").glob(f"{stem}.*"))
        cutout = remove_background(picture, box=(x0, y0, x1 - x0, y1 - y0))
        truth = np.asarray(Image.open(folder / "masks" / f"{stem}.png"))
        judged = truth != 128
        ious.append(overlap(cutout.mask[judged], truth[judged] == 255))
    assert ious
    assert np.mean(ious) > 0.8
