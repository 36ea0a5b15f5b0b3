"""Figures of several seeds as rows with median, spread and target. Rows are printed as a table and stored as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from batch_avatar.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from batch_avatar.clock import Clock

RESULTS = Path(__file__).parent / "results"

OURS = "ours"
DIGITS = 4
"""Significant digits that are printed; JSON keeps all."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of the values of all seeds."""

    median: float
    least: float
    most: float
    seeds: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Return the spread of these values.

        Raises:
            ValueError: there are no values.
        """
        known = sorted(values)
        if not known:
            raise ValueError("no values")
        return cls(statistics.median(known), known[0], known[-1], len(known))

    def times(self, factor: float) -> Self:
        """Return the spread with all values multiplied, for example for another unit."""
        return replace(self, median=factor * self.median, least=factor * self.least, most=factor * self.most)

    def __str__(self) -> str:
        return f"{number(self.median)} ({number(self.least)}..{number(self.most)})"


@dataclass(frozen=True, slots=True)
class Target:
    relation: Literal["<=", ">=", "="]
    value: float

    def met_by(self, measured: float) -> bool:
        if self.relation == "=":
            return measured == self.value
        return measured <= self.value if self.relation == "<=" else measured >= self.value

    def __str__(self) -> str:
        return f"{self.relation} {number(self.value)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `figure` says what was measured, `by` which strategy did it; together they identify the row.

    `remark` says why a target was missed, or what the figure leaves out.
    """

    figure: str
    by: str
    measured: Spread
    target: Target | None = None
    remark: str = ""

    @property
    def verdict(self) -> str:
        """Whether the median meets the target; empty without a target."""
        if self.target is None:
            return ""
        return "met" if self.target.met_by(self.measured.median) else "MISSED"

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        target = stored["target"]
        return cls(
            stored["figure"],
            stored["by"],
            Spread(**stored["measured"]),
            Target(**target) if target else None,
            stored["remark"],
        )

    def to_json(self) -> dict[str, Any]:
        target = asdict(self.target) if self.target else None
        return asdict(self) | {"target": target, "verdict": self.verdict or None}


def number(value: float) -> str:
    """Format a value as tables show it: with four significant digits, or whole with commas between thousands."""
    if value and abs(value) < 10 ** (DIGITS - 1):
        return f"{value:.{DIGITS}g}"
    return f"{value:,.0f}"


HEAD = ("figure", "by", "measured", "spread", "target", "", "beside it")


def table(rows: Sequence[Row]) -> str:
    """Return a table for a terminal: a line for each figure, ours first and the others beside it; remarks follow."""
    lines = [HEAD, *(_cells(group) for group in _by_figure(rows))]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    text += [f"{row.figure}, {row.by}: {row.remark}" for row in rows if row.remark]
    return "\n".join(line.rstrip() for line in text)


def markdown_table(rows: Sequence[Row]) -> str:
    """Return the same table in Markdown; remarks are a list below it."""
    lines = [HEAD, ("---",) * len(HEAD), *(_cells(group) for group in _by_figure(rows))]
    text = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    remarks = [f"- *{row.figure}*, {row.by}: {row.remark}" for row in rows if row.remark]
    return "\n".join([*text, *([""] if remarks else []), *remarks])


def _by_figure(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows grouped by figure; our own row, if there is one, is first in its group."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.figure, []).append(row)
    return [sorted(group, key=lambda row: row.by != OURS) for group in groups.values()]


def _cells(group: Sequence[Row]) -> tuple[str, ...]:
    row, others = group[0], group[1:]
    return (
        row.figure,
        row.by,
        number(row.measured.median),
        _spread(row.measured),
        str(row.target or ""),
        row.verdict,
        ", ".join(f"{other.by} {number(other.measured.median)}" for other in others),
    )


def _spread(measured: Spread) -> str:
    if measured.seeds == 1:
        return "one run"
    return f"{number(measured.least)}..{number(measured.most)} of {measured.seeds}"


def machine_facts(clock: Clock | None = None) -> dict[str, Any]:
    """Return facts that figures of CPU and memory depend on; none of them identifies the machine."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "date": f"{(clock or SystemClock()).now():%Y-%m-%d}",
    }


def store(name: str, rows: Sequence[Row], *, folder: Path = RESULTS, clock: Clock | None = None) -> Path:
    """Write `<name>.json`: these rows replace those with the same figure and strategy; all others stay.

    Each row says where and when it was measured, so that one file can hold rows of several runs.
    """
    path = folder / f"{name}.json"
    facts = machine_facts(clock)
    known = {_name(row): row for row in _read(path)}
    known |= {_name(row): row for row in (row.to_json() | {"machine": facts} for row in rows)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"rows": list(known.values())}, indent=2) + "\n", encoding="utf-8")
    return path


def stored_rows(name: str, *, folder: Path = RESULTS) -> list[Row]:
    """Return the latest rows, which may come from several runs."""
    return [Row.from_json(stored) for stored in _read(folder / f"{name}.json")]


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return rows


def _name(row: dict[str, Any]) -> tuple[str, str]:
    return row["figure"], row["by"]
