"""Writes the table on the page about benchmarks, between two marks. The rest of the page is written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import markdown_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.figures import Row

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "README.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def write_table(rows: Sequence[Row], machine: Mapping[str, object], *, page: Path = PAGE) -> None:
    """Replace the table on the page by these rows.

    Raises:
        ValueError: the page lacks the marks between which the table stands.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} does not hold {BEGIN} and {END}")
    cores = f"{machine['cores']} cores ({machine['architecture']})"
    where = f"Last run: {machine['date']}, {cores}, Python {machine['python']}."
    text = f"{before}{BEGIN}\n\n{where}\n\n{markdown_table(rows)}\n\n{END}{after}"
    page.write_text(text, encoding="utf-8")
