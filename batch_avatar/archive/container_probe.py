"""Inspect a video while its bytes pass: is it a complete mp4 or webm, and which duration does it state?

The layouts are those of ISO/IEC 14496-12 (mp4), RFC 8794 (EBML) and RFC 9559 (Matroska, of which webm is a part).
Only names, sizes and a few numbers are read. Payloads are skipped and never collected, because the sample tables alone
of a 20-minute video take nearly 1 MB (30,000 video frames and 28,000 audio frames at 8 to 16 bytes each).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from batch_avatar.catalog.limits import limit

TOLERANCE_MILLISECONDS = 500
"""A webm of 3.000 s states 3.008 s (measured). A video frame lasts 40 ms at 25 frames a second, an AAC frame 43 ms at
24 kHz, and encoders put up to three AAC frames in front. Half a second is more than twice the sum."""
TOLERANCE_SHARE = 0.05
"""How the service measures `durationInMilliseconds` is not documented, so a longer video may be off by more. A false
alarm keeps a job at the service; the faults to be found, half a video or another job's, are mostly far outside."""
SHORT_BYTES = 64 * 1024
SHORT_SHARE = 0.01
"""A video is short if it has less than its job told by more than both of these."""
CUT_MILLISECONDS = 2000
"""A video that ends so near to the service's longest one may be a piece of a longer one: there it cuts (seen)."""
MAX_ELEMENTS = 250_000
"""Elements read before giving up: 20 minutes with a fragment for every video and audio frame have 116,000 boxes."""
DEFAULT_TIMESTAMP_SCALE = 1_000_000  # nanoseconds, where Info names none (RFC 9559)
NANOSECONDS_PER_MILLISECOND = 1_000_000


@dataclass(frozen=True)
class ContainerFacts:
    """What the bytes are: both None for an incomplete container, no duration if the container states none."""

    kind: Literal["mp4", "webm"] | None = None
    duration_milliseconds: int | None = None
    size_bytes: int = field(default=0, compare=False)
    """How many bytes there were, by the count of the transfer."""


def is_short(size_bytes: int, told_bytes: int | None) -> bool:
    """Return whether a video has clearly less than its job told.

    What the job counts is not documented, so a little less is no doubt: subtitles or a summary may be in it.
    """
    return told_bytes is not None and told_bytes - size_bytes > max(SHORT_BYTES, SHORT_SHARE * told_bytes)


def is_cut(*milliseconds: int | None) -> bool:
    """Return whether one of these lengths of a video is that of the longest video which the service makes."""
    longest = (limit("video-minutes") or 0) * 60_000
    return any(length and longest and abs(length - longest) <= CUT_MILLISECONDS for length in milliseconds)


def doubts(facts: ContainerFacts, *, ending: str, duration_milliseconds: int | None) -> tuple[str, ...]:
    """Return `container` if the kind does not fit the ending, `duration` if the length is not what the service says."""
    found = []
    if f".{facts.kind}" != ending:
        found.append("container")
    if facts.duration_milliseconds is not None and duration_milliseconds is not None:
        tolerance = max(TOLERANCE_MILLISECONDS, TOLERANCE_SHARE * duration_milliseconds)
        if abs(facts.duration_milliseconds - duration_milliseconds) > tolerance:
            found.append("duration")
    return tuple(found)


class ContainerProbe:
    """Takes a file's bytes in order, in pieces of any size; no content makes it raise."""

    def __init__(self) -> None:
        self._facts = ContainerFacts()
        self._kept = bytearray()
        self._walk: _Steps[ContainerFacts] | None = _read_file(_Reader())
        self._want = next(self._walk)
        self._left = self._want.size

    def feed(self, piece: bytes | memoryview) -> None:
        """Inspect the next bytes; `piece` is not kept."""
        view = memoryview(piece)
        while self._walk is not None and view:
            size = len(view) if self._left is None else min(self._left, len(view))
            if self._want.keep:
                self._kept += view[:size]
            view = view[size:]
            if self._left is not None:
                self._left -= size
                if not self._left:
                    self._go_on(self._walk)

    def finish(self) -> ContainerFacts:
        """Return the facts; call it after the last byte."""
        while self._walk is not None:
            if self._left is not None and not self._want.keep:
                self._walk = None  # the file ends inside a payload
            else:
                self._go_on(self._walk)
        return self._facts

    def _go_on(self, walk: _Steps[ContainerFacts]) -> None:
        data = bytes(self._kept)
        self._kept.clear()
        try:
            self._want = walk.send(data)
            self._left = self._want.size
        except StopIteration as end:
            self._facts, self._walk = end.value, None
        except _BrokenError:
            self._walk = None


