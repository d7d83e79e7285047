import json

import numpy as np
import pytest

from alphacut import _core

cv2 = pytest.importorskip("cv2")

from training.samples import Pictures, arranged, corrected  # noqa: E402


@pytest.fixture
def pictures(tmp_path):
    """A folder like the data's: discs before noise."""
    rng = np.random.default_rng(5)
    for name in ("images", "masks", "cutouts", "backgrounds", "prompted/images", "prompted/masks"):
        (tmp_path / name).mkdir(parents=True)
    for number in range(24):
        kind = ("general", "cats", "pets")[number % 3]
        height, width = 90 + number, 150 - number
        mask = np.zeros((height, width), np.uint8)
        cv2.circle(mask, (70, 45), 20 + number % 7, 255, -1)
        image = rng.integers(0, 90, (height, width, 3)).astype(np.uint8)
        image[mask > 0] += 100
        for folder in ("", "prompted/") if number < 2 else ("",):
            cv2.imwrite(str(tmp_path / f"{folder}images" / f"{kind}_{number}.png"), image)
            cv2.imwrite(str(tmp_path / f"{folder}masks" / f"{kind}_{number}.png"), mask)
        cv2.imwrite(str(tmp_path / "backgrounds" / f"plain_{number}.png"), image // 2)
        cv2.imwrite(str(tmp_path / "cutouts" / f"thing_{number}.png"), np.dstack([image, mask]))
    return Pictures(tmp_path)


def test_samples_come_from_seed_and_index_alone(pictures):
    for index in range(40):
        sample, again = pictures.draw(3, index, 64), pictures.draw(3, index, 64)
        assert np.array_equal(sample.image, again.image)
        assert np.array_equal(sample.wanted, again.wanted)
        assert (sample.box, sample.strokes) == (again.box, again.strokes)
        assert (sample.image.shape, sample.image.dtype, sample.wanted.shape) == ((64, 64, 3), np.uint8, (64, 64))
        assert not np.array_equal(sample.image, pictures.draw(4, index, 64).image)


def test_samples_have_every_prompt(pictures):
    seen = np.zeros(4, int)
    for index in range(300):
        sample = pictures.draw(0, index, 64)
        boxed, open_ended = sample.box is not None, sample.salient is None
        seen += boxed, sample.strokes, not (boxed or sample.strokes), open_ended
        if boxed:
            x, y, width, height = sample.box
            inside = np.zeros((64, 64), bool)
            inside[y : y + height, x : x + width] = True
            assert ((sample.wanted >= 128) & inside).sum() > 0.8 * (sample.wanted >= 128).sum()
            assert sample.salient is sample.wanted
        assert not open_ended or sample.strokes  # else there is nothing to learn from
    assert (seen > 15).all()


def test_strokes_lie_on_their_side_and_most_where_the_answer_errs(pictures):
    rng, on_errors, drawn = np.random.default_rng(2), 0, 0
    image, mask = pictures.train[0]
    sample = arranged(rng, image, mask, mask, "strokes", 96, augment=False)
    inside = sample.wanted >= 128
    half = inside & (np.arange(96)[:, None] < 48)  # an answer that lacks the lower half
    for _ in range(60):
        hints = corrected(rng, sample.wanted, half.astype(np.float32))
        assert set(np.unique(hints)) <= {0, 1, 2}
        assert inside[hints == 1].all()
        assert not inside[hints == 0].any()
        drawn += (hints < 2).any()
        on_errors += (hints == 1).any() and (inside & ~half)[hints == 1].mean() > 0.2
    assert drawn == 60
    assert on_errors > 35
    nothing = corrected(rng, np.zeros((96, 96), np.uint8), half.astype(np.float32), 3)
    assert not (nothing == 1).any()


def test_some_general_pictures_are_held_out(tmp_path, pictures):
    assert (len(pictures.train), len(pictures.held_out), len(pictures.prompted)) == (24, 0, 2)
    for number in range(17):
        for folder in ("images", "masks"):
            data = (tmp_path / folder / "general_0.png").read_bytes()
            (tmp_path / folder / f"general_x{number}.png").write_bytes(data)
    more = Pictures(tmp_path)
    assert (len(more.train), len(more.held_out)) == (40, 1)
    (tmp_path / "masks" / "general_x3.png").unlink()
    with pytest.raises(ValueError, match=r"general_x3\.png: there must be a mask"):
        Pictures(tmp_path)


def test_training_goes_on_where_it_was_and_its_weights_run(tmp_path, pictures, monkeypatch):
    torch = pytest.importorskip("torch", reason="PyTorch is for training only")
    from training import train as module
    from training.curves import draw
    from training.export import export
    from training.network import Network

    monkeypatch.setattr(module, "SIZE", 64)
    monkeypatch.setattr(module, "BATCH", 6)
    pictures.held_out = pictures.train[:3]
    out = tmp_path / "out"
    torch.manual_seed(0)
    network = module.train(pictures, out, 3 * 6, 0, Network(), sizes=(64, 64))
    lines = (out / "log.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["samples"] == 3 * 6
    assert set(module.PROMPTS) <= set(json.loads(lines[-1]))
    again = module.train(pictures, out, 3 * 6, 0, Network(), sizes=(64, 64))  # nothing left to do
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    )
    assert len((out / "log.jsonl").read_text().splitlines()) == len(lines)
    with pytest.raises(ValueError, match="another seed or rate"):
        module.train(pictures, out, 3 * 6, 1, Network(), sizes=(64, 64))

    samples = [pictures.draw(1, index, 64) for index in range(8)]
    colours, planes = module.as_colours(samples), module.as_asked(network, samples, 1)
    runs = _core.Network(export(network, colours, planes))
    with torch.no_grad():
        expected = network.eval()(colours, planes)[:, 0].numpy()
    for seen, asked, wanted in zip(colours, planes, expected, strict=True):
        four = np.zeros((64, 64, 4), np.int16)
        four[..., :3] = seen.permute(1, 2, 0).numpy()
        planes_seen = np.ascontiguousarray(asked.permute(1, 2, 0).numpy().astype(np.int16))
        found = runs.ask(runs.see(four), planes_seen)
        assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.98

    pytest.importorskip("matplotlib", reason="matplotlib draws the curves")
    draw([out / "log.jsonl"], out / "curves.svg")
    assert (out / "curves.svg").stat().st_size > 1000


def test_the_exported_program_says_what_the_network_says():
    torch = pytest.importorskip("torch", reason="PyTorch is for training only")
    from training import weights
    from training.export import export
    from training.network import COLOURS, PROMPTS, Conv, Network, up

    class Picture(torch.nn.Module):
        """With what the network of today has no use for."""

        def __init__(self):
            super().__init__()
            self.first, self.second = Conv(COLOURS, 16, 3, 2, limit=6), Conv(16, 16, 5, 2, depthwise=True, limit=None)

        def forward(self, colours):
            x = self.first(colours / 128)
            y = torch.nn.functional.avg_pool2d(x, 2)
            return x, torch.cat([y, self.second(x)], 1)

    class Prompt(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.planes, self.narrow, self.skip = Conv(PROMPTS, 32), Conv(32, 16, 1), Conv(16, 16, 1, limit=None)
            self.out = torch.nn.Conv2d(16, 4, 3, padding=1)

        def forward(self, f2, f4, planes):
            x = self.narrow(f4 + self.planes(planes / 64))
            x = torch.nn.functional.relu(f2 + up(x))
            return torch.nn.functional.pixel_shuffle(self.out(torch.nn.functional.relu(self.skip(x) + x)), 2)

    torch.manual_seed(0)
    other = Network()
    other.picture, other.prompt = Picture(), Prompt()
    colours = torch.randint(-128, 128, (2, COLOURS, 64, 64)).float()
    planes = torch.randint(-128, 128, (2, PROMPTS, 16, 16)).float()
    for network, least in ((Network(), 0.98), (other, 0.999)):
        file = export(network, colours, planes)
        if network is not other:  # a residual is added by the convolution before it
            assert all(op.kind != weights.ADD for op in weights.read(file)[0].ops)
        with torch.no_grad():
            expected = network(colours, planes)[:, 0].numpy()
        runs = _core.Network(file)
        for colour, plane, wanted in zip(colours.numpy(), planes.numpy(), expected, strict=True):
            padded = np.pad(colour, ((0, 1), (0, 0), (0, 0))).transpose(1, 2, 0).astype(np.int16)
            found = runs.ask(runs.see(padded), plane.transpose(1, 2, 0).astype(np.int16))
            assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > least
