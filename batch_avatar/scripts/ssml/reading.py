"""Read a well-formed text into its elements, each with its line. Takes any depth, and time and memory with its length.

What is no well-formed XML, and what declares entities, is not read; `malformed.py` says why in words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from batch_avatar.scripts.content.speech import is_silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SYNTHESIS = ("http://www.w3.org/2001/10/synthesis", "https://www.w3.org/2001/10/synthesis")
MSTTS = ("http://www.w3.org/2001/mstts", "https://www.w3.org/2001/mstts")
"""Both forms of both stand in the service's own examples."""
MATHML = "http://www.w3.org/1998/Math/MathML"
XML = "http://www.w3.org/XML/1998/namespace"


@dataclass(slots=True)
class Element:
    """An element: `name` as in `grammar`, or as it is written if the element is of another namespace.

    `voice`: the nearest `voice` around it, or itself. `number`: which child of its parent it is, from 0. `texts`: the
    lines on which text stands directly in it. `speaks`: whether any of that text can be spoken.
    """

    name: str
    line: int
    attributes: Mapping[str, str]
    parent: Element | None
    voice: Element | None = None
    number: int = 0
    children: int = 0
    texts: list[int] = field(default_factory=list)
    speaks: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration of a namespace whose address the service does not have. `prefix` is empty for the default one."""

    prefix: str
    address: str
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    elements: list[Element]
    """In the order of the text; the first is the root. What stands inside `math` is left out."""
    odd: list[Declared]


class NotWellFormed(Exception):
    """The text is not well-formed, or declares entities, as far as it was read: up to `line`, from 1."""

    def __init__(self, line: int, *, entities: bool) -> None:
        super().__init__(line, entities)
        self.line, self.entities = line, entities


def read_document(text: str) -> Document:
    """Return the elements of a text.

    Raises:
        NotWellFormed: there is no telling what it says.
    """
    target = _Target()
    reader: Any = ElementTree.DefusedXMLParser(target=target)
    target.expat = expat = reader.parser
    expat.buffer_text = False  # else a text has the line at which it ends
    try:
        reader.feed(text)
        reader.close()
    except DefusedXmlException:
        raise NotWellFormed(expat.CurrentLineNumber, entities=True) from None
    except (ElementTree.ParseError, ValueError):
        raise NotWellFormed(expat.ErrorLineNumber, entities=False) from None
    return Document(target.elements, target.odd)


class _Target:
    """What the parser tells of each tag. `expat` knows the line."""

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self.odd: list[Declared] = []
        self.expat: Any = None
        self._open: list[Element] = []
        self._in_math = 0
        self._prefixes = dict.fromkeys(SYNTHESIS, "") | dict.fromkeys(MSTTS, "mstts:") | {MATHML: "", XML: "xml:"}
        self._written: dict[str, str] = {}

    def start_ns(self, prefix: str, address: str) -> None:
        if not address or address in self._prefixes:
            return
        if prefix in ("", "mstts"):  # it is read as what it was meant to be
            self._prefixes[address] = f"{prefix}:" if prefix else ""
            self.odd.append(Declared(prefix, address, self.expat.CurrentLineNumber))
        self._written[address] = f"{prefix}:"

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._in_math:
            self._in_math += 1
            return
        name = self._name(tag)
        parent = self._open[-1] if self._open else None
        own = {self._name(each): value for each, value in attributes.items()}
        element = Element(name, self.expat.CurrentLineNumber, own, parent)
        element.voice = element if name == "voice" else parent.voice if parent else None
        if parent is not None:
            element.number = parent.children
            parent.children += 1
        self.elements.append(element)
        self._open.append(element)
        self._in_math = int(name == "math")

    def end(self, _tag: str) -> None:
        if self._in_math > 1:
            self._in_math -= 1
            return
        self._in_math = 0
        self._open.pop()

    def data(self, text: str) -> None:
        if text.strip() and self._open:
            element = self._open[-1]
            element.texts.append(self.expat.CurrentLineNumber)
            element.speaks = element.speaks or not is_silent(text)

    def _name(self, tag: str) -> str:
        address, _, local = tag.rpartition("}")
        address = address.removeprefix("{")
        if not address:
            return local
        return self._prefixes.get(address, self._written.get(address, "")) + local
