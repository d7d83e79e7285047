"""Segmentation networks of the user's own, in ONNX files, run by onnxruntime; it is imported with the first of them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from . import files
from ._arrays import Array, as_uint8, choice, integer, real, require_host, shown
from ._prompt import Box
from .preprocess import resize
from .threads import get_num_threads
from .thresholding import threshold

# Keys of the file's metadata, the first that is there counts.
_KEYS = {
    "size": ("input_size", "imgsz"),
    "mean": ("mean", "standardization_mean"),
    "std": ("std", "standardization_std"),
    "channels": ("channels",),
}
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
# Of a network that takes any size: the picture's long side, and what encoders halve five times.
_LONG_SIDE, _STEP = 1024, 32
_LARGEST_SIDE = 16384
# Values this far beyond 0..1 are a probability's rounding or resampling; beyond that they are logits.
_SLACK = 0.01


class Instance(NamedTuple):
    """One object that a network found."""

    mask: Array
    """(H, W) uint8, 255 where its probability is above one half."""
    box: Box
    """(x, y, width, height) in the picture, at least one pixel of it."""
    score: float
    """How sure the network is."""
    label: int
    """The network's number for what it is."""


class Model:
    """A segmentation network from an ONNX file, whose map says where the subject is.

    Give it, or the file's path, to :func:`remove_background` as `model`. Two kinds are known by what they give: one map
    of the subject (U²-Net, IS-Net, BiRefNet and the like), or instances, each with a box, a label, a score and a mask
    (Mask R-CNN).

    Parameters
    ----------
    source : str, PathLike, bytes or onnxruntime.InferenceSession
        The file or what is in it. A session is used as it is, with its own threads and devices.
    size : int or (int, int), optional
        What the picture is scaled to: (height, width), or the longest side, with the shape kept but for rounding to
        multiples of 32 and smaller pictures left small. By default the network's own size, or a longest side of 1024
        for a network that takes any.
    mean, std : float or three floats, optional
        Subtracted from, then divided into the channels of the picture: for values in 0..1, or in 0..255 if a mean is
        above 1. By default ImageNet's, (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225), as for U²-Net.
    channels : {"rgb", "bgr"}, optional
        The order that the network takes, and that `mean` and `std` are in; by default "rgb".
    output : str or int, optional
        Name or number of the output that is the map. By default the first, or instances where the outputs are such.
    min_score : float
        Instances with a lower score do not count; from 0 to 1.

    Raises
    ------
    ImportError
        onnxruntime is missing: ``pip install 'alphacut[onnx]'``.
    OSError
        The file cannot be opened.
    TypeError
        Wrong type.
    ValueError
        Not an ONNX network; not exactly one input with three channels of float32, float16 or uint8; or a value out of
        range, in an argument or in the metadata.

    Notes
    -----
    What is not given is read from the file's metadata, as text: ``input_size`` (or ``imgsz``), ``mean`` and ``std`` (or
    ``standardization_mean`` and ``standardization_std``): one number or several, with commas between; ``channels``. A
    size that the network's input fixes goes before the metadata's.

    ============================================  =======================================================
    U²-Net and most others                        nothing to give
    IS-Net (trained with these)                   mean=0.5, std=1
    torchvision's Mask R-CNN (does it inside)     mean=0, std=1
    Mask R-CNN of the ONNX model zoo              mean=(102.98, 115.95, 122.77), std=1, channels="bgr"
    ============================================  =======================================================

    The input is (1, 3, H, W) or (1, H, W, 3), without the 1 for some. One of uint8 gets the picture's 8 bits as they
    are, so that `mean` and `std` are of no use. A map is (H, W), with axes of 1 around it. Values within 0..1 are taken
    for probabilities and any others for logits, which a sigmoid makes probabilities. They are not stretched to the
    whole range, as is often done with U²-Net's: that would find a subject in every picture. Masks of instances may have
    the input's size or lie within their boxes.

    It runs on the CPU, in as many threads as :func:`set_num_threads` says when it is loaded. Several threads may use it
    at once. How the last bits of its map come out may depend on the machine, the number of threads and onnxruntime, and
    so may a cutout made with it.

    Nothing is downloaded, and onnxruntime's telemetry is switched off where it has any.

    Sources: Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection", 2020, and "Highly
    Accurate Dichotomous Image Segmentation", 2022; He et al., "Mask R-CNN", 2017.

    Examples
    --------
    >>> import alphacut
    >>> model = alphacut.Model("u2net.onnx")  # doctest: +SKIP
    >>> model("cat.jpg").shape  # doctest: +SKIP
    (480, 640)
    >>> alphacut.remove_background("cat.jpg", model=model).save("cat.png")  # doctest: +SKIP

    Each object of a network that finds several:

    >>> model = alphacut.Model("mask_rcnn.onnx", mean=0, std=1)  # doctest: +SKIP
    >>> for number in range(len(model.instances("street.jpg"))):  # doctest: +SKIP
    ...     cutout = alphacut.remove_background("street.jpg", model=model, instance=number)
    ...     cutout.save(f"street-{number}.png")

    With ``mask=found.mask`` of each ``found`` instead, the network runs only once, but its masks are not cut anew.
    """

    def __init__(
        self,
        source: Any,
        *,
        size: int | tuple[int, int] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        channels: str | None = None,
        output: str | int | None = None,
        min_score: float = 0.5,
    ) -> None:
        options = {"size": size, "mean": mean, "std": std, "channels": channels}
        self._source = source
        self._options: dict[str, Any] = {**options, "output": output, "min_score": min_score}
        given = {name: _checked(name, value, name) for name, value in options.items() if value is not None}
        self._min_score = real(min_score, "min_score")
        if not 0 <= self._min_score <= 1:
            raise ValueError(f"min_score must be from 0 to 1, got {min_score}")

        self._session, self._name = _load(source)
        self._input = _Input.of(self._session, self._name)
        self._output = _output_name(self._session, output)
        chosen = {**_from_metadata(self._session.get_modelmeta().custom_metadata_map, self._name), **given}
        self._size: tuple[int, ...] = chosen.get("size", (_LONG_SIDE,))
        if "size" in given:
            self._input.require(self._size)
        if self._input.dtype == np.uint8 and not {"mean", "std"}.isdisjoint(given):
            raise ValueError(f"mean and std are of no use: {self._name} takes uint8 as it is")
        self._bgr = chosen.get("channels", "rgb") == "bgr"
        order = slice(None, None, -1 if self._bgr else 1)
        mean_used = chosen.get("mean", np.array(_IMAGENET[0])[order])
        unit = 255 if mean_used.max() > 1 else 1
        std_used = chosen.get("std", np.array(_IMAGENET[1])[order] * unit)
        self._mean, self._std = (mean_used / unit).astype(np.float32), (std_used / unit).astype(np.float32)

    def __call__(self, image: Any, *, instance: int | None = None) -> Array:
        """Say how likely each pixel belongs to the subject.

        Parameters
        ----------
        image : array, path, bytes, binary file object or Pillow image
            As for :func:`remove_background`.
        instance : int, optional
            For a network that finds instances: only this one, by its place in :meth:`instances`. By default all.

        Returns
        -------
        (H, W) float32 array
            From 0 (background) to 1 (subject); all zeros where no instance is found.

        Raises
        ------
        TypeError, ValueError, DecodeError
            Wrong arguments; a network that does not run or gives something else than a map of finite values; or
            `instance` for a picture with fewer, or for a network with one map.
        """
        pixels = _pixels(image)
        return _grown(self.small_map(pixels, instance), pixels.shape[:2])

    def instances(self, image: Any) -> list[Instance]:
        """Find the objects of a picture, the surest first.

        Parameters
        ----------
        image : array, path, bytes, binary file object or Pillow image
            As for :func:`remove_background`.

        Returns
        -------
        list of Instance
            Those with a score of at least `min_score`. A `mask` goes with :func:`remove_background` as it is.

        Raises
        ------
        TypeError, ValueError, DecodeError
            As for a call; or the network gives one map instead of instances.
        """
        pixels = _pixels(image)
        size = pixels.shape[:2]
        found = self._instances(self._run(pixels), size)
        if found is None:
            raise ValueError(f"{self._name} gives one map, not instances: no outputs are boxes, labels, scores, masks")
        return [
            Instance(threshold(_grown(one.map, size), 0.5), _in_picture(one.box, one.map.shape, size), *one[2:])
            for one in found
        ]

    def small_map(self, pixels: Array, instance: int | None = None) -> Array:
        """What a call gives, in the network's size and for an array."""
        outputs = self._run(pixels)
        found = self._instances(outputs, pixels.shape[:2])
        if found is None:
            if instance is not None:
                raise ValueError(f"instance is for networks that find several, but {self._name} gives one map")
            return _probability(self._plane(outputs[0]), self._name)
        if instance is not None:
            if not integer(instance, "instance", 0) < len(found):
                raise ValueError(f"instance must be below the number that was found, {len(found)}, got {instance}")
            return found[instance].map
        nothing = np.zeros(self._input.fitted(self._size, pixels.shape[:2]), np.float32)
        return np.maximum.reduce([nothing, *(one.map for one in found)])

    def __reduce__(self) -> tuple[Any, ...]:
        """By the file's path or bytes: a session cannot be stored."""
        if not isinstance(self._source, (str, bytes, os.PathLike)):
            raise TypeError("a Model of an onnxruntime.InferenceSession cannot be pickled: make it of a path or bytes")
        return partial(Model, **self._options), (self._source,)

    def __repr__(self) -> str:
        size = tuple(own or wanted for own, wanted in zip(self._input.size, 2 * self._size, strict=False))
        mean, std = (tuple(round(float(value), 4) for value in values) for values in (self._mean, self._std))
        return f"<Model {self._name}: size {size}, mean {mean}, std {std}, {'bgr' if self._bgr else 'rgb'}>"

    def _run(self, pixels: Array) -> list[Any]:
        """The outputs for a picture."""
        wanted = None if self._output is None else [self._output]
        tensor = self._tensor(pixels)
        try:
            return list(self._session.run(wanted, {self._input.name: tensor}))
        except Exception as error:  # onnxruntime has many kinds
            raise ValueError(f"{self._name} fails on an input of shape {tensor.shape}: {error}") from error

    def _tensor(self, pixels: Array) -> Array:
        """The picture as the network takes it."""
        small = resize(pixels, self._input.fitted(self._size, pixels.shape[:2]))
        if small.ndim == 2:
            small = np.repeat(small[..., None], 3, axis=2)
        if self._bgr:
            small = small[..., ::-1]
        if self._input.dtype == np.uint8:
            small = as_uint8(small)
        else:
            if small.dtype != np.float32:
                small = np.divide(small, np.float32(np.iinfo(small.dtype).max), dtype=np.float32)
            small = ((small - self._mean) / self._std).astype(self._input.dtype)
        if self._input.planes_first:
            small = small.transpose(2, 0, 1)
        return np.ascontiguousarray(small[None] if self._input.batched else small)

    def _plane(self, output: Any) -> Array:
        """The one map of an output."""
        shape = list(np.shape(output)) if isinstance(output, np.ndarray) else []
        while len(shape) > 2 and shape[0] == 1:
            shape = shape[1:]
        if len(shape) == 3 and shape[2] == 1:
            shape = shape[:2]
        if len(shape) != 2 or 0 in shape or output.dtype.kind != "f":
            got = f"{output.dtype} {output.shape}" if isinstance(output, np.ndarray) else type(output).__name__
            raise ValueError(f"{self._name} must give one map of floats, such as (1, 1, H, W), got {got}; see `output`")
        return output.reshape(shape)

    def _instances(self, outputs: list[Any], size: tuple[int, ...]) -> list[_Detection] | None:
        """What the outputs say of instances in a picture of this size, the surest first; None if they are no such."""
        parts = _parts(outputs) if self._output is None else None
        if parts is None:
            return None
        boxes, labels, scores, masks = parts
        if not np.isfinite(boxes).all() or np.isnan(scores).any():
            raise ValueError(f"{self._name} gives boxes or scores that are not finite")
        kept = [n for n in np.argsort(-scores, kind="stable") if scores[n] >= self._min_score]
        maps: Any = _probability(masks.reshape(len(masks), *masks.shape[-2:])[kept], self._name)
        inner = self._input.fitted(self._size, size)
        if masks.shape[-2:] != inner:  # within the boxes
            maps = [_pasted(small, boxes[n], inner) for small, n in zip(maps, kept, strict=True)]
        return [
            _Detection(whole, boxes[n], float(scores[n]), int(labels[n])) for whole, n in zip(maps, kept, strict=True)
        ]


