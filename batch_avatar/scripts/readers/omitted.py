"""What a file holds and a script of it does not speak, told once for each kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from batch_avatar.safe_text.bounds import some_of
from batch_avatar.scripts.decoding import decoded_lines
from batch_avatar.scripts.findings import Place, found
from batch_avatar.scripts.readers.draft import script_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.readers.draft import Draft, Named, Reader

NAMED = 5
"""Places of one kind that are named; the others are counted."""


@dataclass
class Omitted:
    """Collects what is not spoken, such as `tables`, and where: a number of `unit`, e.g. of a line; 0 without one."""

    unit: str = "line"
    places: dict[str, set[int]] = field(default_factory=dict)

    def note(self, what: str, where: int = 0) -> None:
        self.places.setdefault(what, set()).add(where)

    def findings(self) -> Iterator[Finding]:
        for what, places in self.places.items():
            yield found("not-spoken", f"left out: {what}{self._where(sorted(places))}")

    def _where(self, places: list[int]) -> str:
        if places == [0]:
            return ""
        plural = "s" if len(places) > 1 else ""
        return f" ({self.unit}{plural} {some_of([str(place) for place in places], NAMED)})"


def reader_of(spoken: Callable[[str], tuple[str, Omitted]]) -> Reader:
    """Return a reader of texts of which only the words are spoken; `spoken` gives these, and what is left out."""

    def read(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Draft | Finding]:
        content, omitted = spoken("".join(decoded_lines(file, choice.encoding)))
        place = Place(named.source)
        yield from (finding.at(place) for finding in omitted.findings())
        yield script_of(named.script_id, None, content, place)

    return read
