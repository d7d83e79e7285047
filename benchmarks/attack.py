"""What strangers do to a server: ``python -m benchmarks.attack PORT``, until it is ended.

Only for a server of your own: headers that never end, on more connections than it has; bodies that drip, in more
requests than it has places; answers that are not read; texts of megabytes; names that are not the server's; JPEGs of
more scans than are let through. All from 127.0.0.2, and each begins again as soon as the server is done with it.
"""

import asyncio
import contextlib
import io
import resource
import sys

import numpy as np
from PIL import Image

SOURCE = "127.0.0.2", 0
SECONDS = 60  # at most for one connection: where nothing is read, its end is not seen
POST = b"POST /api/remove HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
PART = b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'


def form(*parts):
    body = b"".join(PART % part for part in parts) + b"--x--\r\n"
    return POST + b"Content-Length: %d\r\n\r\n" % len(body) + body


def jpeg(width, height, **options):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((width, height), 0).save(file, "JPEG", **options)
    return file.getvalue()


async def forever(port, data, drip=b"", read=True, pause=0.0):
    """Send this, then a drop now and then, and begin again when the server has had enough."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=SOURCE)
            try:
                writer.write(data)
                await writer.drain()
                for _ in range(SECONDS if drip or not read else 0):
                    await asyncio.sleep(1)
                    writer.write(drip)
                    await writer.drain()
                    if reader.at_eof() or (read and reader._buffer):
                        break
                await reader.read(1)
            finally:
                writer.close()
        await asyncio.sleep(pause or 0.1)


async def attack(port):
    name, file = b"file", b'; filename="a"'
    file_of_scans = jpeg(1600, 1200, quality=30, progressive=True)
    photo = form((name, file, jpeg(1600, 1200)), (b"refine", b"", b"none"))
    scan = file_of_scans[file_of_scans.rindex(b"\xff\xda") : -2]
    bomb = form((name, file, file_of_scans[:-2] + scan[:200] * 5000 + b"\xff\xd9"))
    texts = form((name, file, jpeg(64, 64)), *((b"box", b"", bytes(5_000_000)) for _ in range(3)))
    tasks = [forever(port, b"GET / HTTP/1.1\r\nX: ", b"x") for _ in range(1070)]
    tasks += [forever(port, POST + b"Content-Length: 100000\r\n\r\n--x\r\n", b"x") for _ in range(100)]
    tasks += [forever(port, photo, read=False)]
    tasks += [forever(port, texts, pause=1), forever(port, bomb, pause=0.5)]
    tasks += [forever(port, b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", pause=0.5)]
    await asyncio.gather(*tasks)


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    asyncio.run(attack(int(sys.argv[1])))


if __name__ == "__main__":
    main()
