"""What a command prints by itself: lines, and JSON."""

from __future__ import annotations

import json
from typing import Any

import click

from batch_avatar.safe_text.redaction import without_known
from batch_avatar.safe_text.sinks import terminal


def say(text: str, *, err: bool = False) -> None:
    """Print lines. What is put into them from outside has been made a `line` before, as errors do."""
    click.echo(terminal(text), err=err)


def say_json(value: Any) -> None:
    """Print the value as JSON; in JSON no character is hidden."""
    say_pieces(json.dumps(value, indent=2))


def say_pieces(text: str) -> None:
    """Print JSON that is written already. Only secrets that are known are taken out, so that it stays as it is."""
    click.echo(without_known(text))
