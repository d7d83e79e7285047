"""The choice of a device, and what is imported when."""

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import alphacut
from alphacut import _core, _device
from alphacut.cli import main


class Gpus:
    """Stands in for Numba's list of devices."""

    def __init__(self, gpus=(), error=None):
        self.gpus, self.error = gpus, error

    def __iter__(self):
        if self.error is not None:
            raise self.error
        return iter(self.gpus)


class OnGpu:
    __cuda_array_interface__ = {"shape": (4, 4, 3), "typestr": "|u1", "data": (4096, False), "version": 3}  # noqa: RUF012


@pytest.fixture
def numba(monkeypatch):
    """Replaces Numba by one with the given devices."""

    def install(**gpus):
        package = ModuleType("numba")
        current = SimpleNamespace(device=SimpleNamespace(id=0))
        driver = SimpleNamespace(driver=SimpleNamespace(get_version=lambda: (12, 8)))
        package.cuda = SimpleNamespace(
            gpus=Gpus(**gpus), current_context=lambda: current, cudadrv=SimpleNamespace(driver=driver)
        )
        monkeypatch.setitem(sys.modules, "numba", package)
        monkeypatch.delitem(sys.modules, "numba.cuda", raising=False)  # an earlier test may have imported the real one
        monkeypatch.setitem(sys.modules, "numba_cuda", ModuleType("numba_cuda"))

    return install


@pytest.fixture
def no_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setitem(sys.modules, "numba_cuda", None)


