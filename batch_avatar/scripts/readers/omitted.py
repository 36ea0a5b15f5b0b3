"""What a file holds and a script of it does not speak, told once for each kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.scripts.findings import Finding

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
        more = f" and {len(places) - NAMED:,} more" if len(places) > NAMED else ""
        plural = "s" if len(places) > 1 else ""
        return f" ({self.unit}{plural} {', '.join(map(str, places[:NAMED]))}{more})"
