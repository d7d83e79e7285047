"""The report as a page of plots in SVG, with nothing loaded from elsewhere: ``benchmarks.report --html FILE``."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

Row = Mapping[tuple[str, Any], float]  # seconds by implementation and number of threads
Races = Mapping[tuple[str, float], Row]  # by job and megapixels
Point = tuple[float, float]

STYLE = """
:root { color-scheme: light dark; --page: #fcfcfa; --ink: #1d2327; --soft: #5a636b; --line: #d8dbde;
  --c0: #0b7a6e; --c1: #c2410c; --c2: #4756c9; --c3: #a16207; --c4: #a21caf; --c5: #64748b }
@media (prefers-color-scheme: dark) { :root { --page: #15181a; --ink: #e8eaeb; --soft: #a3abb1; --line: #343b3f;
  --c0: #4fd1be; --c1: #fb8c5c; --c2: #93a0ff; --c3: #facc15; --c4: #e879f9; --c5: #94a3b8 } }
body { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; font: 15px/1.5 system-ui, sans-serif;
  background: var(--page); color: var(--ink) }
p, li, figcaption { color: var(--soft) } h3 { margin-bottom: 0 }
svg { width: 100%; height: auto; display: block } svg text { font: 11px system-ui, sans-serif; fill: var(--soft) }
.bars { overflow-x: auto } .bars svg { min-width: 46rem }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 1rem }
figure { margin: 0 } figcaption { font-size: .9rem } figcaption b { color: var(--ink) }
.grid { stroke: var(--line) } .one { stroke: var(--ink) }
.c0 { fill: var(--c0); stroke: var(--c0) } .c1 { fill: var(--c1); stroke: var(--c1) }
.c2 { fill: var(--c2); stroke: var(--c2) } .c3 { fill: var(--c3); stroke: var(--c3) }
.c4 { fill: var(--c4); stroke: var(--c4) } .c5 { fill: var(--c5); stroke: var(--c5) }
polyline { fill: none !important; stroke-width: 2 } svg text.ink { fill: var(--ink) }
pre { overflow-x: auto; font-size: .75rem }
"""


def page(lines: Sequence[str], races: Races, quality: str, text: str) -> str:
    """The page.

    Parameters
    ----------
    lines
        The report's header in Markdown.
    races
        Medians in seconds.
    quality
        What ``python -m benchmarks.matting`` printed, or nothing.
    text
        The whole report in Markdown, to look figures up.
    """
    threads = sorted({count for row in races.values() for _, count in row}, reverse=True)
    items = "".join(f"<li>{escape(line[2:])}</li>" for line in lines if line.startswith("- "))
    parts = [f"<h1>{escape(lines[0].lstrip('# '))}</h1><ul>{items}</ul>"]
    if any(line.startswith("**") for line in lines):
        parts.append("<p><b>Rows are missing: they failed, as the answers did not agree or otherwise.</b></p>")
    for count in threads:
        parts.append(f"<h2>Times as fast as each peer, {count} thread{'s' * (count > 1)}</h2>")
        parts.append("<p>The peer's median over alphacut's, on a logarithmic scale; orange: the peer is faster.</p>")
        parts += ratio_bars(races, count)
    curves = "".join(size_curves(races, threads[0])) if threads else ""
    if curves:
        parts.append("<h2>Over the size</h2><p>Nanoseconds a pixel over megapixels, both logarithmic: flat means that")
        parts.append(f"time grows with the picture.</p><div class=curves>{curves}</div>")
    plots = "".join(scatter(*plot) for plot in quality_points(quality))
    if plots:
        parts.append("<h2>Quality beside time</h2><p>Lower left is better. Both axes are logarithmic.</p>")
        parts.append(f"<div class=curves>{plots}</div>")
    parts.append(f"<h2>Figures</h2><details><summary>The tables</summary><pre>{escape(text)}</pre></details>")
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return f"{head}<title>Benchmarks of alphacut</title><style>{STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"


def ratio_bars(races: Races, threads: int) -> Iterator[str]:
    """A chart for each size, with a bar for each peer of each job."""
    ratios: dict[float, list[tuple[str, float]]] = defaultdict(list)
    for (job, megapixels), row in sorted(races.items()):
        ours = row.get(("alphacut", threads))
        for (name, count), seconds in sorted(row.items(), key=lambda item: item[1]):
            if ours and count == threads and name not in ("alphacut", "copy"):
                ratios[megapixels].append((f"{job}: {name}", seconds / ours))
    for megapixels, found in sorted(ratios.items()):
        bars = _bars(found, f"Ratios at {_size(megapixels)}")
        yield f'<h3>{_size(megapixels)}</h3><div class="bars" tabindex="0">{bars}</div>'


def _bars(found: Sequence[tuple[str, float]], label: str) -> str:
    left, width, line = 330, 560, 18
    low, high = _decades(ratio for _, ratio in [*found, ("", 1.0)])
    height = line * len(found) + 24

    def x(ratio: float) -> float:
        return left + width * (math.log10(ratio) - low) / (high - low)

    lines = []
    for decade in range(low, high + 1):
        kind = "one" if decade == 0 else "grid"
        lines.append(
            f'<line class="{kind}" x1="{x(10**decade):.1f}" x2="{x(10**decade):.1f}" y1="0" y2="{height - 20}"/>'
        )
        lines.append(f'<text x="{x(10**decade):.1f}" y="{height - 6}" text-anchor="middle">{10**decade:g}×</text>')
    for number, (name, ratio) in enumerate(found):
        y = line * number
        start, end = sorted((x(1), x(ratio)))
        place = f'x="{start:.1f}" y="{y + 3}" width="{max(end - start, 1):.1f}" height="12"'
        lines.append(f'<text class="ink" x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
        lines.append(f'<rect class="c{int(ratio < 1)}" {place}/>')
        lines.append(f'<text x="{end + 5:.1f}" y="{y + 13}">{ratio:.3g}×</text>')
    return _svg(left + width + 60, height, label, lines)


def size_curves(races: Races, threads: int) -> Iterator[str]:
    """A chart for each job that was run at several sizes."""
    jobs: dict[str, dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for (job, megapixels), row in sorted(races.items()):
        for (name, count), seconds in row.items():
            if count == threads and name != "copy":
                jobs[job][name].append((megapixels, 1e9 * seconds / (1e6 * megapixels)))
    for job, curves in jobs.items():
        if max(map(len, curves.values())) > 1:
            yield scatter(job, "megapixels", "ns a pixel", curves)


def quality_points(text: str) -> Iterator[tuple[str, str, str, dict[str, list[Point]]]]:
    """Of each table that `benchmarks.matting` printed, the first error beside the first time."""
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        rows = [[cell.strip(" *") for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]
        title = rows[0] if len(rows[0]) == len(rows[2]) else ["", *rows[0]]
        error = next((i for i, cell in enumerate(title) if "MSE" in cell), None)
        time = next((i for i, cell in enumerate(title) if cell.startswith("ms")), None)
        if error is None or time is None:
            continue
        points = {}
        for row in rows[2:]:
            try:
                points[row[0]] = [(float(row[time].replace(",", "")), float(row[error]))]
            except (IndexError, ValueError):  # a method that is absent, or was not timed, says why
                continue
        if points:
            yield ("colours" if "weighted" in title[error] else "alpha"), title[time], title[error], points


def scatter(title: str, across: str, up: str, series: Mapping[str, Sequence[Point]]) -> str:
    """A chart with logarithmic axes: a line with dots for each of the series."""
    left, top, width, height = 52, 10, 250, 150
    points = [point for found in series.values() for point in found]
    (x0, x1), (y0, y1) = (_span(point[axis] for point in points) for axis in (0, 1))

    def place(point: Point) -> Point:
        fx, fy = ((math.log10(v) - a) / (b - a) for v, a, b in zip(point, (x0, y0), (x1, y1), strict=True))
        return left + width * fx, top + height * (1 - fy)

    lines = []
    for tick in _ticks(x0, x1):
        x, _ = place((tick, 10**y0))
        lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + height}"/>')
        lines.append(f'<text x="{x:.1f}" y="{top + height + 14}" text-anchor="middle">{tick:g}</text>')
    for tick in _ticks(y0, y1):
        _, y = place((10**x0, tick))
        lines.append(f'<line class="grid" x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    keys = []
    for number, (name, found) in enumerate(series.items()):
        kind, places = f"c{number % 6}", [place(point) for point in found]
        if len(places) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            lines.append(f'<polyline class="{kind}" points="{path}"/>')
        for (x, y), (a, b) in zip(places, found, strict=True):
            tip = f"{escape(name)}: {a:g} {escape(across)}, {b:.3g} {escape(up)}"
            lines.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{tip}</title></circle>')
        keys.append(f'<span style="color: var(--{kind})">●</span> {escape(name)}')
    lines.append(f'<text x="{left + width}" y="{top + height + 28}" text-anchor="end">{escape(across)}</text>')
    caption = f"<b>{escape(title)}</b>, {escape(up)}<br>{' · '.join(keys)}"
    chart = _svg(left + width + 12, top + height + 34, f"{title}: {up} over {across}", lines)
    return f"<figure>{chart}<figcaption>{caption}</figcaption></figure>"


def _svg(width: int, height: int, label: str, lines: Iterable[str]) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{"".join(lines)}</svg>'


def _decades(values: Iterable[float]) -> tuple[int, int]:
    """The powers of ten around positive values."""
    logs = [math.log10(value) for value in values]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return low, max(high, low + 1)


def _span(values: Iterable[float]) -> tuple[float, float]:
    """Logarithms a little beyond the least and the greatest."""
    logs = [math.log10(value) for value in values]
    margin = max(0.08, 0.06 * (max(logs) - min(logs)))
    return min(logs) - margin, max(logs) + margin


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two logarithms: powers of ten, or 1, 2 and 5 times those where few would be."""
    steps = (1,) if high - low > 2.2 else (1, 2, 5) if high - low > 0.5 else range(1, 10)
    ticks = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    return [tick for tick in ticks if low <= math.log10(tick) <= high]


def _size(megapixels: float) -> str:
    return "64×64 pixels" if megapixels < 0.01 else f"{megapixels:g} megapixels"
