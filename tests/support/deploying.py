"""A stack's Prefect server in tests: what is deployed on it, deadlines for what works on it, and questions to it."""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

from tests.support.processes import ROOT
from tests.support.waiting import PATIENCE_SECONDS, answered

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = ROOT / "prefect.yaml"
PREFECT_SECONDS = 90.0
"""For an answer of its server, which lets SQLite wait 60 s for its lock (`PRAGMA busy_timeout` in Prefect 3.8)."""
CLIENT = str(uuid.uuid4())
"""The name under which the server gives these tests their token against forged requests."""


def without_schedules(folder: Path) -> Path:
    """A copy of our prefect.yaml with its schedules switched off: they would begin runs amid the tests."""
    quiet = folder / "prefect.yaml"
    quiet.write_text(SHIPPED.read_text().replace("active: true", "active: false"))
    return quiet


def patient(stack) -> dict[str, str]:
    """Deadlines for the stack's jobs that no slow machine reaches, since its service's time runs so much faster."""
    seconds = f"{PREFECT_SECONDS * stack.time_scale:g}"
    return {f"BATCH_AVATAR_{deadline}_DEADLINE_SECONDS": seconds for deadline in ("START", "JOB")}


def login(stack) -> tuple[str, str]:
    """User and password of the stack's Prefect server."""
    user, _, password = stack.environment["PREFECT_API_AUTH_STRING"].partition(":")
    return user, password


def asked(stack, method, path, *, seconds=PATIENCE_SECONDS, **options):
    """The answer of the stack's Prefect server to a request that it takes from its own clients."""
    headers = {"Prefect-Csrf-Client": CLIENT, "Prefect-Csrf-Token": _token(stack.prefect_url, login(stack))}
    url = f"{stack.prefect_url}/api/{path}"
    return answered(method, url, seconds=seconds, auth=login(stack), headers=headers, **options)


@lru_cache
def _token(url: str, auth: tuple[str, str]) -> str:
    """Good for an hour, which is longer than any suite asks one server."""
    return answered("GET", f"{url}/api/csrf-token", params={"client": CLIENT}, auth=auth).json()["token"]
