"""Rows of spreadsheets, `.xlsx`, `.xlsm` and `.ods`, which a process of its own reads (`sheet_process.py`)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from signal import SIGABRT, SIGKILL
from typing import IO, TYPE_CHECKING, Any

from batch_avatar.safe_text.bounds import some_of
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import Finding, Place, found
from batch_avatar.scripts.readers.extras import missing_extra
from batch_avatar.scripts.readers.table import Row
from batch_avatar.scripts.reading import Limit, NotRead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.readers.draft import Named

SHEET_LIMIT = Limit(50_000_000, "a spreadsheet")
"""A choice; 100,000 rows of ten cells take some 5 MB."""
MOST_NAMED = 5
"""Sheets that a warning names; the others are counted."""
_PROGRAM = Path(__file__).with_name("sheet_process.py")
_PROTECTED = "is protected with a password, or of an old kind under a new name; save it as .xlsx without a password"
_TOO_LARGE = "is too large to be read; delete what stands far below or beside the table, or save the table as .csv"
_REASONS = {3: _TOO_LARGE, -SIGABRT: _TOO_LARGE, -SIGKILL: _TOO_LARGE, 4: _PROTECTED}
"""Why the process ended, by its exit code or signal. Where memory cannot be had, calamine aborts."""
_BROKEN = "is no spreadsheet that can be read; open it in your spreadsheet program and save it again"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The beginning of what Office encrypts ([MS-OFFCRYPTO]), and of `.xls`."""


def sheet_rows(file: IO[bytes], named: Named, _choice: SourceChoice) -> Iterator[Row | Finding]:
    """Yield the rows of the first sheet that is seen and holds something. Its name is part of their place."""
    if missing := missing_extra(named, "python_calamine"):
        yield missing.at(Place(named.source))
        return
    if file.read(len(_OLE)) == _OLE:
        raise NotRead(_PROTECTED)
    file.seek(0)
    with _read_apart(file) as lines:
        head = next(lines)
        sheet, left_out = head["sheet"], head["left_out"]
        if left_out:
            yield _left_out(sheet, left_out).at(Place(named.source))
        for number, cells in lines:
            yield Row(Place(f"{named.source}[{sheet}]", number), cells)


def _left_out(sheet: str | None, names: list[str]) -> Finding:
    others = some_of([shown(name) for name in names], MOST_NAMED)
    read = "all its sheets are hidden" if sheet is None else f"only the sheet {shown(sheet)} is read"
    return found("left-out", f"{read}; not read: {others}")


@contextmanager
def _read_apart(file: IO[bytes]) -> Iterator[Iterator[Any]]:
    """Start the process, give what it says, and end it. Raises as `_said` does."""
    with tempfile.TemporaryFile() as content:
        shutil.copyfileobj(file, content)
        content.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-P", _PROGRAM], stdin=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    with process:
        try:
            yield _said(process)
        finally:
            process.kill()


def _said(process: subprocess.Popen[bytes]) -> Iterator[Any]:
    """Yield each line that the process writes.

    Raises:
        NotRead: it could not read the file.
    """
    for line in process.stdout or ():
        yield json.loads(line)
    if code := process.wait():
        raise NotRead(_REASONS.get(code, _BROKEN))
