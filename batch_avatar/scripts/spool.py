"""Keep checked scripts and outcomes on disk: batches run for hours, and 10,000 scripts do not fit in memory."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import weakref
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, overload

from batch_avatar.errors import InputError
from batch_avatar.identity import signed_properties
from batch_avatar.models import Outcome, OutcomeKind, Script

if TYPE_CHECKING:
    from batch_avatar.scripts.findings import Finding

logger = logging.getLogger(__name__)


class _NamelessFile:
    """A temporary file without a name; it disappears with its owner, however the process ends.

    Raises:
        InputError: the file cannot be made, or its disk is full.
    """

    def __init__(self, owner: object) -> None:
        try:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as its owner
        except OSError as error:
            raise _no_room(error) from error
        self.close = weakref.finalize(owner, self._file.close)  # before the file itself is collected, which would warn

    def read(self, start: int, end: int) -> bytes:
        return os.pread(self._file.fileno(), end - start, start)

    def write(self, record: bytes, start: int) -> None:
        left = memoryview(record)
        try:
            while left:  # a disk that is nearly full takes a part, and refuses the rest at the next call
                written = os.pwrite(self._file.fileno(), left, start)
                left, start = left[written:], start + written
        except OSError as error:
            raise _no_room(error) from error


class ScriptSpool(Sequence[Script]):
    """Checked scripts, on disk until they are sent; a run keeps their ids in memory, not their bodies.

    One thread fills it, then any number may read. Each access reads and parses again, so it returns another object. The
    file has no name and disappears with the spool, however the process ends. Scripts that hold a signature stay in
    memory, because no secret is written to disk.

    Raises:
        InputError: the temporary file cannot be made.
    """

    def __init__(self) -> None:
        self._file = _NamelessFile(self)
        self._ids: list[str] = []
        self._ends = array("q", [0])  # where each record ends, and the next begins
        self._signed: dict[int, Script] = {}
        self.warnings: list[Finding] = []
        """What people should know of the scripts, which are sent all the same."""

    @property
    def script_ids(self) -> Sequence[str]:
        """The ids in the order of the scripts; no body is read."""
        return self._ids

    def add(self, script: Script, warnings: Iterable[Finding] = ()) -> None:
        """Append the script, and what was found about it.

        Raises:
            InputError: the disk is full; what was added before can still be read.
        """
        end = self._ends[-1]
        if signed_properties(script):
            self._signed[len(self._ids)] = script
        else:
            record = _encode(script)
            self._file.write(record, end)
            end += len(record)
        self._ends.append(end)
        self._ids.append(script.script_id)
        self.warnings.extend(warnings)

    def close(self) -> None:
        """Free the disk space now instead of with the last reference; nothing can be read afterwards."""
        self._file.close()

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> Script: ...
    @overload
    def __getitem__(self, index: slice) -> list[Script]: ...
    def __getitem__(self, index: int | slice) -> Script | list[Script]:
        found = range(len(self))[index]
        return self._read(found) if isinstance(found, int) else [self._read(number) for number in found]

    def _read(self, number: int) -> Script:
        if (signed := self._signed.get(number)) is not None:
            return signed
        start, end = self._ends[number], self._ends[number + 1]
        return Script.model_validate_json(self._file.read(start, end))


SUMMED = ("doubtful", "kept", "billed_seconds", "billed_characters")
"""What reports add up over their outcomes."""


def summands(outcome: Outcome) -> dict[str, int]:
    return {name: int(getattr(outcome, name)) for name in SUMMED}


class OutcomeSpool(Sequence[Outcome]):
    """The outcome of each script of a run, on disk, in the order of the scripts; and their sums.

    It is complete once every script has an outcome; before that, read only single ones that `has` confirms.
    `columns_of`: what is kept of the script at this place; it is added to its outcome.

    Raises:
        InputError: the temporary file cannot be made.
    """

    def __init__(
        self, script_ids: Iterable[str], columns_of: Callable[[int], dict[str, str] | None] = lambda _: None
    ) -> None:
        self._columns_of = columns_of
        self._file = _NamelessFile(self)
        self._places = {script_id: number for number, script_id in enumerate(script_ids)}
        self._starts = array("q", [-1]) * len(self._places)
        self._ends = array("q", [0]) * len(self._places)
        self._size = 0
        self._kept: dict[int, Outcome] = {}
        self.kinds: Counter[OutcomeKind] = Counter()
        self.sums: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Keep the outcome of a script.

        Raises:
            ValueError: the script has an outcome already.
        """
        number = self._places[outcome.script_id]
        if self._starts[number] >= 0:
            raise ValueError(f"{outcome.script_id} has ended before")
        if columns := self._columns_of(number):
            outcome = outcome.model_copy(update={"columns": columns})
        record = json.dumps(outcome.model_dump(mode="json", by_alias=True)).encode()
        try:
            self._file.write(record, self._size)
        except InputError as error:  # a full disk must not cost the report
            logger.warning("an outcome stays in memory: %s", error)
            self._kept[number] = outcome
        self._starts[number], self._size = self._size, self._size + len(record)
        self._ends[number] = self._size
        self.kinds[outcome.outcome] += 1
        self.sums.update(summands(outcome))

    def has(self, script_id: str) -> bool:
        """Return whether the script has an outcome."""
        return self._starts[self._places[script_id]] >= 0

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> list[Outcome]: ...
    def __getitem__(self, index: int | slice) -> Outcome | list[Outcome]:
        found = range(len(self))[index]
        return self._read(found) if isinstance(found, int) else [self._read(number) for number in found]

    def _read(self, number: int) -> Outcome:
        if (kept := self._kept.get(number)) is not None:
            return kept
        return Outcome.model_validate_json(self._file.read(self._starts[number], self._ends[number]))


def _encode(script: Script) -> bytes:
    """Encode the members that are set as a line of JSON; `model_dump_json` would turn an infinite number into null."""
    values = script.model_dump(mode="json", exclude_unset=True)
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _no_room(error: OSError) -> InputError:
    return InputError(
        f"scripts and outcomes are kept in a temporary file, which cannot be written: {error.strerror}; make room, or "
        "name another folder in TMPDIR"
    )
