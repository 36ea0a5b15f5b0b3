"""What one listing of the archive shows: the facts that plans need travel as metadata, so no blob is read for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from batch_avatar.identity import form_digest, form_digests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.records import Claim, DeadLetter, Receipt

Key = tuple[str, str]
"""`(script_id, content_id)`."""


@dataclass
class ArchiveIndex:
    """Metadata of claims, receipts (by script and content) and dead letters (by content), and the videos' names."""

    receipts: dict[Key, dict[str, str]] = field(default_factory=dict)
    claims: dict[Key, dict[str, str]] = field(default_factory=dict)
    videos: set[str] = field(default_factory=set)
    dead: dict[str, dict[str, str]] = field(default_factory=dict)

    def enter(self, name: str, metadata: Mapping[str, str]) -> None:
        """Sort one blob of the listing in; `name` without the archive's prefix."""
        match name.split("/"):
            case ["_failed", letter]:
                self.dead[letter.removesuffix(".json")] = _unquoted(metadata)
            case [script_id, content_id, "receipt.json"]:
                self.receipts[script_id, content_id] = _unquoted(metadata)
            case [script_id, content_id, "claim.json"]:
                self.claims[script_id, content_id] = _unquoted(metadata)
            case [_, _, _, output] if output.startswith("video."):
                self.videos.add(name)

    def is_whole(self, key: Key) -> bool:
        """Whether there is a receipt and the video that it is for."""
        receipt = self.receipts.get(key)
        return receipt is not None and self.video_of(key, int(receipt.get("attempt", "1"))) is not None

    def video_of(self, key: Key, attempt: int) -> str | None:
        """The name of that attempt's video, if it is there."""
        folder = f"{key[0]}/{key[1]}/{attempt}/"
        return next((name for ending in ("mp4", "webm") if (name := f"{folder}video.{ending}") in self.videos), None)


def claim_metadata(claim: Claim) -> dict[str, str]:
    last = claim.last
    return _quoted(
        {
            "attempt": str(last.number),
            "job_id": last.job_id,
            "resource": claim.resource,
            "accepted": "yes" if last.accepted_at else "",
            "refused": "yes" if last.refused else "",
            "over": "yes" if last.over else "",
            "ended": _cut(last.ended or "", 600),
            "revision": str(claim.revision),
            "form": form_digest(form_digests(claim.form)),
        }
    )


def receipt_metadata(receipt: Receipt) -> dict[str, str]:
    return _quoted(
        {
            "attempt": str(receipt.attempt),
            "job_id": receipt.job_id,
            "service_id": receipt.service_id,
            "archived_at": receipt.archived_at.isoformat(),
            "doubtful": " ".join(receipt.video.doubtful),
            "revision": str(receipt.revision),
            "form": " ".join(f"{name}={digest}" for name, digest in receipt.form.items()),
        }
    )


def letter_metadata(letter: DeadLetter) -> dict[str, str]:
    return _quoted(
        {
            "script_id": letter.ref.script_id,
            "job_id": letter.ref.job_id,
            "failure_class": letter.failure.failure_class,
            "code": _cut(letter.failure.code, 200),
            "message": _cut(letter.failure.message, 2000),
            "written_at": letter.written_at.isoformat(),
        }
    )


def _cut(text: str, size: int) -> str:
    """So much of it as is up to `size` characters when quoted: all metadata of a blob have 8 KB (documented)."""
    while (long := len(quote(text))) > size:
        text = text[: len(text) * size // long]
    return text


def form_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """A receipt's form again: property name to digest; empty for receipts that carry none."""
    return dict(pair.split("=", 1) for pair in metadata.get("form", "").split() if "=" in pair)


def _quoted(values: Mapping[str, str]) -> dict[str, str]:
    """Metadata are headers: ASCII, and none of them empty."""
    return {name: quote(value) for name, value in values.items() if value}


def _unquoted(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: unquote(value) for name, value in metadata.items()}
