"""The part of `batch-avatar doctor` that asks a real resource: `--live`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_avatar.commands.terminal.options import with_options
from batch_avatar.commands.terminal.running import EXIT_NOT_ARCHIVED, progress_console, run_async
from batch_avatar.commands.terminal.saying import say, say_pieces
from batch_avatar.settings import load_settings

if TYPE_CHECKING:
    from batch_avatar.doctor.live.run import LiveReport
    from batch_avatar.resource_settings import ResourceSettings

LIVE = (
    click.option(
        "--live",
        is_flag=True,
        help="Instead, ask the Speech resource what no document says, with a clip of about two seconds. At most 10 "
        "seconds are billed. It asks before, and writes a report.",
    ),
    click.option("--yes", is_flag=True, help="With --live: do not ask."),
    click.option("--clean", is_flag=True, help="With --live: only delete the jobs that an earlier run has left."),
    click.option(
        "--resource", metavar="NAME", help="With --live: which resource, if there are several; else the first."
    ),
    click.option(
        "--report-folder",
        default=".",
        show_default=True,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="With --live: where to write the report.",
    ),
)
"""The options, which `doctor` puts before its own."""


def examine_live(*, yes: bool, clean: bool, resource: str | None, report_folder: Path, as_json: bool) -> int:
    """Ask for permission, ask the resource, write the report, and return the exit code.

    0: all was asked, and all jobs are deleted; 1: the clip was not made, an answer is missing, or a job is still there.
    """
    from batch_avatar.doctor.live.connecting import choose_resource
    from batch_avatar.doctor.live.run import clean_up, run

    settings = load_settings()
    chosen = choose_resource(settings, resource)
    progress_console()
    if clean:
        found, left = run_async(clean_up(settings, chosen, tell=_tell))
        say(f"{found - len(left)} jobs deleted" + (f"; not deleted: {', '.join(left)}" if left else ""), err=as_json)
        return EXIT_NOT_ARCHIVED if left else 0
    say(_announcement(chosen), err=True)
    if not yes:
        click.confirm("Go on?", abort=True, err=True)
    report = run_async(run(settings, chosen, tell=_tell))
    return _finish(report, report_folder, as_json=as_json)


def _announcement(resource: ResourceSettings) -> str:
    from batch_avatar.doctor.live.bodies import PREFIX
    from batch_avatar.doctor.live.run import CREATES, expected_minutes
    from batch_avatar.doctor.live.spending import MOST_SECONDS

    pace = f"{resource.creates_per_minute:g} a minute" if resource.creates_per_minute else "unpaced"
    minutes = f"{expected_minutes(resource):.0f}"
    lines = (
        f"This asks the Speech resource {resource.name} ({resource.host}) what no document says.",
        f"It sends some {CREATES} creates, {pace}. Two are to be rendered: a clip of two seconds, one of a second.",
        f"However the service answers, at most {MOST_SECONDS} seconds are billed.",
        f"The jobs are named {PREFIX}..., and are deleted at the end.",
        f"It takes about {minutes} minutes. Nothing else should create jobs there meanwhile.",
        "The report names no resource, account or key.",
    )
    return "\n".join(lines)


def _tell(text: str) -> None:
    say(text, err=True)


def _finish(report: LiveReport, folder: Path, *, as_json: bool) -> int:
    from batch_avatar.doctor.live import report as reports

    paths = _write(folder, f"{reports.NAME}-{report.date}", reports.as_markdown(report), reports.as_json(report))
    if as_json:
        say_pieces(reports.as_json(report))
    else:
        for answer in report.answers:
            say(f"{answer.question:20} {answer.reading or f'not answered: {answer.why}'}")
        say(f"\n{report.answered} of {len(report.answers)} questions are answered.")
    say(f"at most {report.seconds_at_most} seconds were billed, {report.seconds_told} as jobs told", err=True)
    say(f"Report: {' and '.join(map(str, paths))}. Please send it to us: docs/doctor-live.md says how.", err=True)
    if report.left:
        say(f"not deleted: {', '.join(report.left)}; `batch-avatar doctor --live --clean` tries again", err=True)
    return 0 if report.complete and not report.left else EXIT_NOT_ARCHIVED


def _write(folder: Path, name: str, *texts: str) -> list[Path]:
    """Write the texts as .md and .json under a name that is free, and return their paths."""
    number = 1
    while True:
        stem = name if number == 1 else f"{name}-{number}"
        paths = [folder / f"{stem}.md", folder / f"{stem}.json"]
        if not any(path.exists() for path in paths):
            break
        number += 1
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def with_live(command: Any) -> Any:
    """Add the options to a command."""
    return with_options(command, LIVE)
