"""Take a text apart into tags and text as its author meant them, also where it is no XML, with every fault on the way.

It is read only to find words for what an XML parser does not take; whether a text is XML is not decided here. Linear:
each step reads on from where the last one ended, and a search that finds nothing ends the reading.
"""

from __future__ import annotations

import re
import sys
from html.entities import html5
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.safe_text.sinks import name as shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK = re.compile(r"\s*")
_NAME = re.compile(r"[^\s<>=/\"'&\u201c-\u201f\u2018-\u201b]*")
_UNQUOTED = re.compile(r"[^\s<>\"']*")
_CURLY = "\u201c\u201d\u201e\u201f\u2033\u2018\u2019\u201a\u201b\u2032\u00ab\u00bb"
_IN_CURLY = re.compile(rf"[^<>{_CURLY}]*")
_AMPERSAND = re.compile(r"&(#[0-9]{1,9};|#x[0-9A-Fa-f]{1,8};|[A-Za-z][A-Za-z0-9]{1,31};)?")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 does not allow."""
XML_NAMES = ("amp", "lt", "gt", "quot", "apos")
CURLY = 'typographic quotes around a value; write straight ones in every tag, as in version="1.0"'


class Tag(NamedTuple):
    """A tag: `kind` is open, empty, close, doctype, or broken where its `>` is missing. `attributes` has names alone.

    `at` is where it begins in the text.
    """

    kind: str
    name: str
    attributes: tuple[str, ...]
    at: int


class Words(NamedTuple):
    """Text that is not blank."""

    text: str
    at: int


class Fault(NamedTuple):
    """What is wrong, and where in the text. After the `last` one the rest cannot be told apart."""

    message: str
    at: int
    last: bool = False


def take_apart(text: str) -> Iterator[Tag | Words | Fault]:
    """Yield tags, words and faults in the order of the text. Comments and declarations are no tags."""
    at = 0
    while (start := text.find("<", at)) >= 0:
        yield from _words(text, at, start)
        special = next((one for one in _SPECIAL if text.startswith(one, start)), None)
        if special is not None:
            end = text.find(_SPECIAL[special], start + len(special))
            if end < 0:
                yield Fault(
                    f"what begins with {special} is never ended; end it with {_SPECIAL[special]}", start, last=True
                )
                return
            yield from _special(text[start:end], special, start)
            at = end + len(_SPECIAL[special])
        elif text.startswith("<!DOCTYPE", start):
            at = _end_of_doctype(text, start)
            yield Tag("doctype", "!DOCTYPE", (), start)
        else:
            tag = _TagReader(text, start)
            yield from tag.read()
            at = tag.at
    yield from _words(text, at, len(text))


_SPECIAL = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}


def _special(inside: str, begin: str, at: int) -> Iterator[Words | Fault]:
    content = inside[len(begin) :]
    if begin == "<![CDATA[" and content.strip():
        yield Words(content, at)
    elif begin == "<!--" and ("--" in content or content.endswith("-")):
        yield Fault("a comment holds --, which only its end may; write another dash", at)
    elif begin == "<?" and content.lower().startswith("xml") and any(mark in content for mark in _CURLY):
        yield Fault(CURLY, at)
    elif begin == "<?" and content.startswith("xml ") and at > 0:
        yield Fault("an XML declaration <?xml ...?> stands in the middle; delete it, or move it to the beginning", at)


def _end_of_doctype(text: str, start: int) -> int:
    end = text.find(">", start)
    inner = text.find("[", start, end if end >= 0 else len(text))
    if inner >= 0:
        close = text.find("]", inner)
        end = text.find(">", close) if close >= 0 else -1
    return end + 1 if end >= 0 else len(text)


def _words(text: str, start: int, end: int) -> Iterator[Words | Fault]:
    words = text[start:end]
    yield from _ampersands(words, start)
    if (wrong := words.find("]]>")) >= 0:
        yield Fault("]]> in a text must be written ]]&gt;", start + wrong)
    if words.strip():
        yield Words(words, start + len(words) - len(words.lstrip()))


def _ampersands(words: str, start: int) -> Iterator[Fault]:
    for found in _AMPERSAND.finditer(words):
        what = (found[1] or "").removesuffix(";")
        if not what:
            yield Fault("a bare & must be written &amp;", start + found.start())
        elif what.startswith("#"):
            point = int(f"0{what[1:]}", 0) if what[1] == "x" else int(what[1:])
            if point > sys.maxunicode or _FORBIDDEN.match(chr(point)):
                yield Fault(f"&{what}; is no character that XML can hold; delete it", start + found.start())
        elif what not in XML_NAMES:
            yield Fault(_unknown_name(what), start + found.start())


def _unknown_name(what: str) -> str:
    meaning = html5.get(f"{what};")
    if meaning is None:
        return f"&{shown(what)}; means nothing in SSML; if it is text, write &amp;{shown(what)};"
    points = "".join(f"&#{ord(character)};" for character in meaning)
    return f"&{what}; is a name of HTML that SSML does not have; write {points}"


def first_forbidden(text: str) -> Fault | None:
    """Return the first character that XML does not allow; None if all are allowed."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return None
    message = f"the character {shown(found[0])} (U+{ord(found[0]):04X}) cannot be in SSML; delete it"
    return Fault(message, found.start())


