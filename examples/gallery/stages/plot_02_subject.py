"""
Subject
=======

Where the subject lies, as a map from 0 to 1, by a network or by barrier distances.

The network is EfficientNet-Lite0 (M. Tan and Q. Le, "EfficientNet: rethinking model scaling for convolutional
neural networks", ICML 2019) with a decoder that sees the prompt, in whole numbers. Barrier distances need no
training: J. Zhang et al., "Minimum barrier salient object detection at 80 FPS", ICCV 2015.
:func:`alphacut.detect_subject` does both.
"""

import matplotlib.pyplot as plt
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.astronaut()
maps = {
    "learned": alphacut.detect_subject(picture),
    "learned, told a point": alphacut.detect_subject(picture, points=[(400, 120, 0)]),
    "barrier": alphacut.detect_subject(picture, method="barrier"),
}
fig, axes = plt.subplots(1, 4, figsize=(9, 2.6), layout="constrained")
for axis, (title, image) in zip(axes, {"picture": picture, **maps}.items(), strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()
