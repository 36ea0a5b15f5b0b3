"""Read the archive's own files back: receipts, what they name, and the bytes, piece by piece. Blocking."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

from batch_avatar.archive.storage_errors import BROKEN_OFF, archive_errors
from batch_avatar.archive.transfer import BLOCK_BYTES
from batch_avatar.errors import ArchiveRefused, ArchiveUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import BlobClient, BlobProperties

    from batch_avatar.archive.index import Key
    from batch_avatar.archive.ledger import Archive
    from batch_avatar.receipt import Receipt, StoredBlob
    from batch_avatar.stopping import Stopping

ONE_BLOB = frozenset({ArchiveRefused.__name__, "BlobArchived", BROKEN_OFF})
"""Errors that concern one blob: its content (no code of the storage's), its tier, its way here. Others concern all."""


class Unreadable(Exception):
    """One blob cannot be had as its receipt has it, for the reason given; the others may be fine."""


def read_receipt(archive: Archive, key: Key) -> Receipt | None:
    """The receipt at this place; None where it has gone.

    Raises:
        Unreadable: it is none, or another script's.
    """
    with _of_one_blob():
        receipt = archive.read_receipt(*key)
    if receipt is not None and (receipt.script_id, receipt.content_id) != key:
        raise Unreadable(f"it is the receipt of {receipt.script_id}/{receipt.content_id}")
    return receipt


def stored_files(receipt: Receipt) -> dict[str, StoredBlob]:
    """By kind, the video first."""
    files = {"video": receipt.video, "summary": receipt.summary, "subtitles": receipt.subtitles}
    return {kind: stored for kind, stored in files.items() if stored is not None}


def blob_of(archive: Archive, receipt: Receipt, stored: StoredBlob) -> BlobClient:
    """Where that file lies now; the receipt's full name holds the prefix that the archive once had."""
    return archive.output_blob(receipt.ref(), stored.blob_name.rpartition("/")[2])


def find_properties(blob: BlobClient) -> BlobProperties | None:
    """None where there is no such blob."""
    with archive_errors(f"look at {blob.blob_name}"):
        try:
            return blob.get_blob_properties()
        except ResourceNotFoundError:
            return None


def read_pieces(blob: BlobClient, found: BlobProperties, *, start: int, stopping: Stopping) -> Iterator[bytes]:
    """From this byte to the end of the version that was found; one request a piece, so memory stays flat.

    Raises:
        Unreadable: another version is there by now, or its tier has to be changed first.
        Stopped: the command is ending.
    """
    for offset in range(start, found.size, BLOCK_BYTES):
        stopping.check()
        with _of_one_blob(), archive_errors(f"read {blob.blob_name}"):
            try:
                piece = blob.download_blob(
                    offset=offset,
                    length=min(BLOCK_BYTES, found.size - offset),
                    etag=found.etag,
                    match_condition=MatchConditions.IfNotModified,
                ).readall()
            except (ResourceModifiedError, ResourceNotFoundError):
                raise Unreadable(f"{blob.blob_name} was changed while it was read") from None
        yield piece


@contextmanager
def _of_one_blob() -> Iterator[None]:
    """Tell refusals of one blob from those that would meet every other as well."""
    try:
        yield
    except (ArchiveRefused, ArchiveUnavailable) as error:
        if error.code not in ONE_BLOB:
            raise
        raise Unreadable(error.message) from None
