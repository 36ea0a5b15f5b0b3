"""`batch-avatar` as a child process that writes its cost when it ends: `command.py FIGURES.json render ...`.

With `--profile OUT` after the file's name every thread is profiled by its own CPU time, so that waiting does not count.
The profiler makes calls slower than they are, so only the shares in a profile mean something.
"""

from __future__ import annotations

import cProfile
import json
import logging
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Run the command with the remaining arguments and end with its exit code."""
    figures, *rest = sys.argv[1:]
    profile = rest[1] if rest[0] == "--profile" else None
    rest = rest[2:] if profile else rest
    profiles = _profile_all_threads() if profile else []
    asked = count_prefect_requests()
    sys.argv = ["batch-avatar", *rest]
    try:
        from batch_avatar.commands.cli import main as command

        command()
    finally:
        Path(figures).write_text(json.dumps(own_figures() | {"prefect_requests": asked.count}), encoding="utf-8")
        if profile:
            _dump(profiles, profile)


def own_figures() -> dict[str, float]:
    """Return the CPU seconds of this process since its start, and its peak memory."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_seconds": used.ru_utime + used.ru_stime, "peak_bytes": status_bytes("VmHWM")}


def status_bytes(field: str, pid: int | str = "self") -> int:
    """Return a size from Linux's `/proc/<pid>/status`, e.g. VmHWM: the peak of this program, not of what forked it."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise KeyError(field)


class RequestCount(logging.Handler):
    """Counts the requests that httpx logs; only Prefect's client uses httpx here."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += record.msg.startswith("HTTP Request")


def count_prefect_requests() -> RequestCount:
    """Start to count requests to Prefect, and return the count."""
    counting, httpx = RequestCount(), logging.getLogger("httpx")
    httpx.addHandler(counting)
    httpx.setLevel(logging.INFO)
    httpx.propagate = False  # the log lines are counted, not shown
    return counting


def _profile_all_threads() -> list[cProfile.Profile]:
    profiles: list[cProfile.Profile] = []

    def begin(*_: Any) -> None:  # the first event of a new thread
        sys.setprofile(None)
        profiles.append(cProfile.Profile(time.thread_time))
        profiles[-1].enable()

    threading.setprofile(begin)
    begin()
    return profiles


def _dump(profiles: list[cProfile.Profile], path: str) -> None:
    import pstats

    profiles[0].disable()
    total = pstats.Stats(profiles[0])
    total.dump_stats(f"{path}.main")
    for profile in profiles[1:]:
        total.add(profile)
    total.dump_stats(path)


if __name__ == "__main__":
    main()
