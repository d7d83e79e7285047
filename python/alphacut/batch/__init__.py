"""Many pictures: finds them, names each output, has them done here or on a cluster, and goes on when one fails."""

from .engine import remove, results
from .jobs import Job, Result
from .manifest import Manifest
from .naming import ending_of
from .recipe import Recipe
from .sources import plan

__all__ = ["Job", "Manifest", "Recipe", "Result", "ending_of", "plan", "remove", "results"]
