"""Every prompt and option once: its name, default, check, words and help. All faces are made from these tables.

A row serves the signatures of Python (a test holds them to it), the command line (``cli/options.py``) and the fields of
requests (``server/fields.py``), with their help, their errors and the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import numpy as np

from . import _device, _text
from ._arrays import Array, choice, flag, integer, real
from ._frame import aspect_of
from ._prompt import Prompt
from .chromakey import chroma_key
from .cutout import margin_side
from .files.labels import prompt_array
from .matting import adjust_edge
from .model import as_model
from .shadow import Shadow, from_text

Method = Literal["auto", "graphcut", "kmeans", "threshold", "key"]
Subject = Literal["auto", "learned", "barrier"]
Refinement = Literal["auto", "guided", "sampled", "closed_form"]
Preparation = Literal["denoise", "white_balance"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """A row of the tables.

    Attributes
    ----------
    name : str
        As a keyword of Python, and as a field; with hyphens on the command line.
    help : str
        For people, in every face.
    default
        None if there is none.
    check : callable
        From a value and its name to the value as it is kept, or TypeError, ValueError or DeviceUnavailableError.
    read : callable, optional
        From a text to a value, or ValueError; None for what is a file.
    load : callable, optional
        From a file to an array: ``load(source, name, in_box=..., max_pixels=...)``.
    words : tuple of str
        The only values, if there are few.
    example : str
        A text.
    metavar : str
        How a command line shows the text.
    flags, fields : tuple of str
        Other names of the command line (the first in place of its own) and of fields.
    several : bool
        A list. On the command line the option may be given again.
    faces : tuple of str
        Where it is shown, beside Python.
    methods : tuple of str
        Of a prompt: the methods that can use it.
    core : bool
        Of an option: whether the core knows it.
    """

    name: str
    help: str
    default: Any = None
    check: Callable[[Any, str], Any] = lambda value, name: value
    read: Callable[[str], Any] | None = None
    load: Callable[..., Array] | None = None
    words: tuple[str, ...] = ()
    example: str = ""
    metavar: str = ""
    flags: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    several: bool = False
    faces: tuple[str, ...] = ("cli", "server")
    methods: tuple[str, ...] = get_args(Method)
    core: bool = True

    def from_text(self, text: str) -> Any:
        """The value that a text says, checked."""
        assert self.read is not None
        read = _text.several(self.read) if self.several else self.read
        return self.check(read(text), self.name)


PROMPTS = (
    Option(
        name="box",
        help="The subject lies in this box: x,y,width,height in pixels, or percent of the picture.",
        read=_text.box,
        example="120,80,400,520",
        metavar="X,Y,W,H",
        methods=("auto", "graphcut", "kmeans", "threshold"),
    ),
    Option(
        name="points",
        help="A pixel of the subject, x,y, or with x,y,0 of what is not. Joins box and labels.",
        read=_text.point,
        example="310,200 40,420,0",
        metavar="X,Y[,0]",
        flags=("--point",),
        several=True,
        methods=("auto", "graphcut"),
    ),
    Option(
        name="labels",
        help="Strokes painted into a picture of the photo's size: green (#00ff00) to keep, red (#ff0000) to remove; or "
        "gray values 0 to 3. Alone, or with box, points or model.",
        load=prompt_array,
        flags=("--labels", "--scribbles"),
        methods=("auto", "graphcut"),
    ),
    Option(
        name="mask",
        help="The subject, bright on dark, in the photo's size: only its edge is refined.",
        load=prompt_array,
        methods=("auto",),
    ),
    Option(
        name="trimap",
        help="Black is background, white subject, gray is to be found out; in the photo's size.",
        load=prompt_array,
        methods=("auto",),
    ),
    Option(
        name="model",
        help="This ONNX network says where the subject is; needs alphacut[onnx].",
        methods=("auto", "graphcut"),
    ),
    Option(
        name="instance",
        help="Of a model that finds several objects only this one, from 0.",
        read=_text.integer,
        check=lambda value, name: integer(value, name, 0),
        example="0",
        metavar="N",
    ),
    Option(
        name="key",
        help="The background's colour, such as green, #00b140 or 0,177,64.",
        read=_text.colour,
        example="00b140",
        metavar="COLOUR",
        methods=("auto", "key"),
    ),
)


def _option(default: Any = None, **row: Any) -> Any:
    """A field of :class:`Options`, with what its row says."""
    return field(default=default, metadata={"row": row})


def _word(default: str | None, kind: Any, *, or_none: bool = False, **row: Any) -> Any:
    """One of the words of a Literal; `or_none` adds None, which is "none" as a text."""
    words = get_args(kind)
    texts = (*words, "none") if or_none else words

    def check(value: Any, name: str) -> Any:
        return None if value is None and or_none else choice(value, name, words)

    def read(text: str) -> str | None:
        word = _text.one_of(*texts)(text)
        return None if word == "none" else word

    return _option(default, check=check, read=read, words=texts, example=texts[0], **row)


def _flag(default: bool, **row: Any) -> Any:
    return _option(default, check=flag, read=_text.flag, example=str(not default).lower(), **row)


def _of_key(value: Any, name: str) -> float | None:
    """A number in the range of :func:`chroma_key`."""
    if value is None:
        return None
    number: dict[str, Any] = {name: real(value, name)}
    chroma_key(np.zeros((1, 1), np.uint8), "black", **number)
    return number[name]


def _edge(value: Any, name: str) -> tuple[float, float]:
    """Shift and feather in their ranges."""
    if value is None:
        return 0.0, 0.0
    if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, str):
        raise TypeError(f"{name} must be (shift, feather) in pixels, got {type(value).__name__}")
    if len(value) != 2:
        raise ValueError(f"{name} must be (shift, feather) in pixels, got {len(value)} values")
    shift, feather = (real(each, f"{part} of {name}") for part, each in zip(("shift", "feather"), value, strict=True))
    adjust_edge(np.zeros((1, 1), np.uint8), shift=shift, feather=feather)
    return shift, feather


def _preparations(value: Any, name: str) -> tuple[str, ...]:
    names = () if value is None else (value,) if isinstance(value, str) else value
    if not isinstance(names, Sequence):
        raise TypeError(f"{name} must be a str or a sequence of str, got {type(names).__name__}")
    return tuple(choice(each, name, get_args(Preparation)) for each in names)


def _device_word(value: Any, name: str) -> Any:
    _device.resolve(value, stage="kmeans", pixels=0)
    return value


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of :func:`remove_background`, checked, and the prompts that a remover keeps.

    Raises TypeError or ValueError as that does, and DeviceUnavailableError.
    """

    prompt: Prompt
    method: str = _word("auto", Method, help="How the mask is found.")
    similarity: float | None = _option(
        check=_of_key,
        read=_text.real,
        help="Up to this distance from the key all is background, by default 0.03.",
        example="0.03",
        metavar="DISTANCE",
    )
    blend: float | None = _option(
        check=_of_key,
        read=_text.real,
        help="Over this further distance the background fades, by default as the key needs it.",
        example="0.1",
        metavar="DISTANCE",
    )
    despill: bool = _flag(False, help="Take the background's tint off the subject, where the background is keyed.")
    subject: str = _word(
        "auto",
        Subject,
        help="What finds the subject where no prompt does: a small network, or distances from the border.",
        core=False,
    )
    refine: str | None = _word(
        "auto",
        Refinement,
        or_none=True,
        help="How the edge is refined, from fast to exact; none keeps it hard.",
    )
    edge: Sequence[float] | None = _option(
        check=_edge,
        read=_text.edge,
        help="Move the edge by so many pixels, outwards or with - inwards, and soften it.",
        example="-1,0.5",
        metavar="SHIFT[,FEATHER]",
    )
    clean: bool = _flag(True, help="Drop specks and fill small holes of the mask that was found.")
    foreground: bool = _flag(True, help="Give soft edges the subject's own colours, without the background's.")
    preprocess: str | Sequence[str] | None = _option(
        check=_preparations,
        read=_text.one_of(*get_args(Preparation)),
        words=get_args(Preparation),
        several=True,
        help="Done first to the copy in which the subject is looked for.",
        example="denoise white_balance",
    )
    device: str = _option(
        "auto",
        check=_device_word,
        read=str,
        help="Where to compute.",
        metavar="auto|cpu|cuda|cuda:N",
        faces=("cli",),
        core=False,
    )
    seed: int = _option(
        0,
        check=lambda value, name: integer(value, name, 0),
        read=_text.integer,
        help="Of random choices.",
        example="0",
        metavar="N",
    )
    steps: bool = _flag(False, help="Keep what each step gave.", faces=(), core=False)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """From all arguments of :func:`remove_background` but the picture, by name."""
        prompts = {row.name: given[row.name] for row in PROMPTS}
        prompts["model"] = as_model(prompts["model"])
        return cls(prompt=Prompt(**prompts), **{row.name: given[row.name] for row in OPTIONS})

    def __post_init__(self) -> None:
        choice(self.method, "method", get_args(Method))  # before what depends on it
        self.require_usable(self.prompt)
        for row in OPTIONS:
            object.__setattr__(self, row.name, row.check(getattr(self, row.name), row.name))
        self._require_keying()
        if self.prompt.model is not None and self.subject != "auto":
            raise ValueError(f"subject={self.subject!r} and model contradict: each says where the subject is")

    def require_usable(self, prompt: Prompt) -> None:
        """The method can use the prompts."""
        for row in PROMPTS:
            if getattr(prompt, row.name) is not None and self.method not in row.methods:
                raise ValueError(f"method={self.method!r} cannot use {row.name}: it goes with {', '.join(row.methods)}")

    def _require_keying(self) -> None:
        """Nothing rules out that a background is keyed, if there are options for it."""
        given = [name for name in ("similarity", "blend") if getattr(self, name) is not None]
        given += ["despill"] * self.despill
        others = [row.name for row in PROMPTS if row.name != "key" and getattr(self.prompt, row.name) is not None]
        if given and (others or self.method not in ("auto", "key")):
            ruled_out = " and ".join(others) if others else f"method={self.method!r}"
            raise ValueError(f"{' and '.join(given)}: for a background that is keyed out, which {ruled_out} rules out")

    def of_core(self, network: object) -> dict[str, Any]:
        """As the core takes them."""
        return {"network": network, **{row.name: getattr(self, row.name) for row in OPTIONS if row.core}}


