"""What a folder holds and is not read, told in one line with the reason. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batch_avatar.safe_text.bounds import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMED = 5
"""Names of one kind that the line has; the others are counted."""


@dataclass
class LeftOut:
    """Names below one folder, by the reason why they are not read. Scripts in sub folders are only counted."""

    other_kind: list[str] = field(default_factory=list)
    manifests: list[str] = field(default_factory=list)
    junk: list[str] = field(default_factory=list)
    by_pattern: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    sub_folders: int = 0
    scripts_below: int = 0
    counted_all: bool = True

    def line(self, folder: str) -> str:
        """Return all of it in one line; empty if nothing is left out."""
        return "; ".join(self._parts(folder))

    def _parts(self, folder: str) -> Iterator[str]:
        if self.other_kind:
            yield f"{len(self.other_kind)} of another kind: {_names(self.other_kind)}"
        if self.manifests:
            how = f"`batch-avatar render {shlex.quote(f'{folder}/{self.manifests[0]}')}` renders it"
            yield f"{_count(len(self.manifests), 'manifest')} beside scripts: {_names(self.manifests)} ({how})"
        if self.sub_folders:
            least = "" if self.counted_all else "at least "
            below = f" with {least}{_count(self.scripts_below, 'script')}" if self.scripts_below else ""
            yield f"{_count(self.sub_folders, 'sub folder')}{below}: --recursive"
        if self.by_pattern:
            yield f"{_count(len(self.by_pattern), 'name')} by patterns: {_names(self.by_pattern)}"
        if self.hidden:
            yield f"{len(self.hidden)} hidden: {_names(self.hidden)}"
        if self.links:
            yield f"{_count(len(self.links), 'link')} to folders: {_names(self.links)}"
        if self.junk:
            yield f"{len(self.junk)} left by a system: {_names(self.junk)}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _names(names: Sequence[str]) -> str:
    return some_of(names, NAMED)
