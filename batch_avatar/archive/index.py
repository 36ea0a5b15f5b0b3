"""What one listing of the archive shows. The facts that plans need are metadata, so no blob is read for them."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from batch_avatar.archive.metadata import cut, quoted, read_facts, with_columns, write_bill
from batch_avatar.archive.naming.names import ARCHIVE_BLOB, key_of, video_of
from batch_avatar.errors import FailureClass
from batch_avatar.identity import form_digest, form_digests, parse_job_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from batch_avatar.archive.records import Claim, DeadLetter
    from batch_avatar.receipt import Attempt, Receipt

ARCHIVE_ID = "archive"
"""The name, in metadata, of the id of the archive that a claim or receipt belongs to."""
SENT = 10
"""Of so many attempts, the latest ones, a claim's metadata say what they were billed."""
ONLY_COSTS = frozenset(("billing", "earlier", "avatar", "avatar_kind", "style", "voice_kind", "columns"))
"""Metadata that reports of costs need (`costs/facts.py`) and plans do not, so that plans keep less in memory."""
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
    claims_changed: dict[Key, datetime] = field(default_factory=dict)
    """When claims were last written, by the storage's clock."""
    marks: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many claims and receipts carry which archive's id, by the folder of their script and this id."""
    inner: set[str] = field(default_factory=set)
    """Folders that are archives of their own."""
    repaired: bool = False
    """Whether the archive's id may be another one than before, so that content ids may be others as well."""
    odd: list[str] = field(default_factory=list)
    """The names of claims, receipts and letters whose metadata do not tell what plans need."""

    def enter(self, name: str, metadata: Mapping[str, str], *, changed_at: datetime | None = None) -> None:
        """Add one blob of the listing; `name` is without the archive's prefix."""
        if (key := key_of(name)) is not None:
            script_id, content_id, kind = key
            facts = self._facts(name, metadata, needed="attempt", folder=script_id.rpartition("/")[0])
            if kind == "receipt.json":
                self.receipts[script_id, content_id] = facts
                return
            self.claims[script_id, content_id] = facts
            if changed_at is not None:
                self.claims_changed[script_id, content_id] = changed_at
        elif video_of(name) is not None:
            self.videos.add(name)
        elif name.endswith("/" + ARCHIVE_BLOB):
            self.inner.add(name.removesuffix("/" + ARCHIVE_BLOB))
        else:
            match name.split("/"):
                case ["_failed", letter]:
                    self.dead[letter.removesuffix(".json")] = self._facts(name, metadata, needed="job_id")
                case ["_packs", pack]:
                    self.packs.add(pack.removesuffix(".json"))

    def _facts(self, name: str, metadata: Mapping[str, str], *, needed: str, folder: str = "") -> dict[str, str]:
        """Return the facts without the archive's id, which is counted. Note the blob if they are not as written."""
        facts = read_facts({name: value for name, value in metadata.items() if name not in ONLY_COSTS})
        if "run" in facts:
            facts["run"] = sys.intern(facts["run"])  # thousands of receipts name the same few runs
        if archive_id := facts.pop(ARCHIVE_ID, ""):
            self.marks[folder, archive_id] += 1
        if needed not in facts or any(number in metadata and number not in facts for number in ("revision", "input")):
            self.odd.append(name)
        return facts

    @property
    def archive_ids(self) -> Counter[str]:
        """How many claims and receipts carry which archive's id; those of the first versions carry none."""
        found: Counter[str] = Counter()
        for (_, archive_id), count in self.marks.items():
            found[archive_id] += count
        return found

    def leave_out_inner(self) -> None:
        """Forget what lies in archives of their own."""
        if not self.inner:
            return
        inside = tuple(f"{folder}/" for folder in self.inner)
        for known in (self.receipts, self.claims, self.claims_changed):
            for key in [key for key in known if key[0].startswith(inside)]:
                del known[key]
        self.videos = {name for name in self.videos if not name.startswith(inside)}
        self.odd = [name for name in self.odd if not name.startswith(inside)]
        for mark in [mark for mark in self.marks if f"{mark[0]}/".startswith(inside)]:
            del self.marks[mark]

    def replace(self, name: str, facts: Mapping[str, str] | None) -> None:
        """Put other facts in the place of those that were entered under this name; None if the blob has gone."""
        known: dict[Any, dict[str, str]] = self.dead
        key: Any = name.rpartition("/")[2].removesuffix(".json")
        if (found := key_of(name)) is not None:
            known, key = self.receipts if found[2] == "receipt.json" else self.claims, found[:2]
        known.pop(key, None)
        if facts is not None:
            known[key] = {fact: value for fact, value in facts.items() if fact not in ONLY_COSTS}

    def is_whole(self, key: Key) -> bool:
        """Return whether both the receipt and its video are there."""
        receipt = self.receipts.get(key)
        return receipt is not None and self.video_of(key, int(receipt.get("attempt", "1"))) is not None

    def answered(self) -> dict[str, datetime]:
        """Return when the create of each claimed job was answered, or the latest time at which it can have been.

        A time without a zone is none.
        """
        found: dict[str, datetime] = {}
        for key, claim in self.claims.items():
            times = [self.claims_changed[key]] if key in self.claims_changed else []
            with suppress(ValueError):
                noted = datetime.fromisoformat(claim.get("answered", ""))
                times += [noted] if noted.tzinfo else []
            if times:
                found[claim.get("job_id", "")] = min(times)
        return found

    def same_forms(self) -> defaultdict[tuple[str, str, str], list[str]]:
        """Return the content ids by script, digest of the form, and revision; none unless the archive was repaired.

        Where the archive has another id by now, these are the ids that its scripts had before.
        """
        found: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        if self.repaired:
            for (script_id, content_id), receipt in self.receipts.items():
                key = (script_id, form_digest(form_of(receipt)), receipt.get("revision", "0"))
                found[key].append(content_id)
            for (script_id, content_id), claim in self.claims.items():
                found[script_id, claim.get("form", ""), claim.get("revision", "0")].append(content_id)
        return found

    def ids_before_repair(self) -> frozenset[str]:
        """Return the content ids of claims, and the ids of packs, if the archive was repaired; else none.

        Their jobs may carry the mark of an id that the archive had before. No other archive derives the same ids.
        """
        claimed = (content_id for _, content_id in self.claims)
        return frozenset((*claimed, *self.packs)) if self.repaired else frozenset()

    def knows(self, key: Key) -> bool:
        """Return whether there is a claim or a receipt."""
        return key in self.claims or key in self.receipts

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
    return quoted(
        {
            "attempt": str(last.number),
            "job_id": last.job_id,
            "resource": claim.resource,
            "input": str(last.input or ""),
            "accepted": "yes" if last.accepted_at else "",
            "answered": last.answered_at.isoformat() if last.answered_at else "",
            "refused": "yes" if last.refused else "",
            "over": "yes" if last.over else "",
            "ended": cut(last.ended or "", 600),
            "revision": str(claim.revision),
            "form": form_digest(form_digests(claim.form)),
            "batch": cut(last.batch, 200),
            "expected": claim.expected if last.batch else "",
            "sent": " ".join(one.written() for one in claim.sent()[-SENT:]) if last.batch else "",
        }
    )


