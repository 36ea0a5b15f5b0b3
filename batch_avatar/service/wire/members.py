"""Reads the members of a job one by one. What is not as documented is left out alone, and named."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr

from batch_avatar.models import JobStatus
from batch_avatar.safe_text.bounds import NAME
from batch_avatar.safe_text.sinks import foreign

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
"""The documented rule for ids, without its least length. Other characters would lead a request elsewhere."""

MOST = 2**63  # counts are int64 (specification)

MOST_DIGITS = 100  # beyond some thousands of digits int() refuses

_STATUSES = {str(status).lower(): status for status in JobStatus}


class Members:
    """The members of one JSON object. Each method returns None for a member that is null, absent or not as documented.

    `unreadable` names those that are not as documented, with the names of the objects around them.
    """

    def __init__(self, value: object, *, within: str = "", unreadable: list[str] | None = None) -> None:
        """Raise ValueError if the value is not a JSON object."""
        self._values = decode_object(value)
        self._within = within
        self.unreadable: list[str] = [] if unreadable is None else unreadable

    def job_id(self) -> str:
        """Return `id`; raise ValueError if it is none."""
        value = self._values.get("id")
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise ValueError("a job without an id")
        return value

    def status(self) -> str:
        """Return `status` as we write it, whatever its case; raise ValueError if there is none."""
        value = self._values.get("status")
        if not isinstance(value, str) or not value:
            raise ValueError("a job without a status")
        return fold_status(value)

    def inner(self, name: str, *, text: str = "") -> Members:
        """Return the object of that name, empty if there is none. `text`: the member that a mere text stands for."""
        value = self._values.get(name)
        if text and isinstance(value, str):
            value = {text: value}
        if value is None or not isinstance(value, dict):
            self._note(name, value)
            value = {}
        return Members(value, within=f"{self._within}{name}.", unreadable=self.unreadable)

    def text(self, name: str) -> str | None:
        return self.read(name, decode_text)

    def folded(self, name: str) -> str | None:
        """Return the text in lower case: the service writes some words with a capital that it was not given."""
        found = self.text(name)
        return found and found.lower()

    def count(self, name: str) -> int | None:
        return self.read(name, decode_count)

    def number(self, name: str) -> float | None:
        return self.read(name, _number)

    def moment(self, name: str) -> datetime | None:
        return self.read(name, _moment)

    def link(self, name: str) -> SecretStr | None:
        found = self.read(name, _whole_text)
        return SecretStr(found) if found else None

    def read(self, name: str, decode: Callable[[object], T | None]) -> T | None:
        """Return what `decode` makes of the member; None from it says that the member is not as documented."""
        value = self._values.get(name)
        found = None if value is None else decode(value)
        if found is None:
            self._note(name, value)
        return found

    def _note(self, name: str, value: object) -> None:
        if value is not None:
            self.unreadable.append(f"{self._within}{name}")


def parse_json(body: bytes | str) -> object:
    """Parse JSON of any depth and size of numbers; raise ValueError if it is none, or nested too deeply."""
    try:
        return json.loads(body, parse_int=_whole)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _whole(digits: str) -> int | float:
    """Return the number; one of more digits than any count has only has to be no count."""
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)


def decode_object(value: object) -> dict[str, Any]:
    """Return the value; raise ValueError if it is not a JSON object."""
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error for every unreadable body
    return value


def fold_status(text: str) -> str:
    """Return a status that we know as we write it, and any other as far as a name goes."""
    return _STATUSES.get(text.lower()) or foreign(text, NAME)


def decode_text(value: object) -> str | None:
    """Return a text as it is kept, without secrets and not too long; None if it is none."""
    return foreign(value) if isinstance(value, str) else None


def _whole_text(value: object) -> str | None:
    """Return a text that can be encoded: of half a surrogate pair, which JSON can hold, a question mark is left."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def decode_count(value: object) -> int | None:
    """Return a whole number, also from digits as text, as 3.1-preview1's summary writes it; else None."""
    if isinstance(value, str):
        value = int(value) if value.isdecimal() and len(value) < len(str(MOST)) else None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST else None


def _number(value: object) -> float | None:
    if isinstance(value, float):
        return value if math.isfinite(value) and value >= 0 else None
    return decode_count(value)


def _moment(value: object) -> datetime | None:
    """Return UTC, also for times without a zone: `lastActionDateTime` loses its Z once a job moves on (2024-08-01)."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or one outside the calendar
        return None
