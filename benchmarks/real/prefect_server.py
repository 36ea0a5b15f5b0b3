"""A real Prefect server with the settings that we ship. It reports what it has recorded and what it has cost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from batch_avatar.commands.stack import prefect_settings
from benchmarks.real.world import RunFailed, await_that

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST_SECONDS = 30.0
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
COMPLETED = {"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
FAR = {"occurred": {"since": "2000-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}}


@dataclass(frozen=True)
class PrefectServer:
    """A running server, on SQLite in a folder of its own."""

    pid: int
    url: str
    settings: dict[str, str]
    """Settings for the processes that use the server."""
    session: requests.Session
    """It brings the password, and the token without which the server takes no POST."""

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of the server and of all processes under it, so far."""
        return sum(_cpu_seconds(pid) for pid in _tree(self.pid))

    def completed_task_runs(self) -> int:
        """Return how many completed task runs are recorded so far; the record lags behind the runs."""
        count: int = self._ask("task_runs/count", COMPLETED)
        return count

    def events(self) -> int:
        """Return how many events are recorded so far."""
        total: int = self._ask("events/filter", {"filter": FAR, "limit": 1})["total"]
        return total

    def await_task_runs(self, count: int) -> int:
        """Wait until `count` completed task runs are recorded; return how many there are, fewer after a timeout."""
        try:
            await_that(lambda: self.completed_task_runs() >= count, f"{count} task runs")
        except RunFailed:
            return self.completed_task_runs()
        return self.completed_task_runs()

    def await_quiet(self) -> None:
        """Wait until no more events are being recorded."""
        seen: list[int] = []

        def quiet() -> bool:
            seen.append(self.events())
            return len(seen) > QUIET_LOOKS and seen[-1] == seen[-QUIET_LOOKS]

        await_that(quiet, "an end of the events")

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.session.post(f"{self.url}/{path}", json=body, timeout=REQUEST_SECONDS)
        answer.raise_for_status()
        return answer.json()


QUIET_LOOKS = 60
"""Looks without a new event, 50 ms apart, that count as quiet. The recorder flushes once a second."""


@contextmanager
def open_prefect(folder: Path) -> Iterator[PrefectServer]:
    """Start a server and wait until it answers; it stops at the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {**prefect_settings(port), "PREFECT_HOME": str(folder / "prefect")}
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("BATCH_AVATAR_", "PREFECT_"))}
    log = folder / "prefect.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=clean | settings,
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}/api"
            await_that(lambda: process.poll() is not None or _answers(f"{url}/health"), "Prefect's server")
            if process.poll() is not None:
                raise RunFailed(f"Prefect's server ended: {log.read_text(encoding='utf-8')[-2000:]}")
            client = {name: settings[name] for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING")}
            user = {**client, "PREFECT_HOME": str(folder / "prefect-client")}
            with _let_in(url, settings["PREFECT_API_AUTH_STRING"]) as session:
                yield PrefectServer(process.pid, url, user, session)
        finally:
            process.terminate()


def _let_in(url: str, password: str) -> requests.Session:
    session = requests.Session()
    user, _, word = password.partition(":")
    session.auth = (user, word)
    session.headers["Prefect-Csrf-Client"] = "benchmark"
    token = session.get(f"{url}/csrf-token", params={"client": "benchmark"}, timeout=REQUEST_SECONDS)
    token.raise_for_status()
    session.headers["Prefect-Csrf-Token"] = token.json()["token"]
    return session


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=REQUEST_SECONDS).ok
    except requests.RequestException:
        return False


def _tree(pid: int) -> list[int]:
    """Return the process and all running processes under it."""
    found = [pid]
    for parent in found:
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in tasks.read_text(encoding="utf-8").split()]
    return found


def _cpu_seconds(pid: int) -> float:
    """Return user and system time of a process and of its children that have ended; see proc(5), stat."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS_A_SECOND
