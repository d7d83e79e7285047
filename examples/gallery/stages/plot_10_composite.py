"""
Composite
=========

Foreground over background, weighted by alpha: in encoded values, as most programs do it, or in linear light, as
light does.

T. Porter and T. Duff, "Compositing digital images", SIGGRAPH 1984. :func:`alphacut.composite`,
:func:`alphacut.premultiply`, :func:`alphacut.decode_srgb`.
"""

import matplotlib.pyplot as plt
import numpy as np

import alphacut

plt.rcParams["image.cmap"] = "gray"

# A soft green disc over red: where they mix, encoded values make a dark seam.
y, x = np.mgrid[:160, :160]
alpha = np.uint8(255 * np.clip(1.5 - np.hypot(x - 80, y - 80) / 50, 0, 1))
disc = np.full((160, 160, 3), (40, 200, 90), np.uint8)

shown = {
    "alpha": alpha,
    "encoded": alphacut.composite(disc, alpha, "#d03030"),
    "linear light": alphacut.composite(disc, alpha, "#d03030", linear=True),
    "RGBA": alphacut.composite(disc, alpha),
}
fig, axes = plt.subplots(1, 4, figsize=(9, 2.5), layout="constrained")
for axis, (title, image) in zip(axes, shown.items(), strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()
