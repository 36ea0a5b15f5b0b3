"""The members of a script as an object of JSON gives them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batch_avatar.models import Item, Properties
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import Finding, found
from batch_avatar.scripts.readers.columns import MEMBERS, as_text, folded, kept_columns, to_keep
from batch_avatar.scripts.readers.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.scripts.choice import SourceChoice

_FIELDS = Item.model_fields | Properties.model_fields
TEXTS = {"content_file", *(name for name, field in _FIELDS.items() if field.annotation in (str, str | None))}
"""Members that are text. A table has only text, so a number is as good here."""
NEVER_NULL = ("script_id", "input_kind", "content", "content_file", "talking_avatar_character")
"""Members that every script has. Of others null takes away a default, which many archives were made with."""


class Members:
    """Takes the objects of one file, under the names and without the names that the choice says."""

    def __init__(self, choice: SourceChoice) -> None:
        self._chosen = {folded(name): member for name, member in choice.columns}
        self._ignored = {folded(name) for name in choice.ignore_columns}
        self._only_known = choice.ignore_unknown
        self._kept = to_keep(choice)
        self._missed = {folded(name): f"--column {shown(name)}" for name, _ in choice.columns}
        self._missed |= {folded(name): f"--keep-columns {shown(name)}" for name in choice.keep_columns}

    def of(self, draft: Draft) -> Draft | Finding:
        """Return what the object says, as a row of a table would say it."""
        given: dict[str, Any] = {}
        for name, value in draft.values.items():
            own = folded(name)
            self._missed.pop(own, None)
            member = self._chosen.get(own, name)
            is_kept = folded(member) in self._kept
            if own in self._ignored or (self._only_known and member not in MEMBERS and not is_kept):
                continue
            if member in given:
                return found("column-twice", f"{shown(name)} is a second {shown(member)}").at(draft.place)
            given[member] = as_text(value) if member in TEXTS else value
        said = {
            name: value
            for name, value in given.items()
            if not _says_nothing(name, given) and (name in MEMBERS or folded(name) not in self._kept)
        }
        return Draft(draft.place, said | kept_columns(given, self._kept))

    def missed(self) -> Iterator[Finding]:
        """Yield a fault for each chosen name that no object had."""
        for option in self._missed.values():
            yield found("columns-missing", f"{option}: no object has such a name")


def _says_nothing(name: str, given: dict[str, Any]) -> bool:
    """Return whether a member is null and a script cannot be without it, so that null can only say nothing."""
    if given[name] is not None:
        return False
    plain = "content" in given and str(given.get("input_kind") or "PlainText").lower() == "plaintext"
    return name in NEVER_NULL or (name == "voice" and plain)
