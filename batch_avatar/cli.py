"""The command `batch-avatar`. Starts without Prefect; flows are imported only when a flow run is wanted."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from batch_avatar.demo import demo
from batch_avatar.emulator.command import emulator
from batch_avatar.errors import AccessRefused, ArchiveRefused, BatchAvatarError, FailureClass, InputError, SettingsError
from batch_avatar.settings import load_settings, prefect_api_url, prepare_prefect

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from rich.console import Console

    from batch_avatar.models import BatchReport, Script
    from batch_avatar.settings import Settings

P = ParamSpec("P")

EXIT_NOT_ARCHIVED, EXIT_INPUT, EXIT_ACCESS = 1, 2, 3
SOURCES = click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout, and nothing else there.")


def _fails_clearly(command: Callable[P, int | None]) -> Callable[P, None]:
    """Errors of ours become one message and the exit code that says what may be done next."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        if not logging.getLogger().handlers:
            logging.getLogger("urllib3").setLevel(logging.ERROR)  # each of its retries is a warning there
        try:
            code = command(*args, **kwargs)
        except InputError as error:
            click.echo(f"{error}\nNothing was sent.", err=True)
            code = EXIT_INPUT
        except (AccessRefused, ArchiveRefused) as error:
            click.echo(f"access refused: {error}", err=True)
            code = EXIT_ACCESS
        except BatchAvatarError as error:
            click.echo(str(error), err=True)
            code = EXIT_NOT_ARCHIVED
        except (KeyboardInterrupt, asyncio.CancelledError):
            click.echo("Stopped. Jobs that were created go on; run the same command again to continue.", err=True)
            code = EXIT_NOT_ARCHIVED
        sys.exit(code or 0)

    return wrapper


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="batch-avatar")
def main() -> None:
    """Render scripts to talking-avatar videos, and archive them in your own Blob Storage container.

    A SOURCE is a folder of *.txt (plain text), *.ssml and *.xml files, one such file, or a manifest: *.jsonl or
    *.csv with script_id, content or content_file, and any property in snake_case. A defaults.toml beside them sets
    properties for all. Settings come from the environment and .env, see .env.example.
    """


@main.command()
@SOURCES
@click.option(
    "--engine",
    type=click.Choice(["auto", "prefect", "local"]),
    default="auto",
    show_default=True,
    help="prefect: as a flow run; local: in this process; auto: prefect where a Prefect API is configured.",
)
@click.option("--retry-failed", is_flag=True, help="Send again what failed for good before; it may be billed again.")
@JSON
@_fails_clearly
def render(sources: tuple[str, ...], engine: str, retry_failed: bool, as_json: bool) -> int:
    """Render what is missing; what is archived already costs nothing.

    Exit codes: 0 all archived; 1 some script failed or is unfinished; 2 bad input or settings, nothing was sent;
    3 access refused.
    """
    settings, scripts = _read(sources)
    api_url = prefect_api_url()
    if engine == "prefect" and api_url is None:
        raise SettingsError("PREFECT_API_URL is not set; start `prefect server start`, or use --engine local")
    if engine == "auto":
        engine = "prefect" if api_url else "local"
    report, elapsed = _run(_render(settings, scripts, sources, engine, retry_failed=retry_failed))
    if as_json:
        click.echo(report.to_json())
    else:
        from batch_avatar.console import print_report

        print_report(_output(), report, settings, elapsed_seconds=elapsed)
    if any(outcome.error and outcome.error.failure_class == FailureClass.ACCESS for outcome in report.outcomes):
        return EXIT_ACCESS
    return 0 if report.all_archived else EXIT_NOT_ARCHIVED


@main.command()
@SOURCES
@JSON
@_fails_clearly
def plan(sources: tuple[str, ...], as_json: bool) -> None:
    """Show what a render would do: archived, alive, new, changed, failed before. Changes nothing."""
    from batch_avatar import stages
    from batch_avatar.connect import open_connections
    from batch_avatar.console import print_plan

    settings, scripts = _read(sources)

    async def look() -> Any:
        async with open_connections(settings, run="plan", create_archive=False):
            return await stages.plan(scripts)

    found = _run(look())
    if as_json:
        rows = [
            {"script_id": i.script.script_id, "content_id": i.content_id, "state": i.state, "detail": i.detail}
            for i in found.items
        ]
        click.echo(json.dumps(rows, indent=2))
    else:
        print_plan(_output(), found, settings)


@main.group()
def jobs() -> None:
    """Look at the jobs that the service holds, and delete one by hand."""


