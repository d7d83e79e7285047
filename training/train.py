"""The training itself."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from .network import Network
from .samples import Pictures, prompted

BATCH = 24
RATE = 3e-3
WEIGHT_DECAY = 0.01
AVERAGE = 0.999  # of the weights that are kept, over steps
EVERY = 1000  # steps to a checkpoint and a line of the log
# Sizes of the pictures, and the share of the samples at which each ends.
SIZES = ((128, 0.5), (160, 0.81), (192, 1.0))
PROMPTS = ("none", "box", "strokes")


class Stream(Dataset):
    """The samples from one on, in order, in batches."""

    def __init__(self, pictures: Pictures, seed: int, steps: int, first: int) -> None:
        self.pictures, self.seed, self.steps, self.first = pictures, seed, steps, first

    def __len__(self) -> int:
        return self.steps - self.first

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        step += self.first
        size = next(size for size, end in SIZES if step < end * self.steps or end == 1)
        drawn = [self.pictures.draw(self.seed, step * BATCH + k, size) for k in range(BATCH)]
        return as_input([p for p, _ in drawn]), torch.from_numpy(np.stack([m for _, m in drawn]))


def as_input(planes: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(planes)).permute(0, 3, 1, 2)  # channels last in memory


def loss_of(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross entropy and half the soft intersection over union."""
    target = F.interpolate(mask, logits.shape[2:], mode="area")
    p = torch.sigmoid(logits)
    both = (p * target).sum((1, 2, 3))
    union = (p + target - p * target).sum((1, 2, 3))
    grain = 0.01 * target[0].numel()
    return F.binary_cross_entropy_with_logits(logits, target) + 0.5 * (1 - (both + grain) / (union + grain)).mean()


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


@torch.no_grad()
def judge(network: Network, samples: list[tuple[np.ndarray, np.ndarray]], device: str = "cpu") -> dict[str, float]:
    """Mean absolute error, IoU at one half, and greatest F (β² = 0.3) over thresholds, of pictures held out."""
    network.eval()
    errors, ious, curves = [], [], []
    for at in range(0, len(samples), 24):
        part = samples[at : at + 24]
        with torch.autocast(device, torch.bfloat16):
            logits = network(as_input([p for p, _ in part]).to(device).float())
        found = torch.sigmoid(F.interpolate(logits.float(), scale_factor=2, mode="bilinear"))[:, 0].cpu().numpy()
        for p, (_, mask) in zip(found, part, strict=True):
            truth = mask > 0
            errors.append(np.abs(p - truth).mean())
            ious.append(((p > 0.5) & truth).sum() / max(1, ((p > 0.5) | truth).sum()))
            hist = [np.histogram(p[where], 64, (0, 1))[0][::-1].cumsum() for where in (truth, ~truth)]
            precision, recall = hist[0] / np.maximum(1, hist[0] + hist[1]), hist[0] / max(1, truth.sum())
            curves.append((precision, recall))
    precision, recall = np.mean([c[0] for c in curves], 0), np.mean([c[1] for c in curves], 0)
    f = 1.3 * precision * recall / np.maximum(1e-9, 0.3 * precision + recall)
    return {"mae": float(np.mean(errors)), "iou": float(np.mean(ious)), "max_f": float(f.max())}


def train(pictures: Pictures, out: Path, samples: int, seed: int, device: str, workers: int) -> Network:
    """Train, or go on from the checkpoint in `out`; the average of the late weights."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    rng = np.random.default_rng(1)
    held_out = {
        prompt: [prompted(rng, *pair, prompt, 192, augment=False) for pair in pictures.held_out if pair[1].any()]
        for prompt in PROMPTS
    }
    network = Network().to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=WEIGHT_DECAY, fused=True)
    average = Average(network, AVERAGE)
    steps, first, spent = samples // BATCH, 0, 0.0
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device, weights_only=True)
        if kept["seed"] != seed:
            raise ValueError(f"{checkpoint} is of seed {kept['seed']}, not {seed}: take another folder")
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        average.values, first, spent = kept["average"], kept["step"], kept["seconds"]
    start, total = time.time() - spent, 0.0
    stream = DataLoader(Stream(pictures, seed, steps, first), None, num_workers=workers, prefetch_factor=8)
    judged = Network().to(device, memory_format=torch.channels_last)
    for step, (planes, mask) in enumerate(stream, first):
        progress = step / steps
        rate = RATE * min(progress / 0.06, 0.5 + 0.5 * math.cos(math.pi * progress))
        for group in optimizer.param_groups:
            group["lr"] = rate
        network.train()
        with torch.autocast(device, torch.bfloat16):
            answers = network(planes.to(device).float())
        target = (mask.to(device).float() / 255)[:, None]
        loss = sum(w * loss_of(a.float(), target) for w, a in zip((1.0, 0.3, 0.2), answers, strict=True))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update(network, step)
        total += float(loss.detach())
        if (step + 1) % EVERY == 0 or step + 1 == steps:
            judged.load_state_dict(average.values)
            line = {"samples": (step + 1) * BATCH, "size": planes.shape[2], "loss": total / (step % EVERY + 1)}
            line |= {"rate": rate, "seconds": round(time.time() - start)}
            line |= {prompt: judge(judged, held_out[prompt], device) for prompt in PROMPTS}
            with (out / "log.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
            total = 0.0
            kept = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "average": average.values}
            torch.save(
                {**kept, "seed": seed, "step": step + 1, "seconds": time.time() - start}, checkpoint.with_suffix(".new")
            )
            checkpoint.with_suffix(".new").replace(checkpoint)
    judged.load_state_dict(average.values)
    return judged.cpu()