def receipt_metadata(receipt: Receipt) -> dict[str, str]:
    predicted, length = receipt.predicted_seconds, receipt.duration_milliseconds
    alone = receipt.created_at and receipt.last_action_at and not receipt.input
    took = (receipt.last_action_at - receipt.created_at).total_seconds() if alone else None  # type: ignore[operator]
    facts = {
        "attempt": str(receipt.attempt),
        "job_id": receipt.job_id,
        "service_id": cut(receipt.service_id, 1000),
        "resource": receipt.resource,
        "input": str(receipt.input or ""),
        "archived_at": receipt.archived_at.isoformat(),
        "doubtful": " ".join(receipt.video.doubtful),
        "voice": cut(receipt.voice, 1000),
        "predicted": f"{predicted:g}" if predicted else "",
        "video": f"{length / 1000:g}" if length else "",
        "rendered": f"{took:g}" if took else "",
        "revision": str(receipt.revision),
        "form": " ".join(f"{name}={digest}" for name, digest in receipt.form.items()),
        "run": cut(receipt.run, 200),
        "avatar": cut(receipt.avatar, 300),
        "style": cut(receipt.style, 200),
        "avatar_kind": receipt.avatar_kind,
        "voice_kind": receipt.voice_kind,
    }
    facts |= _billed(receipt.billing, receipt.billed_seconds, receipt.billed_characters)
    facts["earlier"] = _earlier(receipt.attempts, receipt.attempt)
    return with_columns(quoted(facts), receipt.columns)


def letter_metadata(letter: DeadLetter) -> dict[str, str]:
    kinds = letter.kinds()
    facts = {
        "script_id": letter.ref.script_id,
        "job_id": letter.ref.job_id,
        "failure_class": letter.failure.failure_class,
        "code": cut(letter.failure.code, 200),
        "message": cut(letter.failure.message, 2000),
        "written_at": letter.written_at.isoformat(),
        "resource": letter.ref.resource,
        "run": cut(letter.run, 200),
        "voice": cut(kinds.voice, 300),
        "avatar": cut(kinds.avatar, 300),
        "style": cut(kinds.style, 200),
        "avatar_kind": kinds.avatar_kind,
        "voice_kind": kinds.voice_kind,
    }
    facts |= _billed(letter.billing, letter.billed_seconds, letter.billed_characters)
    facts["earlier"] = _earlier(letter.attempts, letter.ref.attempt)
    columns = letter.script.get("columns")
    return with_columns(quoted(facts), columns if isinstance(columns, dict) else {})


def _billed(billing: Mapping[str, int], seconds: int, characters: int) -> dict[str, str]:
    """Return what was billed; what the job did not tell is left out, and never taken for nothing."""
    told = bool(billing)
    return {
        "seconds": str(seconds) if seconds else "",
        "characters": str(characters) if characters or told else "",
        "billing": write_bill(billing),
    }


def _earlier(attempts: Iterable[Attempt], number: int) -> str:
    """Return how many other attempts were billed, and their seconds and characters; nothing if none was."""
    billed = [one for one in attempts if one.number != number and (one.billed_seconds or one.billed_characters)]
    sums = (len(billed), sum(one.billed_seconds for one in billed), sum(one.billed_characters for one in billed))
    return ":".join(map(str, sums)) if billed else ""


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
