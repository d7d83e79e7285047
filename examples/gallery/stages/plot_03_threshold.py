"""
Threshold
=========

A limit for the whole picture from its histogram, or one for each pixel from its surroundings.

N. Otsu, "A threshold selection method from gray-level histograms", 1979; C. Li and C. Lee, "Minimum cross entropy
thresholding", 1993; G. Zack et al. (the triangle), 1977; J. Sauvola and M. Pietikäinen, "Adaptive document image
binarization", 2000. :func:`alphacut.find_threshold`, :func:`alphacut.threshold`,
:func:`alphacut.adaptive_threshold`.
"""

import matplotlib.pyplot as plt
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

page = data.page()
results = {
    "otsu": alphacut.threshold(page, "otsu"),
    "mean": alphacut.adaptive_threshold(page, 51, offset=15),
    "sauvola": alphacut.adaptive_threshold(page, 25, method="sauvola"),
}
print({method: alphacut.find_threshold(page, method) for method in ("otsu", "triangle", "li")})

fig, axes = plt.subplots(2, 2, figsize=(9, 4.6), layout="constrained")
for axis, (title, image) in zip(axes.flat, {"picture": page, **results}.items(), strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()
