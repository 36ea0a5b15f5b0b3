"""What may be kept beside a video: facts about it in columns, which many people may read there. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from batch_avatar.identity import holds_signed_link
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from batch_avatar.scripts.findings import Finding

MOST_BYTES = 2_000
"""Of all kept columns of a script as JSON, with their names; a choice, as every claim and receipt has them."""


def check_kept_columns(columns: Mapping[str, str]) -> Iterator[Finding]:
    """Yield why these columns are not kept."""
    try:
        size = len(json.dumps(columns, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        yield found("kept-columns", "a column to keep holds half of a surrogate pair, which is no character")
        return
    if size > MOST_BYTES:
        yield found("kept-columns", f"the columns to keep have {size:,} bytes; {MOST_BYTES:,} are kept at most")
    for name, value in columns.items():
        if holds_signed_link(value):
            text = f"column {shown(name)} holds a signed link, and would be kept where others read it; do not keep it"
            yield found("kept-columns", text)