def resolve(device, **options):
    return str(_device.resolve(device, **{"stage": "kmeans", "pixels": 10**9} | options))


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.parametrize("device", ["", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda: 1", "cuda:99999", "auto\n"])
def test_unknown_words(device):
    with pytest.raises(ValueError, match="'auto', 'cpu', 'cuda' or 'cuda:N'"):
        resolve(device)


@pytest.mark.parametrize("device", [None, 0, b"cpu"])
def test_not_a_word(device):
    with pytest.raises(TypeError, match="device must be a str"):
        resolve(device)


def test_cpu_never_asks_for_numba(no_numba):
    assert resolve("cpu") == "cpu"
    assert resolve("auto") == "cpu"
    with _device.resolve("cpu", stage="kmeans", pixels=1).active():
        pass


def test_cuda_without_numba_names_the_extra(no_numba):
    for device in ("cuda", "cuda:1"):
        with pytest.raises(alphacut.DeviceUnavailableError, match=r"not installed: pip install 'alphacut\[cuda12\]'"):
            resolve(device)
    assert issubclass(alphacut.DeviceUnavailableError, RuntimeError)


@pytest.mark.parametrize(
    ("gpus", "reason"),
    [
        ({"gpus": []}, "the NVIDIA driver finds no device"),
        ({"error": RuntimeError("Error at driver init: CUDA driver library cannot be found.\n")}, "no NVIDIA driver"),
        (
            {"error": RuntimeError("Error at driver init: Call to cuInit results in CUDA_ERROR_NO_DEVICE (100)")},
            "the NVIDIA driver finds no device: Call to cuInit",
        ),
        (
            {
                "error": RuntimeError(
                    "Error at driver init: Call to cuInit results in CUDA_ERROR_SYSTEM_NOT_READY (802)"
                )
            },
            "the NVIDIA driver fails: Call to cuInit",
        ),
        ({"error": RuntimeError("CUDA is disabled due to setting NUMBA_DISABLE_CUDA=1")}, "CUDA is disabled"),
    ],
)
def test_reasons(numba, gpus, reason):
    numba(**gpus)
    with pytest.raises(alphacut.DeviceUnavailableError, match="device='cuda'.*" + reason.replace("(", r"\(")):
        resolve("cuda")
    about = alphacut.info()["cuda"]
    assert about["available"] is False
    assert about["reason"].startswith(reason)
    assert about["devices"] == []


def test_broken_numba_is_told_apart(numba, monkeypatch):
    numba()
    del sys.modules["numba"].cuda
    monkeypatch.delitem(sys.modules, "numba.cuda", raising=False)
    assert alphacut.info()["cuda"]["reason"].startswith("numba-cuda cannot be imported: ")


def test_usable_gpus(numba, monkeypatch):
    numba(gpus=["first", "second"])
    assert resolve("cuda") == "cuda:0"
    assert resolve("cuda:1") == "cuda:1"
    assert resolve("auto", on_gpu=True) == "cuda:0"
    assert resolve("auto") == "cpu"  # no crossover was measured
    monkeypatch.setitem(_device.CROSSOVER, "kmeans", 1000)
    assert resolve("auto", pixels=999) == "cpu"
    assert resolve("auto", pixels=1000) == "cuda:0"
    with pytest.raises(alphacut.DeviceUnavailableError, match=r"device='cuda:2'.*2 CUDA devices"):
        resolve("cuda:2")


def test_only_auto_falls_back(no_numba, monkeypatch):
    monkeypatch.setitem(_device.CROSSOVER, "kmeans", 1000)
    assert resolve("auto") == "cpu"
    with pytest.raises(alphacut.DeviceUnavailableError):
        alphacut.kmeans(np.zeros((4, 4), np.uint8), 2, device="cuda")


def test_array_on_a_gpu_is_not_copied_in_silence(no_numba):
    with pytest.raises(alphacut.DeviceUnavailableError, match="the array lives on a GPU"):
        alphacut.kmeans(OnGpu(), 2)
    with pytest.raises(TypeError, match="lives on a GPU"):
        alphacut.kmeans(OnGpu(), 2, device="cpu")


def test_info(no_numba):
    about = alphacut.info()
    assert list(about) == ["version", "isa", "isas", "threads", "cuda"]
    assert about["version"] == alphacut.__version__
    assert about["isa"] == _core.isa()
    assert about["isas"] == _core.available_isas()
    assert about["threads"] == alphacut.get_num_threads()
    assert about["cuda"] == {
        "available": False,
        "reason": "numba-cuda is not installed: pip install 'alphacut[cuda12]' or 'alphacut[cuda13]'",
        "driver": None,
        "devices": [],
    }


class Gpu:
    """Stands in for one of Numba's devices, and for its context."""

    id, name, compute_capability = 0, b"NVIDIA Something", (9, 0)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


def test_info_describes_a_gpu(numba):
    numba(gpus=[Gpu()])
    memory = SimpleNamespace(total=3 * 2**29)
    current = SimpleNamespace(device=SimpleNamespace(id=0), get_memory_info=lambda: memory)
    sys.modules["numba"].cuda.current_context = lambda: current
    assert alphacut.info()["cuda"] == {
        "available": True,
        "reason": None,
        "driver": (12, 8),
        "devices": [{"name": "NVIDIA Something", "compute_capability": (9, 0), "memory": 3 * 2**29}],
    }
    shown = CliRunner().invoke(main, ["info"]).output
    assert "NVIDIA Something, compute capability 9.0, 1.5 GiB (driver for CUDA 12.8)" in shown


def test_want_of_memory_is_told_plainly(numba):
    gpus = [Gpu()]
    numba(gpus=gpus)
    sys.modules["numba"].cuda.gpus = gpus
    device = _device.resolve("cuda", stage="kmeans", pixels=1)
    with pytest.raises(alphacut.DeviceUnavailableError, match="cuda:0 has too little free memory"), device.active():
        raise RuntimeError("Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY (2)")
    with pytest.raises(KeyError), device.active():
        raise KeyError


@pytest.mark.parametrize(("method", "stage"), [("kmeans", "kmeans"), ("graphcut", "grabcut")])
def test_the_flow_falls_back_from_auto_and_says_so(method, stage, monkeypatch):
    """A GPU that turns out to have too little memory."""
    twin = getattr(alphacut, stage)

    def on_device(*arguments, device, **options):
        if device != "cpu":
            raise alphacut.DeviceUnavailableError("cuda:0 has too little free memory")
        return twin(*arguments, device=device, **options)

    image = np.zeros((40, 40, 3), np.uint8)
    image[10:30, 10:30] = 200
    expected = alphacut.remove_background(image, box=(5, 5, 30, 30), method=method, device="cpu")
    monkeypatch.setattr(f"alphacut.session.{stage}", on_device)
    monkeypatch.setattr(_device, "resolve", lambda device, **_: _device.Device("cpu" if device == "cpu" else "cuda"))
    cutout = alphacut.remove_background(image, box=(5, 5, 30, 30), method=method)
    assert np.array_equal(cutout.alpha, expected.alpha)
    assert cutout.device == "cpu"
    assert f"{stage} ran on the CPU: cuda:0 has too little free memory" in cutout.warnings
    with pytest.raises(alphacut.DeviceUnavailableError):
        alphacut.remove_background(image, box=(5, 5, 30, 30), method=method, device="cuda")


def test_graph_cut_on_a_device(no_numba):
    grid = np.zeros((4, 5), np.int32)
    weights = np.zeros((4, 4, 5), np.int32)
    with pytest.raises(alphacut.DeviceUnavailableError, match="not installed"):
        alphacut.graph_cut(grid, grid, weights, device="cuda")
    with pytest.raises(alphacut.DeviceUnavailableError, match="the array lives on a GPU"):
        alphacut.graph_cut(grid, OnGpu(), weights)
    with pytest.raises(TypeError, match="lives on a GPU"):
        alphacut.graph_cut(OnGpu(), grid, weights, device="cpu")
    assert alphacut.graph_cut(grid, grid, weights).flow == 0


def test_grabcut_on_a_device(no_numba):
    image = np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(alphacut.DeviceUnavailableError, match="not installed"):
        alphacut.grabcut(image, box=(1, 1, 2, 2), device="cuda")
    with pytest.raises(alphacut.DeviceUnavailableError, match="the array lives on a GPU"):
        alphacut.grabcut(OnGpu(), box=(1, 1, 2, 2))
    with pytest.raises(TypeError, match="lives on a GPU"):
        alphacut.grabcut(OnGpu(), box=(1, 1, 2, 2), device="cpu")
    with pytest.raises(ValueError, match="device"):
        alphacut.grabcut(image, box=(1, 1, 2, 2), device="gpu")


def test_info_asks_the_real_numba():
    pytest.importorskip("numba_cuda")
    about = alphacut.info()["cuda"]
    assert about["available"] == (about["reason"] is None) == bool(about["devices"])
    for device in about["devices"]:
        assert set(device) == {"name", "compute_capability", "memory"}


def test_import_and_host_arrays_load_nothing_heavy():
    code = """
import sys, numpy as np, alphacut
loaded = lambda: [name for name in ("numba", "numba_cuda", "PIL", "scipy", "cv2") if name in sys.modules]
print(loaded())
alphacut.kmeans(np.zeros((40, 40, 3), np.uint8), 2)
import alphacut.cuda
print(loaded())
"""
    assert run(code).split("\n")[:2] == ["[]", "[]"]


def test_info_where_numba_is_not_installed():
    code = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("numba", "numba_cuda"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Block())
import alphacut
print(alphacut.info()["cuda"]["reason"])
"""
    assert "not installed: pip install 'alphacut[cuda12]'" in run(code)


def test_warmup_compiles_for_the_gpu_that_will_be_used(monkeypatch):
    active, compiled = [], []

    class Chosen(SimpleNamespace):
        def active(self):
            active.append(self.kind)
            return _device.nullcontext()

    monkeypatch.setattr(_device, "resolve", lambda device, **_: Chosen(kind="cpu" if device == "cpu" else "cuda"))
    monkeypatch.setattr("alphacut.remover.compile_kernels", lambda: compiled.append(list(active)))
    alphacut.Remover(method="threshold", device="cpu").warmup((20, 30))
    assert compiled == []
    alphacut.Remover(method="threshold").warmup((20, 30))
    assert compiled == [["cuda"]]
