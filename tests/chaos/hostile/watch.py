"""What can be heard and measured of runs while nobody is kind to them, and what of it must not be. Linux only."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.machine.clock import ImpatientClock

if TYPE_CHECKING:
    from collections.abc import Iterator

SILENT_SECONDS = 60.0
"""A wait that is longer must be told before it begins or within this time."""
REQUESTS_AT_ONCE = 200
REQUESTS_A_SECOND = 40.0
"""Of two runs of three scripts each, which ask for the list ten times a second. A loop without a pause makes 500."""
SCRIPTS = 6
"""Which may be retried to their ends at once; more in proportion."""
MEMORY_BYTES = 200 * 1024 * 1024
"""Over what there was before. The largest body that the road sends unfolds to twice of it."""
TRACE = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Wait:
    began: float
    seconds: float
    task: str
    told: bool


class WatchedClock(ImpatientClock):
    """Notes every wait that is long, and what is told between them."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[Wait] = []
        self._notes = threading.Lock()
        self._told_at: list[float] = []
        self._heard: dict[str, int] = {}

    def tell(self) -> None:
        with self._notes:
            self._told_at.append(self.monotonic())

    async def sleep(self, seconds: float) -> None:
        if seconds > SILENT_SECONDS:
            task = f"{threading.current_thread().name}: {asyncio.current_task().get_name()}"  # runs name theirs alike
            with self._notes:
                told = len(self._told_at)
                self.waits.append(Wait(self.monotonic(), seconds, task, told > self._heard.get(task, 0)))
                self._heard[task] = told
        await super().sleep(seconds)

    def silences(self) -> Iterator[str]:
        """Waits of which nobody was told, neither since the same task's last nor within a minute."""
        for wait in self.waits:
            if not wait.told and not any(wait.began <= at <= wait.began + SILENT_SECONDS for at in self._told_at):
                yield f"{wait.task} waits for {wait.seconds:.0f} s, and nobody is told"


class Watch(logging.Handler):
    """Between `begin` and `findings`: what was logged, how much memory there was, how many requests were made."""

    def __init__(self, clock: WatchedClock) -> None:
        super().__init__(logging.INFO)
        self._clock = clock
        self._faults: list[str] = []
        self.measured = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING and record.name.startswith("batch_avatar"):
            self._clock.tell()
        text = record.getMessage()
        if (clean := encodable(text)) != text:
            self._faults.append(f"no console can show what {record.name} logs: {clean}")
            record.msg, record.args = clean, None  # nor can the process that gathers the tests' ends
        if record.exc_info or TRACE in text:
            self._faults.append(f"a stack trace in the log of {record.name}: {self.format(record)}")

    def begin(self, requests: int) -> None:
        self._requests, self._began = requests, self._clock.waited()
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew, proc_pid_clear_refs(5)
        self._memory = _bytes_of("VmRSS")

    def findings(self, requests: int, scripts: int = SCRIPTS) -> Iterator[str]:
        """What must not be, of this many scripts in all runs together."""
        made, seconds = requests - self._requests, self._clock.waited() - self._began
        grown = _bytes_of("VmHWM") - self._memory
        self.measured = f"{made} requests in {seconds:.1f} s, {grown / 1024**2:.0f} MB more memory"
        if made > REQUESTS_AT_ONCE * max(scripts / SCRIPTS, 1) + REQUESTS_A_SECOND * seconds:
            yield f"too many requests: {self.measured}"
        if grown > MEMORY_BYTES:
            yield f"too much memory: {self.measured}"
        yield from self._clock.silences()
        yield from self._faults


def encodable(text: str) -> str:
    """The text without halves of surrogate pairs."""
    return text.encode(errors="backslashreplace").decode()


def _bytes_of(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(name + ":"))