class _TagReader:
    """Reads one tag from its `<` on. Afterwards `at` is where to read on."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._start = start
        self._closes = text.startswith("</", start)
        self._name = self._match(_NAME, start + 1 + self._closes)
        self._attributes: dict[str, None] = {}
        self.at = start + 1 + self._closes + len(self._name)

    def read(self) -> Iterator[Tag | Words | Fault]:
        if not (self._name[:1].isalpha() or self._name[:1] == "_"):
            yield Fault("a bare < must be written &lt;", self._start)
            self.at = self._start + 1
            return
        while True:
            blank = len(self._match(_BLANK, self.at))
            self.at += blank
            here = self._text[self.at : self.at + 2]
            if here[:1] == ">" or here == "/>":
                yield self._tag("close" if self._closes else "open" if here[:1] == ">" else "empty")
                self.at += 1 if here[:1] == ">" else 2
                return
            if here[:1] in ("", "<"):
                yield Fault(f"a > is missing at the end of the tag {self._title()}", self._start)
                yield self._tag("close" if self._closes else "broken")
                return
            yield from self._attribute(blank)

    def _attribute(self, blank: int) -> Iterator[Fault]:
        begin = self.at
        name = self._match(_NAME, begin)
        if not name:
            self.at += 1
            mark = self._text[begin]
            yield Fault(CURLY if mark in _CURLY else f"a {shown(mark)} too many in the tag {self._title()}", begin)
            return
        if not blank:
            yield Fault(f"a blank is missing before {shown(name)} in the tag {self._title()}", begin)
        self.at += len(name)
        after = self.at + len(self._match(_BLANK, self.at))
        if self._text[after : after + 1] != "=":
            yield Fault(f'{shown(name)} in the tag {self._title()} has no value; write {shown(name)}="..."', begin)
            return
        self.at = after + 1
        self.at += len(self._match(_BLANK, self.at))
        yield from self._value(name, begin)

    def _value(self, name: str, begin: int) -> Iterator[Fault]:
        text, quote = self._text, self._text[self.at : self.at + 1]
        if quote and quote in _CURLY:
            yield Fault(CURLY, begin)
            value = self._match(_IN_CURLY, self.at + 1)
            self.at += 1 + len(value)
            self.at += text[self.at : self.at + 1] in (*_CURLY, '"', "'") and self.at < len(text)
        elif quote and quote in "\"'":
            end = text.find(quote, self.at + 1)
            value = text[self.at + 1 : end] if end >= 0 else text[self.at + 1 :]
            wrong = value.find("<")
            close = value.find(">", 0, wrong if wrong >= 0 else len(value))
            curly = next((place for place, mark in enumerate(value[:200]) if mark in _CURLY), -1)
            if curly >= 0 and ("=" in value[curly:] or end < 0 or close >= 0):
                yield Fault(CURLY, begin)
                value = value[:curly]
                self.at += 1 + len(value) + 1
            elif end < 0 or (wrong >= 0 and close >= 0):
                yield Fault(f"the quote that begins the value of {shown(name)} is never closed", begin)
                value = value[: close if close >= 0 else wrong if wrong >= 0 else len(value)]
                self.at += 1 + len(value.removesuffix("/"))
            else:
                if wrong >= 0:
                    yield Fault(f"a < in the value of {shown(name)} must be written &lt;", self.at + 1 + wrong)
                yield from _ampersands(value, self.at + 1)
                self.at = end + 1
        else:
            value = self._match(_UNQUOTED, self.at)
            if value.endswith("/") and text[self.at + len(value) : self.at + len(value) + 1] == ">":
                value = value[:-1]
            self.at += len(value)
            yield Fault(f'the value of {shown(name)} needs quotes; write {shown(name)}="{shown(value)}"', begin)
        if name in self._attributes:
            yield Fault(f"{shown(name)} is given twice in the tag {self._title()}; delete one of them", begin)
        self._attributes[name] = None

    def _tag(self, kind: str) -> Tag:
        return Tag(kind, self._name, tuple(self._attributes), self._start)

    def _title(self) -> str:
        return f"<{'/' if self._closes else ''}{shown(self._name)}>"

    def _match(self, pattern: re.Pattern[str], at: int) -> str:
        found = pattern.match(self._text, at)
        return found[0] if found else ""
