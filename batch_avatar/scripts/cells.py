"""Rows and cells of CSV manifests."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from batch_avatar.scripts.parsing import Malformed, parse_json
from batch_avatar.scripts.reading import LONGEST_LINE_BYTES

NESTED = ("custom_voices", "scene", "video_crop", "avatar_position", "avatar_size", "resolution", "extra_properties")


class Rows(Iterator[str]):
    """Hands lines to a CSV reader, which keeps a row until it ends; set `characters` to 0 after each row."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = (part for line in lines for part in io.StringIO(line, newline=""))  # they may end in CR alone
        self.characters = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.characters += len(line)
        if self.characters > LONGEST_LINE_BYTES:
            raise csv.Error(f"a row has more than {LONGEST_LINE_BYTES:,} characters, which fit into no request")
        return line


def cell_value(name: str, text: str) -> Any:
    """Return the value of a CSV cell; nested members are written as JSON."""
    if name in NESTED:
        try:
            return parse_json(text)
        except Malformed:
            return text
    return text
