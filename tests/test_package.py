"""The package as its users meet it: names, a light import, documentation that runs."""

import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys

import pytest

import alphacut

FUNCTIONS = sorted(name for name in alphacut.__all__ if inspect.isfunction(getattr(alphacut, name)))
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(alphacut.__path__, "alphacut.")
    if not module.name.startswith(("alphacut._core", "alphacut.cuda", "alphacut.__main__"))
)


def test_import_is_light():
    heavy = {"PIL", "numba", "numba_cuda", "tqdm", "click", "skimage", "cv2", "scipy", "onnxruntime"}
    code = "import sys, alphacut; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert not heavy & set(loaded)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_the_documentation_run(module):
    before = alphacut.get_num_threads()
    try:
        assert doctest.testmod(importlib.import_module(module)).failed == 0
    except ModuleNotFoundError as error:
        if module != "alphacut.notebook" or error.name != "anywidget":
            raise
        pytest.skip("the extra 'notebook' is not installed")
    finally:
        alphacut.set_num_threads(before)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented(name):
    function = getattr(alphacut, name)
    text = inspect.getdoc(function)
    parameters = inspect.signature(function).parameters
    for section in ("Parameters",) * bool(parameters) + ("Examples",):
        assert f"{section}\n---" in text, section
    if name != "info":
        assert "Raises\n---" in text
    listed = {word for line in re.findall(r"^(\w+(?:, \w+)*)(?: : .*)?$", text, re.M) for word in line.split(", ")}
    assert set(parameters) <= listed


def test_readme_names_every_public_function(request):
    readme = request.config.rootpath / "README.md"
    if not readme.is_file():
        pytest.skip("no README here")
    text = readme.read_text(encoding="utf-8")
    assert not [name for name in FUNCTIONS if f"`{name}`" not in text]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_choice_of_how_may_be_by_place(name):
    """What is worked on comes first, then the one choice of how; all else is by name only."""
    by_place = [
        parameter.name
        for parameter in inspect.signature(getattr(alphacut, name)).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    by_name = {
        parameter.name
        for parameter in inspect.signature(getattr(alphacut, name)).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    if name == "remove_background":  # of many choices none comes first
        assert by_place == ["image"]
        return
    ways = {"method", "metric", "connectivity"}
    assert not ways & by_name
    assert not ways & set(by_place[:-1])
    assert "out" not in by_place


def test_no_function_hides_a_module():
    names = {module.name for module in pkgutil.iter_modules(alphacut.__path__)}
    assert not names & set(FUNCTIONS)
