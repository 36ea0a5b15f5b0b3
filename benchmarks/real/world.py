"""What rows of real parts take place in: Azurite, the emulator over HTTP, and runs in processes of their own."""

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
"""Some 3 s for a script of 1.5 KB, so that what is measured is the work around a job and not the wait for it."""
QUICK_LOOKS_SECONDS = 2.0
"""Poll interval for such jobs; nobody could predict them."""
SENTENCE = "What was measured yesterday lies on the table, beside what was expected, and both are read again. "
PATIENCE_SECONDS = 120.0


class RunFailed(Exception):
    """A measured process did not end as it should, so its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a measured process said of itself; memory and CPU are of that process alone."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    said: dict[str, Any]


@dataclass
class Running:
    """A measured process."""

    process: subprocess.Popen[bytes]
    _figures: Path
    _log: Path
    _started: float

    def end(self) -> Ended:
        """Wait for its end.

        Raises:
            RunFailed: not everything was archived.
        """
        self.process.communicate()
        seconds = SystemClock().monotonic() - self._started
        if self.process.returncode:
            end = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RunFailed(f"exit code {self.process.returncode}: {end}")
        said = json.loads(self._figures.read_text(encoding="utf-8"))
        return Ended(said.get("seconds", seconds), said["cpu_seconds"], int(said["peak_bytes"]), said)

    def kill(self) -> None:
        """SIGKILL: no clean-up code runs."""
        self.process.kill()
        self.process.communicate()


@dataclass
class World:
    """One emulated resource, an archive, and a folder for what processes leave behind."""

    emulator: EmulatorServer
    storage: Azurite
    folder: Path
    container_name: str

    def with_empty_archive(self) -> World:
        """The same resource in front of another archive, which nothing has been written to."""
        return replace(self, container_name=new_container_name())

    def environment(self, **extra: object) -> dict[str, str]:
        """Of a process without any setting of ours or of Prefect's from outside; `extra` as variables are named."""
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
        """`scripts.jsonl`, one line at a time."""
        with (self.folder / "scripts.jsonl").open("w", encoding="utf-8") as file:
            for script in scripts:
                file.write(script.model_dump_json(exclude_unset=True) + "\n")

    def start(self, *options: str, profile: Path | None = None, **extra: object) -> Running:
        """`batch-avatar render` on the manifest, as a user runs it; with a profile, it goes into that file."""
        profiled = () if profile is None else ("--profile", str(profile))
        return self._start(HERE / "command.py", (*profiled, "render", "scripts.jsonl", "--json", *options), extra)

    def start_inside(self, *, engine: str = "local", scale: float = 1.0, **extra: object) -> Running:
        """The same without the command around it, see `inside.py`."""
        return self._start(HERE / "inside.py", ("scripts.jsonl", engine, f"{scale:g}"), extra)

    def start_usual(self, *, scale: float, **extra: object) -> Running:
        """The flow as people usually write it, see `usual_way.py`."""
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
    """Start the parts, with the emulator's `options` in place of ours; all of it is gone afterwards.

    `on_disk`: where what is archived would not fit into memory.
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
    """So many scripts of one length, each unlike the others."""
    text = SENTENCE * (characters // len(SENTENCE) + 1)
    for number in range(count):
        yield Script(
            script_id=f"s{number:05d}",
            content=f"{number}: {text}"[: characters - 1] + ".",
            voice="en-US-AvaMultilingualNeural",
            talking_avatar_character="lisa",
            talking_avatar_style="graceful-sitting",
        )


def await_that(condition: Callable[[], bool], what: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when it is so.

    Raises:
        RunFailed: it does not become so.
    """
    clock, pause = SystemClock(), threading.Event()
    give_up = clock.monotonic() + patience_seconds
    while not condition():
        if clock.monotonic() > give_up:
            raise RunFailed(f"waited in vain: {what}")
        pause.wait(0.05)
