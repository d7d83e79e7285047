"""
A plain background
==================

Where the border has one colour, or one that changes slowly, it is found and keyed out, and its cast taken off the
subject. Here a glass on a green screen, drawn by code so that the truth is known.
"""

import matplotlib.pyplot as plt
import numpy as np

import alphacut

y, x = np.mgrid[:300, :400].astype(np.float32)
green = np.array([0.10, 0.62, 0.24], np.float32) * (0.9 + 0.25 * x / 400)[..., None]  # lit from the right


def soft(distance):
    """1 inside, 0 outside, and an edge of two pixels."""
    return np.clip(0.5 - distance / 2, 0, 1)


bowl = soft(np.hypot((x - 200) / 90, (y - 110) / 95) * 90 - 90)
stem = soft(np.maximum(np.abs(x - 200) - 7, np.abs(y - 220) - 40))
foot = soft(np.hypot((x - 200) / 70, (y - 262) / 12) * 12 - 12)
liquid = bowl * soft(100 - y)
truth = np.maximum.reduce([0.35 * bowl, liquid, stem, foot])  # the glass lets two thirds through
colour = np.where((liquid > 0.3)[..., None], (0.55, 0.06, 0.16), (0.93, 0.95, 0.97))
picture = colour * truth[..., None] + green * (1 - truth[..., None])
picture = np.uint8(255 * np.clip(picture + np.random.default_rng(0).normal(0, 0.006, picture.shape), 0, 1))

key = alphacut.find_key(picture)
print(f"key {[round(value) for value in key.color]}, which explains {key.uniformity:.0%} of the border")
cutout = alphacut.remove_background(picture, despill=True)
print(cutout)
print(f"mean error of alpha: {np.abs(cutout.alpha / 255 - truth).mean():.3f}")

# %%
# The bowl is where a key is at its limit: a mixture of glass and green can be either. Where it must be right, tell
# a trimap.

fig, axes = plt.subplots(1, 4, figsize=(9, 2), layout="constrained")
shown = [picture, truth, cutout.alpha, cutout.on("#e9c46a")]
for axis, image, title in zip(axes, shown, ["picture", "true alpha", "alpha", "on another colour"], strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()
