"""Which ids a script may have: each is a name of blobs, of jobs and of folders on people's disks. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTENT_ID = re.compile(r"[0-9A-Fa-f]{16}")
_NUMBER = re.compile(r"[0-9]+")


def check_script_id(script_id: str) -> Iterator[str]:
    """Describe every fault of the id: as a folder it must differ from the archive's own and from other scripts'.

    `/` joins the parts of a nested id. Its parts may not look like the archive's own folders below a script, which are
    content ids and numbers of attempts.
    """
    parts = script_id.split("/")
    nested = len(parts) > 1
    if "\\" in script_id or ".." in script_id or CONTROL.search(script_id):
        yield "script_id must not contain '\\', '..' or control characters"
    if script_id.startswith("_"):
        yield "script_id must not start with '_'; such names are the archive's own"
    if nested and not all(parts):
        yield "script_id must not have an empty part: it neither begins nor ends with '/', nor holds '//'"
    if any(part != part.strip() or part.endswith(".") for part in parts):
        which = "no part of script_id may" if nested else "script_id must not"
        yield f"{which} begin or end with a blank, {'or' if nested else 'nor'} end with a dot"
    for part in parts if nested else ():
        if _CONTENT_ID.fullmatch(part):
            yield f"script_id has the part {part!r}: 16 hexadecimal digits are the archive's own; rename it"
        elif _NUMBER.fullmatch(part):
            yield f"script_id has the part {part!r}: digits alone are the archive's own; rename it, e.g. 'part-{part}'"
