"""Every log record of this process as one safe line, including those of libraries."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

from batch_avatar.safe_text.sinks import log_line, terminal

if TYPE_CHECKING:
    from types import TracebackType

_STACKS = logging.Formatter()


def _safe(
    error_type: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
) -> tuple[type[BaseException], BaseException, TracebackType | None] | None:
    """Return what formatters show that read the error by themselves, as Prefect's JSON does: its message is a line."""
    if error_type is None or error is None:
        return None
    try:
        said = log_line(str(error))
    except Exception as odd:  # noqa: BLE001 - it is the error's own code, and may do anything
        said = f"an error that cannot be told ({type(odd).__name__})"
    return error_type, Exception(said), stack


@cache
def make_logs_safe() -> None:
    """Make every log record of this process safe from now on, before any handler sees it."""
    make = logging.getLogRecordFactory()

    def factory(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if record.name.startswith("urllib3."):
            record.exc_info = None  # it logs a stack trace for a head that HTTP does not allow
        if record.exc_info:
            record.exc_text = terminal(_STACKS.formatException(record.exc_info))  # what most formatters then show
            record.exc_info = _safe(*record.exc_info)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            return record  # a wrong format string, which logging itself reports
        clean = log_line(text)
        if clean != text:
            record.msg, record.args = clean, None
        return record

    logging.setLogRecordFactory(factory)
