"""What strangers do to a server, and what it answers to the others meanwhile."""

import asyncio
import base64
import io
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest
from PIL import Image

import alphacut
from alphacut.files import write_image

pytest.importorskip("starlette", reason="the server needs the extra 'serve'")
pytest.importorskip("uvicorn", reason="the server needs the extra 'serve'")
from starlette import testclient

from alphacut.cancel import CancelToken
from alphacut.server import Settings, connections, create_app, door, errors, exchange, fields, processes, workers

TestClient = partial(testclient.TestClient, base_url="http://localhost")
POST = b"POST /api/remove HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"


def scene():
    pixels = np.full((60, 80, 3), (40, 120, 60), np.uint8)
    pixels[15:45, 20:54] = (200, 30, 40)
    return pixels


def encoded(pixels, format="png"):
    file = io.BytesIO()
    write_image(file, pixels, format=format)
    return file.getvalue()


FILE = encoded(scene())


def whole_request(file=FILE):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + file + b"\r\n--x--\r\n"
    return POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def word(answer):
    (error,) = answer.json()["errors"]
    return error["code"]


# --- who may ask -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client():
    with TestClient(create_app(Settings(hosts=("cut.example",)))) as client:
        yield client


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:7000", "127.0.0.1:7000", "[::1]:7000", "[::1]", "192.168.1.5", "cut.example.:80"]
)
def test_names_of_the_server(client, host):
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7000", "localhost.evil.example", "127.0.0.1.nip.io", ""]
)
def test_a_name_that_was_made_to_point_here(client, host):
    for method, path in (("GET", "/"), ("GET", "/metrics"), ("POST", "/api/remove"), ("GET", "/static/app.js")):
        answer = client.request(method, path, headers={"Host": host, "Origin": f"http://{host}"})
        assert (answer.status_code, word(answer)) == (421, "unknown_host")


def test_any_name_if_one_in_front_looks():
    with TestClient(create_app(Settings(hosts=("*",)))) as client:
        assert client.get("/healthz", headers={"Host": "any.example"}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("http://localhost", 200),
        ("https://cut.example", 200),  # before a proxy that asks under another name
        ("http://localhost:3000", 403),
        ("http://evil.example", 403),
        ("http://192.168.1.5", 403),
        ("null", 403),
        ("", 403),
        ("nonsense", 403),
        ("http://[", 403),
    ],
)
def test_origins(client, origin, code):
    answer = client.post("/api/remove", files={"file": FILE}, headers={"Origin": origin})
    assert answer.status_code == code
    assert code == 200 or word(answer) == "cross_site"


def test_what_browsers_are_told(client):
    answers = [client.get("/healthz"), client.get("/metrics"), client.get("/nothing"), client.post("/api/remove")]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    for answer in (*answers, client.get("/")):
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert client.get("/").headers["cache-control"] == "no-cache"


def test_a_token():
    with TestClient(create_app(Settings(token="s3cret;%"))) as client:
        for path in ("/", "/docs", "/metrics", "/static/app.js", "/api/pictures/x", "/?token=s3cre"):
            answer = client.get(path)
            assert (answer.status_code, word(answer)) == (401, "no_token")
            assert answer.headers["www-authenticate"] == "Bearer"
        for path in ("/healthz", "/readyz"):
            assert client.get(path).status_code == 200
        for given in ({"Authorization": "bearer s3cret;%"}, {"X-Api-Key": "s3cret;%"}):
            assert client.post("/api/remove", files={"file": FILE}, headers=given).status_code == 200
        for given in ({"Authorization": "Bearer wrong"}, {"Authorization": "Basic czNjcmV0"}, {"X-Api-Key": ""}):
            assert client.post("/api/remove", files={"file": FILE}, headers=given).status_code == 401
        assert client.post("/api/remove?token=s3cret%3B%25", files={"file": FILE}).status_code == 401
        answer = client.get("/live?token=s3cret%3B%25", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "./live")
        for path, place in (("/", "./"), ("//evil.example", "./evil.example"), ("//evil.example/", "./")):
            client.cookies.clear()
            answer = client.get(f"http://localhost{path}?token=s3cret%3B%25", follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, place)
        assert all(part in answer.headers["set-cookie"].lower() for part in ("httponly", "samesite=strict"))
        assert client.get("/live").status_code == 200  # by its cookie
        assert client.post("/api/remove", files={"file": FILE}).status_code == 200


def test_clients_that_share():
    found = [door.client_of({"client": (host, 1)}) for host in ("10.0.0.1", "2001:db8::1", "2001:db8::2:1", "a pipe")]
    assert found == ["10.0.0.1", "2001:db8::/64", "2001:db8::/64", "a pipe"]
    assert door.client_of({"client": None}) == ""


