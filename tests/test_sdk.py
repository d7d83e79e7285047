"""A C++ program against an installed alphacut: the wheel's, and ``cmake --install``'s of $ALPHACUT_PREFIXES.

Prefixes are separated as in $PATH. Each holds a static or a shared library.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import alphacut
from golden.calls import picture, soft

EXAMPLES = Path(__file__).parents[1] / "examples"
PREFIXES = [prefix for prefix in os.environ.get("ALPHACUT_PREFIXES", "").split(os.pathsep) if prefix]


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, **options)
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


@pytest.fixture(scope="module", params=["wheel", *PREFIXES])
def sdk(request, tmp_path_factory):
    """The folder of an installation's CMake package, and the examples built with it."""
    if not EXAMPLES.is_dir():
        pytest.skip("no examples here")
    if shutil.which("cmake") is None or shutil.which(os.environ.get("CXX", "c++")) is None:
        pytest.skip("needs CMake and a C++ compiler")
    if request.param == "wheel":
        try:
            package = Path(alphacut.get_cmake_dir())
        except ImportError as error:
            pytest.skip(str(error))
    else:
        (package,) = Path(request.param).glob("lib*/**/cmake/alphacut")
    build = tmp_path_factory.mktemp("examples")
    run("cmake", "-S", EXAMPLES / "cpp", "-B", build, f"-Dalphacut_DIR={package}", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", build, "--parallel", "2")
    return package, build


def test_picture_in_cutout_out(sdk, tmp_path):
    program = sdk[1] / "cutout"
    if not program.is_file():
        pytest.skip("needs libpng")
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    box = (36, 12, 62, 62)
    for pixels in (picture(), picture()[..., 1], np.dstack([picture(), soft()])):
        Image.fromarray(pixels).save(source)
        for prompt in ({}, {"box": box}):
            run(program, source, target, *prompt.get("box", ()))
            wanted = alphacut.remove_background(pixels, **prompt).rgba
            np.testing.assert_array_equal(np.array(Image.open(target)), wanted)
    failed = subprocess.run([program, tmp_path / "none.png", target], capture_output=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith(b"cutout: ")


def test_frames_in_frames_out(sdk):
    frames = [picture(), np.roll(picture(), 7, axis=1), picture()[::-1]]
    made = run(sdk[1] / "camera", 130, 90, input=b"".join(frame.tobytes() for frame in frames))
    track = alphacut.Tracker()
    assert made == b"".join(track(frame).rgba.tobytes() for frame in frames)


def test_c(sdk, tmp_path):
    source, target = tmp_path / "in.ppm", tmp_path / "out.pam"
    Image.fromarray(picture()).save(source)
    run(sdk[1] / "cutout_c", source, target)
    header, made = target.read_bytes().split(b"ENDHDR\n", 1)
    assert b"WIDTH 130\nHEIGHT 90\n" in header
    assert made == alphacut.remove_background(picture()).rgba.tobytes()


def test_ctypes(sdk, tmp_path):
    shared = sorted(sdk[0].parents[1].glob("libalphacut.so"))
    if not shared:
        pytest.skip("a static library")
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(picture()).save(source)
    run(sys.executable, EXAMPLES / "ctypes" / "cutout.py", shared[0], source, target)
    np.testing.assert_array_equal(np.array(Image.open(target)), alphacut.remove_background(picture()).rgba)
    names = run("nm", "-DC", "--defined-only", shared[0]).decode()
    assert "alphacut::remove_background(" in names
    assert "alphacut_remove_background" in names
    assert "alphacut::refine_alpha<unsigned char>(" in names
    assert not re.search(r"alphacut::(kernels|avx2|baseline|neon|GridFlow|FlowOf)\b", names)


def test_pkg_config(sdk, tmp_path):
    folder = sdk[0].parents[1] / "pkgconfig"
    if not folder.is_dir() or shutil.which("pkg-config") is None:
        pytest.skip("needs pkg-config, and more than a wheel")
    env = {**os.environ, "PKG_CONFIG_PATH": str(folder)}
    assert run("pkg-config", "--modversion", "alphacut", env=env).decode().strip() == alphacut.__version__
    flags = run("pkg-config", "--cflags", "--libs", "alphacut", env=env).decode().split()
    program = tmp_path / "cutout_c"
    strict = "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"
    run("cc", *strict, EXAMPLES / "cpp" / "cutout.c", "-o", program, *flags)
    env["LD_LIBRARY_PATH"] = str(folder.parent)
    assert b"usage" in subprocess.run([program], capture_output=True, env=env).stderr


def test_version_comes_from_one_place(sdk):
    (header,) = sdk[0].parents[2].glob("**/include/alphacut/version.h")
    assert f'"{alphacut.__version__}"' in header.read_text()
