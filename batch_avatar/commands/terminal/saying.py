"""What a command prints by itself: lines, JSON, and findings as JSON, the same for every command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from batch_avatar.safe_text.redaction import without_known
from batch_avatar.safe_text.sinks import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batch_avatar.scripts.findings import Finding


def say(text: str, *, err: bool = False) -> None:
    """Print lines. What is put into them from outside has been made a `line` before, as errors do."""
    click.echo(terminal(text), err=err)


def say_json(value: Any) -> None:
    """Print the value as JSON; in JSON no character is hidden."""
    say_pieces(json.dumps(value, indent=2))


def say_pieces(text: str) -> None:
    """Print JSON or CSV that is written already. Only known secrets are taken out, so that it stays as it is."""
    click.echo(without_known(text))


def findings_json(faults: Iterable[Finding], warnings: Iterable[Finding]) -> dict[str, list[dict[str, Any]]]:
    """Return all of them, each as an object: rule, level, source, line (or null), script_id, message."""
    return {"faults": [_row(one) for one in faults], "warnings": [_row(one) for one in warnings]}


def _row(finding: Finding) -> dict[str, Any]:
    names = ("rule", "level", "source", "line", "script_id", "message")
    return {name: getattr(finding, name) for name in names}
