"""The embedded stack: Azurite, the emulator and a Prefect server as processes of this machine, on loopback only.

Everything it writes lies in one folder: logs, Prefect's home, `stack.json` with the processes, and `stack.env`,
which points `batch-avatar` and `prefect` at it when it is sourced.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import requests
from pydantic import Field, PositiveInt
from urllib3.util.retry import Retry

from batch_avatar.commands.terminal import own_files
from batch_avatar.emulator.ports import free_port
from batch_avatar.emulator.process import is_running, output_of, start_detached, started_at, stop_process
from batch_avatar.emulator.storage.azurite import SERVICE_ACCOUNT, USER_ACCOUNT, Azurite
from batch_avatar.errors import BatchAvatarError
from batch_avatar.models import Written
from batch_avatar.safe_text.redaction import know
from batch_avatar.service.session import open_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
SERVER_SETTINGS = ROOT / "deployments" / "server.env"
CREATES_PER_MINUTE = 2  # the service's default quota, in service time
POLL_INTERVAL_SECONDS = 10  # our default, in service time
SETTLE_SECONDS = 60  # likewise
TRIES = Retry(total=4, connect=4, backoff_factor=0.25, backoff_max=0.5, status_forcelist=(502, 503))
"""They take 1.5 s where nobody listens; after that we check whether the process still runs."""
LOOKS = 200
"""Rounds of these tries, 5 minutes where nobody listens. A Prefect server migrates its new database first: 10 to 14 s
on two cores (measured with Prefect 3.9). A machine may be far slower, and a process that ended is noticed at once."""


class Process(Written):
    """A process that was started for a stack. Its id alone may belong to another process by now."""

    pid: PositiveInt
    started: str
    """As `started_at` told it."""

    def is_ours(self) -> bool:
        """Return whether it is this process that runs under its id."""
        return is_running(self.pid) and started_at(self.pid) == self.started


class Stack(Written):
    """A running stack, with its ports on 127.0.0.1. Up to its first hyphen, a process's name says what it runs."""

    folder: Path
    time_scale: float
    processes: dict[str, Process] = Field(min_length=1)
    storage_url: str
    service_url: str
    prefect_url: str
    environment: dict[str, str]
    scratch: tuple[Path, ...] = ()
    """Folders elsewhere that are deleted with the stack."""

    def stop(self) -> list[str]:
        """End the processes, the last started first, and forget them. Return what was left alone, and why."""
        left = []
        for name, process in reversed(self.processes.items()):
            if process.is_ours():
                stop_process(process.pid)
            elif is_running(process.pid):
                left.append(f"process {process.pid} is left alone: it is not the {name} that this stack started")
        (self.folder / "stack.json").unlink(missing_ok=True)
        (self.folder / "stack.env").unlink(missing_ok=True)
        kept = [path for path in self.scratch if not own_files.delete_marked_folder(path, str(self.folder))]
        return [*left, *(f"{path} is left alone: this stack did not make it" for path in kept)]

    def child_environment(self) -> dict[str, str]:
        """Return this process's environment, pointed at the stack and at nothing else."""
        rest = {k: v for k, v in os.environ.items() if not k.startswith(("BATCH_AVATAR_", "PREFECT_"))}
        return {**rest, **self.environment}


def known_stack(folder: Path) -> Stack | None:
    """Return the stack that was left running in this folder; some or all of it may have ended since.

    Raises:
        BatchAvatarError: somebody else may have written its file, which names what to end and to delete.
    """
    text = own_files.read_private(folder / "stack.json")
    try:
        values = json.loads(text or "null")
        if isinstance(values, dict) and isinstance(values.get("processes"), dict):
            values["processes"] = {
                name: _of_earlier_version(name, process, folder) if isinstance(process, int) else process
                for name, process in values["processes"].items()
            }
        return Stack.model_validate(values).model_copy(update={"folder": folder})
    except ValueError:
        return None


def _of_earlier_version(name: str, pid: int, folder: Path) -> Process:
    """Return the process of a file from before start times were in it: only what writes its log here is ours."""
    started = started_at(pid)
    log = folder.resolve() / f"{name}.log"
    return Process(pid=pid, started=started if started and output_of(pid) == log else "not known")


def running_stack(folder: Path) -> Stack | None:
    """Return that stack if all of it still runs; otherwise end what is left of it.

    Raises:
        BatchAvatarError: as `known_stack`.
    """
    stack = known_stack(folder)
    if stack is not None and not all(process.is_ours() for process in stack.processes.values()):
        stack.stop()
        return None
    return stack


def start_stack(folder: Path, *, time_scale: float, api_version: str = "2024-08-01") -> Stack:
    """Start all three and wait until they answer; if one does not, none is left running.

    Raises:
        BatchAvatarError: one did not start; the message has the end of its log.
    """
    with Starting(folder) as starting:
        service = starting.service(time_scale=time_scale, api_version=api_version)
        port = starting.free_port()
        prefect = {**prefect_settings(port), "PREFECT_HOME": starting.prefect_home()}
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        starting.run("prefect", command, prefect)
        starting.await_answer(f"{service['BATCH_AVATAR_ENDPOINT']}/emulator/health", "emulator")
        starting.await_answer(f"http://127.0.0.1:{port}/api/health", "prefect")
        return starting.finish({**service, **prefect}, time_scale=time_scale)


def new_secret(before: str = "") -> str:
    """Return a new password or key with `before` before it; no text shows it, e.g. the end of a log."""
    password = secrets.token_hex(16)
    know(password)
    know(before + password)
    return before + password


