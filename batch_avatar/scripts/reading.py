"""Read the files that people name. What is no file, or larger than any request, is refused before it is read."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
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


IGNORE_LIMIT = Limit(MOST_DEFAULTS_BYTES, "a list of patterns")
SCRIPT_LIMIT = Limit(MAX_BODY_BYTES, "a request with it")
DEFAULTS_LIMIT = Limit(MOST_DEFAULTS_BYTES, "a defaults.toml")

_OTHER_KINDS = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))


class NotRead(Exception):
    """Why a file is not read, as it continues its name. `line`: where in the file; None where nothing was read."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason, line)
        self.reason, self.line = reason, line


_ON_THE_WAY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY  # Linux has O_PATH, which asks for no right to list
OUTSIDE = "is outside the folders that flow runs may read (BATCH_AVATAR_SOURCE_ROOTS)"
HIDDEN = "is behind a name with a dot, which is read only where BATCH_AVATAR_SOURCE_ROOTS names the folder"


class Roots(NamedTuple):
    """The folders below which files are read where whoever names them may be anybody.

    The folders are real, without links. `hidden`: whether names below them that begin with a dot are read as well.
    """

    folders: tuple[Path, ...]
    hidden: bool

    def place(self, path: Path) -> tuple[Path, Path]:
        """Return the folder that really holds the path, and the way from there, without links.

        Raises:
            NotRead: none of the folders holds it.
        """
        try:
            real = Path(os.path.realpath(path))
        except ValueError:  # nothing can have this name
            raise NotRead(OUTSIDE) from None
        for folder in self.folders:
            if real.is_relative_to(folder):
                way = real.relative_to(folder)
                if not self.hidden and any(name.startswith(".") for name in way.parts):
                    raise NotRead(HIDDEN)
                return folder, way
        raise NotRead(OUTSIDE)

    def open(self, path: str, flags: int) -> int:
        """Open what `place` allows: name by name, so that a link that is put there meanwhile is not followed.

        The folders on the way need not be ones that may be listed.
        """
        folder, way = self.place(Path(path))
        last = len(way.parts)
        found = os.open(folder, flags if not last else _ON_THE_WAY)
        for number, name in enumerate(way.parts, start=1):
            try:
                how = flags | os.O_NONBLOCK if number == last else _ON_THE_WAY
                inner = os.open(name, how | os.O_NOFOLLOW, dir_fd=found)
            finally:
                os.close(found)
            found = inner
        return found


@contextmanager
def opened(path: Path, *, pipe: bool = False, roots: Roots | None = None) -> Iterator[IO[bytes]]:
    """Open a file for reading. `pipe`: a pipe is waited for and read as well; anything else is refused.

    Below `roots` no pipe is waited for. Without them any file is read.

    Raises:
        NotRead: it is no file, or outside the roots.
        OSError, ValueError: it cannot be opened, or nothing can have this name.
    """
    if roots is not None:
        roots.place(path)  # before anything else is told about it
    mode = path.stat().st_mode
    if pipe and roots is None and stat.S_ISFIFO(mode):
        with path.open("rb") as file:
            yield file
        return
    _check_kind(mode)
    with open(path, "rb", opener=_open_at_once if roots is None else roots.open) as file:
        _check_kind(os.fstat(file.fileno()).st_mode)  # somebody may have put something else there
        yield file


def read_whole(path: Path, limit: Limit, *, pipe: bool = False, roots: Roots | None = None) -> bytes:
    """Return the content of a file that is not too large. Raises as `opened` does."""
    with opened(path, pipe=pipe, roots=roots) as file:
        if reason := limit.broken_by(os.fstat(file.fileno()).st_size):
            raise NotRead(reason)
        content = file.read(limit.most_bytes + 1)  # it may grow, and some files tell no size
    if len(content) > limit.most_bytes:
        raise NotRead(f"has more than {limit.most_bytes:,} bytes; {limit.holder} may have {limit.most_bytes:,}")
    return content


@contextmanager
def opened_twice(
    path: Path, limit: Limit | None, *, pipe: bool = False, roots: Roots | None = None
) -> Iterator[IO[bytes]]:
    """Open a file that can be read twice; one with a limit is in memory. Raises as `read_whole` and `opened` do.

    A pipe without a limit goes through a temporary file.
    """
    if limit is not None:
        yield io.BytesIO(read_whole(path, limit, pipe=pipe, roots=roots))
        return
    with opened(path, pipe=pipe, roots=roots) as file:
        if file.seekable():
            yield file
            return
        with tempfile.TemporaryFile() as kept:
            shutil.copyfileobj(file, kept)
            kept.seek(0)
            yield kept


class Entry(NamedTuple):
    """What a folder holds under a name. `is_folder`: also if it is a link to one."""

    name: str
    is_folder: bool
    is_link: bool


def read_folder(path: Path, beside: str, limit: Limit, *, roots: Roots | None = None) -> tuple[list[Entry], bytes]:
    """Return the entries of a folder, sorted, and the content of its file `beside`; nothing if there is none.

    Below `roots` the file is read even if it is hidden, and never through a link.

    Raises:
        NotRead: the folder is outside the roots, or the file cannot be read as it is.
        OSError, ValueError: it cannot be opened.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY
    opened_folder = os.open(path, flags) if roots is None else roots.open(str(path), flags)
    try:
        with os.scandir(opened_folder) as found:
            entries = sorted(Entry(entry.name, entry.is_dir(), entry.is_symlink()) for entry in found)
        if not any(entry.name == beside for entry in entries):
            return entries, b""
        follow = 0 if roots is None else os.O_NOFOLLOW
        content = _read_descriptor(os.open(beside, os.O_RDONLY | os.O_NONBLOCK | follow, dir_fd=opened_folder), limit)
    finally:
        os.close(opened_folder)
    if content is None:
        raise NotRead(f"{beside} is no file")
    if reason := limit.broken_by(len(content)):
        raise NotRead(f"{beside} {reason}")
    return entries, content


def _read_descriptor(number: int, limit: Limit) -> bytes | None:
    """Return one byte more than the limit at most, and close; None if it is no file."""
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        return None
    with os.fdopen(number, "rb") as file:
        return file.read(limit.most_bytes + 1)


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end, in case it is a pipe by now."""
    return os.open(path, flags | os.O_NONBLOCK)


def _check_kind(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _OTHER_KINDS if test(mode)), "a device")
        raise NotRead(f"is {kind}, and only files are read")
