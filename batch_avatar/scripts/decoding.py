"""Decode the texts that people bring: UTF-8, UTF-16 by its byte order mark, and what is said to be something else."""

from __future__ import annotations

import codecs
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.errors import InputError
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.content.disguise import other_kind
from batch_avatar.scripts.reading import LONGEST_LINE_BYTES, NotRead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

SAMPLE_BYTES = 100_000
"""From which the encoding is told, a choice."""
_CHUNK_BYTES = 1 << 16
_HEAD_BYTES = 1_000
"""In which each second byte is seen to be NUL if a text is UTF-16 without a mark."""
UTF_8 = "utf-8"
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WIDE = {
    "x0x0": "utf-16-le",
    "0x0x": "utf-16-be",
    "x000": "utf-32-le",
    "000x": "utf-32-be",
}
"""The encoding, by which of each four bytes are NUL in most letters."""
LIKELY = (
    "cp1252",
    "cp1255",
    "cp1251",
    "cp1250",
    "cp1253",
    "cp1254",
    "cp1256",
    "cp1257",
    "cp1258",
    "koi8_r",
    "cp932",
    "gb18030",
    "cp949",
    "big5",
    "euc_jp",
    "cp874",
    "mac_roman",
    "utf_16_le",
    "utf_16_be",
)
"""What programs write, as Python calls it. Of those that fit a text equally well the first counts."""
_NO_TEXTS = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"}
"""Codecs that Python counts among those of texts; they are of host names and of source code."""


class NotUtf8(Exception):
    """A file is not UTF-8, nor what else it was taken for.

    `line`, `byte`: of the first mistake, without a byte order mark. `taken_for`: the encoding. `likely`: what the file
    seems to be; None where nothing fits.
    """

    def __init__(self, line: int, byte: int, likely: str | None = None, taken_for: str = "UTF-8") -> None:
        super().__init__(line, byte, likely, taken_for)
        self.line, self.byte, self.likely, self.taken_for = line, byte, likely, taken_for

    def reason(self, *, option: bool) -> str:
        """Return what is wrong and what to do; `option`: whether the encoding can be said."""
        way = "save it as UTF-8"
        if self.likely is not None:
            say = f"say `--encoding {self.likely}`, or " if option else ""
            way = f"it seems to be {self.likely}: {say}{way}"
        return f"not {self.taken_for} (byte {self.byte}); {way}"


def check_encoding(name: str | None) -> None:
    """Refuse the name of an encoding that does not exist.

    Raises:
        InputError: with the name.
    """
    if name is not None and not is_encoding(name):
        raise InputError(f"encoding: {shown(name)} is no encoding that is known here; one is windows-1252")


def is_encoding(name: str) -> bool:
    """Return whether texts can be of an encoding of this name."""
    try:
        if codecs.lookup(name).name in _NO_TEXTS:
            return False
        b"A".decode(name, "replace")  # finds codecs of other things than texts
    except (LookupError, ValueError):  # ValueError: the name holds a NUL
        return False
    return True


def decoded_lines(file: IO[bytes], encoding: str | None = None) -> Iterator[str]:
    r"""Decode lines, with their line ends, which are all that ends in `\n`; only a part of the file is in memory.

    A byte order mark decides, then whether the file is UTF-8; what is neither is decoded by `encoding`, which exists.
    `file` is open at its beginning and can be read again.

    Raises:
        NotUtf8: at the first byte that cannot be decoded.
        NotRead: a line is longer than any script, or the file is no text.
    """
    used, marked = encoding_used(file, encoding)
    if used == UTF_8:
        yield from _utf_8_lines(file)
        return
    if marked:
        file.seek(len(codecs.BOM_UTF16))
    try:
        yield from _lines_of(_texts(file, used))
    except _Undecodable as error:
        told = "UTF-16, as its first bytes say" if marked else f"UTF-8, nor {shown(encoding or used)}"
        raise NotUtf8(error.line, error.byte, None if marked else _likely(file), told) from None


def decoded_lines_at_once(file: IO[bytes], encoding: str | None = None) -> Iterator[str]:
    """Do as `decoded_lines`, but read all before the first line is given: a bad byte refuses the whole file."""
    for _ in decoded_lines(file, encoding):
        pass
    file.seek(0)
    yield from decoded_lines(file, encoding)


class Used(NamedTuple):
    """The encoding by which a file is decoded, and whether a mark of UTF-16 says so."""

    name: str
    marked: bool = False


