"""The training itself."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed
from torch.nn import functional as F

from alphacut import _core

from .network import Network
from .samples import Pictures, Sample, arranged, corrected

BATCH = 16
RATE, RATE_PRETRAINED = 2e-3, 5e-4
WEIGHT_DECAY = 0.01
AVERAGE = 0.998  # of the weights that are kept, over steps
EVERY = 250  # steps to a checkpoint
JUDGED_EVERY = 500
SIZES = (192, 224)  # sides of the pictures, at first and later
GROWS = 0.35  # the share of the samples after which they are the larger ones
SIZE = 256  # of what judges, and of use
CELL = 4
PROMPTS = ("none", "box", "strokes")
FORGOTTEN = 0.12  # share of strokes that are drawn before there is an answer


def as_colours(samples: list[Sample]) -> Tensor:
    pictures = np.stack([sample.image for sample in samples]).astype(np.float32) - 128
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)  # channels last in memory


def as_planes(
    samples: list[Sample], hints: list[np.ndarray | None] | None = None, answers: list[np.ndarray | None] | None = None
) -> Tensor:
    """What the network sees of the prompts."""
    nothing: list[np.ndarray | None] = [None] * len(samples)
    planes = [
        _core.network_input(sample.image, strokes, sample.box, answer)
        for sample, strokes, answer in zip(samples, hints or nothing, answers or nothing, strict=True)
    ]
    return torch.from_numpy(np.stack(planes).astype(np.float32)).permute(0, 3, 1, 2)


def loss_of(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross entropy and soft intersection over union, both weighing pixels near edges more (Wei et al. 2020, F3Net)."""
    target = F.interpolate(mask, logits.shape[2:], mode="area")
    window = target.shape[2] // 12 * 2 + 1
    near = F.avg_pool2d(target, (window, 1), 1, (window // 2, 0))
    near = F.avg_pool2d(near, (1, window), 1, (0, window // 2))
    weight = 1 + 4 * (near - target).abs()
    p = torch.sigmoid(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    entropy = (weight * entropy).sum((1, 2, 3)) / weight.sum((1, 2, 3))
    both = (weight * p * target).sum((1, 2, 3))
    union = (weight * (p + target - p * target)).sum((1, 2, 3))
    grain = 0.01 * target[0].numel()
    return (entropy + 0.7 * (1 - (both + grain) / (union + grain))).mean()


class Average:
    """A moving average of weights and of the norms' statistics."""

    def __init__(self, network: Network, decay: float) -> None:
        self.decay = decay
        self.values = {k: v.clone() for k, v in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        keep = min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                self.values[name].lerp_(value, 1 - keep)
            else:
                self.values[name].copy_(value)


def strokes_for(
    rngs: list[np.random.Generator], samples: list[Sample], logits: Tensor, count: int | None = None
) -> Tensor:
    """Planes with strokes on top of the answers that the network gave without them."""
    answers = F.avg_pool2d(logits, CELL)[:, 0].numpy()
    probability = torch.sigmoid(logits)[:, 0].numpy()
    forgotten = [count is None and rng.random() < FORGOTTEN for rng in rngs]
    hints = [
        corrected(rng, sample.wanted, np.full_like(p, 0.5) if forget else p, count)
        for rng, sample, p, forget in zip(rngs, samples, probability, forgotten, strict=True)
    ]
    seen = [None if forget else np.ascontiguousarray(a) for forget, a in zip(forgotten, answers, strict=True)]
    return as_planes(samples, list(hints), seen)


@torch.no_grad()
def as_asked(network: Network, samples: list[Sample], seed: int) -> Tensor:
    """Planes of samples as they are met in use: with strokes, where a sample has them, on top of the answer before."""
    network.eval()
    planes = as_planes(samples)
    for k, sample in enumerate(samples):
        if sample.strokes:
            logits = network(as_colours([sample]), planes[k : k + 1])
            planes[k] = strokes_for([np.random.default_rng((seed, k, 1))], [sample], logits)[0]
    return planes


@torch.no_grad()
def judge(network: Network, samples: list[Sample], prompt: str) -> dict[str, float]:
    """Mean absolute error, IoU at one half, and greatest F (β² = 0.3) over thresholds, of pictures held out."""
    network.eval()
    errors, ious, curves = [], [], []
    for at in range(0, len(samples), BATCH):
        part = samples[at : at + BATCH]
        features = network.picture(as_colours(part))
        logits = network.prompt(*features, as_planes(part))
        if prompt == "strokes":
            rngs = [np.random.default_rng((7, at + k)) for k in range(len(part))]
            logits = network.prompt(*features, strokes_for(rngs, part, logits, 1))
        for p, sample in zip(torch.sigmoid(logits)[:, 0].numpy(), part, strict=True):
            truth = sample.wanted >= 128
            errors.append(np.abs(p - truth).mean())
            ious.append(((p > 0.5) & truth).sum() / max(1, ((p > 0.5) | truth).sum()))
            hist = [np.histogram(p[where], 64, (0, 1))[0][::-1].cumsum() for where in (truth, ~truth)]
            precision, recall = hist[0] / np.maximum(1, hist[0] + hist[1]), hist[0] / max(1, truth.sum())
            curves.append((precision, recall))
    precision, recall = np.mean([c[0] for c in curves], 0), np.mean([c[1] for c in curves], 0)
    f = 1.3 * precision * recall / np.maximum(1e-9, 0.3 * precision + recall)
    return {"mae": float(np.mean(errors)), "iou": float(np.mean(ious)), "max_f": float(f.max())}


def held_out(pictures: Pictures, most: int) -> dict[str, list[Sample]]:
    """Pictures held out, with each prompt."""
    rng, pairs = np.random.default_rng(1), [pair for pair in pictures.held_out if (pair[1] >= 128).any()]
    pairs = pairs[:: max(1, len(pairs) // most)]
    return {p: [arranged(rng, image, mask, mask, p, SIZE, augment=False) for image, mask in pairs] for p in PROMPTS}


def loss_of_step(network: Network, samples: list[Sample], rngs: list[np.random.Generator]) -> Tensor:
    """Of one batch: the answers without strokes, where one is right, and with strokes on top of them."""
    features = network.picture(as_colours(samples))
    first = as_planes(samples)
    asked = [k for k, sample in enumerate(samples) if sample.strokes]
    judged = [k for k, sample in enumerate(samples) if sample.salient is not None]
    planes, rows = [first[judged]], list(judged)
    targets = [samples[k].salient for k in judged]
    if asked:
        network.prompt.eval()
        with torch.no_grad():
            before = network.prompt(*(level[asked].detach() for level in features), first[asked])
        network.prompt.train()
        planes.append(strokes_for([rngs[k] for k in asked], [samples[k] for k in asked], before))
        rows += asked
        targets += [samples[k].wanted for k in asked]
    answers = network.prompt(*(level[rows] for level in features), torch.cat(planes))
    target = torch.from_numpy(np.stack(targets).astype(np.float32) / 255)[:, None]
    return sum(w * loss_of(a, target) for w, a in zip((1.0, 0.3, 0.2), answers, strict=True))


def train(
    pictures: Pictures,
    out: Path,
    samples: int,
    seed: int,
    network: Network,
    rate: float = 1.0,
    sizes: tuple[int, int] = SIZES,
    rank: int = 0,
    ranks: int = 1,
) -> Network:
    """Train this network, or go on from the checkpoint in `out`; the average of the late weights.

    `rate` multiplies all learning rates; `sizes` are the pictures' sides, at first and later. Each of `ranks` processes
    works on its part of a batch.
    """
    out.mkdir(parents=True, exist_ok=True)
    frozen = network.picture.frozen()
    frozen.requires_grad_(False)
    network = network.to(memory_format=torch.channels_last)
    old = [p for p in network.picture.blocks.parameters() if p.requires_grad]
    new = [*network.picture.lateral.parameters(), *network.prompt.parameters()]
    optimizer = torch.optim.AdamW(
        [{"params": new, "top": rate * RATE}, {"params": old, "top": rate * RATE_PRETRAINED}],
        weight_decay=WEIGHT_DECAY,
        fused=True,
    )
    average = Average(network, AVERAGE)
    steps, first, spent = samples // BATCH, 0, 0.0
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        if (kept["seed"], kept["rate"]) != (seed, rate):
            raise ValueError(f"{checkpoint} is of another seed or rate: take another folder")
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        average.values, first, spent = kept["average"], kept["step"], kept["seconds"]
    start, total, counted = time.time() - spent, 0.0, 0
    judged = Network().to(memory_format=torch.channels_last)
    examples = held_out(pictures, 200) if rank == 0 else {}
    mine = range(rank * BATCH // ranks, (rank + 1) * BATCH // ranks)
    for step in range(first, steps):
        progress = step / steps
        for group in optimizer.param_groups:
            group["lr"] = group["top"] * min(progress / 0.04, 0.5 + 0.5 * math.cos(math.pi * progress))
        size = sizes[progress >= GROWS]
        network.train()
        drawn = [pictures.draw(seed, step * BATCH + k, size) for k in mine]
        loss = loss_of_step(network, drawn, [np.random.default_rng((seed, step * BATCH + k, 1)) for k in mine])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        _share_gradients(network, ranks)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update(network, step)
        total, counted = total + float(loss.detach()), counted + 1
        if rank == 0 and ((step + 1) % EVERY == 0 or step + 1 == steps):
            kept = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "average": average.values}
            torch.save(
                {**kept, "seed": seed, "rate": rate, "step": step + 1, "seconds": time.time() - start}, out / "new.pt"
            )
            (out / "new.pt").replace(checkpoint)
        if rank == 0 and ((step + 1) % JUDGED_EVERY == 0 or step + 1 == steps):
            judged.load_state_dict(average.values)
            line = {"samples": (step + 1) * BATCH, "size": size, "loss": total / counted}
            line |= {"rate": optimizer.param_groups[0]["lr"], "seconds": round(time.time() - start)}
            line |= {prompt: judge(judged, some, prompt) for prompt, some in examples.items() if some}
            with (out / "log.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
            total, counted = 0.0, 0
    judged.load_state_dict(average.values)
    return judged.eval()


def _share_gradients(network: Network, ranks: int) -> None:
    """The mean of all processes' gradients, and rank 0's statistics of norms."""
    if ranks == 1:
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    distributed.all_reduce(flat)
    flat /= ranks
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
    statistics = [b for name, b in network.named_buffers() if b.dtype.is_floating_point]
    flat = torch.cat([b.reshape(-1) for b in statistics])
    distributed.broadcast(flat, 0)
    for buffer, part in zip(statistics, flat.split([b.numel() for b in statistics]), strict=True):
        buffer.copy_(part.view_as(buffer))
