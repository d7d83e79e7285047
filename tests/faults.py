"""What can happen to a job; what happens to a worker is here for processes that import it by name."""

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


def bomb(path, side=60_000):
    """A PNG of few bytes that says it has very many pixels."""
    from test_files import png

    path.write_bytes(png(side, side, 8, 2, bytes(1000)))