class _Detection(NamedTuple):
    """An instance in the network's size."""

    map: Array
    box: Array  # left, top, right, bottom
    score: float
    label: int


class _Input(NamedTuple):
    """What a network takes."""

    name: str
    dtype: Any
    planes_first: bool
    batched: bool
    size: tuple[int | None, ...]  # (height, width); None where any will do

    @staticmethod
    def of(session: Any, name: str) -> _Input:
        """The one input of a network."""
        inputs = session.get_inputs()
        if len(inputs) != 1:
            raise ValueError(f"{name} must have one input, a picture, got {[given.name for given in inputs]}")
        given = inputs[0]
        shape = [side if isinstance(side, int) else None for side in given.shape or ()]
        planes_first = len(shape) > 2 and (shape[-3] == 3 or (shape[-3] is None and shape[-1] != 3))
        if given.type not in _DTYPES:
            raise ValueError(f"{name} must take one of {', '.join(_DTYPES)}, got {given.type}")
        if len(shape) not in (3, 4) or not (planes_first or shape[-1] == 3) or shape[:-3] not in ([], [1], [None]):
            raise ValueError(
                f"{name} must take one picture of three channels, (1, 3, H, W) or (1, H, W, 3), got {given.shape}"
            )
        size = tuple(shape[-2:] if planes_first else shape[-3:-1])
        return _Input(given.name, _DTYPES[given.type], planes_first, len(shape) == 4, size)

    def require(self, size: tuple[int, ...]) -> None:
        """A size that the caller gives is not another than a fixed one."""
        for fixed, wanted in zip(self.size, 2 * size, strict=False):
            if fixed is not None and fixed != wanted:
                raise ValueError(f"size {size} contradicts the network's own {self.size}")

    def fitted(self, size: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, int]:
        """What a picture of this shape is scaled to."""
        if len(size) == 1:
            scale = min(1, size[0] / max(shape))
            size = tuple(max(_STEP, round(side * scale / _STEP) * _STEP) for side in shape)
        height, width = (own or wanted for own, wanted in zip(self.size, size, strict=True))
        return height, width


