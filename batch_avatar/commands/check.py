"""`batch-avatar check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from batch_avatar.commands.terminal.options import JSON, SOURCES, choosing_options
from batch_avatar.commands.terminal.running import fails_clearly, faults_as_json, read_by, say_warnings
from batch_avatar.commands.terminal.saying import findings_json, say, say_json
from batch_avatar.settings import load_script_settings

if TYPE_CHECKING:
    from batch_avatar.scripts.choice import SourceChoice


@click.command()
@SOURCES
@choosing_options
@JSON
@fails_clearly
def check(sources: tuple[str, ...], choice: SourceChoice, *, as_json: bool) -> None:
    """Say what is wrong with scripts, and what may be. Needs no account, and sends nothing.

    docs/checks.md lists the rules. --json has every fault and every warning. Exit codes: 0 nothing is wrong, 2 faults.
    """
    with faults_as_json(as_json):
        scripts = read_by(load_script_settings(), sources, choice)
    if as_json:
        say_json(findings_json([], scripts.warnings))
        return
    say_warnings(scripts.warnings)
    count, warned = len(scripts), len(scripts.warnings)
    say(f"{count:,} script{'s' * (count != 1)}: no faults, {warned:,} warning{'s' * (warned != 1)}")
