"""What a scenario takes place in: one emulated resource, one empty archive, and processes that use both."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.judge_packs import judge_packs
from tests.support.judge import judge
from tests.support.processes import CLI, own_environment, run_python, start_python
from tests.support.scripts import script, write_manifest
from tests.support.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from batch_avatar.emulator.web.server import EmulatorServer

GA, PREVIEW = "2024-08-01", "3.1-preview1"
WORKER = Path(__file__).with_name("worker.py")
SETTINGS = {
    "BATCH_AVATAR_CLAIM_SECONDS": "120",
    "BATCH_AVATAR_REQUEST_TIMEOUT_SECONDS": "30",  # an answer that comes late is no answer that is lost
    "BATCH_AVATAR_POLL_INTERVAL_SECONDS": "0.1",
    "BATCH_AVATAR_CREATES_PER_MINUTE": "0",
    "BATCH_AVATAR_SETTLE_SECONDS": "2",  # 3.1-preview1 only
}
"""Of every process; what a scenario sets goes before."""
AGEING = {"BATCH_AVATAR_CLAIM_SECONDS": "8", "BATCH_AVATAR_REQUEST_TIMEOUT_SECONDS": "2"}
"""Where claims are to be taken over. A create may leave 4 s after its claim was written and be given up 2 s later, so
that 2 s are left in which it may still arrive."""


@dataclass
class Ended:
    """A process that has ended; `report` is what it printed last, if that was one."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict:
        return json.loads(self.stdout[self.stdout.index("{") :])

    @property
    def unfinished(self) -> str:
        """How many scripts it left, in words; without its plan a run ends without a report."""
        return f"{self.report['unfinished']} unfinished" if "{" in self.stdout else f"ended with {self.returncode}"


class Worker:
    """A worker process at its point."""

    def __init__(self, process: subprocess.Popen, log: Path) -> None:
        self._process = process
        self._log = log

    def await_point(self, point: str) -> None:
        """Return when it is held there."""
        watchdog = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        assert line == f"reached {point}\n", f"it went by {point}: {line}{self._log.read_text()}"

    def kill(self) -> None:
        """SIGKILL: no clean-up code runs."""
        self._process.kill()
        self._process.wait()

    def release(self) -> Ended:
        """Let it go on, to its end."""
        stdout, _ = self._process.communicate("go on\n", timeout=PATIENCE_SECONDS)
        return Ended(self._process.returncode, stdout, self._log.read_text())


@dataclass
class Arena:
    emulator: EmulatorServer
    connection_string: str
    container_name: str
    api_version: str
    folder: Path
    extra: dict[str, str]
    staging_name: str | None = None
    """The container for packed jobs, where there are any."""
    started: list[subprocess.Popen] = field(default_factory=list)

    def environment(self, name: str) -> dict[str, str]:
        """Of a process with a home of its own, without any setting of ours or of Prefect's from outside."""
        home = self.folder / f"{name}-{secrets.token_hex(3)}"
        home.mkdir()
        return {
            **own_environment(home),
            "PREFECT_HOME": str(home / "prefect"),
            "BATCH_AVATAR_ENDPOINT": self.emulator.endpoint,
            "BATCH_AVATAR_SPEECH_KEY": self.emulator.key,
            "BATCH_AVATAR_API_VERSION": self.api_version,
            "BATCH_AVATAR_STORAGE_CONNECTION_STRING": self.connection_string,
            "BATCH_AVATAR_CONTAINER": self.container_name,
            **({"BATCH_AVATAR_STAGING_CONTAINER": self.staging_name} if self.staging_name else {}),
            **SETTINGS,
            **self.extra,
        }

    def write_manifest(self, count: int, *, lengths: int = 1) -> list[str]:
        """`scripts.jsonl` with so many scripts, of so many lengths; their ids."""
        names = [f"s{number:03d}" for number in range(count)]
        texts = [f"Hello from {name}." + " And again." * (number % lengths) for number, name in enumerate(names)]
        scripts = [script(name, content=text) for name, text in zip(names, texts, strict=True)]
        write_manifest(self.folder, scripts)
        return names

    @contextmanager
    def worker(self, point: str, *options: str):
        """A worker that is held at the point; it does not outlive the block."""
        log = self.folder / f"worker-{point}.log"
        with (
            log.open("w") as stderr,
            subprocess.Popen(
                [sys.executable, str(WORKER), "--point", point, *options, "scripts.jsonl"],
                cwd=self.folder,
                env=self.environment("worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            ) as process,
        ):
            try:
                worker = Worker(process, log)
                worker.await_point(point)
                yield worker
            finally:
                process.kill()

    def start(self, *options: str) -> subprocess.Popen:
        """`batch-avatar render` on the manifest, as a user runs it; `end` waits for it."""
        process = start_python(
            *(*CLI, "render", "scripts.jsonl", "--json", *options),
            folder=self.folder,
            environment=self.environment("command"),
        )
        self.started.append(process)
        return process

    def end(self, process: subprocess.Popen, *, timeout: float = PATIENCE_SECONDS) -> Ended:
        stdout, stderr = process.communicate(timeout=timeout)
        return Ended(process.returncode, stdout, stderr)

    def close(self) -> None:
        """End whatever still runs."""
        for process in self.started:
            with process:
                process.kill()

    def render(self, *options: str) -> Ended:
        return self.end(self.start("--engine", "local", *options))

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Any other command, to its end."""
        return run_python(*CLI, *arguments, folder=self.folder, environment=self.environment("command"))

    def show_all_jobs(self) -> bool:
        """Whether there is any job; if so, the list shows it from now on, however it lags."""
        if any(not job["deleted"] for job in self.emulator.jobs()):
            self.emulator.advance(self.emulator.options.list_lag_seconds)
            return True
        return False

    def await_ends(self) -> None:
        """Return when every job that is there has ended."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not all(job["terminal"] or job["deleted"] for job in self.emulator.jobs()):
            assert time.monotonic() < give_up, "the jobs do not end"
            time.sleep(0.05)

    def dropped(self) -> list[str]:
        """Scripts of which the service rendered a video that it did not keep."""
        lost = {
            one["content"]
            for job in self.emulator.jobs()
            for one in job["inputs"]
            if one["milliseconds"] and one["video"] is None
        }
        given = [json.loads(line) for line in (self.folder / "scripts.jsonl").read_text().splitlines()]
        return [one["script_id"] for one in given if hashlib.sha256(one["content"].encode()).hexdigest()[:16] in lost]

    def judge(self, scripts, **kwargs):
        return judge(self.emulator.endpoint, self.connection_string, self.container_name, scripts, **kwargs)

    def judge_packs(self, scripts, **kwargs):
        """As `judge`, where scripts share jobs."""
        containers = (self.container_name, self.staging_name)
        return judge_packs(self.emulator.endpoint, self.connection_string, containers, scripts, **kwargs)
