"""The parts of a deck or document of Office: XML in a zip (ECMA-376, part 2). Only what is asked for is read."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, NamedTuple, cast
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import iterparse

from batch_avatar.scripts.reading import NotRead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from xml.etree.ElementTree import Element

MOST_PART_BYTES = 20_000_000
"""Of a part, unpacked, a choice. The text of a long book takes some 5 MB, with all marks of its letters."""
MOST_BYTES = 20 * MOST_PART_BYTES
"""Of all parts that are read, a choice."""
MOST_ELEMENTS = 1_000_000
"""Of a part, a choice; they take some 200 MB."""
MOST_AT_ONCE = 4_000_000
"""Bytes that are read at once, a choice. The list of all parts comes in one piece, and 4 MB have 40,000 parts."""
_CHUNK_BYTES = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The beginning of what Office encrypts ([MS-OFFCRYPTO]), and of `.ppt` and `.doc`."""
_PROTECTED = "is protected with a password, or of an old kind under a new name; save it anew, without a password"
_BROKEN = "cannot be read; open it in the program that made it, and save it again"
_TOO_LARGE = "holds more text and marks than can be read; split it"
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ParseError,
    RuntimeError,  # a part is encrypted, or packed in a way that Python does not know
    ValueError,  # also what defusedxml forbids
    LookupError,  # an encoding that does not exist
)


class _Bounded(io.RawIOBase):
    """A file of which no more than so much is ever read at once, whatever it says of itself."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        if size > MOST_AT_ONCE:
            raise NotRead(_TOO_LARGE)
        return self._file.read(size if size >= 0 else MOST_AT_ONCE)


class Relation(NamedTuple):
    """What a part names another for, such as `slide`, and the name of that part."""

    kind: str
    part: str


class Package:
    """The parts of one file, by their names without a slash at the beginning; it is read while the file is open.

    Raises:
        NotRead: it is protected or broken, as with each of the methods.
    """

    def __init__(self, file: IO[bytes]) -> None:
        if file.read(len(_OLE)) == _OLE:
            raise NotRead(_PROTECTED)
        file.seek(0)
        self._left_bytes = MOST_BYTES
        try:
            self._zip = zipfile.ZipFile(_Bounded(file))
        except _FAULTS:
            raise NotRead(_BROKEN) from None

    def main(self, kind: str) -> tuple[str, Element]:
        """Return the name and the root of the part that the file is there for, a `presentation` or `document`."""
        for part in self.related("", "officeDocument"):
            root = self.tree(part)
            if local(root.tag) == kind:
                return part, root
        raise NotRead(f"is no {kind} of Office, whatever its name says")

    def related(self, part: str, kind: str) -> list[str]:
        """Return the parts that a part names for this."""
        return [relation.part for relation in self.relations(part).values() if relation.kind == kind]

    def relations(self, part: str) -> dict[str, Relation]:
        """Return which other parts a part names, by their ids in it; the file itself is the part without a name."""
        folder, name = posixpath.split(part)
        own = posixpath.join(folder, "_rels", f"{name}.rels")
        if own not in self._zip.NameToInfo:
            return {}
        return {
            each.get("Id", ""): Relation(
                each.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, each.get("Target", ""))).lstrip("/"),
            )
            for each in self.tree(own)
            if each.get("TargetMode") != "External"
        }

    def tree(self, part: str) -> Element:
        """Return the root of a part; the names of its elements and attributes are without their namespaces."""
        try:
            return _tree(self._unpacked(part))
        except _FAULTS:
            raise NotRead(_BROKEN) from None

    def _unpacked(self, part: str) -> bytes:
        content = bytearray()
        with self._zip.open(part) as file:
            while chunk := file.read(_CHUNK_BYTES):
                content += chunk
                self._left_bytes -= len(chunk)
                if len(content) > MOST_PART_BYTES or self._left_bytes < 0:
                    raise NotRead(_TOO_LARGE)
        return bytes(content)


def _tree(content: bytes) -> Element:
    elements = iterparse(io.BytesIO(content), events=("start",), forbid_dtd=True)
    _, root = next(elements)
    for number, _ in enumerate(elements):
        if number > MOST_ELEMENTS:
            raise NotRead(_TOO_LARGE)
    return cast("Element", root)


def local(name: str) -> str:
    """Return a name of an element without its namespace: Office has two for each, and the words mean the same."""
    return name.rpartition("}")[2]


def related_id(element: Element) -> str:
    """Return the id by which an element names another part."""
    ids = (value for name, value in element.items() if name.endswith("relationships}id"))
    return next(ids, "")


def inside(element: Element, is_entered: Callable[[Element], bool]) -> Iterator[Element]:
    """Yield what is inside an element, in the order of the file; what is not entered is yielded itself."""
    waiting = [iter(element)]
    while waiting:
        for each in waiting[-1]:
            yield each
            if is_entered(each):
                waiting.append(iter(each))
                break
        else:
            waiting.pop()


def first(element: Element, *way: str) -> Element | None:
    """Return what is found on a way of names from an element down, the first of each name."""
    found: Element | None = element
    for name in way:
        found = next((each for each in found if local(each.tag) == name), None) if found is not None else None
    return found


def given(element: Element, name: str) -> str | None:
    """Return an attribute, in whichever namespace it is."""
    return next((value for own, value in element.items() if local(own) == name), None)


def is_on(element: Element | None) -> bool:
    """Return whether a mark of Word is set, which it is if it only stands there (ECMA-376, part 1, 22.9.2.7)."""
    return element is not None and (given(element, "val") or "true").lower() not in ("0", "false", "off")
