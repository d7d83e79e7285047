"""Networks of the user's own. The graphs are built here: small ones that answer what can be foretold."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from click.testing import CliRunner

import alphacut
from alphacut import Instance, Model, Remover, remove_background
from alphacut.cli import main
from alphacut.files import read_image, write_image

pytest.importorskip("onnxruntime", reason="a model needs onnxruntime")
onnx = pytest.importorskip("onnx", reason="the graphs are built with onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

FLOAT, FLOAT16, UINT8 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8
PLAIN = {"mean": 0, "std": 1}  # the network sees the picture's values as they are


def network(nodes, outputs, *, shape=(1, 3, 32, 48), dtype=FLOAT, inputs=None, constants=(), metadata=()):
    """An ONNX file in memory; outputs are names, or names with their types."""
    taken = [helper.make_tensor_value_info(name, dtype, shape) for name in inputs or ["picture"]]
    given = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in dict(constants).items()]
    graph = helper.make_graph(nodes, "graph", taken, given, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, dict(metadata))
    return model.SerializeToString()


def channel(number, *, axis=1, dtype=FLOAT, **options):
    """A network that gives one channel of what it gets."""
    node = helper.make_node("Gather", ["picture", "number"], ["map"], axis=axis)
    return network([node], {"map": dtype}, dtype=dtype, constants={"number": np.array([number])}, **options)


def saying(**arrays):
    """A network that gives these arrays, whatever it gets."""
    kinds = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in arrays.items()}
    nodes = [helper.make_node("Identity", [f"{name}_"], [name]) for name in arrays]
    return network(nodes, kinds, constants={f"{name}_": value for name, value in arrays.items()})


def two_discs():
    """(picture, left disc, right disc), 120×180, in front of a ground that is not uniform."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:120, :180]
    left, right = ((y - 60) ** 2 + (x - centre) ** 2 < 30**2 for centre in (50, 130))
    ground = np.stack([60 + 30 * np.sin(x / 9), 80 + 30 * np.cos(y / 7), np.full(x.shape, 90)], axis=2)
    picture = np.where((left | right)[..., None], (210, 120, 40), ground) + rng.normal(0, 6, (120, 180, 3))
    return np.clip(picture, 0, 255).astype(np.uint8), left, right


PICTURE, LEFT, RIGHT = two_discs()


def small(disc):
    """A disc in the network's size, as logits."""
    return 12 * alphacut.resize(disc.astype(np.float32), (32, 48)) - 6


def finds(disc):
    return saying(map=small(disc)[None, None])


def instances(inside_boxes=False):
    """A network that finds the left disc, less surely the right one, and hardly something else."""
    boxes = np.array([[20.5, 8, 44.5, 24], [5.3, 8, 21.3, 24], [0, 0, 3, 3]], np.float32)
    masks = 1 / (1 + np.exp(-np.stack([small(RIGHT), small(LEFT), small(LEFT)])))[:, None]
    if inside_boxes:
        boxes[:2] = [[26.67, 8, 42.67, 24], [5.33, 8, 21.33, 24]]
        y, x = np.mgrid[-13.5:14, -13.5:14]
        masks = np.broadcast_to((y**2 + x**2 < 14**2).astype(np.float32), (3, 1, 28, 28)).copy()
    return saying(
        boxes=boxes,
        labels=np.array([17, 1, 3]),
        scores=np.array([0.8, 0.9, 0.3], np.float32),
        masks=masks.astype(np.float32),
    )


def overlap(mask, truth):
    return np.count_nonzero((mask > 0) & truth) / np.count_nonzero((mask > 0) | truth)


