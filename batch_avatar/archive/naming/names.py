"""Read names of the archive from the right, because a script_id may have parts (`hr/welcome`). Pure.

`scripts/script_ids.py` sees to it that this is possible. Names of flat ids are read as the first versions read them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batch_avatar.scripts.script_ids import check_script_id

if TYPE_CHECKING:
    from collections.abc import Iterator

ARCHIVE_BLOB = "_archive.json"
"""The blob that makes its folder an archive."""
RECORDS = ("claim.json", "receipt.json")
_CONTENT_ID = re.compile(r"[0-9a-f]{16}")
_ATTEMPT = re.compile(r"[1-9][0-9]?")


def is_content_id(part: str) -> bool:
    """Return whether this part of a name is the id of a content."""
    return _CONTENT_ID.fullmatch(part) is not None


def key_of(name: str) -> tuple[str, str, str] | None:
    """Return script_id, content_id and kind of a claim or receipt; None for any other blob."""
    if not name.endswith(RECORDS):
        return None
    match name.split("/"):
        case [script_id, content_id, kind] if kind in RECORDS:
            return script_id, content_id, kind
        case [first, *more, content_id, kind] if kind in RECORDS and _is_nested(first, more, content_id):
            return "/".join((first, *more)), content_id, kind
    return None


def video_of(name: str) -> tuple[str, str] | None:
    """Return script_id and content_id of a video; None for any other blob."""
    match name.split("/"):
        case [script_id, content_id, _, output] if output.startswith("video."):
            return script_id, content_id
        case [first, *more, content_id, attempt, output] if output.startswith("video.") and _ATTEMPT.fullmatch(attempt):
            return ("/".join((first, *more)), content_id) if _is_nested(first, more, content_id) else None
    return None


def folders_above(script_id: str) -> Iterator[str]:
    """Yield the folders that hold a nested id, the outermost first; none for a flat one, or for what is no id."""
    if any(check_script_id(script_id)):
        return  # with `..` in it a request would ask for something else
    parts = script_id.split("/")
    for depth in range(1, len(parts)):
        yield "/".join(parts[:depth])


def earlier_ids(script_id: str) -> Iterator[str]:
    """Yield the ids that a script has where a folder further down is the source; none for a flat one."""
    parts = script_id.split("/")
    for depth in range(1, len(parts)):
        yield "/".join(parts[depth:])


def _is_nested(first: str, more: list[str], content_id: str) -> bool:
    return bool(more) and is_content_id(content_id) and not any(check_script_id("/".join((first, *more))))
