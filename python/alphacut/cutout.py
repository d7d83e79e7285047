"""The result of removing a background."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from . import files
from ._arrays import Array, as_uint8, choice, flag, full_scale, in_pixels, integer, percent, shown
from ._color import Color, parse_color
from ._frame import aspect_of, frame
from ._prompt import Box
from .compositing import blurred_background, checkerboard, composite
from .preprocess import resize
from .shadow import Shadow

if TYPE_CHECKING:
    from PIL.Image import Image


# The longest side of a picture in a notebook, and what lies between two.
_PANEL, _GAP = 360, 8
# Confidence that is good enough to go on, and that below which a prompt is wanted.
_SURE, UNSURE = 0.8, 0.5
_NO_IDEA = "unsure: draw a box"


@dataclass(frozen=True, repr=False, eq=False)
class Cutout:
    """A subject cut out of its picture.

    Attributes
    ----------
    image : (H, W) or (H, W, 3) ndarray
        The picture, as decoded: uint8, uint16 or float32. An array of the caller's is not copied.
    mask : (H, W) uint8 ndarray
        255 where `alpha` is above one half, 0 elsewhere.
    alpha : (H, W) ndarray
        Straight alpha in the picture's depth. The picture's own alpha, if it had one, is multiplied in.
    foreground : ndarray, of `image`'s shape and dtype
        The subject's own colours, straight (not weighted by alpha), with the background's share taken out at soft
        edges. With ``foreground=False`` they are the picture's, and leave a halo over another background.
    box : (x, y, width, height) or None
        The smallest box that holds every pixel of `mask`; None if it is empty.
    confidence : float
        0..1: how well the way that found the mask explains the picture; what it measures is listed with
        :func:`remove_background`. 1 where the caller gave the mask or trimap.
    method : str
        What found the mask: "graphcut", "kmeans", "threshold", "key", "mask", "trimap", or "alpha": the picture's own,
        of one that is cut out already.
    subject, refine : str or None
        What found the subject ("learned", "barrier" or "model"), and what refined the edge; None where nothing did.
    device : str
        Where it ran: "cpu" or "cuda:N".
    timings : mapping of str to float
        Seconds of each stage, in the order they ran.
    warnings : tuple of str
        What the caller may want to look at; empty if nothing.
    steps : mapping of str to ndarray
        With ``steps=True`` what each step gave, of the whole picture, in order and as far as there was such a step:
        "preprocess", the picture in which the subject was looked for; "subject", how likely each pixel belongs to it,
        (h, w) float32 in 0..1, often smaller; "mask" as found; "trimap", which the refinement started from; "alpha";
        "foreground". Else empty.
    icc_profile, dpi, exif
        Of the file the picture came from, see :class:`Picture`; :meth:`save` writes them again, and `exif` if asked to.
    """

    image: Array
    mask: Array
    alpha: Array
    foreground: Array
    box: Box | None
    confidence: float
    method: str
    device: str = "cpu"
    subject: str | None = None
    refine: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    steps: Mapping[str, Array] = field(default_factory=dict)
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    exif: bytes | None = None

    @property
    def verdict(self) -> str:
        """The confidence in words: "sure", "check the edge" (from 0.5 to 0.8), or "unsure: draw a box"."""
        return "sure" if self.confidence >= _SURE else "check the edge" if self.confidence >= UNSURE else _NO_IDEA

    @property
    def rgba(self) -> Array:
        """The cutout as (H, W, 4) straight RGBA in the picture's depth."""
        return composite(self.foreground, self.alpha)

    def on(
        self,
        background: Any,
        *,
        shadow: Shadow | str | None = None,
        linear: bool = False,
        out: Array | None = None,
    ) -> Array:
        """The subject over another background.

        Parameters
        ----------
        background : colour, array or str
            "#rrggbb", a CSS colour name or (r, g, b) in 0..255; a picture (anything :func:`read_image` takes, over
            white where it is transparent), scaled and cropped around its centre to cover; "blur" for the picture's own
            background, blurred; "checkerboard". A string with a folder or an ending (ground.png) is a path. Colours and
            pictures without a profile are sRGB; they are brought into `icc_profile` if that is another. None for no
            background: (H, W, 4) straight RGBA, as :attr:`rgba`, with a shadow if there is one.
        shadow : Shadow or str, optional
            That the subject casts: "drop" behind it, "contact" on the ground where it stands, or with more said, such
            as "drop:offset=10,15:softness=12:opacity=0.3"; see :class:`Shadow`.
        linear : bool
            Blend in linear light instead of encoded sRGB values.
        out : array of the result's shape in the picture's depth, optional
            Where to write, sharing no memory with the cutout or the background.

        Returns
        -------
        (H, W, 3) ndarray in the picture's depth, or (H, W, 4) without a background

        Raises
        ------
        TypeError, ValueError
            If `background` or `shadow` is of another type, dtype or shape, or the colour is unknown; or if `linear`
            comes without a background.
        DecodeError, OSError
            If the picture cannot be read.

        Examples
        --------
        >>> import numpy as np, alphacut
        >>> image = np.full((8, 8, 3), 200, np.uint8)
        >>> mask = np.zeros((8, 8), np.uint8)
        >>> alphacut.remove_background(image, mask=mask, refine=None).on("red")[0, 0].tolist()
        [255, 0, 0]
        """
        height, width = self.alpha.shape
        linear, shadow = flag(linear, "linear"), Shadow.of(shadow)
        if shadow is not None:
            shadow = replace(shadow, color=_colour_in_profile(parse_color(shadow.color), self.icc_profile))
        if background is None:
            pass
        elif isinstance(background, str) and background == "blur":
            background = blurred_background(self.image, self.alpha)
        elif isinstance(background, str) and background == "checkerboard":
            background = _in_depth(checkerboard(height, width), self.image)
        elif is_colour(background):
            background = _colour_in_profile(parse_color(background, "background"), self.icc_profile)
        else:
            background = _in_depth(cover(background, height, width, self.icc_profile), self.image)
        return composite(self.foreground, self.alpha, background, shadow=shadow, linear=linear, out=out)

    def crop(
        self,
        margin: int | str | Sequence[int | str] = 0,
        *,
        aspect: float | str | Sequence[float] | None = None,
    ) -> Cutout:
        """The cutout cropped to its subject.

        Parameters
        ----------
        margin : int or str, or (top, right, bottom, left) of these
            Pixels kept around :attr:`box`, 0 or more, as far as the picture reaches; four in the order of CSS. "10%" is
            that share of the box's height above and below it, of its width beside it.
        aspect : str, float or (float, float), optional
            Of the result, width to height, such as "1:1", "4:5" or, for a passport, "35:45": what is too short or too
            narrow grows evenly, within the picture if that is large enough. Beyond the picture all is transparent.

        Returns
        -------
        Cutout
            Of the cropped arrays (views, or copies if they go beyond the picture); the whole picture if there is no
            subject.

        Raises
        ------
        TypeError, ValueError
            If `margin` is no such number, percentage or four of them, or negative; if `aspect` is not of two numbers,
            or beyond 1:5 and 5:1.

        Examples
        --------
        >>> import numpy as np, alphacut
        >>> mask = np.zeros((60, 90), np.uint8)
        >>> mask[10:50, 70:80] = 255
        >>> cutout = alphacut.remove_background(np.zeros((60, 90, 3), np.uint8), mask=mask, refine=None)
        >>> cutout.crop(5).alpha.shape, cutout.crop(5, aspect="1:1").alpha.shape, cutout.crop(5, aspect="1:1").box
        ((50, 20), (50, 50), (30, 5, 10, 40))
        """
        sides: list[Any] = list(margin) if isinstance(margin, (tuple, list)) else [margin] * 4
        if len(sides) != 4:
            raise ValueError(f"margin must be one int or four (top, right, bottom, left), got {shown(margin)}")
        sides, ratio = [margin_side(side, "margin") for side in sides], aspect_of(aspect)
        if self.box is None:
            return self
        x, y, width, height = self.box
        top, right, bottom, left = map(in_pixels, sides, (height, width) * 2)
        part = frame(self.box, (top, right, bottom, left), ratio, self.alpha.shape)
        return replace(
            self,
            image=_part(self.image, part),
            mask=_part(self.mask, part, empty=True),
            alpha=_part(self.alpha, part, empty=True),
            foreground=_part(self.foreground, part),
            box=(x - part[0], y - part[1], width, height),
        )

    def pixels(self, what: str = "rgba", background: Any = None, *, shadow: Shadow | str | None = None) -> Array:
        """The array that :meth:`save` writes.

        Parameters
        ----------
        what : {"rgba", "mask", "alpha"}
            Which part.
        background, shadow
            As in :meth:`on`; go with "rgba" only.

        Returns
        -------
        (H, W, 4) or (H, W) ndarray, or (H, W, 3) with a background

        Raises
        ------
        TypeError, ValueError
            As :meth:`on`; if `what` is another word, or a background or shadow comes with a mask or an alpha.
        """
        choice(what, "what", ("rgba", "mask", "alpha"))
        for name, given in (("background", background), ("shadow", shadow)):
            if given is not None and what != "rgba":
                raise ValueError(f"{name} has no place in what={what!r}")
        if what == "rgba":
            return self.on(background, shadow=shadow)
        return self.mask if what == "mask" else self.alpha

    def save(
        self,
        destination: str | PathLike[str] | BinaryIO,
        *,
        format: str | None = None,
        what: str = "rgba",
        background: Any = None,
        shadow: Shadow | str | None = None,
        quality: int | None = None,
        png_level: int | None = None,
        exif: bool = False,
    ) -> None:
        """Write the cutout to a file, at once or not at all.

        Parameters
        ----------
        destination : path or binary file object
            Where to write.
        format : {"png", "webp", "tiff", "jpeg"}, optional
            Taken from the suffix by default. JPEG has no transparency: it needs `background`, a mask or an alpha.
        what : {"rgba", "mask", "alpha"}
            The cutout, or one of its parts as a gray picture.
        background, shadow
            As in :meth:`on`: then the composed picture is written.
        quality : int, optional
            Of JPEG and lossy WebP, 1..100.
        png_level : int, optional
            How hard to compress a PNG, 0..9, see :func:`write_image`.
        exif : bool
            Write what is left of the photo's EXIF data, see :attr:`Picture.exif`: the place where it was taken, too.

        Raises
        ------
        TypeError, ValueError
            If an argument is of another type, the format is unknown or cannot hold what is to be written.
        OSError
            If the file cannot be written; an older file of that name is then untouched.
        """
        pixels = self.pixels(what, background, shadow=shadow)
        if pixels.dtype == np.float32:
            pixels = as_uint8(pixels)
        profile = self.icc_profile if what == "rgba" else None
        files.write_image(
            destination,
            pixels,
            format=format,
            icc_profile=profile,
            dpi=self.dpi,
            quality=quality,
            png_level=png_level,
            exif=self.exif if flag(exif, "exif") else None,
        )

    def to_pil(self) -> Image:
        """The cutout as a Pillow RGBA picture (8 bit), with the colour profile and resolution in its ``info``."""
        from PIL import Image

        picture = Image.fromarray(as_uint8(self.rgba))
        kept = {"icc_profile": self.icc_profile, "dpi": self.dpi}
        picture.info.update({name: value for name, value in kept.items() if value is not None})
        return picture

    def _repr_png_(self) -> bytes:
        """Picture, mask, alpha and the cutout over a checkerboard, small, side by side, with nothing between."""
        panels = [fitting(part, _PANEL) for part in (self.image, self.mask, self.alpha)]
        height, width = panels[0].shape[:2]
        panels.append(composite(fitting(self.foreground, _PANEL), panels[2], checkerboard(height, width)))
        row = np.zeros((height, len(panels) * (width + _GAP) - _GAP, 4), np.uint8)
        for number, panel in enumerate(panels):
            place = row[:, number * (width + _GAP) :][:, :width]
            place[..., :3], place[..., 3] = panel.reshape(height, width, -1), 255
        data = BytesIO()
        files.write_image(data, row, format="png")
        return data.getvalue()

    def __repr__(self) -> str:
        height, width = self.alpha.shape
        seconds = sum(self.timings.values())
        return (
            f"Cutout({width}×{height}, method={self.method!r}, box={self.box}, confidence={self.confidence:.2f} "
            f"({self.verdict}), {seconds * 1000:.0f} ms on {self.device})"
        )


