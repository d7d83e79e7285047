"""Many pictures: finds them, names each output, has them done here or on a cluster, and goes on when one fails."""

from .engine import ENGINES, Engine, remove, results
from .jobs import Job, Result, explain
from .manifest import Manifest
from .naming import STEP, belongs, ending_of, job_in, walk
from .recipe import Recipe, facts
from .running import Stamp, is_stale, run, stamp
from .sources import count, is_one, place_in, plan

__all__ = [
    "ENGINES",
    "STEP",
    "Engine",
    "Job",
    "Manifest",
    "Recipe",
    "Result",
    "Stamp",
    "belongs",
    "count",
    "ending_of",
    "explain",
    "facts",
    "is_one",
    "is_stale",
    "job_in",
    "place_in",
    "plan",
    "remove",
    "results",
    "run",
    "stamp",
    "walk",
]
