import json

import cv2
import numpy as np
import pytest

from alphacut import _core
from training.samples import Pictures


@pytest.fixture
def pictures(tmp_path):
    """A folder like the data's: discs before noise."""
    rng = np.random.default_rng(5)
    for name in ("images", "masks", "cutouts", "backgrounds"):
        (tmp_path / name).mkdir()
    for number in range(24):
        kind = ("general", "cats", "pets")[number % 3]
        height, width = 90 + number, 150 - number
        mask = np.zeros((height, width), np.uint8)
        cv2.circle(mask, (70, 45), 20 + number % 7, 255, -1)
        image = rng.integers(0, 90, (height, width, 3)).astype(np.uint8)
        image[mask > 0] += 100
        cv2.imwrite(str(tmp_path / "images" / f"{kind}_{number}.png"), image)
        cv2.imwrite(str(tmp_path / "masks" / f"{kind}_{number}.png"), mask)
        cv2.imwrite(str(tmp_path / "backgrounds" / f"plain_{number}.png"), image // 2)
        cv2.imwrite(str(tmp_path / "cutouts" / f"thing_{number}.png"), np.dstack([image, mask]))
    return Pictures(tmp_path)


def test_samples_come_from_seed_and_index_alone(pictures):
    for index in range(20):
        planes, mask = pictures.draw(3, index, 64)
        again = pictures.draw(3, index, 64)
        assert np.array_equal(planes, again[0])
        assert np.array_equal(mask, again[1])
        assert (planes.shape, planes.dtype, mask.shape) == ((64, 64, 10), np.int8, (64, 64))
        assert set(np.unique(mask)) <= {0, 255}
        assert not np.array_equal(planes, pictures.draw(4, index, 64)[0])


def test_samples_have_every_prompt_in_right_places(pictures):
    seen = np.zeros(4, int)
    for index in range(200):
        planes, mask = pictures.draw(0, index, 64)
        boxed, front, back = planes[..., 6].any(), planes[..., 8].any(), planes[..., 9].any()
        seen += not (boxed or front or back), boxed, front, back
        if boxed and mask.any():
            assert (mask[planes[..., 6] > 0] > 0).sum() > 0.8 * (mask > 0).sum()
        inside = mask.reshape(32, 2, 32, 2).any((1, 3))
        outside = (mask == 0).reshape(32, 2, 32, 2).any((1, 3))
        assert inside[planes[::2, ::2, 8] == 127].all()  # strokes of foreground touch the subject
        assert outside[planes[::2, ::2, 9] == 127].all()
    assert (seen > 20).all()


def test_some_general_pictures_are_held_out(tmp_path, pictures):
    assert (len(pictures.train), len(pictures.held_out)) == (24, 0)
    for number in range(2):
        for folder in ("images", "masks"):
            data = (tmp_path / folder / "general_0.png").read_bytes()
            (tmp_path / folder / f"general_x{number}.png").write_bytes(data)
    more = Pictures(tmp_path)
    assert (len(more.train), len(more.held_out)) == (25, 1)


def test_training_goes_on_where_it_was_and_its_weights_run(tmp_path, pictures):
    torch = pytest.importorskip("torch", reason="PyTorch is for training only")
    from training import train as module
    from training.curves import draw
    from training.export import export

    pictures.held_out = pictures.train[:3]
    out = tmp_path / "out"
    network = module.train(pictures, out, 3 * module.BATCH, 0, "cpu", 1)
    lines = (out / "log.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["samples"] == 3 * module.BATCH
    again = module.train(pictures, out, 3 * module.BATCH, 0, "cpu", 1)  # nothing left to do
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    )
    assert len((out / "log.jsonl").read_text().splitlines()) == len(lines)

    planes = module.as_input([pictures.draw(1, index, 64)[0] for index in range(8)])
    runs = _core.Network(export(network, planes))
    with torch.no_grad():
        expected = network.eval()(planes.float())[:, 0].numpy()
    for one, wanted in zip(planes.permute(0, 2, 3, 1).numpy(), expected, strict=True):
        found = runs.run(np.ascontiguousarray(one.astype(np.int16)))
        assert np.abs(found - wanted).max() < 0.05 * max(1, np.abs(wanted).max())

    pytest.importorskip("matplotlib", reason="matplotlib draws the curves")
    draw([out / "log.jsonl"], out / "curves.svg")
    assert (out / "curves.svg").stat().st_size > 1000
