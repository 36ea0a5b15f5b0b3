"""Keep signatures and keys out of every log line, including those of libraries."""

from __future__ import annotations

import logging
from functools import cache

from batch_avatar.errors import redact


@cache
def redact_secrets() -> None:
    """Redact every log record of this process from now on, before any handler sees it."""
    make = logging.getLogRecordFactory()

    def factory(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            return record  # a wrong format string, which logging itself reports
        clean = redact(text)
        if clean != text:
            record.msg, record.args = clean, None
        return record

    logging.setLogRecordFactory(factory)
