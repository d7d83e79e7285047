"""The choice of the instruction set, and what its objects may contain."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alphacut import _core

SOURCE = Path(__file__).parents[1] / "cpp" / "kernels" / "isa_table.cpp"
if platform.machine().lower() in ("x86_64", "amd64"):
    FLAGS = {"baseline": "-march=x86-64", "avx2": "-march=x86-64-v3", "avx512": "-march=x86-64-v4"}
else:
    FLAGS = {"neon" if platform.machine().lower() in ("aarch64", "arm64") else "baseline": "-O0"}


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("name", _core.available_isas())
def test_environment_chooses(name):
    done = run("from alphacut import _core; print(_core.isa())", ALPHACUT_ISA=name)
    assert done.stdout.strip() == name, done.stderr


def test_best_one_is_the_default():
    done = run("from alphacut import _core; print(_core.isa())", ALPHACUT_ISA="")
    assert done.stdout.strip() == _core.available_isas()[-1], done.stderr


def test_unknown_name_is_an_error_at_first_use():
    code = """
import numpy as np, alphacut
for attempt in range(2):
    try:
        alphacut.kmeans(np.zeros((2, 2), np.uint8), 1)
    except ValueError as error:
        print(error)
"""
    done = run(code, ALPHACUT_ISA="sse9")
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    for line in lines:
        assert "ALPHACUT_ISA" in line
        assert "sse9" in line
        assert all(name in line for name in _core.available_isas())


def test_set_isa_rejects_unknown_names():
    with pytest.raises(ValueError, match="available"):
        _core.set_isa("AVX2 ")


@pytest.mark.parametrize("name", FLAGS)
def test_objects_hold_no_weak_symbol_and_one_global(name, tmp_path):
    """A weak symbol in such an object could replace a function that older processors run.

    Compiled without optimisation, so that a function which the optimiser would have inlined still shows.
    """
    compiler = shutil.which("g++") or shutil.which("clang++")
    if sys.platform != "linux" or compiler is None or shutil.which("nm") is None:
        pytest.skip("needs Linux with a C++ compiler and nm")
    if not SOURCE.is_file():
        pytest.skip("the C++ sources are not beside the tests")
    target = tmp_path / "table.o"
    options = ["-std=c++20", "-O0", "-fPIC", "-fno-exceptions", "-fno-rtti", FLAGS[name], f"-DALPHACUT_ISA={name}"]
    subprocess.run([compiler, *options, "-c", str(SOURCE), "-o", str(target)], check=True, timeout=600)
    listing = subprocess.run(["nm", str(target)], check=True, capture_output=True, text=True).stdout
    symbols = [line.split()[-2:] for line in listing.splitlines()]
    assert [s for s in symbols if s[0] in "WVuwv"] == []
    defined = [symbol for kind, symbol in symbols if kind.isupper() and kind != "U"]
    assert defined == [f"_ZN8alphacut{len(name)}{name}5tableE"]