# --- what the network gets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("gray", [False, True])
def test_the_network_gets_the_picture_scaled_and_normalized(dtype, gray):
    picture = PICTURE[..., 0].copy() if gray else PICTURE
    picture = {np.uint8: picture, np.uint16: picture.astype(np.uint16) * 257}.get(dtype, picture / np.float32(255))
    small = alphacut.resize(picture, (32, 48))
    full = 1 if dtype == np.float32 else np.iinfo(dtype).max
    for number in range(3):
        plane = (small if gray else small[..., number]) / np.float32(full)
        mean, std = (-0.1, -0.2, -0.3), (1.5, 2, 2.5)  # keep 0..1
        got = Model(channel(number), mean=mean, std=std).small_map(picture)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, (plane - mean[number]) / std[number], atol=1e-6)


def test_mean_and_std_of_255_and_bgr():
    small = alphacut.resize(PICTURE, (32, 48)).astype(np.float32)
    model = Model(channel(0), mean=(2, 0, 0), std=(300, 255, 255), channels="bgr")
    np.testing.assert_allclose(model.small_map(PICTURE), np.clip((small[..., 2] - 2) / 300, 0, 1), atol=1e-6)
    assert "bgr" in repr(model)
    assert "std (0.229, 0.224, 0.225)" in repr(Model(channel(0), mean=(123.7, 116.3, 103.5)))


def test_imagenet_is_the_default():
    model = Model(channel(1))
    small = alphacut.resize(PICTURE, (32, 48))[..., 1] / np.float32(255)
    logits = (small - 0.456) / 0.224
    np.testing.assert_allclose(model.small_map(PICTURE), 1 / (1 + np.exp(-logits)), atol=1e-5)
    swapped = Model(channel(1), channels="bgr")
    np.testing.assert_allclose(swapped.small_map(PICTURE), model.small_map(PICTURE))
    assert "size (32, 48), mean (0.485, 0.456, 0.406)" in repr(model)


@pytest.mark.parametrize("shape", [(1, 3, 32, 48), (3, 32, 48), (1, 32, 48, 3), (32, 48, 3), ("n", "c", 32, 48)])
@pytest.mark.parametrize("dtype", [FLOAT, FLOAT16])
def test_layouts_and_depths(shape, dtype):
    axis = len(shape) - 3 if shape[-1] != 3 else len(shape) - 1
    got = Model(channel(2, axis=axis, shape=shape, dtype=dtype), **PLAIN)(PICTURE)
    assert got.shape == PICTURE.shape[:2]
    assert got.dtype == np.float32
    expected = Model(channel(2), **PLAIN)(PICTURE)
    np.testing.assert_allclose(got, expected, atol=1e-6 if dtype == FLOAT else 1e-3)


def test_a_network_of_uint8_gets_the_bytes():
    nodes = [
        helper.make_node("Gather", ["picture", "number"], ["bytes"], axis=3),
        helper.make_node("Cast", ["bytes"], ["wide"], to=FLOAT),
        helper.make_node("Div", ["wide", "full"], ["map"]),
    ]
    constants = {"number": np.array([0]), "full": np.float32(255)}
    file = network(nodes, {"map": FLOAT}, shape=(1, "h", "w", 3), dtype=UINT8, constants=constants)
    small = alphacut.resize(PICTURE, (30, 45))[..., 0]
    np.testing.assert_allclose(Model(file, size=(30, 45)).small_map(PICTURE), small / 255, atol=1e-6)
    with pytest.raises(ValueError, match="takes uint8 as it is"):
        Model(file, mean=0)


@pytest.mark.parametrize(
    ("options", "shape", "expected"),
    [
        ({}, (1200, 1600), (768, 1024)),
        ({}, (50, 100), (64, 96)),
        ({"size": 320}, (1200, 1600), (256, 320)),
        ({"size": 320}, (1, 3000), (32, 320)),
        ({"size": (40, 50)}, (1200, 1600), (40, 50)),
    ],
)
def test_sizes_of_a_network_that_takes_any(options, shape, expected):
    model = Model(channel(0, shape=(1, 3, "height", "width")), **PLAIN, **options)
    picture = np.zeros((*shape, 3), np.uint8)
    assert model.small_map(picture).shape == expected
    assert model(picture).shape == shape


