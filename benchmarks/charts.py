"""Small charts as SVG. The same figures give the same bytes, and the charts can be read on light and dark pages."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from benchmarks.figures import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHARTS = Path(__file__).parents[1] / "docs" / "benchmarks"

WIDTH = 760
MARGIN = 24
TITLE_HEIGHT = 64  # title, subtitle and some space
BAR_HEIGHT, BAR_GAP = 22, 14
PLOT_HEIGHT = 260  # of a line chart
AXIS_HEIGHT = 44  # tick labels and the axis's name
VALUE_WIDTH = 64  # beside the longest bar
CHARACTER_WIDTH = 7.2  # in 13 px sans-serif, a little generous
TICKS = 5  # approximate number on an axis

STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .quiet { fill: #59636e; }
  .paper { fill: #ffffff; }
  .value { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .axis { stroke: #59636e; stroke-width: 1; }
  .target { stroke: #b35900; stroke-width: 1.5; stroke-dasharray: 5 4; }
  .target-text { fill: #b35900; }
  .bar { fill: #8c959f; }
  .bar.ours, .key-0 { fill: #0a62c4; }
  .key-1 { fill: #b35900; } .key-2 { fill: #1a7f37; } .key-3 { fill: #8250df; } .key-4 { fill: #6e7781; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .line-0 { stroke: #0a62c4; } .line-1 { stroke: #b35900; } .line-2 { stroke: #1a7f37; }
  .line-3 { stroke: #8250df; } .line-4 { stroke: #6e7781; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9aa4af; }
    .paper { fill: #0d1117; }
    .value { stroke: #0d1117; }
    .grid { stroke: #30363d; }
    .axis { stroke: #9aa4af; }
    .target { stroke: #f0a04b; }
    .target-text { fill: #f0a04b; }
    .bar { fill: #6e7681; }
    .bar.ours, .key-0 { fill: #58a6ff; }
    .key-1 { fill: #f0a04b; } .key-2 { fill: #56d364; } .key-3 { fill: #d2a8ff; } .key-4 { fill: #9aa4af; }
    .line-0 { stroke: #58a6ff; } .line-1 { stroke: #f0a04b; } .line-2 { stroke: #56d364; }
    .line-3 { stroke: #d2a8ff; } .line-4 { stroke: #9aa4af; }
  }"""
COLOURS = 5  # line-0 to line-4


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    value: float
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    points: Sequence[tuple[float, float]]


def write_chart(name: str, svg: str, *, folder: Path = CHARTS) -> Path:
    path = folder / f"{name}.svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg, encoding="utf-8")
    return path


def bar_chart(
    title: str, bars: Sequence[Bar], *, subtitle: str = "", axis: str, target: float | None = None, log: bool = False
) -> str:
    """Return a chart with horizontal bars, the first on top.

    `log`: the axis is logarithmic and begins at a power of ten; every value must be above 0.
    """
    left = MARGIN + CHARACTER_WIDTH * max(len(bar.label) for bar in bars) + 10
    right = WIDTH - MARGIN - VALUE_WIDTH
    values = [bar.value for bar in bars] + ([target] if target else [])
    scale = _log_scale(values, left, right) if log else _linear_scale(0.0, max(values), left, right)
    top = TITLE_HEIGHT + (26 if target else 0)
    bottom = top + len(bars) * (BAR_HEIGHT + BAR_GAP)
    body = list(_vertical_grid(scale, top, bottom))
    values_text = []  # drawn last: the target's line may run through them
    for index, bar in enumerate(bars):
        y = top + index * (BAR_HEIGHT + BAR_GAP) + BAR_GAP / 2
        end = scale.at(bar.value)
        middle = y + BAR_HEIGHT / 2 + 4.5
        body += [
            _text(left - 10, middle, bar.label, anchor="end"),
            _bar(left, y, end, ours=bar.ours),
        ]
        values_text.append(_text(end + 8, middle, number(bar.value), kind="value"))
    body.append(f'<line class="axis" x1="{_px(left)}" y1="{_px(top)}" x2="{_px(left)}" y2="{_px(bottom)}"/>')
    if target:
        x = scale.at(target)
        body.append(f'<line class="target" x1="{_px(x)}" y1="{_px(top - 6)}" x2="{_px(x)}" y2="{_px(bottom)}"/>')
        body.append(_text(x, top - 11, f"target {number(target)}", anchor="middle", kind="target-text"))
    body += values_text
    body.append(_text((left + right) / 2, bottom + 38, axis, anchor="middle", kind="quiet"))
    return _page(title, subtitle, bottom + AXIS_HEIGHT, body)


