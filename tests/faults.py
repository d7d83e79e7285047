"""What can happen to a worker, for processes that import it by name."""

import os
import signal


def kill_always(cutout, job, remover):
    """A decoder's crash: the process is no more, for pictures whose name says so."""
    if "killer" in job.source:
        os.kill(os.getpid(), signal.SIGKILL)


def kill_once(cutout, job, remover):
    """The same the first time alone."""
    mark = os.path.join(os.path.dirname(job.source), f".{os.path.basename(job.source)}.mark")
    if "killer" in job.source and not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