# --- bodies ----------------------------------------------------------------------------------------------------------


def test_texts_of_a_form_are_few_together(client):
    text = "1" * (fields.MAX_TEXT // 2 + 1)
    answer = client.post("/api/remove", files={"file": FILE}, data={"box": text, "points": text})
    assert (answer.status_code, word(answer)) == (400, "invalid_field")
    answer = client.post("/api/remove", files={"file": FILE}, data={"nothing of ours": text * 2})
    assert (answer.status_code, word(answer)) == (400, "invalid_field")
    picture = np.random.default_rng(0).integers(0, 255, (1300, 1300, 3), dtype=np.uint8)
    large = base64.b64encode(encoded(picture)).decode()
    assert len(large) > fields.MAX_TEXT  # a file as a text is a file
    texts = {"image_file_b64": (None, large), "box": (None, "9,9,9,9")}
    answer = client.post("/api/remove?refine=none&foreground=0", files=texts)
    assert answer.status_code == 200, answer.text


def places(count, most=2**40):
    return workers.Workers(1, count, most)


def hold(pool, client, size=0, seconds=0.0):
    """A place whose body comes in since so many seconds; and whether it was lost."""
    place, lost = pool.place(client), []
    moving = place.move(lambda: lost.append(True))
    moving.__enter__()
    place.kept = moving  # else it ends here
    place._since -= seconds
    place.came(size)
    return place, lost


def test_a_client_with_many_places_makes_room_for_others():
    pool = places(4)
    held = [hold(pool, "greedy", size=size) for size in (30, 10, 20)] + [hold(pool, "other")]
    place, _ = hold(pool, "new")  # at once
    assert [bool(lost) for _, lost in held] == [False, True, False, False]
    assert pool.taken == 4
    with pytest.raises(errors.ApiError) as refusal:  # as many as anyone else
        pool.place("greedy")
    assert refusal.value.status == 503
    place.__exit__()
    for each, _ in held:
        each.__exit__()
    assert pool.taken == 0


def test_the_slowest_makes_room_when_it_had_its_time():
    pool = places(3)
    held = [hold(pool, "one", size, workers.PATIENCE * 2) for size in (3000, 1000, 2000)]
    pool.place("one")
    assert [bool(lost) for _, lost in held] == [False, True, False]
    full = places(1)
    full.place("one")
    with pytest.raises(errors.ApiError):  # it is worked on
        full.place("another")


def test_requests_of_one_client_that_wait_make_room():
    async def run():
        pool, go_on = workers.Workers(1, 3), threading.Event()
        held = [pool.place("greedy") for _ in range(3)]
        tasks = []
        for place in held:
            tasks.append(asyncio.ensure_future(place.run(go_on.wait)))
            await asyncio.sleep(0.05)
        other = pool.place("other")
        with pytest.raises(errors.ApiError):  # what is worked on does not
            pool.place("greedy")
        lost = [place for place in held if place.lost]
        assert len(lost) == 1
        assert lost[0] is not held[0]
        go_on.set()
        assert await other.run(lambda: 5) == 5
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert sorted(type(each).__name__ for each in found) == ["ApiError", "bool", "bool"]
        pool.close()

    asyncio.run(run())


def test_requests_of_one_client_that_wait_for_their_turn_make_room():
    async def run():
        pool, lock, go_on = workers.Workers(2, 3), asyncio.Lock(), threading.Event()
        held = [pool.place("greedy") for _ in range(3)]
        tasks = []
        for place in held:
            one = exchange.Exchange({"type": "http", "headers": []}, asyncio.Event().wait, 1, 100)
            one.begin(place)
            tasks.append(asyncio.ensure_future(one.run_alone(lock, go_on.wait)))
            await asyncio.sleep(0.05)
        assert [place.queued for place in held] == [False, True, True]
        assert not any(place.moving for place in held)  # their client cannot help being slow
        for place in held:
            place._since -= 2 * workers.PATIENCE
        with pytest.raises(errors.ApiError):
            pool.place("greedy")
        with pool.place("other") as other:
            assert await other.run(lambda: 5) == 5
        assert [place.lost for place in held].count(True) == 1
        assert not held[0].lost  # it is worked on
        go_on.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each.status if place.lost else each for place, each in zip(held, found, strict=True)] == [
            503 if place.lost else True for place in held
        ]
        assert not lock.locked()
        pool.close()

    asyncio.run(run())


def test_bodies_are_bounded_together():
    pool = places(9, 1000)
    (first, first_lost), (second, second_lost) = hold(pool, "one", 400), hold(pool, "two", 500)
    with pytest.raises(errors.ApiError) as refusal:
        second.came(200)
    assert refusal.value.status == 503
    assert (first_lost, second_lost) == ([], [])
    first._since -= 2 * workers.PATIENCE
    hold(pool, "three", 100)
    assert first_lost == [True]


