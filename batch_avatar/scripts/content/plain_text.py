"""Find what would be read aloud by mistake, or not be heard, in text that is spoken as it stands. Pure, and linear."""

from __future__ import annotations

import re
from html.entities import html5
from typing import TYPE_CHECKING

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.content.leftovers import check_placeholders
from batch_avatar.scripts.content.speech import has_words, is_silent
from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from re import Match

    from batch_avatar.models import Script
    from batch_avatar.scripts.findings import Finding

LONGEST_SHOWN = 60
"""Characters of markup that a warning repeats."""
_TAG = re.compile(
    r"<(?:!--|!doctype\b|\?xml\b|/?[a-z][\w:.-]{0,60}(?:\s[^<>]{0,300}=[^<>]{0,300})?\s{0,9}/?>)",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_MARKDOWN = (
    re.compile(r"\*\*[^\s*][^*\n]{0,200}\*\*"),
    re.compile(r"\]\(https?://"),
    re.compile(r"#(?<![^\n]#)#{0,5} \S"),
    re.compile(r"```"),
)
"""Bold, links, headings and code. Each begins with a sign, so that a text without it is passed over quickly."""
_PAGE = re.compile(r"\s{0,100}(?:<!doctype html|<html)\b", re.IGNORECASE)
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""What XML 1.0 (2.2) does not allow, and DEL. NUL is refused by a rule of its own."""
_DAMAGED = re.compile("[\x80-\x84\x86-\x9f\ufffd]")
"""What is left where a text was decoded as what it is not."""


def check_content(script: Script) -> Iterator[Finding]:
    """Say what seems to be in the script's content by mistake, with its line in it, from 1."""
    yield from check_placeholders(script)
    if not script.content.isascii() and (damaged := _DAMAGED.search(script.content)):
        text = f"letters were lost: {shown(damaged[0])} stands where one was; save the text anew, as UTF-8"
        yield _at("odd-characters", text, script.content, damaged)
    if script.input_kind == "PlainText":
        yield from _check_text(script.content)


def _check_text(text: str) -> Iterator[Finding]:
    if not text.strip():
        yield found("content-empty", "content is empty")
    elif is_silent(text):
        yield found("content-empty", "nothing in it can be spoken: it has no letter, digit or sign")
    elif not has_words(text):
        yield found("content-signs", "it has no letter or digit, so perhaps nothing is heard; listen to the result")
    if control := _CONTROL.search(text):
        told = f"it holds the control character {shown(control[0])}, which is no part of any text; delete it"
        yield _at("odd-characters", told, text, control)
    yield from _check_markup(text)


def _check_markup(text: str) -> Iterator[Finding]:
    if page := _PAGE.match(text):
        told = "it is a page of HTML, and all its tags would be read aloud; save its text alone"
        yield _at("markup", told, text, page)
    elif tag := _TAG.search(text):
        yield _markup(text, tag, "write SSML, all of it inside <speak>, or delete the tags")
    if entity := next((one for one in _ENTITY.finditer(text) if _is_known(one[0])), None):
        yield _markup(text, entity, "write the character itself")
    if mark := next(filter(None, (pattern.search(text) for pattern in _MARKDOWN)), None):
        yield _markup(text, mark, "delete it, or save the text as .md and name that file")


def _is_known(entity: str) -> bool:
    return entity[1] == "#" or entity[1:] in html5


def _markup(text: str, match: Match[str], advice: str) -> Finding:
    written = match[0] if len(match[0]) <= LONGEST_SHOWN else f"{match[0][:LONGEST_SHOWN]}..."
    told = f"{shown(written)} would be read aloud as it stands, because this is text; {advice}"
    return _at("markup", told, text, match)


def _at(rule: str, told: str, text: str, match: Match[str]) -> Finding:
    return found(rule, told, text.count("\n", 0, match.start()) + 1)