def test_a_side_that_is_fixed():
    with pytest.raises(ValueError, match="contradicts"):
        Model(channel(0, shape=(1, 3, 64, None)), size=96)
    model = Model(channel(0, shape=(1, 3, 64, None)), **PLAIN, size=(64, 100))
    assert model.small_map(PICTURE).shape == (64, 100)


def test_metadata_is_read_and_arguments_go_before_it():
    metadata = {"input_size": "[40, 56]", "mean": "0.1, 0.2,0.3", "std": "2", "channels": "BGR", "other": "x"}
    file = channel(0, shape=(1, 3, "h", "w"), metadata=metadata)
    assert repr(Model(file)).endswith("size (40, 56), mean (0.1, 0.2, 0.3), std (2.0, 2.0, 2.0), bgr>")
    assert repr(Model(file, size=64, mean=0, std=1, channels="rgb")).endswith(
        "size (64, 64), mean (0.0, 0.0, 0.0), std (1.0, 1.0, 1.0), rgb>"
    )
    other = channel(0, metadata={"imgsz": "640", "standardization_mean": "(0.5 0.5 0.5)", "standardization_std": "1"})
    assert "size (32, 48), mean (0.5, 0.5, 0.5), std (1.0, 1.0, 1.0)" in repr(Model(other))  # the input's size is fixed


@pytest.mark.parametrize(
    ("key", "text"),
    [("mean", "a"), ("mean", ""), ("mean", "1,2"), ("std", "0"), ("std", "nan"), ("input_size", "1.5"),
     ("input_size", "0"), ("input_size", "inf"), ("imgsz", "1,2,3"), ("channels", "rgba")],
)  # fmt: skip
def test_bad_metadata_is_named(key, text):
    with pytest.raises(ValueError, match=f"metadata of the network has '{key}'"):
        Model(channel(0, metadata={key: text}))


# --- what it gives ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(32, 48), (1, 32, 48), (1, 1, 32, 48), (1, 32, 48, 1), (32, 48, 1)])
def test_maps_have_axes_of_one_around_them(shape):
    values = np.linspace(0, 1, 32 * 48, dtype=np.float32)
    assert np.array_equal(Model(saying(map=values.reshape(shape))).small_map(PICTURE), values.reshape(32, 48))


def test_logits_become_probabilities_and_probabilities_stay():
    low = np.full((1, 1, 2, 2), 0.2, np.float64)
    assert np.array_equal(Model(saying(map=low))(PICTURE), np.full((120, 180), np.float32(0.2)))
    low[0, 0, 0, 0] = 1.005  # rounding
    assert Model(saying(map=low)).small_map(PICTURE).tolist() == [[1, np.float32(0.2)], [np.float32(0.2)] * 2]
    logits = np.array([[-np.inf, -800, 0, 800]], np.float32)
    assert Model(saying(map=logits)).small_map(PICTURE).tolist() == [[0, 0, 0.5, 1]]


def test_the_first_output_or_the_one_asked_for():
    file = saying(first=np.zeros((1, 1, 2, 2), np.float32), second=np.ones((1, 1, 2, 2), np.float32))
    assert not Model(file)(PICTURE).any()
    for output in ("second", 1):
        assert Model(file, output=output)(PICTURE).all()


@pytest.mark.parametrize("inside_boxes", [False, True])
def test_instances(inside_boxes):
    model = Model(instances(inside_boxes))
    found = model.instances(PICTURE)
    assert [type(one) for one in found] == [Instance, Instance]
    assert [(one.label, round(one.score, 3)) for one in found] == [(1, 0.9), (17, 0.8)]
    for number, (one, disc) in enumerate(zip(found, (LEFT, RIGHT), strict=True)):
        assert one.mask.dtype == np.uint8
        assert set(np.unique(one.mask)) == {0, 255}
        assert overlap(one.mask, disc) > 0.9
        x, y, width, height = one.box
        assert disc[y : y + height, x : x + width].sum() > 0.95 * disc.sum()
        np.testing.assert_array_equal(model(PICTURE, instance=number) > 0.5, one.mask > 0)
    assert overlap(model(PICTURE) > 0.5, LEFT | RIGHT) > 0.9
    assert len(Model(instances(), min_score=0.3).instances(PICTURE)) == 3
    with pytest.raises(ValueError, match="below the number that was found, 2"):
        model(PICTURE, instance=2)


