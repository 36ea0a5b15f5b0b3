"""What all commands share: exit codes, errors as messages, the event loop, and the two consoles."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from batch_avatar.errors import AccessRefused, ArchiveRefused, BatchAvatarError, InputError
from batch_avatar.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from rich.console import Console

    from batch_avatar.models import Script
    from batch_avatar.settings import Settings

P = ParamSpec("P")

EXIT_NOT_ARCHIVED, EXIT_INPUT, EXIT_ACCESS = 1, 2, 3
SOURCES = click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout, and nothing else there.")


def fails_clearly(command: Callable[P, int | None]) -> Callable[P, None]:
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


def read(sources: Sequence[str]) -> tuple[Settings, tuple[Script, ...]]:
    from batch_avatar.manifest import read_scripts
    from batch_avatar.wire import wire_for

    settings = load_settings()
    scripts = read_scripts(sources, defaults=settings.video_defaults(), wire=wire_for(settings.api_version))
    return settings, scripts


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    """Like asyncio.run; SIGTERM ends the work as Ctrl-C does."""

    async def work_until_stopped() -> Any:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    return asyncio.run(work_until_stopped())


def output() -> Console:
    """What was asked for: stdout, uncut where it is not a terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=250)


def progress_console() -> Console:
    """Progress and warnings: stderr, one console for both, so that neither breaks the other's lines."""
    from rich.console import Console
    from rich.logging import RichHandler

    console = Console(stderr=True) if sys.stderr.isatty() else Console(stderr=True, width=250)
    handler = RichHandler(logging.WARNING, console=console, show_time=False, show_path=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    return console
