"""Odd calls of every public function and method, and picture files with bytes changed: a result, or a documented error.

PYTHONPATH=python:tests python fuzz/odd.py [--calls N] [--pictures N] [--first N] [--seed N]

The legal calls and what is bad for each parameter are those of tests/test_contracts.py; here they are mixed, beside
arrays of any shape, dtype and layout. Each failure is printed with the number that repeats it (--first). A failure
are also inputs that changed, anything on standard error, a call longer than a minute (which ends the run), a crash.
"""

import argparse
import contextlib
import faulthandler
import inspect
import io
import os
import random
import resource
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

import alphacut
from alphacut.compat import rembg

# isort: split
from test_contracts import CASES, MASK, RGB, Case

CORPUS = Path(__file__).parent / "corpus" / "decode"
MOST = 1 << 20
ERRORS = (TypeError, ValueError, MemoryError, OSError, alphacut.DeviceUnavailableError)


class OwnError(Exception):
    """Of an argument, which is let through."""


class Odd:
    """Answers nothing but by its own error."""

    def __getattr__(self, name):
        raise OwnError(name) if name == "__array_interface__" else AttributeError(name)

    def _fails(self, *_, **__):
        raise OwnError

    __index__ = __float__ = __len__ = __iter__ = __bool__ = __str__ = __eq__ = __hash__ = __fspath__ = _fails


class Array(np.ndarray):
    """A subclass that says other things than it is."""

    @property
    def shape(self):
        return (10**6, 10**6)

    def copy(self, *_):
        return np.zeros(1)

    astype = __array_finalize__ = lambda self, *_: None


class Index:
    """Another number each time."""

    def __init__(self):
        self.value = 0

    def __index__(self):
        self.value = self.value * -3 + 1
        return self.value


PLAIN = [None, True, False, 0, 1, -1, 3, 255, 2**31, -(2**63), 10**30, 0.0, -0.0, 0.5, 1e-320, 1e300, float("nan"),
         float("inf"), 1j, "", "x", "red", "auto", "a\0b", "\ud800", "é" * 99, b"", b"\0" * 9, bytearray(9), [], (), {},
         set(), range(3), [1, 2, 3, 4], (1, 2), [[1, 2], [3]], [[]], [[1, 2, 0]], {"x": 1}, object(), len, ...,
         np.float32(0.5), np.int8(-1), np.bool_(True), np.str_("x"), np.datetime64("nat"), np.array(3), np.array("x"),
         memoryview(b"abc"), np.ma.masked, Path("no such file"), io.BytesIO(b"abc")]  # fmt: skip
DTYPES = [np.uint8] * 6 + [np.uint16, np.float32, np.float64, np.int32, np.int64, bool, np.int8, np.float16,
          np.longdouble, np.complex64, object, "S3", "U2", ">u2", ">f4", "M8[s]", [("r", "u1")]]  # fmt: skip
SIDES = [0, 1, 2, 3, 7, 7, 7, 9, 9, 9, 17, 33, 64, 130]


def odd_array(rng):
    """Of any shape, dtype, values and layout."""
    shape = [rng.choice(SIDES) for _ in range(rng.choice([1, 2, 2, 2, 3, 3, 3, 4]))]
    if len(shape) == 3:
        shape[2] = rng.choice([1, 2, 3, 3, 3, 4, 4, 5])
    if len(shape) == 4:
        shape[0] = min(shape[0], 4)
    if rng.random() < 0.5:
        shape[: min(2, len(shape))] = (7, 9)[: min(2, len(shape))]
    dtype = np.dtype(rng.choice(DTYPES))
    numbers = np.random.default_rng(rng.getrandbits(32))
    raw = numbers.integers(0, 256, shape, np.uint8)
    kind = rng.randrange(5)
    if dtype.kind in "fc":
        raw = (raw / 255) if kind else np.frombuffer(numbers.bytes(8 * raw.size), np.float64).reshape(shape)
    elif kind == 1:
        raw = raw % 4
    elif kind == 2:
        raw = raw // 128 * 255
    elif kind == 3:
        raw = np.full(shape, rng.choice([0, 1, 255]), np.uint8)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = np.zeros(shape, dtype) if dtype.kind in "MV" else raw.astype(dtype)
    match rng.randrange(6):
        case 0:
            return array[::-1]
        case 1:
            return array.swapaxes(0, -1)
        case 2:
            return array.view(rng.choice([Array, np.recarray, np.ma.MaskedArray]))
        case 3 if array.size and dtype.kind != "O":
            return laid_out(rng, array)
    return array


def laid_out(rng, array):
    """The same values in other memory."""
    match rng.randrange(6):
        case 0:
            return np.asfortranarray(array)
        case 1:
            return np.repeat(array, 2, axis=-1)[..., ::2]
        case 2:
            array = array[::-1].copy()[::-1]
            array.flags.writeable = False
            return array
        case 3:  # at an address that is no multiple of anything
            return np.frombuffer(b"x" + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)
        case 4:
            return array.view(Array)
        case _:
            return np.broadcast_to(array[:1], array.shape)


