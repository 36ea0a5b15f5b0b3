"""The console of `rich` for which a text is a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from batch_avatar.safe_text.redaction import redact
from batch_avatar.safe_text.sinks import visible

if TYPE_CHECKING:
    from rich.text import Text


class SafeConsole(Console):
    """Prints texts, also those in cells of tables, without markup, emoji by name, escape sequences and secrets.

    What is an object of `rich` already is printed as it is.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(redact(text)), **options)
