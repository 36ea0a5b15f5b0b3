"""What one listing of the archive shows. The facts that plans need are metadata, so no blob is read for them."""

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
    """Metadata of claims and receipts by `Key`, and of dead letters by content id; names of videos; ids of packs."""

    receipts: dict[Key, dict[str, str]] = field(default_factory=dict)
    claims: dict[Key, dict[str, str]] = field(default_factory=dict)
    videos: set[str] = field(default_factory=set)
    dead: dict[str, dict[str, str]] = field(default_factory=dict)
    packs: set[str] = field(default_factory=set)

    def enter(self, name: str, metadata: Mapping[str, str]) -> None:
        """Add one blob of the listing; `name` is without the archive's prefix."""
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
        """Return whether both the receipt and its video are there."""
        receipt = self.receipts.get(key)
        return receipt is not None and self.video_of(key, int(receipt.get("attempt", "1"))) is not None

    def inputs_waiting(self) -> Counter[str]:
        """Return how many of these claims still wait for each pack, by its `job_id`."""
        return Counter(
            claim.get("job_id", "")
            for key, claim in self.claims.items()
            if claim.get("input") and not claim.get("over") and not self.is_whole(key)
        )

    def packs_in_doubt(self) -> set[str]:
        """Return the `job_id` of each pack with a doubtful video; it is kept so that a person can compare."""
        return {
            receipt.get("job_id", "")
            for receipt in self.receipts.values()
            if receipt.get("input") and receipt.get("doubtful")
        }

    def video_of(self, key: Key, attempt: int) -> str | None:
        """Return the name of that attempt's video, if it is there."""
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
    """Cut the text to `size` characters when quoted: all metadata of a blob together may have 8 KB (documented)."""
    while (long := len(quote(text))) > size:
        text = text[: len(text) * size // long]
    return text


def letter_attempt(letter: Mapping[str, str]) -> int:
    """Return which attempt a dead letter is about; 1 if its job has no name of ours."""
    parsed = parse_job_id(letter.get("job_id", ""))
    return parsed[1] if parsed else 1


def overtaken(letter: Mapping[str, str], claim: Mapping[str, str]) -> bool:
    """Return whether the claim is newer than the dead letter.

    It is if the script was sent again since, or if the attempt that was refused here was accepted from another run.
    """
    attempt, claimed = letter_attempt(letter), int(claim.get("attempt", "0"))
    refused = letter.get("failure_class") == FailureClass.INPUT
    return attempt < claimed or (attempt == claimed and refused and bool(claim.get("accepted")))


def form_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """Read a receipt's form back: property name to digest; empty for receipts that carry none."""
    return dict(pair.split("=", 1) for pair in metadata.get("form", "").split() if "=" in pair)


def _quoted(values: Mapping[str, str]) -> dict[str, str]:
    """Make the values fit for metadata, which are headers: ASCII, and none of them empty."""
    return {name: quote(value) for name, value in values.items() if value}


def _unquoted(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: unquote(value) for name, value in metadata.items()}
