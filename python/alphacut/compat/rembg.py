"""The calls of rembg: ``from alphacut.compat.rembg import new_session, remove``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from .._arrays import Array, as_uint8, choice, full_scale, integer, numbers, shown
from ..cutout import Cutout
from ..files import Picture, read_image, write_image
from ..matting import distance_transform
from ..model import Model
from ..preprocess import resize
from ..remover import Remover

GENERAL = (
    "u2net",
    "u2netp",
    "u2net_human_seg",
    "silueta",
    "isnet-general-use",
    "sam",
    "birefnet-general",
    "birefnet-general-lite",
    "birefnet-portrait",
    "birefnet-dis",
    "birefnet-hrsod",
    "birefnet-massive",
    "bria-rmbg",
    "ben2-base",
)
"""Names for which alphacut's own network answers: what they stand for is *the* subject, of any kind."""

_CUSTOM: dict[str, dict[str, Any]] = {"u2net_custom": {}, "dis_custom": {"mean": 0.5, "std": 1}, "ben_custom": {}}


class Session:
    """What finds the subject, kept from call to call; made by :func:`new_session`.

    Attributes
    ----------
    model_name : str
        As given to :func:`new_session`.
    """

    def __init__(self, model_name: str, model: Model | None = None) -> None:
        self.model_name = model_name
        self._remover = Remover(model=model, steps=True)

    def cut(self, picture: Picture, prompts: Iterable[Mapping[str, Any]] | None = None) -> Cutout:
        """The cutout of a picture, with prompts as for "sam"."""
        return self._remover(picture, **_prompts(prompts or ()))

    def predict(self, img: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """The mattes of a picture: one, a gray Pillow picture."""
        _none_left(args, kwargs)
        return [_pillow(as_uint8(self.cut(read_image(img)).alpha))]


def new_session(model_name: str = "u2net", providers: Sequence[Any] | None = None, **kwargs: Any) -> Session:
    """A session for :func:`alphacut.compat.rembg.remove`.

    Parameters
    ----------
    model_name : str
        A name of rembg's. alphacut's network stands for all that find the subject of a picture, whatever it is (see
        `GENERAL`); nothing is downloaded. "u2net_custom", "dis_custom" and "ben_custom" take a network of yours, which
        needs ``alphacut[onnx]``.
    providers
        Ignored: there is one network, on the CPU.
    **kwargs
        ``model_path``: the ONNX file of a custom network.

    Returns
    -------
    Session

    Raises
    ------
    ValueError
        The name is none of these; those for clothes ("u2net_cloth_seg") and drawings ("isnet-anime") are not either.
    TypeError
        `model_path` is missing, or another option is there.
    OSError, ImportError
        As :class:`alphacut.Model`.

    Examples
    --------
    >>> from alphacut.compat.rembg import new_session
    >>> new_session("isnet-general-use").model_name
    'isnet-general-use'
    """
    choice(model_name, "model_name", (*GENERAL, *_CUSTOM))
    if model_name in GENERAL:
        _none_left((), kwargs)
        return Session(model_name)
    path = kwargs.pop("model_path", None)
    _none_left((), kwargs)
    if path is None:
        raise TypeError(f"model_path must be given for {model_name!r}")
    return Session(model_name, Model(path, **_CUSTOM[model_name]))


def remove(
    data: Any,
    alpha_matting: bool = False,
    alpha_matting_foreground_threshold: int = 240,
    alpha_matting_background_threshold: int = 10,
    alpha_matting_erode_size: int = 10,
    session: Session | None = None,
    only_mask: bool = False,
    post_process_mask: bool = False,
    bgcolor: Sequence[int] | None = None,
    force_return_bytes: bool = False,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Cut the subject out of a picture, with rembg's arguments.

    Parameters
    ----------
    data : bytes, Pillow picture or ndarray
        The picture. An array is RGB, as for alphacut everywhere.
    alpha_matting : bool
        The closed form computes the edge between what is surely subject and surely background of the network's map.
        Without it, alphacut's own way: the edge is cut, then refined where it is soft. That is most often better.
    alpha_matting_foreground_threshold, alpha_matting_background_threshold : int
        What is above (below) is surely subject (background), in 0..255.
    alpha_matting_erode_size : int
        How far both are then drawn back, as the side of a square; 0 or more.
    session : Session, optional
        From :func:`new_session`.
    only_mask : bool
        The matte alone.
    post_process_mask : bool
        A hard mask, cleaned of specks, takes the matte's place.
    bgcolor : (red, green, blue, alpha), optional
        What lies behind, in 0..255.
    force_return_bytes : bool
        PNG, whatever `data` was.
    *args, **kwargs
        ``putalpha``: the picture's own colours stay, where alphacut takes the background out of soft edges.
        ``sam_prompt``: a list of ``{"type": "point", "data": [x, y], "label": 1}`` (0: not the subject) and
        ``{"type": "rectangle", "data": [left, top, right, bottom]}``; at most one of the latter.

    Returns
    -------
    bytes (PNG), Pillow picture or ndarray
        As `data`: RGBA, or gray with `only_mask`.

    Raises
    ------
    TypeError, ValueError
        An argument is of another type, out of range or unknown.
    DecodeError
        The picture cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut.compat.rembg import remove
    >>> picture = np.full((60, 80, 3), 240, np.uint8)
    >>> picture[20:40, 30:50] = 30, 60, 160
    >>> remove(picture)[30, [5, 40]].tolist()
    [[0, 0, 0, 0], [30, 60, 160, 255]]
    """
    prompts, own_colours = kwargs.pop("sam_prompt", None), kwargs.pop("putalpha", False)
    _none_left(args, kwargs)
    if session is None:
        session = Session("u2net")
    elif not isinstance(session, Session):
        raise TypeError(f"session must come from alphacut.compat.rembg.new_session, got {type(session).__name__}")
    if not isinstance(data, (bytes, bytearray, np.ndarray)) and not hasattr(data, "getbbox"):
        raise TypeError(f"data must be bytes, a Pillow picture or an array, got {type(data).__name__}")
    picture = read_image(data)
    cutout = session.cut(picture, prompts)
    alpha, colours = cutout.alpha, cutout.foreground
    if alpha_matting:
        limits = alpha_matting_background_threshold, alpha_matting_foreground_threshold
        trimap = _trimap(cutout, limits, alpha_matting_erode_size)
        if trimap is not None:
            matted = Remover(refine="closed_form")(picture, trimap=trimap)
            alpha, colours = matted.alpha, matted.foreground
    if post_process_mask:
        alpha = np.where(cutout.mask > 0, full_scale(alpha), 0).astype(alpha.dtype)
    if only_mask:
        made = alpha
    else:
        made = _with_alpha(picture.pixels if own_colours else colours, alpha)
        if bgcolor is not None:
            made = _over(made, bgcolor)
    if isinstance(data, np.ndarray) and not force_return_bytes:
        return made
    made = as_uint8(made)
    return _png(made) if force_return_bytes or isinstance(data, (bytes, bytearray)) else _pillow(made)


def _none_left(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    for what in (*map(repr, args), *kwargs):
        raise TypeError(f"alphacut has nothing for {what}")


def _prompts(given: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Those of "sam" as alphacut's."""
    prompts: dict[str, Any] = {}
    for prompt in given:
        kind, place = prompt.get("type"), prompt.get("data", ())
        if kind == "point" and len(place) == 2:
            prompts.setdefault("points", []).append((*place, int(prompt.get("label", 1) != 0)))
        elif kind == "rectangle" and len(place) == 4 and "box" not in prompts:
            left, top, right, bottom = (round(value) for value in place)
            prompts["box"] = left, top, right - left, bottom - top
        else:
            raise ValueError(
                f"sam_prompt must be points of two numbers and at most one rectangle of four, got {prompt}"
            )
    return prompts


def _trimap(cutout: Cutout, limits: Sequence[int], erode_size: int) -> Array | None:
    """What a map surely says, drawn back; None if that leaves nothing on one of the sides."""
    if not 0 <= integer(limits[0], "alpha_matting_background_threshold") <= limits[1] <= 255:
        raise ValueError(f"the thresholds must be 0 <= background <= foreground <= 255, got {limits[0]}, {limits[1]}")
    if integer(erode_size, "alpha_matting_erode_size") < 0:
        raise ValueError(f"alpha_matting_erode_size must be 0 or more, got {erode_size}")
    found = cutout.steps.get("subject", cutout.alpha)
    found = as_uint8(resize(found, cutout.alpha.shape) if found.shape != cutout.alpha.shape else found)
    trimap = np.full(found.shape, 128, np.uint8)
    for sure, value in ((found < limits[0], 0), (found > limits[1], 255)):
        kept = distance_transform(sure) > erode_size / 2
        if not kept.any():
            return None
        trimap[kept] = value
    return trimap


def _with_alpha(pixels: Array, alpha: Array) -> Array:
    """RGBA, without colours where nothing is left of them."""
    colours = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    return np.dstack([np.where(alpha[..., None] > 0, colours, 0), alpha])


def _over(rgba: Array, colour: Sequence[int]) -> Array:
    """Over a colour, which may be transparent itself (Porter and Duff, 1984)."""
    behind = numbers(colour, "bgcolor", (4,))
    if not ((behind >= 0) & (behind <= 255)).all():
        raise ValueError(f"bgcolor must be four numbers in 0..255 (red, green, blue, alpha), got {shown(colour)}")
    full = full_scale(rgba)
    alpha = rgba[..., 3:] / full
    rest = behind[3] / 255 * (1 - alpha)
    total = alpha + rest
    mixed = (alpha * rgba[..., :3] + rest * behind[:3] * (full / 255)) / np.where(total > 0, total, 1)
    made = np.concatenate([mixed, total * full], axis=2)
    return (made if full == 1 else np.rint(made)).astype(rgba.dtype)


def _pillow(pixels: Array) -> Any:
    from PIL import Image

    return Image.fromarray(pixels)


def _png(pixels: Array) -> bytes:
    data = BytesIO()
    write_image(data, pixels, format="png")
    return data.getvalue()