def encoding_used(file: IO[bytes], named: str | None) -> Used:
    """Return by what the file is decoded; it is at its beginning, also afterwards.

    Raises:
        NotUtf8: it is UTF-16 or UTF-32 without a mark, and no other encoding is named.
        NotRead: it is no text at all.
    """
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if (kind := other_kind(head)) is not None:
        raise NotRead(f"is no text, but {kind}; give it the ending of what it is, or save its text as UTF-8", 1)
    if not head.startswith(_UTF_32):
        for mark, encoding in _UTF_16:
            if head.startswith(mark):
                return Used(encoding, marked=True)
    if named is not None and not _is_utf_8_text(file):
        return Used(named)
    if named is None and (wide := _wide(head)):
        raise NotUtf8(1, head.index(0), wide)
    return Used(UTF_8)


def _is_utf_8_text(file: IO[bytes]) -> bool:
    """Return whether the file is UTF-8, and not the bytes of another encoding that happen to be so.

    Those have NUL (UTF-16), or escapes without any letter beyond ASCII (ISO-2022); in a text neither stands.
    """
    decoder = codecs.getincrementaldecoder(UTF_8)()
    escapes, is_ascii = False, True
    try:
        for chunk in iter(partial(file.read, _CHUNK_BYTES), b""):
            decoder.decode(chunk)
            if b"\x00" in chunk:
                return False
            escapes, is_ascii = escapes or b"\x1b" in chunk, is_ascii and chunk.isascii()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return not (escapes and is_ascii)


def _utf_8_lines(file: IO[bytes]) -> Iterator[str]:
    start = 0
    for number, raw in enumerate(iter(partial(file.readline, LONGEST_LINE_BYTES + 1), b""), start=1):
        if len(raw) > LONGEST_LINE_BYTES:
            raise _too_long(number)
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise NotUtf8(number, start + error.start, _likely(file)) from None
        start += len(line)
        yield text


class _Undecodable(Exception):
    """On which line and at which byte, without a byte order mark."""

    def __init__(self, line: int, byte: int) -> None:
        super().__init__(line, byte)
        self.line, self.byte = line, byte


def _lines_of(texts: Iterable[str]) -> Iterator[str]:
    number, rest = 1, ""
    for text in texts:
        *lines, rest = (rest + text).split("\n")
        yield from (line + "\n" for line in lines)
        number += len(lines)
        if len(rest) > LONGEST_LINE_BYTES:
            raise _too_long(number)
    if rest:
        yield rest


def _texts(file: IO[bytes], encoding: str) -> Iterator[str]:
    """Decode what follows in the file, a part at a time."""
    decoder = codecs.getincrementaldecoder(encoding)()
    read, line, ended = 0, 1, False
    while not ended:
        chunk = file.read(_CHUNK_BYTES)
        read, ended = read + len(chunk), not chunk
        try:
            text = decoder.decode(chunk, final=ended)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(encoding, "replace")
            raise _Undecodable(line + before.count("\n"), read - len(error.object) + error.start) from None
        except UnicodeError:  # utf-16 and utf-32 want a mark
            raise _Undecodable(line, 0) from None
        line += text.count("\n")
        yield text


def _too_long(line: int) -> NotRead:
    return NotRead(f"has a line of more than {LONGEST_LINE_BYTES:,} bytes, which fit into no request", line)


def _wide(head: bytes) -> str | None:
    """Return the encoding with two or four bytes a letter that a text begins with; None if it does not."""
    if head.startswith(_UTF_32):
        return "utf-32"
    empty = ["0" if 2 * head[place::4].count(0) > len(head) // 4 else "x" for place in range(4)]
    return _WIDE.get("".join(empty))


def _is_damaged(sample: bytes) -> bool:
    """Return whether a text was UTF-8: most of its letters beyond ASCII still are."""
    text = sample.decode(UTF_8, "replace")
    lost = text.count("\ufffd")
    return sum(not letter.isascii() for letter in text) > 2 * lost


def _likely(file: IO[bytes]) -> str | None:
    """Return the encoding that the file seems to be, by a name that people know and that `is_encoding`."""
    from charset_normalizer import from_bytes

    file.seek(0)
    sample = file.read(SAMPLE_BYTES)
    if wide := _wide(sample[:_HEAD_BYTES]):
        return wide
    if _is_damaged(sample):
        return None
    if len(sample) == SAMPLE_BYTES:
        sample = sample[: sample.rfind(b"\n") + 1] or sample  # a letter that is cut off fits no encoding
    fits: dict[str, tuple[float, float, int]] = {}
    for match in from_bytes(sample, cp_isolation=list(LIKELY)):
        for name in match.could_be_from_charset:
            if name in LIKELY:
                fits[name] = min(fits.get(name, (1, 0, 0)), (match.chaos, -match.coherence, LIKELY.index(name)))
    best = min(fits, key=fits.__getitem__, default=None)
    if best is None:
        return None
    return best.replace("cp125", "windows-125").replace("_", "-")
