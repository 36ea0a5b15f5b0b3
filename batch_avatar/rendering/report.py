"""The report of a run: an outcome for every script, and the sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import PlainSerializer, PrivateAttr, ValidatorFunctionWrapHandler, WrapValidator

from batch_avatar.models import Outcome, Received


def _kept(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Leave outcomes that are not kept in memory where they are; validate any other value."""
    return value if isinstance(value, Sequence) and not isinstance(value, list | tuple | str) else validate(value)


Outcomes = Annotated[
    Sequence[Outcome],
    WrapValidator(_kept),
    PlainSerializer(list, return_type=list[Outcome]),
]


class BatchReport(Received):
    """One outcome for each script. The billed figures are those of this run."""

    run: str
    scripts: int
    archived: int
    doubtful: int = 0
    """How many of the archived have a video that is not as expected."""
    skipped: int
    kept: int = 0
    """How many of the skipped have changed since, and were left as they are archived."""
    failed: int
    unfinished: int
    billed_seconds: int
    billed_characters: int
    outcomes: Outcomes
    _unwritten: str = PrivateAttr("")

    @property
    def unwritten(self) -> str:
        """Why the report is not in the archive; empty if it is."""
        return self._unwritten

    def was_not_written(self, why: str) -> None:
        self._unwritten = why

    @property
    def all_archived(self) -> bool:
        return self.archived + self.skipped == self.scripts

    @property
    def counts(self) -> str:
        doubtful = f" ({self.doubtful} of them doubtful)" if self.doubtful else ""
        kept = f" ({self.kept} of them kept as they are)" if self.kept else ""
        return (
            f"{self.archived} archived{doubtful}, {self.skipped} archived before{kept}, {self.failed} failed, "
            f"{self.unfinished} unfinished"
        )

    @property
    def sums(self) -> str:
        return f"{self.scripts} scripts: {self.counts}"

    @property
    def billed(self) -> str:
        return (
            f"billed by the service in this run: {self.billed_seconds} s of video, {self.billed_characters} characters"
        )

    def json_pieces(self) -> Iterator[str]:
        """Yield the report as JSON, one outcome at a time, because there may be very many."""
        head = self.model_dump_json(by_alias=True, indent=2, exclude={"outcomes"}).removesuffix("\n}")
        yield head + ',\n  "outcomes": ['
        between = "\n    "
        for outcome in self.outcomes:
            yield between + outcome.model_dump_json(by_alias=True)
            between = ",\n    "
        yield "\n  ]\n}"

    def to_json(self) -> str:
        return "".join(self.json_pieces())