def near(rng, value):
    """Something that may be as legal as this."""
    if isinstance(value, np.ndarray) and type(value) is np.ndarray and value.dtype.kind in "uif" and value.ndim > 1:
        return laid_out(rng, value)
    if isinstance(value, bool) or value is None:
        return rng.choice([True, False, None])
    if isinstance(value, (int, float)):
        return rng.choice([value + 1, value - 1, -value, 2 * value, value / 2, 0, 1, value + 1000])
    if isinstance(value, tuple):
        return tuple(near(rng, each) for each in value)
    return value


def unused(names):
    """Parameters that the legal call leaves out."""
    return {name: () for name in names}


def sessions():
    """What only methods show, as legal calls."""
    remover, tracker, session = alphacut.Remover(), alphacut.Tracker(), alphacut.Remover().open(RGB)
    cutout = alphacut.remove_background(RGB, mask=MASK)
    prompts = unused(("box", "points", "labels", "mask", "trimap", "key", "model", "instance"))
    yield Case(alphacut.Remover, {}, unused(inspect.signature(alphacut.Remover).parameters))
    yield Case(remover.__call__, {"image": RGB}, {**prompts, "resume": ()})
    yield Case(remover.open, {"image": RGB}, {})
    yield Case(remover.warmup, {"shape": (7, 9)}, {})
    yield Case(session.cut, {"box": (1, 1, 5, 4)}, {**prompts, "resume": ()})
    yield Case(session.cut, {"labels": MASK // 255 + 2, "resume": True}, prompts)
    yield Case(alphacut.Tracker, {}, unused(["refine", "edge", "seed", "foreground", "method", "device"]))
    yield Case(tracker.__call__, {"frame": RGB, "box": (1, 1, 5, 4)}, prompts)
    yield Case(tracker.__call__, {"frame": RGB}, prompts)
    yield Case(tracker.load, {"state": tracker.save()}, {})
    yield Case(cutout.on, {"background": "red"}, {"linear": ()})
    yield Case(cutout.crop, {"margin": 1}, {})
    yield Case(cutout.pixels, {"what": "rgba"}, {"background": ()})
    yield Case(cutout.save, {"destination": io.BytesIO(), "format": "png"},
               unused(["what", "background", "quality", "png_level", "exif"]))  # fmt: skip
    yield Case(alphacut.KeyColor, {"color": (0, 1, 0)}, {"across": (), "down": (), "uniformity": ()})
    yield Case(alphacut.Model, {"source": b"no network"},
               unused(["size", "mean", "std", "channels", "output", "min_score"]))  # fmt: skip
    yield Case(rembg.remove, {"data": RGB}, unused(inspect.signature(rembg.remove).parameters))


def odd_call(rng, cases, pool):
    """A function and its arguments, one to three of them odd."""
    case = rng.choice(cases)
    arguments = dict(case.legal)
    names = [*{**case.legal, **case.bad}]
    if "out" in inspect.signature(case.function).parameters:
        names.append("out")
    for _ in range(rng.choice([1, 1, 2, 3])):
        name = rng.choice(names)
        own = case.bad.get(name)
        kind = rng.randrange(12)
        if own and kind < 2:
            arguments[name] = rng.choice(own)[0]
        elif kind < 7 and name in case.legal:
            arguments[name] = near(rng, case.legal[name])
        elif kind < 9:
            arguments[name] = odd_array(rng)
        elif kind == 9:
            arguments[name] = rng.choice([Odd, Index, lambda: iter([1, 2, 3])])()
        elif kind == 10:
            arguments[name] = rng.choice(PLAIN)
        else:
            arguments[name] = rng.choice(pool)
    return case.function, arguments


def untouched(arguments):
    """The bytes of the inputs; `out` and what has none are left out."""
    return {
        name: np.ndarray.tobytes(value)
        for name, value in arguments.items()
        if name != "out" and isinstance(value, np.ndarray) and value.dtype.kind != "O"
    }


def calls(numbers, seed):
    pool = [bad for case in CASES for values in case.bad.values() for bad, _ in values]
    pool += [value for case in CASES for value in case.legal.values()]
    refused = failed = 0
    for number in numbers:
        rng = random.Random(f"{seed} {number}")
        function, arguments = odd_call(rng, [*CASES, *sessions()], pool)  # new ones, so that each call stands alone
        before = untouched(arguments)
        faulthandler.dump_traceback_later(60, exit=True)
        try:
            function(**arguments)
        except (*ERRORS, OwnError):
            refused += 1
        except KeyboardInterrupt:
            raise
        except BaseException:
            failed += 1
            print(
                f"call {number}: {function.__qualname__}, {shown(arguments)}\n{traceback.format_exc(limit=-3)}",
                flush=True,
            )
        finally:
            faulthandler.cancel_dump_traceback_later()
        if alphacut.get_num_threads() != THREADS:
            alphacut.set_num_threads(THREADS)
        if untouched(arguments) != before:
            failed += 1
            print(f"call {number}: {function.__qualname__} wrote into an input, {shown(arguments)}", flush=True)
        if number % 5000 == 4999:
            print(f"{number + 1} calls, {refused} refused, {failed} failed", flush=True)
    return failed


def shown(arguments):
    def one(value):
        if isinstance(value, np.ndarray):
            plain = np.ndarray.view(value, np.ndarray)
            return f"{type(value).__name__} {plain.shape} {plain.strides} {plain.dtype}"
        return type(value).__name__ if isinstance(value, Odd) else repr(value)[:80]

    return {name: one(value) for name, value in arguments.items()}


def seeds():
    """Files of every kind that is read: the corpus, and what it lacks."""
    files = [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 30, 3), np.uint8)).resize((60, 80))
    exif = Image.Exif()
    exif[0x112], exif[0x10E] = 6, "described"
    for format, options in (
        ("JPEG", {"exif": exif, "quality": 80, "dpi": (72, 72)}),
        ("TIFF", {"compression": "tiff_deflate", "exif": exif}),
        ("TIFF", {"compression": "jpeg"}),
        ("TIFF", {"save_all": True, "append_images": [picture]}),
        ("PNG", {"exif": exif, "dpi": (300, 300)}),
        ("GIF", {"save_all": True, "append_images": [picture.rotate(90)]}),
        ("WEBP", {"save_all": True, "append_images": [picture], "exif": exif}),
        ("BMP", {}),
        ("MPO", {"save_all": True, "append_images": [picture]}),
    ):
        file = io.BytesIO()
        picture.save(file, format, **options)
        files.append(file.getvalue())
    return files