def test_boxes_are_clipped_to_the_picture():
    boxes = [[-9, -9, 5, 5], [40, 30, 99, 99], [-5, -5, -4, -4], [60, 60, 60, 60], [-3e38, -3e38, 3e38, 3e38]]
    masks = np.ones((5, 28, 28), np.float32)
    scores = np.full(5, 0.9, np.float32)
    file = saying(boxes=np.array(boxes, np.float32), labels=np.arange(5), scores=scores, masks=masks)
    found = Model(file).instances(np.zeros((32, 48, 3), np.uint8))
    assert [one.box for one in found] == [(0, 0, 5, 5), (40, 30, 8, 2), (0, 0, 1, 1), (47, 31, 1, 1), (0, 0, 48, 32)]
    assert [np.count_nonzero(one.mask) for one in found] == [25, 16, 0, 0, 48 * 32]


def test_no_instances():
    empty = {"labels": np.zeros(0, np.int64), "scores": np.zeros(0, np.float32)}
    model = Model(saying(boxes=np.zeros((0, 4), np.float32), masks=np.zeros((0, 1, 28, 28), np.float32), **empty))
    assert model.instances(PICTURE) == []
    assert not model(PICTURE).any()
    cutout = remove_background(PICTURE, model=model)
    assert not cutout.mask.any()
    assert cutout.confidence == 0
    assert "the model finds no subject" in cutout.warnings


# --- in the flow -----------------------------------------------------------------------------------------------------


def test_the_cut_follows_the_model():
    for disc in (LEFT, RIGHT):
        cutout = remove_background(PICTURE, model=finds(disc))
        assert overlap(cutout.mask, disc) > 0.9
        assert (cutout.method, cutout.subject) == ("graphcut", "model")
        assert cutout.confidence > 0.8
        assert {"subject", "segment"} <= set(cutout.timings)
        assert not cutout.warnings


def test_a_model_goes_before_a_uniform_border():
    picture = np.full((120, 180, 3), 250, np.uint8)
    picture[LEFT | RIGHT] = (200, 30, 40)
    assert remove_background(picture).method == "key"
    cutout = remove_background(picture, model=finds(LEFT))
    assert cutout.method == "graphcut"
    assert overlap(cutout.mask, LEFT) > 0.9


def test_a_subject_of_no_pixel_is_an_empty_mask():
    cutout = remove_background(PICTURE, model=saying(map=np.full((4, 4), 0.01, np.float32)))
    assert not cutout.mask.any()
    assert cutout.warnings


def test_box_and_labels_go_before_the_model():
    both = remove_background(PICTURE, model=finds(LEFT | RIGHT))
    assert overlap(both.mask, LEFT | RIGHT) > 0.9
    boxed = remove_background(PICTURE, model=finds(LEFT | RIGHT), box=(10, 20, 80, 80))
    assert overlap(boxed.mask, LEFT) > 0.9
    assert boxed.subject == "model"
    labels = np.full(LEFT.shape, 2, np.uint8)
    labels[LEFT] = 0
    stroked = remove_background(PICTURE, model=finds(LEFT | RIGHT), labels=labels)
    assert overlap(stroked.mask, RIGHT) > 0.9
    nothing = remove_background(PICTURE, model=saying(map=np.zeros((4, 4), np.float32)), box=(10, 20, 80, 80))
    assert overlap(nothing.mask, LEFT) > 0.9
    assert "the model finds no subject" in nothing.warnings


