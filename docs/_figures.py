"""How the gallery's figures look: on the page's own background, light or dark."""

import matplotlib.pyplot as plt


def reset(gallery, example):
    plt.rcParams.update(
        {
            "figure.facecolor": "none",
            "figure.dpi": 100,
            "savefig.bbox": "tight",
            "axes.titlesize": 10,
            **dict.fromkeys(
                ["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], "#808890"
            ),
            "axes.facecolor": "none",
            "legend.facecolor": "none",
            "image.interpolation": "antialiased",
        }
    )
