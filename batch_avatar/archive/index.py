"""What one listing of the archive shows: the facts that plans need travel as metadata, so no blob is read for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from batch_avatar.errors import FailureClass
from batch_avatar.identity import form_digest, form_digests, parse_job_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.archive.records import Claim, DeadLetter
    from batch_avatar.receipt import Receipt

Key = tuple[str, str]
"""`(script_id, content_id)`."""


@dataclass
class ArchiveIndex:
    """Metadata of claims and receipts (by script and content) and of letters (by content); videos, and packs' ids."""

    receipts: dict[Key, dict[str, str]] = field(default_factory=dict)
    claims: dict[Key, dict[str, str]] = field(default_factory=dict)
    videos: set[str] = field(default_factory=set)
    dead: dict[str, dict[str, str]] = field(default_factory=dict)
    packs: set[str] = field(default_factory=set)

    def enter(self, name: str, metadata: Mapping[str, str]) -> None:
        """Sort one blob of the listing in; `name` without the archive's prefix."""
        match name.split("/"):
            case ["_failed", letter]:
                self.dead[letter.removesuffix(".json")] = _unquoted(metadata)
            case ["_packs", pack]:
                self.packs.add(pack.removesuffix(".json"))
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

    def inputs_waiting(self) -> Counter[str]:
        """For each pack, by job_id, of how many of these scripts the claim still waits for it."""
        return Counter(
            claim.get("job_id", "")
            for key, claim in self.claims.items()
            if claim.get("input") and not claim.get("over") and not self.is_whole(key)
        )

    def packs_in_doubt(self) -> set[str]:
        """By job_id: each has a doubtful video among its scripts', and is kept so that a person can compare."""
        return {
            receipt.get("job_id", "")
            for receipt in self.receipts.values()
            if receipt.get("input") and receipt.get("doubtful")
        }

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
            "input": str(last.input or ""),
            "accepted": "yes" if last.accepted_at else "",
            "refused": "yes" if last.refused else "",
            "over": "yes" if last.over else "",
            "ended": _cut(last.ended or "", 600),
            "revision": str(claim.revision),
            "form": form_digest(form_digests(claim.form)),
        }
    )


def receipt_metadata(receipt: Receipt) -> dict[str, str]:
    predicted, length = receipt.predicted_seconds, receipt.duration_milliseconds
    alone = receipt.created_at and receipt.last_action_at and not receipt.input
    took = (receipt.last_action_at - receipt.created_at).total_seconds() if alone else None  # type: ignore[operator]
    return _quoted(
        {
            "attempt": str(receipt.attempt),
            "job_id": receipt.job_id,
            "service_id": receipt.service_id,
            "resource": receipt.resource,
            "input": str(receipt.input or ""),
            "archived_at": receipt.archived_at.isoformat(),
            "doubtful": " ".join(receipt.video.doubtful),
            "voice": receipt.voice,
            "predicted": f"{predicted:g}" if predicted else "",
            "video": f"{length / 1000:g}" if length else "",
            "rendered": f"{took:g}" if took else "",
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


def letter_attempt(letter: Mapping[str, str]) -> int:
    """Which attempt it is about; the first where its job has no name of ours."""
    parsed = parse_job_id(letter.get("job_id", ""))
    return parsed[1] if parsed else 1


def overtaken(letter: Mapping[str, str], claim: Mapping[str, str]) -> bool:
    """Whether the claim tells more: it was sent again since, or taken from another run where this one was refused."""
    attempt, claimed = letter_attempt(letter), int(claim.get("attempt", "0"))
    refused = letter.get("failure_class") == FailureClass.INPUT
    return attempt < claimed or (attempt == claimed and refused and bool(claim.get("accepted")))


def form_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """A receipt's form again: property name to digest; empty for receipts that carry none."""
    return dict(pair.split("=", 1) for pair in metadata.get("form", "").split() if "=" in pair)


def _quoted(values: Mapping[str, str]) -> dict[str, str]:
    """Metadata are headers: ASCII, and none of them empty."""
    return {name: quote(value) for name, value in values.items() if value}


def _unquoted(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: unquote(value) for name, value in metadata.items()}
