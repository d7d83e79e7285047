"""
k-means
=======

The colours of a picture in a few clusters, in whole numbers: the same bytes on every processor and on a GPU.

S. Lloyd, "Least squares quantization in PCM", 1982; D. Arthur and S. Vassilvitskii, "k-means++: the advantages of
careful seeding", 2007. :func:`alphacut.kmeans`.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.coffee()
fig, axes = plt.subplots(1, 3, figsize=(9, 2.4), layout="constrained")
axes[0].imshow(picture)
axes[0].set(title="picture")
for axis, clusters in zip(axes[1:], (3, 8), strict=True):
    found = alphacut.kmeans(picture, clusters)
    axis.imshow(np.uint8(found.centers.round())[found.labels])
    axis.set(title=f"{clusters} clusters, {found.n_iter} iterations")
for axis in axes:
    axis.set_axis_off()