class _BrokenError(Exception):
    """The bytes are no container that we know, or an incomplete one."""


@dataclass(frozen=True, slots=True)
class _Want:
    """A request for the next `size` bytes, or without a size for all that follow: hand them over (`keep`), or skip."""

    size: int | None
    keep: bool = False


_T = TypeVar("_T")
_Steps: TypeAlias = Generator[_Want, bytes, _T]
"""A generator that yields for each piece of the file that it wants, so it need not know how the bytes arrive."""
_Path: TypeAlias = tuple[bytes, ...]
"""The names of an element and of those that enclose it, outermost first."""


class _Reader:
    """The position of the walk in the file, and what it has found.

    `end` is the offset where the enclosing element ends; None if it ends with the file.
    """

    def __init__(self) -> None:
        self.at = 0
        self.found: dict[_Path, bytes] = {}
        self._elements = 0

    def next_byte(self, end: int | None) -> _Steps[bytes]:
        """Return the first byte of the next element; nothing at `end` or at the end of the file."""
        if self.at == end:
            return b""
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _BrokenError
        first = yield _Want(1, keep=True)
        self.at += len(first)
        return first

    def take(self, size: int, end: int | None) -> _Steps[bytes]:
        """Return `size` bytes; a file or an element that ends before that is broken."""
        if end is not None and self.at + size > end:
            raise _BrokenError
        data = (yield _Want(size, keep=True)) if size else b""
        if len(data) < size:
            raise _BrokenError
        self.at += size
        return data

    def skip_to(self, end: int | None) -> _Steps[None]:
        if end is None:
            yield _Want(None)
        elif end > self.at:
            yield _Want(end - self.at)
            self.at = end


@dataclass(frozen=True)
class _Layout:
    """Which elements are entered, of which ones how many first bytes are kept, and how a head is read."""

    entered: frozenset[_Path]
    kept: Mapping[_Path, int]
    read_head: Callable[[_Reader, bytes, int | None], _Steps[tuple[bytes, int | None]]]


def _read_file(reader: _Reader) -> _Steps[ContainerFacts]:
    first = yield from reader.next_byte(None)
    webm = first == _EBML[:1]
    yield from _walk(reader, _WEBM if webm else _MP4, (), None, first)
    return _decode_webm(reader.found) if webm else _decode_mp4(reader.found)


def _walk(reader: _Reader, layout: _Layout, path: _Path, end: int | None, first: bytes) -> _Steps[None]:
    """Read the elements inside `path`, beginning with `first`; as deep as the layout is, never as deep as the file."""
    while first:
        name, inner_end = yield from layout.read_head(reader, first, end)
        inner = (*path, name)
        if inner in layout.entered:
            reader.found[inner] = b""
            yield from _walk(reader, layout, inner, inner_end, (yield from reader.next_byte(inner_end)))
        elif inner in layout.kept:
            most = layout.kept[inner]
            size = most if inner_end is None else min(most, inner_end - reader.at)
            reader.found[inner] = yield from reader.take(size, inner_end)
        yield from reader.skip_to(inner_end)
        first = yield from reader.next_byte(end)


# ISO base media: a box is a 32-bit size, a name of four letters and the payload

_MOVIE, _FRAGMENTS = (b"moov",), (b"moov", b"mvex")
_MOVIE_HEAD, _FRAGMENTS_HEAD = (*_MOVIE, b"mvhd"), (*_FRAGMENTS, b"mehd")
_MP4_PARTS = {(b"ftyp",), (b"mdat",), _MOVIE, _MOVIE_HEAD}


