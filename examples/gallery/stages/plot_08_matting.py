"""
Matting
=======

From a hard mask to alpha: near the edge each pixel is a mixture, and how much of it is foreground is solved for.

Three methods, from fast to exact: the guided filter (K. He, J. Sun and X. Tang, "Guided image filtering", 2013),
shared sampling (E. Gastal and M. Oliveira, "Shared sampling for real-time alpha matting", 2010), and the closed
form (A. Levin, D. Lischinski and Y. Weiss, "A closed-form solution to natural image matting", 2008), started from
the samples. :func:`alphacut.make_trimap`, :func:`alphacut.refine_alpha`, :func:`alphacut.adjust_edge`,
:func:`alphacut.guided_filter`.
"""

import matplotlib.pyplot as plt
from skimage import data

import alphacut

plt.rcParams["image.cmap"] = "gray"

picture = data.astronaut()
mask = alphacut.remove_background(picture, box=(0, 20, 400, 492), refine=None).mask
trimap = alphacut.make_trimap(mask, band=10)
part = slice(10, 130), slice(150, 300)  # her hair

shown = {"picture": picture, "mask": mask, "trimap": trimap}
shown |= {
    method: alphacut.refine_alpha(picture, trimap, method=method) for method in ("guided", "sampled", "closed_form")
}
fig, axes = plt.subplots(2, 3, figsize=(9, 5), layout="constrained")
for axis, (title, image) in zip(axes.flat, shown.items(), strict=True):
    axis.imshow(image[part])
    axis.set(title=title)
    axis.set_axis_off()
