"""The world in which real rows are measured: Azurite, the emulator over HTTP, and runs in processes of their own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch_avatar.clock import SystemClock
from batch_avatar.emulator.options import EmulatorOptions, Progression
from batch_avatar.emulator.storage.azurite import SERVICE_ACCOUNT, USER_ACCOUNT, Azurite
from batch_avatar.emulator.web.server import EmulatorServer
from batch_avatar.models import Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent

QUICK = Progression.after_seconds(start_delay=0.5, overhead=1.5, per_video_second=0.01)
"""Some 3 s for a script of 1.5 KB, so that the work around a job is measured and not the wait for it."""
QUICK_LOOKS_SECONDS = 2.0
"""Poll interval for such jobs, whose ends cannot be predicted."""
SENTENCE = "What was measured yesterday lies on the table, beside what was expected, and both are read again. "
PATIENCE_SECONDS = 120.0


class RunFailed(Exception):
    """A measured process failed or did not end in time, so its figures are worthless."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The figures that a measured process reports; memory and CPU are those of this process only."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    said: dict[str, Any]


@dataclass
class Running:
    """A measured process that has been started."""

    process: subprocess.Popen[bytes]
    _figures: Path
    _log: Path
    _started: float

    def end(self) -> Ended:
        """Wait for the process and return its figures.

        Raises:
            RunFailed: its exit code is not 0, for example because not everything was archived.
        """
        self.process.communicate()
        seconds = SystemClock().monotonic() - self._started
        if self.process.returncode:
            end = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RunFailed(f"exit code {self.process.returncode}: {end}")
        said = json.loads(self._figures.read_text(encoding="utf-8"))
        return Ended(said.get("seconds", seconds), said["cpu_seconds"], int(said["peak_bytes"]), said)

    def kill(self) -> None:
        """Send SIGKILL, so that no clean-up code runs."""
        self.process.kill()
        self.process.communicate()


@dataclass
class World:
    """One emulated resource, an archive, and a folder for the files that processes leave behind."""

    emulator: EmulatorServer
    storage: Azurite
    folder: Path
    container_name: str

    def with_empty_archive(self) -> World:
        """Return a world with the same resource and a new, empty archive."""
        return replace(self, container_name=new_container_name())

    def environment(self, **extra: object) -> dict[str, str]:
        """Return the environment of a measured process, without outside settings of Batch Avatar or Prefect.

        `extra` adds variables under their names.
        """
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("BATCH_AVATAR_", "PREFECT_"))}
        own = {
            "HOME": self.folder,
            "PYTHONPATH": ROOT,
            "BATCH_AVATAR_ENDPOINT": self.emulator.endpoint,
            "BATCH_AVATAR_SPEECH_KEY": self.emulator.key,
            "BATCH_AVATAR_STORAGE_CONNECTION_STRING": self.storage.connection_string(USER_ACCOUNT),
            "BATCH_AVATAR_CONTAINER": self.container_name,
            "BATCH_AVATAR_CREATES_PER_MINUTE": 0,
            "BATCH_AVATAR_POLL_INTERVAL_SECONDS": QUICK_LOOKS_SECONDS,
        }
        return clean | {name: str(value) for name, value in (own | extra).items()}

    def write_manifest(self, scripts: Iterable[Script]) -> None:
        """Write the scripts to `scripts.jsonl`, one line at a time."""
        with (self.folder / "scripts.jsonl").open("w", encoding="utf-8") as file:
            for script in scripts:
                file.write(script.model_dump_json(exclude_unset=True) + "\n")

    def start(self, *options: str, profile: Path | None = None, **extra: object) -> Running:
        """Start `batch-avatar render` on the manifest, as a user does. `profile`: the file to write a profile to."""
        profiled = () if profile is None else ("--profile", str(profile))
        return self._start(HERE / "command.py", (*profiled, "render", "scripts.jsonl", "--json", *options), extra)

    def start_inside(self, *, engine: str = "local", scale: float = 1.0, **extra: object) -> Running:
        """Start the same run without the command around it, see `inside.py`."""
        return self._start(HERE / "inside.py", ("scripts.jsonl", engine, f"{scale:g}"), extra)

    def start_usual(self, *, scale: float, **extra: object) -> Running:
        """Start the flow as people usually write it, see `usual_way.py`."""
        return self._start(HERE / "usual_way.py", ("scripts.jsonl", f"{scale:g}"), extra)

    def _start(self, program: Path, arguments: Iterable[str], extra: dict[str, object]) -> Running:
        figures = self.folder / f"figures-{secrets.token_hex(4)}.json"
        log = figures.with_suffix(".log")
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, str(program), str(figures), *arguments],
                cwd=self.folder,
                env=self.environment(**extra),
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        return Running(process, figures, log, SystemClock().monotonic())


@contextmanager
def open_world(*, on_disk: bool = False, **options: Any) -> Iterator[World]:
    """Start storage and emulator; `options` override our options of the emulator. All of it is removed afterwards.

    `on_disk`: keep the storage on disk, for archives that do not fit into memory.
    """
    chosen = {"creates_per_minute": 0, "media": "minimal", "progression": QUICK} | options
    with tempfile.TemporaryDirectory(prefix="batch-avatar-bench-") as name:
        folder = Path(name)
        storage = Azurite(persist_dir=folder / "storage" if on_disk else None)
        with (
            storage,
            EmulatorServer(
                EmulatorOptions(**chosen), storage_connection_string=storage.connection_string(SERVICE_ACCOUNT)
            ) as emulator,
        ):
            yield World(emulator, storage, folder, new_container_name())


def new_container_name() -> str:
    return f"bench-{secrets.token_hex(6)}"


def plain_scripts(count: int, *, characters: int) -> Iterator[Script]:
    """Yield `count` different scripts of equal length."""
    text = SENTENCE * (characters // len(SENTENCE) + 1)
    for number in range(count):
        yield Script(
            script_id=f"s{number:05d}",
            content=f"{number}: {text}"[: characters - 1] + ".",
            voice="en-US-AvaMultilingualNeural",
            talking_avatar_character="lisa",
            talking_avatar_style="casual-sitting",
        )


def await_that(condition: Callable[[], bool], what: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until the condition is true.

    Raises:
        RunFailed: the condition is still false after `patience_seconds`.
    """
    clock, pause = SystemClock(), threading.Event()
    give_up = clock.monotonic() + patience_seconds
    while not condition():
        if clock.monotonic() > give_up:
            raise RunFailed(f"waited in vain: {what}")
        pause.wait(0.05)
