"""The server under load: ``python -m benchmarks.server [--requests N] [--attack] [OPTION OF THE SERVER...]``.

Starts it on a free port of loopback, and sends one photo over and over from 1, 8 and 64 clients, which each wait for
their answer before they ask again. Tells requests a second, median and 99th percentile, and the server's memory before
and after; then what one client more than there are places gets. With ``--attack`` instead 8 clients, in peace and while
:mod:`benchmarks.attack` is at work: the share of their requests that is answered, and how long it takes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from alphacut.files import write_image

from .pictures import photo

BOUNDARY = b"benchmark"


def request(megapixels, **fields):
    """The bytes of one POST /api/remove."""
    file = io.BytesIO()
    write_image(file, photo(megapixels), format="jpeg", quality=90)
    parts = [(b'name="file"; filename="photo.jpg"', file.getvalue())]
    parts += [(f'name="{name}"'.encode(), value.encode()) for name, value in fields.items()]
    body = b"".join(
        b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (BOUNDARY, name, value) for name, value in parts
    )
    body += b"--%b--\r\n" % BOUNDARY
    head = (
        b"POST /api/remove HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=%b\r\n" % BOUNDARY
    )
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def ask(reader, writer, data):
    """Status, headers and body of the answer."""
    writer.write(data)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    headers = dict(re.findall(r"^([\w-]+): (.*)\r$", head.lower(), re.MULTILINE))
    return int(head.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def load(port, data, clients, requests):
    """Seconds of each request, their statuses, and the seconds of all."""
    seconds, statuses, left = [], Counter(), iter(range(requests))

    async def client():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            start = time.perf_counter()
            try:
                status, _, _ = await ask(reader, writer, data)
            except (OSError, EOFError):
                status = 0  # no answer
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            seconds.append(time.perf_counter() - start)
            statuses[status] += 1
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return seconds, statuses, time.perf_counter() - start


async def one_too_many(port, data, places):
    """The answer to one client more, while others hold all places with requests that lack their last byte."""
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(places)]
    for _, writer in held:
        writer.write(data[:-1])
        await writer.drain()
    await asyncio.sleep(0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = time.perf_counter()
    answer = await ask(reader, writer, data)
    seconds = time.perf_counter() - start
    others = Counter([(await ask(*connection, data[-1:]))[0] for connection in held])
    for _, other in [*held, (reader, writer)]:
        other.close()
    return answer, seconds, others


def memory(pid):
    """Megabytes of the server and its processes that are in memory."""
    family, found = [pid], 0.0
    while family:
        pid = family.pop()
        with contextlib.suppress(OSError):
            found += int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1e3
            family += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return found


def seconds_worked(pid):
    """Processor time of the server and its processes."""
    family, found = [pid], 0.0
    while family:
        pid = family.pop()
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found += sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
            family += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return found


def under_attack(port, pid, data, requests):
    """8 clients, in peace and not."""
    print("             requests/s  processor ms  answered  p50 ms  p99 ms  statuses  memory MB")
    for when in ("in peace", "under attack", "in peace", "under attack"):
        attackers = None
        if when == "under attack":
            attackers = subprocess.Popen([sys.executable, "-m", "benchmarks.attack", str(port)])
            time.sleep(5)
        try:
            before = seconds_worked(pid)
            seconds, statuses, whole = asyncio.run(load(port, data, 8, requests))
            worked = (seconds_worked(pid) - before) / requests
            p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
            print(
                f"{when:12} {requests / whole:10.1f} {worked * 1e3:12.1f} {statuses[200] / requests:10.1%}"
                f" {p50 * 1e3:8.1f}{p99 * 1e3:8.1f}  {dict(statuses)}  {memory(pid):.0f}"
            )
        finally:
            if attackers is not None:
                attackers.terminate()
                attackers.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000, help="in all, at 64 clients; a tenth at 1 and 8")
    parser.add_argument("--size", type=float, default=0.12, help="megapixels of the photo")
    parser.add_argument("--refine", default="auto")
    parser.add_argument("--places", type=int, default=64)
    parser.add_argument("--attack", action="store_true", help="in peace, and not")
    arguments, more = parser.parse_known_args()
    command = [sys.executable, "-m", "alphacut", "serve", "--port", "0", "--places", str(arguments.places), *more]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        port = next(int(found[1]) for line in server.stderr if (found := re.search(r"http://127.0.0.1:(\d+)", line)))
        data = request(arguments.size, refine=arguments.refine)
        print(f"{arguments.size} megapixels, {len(data) / 1e3:.0f} kB, refine={arguments.refine}")
        if arguments.attack:
            asyncio.run(load(port, data, 1, 10))
            under_attack(port, server.pid, data, arguments.requests)
            return
        print("clients  requests  requests/s  p50 ms  p99 ms  statuses  memory MB before, after")
        asyncio.run(load(port, data, 1, 10))
        for clients in (1, 8, 64):
            count = arguments.requests if clients == 64 else arguments.requests // 10
            before = memory(server.pid)
            seconds, statuses, whole = asyncio.run(load(port, data, clients, count))
            p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
            print(
                f"{clients:7}  {count:8}  {count / whole:10.1f}  {p50 * 1e3:6.1f}  {p99 * 1e3:6.1f}  {dict(statuses)}"
                f"  {before:.0f}, {memory(server.pid):.0f}"
            )
        (status, headers, body), seconds, others = asyncio.run(one_too_many(port, data, arguments.places))
        wait = headers.get("retry-after")
        print(f"client {arguments.places + 1}, after {seconds * 1e3:.1f} ms: {status}, Retry-After: {wait}")
        print(f"{body.decode()}; the others: {dict(others)}")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
