"""
Components
==========

The parts of a mask: counted, measured, kept, filled, outlined. In the flow this stage drops crumbs and fills
pinholes.

Runs of pixels, two rows at once, joined by union-find (R. Tarjan, 1975). :func:`alphacut.label_components`,
:func:`alphacut.component_stats`, :func:`alphacut.keep_largest`, :func:`alphacut.remove_small`,
:func:`alphacut.fill_holes`, :func:`alphacut.mask_to_polygons`.
"""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.coins()
mask = alphacut.adaptive_threshold(picture, 101, offset=-12)
clean = alphacut.remove_small(alphacut.fill_holes(mask), 300)
_, count = alphacut.label_components(clean)
stats = alphacut.component_stats(clean)
print(f"{count} coins, the largest with {stats.area.max()} pixels")

shown = [picture, mask, clean, picture]
fig, axes = plt.subplots(1, 4, figsize=(9, 2.2), layout="constrained")
for axis, image, title in zip(axes, shown, ["picture", "mask", "clean", "parts"], strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()
for x, y, width, height in stats.box:
    axes[3].add_patch(Rectangle((x, y), width, height, fill=False, edgecolor="lime"))
for polygon in alphacut.mask_to_polygons(clean):
    axes[3].plot(*polygon.exterior.T, color="orange", linewidth=1)