def test_what_was_given_up_and_works_on_is_seen():
    async def run():
        pool, go_on = places(2), threading.Event()
        assert pool.ready
        with pytest.raises(asyncio.TimeoutError), pool.place() as place:
            await asyncio.wait_for(place.run(go_on.wait), 0.1)
        assert not pool.ready
        go_on.set()
        while pool.taken:
            await asyncio.sleep(0.01)
        assert pool.ready
        pool.close()
        assert not pool.ready

    asyncio.run(run())


# --- processes -------------------------------------------------------------------------------------------------------


def test_isolated_answers_are_the_same(client):
    with TestClient(create_app(Settings(isolate=True, workers=1))) as isolated:
        for files, given in (
            ({"file": FILE}, {}),
            ({"file": FILE}, {"format": "json"}),
            ({"file": FILE}, {"format": "zip"}),
            ({"file": b"no picture"}, {}),
            ({"file": FILE}, {"box": "900,900,5,5"}),
            ({"file": FILE}, {"model": "none"}),
        ):
            here, there = (each.post("/api/remove", files=files, data=given) for each in (client, isolated))
            assert here.status_code == there.status_code
            if given.get("format") != "json":
                assert here.content == there.content
            assert here.headers["content-type"] == there.headers["content-type"]
        assert "alphacut_pixels_total 14400.0" in isolated.get("/metrics").text
        made = isolated.post("/api/pictures", files={"file": FILE})
        assert made.status_code == 201
        assert isolated.put(f"/api/pictures/{made.json()['id']}/background", files={"file": FILE}).status_code == 204
        assert isolated.post("/api/films", files={"file": FILE}).status_code == 200
        answer = isolated.post("/api/pictures", files={"file": b"no picture"})
        assert (answer.status_code, word(answer)) == (400, "invalid_picture")


def hang():
    """As a decoder that no token ends."""
    while True:
        time.sleep(60)


def crash():
    os.kill(os.getpid(), signal.SIGKILL)


def greedy():
    return np.ones(2**31, np.uint8).sum()


def cut_for_ever():
    while True:
        alphacut.remove_background(scene())


def odd():
    class Local(Exception):
        pass

    raise Local("not to be sent")


@pytest.fixture(scope="module")
def one_process():
    pool = processes.Processes(1, 2**30, {})
    yield pool
    pool.close()


def call(pool, token, work, *args):
    workers._current.token = token
    return pool.call(work, *args)


def test_what_hangs_is_killed(one_process):
    before = call(one_process, CancelToken(), os.getpid)
    token = CancelToken()
    timer = threading.Timer(0.2, token.cancel)
    timer.start()
    with pytest.raises(alphacut.Cancelled):
        call(one_process, token, hang)
    assert call(one_process, CancelToken(), os.getpid) != before


