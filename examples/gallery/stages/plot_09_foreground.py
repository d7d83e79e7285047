"""
Foreground
==========

A soft edge holds some of the old background's colour. Composed as it is, it shines through as a fringe; so the
subject's own colours are estimated first.

T. Germer et al., "Fast multi-level foreground estimation", ICPR 2020. :func:`alphacut.estimate_foreground`.
"""

import matplotlib.pyplot as plt
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.astronaut()
alpha = alphacut.remove_background(picture, box=(0, 20, 400, 492)).alpha
colours = alphacut.estimate_foreground(picture, alpha)

part = slice(10, 130), slice(150, 300)
shown = {
    "picture": picture,
    "estimated colours": colours,
    "the picture's, on black": alphacut.composite(picture, alpha, "black"),
    "the estimated, on black": alphacut.composite(colours, alpha, "black"),
}
fig, axes = plt.subplots(1, 4, figsize=(9, 2.1), layout="constrained")
for axis, (title, image) in zip(axes, shown.items(), strict=True):
    axis.imshow(image[part])
    axis.set(title=title)
    axis.set_axis_off()
