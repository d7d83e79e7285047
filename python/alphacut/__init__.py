"""alphacut: finds the subject of a picture, cuts it out, refines the edge and composes the result.

Every stage is a module and can be called alone; :func:`remove_background` runs them all.
"""

__version__ = "0.1.0"

from ._device import DeviceUnavailableError, info
from .kmeans import KMeans, kmeans
from .threads import get_num_threads, set_num_threads
from .threshold import threshold

__all__ = [
    "DeviceUnavailableError",
    "KMeans",
    "get_num_threads",
    "info",
    "kmeans",
    "set_num_threads",
    "threshold",
]
