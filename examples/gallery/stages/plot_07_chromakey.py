"""
Chroma key
==========

A background of one colour becomes transparent: alpha rises with the distance from the key, and what the background
has cast on the subject is taken off.

The key is a plane of colours fitted to the picture's frame. :func:`alphacut.find_key`, :func:`alphacut.chroma_key`,
:func:`alphacut.despill`.
"""

import matplotlib.pyplot as plt
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

# A cat before a blue screen, whose light falls on her edge.
cat = alphacut.remove_background(data.cat())
alpha = cat.alpha[..., None] / 255.0
tint = 0.25 * alphacut.adjust_edge(cat.alpha, shift=-6, feather=8)[..., None] / 255.0
blue = (20, 70, 210)
picture = cat.on(blue)
picture = (picture + (alpha - tint * alpha) * 0.2 * (blue - picture.astype(float))).clip(0, 255).astype("uint8")

key = alphacut.find_key(picture)
keyed = alphacut.chroma_key(picture, key)
clean = alphacut.despill(picture, key, alpha=keyed)
shown = {
    "picture": picture,
    "chroma_key": keyed,
    "composed": alphacut.composite(picture, keyed, "#e9c46a"),
    "after despill": alphacut.composite(clean, keyed, "#e9c46a"),
}
fig, axes = plt.subplots(1, 4, figsize=(9, 1.9), layout="constrained")
for axis, (title, image) in zip(axes, shown.items(), strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()