NUMBERS = [0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1]


def mutated(rng, files):
    data = bytearray(rng.choice(files))
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        at = rng.randrange(len(data) + 1) if rng.random() < 0.5 else rng.randrange(min(len(data), 200) + 1)
        size = rng.choice([1, 2, 4, 16, 300])
        match rng.randrange(8):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                del data[at : at + size]
            case 3:
                data[at:at] = rng.randbytes(size)
            case 4:
                data[at:at] = data[at : at + size]
            case 5:
                width = rng.choice([2, 4])
                number = rng.choice(NUMBERS) % 256**width
                data[at : at + width] = number.to_bytes(width, rng.choice(["little", "big"]))
            case 6:
                other = rng.choice(files)
                begin = rng.randrange(len(other))
                data[at : at + size] = other[begin : begin + size]
            case 7 if rng.random() < 0.3:
                del data[at:]
    return bytes(data)


def pictures(numbers, seed):
    files = seeds()
    read = failed = 0
    for number in numbers:
        rng = random.Random(f"{seed} picture {number}")
        data = mutated(rng, files)
        faulthandler.dump_traceback_later(60, exit=True)
        said = os.fstat(2).st_size
        try:
            try:
                picture = alphacut.read_image(data, max_pixels=MOST)
                read += 1
                if picture.pixels.size < 50_000 and rng.random() < 0.3:
                    alphacut.remove_background(data).save(
                        io.BytesIO(), format=rng.choice(["png", "webp", "tiff"]), exif=True
                    )
            except alphacut.DecodeError:
                pass
            for function in (alphacut.read_mask, alphacut.read_labels):
                with contextlib.suppress(ValueError):
                    function(data, max_pixels=MOST)
            if data[:2] in (b"II", b"MM"):  # libtiff says there what is wrong with a file
                os.ftruncate(2, said)
                os.lseek(2, said, os.SEEK_SET)
            assert os.fstat(2).st_size == said, "something was written to standard error"
        except KeyboardInterrupt:
            raise
        except BaseException:
            failed += 1
            print(f"picture {number}, {data[:12]!r}:\n{traceback.format_exc(limit=-4)}", flush=True)
        finally:
            faulthandler.cancel_dump_traceback_later()
        if number % 2000 == 1999:
            print(f"{number + 1} pictures, {read} read, {failed} failed", flush=True)
    return failed


THREADS = 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--pictures", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first call or picture")
    arguments = parser.parse_args()
    first = arguments.first
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.RLIM_INFINITY))
    warnings.simplefilter("error")
    alphacut.set_num_threads(THREADS)
    where = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as told:
        standard_error = os.dup(2)
        faulthandler.enable(file=standard_error)
        os.chdir(folder)
        os.dup2(told.fileno(), 2)
        try:
            failed = calls(range(first, first + arguments.calls), arguments.seed)
            failed += pictures(range(first, first + arguments.pictures), arguments.seed)
        finally:
            os.dup2(standard_error, 2)
            os.chdir(where)
        told.seek(0)
        if lines := told.read():
            failed += 1
            print(f"On standard error: {lines[:2000].decode(errors='replace')}")
    print(f"{arguments.calls} calls, {arguments.pictures} pictures: {failed} failures")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
