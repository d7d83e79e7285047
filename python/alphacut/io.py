"""The earlier name of :mod:`alphacut.files`, for code that imports from it."""

from .files import *  # noqa: F403
from .files import __all__ as __all__
