"""How every command runs: exit codes, errors as messages, the event loop and its signals, and the two consoles."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from batch_avatar.commands.terminal.saying import findings_json, say, say_json
from batch_avatar.errors import (
    AccessRefused,
    ArchiveRefused,
    BatchAvatarError,
    FailureClass,
    InputError,
    ManifestError,
)
from batch_avatar.safe_text.logs import make_logs_safe
from batch_avatar.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence

    from rich.console import Console

    from batch_avatar.clock import Clock
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.script_settings import ScriptSettings
    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.spool import ScriptSpool
    from batch_avatar.settings import Settings

logger = logging.getLogger(__name__)

P = ParamSpec("P")
_stop: ContextVar[Callable[[], None] | None] = ContextVar("batch_avatar_stop", default=None)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 25.0
"""After so long a stopped command exits without waiting, as it must end within 30 s."""
EXIT_NOT_ARCHIVED, EXIT_INPUT, EXIT_ACCESS, EXIT_DOUBTFUL = 1, 2, 3, 4


def fails_clearly(command: Callable[P, int | None]) -> Callable[P, None]:
    """Turn errors of ours into one message, and an exit code that says what can be done next."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        if not logging.getLogger().handlers:
            logging.getLogger("urllib3").setLevel(logging.ERROR)  # it logs a warning for each retry
        try:
            sys.exit(command(*args, **kwargs) or 0)
        except ManifestError as error:
            faults = "\n  ".join(error.told)
            say(f"{error.message.splitlines()[0]}\n  {faults}\nNothing was sent.", err=True)
            say_warnings(error.warnings)
            code = EXIT_INPUT
        except InputError as error:
            say(f"{error}\nNothing was sent.", err=True)
            code = EXIT_INPUT
        except (AccessRefused, ArchiveRefused) as error:
            say(f"access refused: {error}", err=True)
            code = EXIT_ACCESS
        except BatchAvatarError as error:
            say(str(error), err=True)
            code = EXIT_NOT_ARCHIVED
        except (KeyboardInterrupt, asyncio.CancelledError):
            say("Stopped; run the same command again to continue.", err=True)
            code = EXIT_NOT_ARCHIVED
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception:  # Python would print it as it is, with whatever stands in it
            make_logs_safe()
            logger.exception("the command ended because of a mistake in this program")
            code = EXIT_NOT_ARCHIVED
        sys.exit(EXIT_NOT_ARCHIVED if kwargs.get("detailed_exitcode") else code)

    return wrapper


def read(sources: Sequence[str], choice: SourceChoice | None = None) -> tuple[Settings, ScriptSpool]:
    """Return the settings and the scripts of the sources; `choice`: how they are read."""
    settings = load_settings()
    return settings, read_by(settings, sources, choice)


def read_by(settings: ScriptSettings, sources: Sequence[str], choice: SourceChoice | None = None) -> ScriptSpool:
    """Return the scripts of the sources, checked. Raises as `read_scripts` does."""
    from batch_avatar.clock import today
    from batch_avatar.scripts.manifest import read_scripts
    from batch_avatar.scripts.voices import Known
    from batch_avatar.service.voices.kept import known_voices
    from batch_avatar.service.wire.generations import wire_for

    wire, known = wire_for(settings.api_version), Known(today(), known_voices())
    return read_scripts(sources, defaults=settings.video_defaults(), wire=wire, choice=choice, known=known)


def say_warnings(warnings: Iterable[Finding]) -> None:
    """Say on stderr what people should know of the scripts."""
    from batch_avatar.scripts.findings import told

    for text in told(warnings):
        say(f"warning: {text}", err=True)


@contextmanager
def faults_as_json(as_json: bool, *, code: int = EXIT_INPUT, **others: Any) -> Iterator[None]:
    """Print the faults of scripts as JSON and end the command, if JSON is wanted; `others`: further members."""
    try:
        yield
    except ManifestError as error:
        if not as_json:
            raise
        say_json({**others, **findings_json(error.findings, error.warnings)})
        raise click.exceptions.Exit(code) from None


def name_run() -> tuple[Clock, str]:
    """Return a clock for a run, and a name."""
    from batch_avatar.clock import SystemClock
    from batch_avatar.rendering.run import new_run_name

    clock = SystemClock()
    return clock, new_run_name(clock)


def report_code(report: BatchReport) -> int:
    """Return the exit code that says what can be done next."""
    classes = {outcome.error.failure_class for outcome in report.outcomes if outcome.error}
    if FailureClass.ACCESS in classes:
        return EXIT_ACCESS
    if not report.all_archived:
        return EXIT_NOT_ARCHIVED
    return EXIT_DOUBTFUL if report.doubtful else 0


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    """Do the work as asyncio.run does. The first Ctrl-C, SIGTERM or SIGHUP cancels it; the second is left to Python.

    If cancelled work still waits for an answer after 25 s, the process exits; the next run finds out from service and
    archive what came of it.
    """

    async def work_until_stopped() -> Any:
        task = asyncio.current_task()

        def stop() -> None:
            loop = asyncio.get_running_loop()
            for number in SIGNALS:
                loop.remove_signal_handler(number)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that goes may send it twice
            logging.getLogger("prefect").setLevel(logging.CRITICAL)  # it logs a stop as two crashes per task run
            say("stopping: no new jobs, transfers end at their next block ...", err=True)
            last = threading.Timer(STOP_SECONDS, os._exit, (EXIT_NOT_ARCHIVED,))
            last.daemon = True
            last.start()
            if task is not None:
                task.cancel()

        _stop.set(stop)
        catch_signals()
        return await work

    return asyncio.run(work_until_stopped())


def catch_signals() -> None:
    """Take the signals back after something else took them, as Prefect's engine does. Works inside `run_async`."""
    stop = _stop.get()
    if stop is None:
        return
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
            asyncio.get_running_loop().add_signal_handler(number, stop)


def output() -> Console:
    """Return the console for results: stdout, with long lines uncut where it is not a terminal."""
    from batch_avatar.commands.terminal.safe_console import SafeConsole

    return SafeConsole(width=None if sys.stdout.isatty() else 250)


def progress_console() -> Console:
    """Return the console for progress and warnings: stderr, one for both, so that neither breaks the other's lines."""
    from rich.logging import RichHandler

    from batch_avatar.commands.terminal.safe_console import SafeConsole

    wide = None if sys.stderr.isatty() else 250
    console = SafeConsole(stderr=True, width=wide)
    handler = RichHandler(logging.WARNING, console=console, show_time=False, show_path=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    return console
