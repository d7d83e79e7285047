"""The tables of prompts and options, and that every face is made from them."""

import inspect
import json
import re
import typing

import click
import pytest

import alphacut
from alphacut import Remover, remove_background
from alphacut._prompt import Prompt
from alphacut.cli import main
from alphacut.options import OPTIONS, OUTPUTS, PROMPTS, Options

ROWS = {row.name: row for row in (*PROMPTS, *OPTIONS)}


def parameters(function):
    found = dict(inspect.signature(function).parameters)
    for name in ("self", "image"):
        found.pop(name, None)
    return found


@pytest.mark.parametrize("function", [remove_background, Remover.__init__])
def test_signatures_say_what_the_tables_say(function):
    found = parameters(function)
    assert set(found) == set(ROWS)
    hints = typing.get_type_hints(function)
    for name, row in ROWS.items():
        assert found[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert found[name].default == row.default, name
        assert type(found[name].default) is type(row.default), name
        literals = {word for word in _literals(hints[name]) if word is not None}
        assert literals == set(row.words) - {"none"}, name
        may_be_none = hints[name] is typing.Any or type(None) in _parts(hints[name])
        assert may_be_none == (row.default is None or "none" in row.words), name


def _parts(hint):
    yield hint
    for part in typing.get_args(hint):
        yield from _parts(part) if not isinstance(part, str) else ()


def _literals(hint):
    for part in _parts(hint):
        if typing.get_origin(part) is typing.Literal:
            yield from typing.get_args(part)


def test_both_signatures_are_the_same():
    assert list(parameters(remove_background)) == list(parameters(Remover.__init__))
    assert [str(each) for each in parameters(remove_background).values()] == [
        str(each) for each in parameters(Remover.__init__).values()
    ]


def test_every_option_has_its_words_in_the_documentation():
    documented = remove_background.__doc__
    for name, row in ROWS.items():
        assert re.search(rf"^    (\w+, )*{name}(, \w+)* : ", documented, re.MULTILINE), name
        assert re.search(rf"\b{name}\b", Remover.__doc__), name
        for word in row.words:
            assert word == "none" or f'"{word}"' in documented, (name, word)


def test_prompts_are_those_that_a_picture_can_have():
    assert set(Prompt.NAMES) == {row.name for row in PROMPTS} - {"model"}


def test_outputs_are_keywords_of_a_cutout():
    known = {*inspect.signature(alphacut.Cutout.save).parameters, *inspect.signature(alphacut.Cutout.crop).parameters}
    assert {row.name for row in OUTPUTS} - {"crop"} <= known


@pytest.mark.parametrize("row", [*ROWS.values(), *OUTPUTS], ids=lambda row: row.name)
def test_examples_are_understood_and_defaults_pass_their_check(row):
    assert row.help[0].isupper()
    assert row.help.endswith(".")
    if row.read is not None and "server" in row.faces:
        row.from_text(row.example)
    for word in row.words:
        row.from_text(word)
    if row.name in {each.name for each in OPTIONS}:
        row.check(row.default, row.name)


def test_options_are_kept_as_they_are_checked():
    given = {name: row.default for name, row in ROWS.items()}
    options = Options.of(given | {"preprocess": "denoise", "edge": [1, 2]})
    assert (options.preprocess, options.edge) == (("denoise",), (1.0, 2.0))
    assert Options.of(given).edge == (0.0, 0.0)


@pytest.mark.parametrize("command", ["remove", "pipe"])
def test_the_command_line_shows_every_row(command):
    shown = {parameter.name: parameter for parameter in main.get_command(None, command).params}
    for name, row in ROWS.items():
        assert (name in shown) == ("cli" in row.faces), name
        if name in shown and row.words and not row.several:
            assert tuple(shown[name].type.choices) == row.words
        if name in shown:
            assert shown[name].help.startswith(row.help)
    if command == "remove":
        assert {row.name for row in OUTPUTS} <= set(shown)
    assert isinstance(shown["refine"].type, click.Choice)


def test_the_server_shows_every_row():
    pytest.importorskip("starlette")
    from alphacut.server import Settings, docs, remove

    fields = {field.name: field for field in remove.FIELDS}
    document = docs.document(Settings())
    body = document["paths"]["/api/remove"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    for row in (*ROWS.values(), *OUTPUTS):
        assert (row.name in fields) == ("server" in row.faces), row.name
        if row.name in fields and row.name not in ("model", "margin"):
            assert body["properties"][row.name]["description"].startswith(row.help)
    assert body["properties"]["refine"]["enum"] == list(ROWS["refine"].words)
    json.dumps(document)


@pytest.mark.parametrize("text", ["1,2 3,4,0", "1 , 2;3,4,0; ", "[[1, 2], [3, 4, 0]]", " \n1,2\n3,4,0\n"])
def test_the_ways_to_write_points(text):
    assert ROWS["points"].from_text(text) == [(1, 2), (3, 4, 0)]
