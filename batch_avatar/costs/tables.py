"""Sums as a table of texts, as CSV for spreadsheets, and as JSON. Pure."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from batch_avatar.planning.prices import money
from batch_avatar.safe_text.sinks import spreadsheet_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from batch_avatar.catalog.prices import Prices
    from batch_avatar.costs.grouping import Row

COUNTS = ("videos", "failed attempts", "seconds", "characters")


def header(by: Sequence[str], prices: Prices | None) -> list[str]:
    """Return the names of the columns."""
    return [*by, *COUNTS, *([f"cost {prices.currency}"] if prices else [])]


def text_cells(row: Row, prices: Prices | None) -> list[str]:
    """Return the numbers of a row as a person reads them; `+ ?` where the sum lacks what is not told."""
    seconds = f"{row.seconds:,}" + (" + ?" if row.seconds_unknown else "")
    characters = f"{row.characters:,}" + (" + ?" if row.characters_unknown else "")
    cells = [f"{row.videos:,}", f"{row.failed:,}", seconds, characters]
    if prices and row.cost is not None:
        cells.append(money(row.cost.known, "").rstrip() + (" + ?" if row.cost.unknown else ""))
    return cells


def as_csv(by: Sequence[str], rows: Iterable[Row], prices: Prices | None) -> str:
    """Return CSV with the mark by which Excel knows UTF-8. Sums are of what is told; the rest is counted beside them.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    unknown = ["seconds not told", "characters not told", *(["cost not known"] if prices else [])]
    writer.writerow([*map(spreadsheet_cell, by), *header((), prices), *unknown])
    for row in rows:
        cost = [f"{row.cost.known:.2f}"] if row.cost is not None else []
        more = [row.cost.unknown] if row.cost is not None else []
        counts = (row.videos, row.failed, row.seconds, row.characters)
        left = (row.seconds_unknown, row.characters_unknown)
        writer.writerow([*map(spreadsheet_cell, row.values), *counts, *cost, *left, *more])
    return "\ufeff" + text.getvalue()


def as_json(by: Sequence[str], rows: Iterable[Row], total: Row, prices: Prices | None) -> dict[str, Any]:
    """Return rows and total as JSON objects. Money is a text, so that no digit is lost; null without prices."""
    return {
        "by": list(by),
        "currency": prices.currency if prices else None,
        "rows": [dict(zip(by, row.values, strict=True)) | _numbers(row) for row in rows],
        "total": _numbers(total),
    }


def remarks(total: Row, prices: Prices | None) -> list[str]:
    """Return what the sums do not tell, a line each."""
    found = []
    if total.seconds_unknown:
        found.append(f"seconds are not told by {total.seconds_unknown:,} receipts of an older version")
    if total.characters_unknown:
        found.append(f"characters are not told by {total.characters_unknown:,} receipts of an older version")
    if total.cost is not None and total.cost.unknown:
        found.append(f"the cost of {total.cost.unknown:,} scripts is not known, as a price or a count is missing")
    if prices is None:
        found.append("no prices are set, so this says nothing of money: BATCH_AVATAR_PRICES")
    return found


def _numbers(row: Row) -> dict[str, Any]:
    return {
        "videos": row.videos,
        "failed_attempts": row.failed,
        "seconds": row.seconds,
        "seconds_not_told": row.seconds_unknown,
        "characters": row.characters,
        "characters_not_told": row.characters_unknown,
        "cost": f"{row.cost.known:.4f}" if row.cost is not None else None,
        "cost_not_known": row.cost.unknown if row.cost is not None else None,
    }
