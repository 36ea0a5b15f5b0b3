"""`batch-avatar render`."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from batch_avatar.commands.terminal.options import JSON, SOURCES, choosing_options, render_options
from batch_avatar.commands.terminal.prefect_answers import refuses_password, told
from batch_avatar.commands.terminal.running import (
    catch_signals,
    fails_clearly,
    name_run,
    progress_console,
    read,
    report_code,
    run_async,
    say_warnings,
)
from batch_avatar.errors import BatchAvatarError, SettingsError
from batch_avatar.settings import prefect_api_url, prepare_prefect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from batch_avatar.models import Script
    from batch_avatar.planning.options import RenderOptions
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.rendering.run import Run
    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.settings import Settings


class Named(NamedTuple):
    """What was named on the command line, for a flow run that reads it again."""

    sources: tuple[str, ...]
    choice: SourceChoice

    def as_parameters(self) -> dict[str, Any]:
        """Return the flow's parameters."""
        return {"sources": list(self.sources), **self.choice.as_parameters()}


@click.command()
@SOURCES
@choosing_options
@click.option(
    "--engine",
    type=click.Choice(["auto", "prefect", "local"]),
    default="auto",
    show_default=True,
    help="prefect: as a flow run; local: in this process; auto: prefect where a Prefect API is configured.",
)
@render_options
@JSON
@fails_clearly
def render(
    sources: tuple[str, ...],
    choice: SourceChoice,
    options: RenderOptions,
    *,
    engine: str,
    as_json: bool,
) -> int:
    """Render what is missing; what is archived already costs nothing.

    Exit codes: 0 all archived; 1 some script failed or is unfinished; 2 bad input or settings, nothing was sent;
    3 access refused; 4 all archived, and a video of this run is doubtful.
    """
    settings, scripts = read(sources, choice)
    api_url = prefect_api_url()
    if engine == "prefect" and api_url is None:
        raise SettingsError("PREFECT_API_URL is not set; start `prefect server start`, or use --engine local")
    if engine == "auto":
        engine = "prefect" if api_url else "local"
    if engine == "local":  # a flow run says it in its log
        say_warnings(scripts.warnings)
    report, elapsed = run_async(_render(settings, scripts, Named(sources, choice), engine, options))
    from batch_avatar.commands.terminal.console import show_report

    show_report(report, settings, elapsed_seconds=elapsed, as_json=as_json)
    return report_code(report)


async def _render(
    settings: Settings,
    scripts: Sequence[Script],
    named: Named,
    engine: str,
    options: RenderOptions,
) -> tuple[BatchReport, float]:
    from batch_avatar.commands.terminal.console import showing_progress
    from batch_avatar.rendering.connect import open_run
    from batch_avatar.rendering.retry import plain_chain
    from batch_avatar.rendering.runner import render_scripts

    (clock, name), console = name_run(), progress_console()
    started = clock.monotonic()
    with showing_progress(console, clock) as listener:
        async with open_run(settings, name) as run:
            run.listeners.append(listener)
            try:
                if engine == "local":
                    console.print(f"run {name}, in this process")
                    report = await render_scripts(scripts, plain_chain(), **options.keywords())
                else:
                    report = await _render_as_flow_run(run, named, options, f"run {name}", console)
            except asyncio.CancelledError:
                if run.report is None:
                    raise
                report = run.report
    return report, clock.monotonic() - started


async def _render_as_flow_run(
    run: Run, named: Named, options: RenderOptions, name: str, console: Console
) -> BatchReport:
    from batch_avatar.rendering.progress import Phase

    render_batch = _import_flow(lambda link: console.print(f"{name}, as {link}"))
    from httpx import HTTPError
    from prefect.exceptions import PrefectSignal

    run.listeners.append(lambda event: catch_signals() if event.phase is Phase.WAITING else None)
    try:
        state = await render_batch(return_state=True, **options.as_parameters(), **named.as_parameters())
    except RuntimeError as error:
        if not str(error).startswith("Failed to reach API"):
            raise
        raise SettingsError(
            f"PREFECT_API_URL: {prefect_api_url()} does not answer; start it, or use --engine local"
        ) from None
    except HTTPError as error:
        if not refuses_password(error):
            raise
        raise SettingsError(told(error)) from None
    except PrefectSignal as signal:  # it was stopped from outside, e.g. deleted in the UI
        if run.report is None:
            raise BatchAvatarError(f"the flow run was stopped: {signal}") from None
    if run.report is not None:
        return run.report
    reason = getattr(state.data, "result", state.data)  # Prefect wraps what a flow returns
    if isinstance(reason, BatchAvatarError):
        raise reason
    raise BatchAvatarError("the flow run ended without a report; its page in the Prefect UI says why")


def _import_flow(show_link: Callable[[str], None]) -> Any:
    """Return the flow. As soon as it runs, `show_link` gets the address of its page in the Prefect UI."""
    prepare_prefect()
    try:
        from flows.render_batch import render_batch
    except ImportError as error:
        raise SettingsError(f"--engine prefect needs a checkout with the prefect extra ({error.name})") from None
    from prefect.utilities.urls import url_for

    for handler in logging.getLogger().handlers:  # Prefect's console; this command tells the end by itself
        handler.addFilter(lambda record: not record.getMessage().startswith("Finished in state "))
    return render_batch.with_options(on_running=[lambda _flow, run, _state: show_link(f"flow run {url_for(run)}")])
