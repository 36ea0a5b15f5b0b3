"""Which files of a folder are left out: by `.batchavatarignore`, by options, and what systems leave behind. Pure.

Patterns have the syntax of .gitignore (gitignore(5); the library is pathspec).
"""

from __future__ import annotations

import re
import warnings
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

IGNORE_NAME = ".batchavatarignore"
JUNK = ("._*", "~$*", ".ds_store", "thumbs.db", "desktop.ini")
"""What macOS, Windows and Office leave beside files, in lower case: macOS writes `._intro.txt` beside `intro.txt` on
disks of other systems, and Office `~$intro.docx` while intro.docx is open."""
MOST_STARS = 3
"""In one part of a pattern, and parts `**` of one pattern. More take a time that grows with a higher power of the
name's length, and anybody who may start a flow run may give patterns."""
LONGEST_PATTERN = 1000  # characters


class BadPattern(Exception):
    """Why a line is no pattern, and which line it is, from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line, self.reason = line, reason


class Patterns:
    """A list of patterns, of which the last that fits decides, as in a .gitignore."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Read the patterns.

        Raises:
            BadPattern: at the first line that is none.
        """
        lines = list(lines)
        for number, line in enumerate(lines, start=1):
            if (reason := _unusable(line)) is not None:
                raise BadPattern(number, reason)
        self._spec = GitIgnoreSpec.from_lines(lines)

    def decide(self, path: str) -> bool | None:
        """Return whether the path is left out; None if no pattern fits. The path of a folder ends with a slash."""
        return self._spec.check_file(path).include


def is_junk(name: str) -> bool:
    """Return whether a system left a file of this name, so that it is never a script."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in JUNK)


def _unusable(line: str) -> str | None:
    if len(line) > LONGEST_PATTERN:
        return f"has {len(line):,} characters; a pattern may have {LONGEST_PATTERN:,}"
    if reason := next(_too_many_stars(line), None):
        return reason
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns of sets in sets, which mean something else elsewhere
            GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error, FutureWarning):
        return "is no pattern"
    return None


def _too_many_stars(line: str) -> Iterator[str]:
    parts = line.split("/")
    if any(part.count("*") > MOST_STARS for part in parts):
        yield f"has more than {MOST_STARS} '*' between two '/'"
    if sum("**" in part for part in parts) > MOST_STARS:
        yield f"has more than {MOST_STARS} '**'"