def _read_box_head(reader: _Reader, first: bytes, end: int | None) -> _Steps[tuple[bytes, int | None]]:
    start = reader.at - 1
    head = first + (yield from reader.take(7, end))
    size = int.from_bytes(head[:4], "big")
    if size == 0 and end is None:
        return head[4:], None  # the box ends with the file
    if size == 1:
        size = int.from_bytes((yield from reader.take(8, end)), "big")
    if start + size < reader.at or (end is not None and start + size > end):
        raise _BrokenError
    return head[4:], start + size


_MP4 = _Layout(
    entered=frozenset({_MOVIE, _FRAGMENTS}),
    kept={(b"ftyp",): 0, (b"mdat",): 0, _MOVIE_HEAD: 32, _FRAGMENTS_HEAD: 12},
    read_head=_read_box_head,
)


def _decode_mp4(found: Mapping[_Path, bytes]) -> ContainerFacts:
    """Read the duration, of a fragmented file from `mehd` alone: its `mvhd` counts only what precedes the fragments."""
    if not found.keys() >= _MP4_PARTS:
        raise _BrokenError
    try:  # version and flags, two dates, units per second, length in units
        scale, length = struct.unpack_from(">20xIQ" if found[_MOVIE_HEAD][0] else ">12xII", found[_MOVIE_HEAD])
        if _FRAGMENTS in found:
            head = found.get(_FRAGMENTS_HEAD, bytes(8))
            (length,) = struct.unpack_from(">4xQ" if head[0] else ">4xI", head)
    except (struct.error, IndexError):
        raise _BrokenError from None
    known = scale and length and length not in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
    return ContainerFacts("mp4", round(length * 1000 / scale) if known else None)


# EBML: an element is a name and a size, both of variable width, and the payload

_EBML, _SEGMENT, _CLUSTER = bytes.fromhex("1A45DFA3"), bytes.fromhex("18538067"), bytes.fromhex("1F43B675")
_INFO = (_SEGMENT, bytes.fromhex("1549A966"))
_DOC_TYPE = (_EBML, bytes.fromhex("4282"))
_TIMESTAMP_SCALE, _DURATION = (*_INFO, bytes.fromhex("2AD7B1")), (*_INFO, bytes.fromhex("4489"))
_FLOATS = {4: ">f", 8: ">d"}  # by their width
_MAX_NAME_BYTES = 4  # unless the file's head says otherwise, which Matroska forbids


def _read_element_head(reader: _Reader, first: bytes, end: int | None) -> _Steps[tuple[bytes, int | None]]:
    """Read a name, and where the element ends.

    Only the Segment and a Cluster may have an unknown size, as in live streams; both are taken to fill their parent.
    """
    more = 8 - first[0].bit_length()  # the highest bit that is set says how many bytes follow
    if more >= _MAX_NAME_BYTES:
        raise _BrokenError
    name = first + (yield from reader.take(more, end))
    size = yield from reader.take(1, end)
    more = 8 - size[0].bit_length()
    size += yield from reader.take(more, end)
    unknown = (1 << 7 * len(size)) - 1
    value = int.from_bytes(size, "big") & unknown
    if value == unknown and name in (_SEGMENT, _CLUSTER):
        return name, end
    if size[0] == 0 or value == unknown or (end is not None and reader.at + value > end):
        raise _BrokenError
    return name, reader.at + value


_WEBM = _Layout(
    entered=frozenset({(_EBML,), (_SEGMENT,), _INFO}),
    kept={_DOC_TYPE: 16, _TIMESTAMP_SCALE: 8, _DURATION: 8},
    read_head=_read_element_head,
)


def _decode_webm(found: Mapping[_Path, bytes]) -> ContainerFacts:
    if (_SEGMENT,) not in found or found.get(_DOC_TYPE, b"").rstrip(b"\0") not in (b"webm", b"matroska"):
        raise _BrokenError
    scale = int.from_bytes(found.get(_TIMESTAMP_SCALE, b""), "big") or DEFAULT_TIMESTAMP_SCALE
    data = found.get(_DURATION, b"")
    (length,) = struct.unpack(_FLOATS[len(data)], data) if len(data) in _FLOATS else (0.0,)
    milliseconds = length * scale / NANOSECONDS_PER_MILLISECOND
    known = math.isfinite(milliseconds) and milliseconds > 0
    return ContainerFacts("webm", round(milliseconds) if known else None)
