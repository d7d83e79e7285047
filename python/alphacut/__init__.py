"""alphacut: finds the subject of a picture, cuts it out, refines the edge and composes the result.

Every stage is a module and can be called alone; :func:`remove_background` runs them all.
"""

__version__ = "0.1.0"

from .foreground import estimate_foreground
from .matting import guided_filter, make_trimap, refine_alpha
from .threads import get_num_threads, set_num_threads
from .threshold import threshold

__all__ = [
    "estimate_foreground",
    "get_num_threads",
    "guided_filter",
    "make_trimap",
    "refine_alpha",
    "set_num_threads",
    "threshold",
]
