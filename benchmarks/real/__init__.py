"""Rows that are measured with real parts: HTTP, a storage, processes, a Prefect server. They take real time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.real.growth import growth_rows
from benchmarks.real.large_results import large_rows
from benchmarks.real.orchestration import orchestration_rows, usual_way_rows
from benchmarks.real.recovery import recovery_rows
from benchmarks.real.scaled import scaled_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.figures import Row

REAL_ROWS: tuple[Callable[..., list[Row]], ...] = (
    scaled_rows,
    recovery_rows,
    growth_rows,
    orchestration_rows,
    usual_way_rows,
    large_rows,
)
"""The functions that measure; each takes `full`."""
