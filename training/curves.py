"""Training's log as a picture: ``python -m training.curves LOG.jsonl ... -o curves.svg``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

MEASURES = {"loss": "loss", "mae": "mean absolute error", "iou": "IoU at one half", "max_f": "greatest F, β² = 0.3"}
COLOURS = {"none": "tab:blue", "box": "tab:orange", "strokes": "tab:green"}


def draw(logs: Sequence[Path], picture: Path) -> None:
    """One panel a measure, one colour a prompt, one line a log."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "alphacut"
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(MEASURES), figsize=(14, 3.4), layout="constrained")
    for number, path in enumerate(logs):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        thousands = [line["samples"] / 1000 for line in lines]
        style = ("-", "--", ":")[number % 3]
        panels[0].plot(thousands, [line["loss"] for line in lines], style, color="black")
        for panel, measure in zip(panels[1:], list(MEASURES)[1:], strict=True):
            for prompt, colour in COLOURS.items():
                label = prompt if number == 0 else None
                panel.plot(thousands, [line[prompt][measure] for line in lines], style, color=colour, label=label)
    for panel, title in zip(panels, MEASURES.values(), strict=True):
        panel.set_title(title)
        panel.set_xlabel("thousand samples")
        panel.grid(alpha=0.3)
    panels[1].legend(title="prompt")
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m training.curves", description=__doc__)
    parser.add_argument("logs", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, default=Path("curves.svg"))
    options = parser.parse_args()
    draw(options.logs, options.output)
