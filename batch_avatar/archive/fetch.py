"""Copy archived videos to a local folder. A copy that broke off resumes, and never passes for a whole one. Blocking.

Layout: `<script_id>/video.mp4`, `summary.json`, `subtitles.srt`, and `receipt.json`, which is written last. A nested id
is folders in folders.
"""

from __future__ import annotations

import errno
import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from batch_avatar.archive.receipt_files import (
    Unreadable,
    blob_of,
    find_properties,
    read_pieces,
    read_receipt,
    stored_files,
)
from batch_avatar.archive.transfer import BLOCK_BYTES
from batch_avatar.errors import BatchAvatarError, InputError
from batch_avatar.receipt import Receipt
from batch_avatar.scripts.script_ids import check_script_id

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
"""The file system refuses this name only; it takes others."""
NAME_TAKEN = frozenset({errno.ENOTDIR, errno.EEXIST, errno.EISDIR})
"""A file lies where a folder is to be, or the other way round."""


@dataclass(frozen=True)
class Fetched:
    """The result for one receipt: `files` were fetched with `moved_bytes` of transfer, the others were there."""

    script_id: str
    content_id: str
    files: int = 0
    moved_bytes: int = 0
    failure: str | None = None


def choose_receipts(index: ArchiveIndex, script_ids: Sequence[str], *, everything: bool) -> list[Key]:
    """Return the newest receipt of each script, of all if none is named; with `everything` every receipt. Pure.

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
    """Copy the files that a receipt names into a folder per script; with `by_content`, per script and content.

    Raises:
        BatchAvatarError: the folder cannot be written to.
        ArchiveRefused, ArchiveUnavailable: the storage refused or did not answer, and would for other receipts too.
        Stopped: the command is ending.
    """
    script_id, content_id = key
    target = folder / script_id / content_id if by_content else folder / script_id
    try:
        files, moved_bytes = _fetch_files(archive, _checked_receipt(archive, key), target, stopping)
    except Unreadable as error:
        return Fetched(script_id, content_id, failure=str(error))
    except OSError as error:
        if error.errno in NAME_REFUSED or (error.errno in NAME_TAKEN and folder.is_dir()):
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
    """Return how many files were fetched, and how many bytes were transferred for them."""
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
    """Return the receipt's blobs by local file name; each keeps its ending."""
    found = stored_files(receipt).items()
    return {kind + PurePosixPath(stored.blob_name).suffix: stored for kind, stored in found}


def _make_way(target: Path, text: str, files: Mapping[str, StoredBlob]) -> None:
    """Delete another receipt and the files that only it names, so that all files beside a receipt belong to it."""
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
    """Copy one file to its place, whole and verified; return how many bytes were transferred.

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
    if sha256 != stored.sha256 and moved < found.size:  # the part that was there had bytes of another version
        part.unlink()
        again, sha256 = _complete(blob, found, part, stopping)
        moved += again
    if sha256 != stored.sha256:
        part.unlink()
        raise Unreadable(f"the bytes of {blob.blob_name} do not have the SHA-256 that its receipt says")
    part.replace(path)
    return moved


def _complete(blob: BlobClient, found: BlobProperties, part: Path, stopping: Stopping) -> tuple[int, str]:
    """Append what the file lacks; return the number of bytes added, and the SHA-256 of the whole file."""
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
