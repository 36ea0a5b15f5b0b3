"""Compare the blobs in the archive with its receipts, without asking the service. Blocking."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from batch_avatar.archive.naming.names import video_of
from batch_avatar.archive.receipt_files import (
    Unreadable,
    blob_of,
    find_properties,
    read_pieces,
    read_receipt,
    stored_files,
)
from batch_avatar.archive.rescue import stored_blob

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobProperties

    from batch_avatar.archive.index import ArchiveIndex, Key
    from batch_avatar.archive.ledger import Archive
    from batch_avatar.receipt import StoredBlob
    from batch_avatar.stopping import Stopping


ARCHIVE_TIER = "Archive"  # as the storage names the only tier whose blobs cannot be read at once


class FaultKind(StrEnum):
    RECEIPT = "receipt"  # the receipt cannot be read
    LOST = "lost"  # the video is missing
    DAMAGED = "damaged"  # the video's bytes are not the recorded ones
    SIDE_FILE = "side file"  # the summary or the subtitles are missing or damaged
    PROPERTIES = "properties"  # the digests in the blob's properties are not the recorded ones
    UNREAD = "unread"  # the bytes could not be compared


NEXT_STEPS = {
    FaultKind.RECEIPT: "delete it; the next `batch-avatar render SOURCE...` rebuilds it from the video",
    FaultKind.LOST: "restore it, or pay once more: `batch-avatar render SOURCE... --rerender-lost`",
    FaultKind.DAMAGED: ("restore it, or delete it and pay once more: `batch-avatar render SOURCE... --rerender-lost`"),
    FaultKind.SIDE_FILE: "restore it if you can; a script is not rendered again for it",
    FaultKind.PROPERTIES: "set it again if a check without --quick finds the bytes right",
    FaultKind.UNREAD: "check again; a blob in the tier Archive needs another tier first",
}
"""What a person can do about each kind. A render checks whether a video exists, not its bytes, so a damaged video must
be deleted first."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. `name`: the blob's name without the archive's prefix."""

    kind: FaultKind
    name: str
    text: str

    @property
    def next_step(self) -> str:
        return NEXT_STEPS[self.kind]


@dataclass(frozen=True)
class Checked:
    """The result for one receipt. `doubtful` and `missing` were known when it was written and are not faults."""

    script_id: str
    content_id: str
    attempt: int | None = None
    doubtful: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    bytes_read: int = 0
    archive_tier: tuple[str, ...] = ()
    """The files in the tier Archive: they are intact, and cannot be read before their tier is changed."""


@dataclass(frozen=True)
class Unmatched:
    """The names of videos without a receipt, and how many unexplained claims and dead letters there are.

    A claim is explained by a receipt, a video or a dead letter.
    """

    videos: tuple[str, ...]
    claims: int
    dead_letters: int


def find_unmatched(index: ArchiveIndex) -> Unmatched:
    """Find what has no receipt. A claim that is counted is in flight or lost. Pure."""
    videos = {name: video_of(name) for name in sorted(index.videos)}
    explained = {*index.receipts, *videos.values()}
    return Unmatched(
        videos=tuple(name for name, key in videos.items() if key not in index.receipts),
        claims=sum(key not in explained and key[1] not in index.dead for key in index.claims),
        dead_letters=len(index.dead),
    )


def check_receipt(archive: Archive, key: Key, *, quick: bool, stopping: Stopping) -> Checked | None:
    """Check every blob that one receipt names; with `quick` only its properties. None if it has just been retired.

    Raises:
        ArchiveRefused, ArchiveUnavailable: the storage refused or did not answer, and would for other receipts too.
        Stopped: the command is ending.
    """
    script_id, content_id = key
    try:
        receipt = read_receipt(archive, key)
    except Unreadable as error:
        fault = Fault(
            FaultKind.RECEIPT if error.broken else FaultKind.UNREAD,
            f"{script_id}/{content_id}/receipt.json",
            str(error),
        )
        return Checked(script_id, content_id, faults=(fault,))
    if receipt is None:
        return None
    faults, bytes_read, offline = [], 0, []
    for kind, stored in stored_files(receipt).items():
        blob = blob_of(archive, receipt, stored)
        name = f"{script_id}/{content_id}/{receipt.attempt}/{stored.blob_name.rpartition('/')[2]}"
        properties = find_properties(blob)
        if properties is not None and properties.blob_tier == ARCHIVE_TIER:
            offline.append(name)
        found, count = _check_file(blob, properties, stored, video=kind == "video", quick=quick, stopping=stopping)
        faults += [Fault(fault, name, text) for fault, text in found]
        bytes_read += count
    return Checked(
        script_id,
        content_id,
        attempt=receipt.attempt,
        doubtful=receipt.video.doubtful,
        missing=receipt.missing,
        faults=tuple(faults),
        bytes_read=bytes_read,
        archive_tier=tuple(offline),
    )


def _check_file(
    blob: BlobClient, found: BlobProperties | None, stored: StoredBlob, *, video: bool, quick: bool, stopping: Stopping
) -> tuple[list[tuple[FaultKind, str]], int]:
    """Return what is wrong with one file, and how many of its bytes were read."""
    damaged = FaultKind.DAMAGED if video else FaultKind.SIDE_FILE
    if found is None:
        return [(FaultKind.LOST if video else FaultKind.SIDE_FILE, "is not there")], 0
    if found.size != stored.size_bytes:
        return [(damaged, f"has {found.size:,} bytes instead of {stored.size_bytes:,}")], 0
    faults = []
    told = stored_blob(found)
    if told is None or told.content_md5 != stored.content_md5:
        faults.append((FaultKind.PROPERTIES, f"its Content-MD5 is not {stored.content_md5}"))
    elif told.sha256 != stored.sha256:
        faults.append((FaultKind.PROPERTIES, f"its metadata sha256 is not {stored.sha256}"))
    if quick:
        return faults, 0
    md5, sha256, count = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    try:
        for piece in read_pieces(blob, found, start=0, stopping=stopping):
            md5.update(piece)
            sha256.update(piece)
            count += len(piece)
    except Unreadable as error:
        return [*faults, (FaultKind.UNREAD, str(error))], count
    if (sha256.hexdigest(), base64.b64encode(md5.digest()).decode()) != (stored.sha256, stored.content_md5):
        faults.append((damaged, "its bytes are not those that came from the service (SHA-256, MD5)"))
    return faults, count
