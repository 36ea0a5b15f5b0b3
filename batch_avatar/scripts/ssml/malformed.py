"""Say in words of people who write SSML why a text is no well-formed XML, and on which lines. Pure, and linear."""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import found
from batch_avatar.scripts.ssml.markup import CURLY, Fault, Tag, Words, first_forbidden, take_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.ssml.reading import NotWellFormed

MOST = 20
"""Faults that are told of one text, a choice: after so many it is not SSML at all."""
MSTTS_DECLARATION = 'xmlns:mstts="https://www.w3.org/2001/mstts"'
SPEAK = 'version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US"'


def why_malformed(text: str, error: NotWellFormed, *, skipped_lines: int) -> Iterator[Finding]:
    """Yield a finding for each fault, at most some 20. `error`: what the parser found of it.

    `skipped_lines`: how many lines stand before the text.
    """
    if error.entities:
        message = "its DOCTYPE declares entities; delete the DOCTYPE, and write what they stand for in the text"
        yield found("ssml-malformed", message, error.line + skipped_lines)
        return
    lines = _Lines(text, skipped_lines)
    faults = list(islice(_distinct(_faults(text, lines), lines), MOST))
    if (forbidden := first_forbidden(text)) is not None:
        faults.insert(0, forbidden)
    for fault in faults:
        yield found("ssml-malformed", fault.message, lines.of(fault.at))
    if not faults:
        rows = text.split("\n")
        near = rows[min(error.line, len(rows)) - 1].strip()
        what = (
            "the first line is no XML declaration; delete it" if near.startswith("<?xml") else "the markup is unclear"
        )
        yield found("ssml-malformed", f"{what}: {shown(near)}", error.line + skipped_lines)


class _Lines:
    """Knows on which line each place of a text is, from 1."""

    def __init__(self, text: str, skipped: int) -> None:
        self._first = skipped + 1
        self._ends = [place for place, character in enumerate(text) if character == "\n"]

    def of(self, at: int) -> int:
        return bisect_right(self._ends, at - 1) + self._first


def _distinct(faults: Iterator[Fault], lines: _Lines) -> Iterator[Fault]:
    """Yield each message once for each line; that of typographic quotes, which are in every tag, once."""
    seen: set[tuple[str, int]] = set()
    for fault in faults:
        key = (fault.message, 0 if fault.message == CURLY else lines.of(fault.at))
        if key not in seen:
            seen.add(key)
            yield fault


def _faults(text: str, lines: _Lines) -> Iterator[Fault]:
    if "<" not in text:
        yield Fault(f'there is no tag in it, so it is no SSML; write <speak {SPEAK}> around <voice name="...">', 0)
        return
    nesting = _Nesting(lines)
    for part in take_apart(text):
        if isinstance(part, Fault):
            yield part
        elif nesting.roots and not nesting.open and isinstance(part, Tag) and part.kind in ("open", "empty", "broken"):
            yield _second_root(part, nesting.first)
            return
        else:
            yield from nesting.take(part)
        if isinstance(part, Fault) and part.last:
            return
    yield from nesting.finish()


def _second_root(tag: Tag, first: int) -> Fault:
    if tag.name == "speak":
        message = f"a second <speak> begins here, after that of line {first}; put each into a file of its own"
    else:
        message = f"<{shown(tag.name)}> stands after the end of the text; one <speak> must be around everything"
    return Fault(message, tag.at)


class _Nesting:
    """Which tags are open, and which prefixes are declared there."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self.first = 0
        self.open: list[Tag] = []
        self.roots = 0
        self._names: dict[str, int] = {}
        self._crossed: dict[str, int] = {}
        self._prefixes: dict[str, int] = {"xml": 1, "xmlns": 1}

    def take(self, part: Tag | Words) -> Iterator[Fault]:
        match part:
            case Words() if not self.open:
                yield Fault(f"text stands {'after the end of' if self.roots else 'before'} <speak>", part.at)
            case Tag(kind="doctype") if self.roots:
                yield Fault("a <!DOCTYPE> stands in the middle; delete it, or move it before <speak>", part.at)
            case Tag(kind="close"):
                yield from self._close(part)
            case Tag(kind="open" | "empty" | "broken"):
                yield from self._start(part)

    def _start(self, tag: Tag) -> Iterator[Fault]:
        if not self.open:
            self.roots += 1
            self.first = self._lines.of(tag.at)
        for prefix in _declared(tag):
            self._prefixes[prefix] = self._prefixes.get(prefix, 0) + 1
        for name in (tag.name, *tag.attributes):
            prefix, colon, _ = name.partition(":")
            if colon and not self._prefixes.get(prefix):
                self._prefixes[prefix] = 1  # told once
                yield _undeclared(prefix, tag)
        if tag.kind == "broken" and self.open:  # whether it was meant to be empty cannot be told
            self._crossed[tag.name] = self._crossed.get(tag.name, 0) + 1
        if tag.kind == "empty" or (tag.kind == "broken" and self.open):
            self._forget(tag)
        else:
            self.open.append(tag)
            self._names[tag.name] = self._names.get(tag.name, 0) + 1

    def _close(self, tag: Tag) -> Iterator[Fault]:
        name = shown(tag.name)
        if not self._names.get(tag.name):
            if self._crossed.get(tag.name):
                self._crossed[tag.name] -= 1
            elif self.open and self.open[-1].name.lower() == tag.name.lower():
                other = self._pop()
                message = f"</{name}> closes <{shown(other.name)}> of line {self._line(other)}; write both alike"
                yield Fault(message, tag.at)
            else:
                yield Fault(f"</{name}> closes nothing; delete it, or write <{name}> where it should begin", tag.at)
            return
        while (inner := self._pop()).name != tag.name:
            self._crossed[inner.name] = self._crossed.get(inner.name, 0) + 1
            inside = shown(inner.name)
            message = (
                f"<{inside}> of line {self._line(inner)} is not closed before </{name}> of line {self._line(tag)};"
                f" write </{inside}> before it"
            )
            yield Fault(message, inner.at)

    def finish(self) -> Iterator[Fault]:
        if not self.roots:
            yield Fault("there is no <speak> in it, so it is no SSML", 0)
        for tag in self.open:
            name = shown(tag.name)
            yield Fault(f"<{name}> of line {self._line(tag)} is never closed; write </{name}> where it ends", tag.at)

    def _pop(self) -> Tag:
        tag = self.open.pop()
        self._names[tag.name] -= 1
        self._forget(tag)
        return tag

    def _forget(self, tag: Tag) -> None:
        for prefix in _declared(tag):
            self._prefixes[prefix] -= 1

    def _line(self, tag: Tag) -> int:
        return self._lines.of(tag.at)


def _declared(tag: Tag) -> list[str]:
    return [name.removeprefix("xmlns:") for name in tag.attributes if name.startswith("xmlns:")]


def _undeclared(prefix: str, tag: Tag) -> Fault:
    declaration = MSTTS_DECLARATION if prefix == "mstts" else f'xmlns:{shown(prefix)}="..."'
    what = f"the prefix {shown(prefix)}: of <{shown(tag.name)}> is not declared"
    return Fault(f"{what}; write {declaration} into the tag <speak>", tag.at)
