"""alphacut: finds the subject of a picture, cuts it out, refines the edge and composes the result.

Every stage is a module and can be called alone; :func:`remove_background` runs them all.
"""

__version__ = "0.1.0"

from .chromakey import KeyColor, chroma_key, despill, find_key
from .preprocess import denoise, resize, white_balance
from .subject import detect_subject
from .threads import get_num_threads, set_num_threads
from .threshold import threshold

__all__ = [
    "KeyColor",
    "chroma_key",
    "denoise",
    "despill",
    "detect_subject",
    "find_key",
    "get_num_threads",
    "resize",
    "set_num_threads",
    "threshold",
    "white_balance",
]
