"""What is written into blobs and their metadata, made fit for both; and metadata read back, whatever they hold.

Metadata are HTTP headers: ASCII, without control characters, and all of a blob together at most 8 KB (documented).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

LONGEST = 2500
"""Characters of one value: the longest script_id has 2,400 when quoted, and no blob has more than two such values."""
LONGEST_KEY = 500
NUMBERS = {
    "attempt": re.compile(r"[1-9][0-9]?"),
    "revision": re.compile(r"[0-9]{1,3}"),
    "input": re.compile(r"[0-9]{1,4}"),
    **dict.fromkeys(("predicted", "video", "rendered"), re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?(e[+-]?[0-9]{1,2})?")),
}
"""The facts that plans take for numbers, and how they are written."""
_PLAIN = re.compile(r"[!-$&-~]([ -$&-~]*[!-$&-~])?")


def cut(text: str, size: int) -> str:
    """Cut the text to `size` characters when quoted."""
    while (long := len(quote(text, errors="replace"))) > size:
        text = text[: len(text) * size // long]
    return text


def quoted(values: Mapping[str, str]) -> dict[str, str]:
    """Make the values fit for metadata: percent-encoded, bounded, and none of them empty."""
    return {name: quote(cut(value, LONGEST), errors="replace") for name, value in values.items() if value}


def fit(values: Mapping[str, str]) -> dict[str, str]:
    """Make the values fit for metadata, and leave those as they are that are fit already."""
    plain = {name: value for name, value in values.items() if _PLAIN.fullmatch(value) and len(value) <= LONGEST}
    return {name: plain.get(name, fitted) for name, fitted in quoted(values).items()}


def metadata_key(text: str) -> str:
    """Return a value that stands for this text in metadata and is compared as a whole: a digest where it is long."""
    key = quote(text, errors="replace")
    return key if len(key) <= LONGEST_KEY else "sha256-" + hashlib.sha256(key.encode()).hexdigest()


def read_facts(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the facts in a blob's metadata, without those that should be numbers and are none."""
    facts = {name: unquote(value) for name, value in metadata.items() if value}
    return {name: value for name, value in facts.items() if name not in NUMBERS or NUMBERS[name].fullmatch(value)}


def document_text(document: BaseModel) -> bytes:
    """Return the document as JSON in UTF-8; half a surrogate pair, which UTF-8 cannot hold, becomes a question mark."""
    values = document.model_dump(mode="json", by_alias=True)
    return json.dumps(values, ensure_ascii=False, indent=2).encode(errors="replace")
