"""Keep signatures and keys out of every log line, including those of libraries."""

from __future__ import annotations

import logging
import re
from functools import cache

# Inside another link '?' and '&' are written %3F and %26, after which there is no word boundary.
_SECRET = re.compile(
    r"(?i)(?:\b|(?<=%26)|(?<=%3f))(sig|signature|x-amz-security-token|skoid|accountkey|sharedaccesssignature)(=|%3d)"
    r"[^&;\s'\"<>]+"
)


def redact(text: str) -> str:
    """Return the text without the values of signatures and account keys."""
    if "=" not in text and "%3" not in text:  # saves time: most texts are scripts, and long
        return text
    return _SECRET.sub(r"\1\2REDACTED", text)


@cache
def redact_secrets() -> None:
    """Redact every log record of this process from now on, before any handler sees it."""
    make = logging.getLogRecordFactory()

    def factory(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if record.name.startswith("urllib3."):
            record.exc_info = None  # it logs a stack trace for a head that HTTP does not allow
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            return record  # a wrong format string, which logging itself reports
        clean = redact(text)
        if clean != text:
            record.msg, record.args = clean, None
        return record

    logging.setLogRecordFactory(factory)