def as_model(model: Any) -> Model | None:
    """What the caller gave for a model, loaded."""
    if model is None or isinstance(model, Model):
        return model
    require_host(model, "model")
    if not isinstance(model, (str, bytes, os.PathLike)):
        raise TypeError(f"model must be an alphacut.Model, a path or bytes, got {type(model).__name__}")
    return Model(model)


def _load(source: Any) -> tuple[Any, str]:
    """The session for a file, and what to call it in messages."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(f"a network of your own needs onnxruntime: pip install 'alphacut[onnx]' ({error})") from error
    if isinstance(source, onnxruntime.InferenceSession):
        return source, "the session"
    if isinstance(source, bytes):
        model: str | bytes = source
        name = "the network"
    elif isinstance(source, (str, os.PathLike)):
        model = name = os.fsdecode(source)
        open(model, "rb").close()  # an OSError that says why
    else:
        raise TypeError(f"source must be a path, bytes or an onnxruntime.InferenceSession, got {type(source).__name__}")
    if hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, nothing is printed
    options.intra_op_num_threads = get_num_threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the stages that follow need the cores
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]), name
    except Exception as error:  # onnxruntime has many kinds
        raise ValueError(f"{name} is not an ONNX network that can be run: {error}") from error


def _output_name(session: Any, output: str | int | None) -> str | None:
    """The name of the output that the caller wants."""
    names = [given.name for given in session.get_outputs()]
    if output is None:
        return None
    if isinstance(output, str):
        return choice(output, "output", tuple(names))
    return names[integer(output, "output", 0, len(names) - 1)]


def _from_metadata(metadata: Mapping[str, str], name: str) -> dict[str, Any]:
    """What the file says of its input."""
    found = {}
    for option, keys in _KEYS.items():
        key = next((key for key in keys if key in metadata), None)
        if key is None:
            continue
        text = metadata[key].strip()
        value: Any = text.lower()
        try:
            if option != "channels":
                value = [float(number) for number in re.split(r"[\s,]+", text.strip("[]() \t\n"))]
            if option == "size":
                value = tuple(int(number) if number.is_integer() else number for number in value)
            found[option] = _checked(option, value, key)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"the metadata of {name} has {key!r}: {text!r}: {error}") from error
    return found


def _checked(option: str, value: Any, name: str) -> Any:
    """The value of an option as it is kept."""
    if option == "channels":
        return choice(value, name, ("rgb", "bgr"))
    several = isinstance(value, (tuple, list, np.ndarray))
    values = list(value) if several else [value]
    if option == "size":
        if len(values) not in (1, 2):
            raise ValueError(f"{name} must be one whole number or (height, width), got {shown(value)}")
        return tuple(integer(side, name, 1, _LARGEST_SIDE) for side in values)
    if len(values) not in (1, 3):
        raise ValueError(f"{name} must be one number or three, got {shown(value)}")
    numbers = np.array([real(number, name) for number in values] * (3 // len(values)))
    if not np.isfinite(numbers).all() or (option == "std" and numbers.min() <= 0):
        raise ValueError(f"{name} must be finite{' and above 0' * (option == 'std')}, got {shown(value)}")
    return numbers


def _pixels(image: Any) -> Array:
    """A picture of any source."""
    pixels = files.as_picture(image, "image").pixels
    files.require_unit(pixels, "image")
    return pixels


def _parts(outputs: list[Any]) -> tuple[Array, ...] | None:
    """Boxes (N, 4), labels (N,), scores (N,) and masks (N, 1, h, w) or (N, h, w), if that is what there is."""
    arrays = [output for output in outputs if isinstance(output, np.ndarray)]
    boxes = [a for a in arrays if a.ndim == 2 and a.shape[1] == 4 and a.dtype.kind == "f"]
    if len(boxes) != 1:
        return None
    same = [a for a in arrays if a.ndim != 2 and a.ndim > 0 and len(a) == len(boxes[0])]
    labels = [a for a in same if a.ndim == 1 and a.dtype.kind in "iu"]
    scores = [a for a in same if a.ndim == 1 and a.dtype.kind == "f"]
    masks = [a for a in same if (a.ndim == 3 or (a.ndim == 4 and a.shape[1] == 1)) and a.dtype.kind == "f"]
    parts = boxes, labels, scores, masks
    return tuple(part[0] for part in parts) if all(len(part) == 1 for part in parts) else None


def _probability(values: Array, name: str) -> Array:
    """Values within 0..1 as they are, any others by a sigmoid."""
    if np.isnan(values).any():
        raise ValueError(f"{name} gives NaN")
    values = values.astype(np.float32, copy=False)
    if values.size and (values.min() < -_SLACK or values.max() > 1 + _SLACK):
        values = np.float32(0.5) + np.float32(0.5) * np.tanh(np.float32(0.5) * values)  # cannot overflow
    return np.clip(values, 0, 1)


def _pasted(values: Array, box: Array, size: tuple[int, int]) -> Array:
    """A map that fills a box, in a plane of this size: bilinear, and 0 beyond half a sample outside."""
    left, top, right, bottom = map(float, box)
    rows = _tent(top, bottom, values.shape[0], size[0])
    columns = _tent(left, right, values.shape[1], size[1])
    return np.clip(rows @ values @ columns.T, 0, 1)


def _tent(begin: float, end: float, samples: int, length: int) -> Array:
    """(length, samples) weights of samples that fill [begin, end) for the pixels of a line."""
    centres = (np.arange(length) + 0.5 - begin) / max(end - begin, 1e-3) * samples - 0.5
    return np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(samples))).astype(np.float32)


def _grown(values: Array, size: tuple[int, ...]) -> Array:
    """A map in the picture's size."""
    return resize(values, (size[0], size[1]))


def _in_picture(box: Array, inner: tuple[int, ...], size: tuple[int, ...]) -> Box:
    """(x, y, width, height) around a box of the network's size, at least one pixel of the picture."""
    ends = [float(end) * outer / own for end, outer, own in zip(box, 2 * size[::-1], 2 * inner[::-1], strict=True)]
    left, top = (min(max(int(np.floor(low)), 0), side - 1) for low, side in zip(ends[:2], size[::-1], strict=True))
    right, bottom = (int(np.ceil(high)) for high in ends[2:])
    return left, top, min(max(right, left + 1), size[1]) - left, min(max(bottom, top + 1), size[0]) - top