def test_an_instance_is_cut_out():
    remover = Remover(model=instances(), instance=1)
    assert overlap(remover(PICTURE).mask, RIGHT) > 0.9
    assert overlap(remover(PICTURE, instance=0).mask, LEFT) > 0.9
    assert overlap(remover(PICTURE, instance=None).mask, LEFT | RIGHT) > 0.9
    for one, disc in zip(Model(instances()).instances(PICTURE), (LEFT, RIGHT), strict=True):
        assert overlap(remove_background(PICTURE, mask=one.mask).mask, disc) > 0.9


def test_a_remover_runs_the_model_once_a_picture(monkeypatch):
    runs = []
    original = Model._run
    monkeypatch.setattr(Model, "_run", lambda self, pixels: runs.append(1) or original(self, pixels))
    remover = Remover(model=finds(LEFT), refine=None)
    remover.warmup(PICTURE.shape)
    runs.clear()
    labels = np.full(LEFT.shape, 2, np.uint8)
    remover(PICTURE)
    labels[60, 40:60] = 1
    again = remover(PICTURE, labels=labels, resume=True)
    assert len(runs) == 1
    assert np.array_equal(again.mask, remove_background(PICTURE, model=finds(LEFT), labels=labels, refine=None).mask)
    remover(255 - PICTURE)
    assert len(runs) == 3  # one of them is remove_background's


def test_threads_at_once_give_the_same_bytes():
    remover = Remover(model=finds(LEFT), refine=None)
    with ThreadPoolExecutor(4) as pool:
        masks = list(pool.map(lambda _: remover(PICTURE).mask, range(8)))
    assert all(np.array_equal(mask, masks[0]) for mask in masks)


def test_a_file_by_its_path_pickles_and_serves_the_command_line(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(finds(RIGHT))
    expected = remove_background(PICTURE, model=str(path)).mask
    model = Model(path, mean=0.5, std=1)
    again = pickle.loads(pickle.dumps(model))
    assert repr(again) == repr(model)
    assert np.array_equal(pickle.loads(pickle.dumps(Remover(model=model)))(PICTURE).mask, expected)
    write_image(tmp_path / "photo.png", PICTURE)
    assert np.array_equal(model(tmp_path / "photo.png"), model(PICTURE))
    arguments = ["remove", str(tmp_path / "photo.png"), "-o", str(tmp_path / "out.png"), "--only-mask"]
    result = CliRunner().invoke(main, [*arguments, "--model", str(path)])
    assert result.exit_code == 0, result.output
    assert np.array_equal(read_image(tmp_path / "out.png").pixels, expected)
    for bad in ([str(tmp_path / "photo.png")], [str(path), "--key", "green"], [str(tmp_path / "missing")]):
        assert CliRunner().invoke(main, [*arguments, "--overwrite", "--model", *bad]).exit_code == 2


def test_a_session_of_ones_own():
    import onnxruntime

    session = onnxruntime.InferenceSession(finds(LEFT), providers=["CPUExecutionProvider"])
    assert overlap(remove_background(PICTURE, model=Model(session)).mask, LEFT) > 0.9
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Model(session))


def test_threads_are_those_of_alphacut(threads):
    assert Model(finds(LEFT))._session.get_session_options().intra_op_num_threads == threads


# --- what cannot be used ---------------------------------------------------------------------------------------------


def test_without_onnxruntime_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"pip install 'alphacut\[onnx\]'"):
        remove_background(PICTURE, model=b"")
    (tmp_path / "a.onnx").write_bytes(b"")
    result = CliRunner().invoke(main, ["remove", "a.png", "--model", str(tmp_path / "a.onnx")])
    assert result.exit_code == 2
    assert "alphacut[onnx]" in result.output


def test_files_that_are_no_networks(tmp_path):
    with pytest.raises(FileNotFoundError):
        Model(tmp_path / "missing.onnx")
    with pytest.raises(OSError):
        Model(tmp_path)
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    for source in (str(tmp_path / "bad.onnx"), b"no network", b"", finds(LEFT)[:-40]):
        with pytest.raises(ValueError, match="not an ONNX network"):
            Model(source)
    for source in (3, None, ["a"], PICTURE):
        with pytest.raises(TypeError, match="source must be"):
            Model(source)
        if source is not None:
            with pytest.raises(TypeError, match="model must be"):
                remove_background(PICTURE, model=source)


