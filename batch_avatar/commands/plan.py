"""`batch-avatar plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batch_avatar.commands.terminal.options import JSON, SOURCES, choosing_options, render_options
from batch_avatar.commands.terminal.running import (
    EXIT_INPUT,
    EXIT_NOT_ARCHIVED,
    fails_clearly,
    faults_as_json,
    output,
    read,
    run_async,
    say_warnings,
)
from batch_avatar.commands.terminal.saying import findings_json, say_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.planning.options import RenderOptions
    from batch_avatar.rendering.preparing.preparation import Prepared
    from batch_avatar.scripts.choice import SourceChoice

EXIT_SOMETHING_TO_DO = 2


@click.command()
@SOURCES
@choosing_options
@render_options
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 0 if there is nothing to do and with 2 if there is; faults, settings and access exit with 1 then.",
)
@JSON
@fails_clearly
def plan(
    sources: tuple[str, ...],
    choice: SourceChoice,
    options: RenderOptions,
    *,
    detailed_exitcode: bool,
    as_json: bool,
) -> int:
    """Show what a render with the same options would do, what it would take and cost, and when it would end.

    Changes nothing. Exit codes: 0, also if there is something to do (see --detailed-exitcode); 2 bad input or settings;
    3 access refused.
    """
    from batch_avatar.commands.terminal.console import print_plan

    code = EXIT_NOT_ARCHIVED if detailed_exitcode else EXIT_INPUT
    with faults_as_json(as_json, code=code, scripts=[], predicted=None):
        settings, scripts = read(sources, choice)

    async def look() -> Prepared:
        from batch_avatar.rendering.connect import open_run
        from batch_avatar.rendering.preparing.preparation import preview

        async with open_run(settings, "plan", create_archive=False):
            return await preview(scripts, options)

    found = run_async(look())
    say_warnings(scripts.warnings)
    if as_json:
        from batch_avatar.planning.outlook_text import outlook_json

        predicted = outlook_json(found.outlook)
        say_json({"scripts": list(rows_of(found)), "predicted": predicted, **findings_json([], scripts.warnings)})
    else:
        print_plan(output(), found, options.budget)
    return EXIT_SOMETHING_TO_DO if detailed_exitcode and found.outlook.something_to_do else 0


def rows_of(found: Prepared) -> Iterator[dict[str, Any]]:
    """Yield what `--json` says of each script."""
    for number, item in enumerate(found.plan.items):
        candidate = found.candidates.get(number)
        yield {
            "script_id": item.script_id,
            "content_id": item.content_id,
            "state": item.state,
            "action": found.action_of(item),
            "detail": item.told,
            "video_seconds": round(candidate.usage.seconds, 3) if candidate else None,
            "characters": candidate.usage.characters if candidate else None,
        }
