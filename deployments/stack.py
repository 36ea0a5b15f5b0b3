"""Run the system of compose.yaml as processes of this machine: Postgres, Redis, a Prefect server, and workers.

    python -m deployments.stack start [--workers N] [--time-scale X]
    python -m deployments.stack stop

Storage and service are those of the demo: Azurite and the emulator. All files of the stack lie in one folder; sourcing
its `stack.env` points `prefect` and `batch-avatar` at the stack. It needs Postgres and Redis: `make tools`.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batch_avatar.commands.stack import (
    CREATES_PER_MINUTE,
    ROOT,
    SERVER_SETTINGS,
    Stack,
    Starting,
    known_stack,
    new_secret,
    prefect_settings,
    read_env,
    running_stack,
)
from batch_avatar.commands.terminal.own_files import write_private
from batch_avatar.errors import BatchAvatarError

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = ROOT / ".stack"
POOL = "batch-avatar"
SCALE_OUT_SETTINGS = SERVER_SETTINGS.with_name("scale-out.env")
WORKER_SETTINGS = SERVER_SETTINGS.with_name("worker.env")
WORKERS, RUNS_PER_WORKER = 2, 2  # a run at work takes half of a core and 100 MB
SUPERUSER = "postgres"  # Postgres refuses to run as root; Debian's package brings this user
PATIENCE_SECONDS = 120.0  # Postgres and Redis take about 1 s; a machine may be far slower


def start(
    folder: Path = FOLDER,
    *,
    workers: int = WORKERS,
    time_scale: float = 30.0,
    creates_per_minute: int = CREATES_PER_MINUTE,
    settings: Mapping[str, str] | None = None,
) -> Stack:
    """Start all of it and wait until it answers; if something does not, nothing is left running.

    `creates_per_minute` is the service's quota, in its time; `settings` are added to those of workers and server.

    Raises:
        BatchAvatarError: something did not start or is not installed; the message has the end of its log or says so.
    """
    with Starting(folder) as starting:
        database_port, messages_port = starting.free_port(), starting.free_port()
        password = _start_postgres(starting, database_port)
        messages_password = _start_redis(starting, messages_port)
        hosts = {
            "postgres:5432/prefect": f"127.0.0.1:{database_port}/postgres",  # which every cluster has
            "redis:6379": f":{messages_password}@127.0.0.1:{messages_port}",
            "${POSTGRES_PASSWORD}": password,
        }
        service = starting.service(time_scale=time_scale, creates_per_minute=creates_per_minute)
        service["BATCH_AVATAR_INBOX_CONTAINER"] = "inbox"
        environment = {
            **service,
            **prefect_settings(starting.free_port()),
            **{name: _replaced(value, hosts) for name, value in read_env(SCALE_OUT_SETTINGS).items()},
            "PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1",
            "PREFECT_REDIS_MESSAGING_PORT": str(messages_port),
            "PREFECT_REDIS_MESSAGING_PASSWORD": messages_password,
            "PREFECT_HOME": starting.prefect_home(),
            **read_env(WORKER_SETTINGS),
            **(settings or {}),
        }
        starting.run("prefect-api", server_command("prefect-api", environment["PREFECT_API_URL"]), environment)
        starting.await_answer(f"{service['BATCH_AVATAR_ENDPOINT']}/emulator/health", "emulator")
        starting.await_answer(f"{environment['PREFECT_API_URL']}/health", "prefect-api")
        services = server_command("prefect-services", environment["PREFECT_API_URL"])
        starting.run("prefect-services", services, environment)
        for number in range(1, workers + 1):
            starting.run(f"worker-{number}", worker_command(f"worker-{number}"), environment)
        return starting.finish(environment, time_scale=time_scale)


def server_command(name: str, url: str) -> list[str]:
    """Return the command for the API alone, which also migrates the database, or for the services.

    The services handle events and schedules.
    """
    command = [sys.executable, "-m", "prefect", "server"]
    if name == "prefect-services":
        return [*command, "services", "start"]
    return [*command, "start", "--no-services", "--host", "127.0.0.1", "--port", str(urlsplit(url).port)]


def worker_command(name: str, *, limit: int = RUNS_PER_WORKER) -> list[str]:
    """Return the command for a worker that starts again when it dies, as those of compose.yaml and of the unit do."""
    worker = [sys.executable, "-m", "deployments.worker", "--pool", POOL, "--name", name, "--limit", str(limit)]
    return [sys.executable, "-m", "deployments.keeping", *worker]


def _replaced(value: str, parts: Mapping[str, str]) -> str:
    for part, by in parts.items():
        value = value.replace(part, by)
    return value


def _start_postgres(starting: Starting, port: int) -> str:
    """Start Postgres with a new database cluster, and return its password."""
    programs = _postgres_programs()
    user = SUPERUSER if os.geteuid() == 0 else None
    home = starting.make_scratch("postgres")  # where that user can reach it
    password = new_secret()
    secret = home / "password"
    write_private(secret, password)
    if user is not None:
        owner = pwd.getpwnam(user)
        for path in (home, secret):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    made = subprocess.run(
        [
            *(programs / "initdb", "--pgdata", home / "data", "--username", "prefect", "--pwfile", secret),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-instructions"),
        ],
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise BatchAvatarError("Postgres cannot be set up:", more=made.stderr.splitlines())
    secret.unlink()
    settings = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(home)}
    command = [str(programs / "postgres"), "-D", str(home / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command]
    starting.run("postgres", command, {})
    _await_port(starting, port, "postgres")
    return password


def _postgres_programs() -> Path:
    """Return the folder of Postgres's programs. Debian keeps them off the PATH, one folder per version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    anywhere = shutil.which("initdb")
    if not found and anywhere is None:
        raise BatchAvatarError("Postgres is not installed: make tools")
    return found[-1].parent if found else Path(str(anywhere)).resolve().parent