def prefect_settings(port: int) -> dict[str, str]:
    """Return the settings for a Prefect server on this port and for its clients, with a new password.

    The page of the UI asks the server under the address that its person opened, or under PREFECT_API_URL.
    """
    password = new_secret("admin:")
    return {
        **read_env(SERVER_SETTINGS),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_UI_URL": f"http://127.0.0.1:{port}",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "PREFECT_SERVER_API_AUTH_STRING": password,
        "PREFECT_API_AUTH_STRING": password,
    }


class Starting:
    """A stack that is being started in its folder. Unless all of it starts, what was started is ended again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._undo = ExitStack()
        self._processes: dict[str, Process] = {}
        self._scratch: list[Path] = []
        self._ports: set[int] = set()

    def __enter__(self) -> Self:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def service(
        self, *, time_scale: float, api_version: str = "2024-08-01", creates_per_minute: int = CREATES_PER_MINUTE
    ) -> dict[str, str]:
        """Start storage and service. Return the settings that point at them. `creates_per_minute`: in service time."""
        try:
            azurite = Azurite(detached=True, log_path=self._new_log("azurite")).start()
        except RuntimeError as error:
            raise BatchAvatarError(str(error)) from None
        self.adopt("azurite", azurite.pid)
        key, port = new_secret(), self.free_port()
        command = [sys.executable, "-m", "batch_avatar.commands.cli", "emulator", "--port", str(port)]
        command += ["--time-scale", f"{time_scale:g}", "--creates-per-minute", str(creates_per_minute)]
        connection, archive = map(azurite.connection_string, (SERVICE_ACCOUNT, USER_ACCOUNT))
        know(connection)
        know(archive)
        self.run("emulator", command, {"EMULATOR_STORAGE_CONNECTION_STRING": connection, "EMULATOR_KEY": key})
        return {
            "BATCH_AVATAR_API_VERSION": api_version,
            "BATCH_AVATAR_ENDPOINT": f"http://127.0.0.1:{port}",
            "BATCH_AVATAR_SPEECH_KEY": key,
            "BATCH_AVATAR_STORAGE_CONNECTION_STRING": archive,
            "BATCH_AVATAR_CONTAINER": "videos",
            "BATCH_AVATAR_CREATES_PER_MINUTE": f"{creates_per_minute * time_scale:g}",
            "BATCH_AVATAR_POLL_INTERVAL_SECONDS": f"{POLL_INTERVAL_SECONDS / time_scale:g}",
            "BATCH_AVATAR_SETTLE_SECONDS": f"{SETTLE_SECONDS / time_scale:g}",
        }

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process with `environment` added to our own; its log is `<name>.log`."""
        self.adopt(name, start_detached(command, log=self._new_log(name), extra=environment))

    def prefect_home(self) -> str:
        """Return the folder of Prefect's database and settings, for this user alone."""
        own_files.make_private_folder(self.folder / "prefect")
        return str(self.folder / "prefect")

    def _new_log(self, name: str) -> Path:
        """Return where a log goes. One that lies there is deleted: others may read it, or it is a link elsewhere."""
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        return log

    def make_scratch(self, name: str) -> Path:
        """Make a folder elsewhere, for what cannot lie in the stack's own; it is deleted with the stack."""
        path = own_files.make_marked_folder(name, str(self.folder))
        self._undo.callback(own_files.delete_marked_folder, path, str(self.folder))
        self._scratch.append(path)
        return path

    def adopt(self, name: str, pid: int) -> None:
        """Take charge of a process that was started for the stack: it is ended with the stack."""
        self._undo.callback(stop_process, pid)
        self._processes[name] = Process(pid=pid, started=started_at(pid) or "ended at once")

    def free_port(self) -> int:
        """Return a free port, another one each time, because the earlier ones may not be bound yet."""
        port = next(port for port in iter(free_port, None) if port not in self._ports)
        self._ports.add(port)
        return port

    def is_alive(self, name: str) -> bool:
        """Return whether the process of this name still runs."""
        return is_running(self._processes[name].pid)

    def await_answer(self, url: str, name: str) -> None:
        """Wait until the process of this name answers with success; the session waits between its tries.

        Raises:
            BatchAvatarError: the process has ended or takes too long.
        """
        with open_session(retry=TRIES) as session:
            for _ in range(LOOKS):
                if not self.is_alive(name):
                    break
                with suppress(requests.RequestException):
                    session.get(url, timeout=5).raise_for_status()
                    return
        raise self.not_started(name)

    def not_started(self, name: str) -> BatchAvatarError:
        """Return the error for a process that did not start, with the end of its log."""
        log = self.folder / f"{name}.log"
        end = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        return BatchAvatarError(f"{name} did not start:", more=end.splitlines())

    def finish(self, environment: dict[str, str], *, time_scale: float) -> Stack:
        """Return the stack that now runs, and leave it running; write its files."""
        stack = Stack(
            folder=self.folder,
            time_scale=time_scale,
            processes=self._processes,
            storage_url="http://" + urlsplit(_blob_endpoint(environment)).netloc,
            service_url=environment["BATCH_AVATAR_ENDPOINT"],
            prefect_url=environment["PREFECT_API_URL"].removesuffix("/api"),
            environment=environment,
            scratch=tuple(self._scratch),
        )
        own_files.write_private(self.folder / "stack.json", stack.model_dump_json(indent=2))
        exports = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
        own_files.write_private(self.folder / "stack.env", "\n".join(exports) + "\n")
        self._undo.pop_all()
        return stack


def _blob_endpoint(environment: Mapping[str, str]) -> str:
    return environment["BATCH_AVATAR_STORAGE_CONNECTION_STRING"].partition("BlobEndpoint=")[2].partition(";")[0]


def read_env(path: Path) -> dict[str, str]:
    """Return the settings in one of our .env files."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
