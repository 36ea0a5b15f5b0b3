"""Requests as values, pages of jobs, and the five shapes of error bodies."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.models import SynthesisJob

MAX_BODY_BYTES = 500_000
"""The documented limit is "500 KB"; the smaller reading of it."""


@dataclass(frozen=True)
class WireRequest:
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class JobPage:
    """Jobs newest first, the link to the next page as the service wrote it, and how many could not be read."""

    jobs: tuple[SynthesisJob, ...]
    next_link: str | None
    unreadable: int = 0


@dataclass(frozen=True)
class Problem:
    """What an error body says. `details` are further messages, innermost last."""

    code: str | None = None
    message: str | None = None
    details: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        said = [part for part in (self.message, *self.details) if part]
        return " - ".join(dict.fromkeys(said)) or "no reason given"


def encode_body(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def decode_problem(body: bytes) -> Problem:
    """Understand any error body; never raises.

    Shapes (contract notes, section 6): the documented `error` wrapper with a lower-case `innererror`; the flat
    3.1-preview1 form with `innerError`; ASP.NET problem details; the gateway's wrapper with a number as code;
    and the XML of storage.
    """
    text = body.decode("utf-8-sig", errors="replace").strip()
    if text.startswith("<"):
        return _storage_problem(text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Problem(message=text[:300] or None)
    inner = value.get("error", value) if isinstance(value, dict) else None
    if isinstance(inner, str):
        return Problem(message=inner)
    if not isinstance(inner, dict):
        return Problem(message=text[:300])
    if isinstance(errors := inner.get("errors"), dict):
        details = tuple(f"{name}: {reason}" for name, reasons in errors.items() for reason in _strings(reasons))
        return Problem(code=_string(inner.get("title")), message=_string(inner.get("title")), details=details)
    return _nested(inner)


def _nested(value: dict[str, Any]) -> Problem:
    listed = value.get("details")
    details = [_string(item.get("message")) for item in _items(listed) if isinstance(item, dict)]
    deeper = value.get("innererror") or value.get("innerError")
    while isinstance(deeper, dict):
        details.append(": ".join(part for key in ("code", "message") if (part := _string(deeper.get(key)))))
        deeper = deeper.get("innererror") or deeper.get("innerError")
    said = tuple(detail for detail in details if detail)
    return Problem(code=_string(value.get("code")), message=_string(value.get("message")), details=said)


def _storage_problem(text: str) -> Problem:
    def inside(tag: str) -> str | None:
        _, found, rest = text.partition(f"<{tag}>")
        return next(iter(rest.partition(f"</{tag}>")[0].splitlines()), None) if found else None

    return Problem(code=inside("Code") or None, message=inside("Message") or text[:300])


def _string(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) else None


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)