OPTIONS = tuple(
    Option(name=each.name, default=each.default, **each.metadata["row"]) for each in fields(Options) if each.metadata
)

# What a cutout can be put on, beside a colour or a picture.
BACKGROUNDS = ("blur", "checkerboard")

# What is done with a cutout: keywords of Cutout.crop and Cutout.save.
OUTPUTS = (
    Option(
        name="shadow",
        help="That the subject casts: drop (behind it) or contact (on the ground), and what is not as by default: "
        "drop:offset=10,2%:softness=3%:opacity=0.4:color=black. Percent are of the subject's longer side.",
        read=from_text,
        check=Shadow.of,
        example="drop:opacity=0.3",
        metavar="KIND[:...]",
    ),
    Option(
        name="crop",
        help="Cut off what is empty around the subject.",
        default=False,
        read=_text.flag,
        example="true",
    ),
    Option(
        name="margin",
        help="Pixels, or percent of its size, kept around it, where it is cropped.",
        read=_text.margin,
        check=margin_side,
        example="20",
        metavar="N|N%",
        flags=("--margin", "--crop-margin"),
        fields=("crop_margin",),
    ),
    Option(
        name="aspect",
        help="Width to height of what is cropped, such as 1:1, 4:5 or, for a passport, 35:45.",
        read=_text.aspect,
        check=aspect_of,
        example="4:5",
        metavar="W:H",
    ),
    Option(
        name="quality",
        help="Of a JPEG (by default 95) or WebP (by default lossless).",
        read=_text.integer,
        example="90",
        metavar="1..100",
    ),
    Option(
        name="png_level",
        help="How hard to compress a PNG; by default about as small as 4, but faster.",
        read=_text.integer,
        example="4",
        metavar="0..9",
    ),
    Option(
        name="exif",
        help="Keep camera, times, place and author of the photo's EXIF data.",
        default=False,
        read=_text.flag,
        example="true",
    ),
)
