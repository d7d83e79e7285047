"""What can happen to a job; what happens to a worker is here for processes that import it by name."""

import os
import signal
import struct
import zlib


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

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b""))
