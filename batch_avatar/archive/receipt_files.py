"""Read receipts back from the archive, and the files that they name, piece by piece. Blocking."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from azure.core import MatchConditions

from batch_avatar.archive.storage_errors import ONE_BLOB, archive_errors
from batch_avatar.archive.transfer import BLOCK_BYTES
from batch_avatar.catalog.near import fold
from batch_avatar.errors import ArchiveRefused, ArchiveUnavailable, LostRace, NotThere
from batch_avatar.identity import text_digest
from batch_avatar.service.wire.summary import decode_whole_summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azure.storage.blob import BlobClient, BlobProperties

    from batch_avatar.archive.index import Key
    from batch_avatar.archive.ledger import Archive
    from batch_avatar.archive.records import Claim
    from batch_avatar.models import JobRef
    from batch_avatar.receipt import Receipt, StoredBlob
    from batch_avatar.service.wire.summary import Summary
    from batch_avatar.stopping import Stopping


class Unreadable(Exception):
    """One blob cannot be read as its receipt describes it; the text says why. Other blobs may be fine.

    `broken`: its content is wrong. Otherwise it may be intact, and cannot be read now, e.g. because of its tier.
    """

    def __init__(self, text: str, *, broken: bool = True) -> None:
        super().__init__(text)
        self.broken = broken


def read_receipt(archive: Archive, key: Key) -> Receipt | None:
    """Read one receipt; None if it has gone.

    Raises:
        Unreadable: the blob is not a receipt, or is another script's.
    """
    with _of_one_blob():
        receipt = archive.read_receipt(*key)
    if receipt is not None and (receipt.script_id, receipt.content_id) != key:
        raise Unreadable(f"it is the receipt of {receipt.script_id}/{receipt.content_id}")
    return receipt


def stored_files(receipt: Receipt) -> dict[str, StoredBlob]:
    """Return the receipt's blobs by kind, the video first."""
    files = {"video": receipt.video, "summary": receipt.summary, "subtitles": receipt.subtitles}
    return {kind: stored for kind, stored in files.items() if stored is not None}


def blob_of(archive: Archive, receipt: Receipt, stored: StoredBlob) -> BlobClient:
    """Return where that file lies now; its name in the receipt has the prefix that the archive had then."""
    return archive.output_blob(receipt.ref(), stored.blob_name.rpartition("/")[2])


def read_summary(archive: Archive, ref: JobRef, stored: StoredBlob) -> Summary | None:
    """Return what an archived summary says; None if it is unreadable."""
    name = stored.blob_name.rpartition("/")[2]
    with archive_errors(f"read {stored.blob_name}"), suppress(ValueError):
        return decode_whole_summary(archive.output_blob(ref, name).download_blob().readall())
    return None


def is_of_another(summary: Summary, claim: Claim | None, *, service_id: str, internal_id: str | None) -> bool:
    """Return whether the summary speaks of another job or of other texts. What is not shown says nothing. Pure."""
    if internal_id is not None and not summary.is_of((service_id, internal_id)):
        return True
    known = claim.texts if claim else ()
    return bool(known and summary.text.strip()) and text_digest(summary.text) not in known


class Shown(Protocol):
    """What shows which avatar was rendered: a job, or a result in a summary."""

    @property
    def character(self) -> str | None: ...
    @property
    def style(self) -> str | None: ...


def is_substitute(form: Mapping[str, Any], shown: Shown) -> bool:
    """Return whether another avatar is shown than the script named; what is not named or not shown says nothing. Pure.

    `form`: the script's form as its claim has it.
    """
    pairs = (("talking_avatar_character", shown.character), ("talking_avatar_style", shown.style))
    return any(fold(str(form[name])) != fold(found) for name, found in pairs if form.get(name) and found)


def summary_doubts(
    summary: Summary, claim: Claim | None, *, service_id: str, internal_id: str | None
) -> tuple[str, ...]:
    """Return `summary` if it is not about this job and script, else `avatar` if it shows a substitute. Pure."""
    if is_of_another(summary, claim, service_id=service_id, internal_id=internal_id):
        return ("summary",)
    form = claim.form if claim else {}
    return ("avatar",) if any(is_substitute(form, result) for result in summary.results) else ()


def find_properties(blob: BlobClient) -> BlobProperties | None:
    """Read the blob's properties; None if there is no such blob."""
    try:
        with archive_errors(f"look at {blob.blob_name}"):
            return blob.get_blob_properties()
    except NotThere:
        return None


def read_pieces(blob: BlobClient, found: BlobProperties, *, start: int, stopping: Stopping) -> Iterator[bytes]:
    """Read the version in `found` from the byte `start` to its end, with one request per piece to keep memory flat.

    Raises:
        Unreadable: the blob has changed, its tier must be changed first, or the answer broke off.
        Stopped: the command is ending.
    """
    for offset in range(start, found.size, BLOCK_BYTES):
        stopping.check()
        try:
            with _of_one_blob(), archive_errors(f"read {blob.blob_name}"):
                piece = blob.download_blob(
                    offset=offset,
                    length=min(BLOCK_BYTES, found.size - offset),
                    etag=found.etag,
                    match_condition=MatchConditions.IfNotModified,
                ).readall()
        except (LostRace, NotThere):
            raise Unreadable(f"{blob.blob_name} was changed while it was read") from None
        yield piece


@contextmanager
def _of_one_blob() -> Iterator[None]:
    """Raise `Unreadable` for errors of one blob; let those that would meet every other blob pass."""
    try:
        yield
    except (ArchiveRefused, ArchiveUnavailable) as error:
        if error.code not in ONE_BLOB:
            raise
        raise Unreadable(error.message, broken=error.code == ArchiveRefused.__name__) from None
