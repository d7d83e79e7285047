"""Runs the benchmarks and writes one Markdown table."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PACKAGES = ["numpy", "opencv-contrib-python-headless", "Pillow", "scikit-image", "PyMaxflow", "pymatting",
            "connected-components-3d", "numba-cuda"]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("stages", nargs="*", help="stages to time, such as composite; all if none is named")
    parser.add_argument("--size", type=float, action="append", help="only this size in megapixels; may be repeated")
    parser.add_argument("-o", "--output", type=Path, help="file to write; the screen if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "benchmarks.json")
        files = [str(HERE / f"bench_{stage}.py") for stage in options.stages] or [str(HERE)]
        sizes = [f"--size={size}" for size in options.size or []]
        command = [sys.executable, "-m", "pytest", "-q", "-c", str(HERE / "pytest.ini"), *files, *sizes]
        status = subprocess.run([*command, f"--benchmark-json={results}"], stdout=sys.stderr, check=False).returncode
        if not results.exists() or results.stat().st_size == 0:
            print("no benchmark ran", file=sys.stderr)
            return status or 1
        text = report(json.loads(results.read_text()))
    if options.output is None:
        print(text)
    else:
        options.output.write_text(text)
    return status


def report(results: dict[str, Any]) -> str:
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for benchmark in results["benchmarks"]:
        name = benchmark["extra_info"].get("implementation") or (benchmark["params"] or {}).get("implementation")
        groups[benchmark["group"] or benchmark["name"]][name or "alphacut"] = benchmark["stats"]["median"]
    lines = [
        *header(),
        "",
        "| job | alphacut, ms | peers: ms (times alphacut's) | copy, ms | |",
        "|---|---:|---|---:|---|",
        *(row(group, medians) for group, medians in sorted(groups.items())),
        "",
    ]
    return "\n".join(lines)


def header() -> list[str]:
    import alphacut
    from alphacut import _core

    commit = _output("git", "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=12")
    return [
        "# Benchmarks of alphacut",
        "",
        f"- processor: {processor()}, {_core.num_threads()} threads, instruction set {_core.isa()}",
        f"- system: {platform.system()} {platform.machine()}, Python {platform.python_version()}",
        f"- alphacut {alphacut.__version__}, commit {commit or 'unknown'}; {', '.join(versions())}",
        "",
        "Medians in milliseconds; benchmarks/README.md says what a row means. **slower**: a peer is faster.",
    ]


def row(group: str, medians: dict[str, float]) -> str:
    ours, copy = medians.pop("alphacut", None), medians.pop("copy", None)
    peers = [
        f"{name} {_ms(median)}" + (f" ({median / ours:.2f}×)" if ours else "")
        for name, median in sorted(medians.items(), key=lambda item: item[1])
    ]
    lost = ours is not None and any(median < ours for median in medians.values())
    return f"| {group} | {_ms(ours)} | {', '.join(peers)} | {_ms(copy)} | {'**slower**' if lost else ''} |"


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions() -> list[str]:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:.3g}"


if __name__ == "__main__":
    sys.exit(main())
