"""The calls of other libraries."""

import io

import numpy as np
import pytest

import alphacut
from alphacut.compat.rembg import GENERAL, new_session, remove

PIL = pytest.importorskip("PIL.Image")


def scene(height=90, width=120):
    """A blue disc on what is not plain."""
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(4).integers(0, 40, (height, width, 3))
    picture = (np.stack([rows, columns, rows + columns], -1) // 3 + 90 + noise).astype(np.uint8)
    disc = np.hypot(rows - 45, columns - 60) < 25
    picture[disc] = (20, 40, 200)
    return picture, disc


def png(pixels, **info):
    data = io.BytesIO()
    PIL.fromarray(pixels).save(data, "PNG", **info)
    return data.getvalue()


def test_each_kind_is_returned_as_given():
    picture, _ = scene()
    made = remove(picture)
    assert made.shape == (90, 120, 4)
    rgba = alphacut.remove_background(picture).rgba
    np.testing.assert_array_equal(made, np.where(rgba[..., 3:] > 0, rgba, 0))
    pillow = remove(PIL.fromarray(picture))
    assert pillow.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(pillow), made)
    for data in (png(picture), bytearray(png(picture))):
        np.testing.assert_array_equal(np.asarray(PIL.open(io.BytesIO(remove(data)))), made)
    for data in (picture, PIL.fromarray(picture)):
        assert remove(data, force_return_bytes=True)[:4] == b"\x89PNG"
    deep = remove(picture.astype(np.uint16) * 257)
    assert deep.dtype == np.uint16
    assert remove(picture[..., 0]).shape == (90, 120, 4)


def test_a_file_s_orientation_is_applied():
    picture, _ = scene()
    exif = PIL.Exif()
    exif[0x0112] = 6
    turned = PIL.open(io.BytesIO(png(picture, exif=exif)))
    assert remove(turned).size == (90, 120)


def test_only_mask_and_post_process():
    picture, _ = scene()
    cutout = alphacut.remove_background(picture)
    np.testing.assert_array_equal(remove(picture, only_mask=True), cutout.alpha)
    np.testing.assert_array_equal(remove(picture, only_mask=True, post_process_mask=True), cutout.mask)
    assert set(np.unique(remove(picture, post_process_mask=True)[..., 3])) == {0, 255}
    assert PIL.open(io.BytesIO(remove(png(picture), only_mask=True))).mode == "L"
    np.testing.assert_array_equal(new_session().predict(PIL.fromarray(picture))[0], cutout.alpha)


def test_positions_are_those_of_rembg():
    picture, _ = scene()
    given = remove(picture, True, 230, 20, 4, new_session("u2netp"), False, False, (255, 0, 0, 255))
    named = remove(
        picture,
        alpha_matting=True,
        alpha_matting_foreground_threshold=230,
        alpha_matting_background_threshold=20,
        alpha_matting_erode_size=4,
        bgcolor=(255, 0, 0, 255),
    )
    np.testing.assert_array_equal(given, named)
    assert (given[..., 3] == 255).all()


@pytest.mark.parametrize("erode", [0, 10])
def test_alpha_matting(erode):
    picture, disc = scene()
    prompt = [{"type": "rectangle", "data": [33, 18, 87, 72]}]
    alpha = remove(
        picture, True, alpha_matting_erode_size=erode, session=new_session("sam"), sam_prompt=prompt, only_mask=True
    )
    assert np.abs(alpha / 255 - disc).mean() < 0.02
    # Nothing is sure: as without it.
    plain = remove(picture, session=new_session("sam"), sam_prompt=prompt)
    same = remove(picture, True, alpha_matting_erode_size=80, session=new_session("sam"), sam_prompt=prompt)
    np.testing.assert_array_equal(same, plain)


def test_prompts_of_sam():
    picture, _ = scene()
    session = new_session("sam")
    points = [{"type": "point", "data": [60, 45], "label": 1}, {"type": "point", "data": [5, 5], "label": 0}]
    expected = alphacut.remove_background(picture, points=[(60, 45, 1), (5, 5, 0)]).alpha
    np.testing.assert_array_equal(remove(picture, session=session, only_mask=True, sam_prompt=points), expected)
    box = [{"type": "rectangle", "data": [30, 15, 90, 75]}]
    expected = alphacut.remove_background(picture, box=(30, 15, 60, 60)).alpha
    np.testing.assert_array_equal(remove(picture, session=session, only_mask=True, sam_prompt=box), expected)
    for wrong in ([{"type": "mask"}], box * 2, [{"type": "point", "data": [1]}]):
        with pytest.raises(ValueError, match="sam_prompt"):
            remove(picture, session=session, sam_prompt=wrong)


def test_own_colours_stay():
    picture, _ = scene()
    made = remove(picture, putalpha=True)
    some = made[..., 3] > 0
    np.testing.assert_array_equal(made[some][:, :3], picture[some])
    assert not made[~some].any()


@pytest.mark.parametrize("alpha", [255, 128, 0])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_colour_behind(alpha, dtype):
    from alphacut.compat.rembg import _over

    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    rgba = (np.random.default_rng(1).random((5, 7, 4)) * full).astype(dtype)
    made = _over(rgba, (250, 120, 0, alpha)).astype(float) / full
    over = rgba.astype(float) / full
    total = over[..., 3] + (1 - over[..., 3]) * alpha / 255
    weighted = over[..., :3] * over[..., 3:]
    weighted += (1 - over[..., 3:]) * alpha / 255 * np.array([250, 120, 0]) / 255
    np.testing.assert_allclose(made[..., 3], total, atol=0.003)
    np.testing.assert_allclose(made[..., :3] * made[..., 3:], weighted, atol=0.004)


def test_a_network_of_ones_own(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper

    node = helper.make_node("ReduceMean", ["image"], ["map"], axes=[1], keepdims=1)
    sides = [1, 3, 32, 32], [1, 1, 32, 32]
    values = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in zip(("image", "map"), sides, strict=True)
    ]
    graph = helper.make_graph([node], "mean", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(tmp_path / "mean.onnx"))
    session = new_session("dis_custom", model_path=str(tmp_path / "mean.onnx"))
    bright = np.full((64, 64, 3), 30, np.uint8) + np.random.default_rng(0).integers(0, 9, (64, 64, 3), np.uint8)
    bright[20:40, 20:40] += 190
    assert remove(bright, session=session, only_mask=True)[30, 30] == 255


def test_what_is_refused():
    picture, _ = scene()
    for name in ("u2net_cloth_seg", "isnet-anime", "U2NET"):
        with pytest.raises(ValueError, match="model_name"):
            new_session(name)
    with pytest.raises(TypeError, match="model_path"):
        new_session("u2net_custom")
    with pytest.raises(TypeError, match="colour"):
        new_session("u2net", colour=1)
    with pytest.raises(TypeError, match="cc"):
        remove(picture, cc="x")
    with pytest.raises(TypeError, match="data"):
        remove("picture.png")
    with pytest.raises(TypeError, match="session"):
        remove(picture, session="u2net")
    with pytest.raises(ValueError, match="thresholds"):
        remove(picture, True, 10, 240)
    with pytest.raises(ValueError, match="erode"):
        remove(picture, True, alpha_matting_erode_size=-1)
    for colour in ((1, 2, 3), (0, 0, 0, 256), (0, 0, 0, np.nan)):
        with pytest.raises(ValueError, match="bgcolor"):
            remove(picture, bgcolor=colour)


def test_every_name_makes_a_session():
    for name in GENERAL:
        assert new_session(name).model_name == name
    assert new_session("u2net", ["CPUExecutionProvider"]).model_name == "u2net"
