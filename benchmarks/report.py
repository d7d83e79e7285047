"""Runs the benchmarks and writes one Markdown table, and one of what each instruction set gives; or a page of plots."""

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

from . import plots

HERE = Path(__file__).parent
PACKAGES = ["numpy", "opencv-contrib-python-headless", "Pillow", "scikit-image", "PyMaxflow", "pymatting",
            "connected-components-3d", "numba-cuda"]  # fmt: skip
SHORT = [
    "components-labels-natural", "composite-over", "composite-rgba", "foreground-multilevel", "graphcut-cut",
    "graphcut-stroke", "kmeans-8-clusters", "matting-guided-colour-1", "threshold-fixed", "threshold-otsu-noise",
]  # fmt: skip
NOTE = ["", "Medians in milliseconds; benchmarks/README.md says what a row means. **slower**: a peer is faster."]
Key = tuple[str, float]  # a row's name and size in megapixels
Rows = dict[Key, dict[tuple[str, Any], float]]  # medians by implementation and number of threads, or instruction set


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("stages", nargs="*", help="stages to time, such as composite; all if none is named")
    parser.add_argument("--size", type=float, action="append", help="only this size in megapixels; may be repeated")
    parser.add_argument("--short", action="store_true", help="the ten rows of the README, at 1 megapixel")
    parser.add_argument("--all-sizes", action="store_true", help="100 megapixels too")
    parser.add_argument("-o", "--output", type=Path, help="file to write; the screen if not given")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page of plots, too")
    parser.add_argument("--results", type=Path, metavar="FILE", help="what pytest --benchmark-json wrote, run before")
    parser.add_argument("--quality", type=Path, metavar="FILE", help="for --html: what benchmarks.matting printed")
    options = parser.parse_args()
    if options.results:
        results = json.loads(options.results.read_text())
        return write(results, 0, options, header_of(results))
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "benchmarks.json")
        files = [str(HERE / f"bench_{stage}.py") for stage in options.stages] or [str(HERE)]
        chosen = [f"--size={size}" for size in options.size or [1] * options.short]
        chosen += ["--all-sizes"] * options.all_sizes
        chosen += [f"--row={row}" for row in SHORT] if options.short else ["--instruction-sets"]
        command = [sys.executable, "-m", "pytest", "-q", "-c", str(HERE / "pytest.ini"), *files, *chosen]
        command += [f"--benchmark-json={results}"]
        status = subprocess.run(command, stdout=sys.stderr, check=False).returncode
        if not results.exists() or results.stat().st_size == 0:
            print("no benchmark ran", file=sys.stderr)
            return status or 1
        return write(json.loads(results.read_text()), status, options, header())


def write(results: dict[str, Any], status: int, options: argparse.Namespace, head: list[str]) -> int:
    text, races = report(results, head, failed=status != 0)
    if options.output:
        options.output.write_text(text)
    elif not options.html:
        print(text)
    if options.html:
        quality = options.quality.read_text() if options.quality else ""
        lines = text[: text.index("\n|")].splitlines() if "\n|" in text else text.splitlines()
        options.html.write_text(plots.page(lines, races, quality, text))
    return status


def report(results: dict[str, Any], head: list[str], failed: bool) -> tuple[str, Rows]:
    """The tables, and the medians that the first is made of."""
    races: Rows = defaultdict(dict)
    isas: Rows = defaultdict(dict)
    absent: dict[Key, dict[str, str]] = {}
    for benchmark in results["benchmarks"]:
        parameters = benchmark["params"]
        key = parameters["row"], parameters["megapixels"]
        table, column = (isas, "isa") if parameters["isa"] else (races, "threads")
        table[key][parameters["implementation"], parameters[column]] = benchmark["stats"]["median"]
        absent[key] = benchmark["extra_info"]["absent"]
    failure = ["", "**Rows are missing: they failed, as the answers did not agree or otherwise.**"] * failed
    return "\n".join([*head, *failure, *race_table(races, absent), *isa_table(isas), ""]), races


def header() -> list[str]:
    import alphacut
    from alphacut import _core

    from .pictures import PHOTOS

    commit = _output("git", "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=12")
    return [
        "# Benchmarks of alphacut",
        "",
        f"- processor: {processor()}, {_core.num_threads()} threads, instruction set {_core.isa()}",
        f"- system: {platform.system()} {platform.machine()}, Python {platform.python_version()}",
        f"- alphacut {alphacut.__version__}, commit {commit or 'unknown'}; {', '.join(versions())}",
        f"- pictures: {', '.join(path.name for path in PHOTOS) or 'synthetic'}",
        *NOTE,
    ]


def header_of(results: dict[str, Any]) -> list[str]:
    """What results of an earlier run, perhaps on another machine, say of it."""
    machine, commit = results.get("machine_info", {}), results.get("commit_info", {})
    system = f"{machine.get('system', 'unknown')} {machine.get('machine', '')}"
    return [
        "# Benchmarks of alphacut",
        "",
        f"- processor: {machine.get('cpu', {}).get('brand_raw', 'unknown')}",
        f"- system: {system}, Python {machine.get('python_version', 'unknown')}",
        f"- commit {commit.get('id', 'unknown')[:12]}, {results.get('datetime', 'unknown when')[:16]}",
        *NOTE,
    ]


def race_table(races: Rows, absent: dict[Key, dict[str, str]]) -> list[str]:
    counts = sorted({threads for row in races.values() for _, threads in row}, reverse=True)
    titles = [f"alphacut, {n} thread{'s' * (n > 1)} | peers (times alphacut's)" for n in counts]
    lines = ["", f"| job | MP | {' | '.join(titles)} | copy | |", f"|---|---:|{'---:|---|' * len(counts)}---:|---|"]
    for key, row in sorted(races.items()):
        cells, lost = [], False
        for n in counts:
            ours = row.get(("alphacut", n))
            peers = [(time, name) for (name, threads), time in row.items() if threads == n]
            peers = sorted(peer for peer in peers if peer[1] not in ("alphacut", "copy"))
            lost |= ours is not None and any(time < ours for time, _ in peers)
            cells += [_ms(ours), ", ".join(f"{name} {_times(time, time, ours)}" for time, name in peers)]
        reasons = [f"{name}: {reason}" for name, reason in absent[key].items()]
        cells[1] = "; ".join(filter(None, [cells[1], *reasons]))
        cells += [_ms(row.get(("copy", counts[0]))), "**slower**" * lost]
        lines.append(f"| {key[0]} | {_size(key[1])} | {' | '.join(cells)} |")
    return lines


def isa_table(isas: Rows) -> list[str]:
    names = list(dict.fromkeys(isa for row in isas.values() for _, isa in row))
    if not names:
        return []
    lines = [
        "",
        "What each instruction set gives alphacut, on one thread; in brackets times as fast as the one before.",
    ]
    lines += ["", f"| job | MP | {' | '.join(names)} |", f"|---|---:|{'---:|' * len(names)}"]
    for key, row in sorted(isas.items()):
        times = [row.get(("alphacut", isa)) for isa in names]
        cells = [_times(time, before, time) for before, time in zip([None, *times], times, strict=False)]
        lines.append(f"| {key[0]} | {_size(key[1])} | {' | '.join(cells)} |")
    return lines


def _times(time: float | None, above: float | None, below: float | None) -> str:
    """A time, and how often one goes into the other."""
    return _ms(time) + (f" ({above / below:.2f}×)" if above and below else "")


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:.3g}"


def _size(megapixels: float) -> str:
    return "64×64" if megapixels < 0.01 else f"{megapixels:g}"


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


if __name__ == "__main__":
    sys.exit(main())
