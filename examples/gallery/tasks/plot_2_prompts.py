"""
A point, a box: when the first answer is wrong
==============================================

Without a prompt the network takes what stands out: here the astronaut *and* the shuttle behind her, and it is sure
of it. One point on the shuttle, or a box around the astronaut, says what was meant.
"""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.astronaut()
point, box = (400, 120, 0), (0, 20, 400, 492)  # x, y, and 0 for "does not belong"; x, y, width, height

with alphacut.Remover().open(picture) as session:  # what the cuts share is done once
    cutouts = [session.cut(), session.cut(points=[point]), session.cut(box=box)]

fig, axes = plt.subplots(2, 3, figsize=(9, 6.2), layout="constrained")
for (above, below), cutout, title in zip(axes.T, cutouts, ["no prompt", "a point", "a box"], strict=True):
    above.imshow(picture)
    below.imshow(cutout.on("checkerboard"))
    above.set(title=title)
    below.set(title=f"{cutout.verdict} ({cutout.confidence:.2f})")
    above.set_axis_off()
    below.set_axis_off()
axes[0, 1].plot(*point[:2], "rx", markersize=10, markeredgewidth=3)
axes[0, 2].add_patch(Rectangle(box[:2], box[2] - 2, box[3] - 2, fill=False, edgecolor="lime", linewidth=3))