@jobs.command("list")
@JSON
@_fails_clearly
def list_jobs(as_json: bool) -> None:
    """All jobs of the resource, newest first, also those of others."""
    from rich.table import Table

    from batch_avatar.identity import archive_of

    found = [job for page in _client().list_pages() for job in page.jobs]
    if as_json:
        click.echo(json.dumps([_shown(job) for job in found], indent=2))
        return
    table = Table("job", "status", "created", "seconds", "archive", box=None, pad_edge=False)
    for job in found:
        created = f"{job.created_at:%Y-%m-%d %H:%M:%S}" if job.created_at else ""
        length = f"{job.duration_milliseconds / 1000:.1f}" if job.duration_milliseconds else ""
        table.add_row(job.service_id, job.status, created, length, archive_of(job.description) or "")
    console = _output()
    console.print(table)
    console.print(f"{len(found)} jobs", highlight=False)


@jobs.command("get")
@click.argument("job_id")
@_fails_clearly
def get_job(job_id: str) -> None:
    """One job as JSON, without its links."""
    click.echo(json.dumps(_shown(_client().get(job_id)), indent=2))


@jobs.command("delete")
@click.argument("job_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_fails_clearly
def delete_job(job_id: str, yes: bool) -> None:
    """Delete one job with its result. Renders delete their jobs themselves, once the video is safe."""
    client = _client()
    job = client.get(job_id)
    if not yes:
        click.confirm(f"{job_id} is {job.status}; its result is deleted with it. Delete?", abort=True)
    client.delete(job_id)
    click.echo(f"deleted {job_id}")


main.add_command(emulator)
main.add_command(demo)


def _read(sources: Sequence[str]) -> tuple[Settings, tuple[Script, ...]]:
    from batch_avatar.manifest import read_scripts
    from batch_avatar.wire import wire_for

    settings = load_settings()
    scripts = read_scripts(sources, defaults=settings.video_defaults(), wire=wire_for(settings.api_version))
    return settings, scripts


async def _render(
    settings: Settings, scripts: Sequence[Script], sources: Sequence[str], engine: str, *, retry_failed: bool
) -> tuple[BatchReport, float]:
    from batch_avatar.clock import SystemClock
    from batch_avatar.connect import open_connections
    from batch_avatar.console import showing_progress
    from batch_avatar.retry import plain_chain
    from batch_avatar.runner import new_run_name, render_scripts

    clock, console = SystemClock(), _progress_console()
    started = clock.monotonic()
    run = new_run_name(clock)
    with showing_progress(console, clock) as listener:
        async with open_connections(settings, run=run) as c:
            c.listeners.append(listener)
            if engine == "local":
                console.print(f"run {run}, in this process", highlight=False)
                report = await render_scripts(scripts, plain_chain(), retry_failed=retry_failed)
            else:
                render_batch = _import_flow(lambda link: console.print(f"run {run}, as {link}", highlight=False))
                try:
                    state = await render_batch(sources=list(sources), retry_failed=retry_failed, return_state=True)
                except RuntimeError as error:
                    if not str(error).startswith("Failed to reach API"):
                        raise
                    raise SettingsError(
                        f"PREFECT_API_URL: {prefect_api_url()} does not answer; start it, or use --engine local"
                    ) from None
                reason = getattr(state.data, "result", state.data)  # Prefect wraps what a flow returns
                if c.report is None and isinstance(reason, BatchAvatarError):
                    raise reason
                if c.report is None:
                    raise BatchAvatarError("the flow run ended without a report; its page in the Prefect UI says why")
                report = c.report
    return report, clock.monotonic() - started


def _import_flow(show_link: Callable[[str], None]) -> Any:
    """The flow, which tells its page in the Prefect UI as soon as it runs."""
    prepare_prefect()
    try:
        from flows.render_batch import render_batch
    except ImportError as error:
        raise SettingsError(f"--engine prefect needs a checkout with the prefect extra ({error.name})") from None
    from prefect.utilities.urls import url_for

    return render_batch.with_options(on_running=[lambda _flow, run, _state: show_link(f"flow run {url_for(run)}")])


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Like asyncio.run; SIGTERM ends the work as Ctrl-C does."""

    async def run() -> Any:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    return asyncio.run(run())


def _client() -> Any:
    from batch_avatar.connect import connect_client

    return connect_client(load_settings())


def _shown(job: Any) -> dict[str, Any]:
    """A job without its links, which are secrets."""
    links = {"result_link", "summary_link", "subtitle_link"}
    shown: dict[str, Any] = job.model_dump(mode="json", exclude=links, exclude_none=True)
    return shown


def _output() -> Console:
    """What was asked for: stdout, uncut where it is not a terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=250)


def _progress_console() -> Console:
    """Progress and warnings: stderr, one console for both, so that neither breaks the other's lines."""
    from rich.console import Console
    from rich.logging import RichHandler

    console = Console(stderr=True) if sys.stderr.isatty() else Console(stderr=True, width=250)
    handler = RichHandler(logging.WARNING, console=console, show_time=False, show_path=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    return console


if __name__ == "__main__":
    main()
