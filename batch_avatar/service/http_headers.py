"""Headers of foreign answers: dates, the wait that is asked for, and names of requests. Pure; none of it raises."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from batch_avatar.safe_text.redaction import redact

MOST_WAIT_SECONDS = 3600.0
"""No wait is believed that is longer: the service counts creates by the minute, and its documents advise four minutes
at most. Whoever is refused again then waits again."""

FIRST_YEAR, LAST_YEAR = 2000, 2199  # other dates are no service's time; with them, sums leave the calendar


def read_date(text: str | None) -> datetime | None:
    """Return the time of an HTTP date in UTC; None if it is none, or beyond any calendar of use."""
    try:
        moment = parsedate_to_datetime(text or "")
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):  # the parser lets each of them through
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def read_retry_after(text: str | None, *, now: datetime | None) -> float | None:
    """Return the seconds that `Retry-After` asks to wait, at most `MOST_WAIT_SECONDS`; None if it cannot be read.

    Both forms of RFC 9110, section 10.2.3, are read; `now` is the time at the service; without it a date tells nothing.
    """
    text = (text or "").strip()
    if text.isascii() and text.isdecimal():
        return float(min(int(text[:20]), MOST_WAIT_SECONDS))
    until = read_date(text)
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), MOST_WAIT_SECONDS)


def read_request_id(text: str | None) -> str | None:
    """Return the id of a request as far as it can be shown: visible ASCII, at most 100 characters."""
    return redact("".join(letter for letter in text or "" if "!" <= letter <= "~"))[:100] or None
