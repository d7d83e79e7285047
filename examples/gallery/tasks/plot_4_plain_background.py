"""
A plain background
==================

Where the border has one colour, or one that changes slowly, it is found and keyed out with the shadows on it, and its
cast taken off the subject. Here a goblet on a green screen, drawn by code so that the truth is known.
"""

import matplotlib.pyplot as plt
import numpy as np

import alphacut

plt.rcParams["image.cmap"] = "gray"

y, x = np.mgrid[:300, :400].astype(np.float32)


def soft(distance):
    """1 inside, 0 outside, and an edge of two pixels."""
    return np.clip(0.5 - distance / 2, 0, 1)


bowl = soft(np.hypot((x - 200) / 80, (y - 100) / 95) * 85 - 85)
bowl *= soft(50 - y)  # cut off at the rim
stem = soft(np.maximum(np.abs(x - 200) - 8, np.abs(y - 220) - 45))
foot = soft(np.hypot((x - 200) / 62, (y - 262) / 12) * 12 - 12)
truth = np.maximum.reduce([bowl, stem, foot])

screen = np.array([0.10, 0.62, 0.24]) * (0.9 + 0.25 * x / 400)[..., None]  # lit from the right
shadow = np.exp(-(((x - 150) / 90) ** 2) - ((y - 266) / 12) ** 2)
screen = screen * (1 - 0.4 * shadow[..., None])
light = 0.55 + 0.45 * np.clip((x - 110) / 180, 0, 1)
metal = np.array([0.85, 0.74, 0.50]) * light[..., None]
metal = 0.85 * metal + 0.15 * screen  # the screen is mirrored in it
picture = metal * truth[..., None] + screen * (1 - truth[..., None])
noise = np.random.default_rng(0).normal(0, 0.006, picture.shape)
picture = np.uint8(255 * np.clip(picture + noise, 0, 1))

key = alphacut.find_key(picture)
print(f"key {[round(value) for value in key.color]}, which explains {key.uniformity:.0%} of the border")
cutout = alphacut.remove_background(picture, despill=True)
print(cutout)
print(f"mean error of alpha: {np.abs(cutout.alpha / 255 - truth).mean():.4f}")

fig, axes = plt.subplots(1, 4, figsize=(9, 2), layout="constrained")
shown = [picture, truth, cutout.alpha, cutout.on("#457b9d")]
for axis, image, title in zip(axes, shown, ["picture", "true alpha", "alpha", "on another colour"], strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()

# %%
# ``alphacut remove shot.jpg --key '#1aa23e' --despill`` does the same; without ``--key`` the colour is found, as here.
