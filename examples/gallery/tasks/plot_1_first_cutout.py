"""
A first cutout
==============

One call finds the subject, cuts it out, refines its edge and cleans the edge's colours.
"""

import matplotlib.pyplot as plt
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.coffee()
cutout = alphacut.remove_background(picture)
print(cutout)
print(cutout.verdict)

# %%
# The cutout holds everything: a hard mask, the alpha matte, the subject's own colours, and all of it as RGBA.

fig, axes = plt.subplots(1, 3, figsize=(9, 2.4), layout="constrained")
for axis, image, title in zip(axes, [picture, cutout.alpha, cutout.rgba], ["picture", "alpha", "rgba"], strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()

# %%
# And it goes on any background: a colour, another picture, or its own, blurred.

backgrounds = ["#2a9d8f", data.grass(), "blur"]
fig, axes = plt.subplots(1, 3, figsize=(9, 2.4), layout="constrained")
for axis, background, title in zip(axes, backgrounds, ["a colour", "a picture", "blur"], strict=True):
    if title == "a picture":
        background = background[..., None].repeat(3, axis=2)
    axis.imshow(cutout.on(background))
    axis.set(title=title)
    axis.set_axis_off()
