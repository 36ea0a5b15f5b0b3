"""Requests as values, pages of jobs, the five shapes of error bodies, and what the generations have in common."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from batch_avatar.safe_text.bounds import first_of
from batch_avatar.safe_text.sinks import foreign
from batch_avatar.service.wire.members import decode_count, decode_text, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from batch_avatar.models import Script, SynthesisJob

PAGE_SIZE = 100  # jobs on a page, the documented maximum of both generations
MAX_BODY_BYTES = 500_000
"""The documented limit is "500 KB"; this is the smaller of its two readings."""

BILLING_NAMES = {
    "neural": "neuralCharacters",
    "customneural": "customNeuralCharacters",
    "talkingavatarduration": "talkingAvatarDurationSeconds",
    "talkingavatardurationinseconds": "talkingAvatarDurationSeconds",
    "talkingavatardurationseconds": "talkingAvatarDurationSeconds",
}
"""Older names in lower case (3.1-preview1's job and summary, 2024-04-01-preview), mapped to those of 2024-08-01."""

COMPARED = 800
"""Characters of a message that are compared with those of another; claims keep 1,000."""
_QUOTES = (('"', '"'), ("'", "'"), ("`", "`"), ("“", "”"), ("‘", "’"), ("«", "»"))
_QUOTED = re.compile(r"(?<!\w)(?:" + "|".join(rf"{a}(?:[^{z}]|{z}(?=\w))*(?:{z}|\Z)" for a, z in _QUOTES) + ")")
_NUMBERED = re.compile(r"\S*\d\S*")


@dataclass(frozen=True)
class WireRequest:
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobPage:
    """Jobs newest first, the link to the next page as the service wrote it, and how many could not be read."""

    jobs: tuple[SynthesisJob, ...]
    next_link: str | None
    unreadable: int = 0


@dataclass(frozen=True)
class Problem:
    """What an error body says. `details` are further messages, the innermost last."""

    code: str | None = None
    message: str | None = None
    details: tuple[str, ...] = field(default=())

    @property
    def said(self) -> tuple[str, ...]:
        """Each message once, the innermost last."""
        return tuple(dict.fromkeys(part for part in (self.message, *self.details) if part))

    def __str__(self) -> str:
        return " - ".join(self.said) or "no reason given"


def words_of(message: str) -> list[str]:
    """Return the words of a message in lower case, by which two count as one reason.

    What differs from script to script is left out: quoted parts, and ids, times and numbers, which have digits. A quote
    that does not end reaches to the end of the message.
    """
    words = _NUMBERED.sub(" ", _QUOTED.sub(" ", message[:COMPARED])).lower().split()
    return words[:-1] if len(message) > COMPARED else words  # the last one of a cut text may be a part of a word


def encode_body(values: Mapping[str, Any]) -> bytes:
    """Return the values as JSON. Raise ValueError if a number or a text has no form in it."""
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def set_properties(script: Script) -> dict[str, Any]:
    """Return the script's properties that are set, with the destination container's link in clear."""
    values = script.model_dump(exclude_none=True)
    if url := script.destination_container_url:
        values["destination_container_url"] = url.get_secret_value()
    return values


def pick(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return those values that `names` lists, by the service's names for them."""
    return {wire: values[ours] for ours, wire in names.items() if ours in values}


def camel(value: Any) -> Any:
    """Return nested members (scene, videoCrop) by the service's names."""
    if not isinstance(value, dict):
        return value
    return {_camel_name(name): camel(inner) for name, inner in value.items()}


def _camel_name(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def decode_billing(value: object) -> dict[str, int] | None:
    """Return counts by the names of 2024-08-01; None if the value is no object.

    Unknown names stay as they are; what is no count is left out.
    """
    if not isinstance(value, dict):
        return None
    names = {name: BILLING_NAMES.get(name.lower()) or decode_text(name) or name for name in value}
    counts = {names[name]: decode_count(count) for name, count in value.items()}
    return {name: count for name, count in counts.items() if count is not None}


def decode_jobs(jobs: object, link: object, decode_job: Callable[[object], SynthesisJob]) -> JobPage:
    """Return the page with these jobs and this link to the next. Raise ValueError if `jobs` is no list."""
    if not isinstance(jobs, list):
        raise ValueError("a page without a list of jobs")  # noqa: TRY004 - one error for every unreadable body
    decoded = []
    for job in jobs:
        with suppress(ValueError):  # one odd job, perhaps of somebody else, must not hide the others
            decoded.append(decode_job(job))
    return JobPage(
        jobs=tuple(decoded),
        next_link=link if isinstance(link, str) and link else None,
        unreadable=len(jobs) - len(decoded),
    )


def decode_problem(body: bytes) -> Problem:
    """Decode any error body; never raises.

    Shapes, as documented or seen: the documented `error` wrapper with a lower-case `innererror`; the flat
    3.1-preview1 form with `innerError`; ASP.NET problem details; the gateway's wrapper with a number as code;
    and the XML of storage.
    """
    text = body.decode("utf-8-sig", errors="replace").strip()
    if text.startswith("<"):
        return _storage_problem(text)
    try:
        value = parse_json(text)
    except ValueError:
        return Problem(message=foreign(text, 300) or None)
    inner = value.get("error", value) if isinstance(value, dict) else None
    if isinstance(inner, str):
        return Problem(message=foreign(inner))
    if not isinstance(inner, dict):
        return Problem(message=foreign(text, 300))
    if isinstance(errors := inner.get("errors"), dict):
        details = [foreign(f"{name}: {reason}") for name, reasons in errors.items() for reason in _strings(reasons)]
        title = _string(inner.get("title"))
        return Problem(code=title, message=title, details=tuple(first_of(details)))
    return _nested(inner)


def _nested(value: dict[str, Any]) -> Problem:
    listed = value.get("details")
    details = [_string(item.get("message")) for item in _items(listed) if isinstance(item, dict)]
    deeper = value.get("innererror") or value.get("innerError")
    while isinstance(deeper, dict):
        details.append(": ".join(part for key in ("code", "message") if (part := _string(deeper.get(key)))))
        deeper = deeper.get("innererror") or deeper.get("innerError")
    said = tuple(first_of([detail for detail in details if detail]))
    return Problem(code=_string(value.get("code")), message=_string(value.get("message")), details=said)


def _storage_problem(text: str) -> Problem:
    def inside(tag: str) -> str | None:
        _, found, rest = text.partition(f"<{tag}>")
        lines = rest.partition(f"</{tag}>")[0].splitlines() if found else []
        return foreign(lines[0]) if lines else None

    return Problem(code=inside("Code") or None, message=inside("Message") or foreign(text, 300))


def _string(value: object) -> str | None:
    return decode_text(value) if isinstance(value, str) else str(value) if isinstance(value, int) else None


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)
