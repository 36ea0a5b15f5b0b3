"""Copy archived videos to a local folder; a cut costs little, and nothing half is ever taken for whole. Blocking.

Layout: `<script_id>/video.mp4`, `summary.json`, `subtitles.srt`, and `receipt.json`, which is written last.
"""

from __future__ import annotations

import errno
import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from batch_avatar.archive.reading import Unreadable, blob_of, find_properties, read_pieces, read_receipt, stored_files
from batch_avatar.archive.transfer import BLOCK_BYTES
from batch_avatar.errors import BatchAvatarError, InputError
from batch_avatar.receipt import Receipt
from batch_avatar.scripts.rules import check_script_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from azure.storage.blob import BlobClient, BlobProperties

    from batch_avatar.archive.index import ArchiveIndex, Key
    from batch_avatar.archive.ledger import Archive
    from batch_avatar.receipt import StoredBlob
    from batch_avatar.stopping import Stopping

PART = ".part"
RECEIPT = "receipt.json"
NAME_REFUSED = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
"""The file system does not take this name; it takes others."""


@dataclass(frozen=True)
class Fetched:
    """One receipt's files. `files` of them were fetched, with `moved_bytes` of transfer; the rest was there."""

    script_id: str
    content_id: str
    files: int = 0
    moved_bytes: int = 0
    failure: str | None = None


def choose_receipts(index: ArchiveIndex, script_ids: Sequence[str], *, everything: bool) -> list[Key]:
    """Pure: the newest receipt of each of these scripts, or of all scripts; with `everything` all their receipts.

    Raises:
        InputError: some of the scripts have no receipt.
    """
    wanted = set(script_ids)
    keys = [key for key in index.receipts if not wanted or key[0] in wanted]
    if unknown := sorted(wanted - {script_id for script_id, _ in keys}):
        raise InputError(f"not in the archive: {', '.join(unknown)}")
    if everything:
        return sorted(keys)
    newest = {}
    for key in sorted(keys, key=lambda key: (index.receipts[key].get("archived_at", ""), key)):
        newest[key[0]] = key
    return sorted(newest.values())


def fetch_receipt(archive: Archive, key: Key, folder: Path, *, by_content: bool, stopping: Stopping) -> Fetched:
    """Bring what one receipt names below the folder; with `by_content` into a folder of its own there.

    Raises:
        BatchAvatarError: nothing more can be written there.
        ArchiveRefused, ArchiveUnavailable: the storage said no, and would for others.
        Stopped: the command is ending.
    """
    script_id, content_id = key
    target = folder / script_id / content_id if by_content else folder / script_id
    try:
        files, moved_bytes = _fetch_files(archive, _checked_receipt(archive, key), target, stopping)
    except Unreadable as error:
        return Fetched(script_id, content_id, failure=str(error))
    except OSError as error:
        if error.errno in NAME_REFUSED:
            return Fetched(script_id, content_id, failure=f"cannot be written here: {error.strerror}")
        raise BatchAvatarError(
            f"cannot write to {target}: {error.strerror}; when that is mended, the same command goes on from here"
        ) from None
    return Fetched(script_id, content_id, files=files, moved_bytes=moved_bytes)


def _checked_receipt(archive: Archive, key: Key) -> Receipt:
    faults = [fault for name in key for fault in check_script_id(name)]  # only another program writes such names
    if faults:
        raise Unreadable(faults[0])
    receipt = read_receipt(archive, key)
    if receipt is None:
        raise Unreadable("its receipt has just been taken away, because its video is lost")
    return receipt


def _fetch_files(archive: Archive, receipt: Receipt, target: Path, stopping: Stopping) -> tuple[int, int]:
    """How many files were fetched, and the bytes that were transferred for them."""
    files = _names(receipt)
    text = receipt.model_dump_json(by_alias=True, indent=2)
    target.mkdir(parents=True, exist_ok=True)
    _make_way(target, text, files)
    fetched = moved_bytes = 0
    for name, stored in files.items():
        path = target / name
        if not _is_there(path, stored):
            moved_bytes += _fetch_file(blob_of(archive, receipt, stored), stored, path, stopping)
            fetched += 1
    if not (target / RECEIPT).exists():
        part = target / f"{RECEIPT}{PART}"
        part.write_text(text, encoding="utf-8")
        part.replace(target / RECEIPT)
    return fetched, moved_bytes


def _names(receipt: Receipt) -> dict[str, StoredBlob]:
    """Local file names; each keeps its ending."""
    found = stored_files(receipt).items()
    return {kind + PurePosixPath(stored.blob_name).suffix: stored for kind, stored in found}


def _make_way(target: Path, text: str, files: Mapping[str, StoredBlob]) -> None:
    """Take another receipt away, and what it alone names: what stays with a receipt belongs to it."""
    path = target / RECEIPT
    if not path.exists() or (before := path.read_bytes()) == text.encode():
        return
    try:
        stale = _names(Receipt.model_validate_json(before)).keys() - files.keys()
    except ValidationError:
        stale = set()
    for name in stale:
        (target / name).unlink(missing_ok=True)
    path.unlink()


def _is_there(path: Path, stored: StoredBlob) -> bool:
    if not path.is_file() or path.stat().st_size != stored.size_bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == stored.sha256


def _fetch_file(blob: BlobClient, stored: StoredBlob, path: Path, stopping: Stopping) -> int:
    """Bring one file to its place, whole and verified; how many bytes came over the wire.

    Raises:
        Unreadable: the archive does not hold what the receipt says.
    """
    found = find_properties(blob)
    if found is None:
        raise Unreadable(f"{blob.blob_name} is not there")
    if found.size != stored.size_bytes:
        raise Unreadable(f"{blob.blob_name} has {found.size:,} bytes instead of {stored.size_bytes:,}")
    part = path.with_name(f"{path.name}{PART}")
    moved, sha256 = _complete(blob, found, part, stopping)
    if sha256 != stored.sha256 and moved < found.size:  # it began with bytes of another version
        part.unlink()
        again, sha256 = _complete(blob, found, part, stopping)
        moved += again
    if sha256 != stored.sha256:
        part.unlink()
        raise Unreadable(f"the bytes of {blob.blob_name} do not have the SHA-256 that its receipt says")
    part.replace(path)
    return moved


def _complete(blob: BlobClient, found: BlobProperties, part: Path, stopping: Stopping) -> tuple[int, str]:
    """Add to a file what it lacks; the bytes added, and the SHA-256 of it all."""
    sha256, added = hashlib.sha256(), 0
    part.touch()
    with part.open("r+b") as file:
        while piece := file.read(BLOCK_BYTES):
            sha256.update(piece)
        for piece in read_pieces(blob, found, start=file.tell(), stopping=stopping):
            file.write(piece)
            sha256.update(piece)
            added += len(piece)
    return added, sha256.hexdigest()
