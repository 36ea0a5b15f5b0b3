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
    """Jobs newest first, and the link to the next page as the service wrote it."""

    jobs: tuple[SynthesisJob, ...]
    next_link: str | None


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
    text = body.decode("utf-8", errors="replace").strip()
    if text.startswith("<"):
        return _storage_problem(text)
    try:
        value = json.loads(text)
    except ValueError:
        return Problem(message=text[:300] or None)
    if not isinstance(value, dict):
        return Problem(message=text[:300])
    if isinstance(errors := value.get("errors"), dict):
        details = tuple(f"{name}: {reason}" for name, reasons in errors.items() for reason in _strings(reasons))
        return Problem(code=_string(value.get("title")), message=_string(value.get("title")), details=details)
    inner = value.get("error", value)
    if isinstance(inner, str):
        return Problem(message=inner)
    return _nested(inner) if isinstance(inner, dict) else Problem(message=text[:300])


def _nested(value: dict[str, Any]) -> Problem:
    details = [f"{item.get('message')}" for item in value.get("details") or () if isinstance(item, dict)]
    code = _string(value.get("code"))
    deeper = value.get("innererror") or value.get("innerError")
    while isinstance(deeper, dict):
        details.append(": ".join(part for key in ("code", "message") if (part := _string(deeper.get(key)))))
        deeper = deeper.get("innererror") or deeper.get("innerError")
    return Problem(code=code, message=_string(value.get("message")), details=tuple(details))


def _storage_problem(text: str) -> Problem:
    def inside(tag: str) -> str | None:
        _, found, rest = text.partition(f"<{tag}>")
        return rest.partition(f"</{tag}>")[0].splitlines()[0] if found and rest else None

    return Problem(code=inside("Code"), message=inside("Message") or text[:300])


def _string(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) else None


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)
