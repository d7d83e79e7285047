"""Picture files, bytes and Pillow pictures as arrays, and arrays as picture files.

Pillow is imported when the first picture is read or written. Its global settings are neither used nor changed.
"""

from .formats import READ_SUFFIXES, WRITE_SUFFIXES
from .labels import read_labels, read_mask
from .picture import DecodeError, Picture, TooManyPixelsError, require_unit, require_unit_planes
from .profile import in_profile
from .read import MAX_PIXELS, as_picture, read_image
from .write import write_image

__all__ = [
    "MAX_PIXELS",
    "READ_SUFFIXES",
    "WRITE_SUFFIXES",
    "DecodeError",
    "Picture",
    "TooManyPixelsError",
    "as_picture",
    "in_profile",
    "read_image",
    "read_labels",
    "read_mask",
    "require_unit",
    "require_unit_planes",
    "write_image",
]
