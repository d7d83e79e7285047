"""
Preprocess
==========

Less noise, neutral colours, another size: what a picture may need before the subject is looked for. The result
keeps the picture's own pixels.

:func:`alphacut.denoise` is the median, bit for bit OpenCV's, or the bilateral filter (C. Tomasi and R. Manduchi,
"Bilateral filtering for gray and color images", ICCV 1998). :func:`alphacut.white_balance` takes a cast away, by
the means or by the darkest and the brightest percent.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.astronaut()
random = np.random.default_rng(0)
spoiled = picture * np.array([1.0, 0.9, 0.62])  # light of a lamp
specks = random.random(picture.shape[:2]) < 0.04
spoiled[specks] = random.integers(0, 256, (specks.sum(), 3))
spoiled = np.uint8(spoiled)

median = alphacut.denoise(spoiled)
balanced = alphacut.white_balance(median, "percentile")

fig, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
for axis, image, title in zip(axes, [spoiled, median, balanced], ["picture", "denoise", "white_balance"], strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()
