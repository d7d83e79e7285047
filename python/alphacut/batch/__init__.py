"""Many pictures: finds them, names each output, and goes on when one fails."""

from .jobs import Job, Result, explain
from .naming import STEP, belongs, ending_of, job_in, plan, walk
from .running import Stamp, is_stale, run, stamp

__all__ = [
    "STEP",
    "Job",
    "Result",
    "Stamp",
    "belongs",
    "ending_of",
    "explain",
    "is_stale",
    "job_in",
    "plan",
    "run",
    "stamp",
    "walk",
]
