"""
Graph cut
=========

The subject's edge as an exact minimum cut: models of the colours of both sides say what fits a pixel better, and
the border wants to run along edges.

C. Rother, V. Kolmogorov and A. Blake, "GrabCut", SIGGRAPH 2004; the cut by push-relabel (A. Goldberg and R. Tarjan,
"A new approach to the maximum-flow problem", 1988). :func:`alphacut.grabcut`, and :func:`alphacut.graph_cut` for
capacities of your own.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.rocket()
box = (300, 90, 50, 310)
cut = alphacut.grabcut(picture, box=box)
print(f"{cut.n_iter} rounds, energy {cut.energy:.0f}")

# %%
# What the colours alone cannot tell, the network's map may: given as log-odds it joins them, without any box.

likely = np.clip(alphacut.detect_subject(data.astronaut()), 0.01, 0.99)
with_map = alphacut.grabcut(data.astronaut(), unary=np.log(likely / (1 - likely)))

shown = [picture, cut.mask, likely, with_map.mask]
titles = ["picture, a box", "cut", "a map", "cut with it"]
fig, axes = plt.subplots(1, 4, figsize=(9, 2.2), layout="constrained")
for axis, image, title in zip(axes, shown, titles, strict=True):
    axis.imshow(image)
    axis.set(title=title)
    axis.set_axis_off()
axes[0].add_patch(plt.Rectangle(box[:2], *box[2:], fill=False, edgecolor="lime", linewidth=2))

# %%
# The cut itself, on a grid of one's own: source and sink pull at each pixel, and neighbours hold together.

pull = np.zeros((2, 24, 32), np.int32)
pull[0, 8:16, 8:24] = 10
pull[1] = 6
pull[0, 12, 16] = 0  # a pixel that is pulled the other way
neighbours = np.full((4, 24, 32), 3, np.int32)
for weight, label in ((0, "alone"), (3, "held together")):
    mask = alphacut.graph_cut(pull[0], pull[1], neighbours // 3 * weight).mask
    print(f"{label}: {(mask > 0).sum()} pixels")
