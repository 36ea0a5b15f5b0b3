"""What is written into blobs and their metadata, made fit for both; and metadata read back, whatever they hold.

Metadata are HTTP headers: ASCII, without control characters, and all of a blob together at most 8 KB (documented).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
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
    **dict.fromkeys(("seconds", "characters"), re.compile(r"[0-9]{1,12}")),
    **dict.fromkeys(("predicted", "video", "rendered"), re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?(e[+-]?[0-9]{1,2})?")),
}
"""The facts that plans take for numbers, and how they are written."""
MOST_BYTES = 7_500
"""Of all metadata of a blob together, names and values; a choice below the 8 KB, so that others can still add some."""
MOST_COLUMNS = 8_000
"""Bytes of columns that are unpacked. They are packed from at most 2,000 (`scripts`)."""
MOST_BILLED = 8
"""So many of the names under which a job was billed are written; five are documented."""
NOT_TOLD = "?"
"""In place of columns for which there was no room."""
_HEADER = len("x-ms-meta-: ")
_BILLED = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_BILL = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,59}):([0-9]{1,12})")
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


def with_columns(facts: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata with these columns, if there is room for them; else with `NOT_TOLD` in their place."""
    if not columns:
        return dict(facts)
    text = json.dumps(dict(columns), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    packed = base64.urlsafe_b64encode(zlib.compress(text, 9)).decode().rstrip("=")
    taken = sum(_HEADER + len(name) + len(value) for name, value in facts.items())
    fits = len(text) <= MOST_COLUMNS and taken + _HEADER + len("columns") + len(packed) <= MOST_BYTES
    return {**facts, "columns": packed if fits else NOT_TOLD}


def read_columns(packed: str) -> dict[str, str] | None:
    """Return the columns that `with_columns` wrote; None if they are not told, or not readable."""
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), MOST_COLUMNS)
        found = json.loads(text) if unpacking.eof else None
    except (ValueError, zlib.error, RecursionError):
        return None
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else None


def write_bill(billing: Mapping[str, int]) -> str:
    """Return what was billed by the service's names, for metadata. Odd names, and those beyond 8, become `other`."""
    told = dict([(name, count) for name, count in sorted(billing.items()) if _BILLED.fullmatch(name)][:MOST_BILLED])
    if rest := sum(count for name, count in billing.items() if name not in told):
        told["other"] = told.get("other", 0) + rest
    return " ".join(f"{name}:{count}" for name, count in told.items())


def read_bill(text: str) -> dict[str, int]:
    """Read back what `write_bill` wrote; what is not so written is left out."""
    found = (_BILL.fullmatch(part) for part in text.split())
    return {one[1]: int(one[2]) for one in found if one}


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
