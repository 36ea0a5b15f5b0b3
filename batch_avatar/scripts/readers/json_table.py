"""Scripts as objects of JSON: one a line (`.jsonl`, `.ndjson`), or a list or objects over several lines (`.json`)."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from batch_avatar.scripts.decoding import decoded_lines_at_once
from batch_avatar.scripts.findings import Finding, Place, found
from batch_avatar.scripts.parsing import Malformed, list_items, next_json, parse_json
from batch_avatar.scripts.readers.draft import Draft
from batch_avatar.scripts.readers.members import Members
from batch_avatar.scripts.reading import NotRead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.readers.draft import Named

MOST_TOGETHER = 20_000_000
"""Characters of JSON over several lines, a choice: it is in memory as a whole, which one object a line is not."""
_KINDS = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}


def read_json(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Draft | Finding]:
    members = Members(choice)
    for place, value in _values(decoded_lines_at_once(file, choice.encoding), named.source):
        if isinstance(value, Finding):
            yield value
        elif isinstance(value, dict):
            yield members.of(Draft(place, value))
        else:
            kind = _KINDS[type(value)]
            yield found("table-malformed", f"each script is an object in braces {{ }}, not {kind}").at(place)
    yield from (fault.at(Place(named.source, 1)) for fault in members.missed())


def json_columns(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Draft | Finding]:
    """Yield all members of each object, whatever they mean."""
    yield from read_json(file, named, replace(choice, keep_columns=(), ignore_unknown=False))


def _values(lines: Iterator[str], source: str) -> Iterator[tuple[Place, Any]]:
    """Yield each value with its place, or a finding in its place."""
    blank, first = 0, ""
    for first in lines:
        if first.strip():
            break
        blank += 1
    if goes_over_lines(first):
        yield from _together("\n" * blank + _bounded(chain([first], lines)), source)
        return
    for number, line in enumerate(chain([first], lines), start=blank + 1):
        if line.strip():
            place = Place(source, number)
            try:
                yield place, parse_json(line.removesuffix("\n"))
            except Malformed as error:
                yield place, _malformed(error, place)


def goes_over_lines(first: str) -> bool:
    """Return whether a text that begins with this line is JSON over several lines, or a list, and not one a line."""
    start = first.strip()
    if start.startswith("["):
        return True
    try:
        next_json(start)
    except Malformed as error:
        return start.startswith("{") and error.column is not None and error.column > len(start)
    return False


def _bounded(lines: Iterable[str]) -> str:
    parts, characters = [], 0
    for line in lines:
        characters += len(line)
        if characters > MOST_TOGETHER:
            most = f"{MOST_TOGETHER:,}"
            raise NotRead(
                f"has more than {most} characters of JSON in one piece; write each object on a line of its own"
            )
        parts.append(line)
    return "".join(parts)


def _together(text: str, source: str) -> Iterator[tuple[Place, Any]]:
    """Yield the values of a list, or of objects that follow one another. Nothing after a mistake can be read."""
    at = len(text) - len(text.lstrip())
    line = text.count("\n", 0, at) + 1
    try:
        if text[at] != "[":
            while at < len(text):
                value, end = next_json(text, at)
                yield Place(source, line), value
                at, line = end, line + text.count("\n", at, end)
            return
        for value, start in list_items(text, at + 1):
            at, line = start, line + text.count("\n", at, start)
            yield Place(source, line), value
    except Malformed as error:
        place = Place(source, error.line)
        yield place, _malformed(error, place)


def _malformed(error: Malformed, place: Place) -> Finding:
    column = f" (column {error.column})" if error.column is not None else ""
    return found("table-malformed", f"malformed JSON: {error.reason}{column}").at(place)
