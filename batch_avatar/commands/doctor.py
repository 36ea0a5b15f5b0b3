"""`batch-avatar doctor`."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from batch_avatar.commands.doctor_live import examine_live, with_live
from batch_avatar.commands.terminal.options import JSON
from batch_avatar.commands.terminal.running import EXIT_NOT_ARCHIVED, fails_clearly, output
from batch_avatar.commands.terminal.saying import say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from batch_avatar.doctor.checks import Check


@click.command()
@with_live
@click.option(
    "--pool",
    default="batch-avatar",
    show_default=True,
    metavar="NAME",
    help="The Prefect work pool whose workers run the deployments.",
)
@JSON
@fails_clearly
def doctor(pool: str, live: bool, as_json: bool, **of_live: Any) -> int:
    """Look whether everything is in place to render; say what is not, and how to mend it.

    Settings, sign-in, the Speech resources, the storage account with the archive, the clock, the disks and, where one
    is configured, the Prefect server. No job is created. Below _doctor/ in the archive a blob is written and deleted
    again; where the container is missing, this is done in a container that lives for a moment.

    Exit codes: 0 nothing has failed; 1 some check has failed.
    """
    if live:
        return examine_live(as_json=as_json, **of_live)

    from batch_avatar.doctor.checks import Status
    from batch_avatar.doctor.examination import examine

    logging.getLogger("batch_avatar").setLevel(logging.ERROR)  # what is warned of is a check here
    checks = examine(pool=pool)
    has_failed = any(check.status is Status.FAILED for check in checks)
    if as_json:
        say_json({"ok": not has_failed, "checks": [asdict(check) for check in checks]})
    else:
        _print(output(), checks)
    return EXIT_NOT_ARCHIVED if has_failed else 0


def _print(console: Console, checks: Sequence[Check]) -> None:
    """Print a line for each check, and then what to paste, uncut."""
    from rich.table import Table

    table = Table("", "check", "found", box=None, pad_edge=False)
    for check in checks:
        table.add_row(check.status.value, check.name, check.found)
    console.print(table)
    for check in checks:
        if check.fix:
            console.print()
            console.print(f"{check.status.value}: {check.name}. To mend it:", soft_wrap=True)
            for part in check.fix.split("\n"):
                console.print(f"  {part}", soft_wrap=True)
    counts = [(status, sum(check.status.value == status for check in checks)) for status in _ORDER]
    told = ", ".join(f"{count} {status}" for status, count in counts if count)
    console.print()
    console.print(f"{len(checks)} checks: {told}")


_ORDER = ("ok", "warning", "failed", "skipped")
