"""A run in a child process that opens its own connections: `inside.py FIGURES.json MANIFEST local|prefect SCALE`.

It measures what the command cannot: how much memory the process holds once its connections are open, and how a run
goes with a clock as fast as the emulator's, so that predictions and pauses fit the jobs.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch_avatar.clock import SystemClock
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.run import new_run_name
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.settings import load_settings, prepare_prefect
from benchmarks.real.command import count_prefect_requests, own_figures, status_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from batch_avatar.clock import Clock
    from batch_avatar.models import Script
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.rendering.run import Run

RESET_PEAK = "5"  # proc(5), clear_refs: the peak resident set size becomes the current one


class ScaledClock:
    """A clock that runs `scale` times as fast as `real`, from the time when it is made."""

    def __init__(self, scale: float, real: Clock) -> None:
        self._scale = scale
        self._real = real
        self._start = self._real.now()
        self._origin = self._real.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (self._real.monotonic() - self._origin) * self._scale

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds / self._scale)


async def run(manifest: str, engine: str, scale: float) -> dict[str, Any]:
    """Render the manifest and return the figures, measured from the open connections to the report."""
    settings = load_settings()
    scripts = read_scripts([manifest], defaults=settings.video_defaults(), wire=wire_for(settings.api_version))
    if engine == "prefect":
        prepare_prefect()
        import flows.render_batch  # noqa: F401 - imported before the measurement begins
    asked = count_prefect_requests()
    real = SystemClock()
    clock = ScaledClock(scale, real)
    async with open_run(settings, new_run_name(clock), clock=clock) as opened:
        idle_bytes = status_bytes("VmRSS")
        _reset_peak()
        before, started = own_figures(), real.monotonic()
        report = await _render(opened, scripts, manifest, engine)
        seconds, after = real.monotonic() - started, own_figures()
    return {
        "seconds": seconds,
        "cpu_seconds": after["cpu_seconds"] - before["cpu_seconds"],
        "idle_bytes": idle_bytes,
        "peak_bytes": after["peak_bytes"],
        "archived": report.archived,
        "prefect_requests": asked.count,
    }


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text(RESET_PEAK, encoding="utf-8")


async def _render(run: Run, scripts: Sequence[Script], manifest: str, engine: str) -> BatchReport:
    if engine == "local":
        return await render_scripts(scripts, plain_chain())
    from flows.render_batch import render_batch

    await render_batch(sources=[manifest], return_state=True)  # uses the connections that are open
    if run.report is None:
        raise RuntimeError("the flow run ended without a report")
    return run.report


def main() -> None:
    figures, manifest, engine, scale = sys.argv[1:]
    Path(figures).write_text(json.dumps(asyncio.run(run(manifest, engine, float(scale)))), encoding="utf-8")


if __name__ == "__main__":
    main()
