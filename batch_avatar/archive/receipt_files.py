"""Read receipts back from the archive, and the files that they name, piece by piece. Blocking."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from azure.core import MatchConditions

from batch_avatar.archive.storage_errors import ONE_BLOB, archive_errors
from batch_avatar.archive.transfer import BLOCK_BYTES
from batch_avatar.errors import ArchiveRefused, ArchiveUnavailable, LostRace, NotThere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import BlobClient, BlobProperties

    from batch_avatar.archive.index import Key
    from batch_avatar.archive.ledger import Archive
    from batch_avatar.receipt import Receipt, StoredBlob
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