def _start_redis(starting: Starting, port: int) -> str:
    """Start Redis, and return its password: what lies in it is carried out by Prefect's services."""
    if shutil.which("redis-server") is None:
        raise BatchAvatarError("Redis is not installed: make tools")
    password = new_secret()
    settings = starting.folder / "redis.conf"  # a command line can be read by every user of the machine
    write_private(settings, f'requirepass {password}\nbind 127.0.0.1\nport {port}\nsave ""\nappendonly no\n')
    starting.run("redis", ["redis-server", str(settings)], {})
    _await_port(starting, port, "redis")
    return password


def _await_port(starting: Starting, port: int, name: str) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while starting.is_alive(name) and time.monotonic() < give_up:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise starting.not_started(name)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deployments.stack", description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("start", help="start everything and leave it running")
    up.add_argument("--workers", type=int, default=WORKERS, help=f"worker processes (default {WORKERS})")
    up.add_argument("--time-scale", type=float, default=30.0, help="service seconds per real second (default 30)")
    commands.add_parser("stop", help="end everything that start left running")
    given = parser.parse_args()
    try:
        if given.command == "stop":
            _stop()
        else:
            _start(workers=given.workers, time_scale=given.time_scale)
    except BatchAvatarError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _stop() -> None:
    known = known_stack(FOLDER)
    if known is not None:
        sys.stderr.writelines(f"{remark}\n" for remark in known.stop())
    sys.stdout.write("stopped\n" if known else "nothing was running\n")


def _start(*, workers: int, time_scale: float) -> None:
    running = running_stack(FOLDER)
    if running is None:
        sys.stdout.write("starting Postgres, Redis, storage, service, Prefect and workers (some 40 s) ...\n")
        sys.stdout.flush()
        running = start(workers=workers, time_scale=time_scale)
    for name, process in running.processes.items():
        sys.stdout.write(f"{name:17} process {process.pid}\n")
    sys.stdout.write(
        f"\nPrefect UI: {running.prefect_url}    service: {running.service_url}\n"
        f"The UI asks for a password once: all of PREFECT_API_AUTH_STRING in {FOLDER.name}/stack.env\n"
        f"Use it:  make deploy, then  . {FOLDER.name}/stack.env\nEnd it:  make stack-stop\n"
    )


if __name__ == "__main__":
    sys.exit(main())