def test_what_can_be_ended_keeps_its_process(one_process, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_SECONDS", 1e9)
    before = call(one_process, CancelToken(), os.getpid)
    for _ in range(3):
        token = CancelToken()
        timer = threading.Timer(0.1, token.cancel)
        timer.start()
        with pytest.raises(alphacut.Cancelled):
            call(one_process, token, cut_for_ever)
    assert call(one_process, CancelToken(), os.getpid) == before


def test_a_process_that_dies_is_replaced(one_process):
    for _ in range(2):
        with pytest.raises(errors.ApiError, match="died") as error:
            call(one_process, CancelToken(), crash)
        assert error.value.status == 500
        assert call(one_process, CancelToken(), os.getpid) != os.getpid()


def test_a_process_that_dies_while_nothing_is_asked_of_it(one_process):
    idle = one_process._free.get()
    before = idle._process.pid
    os.kill(before, signal.SIGKILL)
    idle._process.join()
    one_process._free.put(idle)
    assert call(one_process, CancelToken(), os.getpid) not in (before, os.getpid())
    idle.kill()  # a second time


def test_a_process_that_cannot_be_replaced_at_once(one_process, monkeypatch):
    with pytest.raises(errors.ApiError, match="died"):
        call(one_process, CancelToken(), crash)

    def refuse(*given):
        raise OSError("no more processes")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(processes, "_Process", refuse)
        for _ in range(2):
            with pytest.raises(OSError, match="no more processes"):
                call(one_process, CancelToken(), os.getpid)
            assert one_process._free.qsize() == 1
    assert call(one_process, CancelToken(), os.getpid) != os.getpid()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others do not bound memory so")
def test_memory_is_bounded(one_process):
    with pytest.raises(errors.ApiError, match="more memory") as error:
        call(one_process, CancelToken(), greedy)
    assert error.value.status == 413


def test_errors_come_back(one_process):
    with pytest.raises(RuntimeError, match="Local: not to be sent") as error:
        call(one_process, CancelToken(), odd)
    assert "in odd" in str(error.value.__cause__)
    with pytest.raises(alphacut.files.DecodeError):
        call(one_process, CancelToken(), alphacut.files.read_image, b"no picture")


# --- a real server ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def port():
    """Of a server with few places."""
    command = [sys.executable, "-m", "alphacut", "serve", "--port", "0", "--places", "4", "--workers", "2"]
    with subprocess.Popen([*command, "--timeout", "100"], stderr=subprocess.PIPE, text=True) as server:
        yield next(int(found[1]) for line in server.stderr if (found := re.search(r"http://127.0.0.1:(\d+)", line)))
        server.terminate()
        rest = server.stderr.read()
        assert "Traceback" not in rest
        assert "shutdown complete" in rest


def connected(port, data, address="127.0.0.1"):
    connection = socket.create_connection(("127.0.0.1", port), 200, (address, 0))
    connection.sendall(data)
    return connection


def answer_of(connection):
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    connection.close()
    return answer


def test_a_header_that_never_ends(port):
    begun = connected(port, b"GET / HTTP/1.1\r\nX: ")
    silent = connected(port, b"")
    again = connected(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    again.recv(65536)
    again.sendall(b"GET / HTTP/1.1\r\nX: ")  # of a second request
    head, _, body = answer_of(begun).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert json.loads(body)["errors"][0]["code"] == "slow_request"
    assert answer_of(silent) == b""
    assert b"HTTP/1.1 408" in answer_of(again)


def test_what_is_no_http(port):
    head, _, body = answer_of(connected(port, b"nonsense\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"content-type: application/json" in head
    assert json.loads(body)["errors"][0]["code"] == "bad_request"


def test_many_headers_that_never_end(port):
    """More connections than there may be: those who ask are answered all the same."""
    held = [connected(port, b"GET / HTTP/1.1\r\nX: ") for _ in range(700)]
    for _ in range(5):
        assert answer_of(connected(port, whole_request())).startswith(b"HTTP/1.1 200")
    for each in held:
        each.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs more than one address of loopback")
def test_bodies_that_drip(port):
    drip = POST + b"Content-Length: 100000\r\n\r\n--x\r\n"
    held = [connected(port, drip, "127.0.0.2") for _ in range(20)]
    for _ in range(5):
        assert answer_of(connected(port, whole_request())).startswith(b"HTTP/1.1 200")
    answers = [answer_of(each) for each in held]
    assert {answer[:12] for answer in answers} <= {b"HTTP/1.1 503", b"HTTP/1.1 408"}
    assert any(b"slowest" in answer for answer in answers)
    assert any(b"less than 2048 bytes a second" in answer for answer in answers)  # those for whose place nobody asked


def bomb(scans, width, height):
    """A progressive JPEG: each scan says nothing, and costs a pass over all blocks."""

    def segment(kind, data):
        return bytes([0xFF, kind]) + struct.pack(">H", len(data) + 2) + data

    def bits(text):
        text += "1" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")

    blocks = -(-width // 8) * -(-height // 8)
    runs = "".join(["00" + "1" * 14] * (blocks // 32767) + ["01"] * (blocks % 32767))  # of blocks that end at once
    head = segment(0xDB, b"\0" + bytes([16] * 64)) + segment(
        0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    )
    head += segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0")
    head += segment(0xC4, b"\x10" + bytes([0, 2] + [0] * 14) + b"\xe0\x00")
    first = segment(0xDA, b"\1\1\0\0\0\0") + bits("0" * blocks)
    return b"\xff\xd8" + head + first + (segment(0xDA, b"\1\1\0\1\x3f\0") + bits(runs)) * scans + b"\xff\xd9"


def test_time_is_up_inside_a_decoder(monkeypatch):
    """The answer is 504, the decoder's process ends, and the worker is free."""
    file = bomb(60, 8000, 6000)  # as many scans as are let through
    assert Image.open(io.BytesIO(file)).size == (8000, 6000)
    with TestClient(create_app(Settings(isolate=True, workers=1, places=2, timeout=1))) as client:
        client.post("/api/remove", files={"file": FILE})
        answer = client.post("/api/remove", files={"file": file})
        assert (answer.status_code, word(answer)) == (504, "timeout")
        while "under_way 0.0" not in client.get("/metrics").text:
            time.sleep(0.05)
        assert client.get("/readyz").status_code == 200
    assert exchange.LEAST_RATE == 2048
    assert connections.HEADER_SECONDS == 10
