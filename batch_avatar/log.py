"""Every log record of this process as one safe line, including those of libraries."""

from __future__ import annotations

import logging
from functools import cache

from batch_avatar.safe_text.sinks import log_line, terminal

_STACKS = logging.Formatter()


@cache
def make_logs_safe() -> None:
    """Make every log record of this process safe from now on, before any handler sees it."""
    make = logging.getLogRecordFactory()

    def factory(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if record.name.startswith("urllib3."):
            record.exc_info = None  # it logs a stack trace for a head that HTTP does not allow
        if record.exc_info:
            record.exc_text = terminal(_STACKS.formatException(record.exc_info))  # what formatters then show
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            return record  # a wrong format string, which logging itself reports
        clean = log_line(text)
        if clean != text:
            record.msg, record.args = clean, None
        return record

    logging.setLogRecordFactory(factory)
