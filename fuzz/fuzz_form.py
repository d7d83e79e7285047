"""The bodies of requests under Atheris: forms, urlencoded texts and JSON give the values of fields, or our error.

python fuzz/fuzz_form.py [libFuzzer's options] [FOLDER or FILE...]

The first byte chooses the kind and in what pieces the body comes; a form's boundary is "b".
"""

import sys

import atheris

with atheris.instrument_imports(include=["alphacut.server", "alphacut._text", "alphacut.options", "python_multipart"]):
    import python_multipart.multipart  # noqa: F401
    from starlette.datastructures import Headers
    from starlette.formparsers import MultiPartException

    from alphacut.server import fields
    from alphacut.server.bodies import FormReader, from_json, from_urlencoded
    from alphacut.server.errors import ApiError
    from alphacut.server.remove import FIELDS

HEADERS = Headers({"content-type": "multipart/form-data; boundary=b"})


async def pieces(body, size):
    """The body as it comes."""
    for begin in range(0, len(body), size):
        yield body[begin : begin + size]
    yield b""


async def parse_form(body, size):
    """As an exchange does it."""
    reader = FormReader(
        HEADERS, pieces(body, size), max_files=len(FIELDS), max_fields=len(FIELDS), max_part_size=1 << 20
    )
    form = await reader.parse()
    try:
        return fields.parse(FIELDS, form.multi_items())
    finally:
        await form.close()


def run(coroutine):
    """To its end, without a loop: small files stay in memory, so nothing is waited for."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


def one(data):
    """One body."""
    kind, body = data[:1], data[1:]
    number = kind[0] if kind else 0
    try:
        if number % 4 == 0:
            values = fields.parse(FIELDS, from_urlencoded(body, len(FIELDS)))
        elif number % 4 == 1:
            values = fields.parse(FIELDS, from_json(body, len(FIELDS)))
        else:
            values = run(parse_form(body, 1 + number // 4))
    except ApiError as error:
        assert 400 <= error.status < 500  # noqa: PT017
        error.response()
    except MultiPartException as error:
        assert error.message  # noqa: PT017
    else:
        assert set(values) <= {field.name for field in FIELDS}


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
