"""Keep signatures and keys out of every log line, also of the libraries below us."""

from __future__ import annotations

import logging
from functools import cache

from batch_avatar.errors import redact


@cache
def redact_secrets() -> None:
    """From now on every log record of this process is redacted before any handler sees it."""
    make = logging.getLogRecordFactory()

    def factory(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            return record  # a wrong format string: logging itself will complain
        clean = redact(text)
        if clean != text:
            record.msg, record.args = clean, None
        return record

    logging.setLogRecordFactory(factory)
