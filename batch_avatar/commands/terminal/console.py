"""What a person sees: live progress in a terminal or one line per event elsewhere, plans and reports."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from batch_avatar.commands.terminal.running import output
from batch_avatar.commands.terminal.saying import say, say_pieces
from batch_avatar.commands.terminal.streams import cannot_write
from batch_avatar.errors import FailureClass
from batch_avatar.planning.outlook_text import counted, duration, sentences
from batch_avatar.planning.plan import Action
from batch_avatar.rendering.progress import Event, Phase, Progress
from batch_avatar.safe_text.sinks import line
from batch_avatar.upkeep.sweep import sweep_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from batch_avatar.clock import Clock
    from batch_avatar.models import Outcome
    from batch_avatar.planning.budget import Budget
    from batch_avatar.rendering.preparing.preparation import Prepared
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.settings import Settings
    from batch_avatar.upkeep.sweep import SweepReport

logger = logging.getLogger(__name__)

SHOWN = {
    Phase.WAITING: "white",
    Phase.CREATED: "cyan",
    Phase.RUNNING: "blue",
    Phase.RENDERED: "blue",
    Phase.ARCHIVED: "green",
    Phase.SKIPPED: "green",
    Phase.FAILED: "red",
    Phase.UNFINISHED: "yellow",
}
URGENT = (Action.REFUSE, Action.LEAVE, Action.CREATE, Action.ADOPT, Action.KEEP, Action.SKIP)
"""What a plan tells first."""
TROUBLE = (Phase.FAILED, Phase.UNFINISHED)
HINTS = {
    FailureClass.JOB: "failed jobs: `batch-avatar failed list` shows them, `failed replay` sends them again",
    FailureClass.INPUT: "refused scripts: mend them, or send them again as they are with `batch-avatar failed replay`",
    FailureClass.LOST: "lost or damaged: paid for and gone; `--rerender-lost` pays for them once more",
    FailureClass.CHANGED: "changed: `batch-avatar plan` shows what differs; `--accept-changes` renders them, "
    "`--keep-changed` leaves those as they are whose text is the same",
    FailureClass.BUDGET: "beyond the budget of this run: run again for the rest",
    FailureClass.LONG: "too long: split them, or send them all the same with `--allow-long`",
}
MANY = 50  # rows that a person still reads; a longer list is cut and counted


@contextmanager
def showing_progress(console: Console, clock: Clock) -> Iterator[Callable[[Event], None]]:
    """Yield a listener for a run's events: it shows a live line on a terminal, else one line per event."""
    progress = Progress(clock)
    if not console.is_terminal:

        def tell(event: Event) -> None:
            progress(event)
            _print_event(console, event, progress)

        yield tell
        return
    with Live(console=console, refresh_per_second=4, get_renderable=lambda: _line(progress), transient=True) as live:

        def show(event: Event) -> None:
            progress(event)
            if event.phase in TROUBLE:
                live.console.print(Text(line(f"{event.script_id}: {event.phase}: {event.text}"), SHOWN[event.phase]))

        yield show


def _print_event(console: Console, event: Event, progress: Progress) -> None:
    if event.phase is not Phase.WAITING:
        about = " ".join(part for part in (event.job_id if event.phase is Phase.CREATED else "", event.text) if part)
        text = f"[{progress.ended}/{progress.total}] {event.script_id}: {event.phase} {about}".rstrip()
        console.print(text, soft_wrap=True)


def _line(progress: Progress) -> Table:
    counts = progress.counts()
    text = Text()
    for phase, color in SHOWN.items():
        if counts[phase] or phase in (Phase.WAITING, Phase.CREATED, Phase.RUNNING, Phase.ARCHIVED, Phase.FAILED):
            text.append(f"{counts[phase]} {phase}  ", color if counts[phase] else "dim")
    left = progress.seconds_left()
    text.append(f"{duration(progress.elapsed_seconds())} gone", "dim")
    if left is not None and progress.ended < progress.total:
        text.append(f", about {duration(left)} left", "dim")
    row = Table.grid(padding=(0, 1))
    row.add_row(ProgressBar(total=max(progress.total, 1), completed=progress.ended, width=24), text)
    return row


def print_plan(console: Console, found: Prepared, budget: Budget) -> None:
    """Print what a run would do, what needs a person first, and what it would take."""
    items = sorted(found.plan.items, key=lambda item: URGENT.index(found.action_of(item)))
    table = Table("script", "action", "state", "detail", box=None, pad_edge=False)
    for item in items[:MANY]:
        table.add_row(item.script_id, found.action_of(item), item.state, item.told or "")
    console.print(table)
    if len(items) > MANY:
        console.print(f"... and {len(items) - MANY:,} more; --json lists all")
    console.print(counted(found.outlook))
    for sentence in sentences(found.outlook, budget):
        console.print(sentence, soft_wrap=True)


