"""Stdout and stderr that never end a command: what they cannot show is escaped, and what they cannot take is dropped.

A run costs money and its videos are kept in the archive, so neither a console of another encoding, a reader that has
gone, a full disk nor a lost terminal may end it, or decide its exit code.
"""

from __future__ import annotations

import codecs
import io
import os
import select
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from batch_avatar.safe_text.redaction import split_known

if TYPE_CHECKING:
    from collections.abc import Callable

ESCAPED = "batch-avatar-escaped"
"""The name under which `_escape` is registered as a way to treat characters that an encoding lacks."""


class LastingText(io.TextIOWrapper):
    """Text for a file, whoever writes it, without the secrets that are known, also if one comes in pieces.

    What may be the beginning of one is held back until more is written, or until the stream is flushed or closed.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._held = ""
        self._writing = threading.RLock()  # a signal may have something to say in the middle

    def write(self, text: str, /) -> int:
        with self._writing:
            said, self._held = split_known(self._held + text)
            super().write(said)
        return len(text)

    def flush(self) -> None:
        with self._writing:
            held, self._held = self._held, ""
            super().write(held)
            super().flush()


class LastingFile(io.RawIOBase):
    """A file that takes everything; from its first error on it drops what it takes."""

    def __init__(self, file: io.FileIO, on_error: Callable[[OSError], None]) -> None:
        self._file = file
        self._on_error = on_error
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def write(self, data: Any, /) -> int:
        if self.error is None:
            try:
                while (taken := self._file.write(data)) is None:  # whoever shares the terminal made it non-blocking
                    select.select([], [self._file], [])
            except OSError as error:
                self.error = error
                self._on_error(error)
            else:
                return taken
        return len(data)


def make_streams_last() -> None:
    """Replace stdout and stderr by streams that never fail. A second time there is nothing to replace."""
    codecs.register_error(ESCAPED, _escape)
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:  # closed by whoever started us; without a file the next socket would get its number
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - as long as the process
            setattr(sys, name, stream)
            _closed.add(name)
        elif isinstance(stream, io.TextIOWrapper):
            _make_last(name, stream)


def cannot_write(name: str) -> bool:
    """Return whether something that was written to `stdout` or `stderr` was lost."""
    stream = getattr(sys, name)
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return name in _closed or (isinstance(raw, LastingFile) and raw.error is not None)


_closed: set[str] = set()


def _make_last(name: str, stream: io.TextIOWrapper) -> None:
    file = getattr(stream.buffer, "raw", stream.buffer)  # unbuffered streams have no raw file below
    if not isinstance(file, io.FileIO):  # a test's
        stream.reconfigure(errors=ESCAPED)
        return

    def tell(error: OSError) -> None:
        if name == "stdout":
            sys.stderr.write(f"stdout cannot be written, the rest is not shown there: {error.strerror}\n")

    stream.flush()
    lasting = LastingText(
        io.BufferedWriter(LastingFile(file, tell)),
        encoding=stream.encoding,
        errors=ESCAPED,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    setattr(sys, name, lasting)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Return what an encoding lacks as JSON would write it, so that JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)), error.end
