"""``python cutout.py LIBRARY IN OUT``: the C API from another language, here Python's ctypes and a shared library.

(Python has the package alphacut itself; this shows what a binding for any language needs.)
"""

import ctypes
import sys

from PIL import Image


class CImage(ctypes.Structure):
    """``alphacut_image``."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("height", ctypes.c_int64),
        ("width", ctypes.c_int64),
        ("channels", ctypes.c_int64),
        ("stride", ctypes.c_int64),
        ("depth", ctypes.c_int),
    ]


class Alphacut:
    """The functions that are used here, each with a check of its status."""

    def __init__(self, library: str) -> None:
        self.c = ctypes.CDLL(library)
        self.c.alphacut_last_error.restype = ctypes.c_char_p
        self.c.alphacut_cutout_method.restype = ctypes.c_char_p
        self.c.alphacut_cutout_method.argtypes = self.c.alphacut_cutout_free.argtypes = [ctypes.c_void_p]
        self.c.alphacut_cutout_rgba.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]

    def check(self, status: int) -> None:
        """A status that is not 0 as an exception."""
        if status != 0:
            raise RuntimeError(self.c.alphacut_last_error().decode())

    def remove_background(self, rgb: bytes, width: int, height: int) -> bytes:
        """RGBA of an RGB picture."""
        pixels = ctypes.create_string_buffer(rgb, len(rgb))
        image = CImage(ctypes.addressof(pixels), height, width, 3, 0, 0)
        cutout = ctypes.c_void_p()
        self.check(self.c.alphacut_remove_background(ctypes.byref(image), None, None, ctypes.byref(cutout)))
        try:
            rgba = ctypes.create_string_buffer(4 * width * height)
            self.check(self.c.alphacut_cutout_rgba(cutout, ctypes.byref(image), rgba, 0))
            print("found by", self.c.alphacut_cutout_method(cutout).decode())
            return rgba.raw
        finally:
            self.c.alphacut_cutout_free(cutout)


if __name__ == "__main__":
    library, source, target = sys.argv[1:]
    with Image.open(source) as picture:
        rgb = picture.convert("RGB")
    Image.frombytes("RGBA", rgb.size, Alphacut(library).remove_background(rgb.tobytes(), *rgb.size)).save(target)
