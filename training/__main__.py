"""``python -m training DATA``: trains the network on a folder of pictures, and writes the file that the package reads.

Started again, it goes on where it was. See training/README.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import torch

import alphacut

from .curves import draw
from .export import export
from .samples import Pictures
from .train import as_input, train


def main() -> None:
    parser = argparse.ArgumentParser("python -m training", description=__doc__)
    parser.add_argument("data", type=Path, help="with images/ and masks/ of equal stems, cutouts/ and backgrounds/")
    parser.add_argument("--out", type=Path, default=Path("build/training"), help="for checkpoint, log and weights")
    parser.add_argument("--samples", type=int, default=600_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare samples")
    options = parser.parse_args()

    # A thread each: where cores are few, the processes that prepare samples need them more.
    cv2.setNumThreads(1)
    alphacut.set_num_threads(1)
    if options.device == "cpu":
        torch.set_num_threads(1)

    pictures = Pictures(options.data)
    network = train(pictures, options.out, options.samples, options.seed, options.device, options.workers)
    planes = as_input([pictures.draw(options.seed + 1, index, 192)[0] for index in range(128)])
    (options.out / "subject.weights").write_bytes(export(network, planes))
    draw([options.out / "log.jsonl"], options.out / "curves.svg")


if __name__ == "__main__":  # processes that prepare samples may import this
    main()
