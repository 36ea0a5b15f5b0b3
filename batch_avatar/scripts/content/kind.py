"""Tell SSML from text that is spoken as it stands. Pure, and linear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.scripts.findings import Finding

_BLANK = re.compile(r"[\s\ufeff]*")
_ROOT = re.compile(r"<(?:[\w.-]{1,50}:)?speak(?=[\s/>])", re.IGNORECASE)
_DOCTYPE = re.compile("<!doctype", re.IGNORECASE)
_BEFORE_ROOT = (("<!--", "-->"), ("<?", "?>"))


def is_ssml(content: str) -> bool:
    """Return whether the first tag of a text is `speak`, and nothing but declarations and comments stands before it."""
    at = 0
    while True:
        at = _after_blank(content, at)
        end = _end_of_prolog(content, at)
        if end is None:
            return _ROOT.match(content, at) is not None
        at = end


def with_kind(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """Return the members of a script with their kind: where none is said, the text decides. Tell what is odd of it."""
    members = dict(values)
    content, said = members.get("content"), members.get("input_kind")
    ssml = isinstance(content, str) and is_ssml(content)
    if said is None:
        members["input_kind"] = "SSML" if ssml else "PlainText"
        text = "it begins with <speak>, so it is taken as SSML; as text its tags would be read aloud"
        return members, [found("ssml-taken", text)] if ssml else []
    if ssml and isinstance(said, str) and said.lower() == "plaintext":
        text = "it is SSML, but its input_kind is PlainText, so that its tags would be read aloud"
        advice = "give it the input_kind SSML, or none; call a template .ssml.j2"
        return members, [found("ssml-as-text", f"{text}; {advice}")]
    return members, []


def _after_blank(content: str, at: int) -> int:
    blank = _BLANK.match(content, at)
    return blank.end() if blank else at


def _end_of_prolog(content: str, at: int) -> int | None:
    """Return where the comment or declaration that begins here ends; None if none begins here, or it has no end."""
    for start, end in _BEFORE_ROOT:
        if content.startswith(start, at):
            return _after(content, end, at + len(start))
    if _DOCTYPE.match(content, at) is None:
        return None
    end_of_tag = _after(content, ">", at)
    if end_of_tag is None or (inner := content.find("[", at, end_of_tag)) < 0:
        return end_of_tag
    closed = _after(content, "]", inner)
    return None if closed is None else _after(content, ">", closed)


def _after(content: str, end: str, start: int) -> int | None:
    place = content.find(end, start)
    return None if place < 0 else place + len(end)
