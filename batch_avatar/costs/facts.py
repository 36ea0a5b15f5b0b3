"""What one listed blob tells of what was billed. Pure; what is not told is None, and never taken for nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from batch_avatar.archive.metadata import read_bill, read_columns, read_facts
from batch_avatar.archive.naming.names import ARCHIVE_BLOB, key_of
from batch_avatar.archive.records import BUILT_IN
from batch_avatar.catalog.prices import AvatarKind, VoiceKind
from batch_avatar.planning.prices import Usage, cost_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from batch_avatar.catalog.prices import Prices

VOICE_KINDS = {
    "neuralCharacters": VoiceKind.NEURAL,
    "customNeuralCharacters": VoiceKind.CUSTOM,
    "hdNeuralCharacters": VoiceKind.HD,
}
"""By the service's names in `billingDetails`. What is billed under another name has no price of ours."""
_EARLIER = re.compile(r"([0-9]{1,3}):([0-9]{1,12}):([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class Billed:
    """What one script was billed, all its attempts together.

    `seconds` and `characters` of the last attempt are None where they are not told; `by_key`: its characters by the
    service's names. `failed` counts the attempts without a video, `failed_seconds` and `failed_characters` are theirs.
    `columns`: None where there was no room for them.
    """

    script_id: str
    content_id: str
    at: datetime | None
    archived: bool
    run: str = ""
    resource: str = ""
    avatar: str = ""
    avatar_kind: AvatarKind | None = None
    style: str = ""
    voice: str = ""
    voice_kind: str = ""
    seconds: int | None = None
    characters: int | None = None
    by_key: tuple[tuple[str, int], ...] = ()
    failed: int = 0
    failed_seconds: int = 0
    failed_characters: int = 0
    columns: Mapping[str, str] | None = None

    def cost(self, prices: Prices) -> Decimal | None:
        """Return what it cost, unrounded; None if a price or a count is missing that it needs."""
        kind = self.avatar_kind
        if kind is None or self.seconds is None or self.characters is None:
            return None
        own = None if self.voice_kind == BUILT_IN else _kind(self.voice_kind)
        parts = [Usage(self.seconds + self.failed_seconds, 0, kind, None)]
        told = [(VOICE_KINDS.get(key), count) for key, count in self.by_key] or [(own, self.characters)]
        for voice, count in (*told, (own, self.failed_characters)):
            if count and voice is None:
                return None
            parts.append(Usage(0, count, kind, voice))
        total = Decimal(0)
        for part in parts:
            if (cost := cost_of(part, prices)) is None:
                return None
            total += cost
        return total


def read_billed(records: Iterable[tuple[str, Mapping[str, str]]]) -> Iterator[Billed]:
    """Yield what each receipt, and each letter that no receipt overrules, tells was billed.

    `records`: names without the archive's prefix, and metadata. What lies in an archive of its own is left out.
    """
    receipts: list[Billed] = []
    letters: list[Billed] = []
    inner: list[str] = []
    for name, metadata in records:
        if name.endswith("/receipt.json") and (key := key_of(name)) is not None:
            receipts.append(_read(key[0], key[1], read_facts(metadata), archived=True))
        elif name.startswith("_failed/"):
            facts = read_facts(metadata)
            content_id = name.removeprefix("_failed/").removesuffix(".json")
            letters.append(_read(facts.get("script_id", ""), content_id, facts, archived=False))
        elif name.endswith("/" + ARCHIVE_BLOB):
            inner.append(name.removesuffix(ARCHIVE_BLOB))
    outside = [one for one in receipts if not one.script_id.startswith(tuple(inner))]
    yield from outside
    overruled = {one.content_id for one in outside}
    yield from (one for one in letters if one.content_id not in overruled and _is_billed(one))


def _read(script_id: str, content_id: str, facts: Mapping[str, str], *, archived: bool) -> Billed:
    bill = read_bill(facts.get("billing", ""))
    by_key = tuple((key, count) for key, count in bill.items() if not key.endswith("Seconds"))
    seconds = facts.get("seconds") or (_floor(facts.get("video", "")) if archived else "0")
    characters = facts.get("characters") or ("" if archived else "0")
    found = Billed(
        script_id=script_id,
        content_id=content_id,
        at=_moment(facts.get("archived_at" if archived else "written_at", "")),
        archived=archived,
        run=facts.get("run", ""),
        resource=facts.get("resource", ""),
        avatar=facts.get("avatar", ""),
        avatar_kind=_avatar_kind(facts.get("avatar_kind", "")),
        style=facts.get("style", ""),
        voice=facts.get("voice", "").lower(),
        voice_kind=facts.get("voice_kind", ""),
        seconds=int(seconds) if seconds else None,
        characters=int(characters) if characters else None,
        by_key=by_key,
        columns=read_columns(facts["columns"]) if "columns" in facts else {},
    )
    earlier = _EARLIER.fullmatch(facts.get("earlier", ""))
    count, more_seconds, more_characters = map(int, earlier.groups()) if earlier else (0, 0, 0)
    last_failed = not archived and bool(found.seconds or found.characters)
    return replace(found, failed=count + last_failed, failed_seconds=more_seconds, failed_characters=more_characters)


def _is_billed(one: Billed) -> bool:
    return bool(one.seconds or one.characters or one.failed)


def _floor(seconds: str) -> str:
    """Return the whole seconds of a video, which are what is billed."""
    return str(int(float(seconds))) if seconds else ""


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def _avatar_kind(text: str) -> AvatarKind | None:
    return AvatarKind(text) if text in set(AvatarKind) else None


def _kind(text: str) -> VoiceKind | None:
    return VoiceKind(text) if text in set(VoiceKind) else None
