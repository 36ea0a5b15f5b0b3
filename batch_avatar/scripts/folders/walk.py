"""Walk a folder: which of its files are scripts, under which ids, and what is left out. No link is entered."""

from __future__ import annotations

import io
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.errors import InputError
from batch_avatar.scripts.decoding import NotUtf8, decoded_lines
from batch_avatar.scripts.defaults import DEFAULTS_NAME
from batch_avatar.scripts.findings import Finding, Place, found
from batch_avatar.scripts.folders.ignoring import IGNORE_NAME, BadPattern, Patterns, is_junk
from batch_avatar.scripts.folders.left_out import LeftOut
from batch_avatar.scripts.readers.kinds import is_manifest, of_folders
from batch_avatar.scripts.reading import IGNORE_LIMIT, NotRead, read_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.reading import Entry, Roots

MOST_COUNTED = 10_000
"""Entries of sub folders that are only counted, so that a look at a whole disk ends."""


class FolderFile(NamedTuple):
    """A file to read, and the id of the script in it, or of what comes before a number: its way without its ending."""

    path: Path
    script_id: str


@dataclass
class FolderLook:
    """The files of a folder in the order of their names, what is left out, and faults of folders and patterns."""

    files: list[FolderFile] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)
    faults: list[Finding] = field(default_factory=list)


class _Place(NamedTuple):
    """A folder on the walk: its names below the source, and the patterns of the folders above it, with their depth."""

    parts: tuple[str, ...] = ()
    above: tuple[tuple[int, Patterns], ...] = ()


def look_into_folder(source: Path, choice: SourceChoice, roots: Roots | None = None) -> FolderLook:
    """Find the scripts of a folder and, if that is chosen, of all folders below it.

    Raises:
        InputError: a chosen pattern is none.
    """
    return _Walk(source, choice, roots).walk()


class _Walk:
    def __init__(self, source: Path, choice: SourceChoice, roots: Roots | None) -> None:
        self._source = source
        self._recursive = choice.recursive
        self._include = _patterns("include", choice.include)
        self._exclude = _patterns("exclude", choice.exclude)
        self._roots = roots
        self._found: list[tuple[str, ...]] = []
        self._look = FolderLook()

    def walk(self) -> FolderLook:
        waiting, below = deque([_Place()]), deque[_Place]()
        while waiting:
            place = waiting.popleft()
            for inner in self._enter(place):
                (waiting if self._recursive else below).append(inner)
        self._look.left_out.sub_folders = len(below)
        self._count(below)
        self._look.files = [
            FolderFile(self._source.joinpath(*parts), "/".join((*parts[:-1], PurePath(parts[-1]).stem)))
            for parts in sorted(self._found)
        ]
        return self._look

    def _enter(self, place: _Place) -> list[_Place]:
        """Sort what a folder holds; return the folders in it that may be entered."""
        folder = self._source.joinpath(*place.parts)
        try:
            entries, above = self._read(folder, place)
        except (OSError, ValueError, NotRead) as error:
            reason = error.reason if isinstance(error, NotRead) else f"cannot be read: {_strerror(error)}"
            self._look.faults.append(found("file-unreadable", reason).at(Place(str(folder))))
            return []
        inner = []
        for entry in entries:
            parts = (*place.parts, entry.name)
            if entry.is_folder:
                if self._is_open(entry, parts, above):
                    inner.append(_Place(parts, above))
            elif entry.name not in (DEFAULTS_NAME, IGNORE_NAME):
                self._take(parts, above)
        return inner

    def _read(self, folder: Path, place: _Place) -> tuple[list[Entry], tuple[tuple[int, Patterns], ...]]:
        entries, text = read_folder(folder, IGNORE_NAME, IGNORE_LIMIT, roots=self._roots)
        if not text:
            return entries, place.above
        try:
            own = Patterns("".join(decoded_lines(io.BytesIO(text))).splitlines())
        except NotUtf8 as error:
            self._fault("encoding-unknown", f"is {error.reason(option=False)}", folder, error.line)
        except BadPattern as error:
            self._fault("file-unreadable", f"the line {error.reason}", folder, error.line)
        else:
            return entries, ((len(place.parts), own), *place.above)
        return entries, place.above

    def _fault(self, rule: str, text: str, folder: Path, line: int | None = None) -> None:
        self._look.faults.append(found(rule, text).at(Place(str(folder / IGNORE_NAME), line)))

    def _is_open(self, entry: Entry, parts: tuple[str, ...], above: Sequence[tuple[int, Patterns]]) -> bool:
        """Return whether a folder may be entered, and note why not."""
        name = "/".join(parts)
        if entry.name.startswith("."):
            self._look.left_out.hidden.append(name)
        elif self._is_excluded(parts, above, folder=True):
            self._look.left_out.by_pattern.append(f"{name}/")
        elif entry.is_link:
            self._look.left_out.links.append(name)
        else:
            return True
        return False

    def _take(self, parts: tuple[str, ...], above: Sequence[tuple[int, Patterns]]) -> None:
        """Note a file as a script, or why it is none."""
        name, file = "/".join(parts), PurePath(parts[-1])
        if is_junk(parts[-1]):
            self._look.left_out.junk.append(name)
        elif self._is_excluded(parts, above):
            self._look.left_out.by_pattern.append(name)
        elif of_folders(file) or self._include.decide(name):
            self._found.append(parts)
        elif is_manifest(file):
            self._look.left_out.manifests.append(name)
        else:
            self._look.left_out.other_kind.append(name)

    def _is_excluded(
        self, parts: tuple[str, ...], above: Sequence[tuple[int, Patterns]], *, folder: bool = False
    ) -> bool:
        """Return whether patterns leave this out: the options decide before the files, and the nearest file first."""
        end = "/" if folder else ""
        for depth, patterns in ((0, self._exclude), *above):
            decided = patterns.decide("/".join(parts[depth:]) + end)
            if decided is not None:
                return decided
        return False

    def _count(self, below: deque[_Place]) -> None:
        """Count the scripts in folders that are not read. What cannot be looked into has none."""
        left_out, seen = self._look.left_out, 0
        while below:
            place = below.popleft()
            try:
                entries, _ = read_folder(
                    self._source.joinpath(*place.parts), IGNORE_NAME, IGNORE_LIMIT, roots=self._roots
                )
            except (OSError, ValueError, NotRead):
                continue
            for entry in entries:
                seen += 1
                if seen > MOST_COUNTED:
                    left_out.counted_all = False
                    return
                if entry.is_folder and not entry.is_link and not entry.name.startswith("."):
                    below.append(_Place((*place.parts, entry.name)))
                elif not entry.is_folder and not is_junk(entry.name):
                    left_out.scripts_below += of_folders(PurePath(entry.name))


def _patterns(option: str, lines: Sequence[str]) -> Patterns:
    try:
        return Patterns(lines)
    except BadPattern as error:
        raise InputError(f"{option}: {lines[error.line - 1]!r} {error.reason}") from None


def _strerror(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
