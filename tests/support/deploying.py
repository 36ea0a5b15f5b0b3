"""What is deployed for tests, and deadlines for what works on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = ROOT / "prefect.yaml"
PREFECT_SECONDS = 90.0
"""For an answer of its server, which lets SQLite wait 60 s for its lock (`PRAGMA busy_timeout` in Prefect 3.8)."""


def without_schedules(folder: Path) -> Path:
    """A copy of our prefect.yaml with its schedules switched off: they would begin runs amid the tests."""
    quiet = folder / "prefect.yaml"
    quiet.write_text(SHIPPED.read_text().replace("active: true", "active: false"))
    return quiet


def patient(stack) -> dict[str, str]:
    """Deadlines for the stack's jobs that no slow machine reaches, since its service's time runs so much faster."""
    seconds = f"{PREFECT_SECONDS * stack.time_scale:g}"
    return {f"BATCH_AVATAR_{deadline}_DEADLINE_SECONDS": seconds for deadline in ("START", "JOB")}
