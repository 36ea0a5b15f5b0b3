"""Processes that outlive the process that starts them. They are known by their process id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Its files are for its owner alone: logs, databases, and whatever else it writes.
_LEAVE_BEHIND = 'umask 077; log=$1; shift; "$@" >"$log" 2>&1 </dev/null & echo $!'


def start_detached(command: Sequence[str], *, log: Path, extra: Mapping[str, str]) -> int:
    """Start a command in a session of its own, in the log's folder, and return its process id.

    A shell starts the command and exits at once, so the command is not our child and need not be waited for.
    """
    started = subprocess.run(
        ["sh", "-c", _LEAVE_BEHIND, "sh", str(log), *command],
        cwd=log.parent,
        env={**os.environ, **extra},
        stdout=subprocess.PIPE,
        start_new_session=True,
        check=True,
    )
    return int(started.stdout)


def is_running(pid: int) -> bool:
    """Return whether a process with this id runs and may be signalled by us."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return not _has_ended(pid)


def started_at(pid: int) -> str | None:
    """Return when the process with this id started, as this system tells it, or None if there is none.

    An id is given again to another process, but not at the same time. The unit is the system's own: ticks since the
    machine started (proc(5), stat, field 22), or a date where there is no /proc.
    """
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
        except OSError:
            return None
        return fields[19]  # the state, which comes after the name, is field 3
    return _told_by_ps(pid)


def output_of(pid: int) -> Path | None:
    """Return the file that the process with this id writes its output to; None if that is not told (no /proc)."""
    try:
        return Path(f"/proc/{pid}/fd/1").readlink()
    except OSError:
        return None


def _told_by_ps(pid: int) -> str | None:
    """Return when a process started, in words that do not depend on language and time zone; None if there is none."""
    told = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        env=os.environ | {"LC_ALL": "C", "TZ": "UTC0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or None


def _has_ended(pid: int) -> bool:
    """Return whether the process only waits to be reaped; False where /proc does not say.

    Not every first process of a container reaps the processes that it inherits.
    """
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2]
    except OSError:
        return False
    return state.startswith("Z")


def stop_process(pid: int, *, grace_seconds: float = 3.0) -> None:
    """Send SIGTERM, and SIGKILL after the grace time: an open download blocks Azurite's exit for ever."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        give_up = time.monotonic() + grace_seconds
        while is_running(pid):
            if time.monotonic() > give_up:
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.02)
