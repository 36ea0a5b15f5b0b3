"""What is deployed for tests."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "prefect.yaml"


def without_schedules(folder: Path) -> Path:
    """A copy of our prefect.yaml with its schedules switched off: they would begin runs amid the tests."""
    quiet = folder / "prefect.yaml"
    quiet.write_text(SHIPPED.read_text().replace("active: true", "active: false"))
    return quiet