def _part(plane: Array, part: Box, empty: bool = False) -> Array:
    """A part of a picture; beyond it nothing, or what is at its border."""
    x, y, width, height = part
    before, after = (max(0, -y), max(0, -x)), (max(0, y + height - len(plane)), max(0, x + width - plane.shape[1]))
    inside = plane[max(0, y) : y + height, max(0, x) : x + width]
    if before == after == (0, 0):
        return inside
    beyond = [*zip(before, after, strict=True), (0, 0)][: plane.ndim]
    padded: Array = np.pad(inside, beyond, mode="constant" if empty else "edge")
    return padded


def margin_side(value: Any, name: str) -> int | str:
    """A margin of one side, checked: pixels, or a percentage as a text."""
    share = percent(value)
    number = integer(value, name) if share is None else share
    if number < 0:
        raise ValueError(f"{name} must be 0 or more, got {value}")
    return int(number) if share is None else str(value)


def fitting(part: Array, longest: int) -> Array:
    """A picture or a plane in 8 bits, its sides at most so long."""
    height, width = part.shape[:2]
    scale = min(1.0, longest / height, longest / width)
    if scale == 1:
        return as_uint8(part)
    return as_uint8(resize(part, (max(1, round(height * scale)), max(1, round(width * scale))), method="area"))