def test_networks_that_take_something_else():
    double = network(
        [helper.make_node("Add", ["a", "b"], ["map"])], {"map": FLOAT}, inputs=["a", "b"], shape=(1, 3, 4, 4)
    )
    with pytest.raises(ValueError, match=r"one input, a picture, got \['a', 'b'\]"):
        Model(double)
    for shape in [(1, 1, 32, 48), (2, 3, 32, 48), (1, 4, 32, 48), (32, 48), (1, 1, 3, 32, 48), (1, 3), None, (3,)]:
        with pytest.raises(ValueError, match="three channels"):
            Model(network([helper.make_node("Identity", ["picture"], ["map"])], {"map": FLOAT}, shape=shape))
    with pytest.raises(ValueError, match="must take one of"):
        Model(channel(0, dtype=TensorProto.DOUBLE))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (np.zeros((1, 2, 4, 4), np.float32), "one map of floats"),
        (np.zeros((2, 1, 4, 4), np.float32), "one map of floats"),
        (np.zeros(4, np.float32), "one map of floats"),
        (np.zeros((1, 1, 0, 4), np.float32), "one map of floats"),
        (np.zeros((1, 1, 4, 4), np.uint8), "one map of floats, .* got uint8"),
        (np.full((1, 1, 4, 4), np.nan, np.float32), "gives NaN"),
    ],
)
def test_networks_that_give_something_else(output, message):
    with pytest.raises(ValueError, match=message):
        remove_background(PICTURE, model=saying(map=output))


def test_instances_that_are_not_finite():
    good = {
        "boxes": np.array([[1, 1, 9, 9]], np.float32),
        "labels": np.array([1]),
        "scores": np.array([0.9], np.float32),
        "masks": np.ones((1, 1, 28, 28), np.float32),
    }
    assert len(Model(saying(**good)).instances(PICTURE)) == 1
    for name in ("boxes", "scores", "masks"):
        bad = {**good, name: good[name] * np.float32(np.nan)}
        with pytest.raises(ValueError, match=r"finite|NaN"):
            Model(saying(**bad)).instances(PICTURE)
    with pytest.raises(ValueError, match="one map, not instances"):
        Model(finds(LEFT)).instances(PICTURE)
    with pytest.raises(ValueError, match="gives one map"):
        remove_background(PICTURE, model=finds(LEFT), instance=0)


def test_a_network_that_fails_says_on_what():
    node = helper.make_node("Reshape", ["picture", "shape"], ["map"])
    file = network([node], {"map": FLOAT}, shape=(1, 3, "h", "w"), constants={"shape": np.array([7, 7])})
    with pytest.raises(ValueError, match=r"the network fails on an input of shape \(1, 3, 32, 32\)"):
        Model(file, size=32)(PICTURE[:60, :60])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"size": 0}, ValueError), ({"size": 2.5}, TypeError), ({"size": (1, 2, 3)}, ValueError),
        ({"size": 10**6}, ValueError), ({"size": "32"}, TypeError), ({"size": (32, 32)}, ValueError),
        ({"mean": "0"}, TypeError), ({"mean": (1, 2)}, ValueError), ({"mean": np.inf}, ValueError),
        ({"std": 0}, ValueError), ({"std": (1, 1, -1)}, ValueError), ({"std": [1, None, 1]}, TypeError),
        ({"channels": "rgba"}, ValueError), ({"channels": 3}, TypeError),
        ({"output": "other"}, ValueError), ({"output": 1}, ValueError), ({"output": 1.0}, TypeError),
        ({"min_score": 2}, ValueError), ({"min_score": np.nan}, ValueError), ({"min_score": "x"}, TypeError),
    ],
)  # fmt: skip
def test_wrong_options(options, error):
    with pytest.raises(error):
        Model(channel(0), **options)


