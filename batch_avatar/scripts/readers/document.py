"""A document (`.docx`): its paragraphs are one script, or one for each top heading."""

from __future__ import annotations

import re
import unicodedata
from typing import IO, TYPE_CHECKING, NamedTuple

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import Place
from batch_avatar.scripts.readers.draft import script_of
from batch_avatar.scripts.readers.office import Package, first, given, inside, is_on, local
from batch_avatar.scripts.readers.omitted import Omitted
from batch_avatar.scripts.script_ids import check_script_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.readers.draft import Draft, Named

NOT_SPOKEN = {
    "AlternateContent": "pictures and text boxes",
    "drawing": "pictures and text boxes",
    "pict": "pictures and text boxes",
    "object": "embedded objects",
    "altChunk": "embedded files",
    "tbl": "tables",
    "oMath": "formulas",
    "oMathPara": "formulas",
    "sym": "symbols",
    "footnoteReference": "footnotes",
    "endnoteReference": "endnotes",
    "del": "text that tracked changes delete",
    "moveFrom": "text that tracked changes delete",
}
"""What is left out, by the name of its element (ECMA-376, part 1, 17)."""
_CLOSED = {*NOT_SPOKEN, "pPr", "rPr", "sdtPr", "rt"}
"""Elements without words. `rt` says again how the word below it is read."""
_MARKS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_CONTENTS, _HIDDEN = "table of contents", "hidden text"
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_NO_LETTER = re.compile(r"[\W_]+")
BODY_LEVEL = 9
"""The level of what is no heading (ECMA-376, part 1, 17.3.1.20)."""
LONGEST_SLUG = 60
BEFORE = "start"
"""The id of what stands before the first heading."""
MOST_STYLES_BELOW = 20


class Paragraph(NamedTuple):
    """`level`: of a heading, from 0; 9 of any other."""

    level: int
    text: str


class Style(NamedTuple):
    """A style of paragraphs: its name, which is English in every language, the one below it, and its own level."""

    name: str
    below: str
    level: int | None


def read_document(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Draft | Finding]:
    omitted = Omitted()
    paragraphs = _paragraphs(Package(file), omitted)
    yield from (finding.at(Place(named.source)) for finding in omitted.findings())
    top = min((each.level for each in paragraphs), default=BODY_LEVEL)
    if choice.by_heading and top < BODY_LEVEL:
        yield from _by_heading(paragraphs, top, named)
    else:
        yield script_of(named.script_id, None, _joined(paragraphs), Place(named.source))


def slug(title: str) -> str:
    """Return a title as a part of an id: its letters and digits, with `-` between them."""
    text = _NO_LETTER.sub("-", unicodedata.normalize("NFC", title).lower())[:LONGEST_SLUG].strip("-")
    return text if text and not any(check_script_id(f"a/{text}")) else f"part-{text}".rstrip("-")


def _by_heading(paragraphs: list[Paragraph], top: int, named: Named) -> Iterator[Draft]:
    parts: list[list[Paragraph]] = [[]]
    for each in paragraphs:
        if each.level == top:
            parts.append([])
        parts[-1].append(each)
    taken: set[str] = set()
    for number, part in enumerate(parts):
        if not part:
            continue
        title = part[0].text if number else BEFORE
        own = slug(title)
        own = next(one for one in (own, *(f"{own}-{n}" for n in range(2, len(parts) + 2))) if one not in taken)
        taken.add(own)
        place = Place(f"{named.source}, {shown(' '.join(title.split()))}")
        yield script_of(f"{named.script_id}/{own}", None, _joined(part), place)


def _joined(paragraphs: list[Paragraph]) -> str:
    return "\n\n".join(each.text for each in paragraphs)


def _paragraphs(package: Package, omitted: Omitted) -> list[Paragraph]:
    """Return the paragraphs with words."""
    part, document = package.main("document")
    styles: dict[str, Style] = {}
    for name in package.related(part, "styles"):
        styles |= _styles(package.tree(name))
    found = []
    body = first(document, "body")
    for each in inside(body, lambda one: local(one.tag) not in {"p", *_CLOSED}) if body is not None else ():
        name = local(each.tag)
        if name in NOT_SPOKEN:
            omitted.note(NOT_SPOKEN[name])
        elif name == "p":
            style = styles.get(_value(first(each, "pPr", "pStyle")))
            if style is not None and style.name.lower().startswith("toc "):
                omitted.note(_CONTENTS)
            elif text := _words(each, omitted):
                found.append(Paragraph(_level(each, style, styles), text))
    return found


def _words(paragraph: Element, omitted: Omitted) -> str:
    parts = []
    for each in inside(paragraph, lambda one: local(one.tag) not in _CLOSED and not _is_hidden(one)):
        name = local(each.tag)
        if name in NOT_SPOKEN:
            omitted.note(NOT_SPOKEN[name])
        elif _is_hidden(each):
            omitted.note(_HIDDEN)
        else:
            parts.append((each.text or "") if name == "t" else _MARKS.get(name, ""))
    return "\n".join(" ".join(line.split()) for line in "".join(parts).split("\n")).strip()


def _is_hidden(element: Element) -> bool:
    return local(element.tag) == "r" and is_on(first(element, "rPr", "vanish"))


def _styles(root: Element) -> dict[str, Style]:
    styles = {}
    for each in root:
        level = _value(first(each, "pPr", "outlineLvl"))
        name = _value(first(each, "name"))
        if heading := _HEADING.fullmatch(name):
            level = level or str(int(heading[1]) - 1)
        own = int(level) if level.isdecimal() else None
        styles[given(each, "styleId") or ""] = Style(name, _value(first(each, "basedOn")), own)
    return styles


def _level(paragraph: Element, style: Style | None, styles: dict[str, Style]) -> int:
    own = _value(first(paragraph, "pPr", "outlineLvl"))
    if own.isdecimal():
        return min(int(own), BODY_LEVEL)
    for _ in range(MOST_STYLES_BELOW):
        if style is None:
            break
        if style.level is not None:
            return min(style.level, BODY_LEVEL)
        style = styles.get(style.below)
    return BODY_LEVEL


def _value(element: Element | None) -> str:
    return (given(element, "val") or "") if element is not None else ""