def _colour_in_profile(colour: Color, profile: bytes | None) -> Color:
    """An sRGB colour in another profile."""
    red, green, blue = files.in_profile(np.array([[colour]], np.uint8), None, profile)[0, 0]
    return int(red), int(green), int(blue)


def is_colour(background: Any) -> bool:
    """Three numbers, or a string that does not look like a path."""
    if isinstance(background, str):
        folder, name = os.path.split(background)
        return not folder and not os.path.splitext(name)[1]
    return isinstance(background, (tuple, list)) and len(background) == 3


def cover(background: Any, height: int, width: int, profile: bytes | None = None) -> Array:
    """The middle of a picture, of the shape of height × width, scaled to that: over white, in this profile."""
    picture = files.as_picture(background, "background")
    files.require_unit_planes(picture, "background")
    pixels, alpha = picture.pixels, picture.alpha
    old_height, old_width = pixels.shape[:2]
    scale = max(height / old_height, width / old_width)
    part = [min(old, max(1, round(new / scale))) for old, new in ((old_height, height), (old_width, width))]
    top, left = (old_height - part[0]) // 2, (old_width - part[1]) // 2
    middle = slice(top, top + part[0]), slice(left, left + part[1])
    pixels = pixels[middle]
    if alpha is not None:
        pixels = composite(pixels, alpha[middle], "white")
    if pixels.shape[:2] != (height, width):
        pixels = resize(pixels, (height, width))
    return files.in_profile(pixels, picture.icc_profile, profile)


def _in_depth(picture: Array, like: Array) -> Array:
    """The picture in the depth of another, 0..full scale kept."""
    if picture.dtype == like.dtype:
        return picture
    scaled = picture.astype(np.float32) * np.float32(full_scale(like) / full_scale(picture))
    return scaled if like.dtype == np.float32 else np.rint(scaled).astype(like.dtype)
