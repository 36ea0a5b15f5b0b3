"""Read the files that people name. What is no file, or larger than any request, is refused before it is read."""

from __future__ import annotations

import codecs
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

LONGEST_LINE_BYTES = 6 * MAX_BODY_BYTES
"""Of a manifest. JSON may write a byte of a request as six characters (`\\u0041`)."""
MOST_DEFAULTS_BYTES = 64_000
"""Of a `defaults.toml`, a choice. All properties together take a tenth of it."""


class Limit(NamedTuple):
    """How many bytes are read of a file, and what it is that may not have more."""

    most_bytes: int
    holder: str

    def broken_by(self, size_bytes: int) -> str | None:
        """Return why a file of this size is not read, as it continues its name; None if it is small enough."""
        if size_bytes <= self.most_bytes:
            return None
        return f"has {size_bytes:,} bytes; {self.holder} may have {self.most_bytes:,}"


SCRIPT_LIMIT = Limit(MAX_BODY_BYTES, "a request with it")
DEFAULTS_LIMIT = Limit(MOST_DEFAULTS_BYTES, "a defaults.toml")

_OTHER_KINDS = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))


class NotRead(Exception):
    """Why a file is not read, as it continues its name. `line`: where in the file; None where nothing was read."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason, line)
        self.reason, self.line = reason, line


class NotUtf8(Exception):
    """The position of the first byte that is not UTF-8, without a byte order mark, and the line it is on."""

    def __init__(self, line: int, byte: int) -> None:
        super().__init__(line, byte)
        self.line, self.byte = line, byte


def decoded_lines(file: IO[bytes]) -> Iterator[str]:
    """Decode lines, with their line ends; only one at a time is in memory.

    Raises:
        NotUtf8: at the first byte that is not UTF-8.
        NotRead: a line is longer than any script.
    """
    start = 0
    for number, raw in enumerate(iter(partial(file.readline, LONGEST_LINE_BYTES + 1), b""), start=1):
        if len(raw) > LONGEST_LINE_BYTES:
            raise NotRead(f"has a line of more than {LONGEST_LINE_BYTES:,} bytes, which fit into no request", number)
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise NotUtf8(number, start + error.start) from None
        start += len(line)
        yield text


@contextmanager
def opened(path: Path, *, pipe: bool = False) -> Iterator[IO[bytes]]:
    """Open a file for reading. `pipe`: a pipe is waited for and read as well; anything else is refused.

    Raises:
        NotRead: it is no file.
        OSError, ValueError: it cannot be opened, or nothing can have this name.
    """
    mode = path.stat().st_mode
    if pipe and stat.S_ISFIFO(mode):
        with path.open("rb") as file:
            yield file
        return
    _check_kind(mode)
    with open(path, "rb", opener=_open_at_once) as file:
        _check_kind(os.fstat(file.fileno()).st_mode)  # somebody may have put something else there
        yield file


def read_whole(path: Path, limit: Limit, *, pipe: bool = False) -> bytes:
    """Return the content of a file that is not too large. Raises as `opened` does."""
    with opened(path, pipe=pipe) as file:
        if reason := limit.broken_by(os.fstat(file.fileno()).st_size):
            raise NotRead(reason)
        content = file.read(limit.most_bytes + 1)  # it may grow, and some files tell no size
    if len(content) > limit.most_bytes:
        raise NotRead(f"has more than {limit.most_bytes:,} bytes; {limit.holder} may have {limit.most_bytes:,}")
    return content


@contextmanager
def opened_twice(path: Path) -> Iterator[IO[bytes]]:
    """Open a manifest that is read twice. A pipe goes through a temporary file. Raises as `opened` does."""
    with opened(path, pipe=True) as file:
        if file.seekable():
            yield file
            return
        with tempfile.TemporaryFile() as kept:
            shutil.copyfileobj(file, kept)
            kept.seek(0)
            yield kept


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end, in case it is a pipe by now."""
    return os.open(path, flags | os.O_NONBLOCK)


def _check_kind(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _OTHER_KINDS if test(mode)), "a device")
        raise NotRead(f"is {kind}, and only files are read")
