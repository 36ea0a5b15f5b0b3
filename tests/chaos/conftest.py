"""The arena, the table at the end, and the option for the long form."""

from __future__ import annotations

import secrets

import pytest

from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from tests.chaos.arena import GA, PREVIEW, Arena
from tests.chaos.machine.options import pytest_addoption_machine  # noqa: F401 - a hook
from tests.support.bench import QUICK

PREVIEW_LAG_SECONDS = 0.9  # below the 2 s for which the runs let an absence settle, as it has to be
TEST_SECONDS = 600  # several runs, each of which is waited for as long as `PATIENCE_SECONDS`
COLUMNS = (
    ("point", "<"),
    ("kind", "<"),
    ("generation", "<"),
    ("reading", "<"),
    ("scripts", ">"),
    ("accepted creates", ">"),
    ("billed s", ">"),
    ("unique s", ">"),
    ("billed/unique", ">"),
    ("leftovers", ">"),
    ("remark", "<"),
)


def pytest_addoption(parser):
    parser.addoption(
        "--full",
        action="store_true",
        help="chaos: every reading of a repeated create at every point, also where none can come",
    )


def pytest_itemcollected(item):
    """Runs pause for more than a minute at times: what has no limit of its own gets that of this folder."""
    if item.get_closest_marker("timeout") is None:
        item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture
def arena(azurite, start_emulator, tmp_path):
    """`arena(api_version=..., environment={...}, packs=..., **emulator_options)`; its emulator ends with the test."""
    running: list[Arena] = []

    def start(*, api_version=GA, environment=None, packs=False, connection_string=None, **options) -> Arena:
        lag = {"list_lag_seconds": PREVIEW_LAG_SECONDS} if api_version == PREVIEW else {}
        arena = Arena(
            emulator=start_emulator(**({"media": "minimal", "progression": QUICK, **lag} | options)),
            connection_string=connection_string or azurite.connection_string(USER_ACCOUNT),
            container_name=(name := f"chaos-{secrets.token_hex(6)}"),
            api_version=api_version,
            folder=tmp_path,
            extra=environment or {},
            staging_name=f"{name}-staging" if packs else None,
        )
        running.append(arena)
        return arena

    yield start
    for arena in running:
        arena.close()


@pytest.fixture
def row(record_property):
    """`row(point=..., kind=..., ...)` gives what notes the figures for the table: `judge(..., note=row(...))`."""

    def about(*, point, kind, generation=GA, reading="any", remark=""):
        def note(figures):
            cells = {
                "point": point,
                "kind": kind,
                "generation": generation,
                "reading": reading,
                "scripts": figures.scripts,
                "accepted creates": figures.accepted_creates,
                "billed s": figures.billed_seconds,
                "unique s": figures.unique_seconds,
                "billed/unique": f"{figures.ratio:.3f}",
                "leftovers": len(figures.leftovers),
                "remark": remark,
            }
            record_property("chaos", cells)

        return note

    return about


def pytest_terminal_summary(terminalreporter):
    """One row per scenario, also of those that failed."""
    rows = []
    for outcome in ("passed", "failed", "xfailed", "xpassed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, cells in getattr(report, "user_properties", []):
                if name == "chaos" and report.when == "call":
                    end = "" if outcome == "passed" else outcome.upper()
                    remark = " ".join(part for part in (end, cells["remark"]) if part)
                    rows.append([str((cells | {"remark": remark})[column]) for column, _ in COLUMNS])
    if not rows:
        return
    head = [column for column, _ in COLUMNS]
    widths = [max(len(line[index]) for line in [head, *rows]) for index in range(len(head))]
    terminalreporter.section("chaos: what the service saw")
    for line in [head, *sorted(rows)]:
        cells = [f"{cell:{side}{width}}" for cell, (_, side), width in zip(line, COLUMNS, widths, strict=True)]
        terminalreporter.write_line("  ".join(cells).rstrip())