def line_chart(
    title: str, lines: Sequence[Line], *, subtitle: str = "", x_axis: str, y_axis: str, most: float | None = None
) -> str:
    """Return a chart with all lines in one plot, and a key above it.

    Both axes begin at 0; y ends at `most`, or at the largest value if it is not given.
    """
    if len(lines) > COLOURS:
        raise ValueError(f"{len(lines)} lines; there are colours for {COLOURS}")
    points = [point for line in lines for point in line.points]
    left, right = MARGIN + 48.0, float(WIDTH - MARGIN)
    top = TITLE_HEIGHT + 54.0  # the key, and the axis's name
    bottom = top + PLOT_HEIGHT
    across = _linear_scale(0.0, max(x for x, _ in points), left, right)
    up = _linear_scale(0.0, most or max(y for _, y in points), bottom, top)
    body = list(_key(lines))
    body.append(_text(MARGIN, top - 14, y_axis, kind="quiet"))
    for tick in up.ticks:
        y = _px(up.at(tick))
        body.append(f'<line class="grid" x1="{_px(left)}" y1="{y}" x2="{_px(right)}" y2="{y}"/>')
        body.append(_text(left - 8, up.at(tick) + 4.5, number(tick), anchor="end", kind="quiet"))
    body += [_text(across.at(tick), bottom + 18, number(tick), anchor="middle", kind="quiet") for tick in across.ticks]
    body.append(f'<line class="axis" x1="{_px(left)}" y1="{_px(bottom)}" x2="{_px(right)}" y2="{_px(bottom)}"/>')
    for index, line in enumerate(lines):
        path = " ".join(f"{_px(across.at(x))},{_px(up.at(y))}" for x, y in line.points)
        body.append(f'<polyline class="line line-{index}" points="{path}"/>')
    body.append(_text((left + right) / 2, bottom + 38, x_axis, anchor="middle", kind="quiet"))
    return _page(title, subtitle, bottom + AXIS_HEIGHT, body)


@dataclass(frozen=True, slots=True)
class _Scale:
    least: float
    most: float
    begin: float
    end: float
    ticks: tuple[float, ...]
    log: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value in pixels; values beyond an end are placed at that end."""
        least, most = (math.log10(self.least), math.log10(self.most)) if self.log else (self.least, self.most)
        share = ((math.log10(value) if self.log else value) - least) / (most - least)
        return self.begin + min(max(share, 0.0), 1.0) * (self.end - self.begin)


def _linear_scale(least: float, most: float, begin: float, end: float) -> _Scale:
    """Return a scale whose ticks are 1, 2 or 5 times a power of ten apart."""
    most = most if most > least else least + 1.0
    rough = (most - least) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    ticks = tuple(least + index * step for index in range(math.floor((most - least) / step + 1e-9) + 1))
    return _Scale(least, most, begin, end, ticks)


def _log_scale(values: Sequence[float], begin: float, end: float) -> _Scale:
    least = 10.0 ** math.floor(math.log10(min(values)))
    most = max(*values, least * 10)
    ticks = [least]
    while ticks[-1] * 10 <= most * (1 + 1e-9):
        ticks.append(ticks[-1] * 10)
    return _Scale(least, most, begin, end, tuple(ticks), log=True)


def _bar(left: float, y: float, end: float, *, ours: bool) -> str:
    kind = "bar ours" if ours else "bar"
    width = _px(max(end - left, 1))
    return f'<rect class="{kind}" x="{_px(left)}" y="{_px(y)}" width="{width}" height="{BAR_HEIGHT}" rx="2"/>'


def _vertical_grid(scale: _Scale, top: float, bottom: float) -> Iterator[str]:
    for tick in scale.ticks:
        x = _px(scale.at(tick))
        yield f'<line class="grid" x1="{x}" y1="{_px(top)}" x2="{x}" y2="{_px(bottom)}"/>'
        yield _text(scale.at(tick), bottom + 18, number(tick), anchor="middle", kind="quiet")


def _key(lines: Sequence[Line]) -> Iterator[str]:
    x = float(MARGIN)
    for index, line in enumerate(lines):
        yield f'<rect class="key-{index}" x="{_px(x)}" y="{TITLE_HEIGHT - 1}" width="12" height="12" rx="2"/>'
        yield _text(x + 18, TITLE_HEIGHT + 10, line.label)
        x += 18 + CHARACTER_WIDTH * len(line.label) + 24


def _page(title: str, subtitle: str, height: float, body: Sequence[str]) -> str:
    box = f'viewBox="0 0 {WIDTH} {_px(height + 8)}" width="{WIDTH}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-label={quoteattr(title)}>',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}\n</style>",
            '<rect class="paper" width="100%" height="100%" rx="6"/>',
            _text(MARGIN, 30, title, kind="title"),
            *([_text(MARGIN, 50, subtitle, kind="quiet")] if subtitle else []),
            *body,
            "</svg>\n",
        ]
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "") -> str:
    kinds = f' class="{kind}"' if kind else ""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{kinds} x="{_px(x)}" y="{_px(y)}"{place}>{escape(text)}</text>'


def _px(value: float) -> str:
    """Write pixels with one decimal: it is fine enough for the eye and keeps the files the same everywhere."""
    return f"{value:.1f}".removesuffix(".0")
