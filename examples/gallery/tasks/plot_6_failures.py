"""
What fails
==========

Three photographs on which a call without a prompt is wrong. `confidence` tells of some, not of all.
"""

import matplotlib.pyplot as plt
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

pictures = {
    "nothing is the subject": data.coins(),
    "thin, before its like": data.rocket(),
    "one thing too much": data.astronaut(),
}
fig, axes = plt.subplots(2, 3, figsize=(9, 5), layout="constrained")
for (above, below), (title, picture) in zip(axes.T, pictures.items(), strict=True):
    cutout = alphacut.remove_background(picture)
    print(f"{title}: {'; '.join(cutout.warnings) or 'no warning'}")
    above.imshow(picture)
    below.imshow(cutout.on("checkerboard"))
    above.set(title=title)
    below.set(title=f"{cutout.verdict} ({cutout.confidence:.2f})")
    above.set_axis_off()
    below.set_axis_off()

# %%
# The coins: each is as good a subject as the other, so say what is meant by other means. Here a threshold, local
# because the light falls off, is the better tool.

mask = alphacut.adaptive_threshold(pictures["nothing is the subject"], 101, offset=-12)
mask = alphacut.remove_small(alphacut.fill_holes(mask), 300)
coins = alphacut.remove_background(pictures["nothing is the subject"], mask=mask)

# %%
# The rocket: a box, as `verdict` asks for. The astronaut: one point on what is too much.

rocket = alphacut.remove_background(pictures["thin, before its like"], box=(300, 90, 50, 310))
astronaut = alphacut.remove_background(pictures["one thing too much"], points=[(400, 120, 0)])

fig, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
for axis, cutout, title in zip(axes, [coins, rocket, astronaut], ["a mask", "a box", "a point"], strict=True):
    axis.imshow(cutout.on("checkerboard"))
    axis.set(title=title)
    axis.set_axis_off()
