"""Which archived scripts use an avatar that the service withdraws: rendered again, they need another. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.archive.index import form_of
from batch_avatar.catalog.avatars import characters
from batch_avatar.identity import form_digests
from batch_avatar.scripts.avatars import check_withdrawal
from batch_avatar.scripts.findings import Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from batch_avatar.archive.index import Key
    from batch_avatar.scripts.findings import Finding


def withdrawn_avatars(receipts: Mapping[Key, Mapping[str, str]], today: date) -> list[Finding]:
    """Return a finding for each script whose last video shows what is withdrawn or soon will be.

    Receipts tell their properties as digests, which are compared with those of the catalogue's names. Those of the
    first versions tell none.
    """
    known = {_digest("talking_avatar_character", one.name): one for one in characters()}
    styles = {_digest("talking_avatar_style", style): style for one in characters() for style in one.style_names()}
    customized = _digest("customized", value=True)
    found = []
    for script_id, receipt in sorted(_last(receipts).items()):
        form = form_of(receipt)
        character = known.get(form.get("talking_avatar_character", ""))
        if character is None or "photo_avatar_base_model" in form or form.get("customized") == customized:
            continue
        ending = check_withdrawal(character, styles.get(form.get("talking_avatar_style", "")), today)
        if ending is not None:
            found.append(ending.at(Place("archive"), script_id))
    return found


def _last(receipts: Mapping[Key, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Return the last receipt of each script; all of them tell the time in UTC, as text that sorts."""
    last: dict[str, Mapping[str, str]] = {}
    for (script_id, _), receipt in receipts.items():
        if receipt.get("archived_at", "") >= last.get(script_id, {}).get("archived_at", ""):
            last[script_id] = receipt
    return last


def _digest(name: str, value: object) -> str:
    return form_digests({name: value})[name]
