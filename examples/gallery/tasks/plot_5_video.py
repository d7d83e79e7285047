"""
A film
======

A tracker is told the subject once, or finds it, and follows it. The film is made here: a cup sails over a meadow,
behind a post, while the camera shakes; so the true mask of each frame is known.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

cup = alphacut.remove_background(data.coffee()).crop(4)
colours, alpha = (alphacut.resize(plane, (130, 140)) for plane in (cup.foreground, cup.alpha))
alpha = alpha[..., None] / 255.0
meadow = np.dstack([data.grass() * scale for scale in (0.75, 1.0, 0.45)])
random = np.random.default_rng(3)

frames, truths = [], []
for number in range(24):
    top, left = random.integers(0, 4, 2)  # the shaking
    frame = meadow[top : top + 240, left : left + 420].copy()
    x, y = 10 + 11 * number, round(50 + 20 * np.sin(number / 4))
    place = frame[y : y + 130, x : x + 140]
    place[...] = colours * alpha + place * (1 - alpha)
    truth = np.zeros(frame.shape[:2], bool)
    truth[y : y + 130, x : x + 140] = alpha[..., 0] > 0.5
    frame[:, 250 - left : 262 - left], truth[:, 250 - left : 262 - left] = (96, 74, 50), False
    frames.append(np.uint8(frame))
    truths.append(truth)

track = alphacut.Tracker()
cutouts = [track(frames[0], box=(6, 44, 150, 140)), *map(track, frames[1:])]

scores = [
    (truth & (cutout.mask > 0)).sum() / (truth | (cutout.mask > 0)).sum()
    for truth, cutout in zip(truths, cutouts, strict=True)
]
print(f"intersection over union: mean {np.mean(scores):.3f}, least {min(scores):.3f}")

# %%
# In a program the frames come from a camera or a file; ``alphacut video`` does whole films.

fig, axes = plt.subplots(2, 4, figsize=(9, 2.9), layout="constrained")
for (above, below), number in zip(axes.T, (0, 8, 14, 23), strict=True):
    above.imshow(frames[number])
    below.imshow(cutouts[number].on("checkerboard"))
    above.set(title=f"frame {number}")
    below.set(title=f"IoU {scores[number]:.2f}")
    above.set_axis_off()
    below.set_axis_off()