def show_report(report: BatchReport, settings: Settings, *, elapsed_seconds: float, as_json: bool) -> None:
    """Print the report on stdout. If it cannot be printed there, its place and the sums go to stderr."""
    try:
        if as_json:
            say_pieces(report.to_json())
        else:
            print_report(output(), report, settings, elapsed_seconds=elapsed_seconds)
    except Exception:  # whatever it is, the scripts are paid for, and the exit code is theirs
        logger.exception("the report cannot be printed")
    else:
        if not cannot_write("stdout"):
            return
    where = f"report: container {settings.container}, {_place(report, settings)}"
    say(f"{report.sums}\n{report.billed}\n{where}", err=True)


def print_report(console: Console, report: BatchReport, settings: Settings, *, elapsed_seconds: float) -> None:
    """Print the end of a run: counts, what went wrong and what to do, and where the videos are."""
    told = [(outcome, what) for outcome in report.outcomes if (what := _told(outcome))]
    if told:
        table = Table("script", "outcome", "what happened", box=None, pad_edge=False)
        for outcome, what in told[:MANY]:
            table.add_row(outcome.script_id, outcome.outcome, what)
        console.print(table)
        if len(told) > MANY:
            console.print(f"... and {len(told) - MANY} more; --json lists all")
    _print_stopped(console, report)
    console.print(f"{report.sums}, in {duration(elapsed_seconds)}")
    console.print(report.billed)
    where = f"container {settings.container}, folder {settings.prefix}<script_id>/<content_id>/<attempt>/"
    console.print(f"videos: {where}", soft_wrap=True)
    console.print(f"report: {_place(report, settings)}", soft_wrap=True)
    classes = {outcome.error.failure_class for outcome in report.outcomes if outcome.error}
    for failure_class, hint in HINTS.items():
        if failure_class in classes:
            console.print(hint, soft_wrap=True)
    if report.unfinished:
        console.print("Nothing is lost: run the same command again to continue.")


def _place(report: BatchReport, settings: Settings) -> str:
    place = f"{settings.prefix}_runs/{report.run}/report.json"
    return f"could not be written to {place}: {report.unwritten}" if report.unwritten else place


def _told(outcome: Outcome) -> str | None:
    """Return what a person should know about one script; a stop is reported once for all scripts."""
    if outcome.error is None:
        return outcome.note
    stopped = outcome.error.failure_class == FailureClass.STOPPED and outcome.error.code == "Stopped"
    return None if stopped else f"{outcome.error.failure_class}: {outcome.error.message}"


def _print_stopped(console: Console, report: BatchReport) -> None:
    """Print, after a stop, which jobs go on at the service and how many scripts were not sent."""
    stopped = [outcome for outcome in report.outcomes if outcome.error and outcome.error.code == "Stopped"]
    jobs = [outcome.job_id for outcome in stopped if outcome.job_id]
    if jobs:
        more = f" and {len(jobs) - MANY} more" if len(jobs) > MANY else ""
        names = ", ".join(jobs[:MANY])
        console.print(f"in flight at the service: {len(jobs)} jobs ({names}{more})", soft_wrap=True)
    if len(stopped) > len(jobs):
        console.print(f"not sent: {len(stopped) - len(jobs)} scripts")


def print_sweep(console: Console, report: SweepReport) -> None:
    """Print what a sweep did, or would do, job by job."""
    rows = sweep_rows(report)
    if rows:
        table = Table("job", "status", "action", "why", "expires", box=None, pad_edge=False)
        for row in rows[:MANY]:
            why = f"{row['reason']}; FAILED: {row['error']}" if row["error"] else row["reason"]
            expires = f"{row['expires']} (within 72 hours)" if row["urgent"] else row["expires"]
            table.add_row(row["job"], row["status"], row["action"], why, expires)
        console.print(table)
        if len(rows) > MANY:
            console.print(f"... and {len(rows) - MANY} more; --json lists all")
    counts = ", ".join(f"{count} to {action}" for action, count in report.counts().items()) or "no jobs of ours"
    tense = "nothing was done (--dry-run)" if report.dry_run else "done"
    failed = sum(bool(item.error) for item in report.items)
    end = f"; {failed} could not be done" if failed else ""
    console.print(f"{counts}; {report.foreign} jobs of others left alone; {tense}{end}")
