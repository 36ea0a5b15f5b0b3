"""Claims, receipts and dead letters whose metadata do not tell what plans need. What is certain still counts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.archive.index import claim_metadata, letter_metadata, receipt_metadata
from batch_avatar.archive.metadata import read_facts
from batch_avatar.archive.naming.names import key_of
from batch_avatar.archive.storage_errors import ONE_BLOB
from batch_avatar.errors import ArchiveRefused, ArchiveUnavailable, FailureClass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.archive.records import Claim, DeadLetter, Held
    from batch_avatar.receipt import Receipt

logger = logging.getLogger(__name__)


class Readers(NamedTuple):
    """Functions that read one blob whole. None if it has gone; `ArchiveRefused` if it is not readable."""

    claim: Callable[[str, str], Held | None]
    receipt: Callable[[str, str], Receipt | None]
    letter: Callable[[str], DeadLetter | None]


def settle_odd(index: ArchiveIndex, readers: Readers, told: set[str]) -> None:
    """Give every odd blob of the index its facts: read whole, or else those for which nobody pays.

    `told` has the names that were logged before.
    """
    for name in index.odd:
        facts: Mapping[str, str] | None
        try:
            metadata = _read_whole(name, readers)
        except (ArchiveRefused, ArchiveUnavailable) as error:
            if error.code not in ONE_BLOB:
                raise
            facts = certain(index, name)
            said = f"neither its metadata nor its content can be read, so its script is not sent: {error.message}"
        else:
            facts = None if metadata is None else read_facts(metadata)
            said = "its metadata are not as they were written, so it was read whole"
        if name not in told:
            told.add(name)
            logger.warning("%s: %s", name, said)
        index.replace(name, facts)


def _read_whole(name: str, readers: Readers) -> Mapping[str, str] | None:
    key = key_of(name)
    if key is None:  # the index notes no other names
        letter = readers.letter(name.rpartition("/")[2].removesuffix(".json"))
        return letter_metadata(letter) if letter is not None else None
    script_id, content_id, kind = key
    if kind == "receipt.json":
        receipt = readers.receipt(script_id, content_id)
        _check_name(name, receipt)
        return receipt_metadata(receipt) if receipt is not None else None
    held = readers.claim(script_id, content_id)
    _check_name(name, held.claim if held is not None else None)
    return claim_metadata(held.claim) if held is not None else None


def _check_name(name: str, found: Claim | Receipt | None) -> None:
    if found is not None and name.rpartition("/")[0] != f"{found.script_id}/{found.content_id}":
        raise ArchiveRefused(f"{name} is about {found.script_id}/{found.content_id}")


def certain(index: ArchiveIndex, name: str) -> dict[str, str]:
    """Return what is certain of a blob that cannot be read: it is there, so somebody may have paid. Pure."""
    match key_of(name):
        case script_id, content_id, "receipt.json":
            attempts = (attempt for attempt in range(99, 0, -1) if index.video_of((script_id, content_id), attempt))
            return {"attempt": str(next(attempts, 1)), "doubtful": "receipt"}
        case None:
            content_id = name.rpartition("/")[2].removesuffix(".json")
            claims = ((key[0], claim) for key, claim in index.claims.items() if key[1] == content_id)
            script_id, claim = next(claims, ("", {}))
            return {
                "script_id": script_id,
                "job_id": claim.get("job_id", ""),
                "failure_class": FailureClass.UNKNOWN,
                "code": "LetterNotReadable",
                "message": f"{name} cannot be read; restore it or delete it",
            }
    return {"attempt": "1", "ended": f"its claim {name} cannot be read; restore it"}