def test_contradictions():
    model = Model(finds(LEFT))
    mask = LEFT.astype(np.uint8) * np.uint8(255)
    for prompt in ({"mask": mask}, {"trimap": mask}, {"key": "green"}):
        with pytest.raises(ValueError, match="contradict"):
            remove_background(PICTURE, model=model, **prompt)
        with pytest.raises(ValueError, match="contradict"):
            Remover(model=model)(PICTURE, **prompt)
    for method in ("kmeans", "threshold", "key"):
        with pytest.raises(ValueError, match="cannot use model"):
            remove_background(PICTURE, model=model, method=method)
    with pytest.raises(ValueError, match="contradict"):
        remove_background(PICTURE, model=model, subject="barrier")
    for instance, error in ((0, ValueError), ("0", TypeError), (-1, ValueError)):
        with pytest.raises(error, match="instance"):
            remove_background(PICTURE, instance=instance)
    for picture, error in ((None, TypeError), (PICTURE.astype(int), TypeError), (b"", alphacut.DecodeError)):
        with pytest.raises(error):
            model(picture)
    with pytest.raises(ValueError, match=r"0\.\.1|from 0 to 1"):
        model(PICTURE.astype(np.float32))


def test_the_server_knows_models_by_their_names(tmp_path):
    testclient = pytest.importorskip("starlette.testclient", reason="the server is an extra")
    from alphacut.server import Settings, create_app

    (tmp_path / "net.onnx").write_bytes(finds(LEFT))
    write_image(tmp_path / "a.png", PICTURE)
    photo = (tmp_path / "a.png").read_bytes()
    settings = Settings(models={"net": tmp_path / "net.onnx", "two": Model(instances(), **PLAIN)})
    with testclient.TestClient(create_app(settings), base_url="http://localhost") as client:

        def alpha(**fields):
            answer = client.post("/api/remove", files={"file": photo}, data=fields)
            assert answer.status_code == 200, answer.text
            return read_image(answer.content).alpha

        expected = remove_background(PICTURE, model=finds(LEFT))
        np.testing.assert_array_equal(alpha(model="net"), expected.alpha)
        for number in ("0", "1"):
            expected = remove_background(PICTURE, model=Model(instances(), **PLAIN), instance=int(number))
            np.testing.assert_array_equal(alpha(model="two", instance=number), expected.alpha)
        answer = client.post("/api/remove", files={"file": photo}, data={"model": "none"})
        assert answer.status_code == 400
        assert "'none' is no model of this server; these are: net, two" in answer.text
        answer = client.post("/api/remove", files={"file": photo}, data={"model": "two", "instance": "9"})
        assert (answer.status_code, "instance" in answer.text) == (400, True)


def test_an_instance_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.onnx").write_bytes(instances())
    write_image("a.png", PICTURE)
    result = CliRunner().invoke(main, ["remove", "a.png", "--model", "net.onnx", "--instance", "1", "-o", "b.png"])
    assert result.exit_code == 0, result.output
    expected = remove_background(PICTURE, model="net.onnx", instance=1)
    np.testing.assert_array_equal(read_image("b.png").alpha, expected.alpha)


def test_files_that_the_server_cannot_start_with(tmp_path, monkeypatch):
    pytest.importorskip("uvicorn", reason="the server is an extra")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.onnx").write_bytes(finds(LEFT))
    (tmp_path / "text.onnx").write_text("text")
    for given, words in (
        (["text.onnx"], "--model"),
        (["missing.onnx"], "missing.onnx"),
        (["net.onnx", "net=net.onnx"], "two of the name 'net'"),
        (["=net.onnx"], "a name is empty"),
    ):
        result = CliRunner().invoke(main, ["serve", *(part for each in given for part in ("--model", each))])
        assert result.exit_code == 2, result.output
        assert words in result.output
