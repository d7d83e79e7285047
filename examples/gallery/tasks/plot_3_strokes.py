"""
Strokes, one after the other
============================

A session that resumes goes on from the cut before and looks anew only where a stroke matters: fast enough to follow
a hand.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.astronaut()
session = alphacut.Remover(refine=None, foreground=False).open(picture)  # a hard mask while one draws

labels = np.full(picture.shape[:2], 2, np.uint8)  # undecided
strokes = [
    ("remove the shuttle", 0, (slice(30, 210), slice(398, 406))),
    ("remove the helmet", 0, (slice(400, 500), slice(404, 416))),
    ("keep it after all", 1, (slice(330, 345), slice(380, 460))),
]
steps = [("nothing said", session.cut(), labels.copy())]
for name, value, where in strokes:
    labels[where] = value
    cutout = session.cut(labels=labels, resume=True)
    print(f"{name}: {sum(cutout.timings.values()) * 1e3:.0f} ms")
    steps.append((name, cutout, labels.copy()))

fig, axes = plt.subplots(1, 4, figsize=(9, 2.6), layout="constrained")
for axis, (name, cutout, drawn) in zip(axes, steps, strict=True):
    shown = cutout.on("checkerboard")
    shown[drawn == 0], shown[drawn == 1] = (255, 0, 0), (0, 255, 0)
    axis.imshow(shown)
    axis.set(title=name)
    axis.set_axis_off()

# %%
# When the hand rests, the same labels once more, with the edge refined.

final = alphacut.remove_background(picture, labels=labels)
fig, axis = plt.subplots(figsize=(4, 4), layout="constrained")
axis.imshow(final.on("#2a9d8f"))
axis.set_axis_off()
