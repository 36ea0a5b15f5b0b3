"""Copy one result into the archive: every byte is counted and hashed, and nothing is visible before it is whole.

The storage SDK commits a stream that ends early as a short blob, without an error (measured with
azure-storage-blob 12.31). So this module stages blocks, and commits them only when the count is right.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import requests
from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, ContentSettings

from batch_avatar.archive.container_probe import ContainerProbe
from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.errors import ArchiveConflict, ArchiveRefused, LostRace, TransferError
from batch_avatar.receipt import StoredBlob
from batch_avatar.service.session import NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence
    from contextlib import AbstractContextManager

    from azure.storage.blob import BlobClient

    from batch_avatar.archive.container_probe import ContainerFacts
    from batch_avatar.clock import Clock
    from batch_avatar.stopping import Stopping

BLOCK_BYTES = 4 * 1024 * 1024  # 92 MiB/s and +12 MB of memory, measured; larger blocks gain little
PIECE_BYTES = 256 * 1024  # read between two checks of stop and deadline
CUTS = 5  # a body that breaks off this often without getting further fails the transfer
LENGTH_DIGITS = 15  # of an announced length; a blob has at most 190 TiB (documented)


class _Cut(Exception):
    """The answer broke off in a way that the HTTP library does not notice."""


@dataclass
class _Progress:
    """What has arrived so far, across cuts."""

    md5: hashlib._Hash = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    sha256: hashlib._Hash = field(default_factory=hashlib.sha256)
    received: int = 0
    expected: int | None = None
    etag: str | None = None
    content_md5: str | None = None
    pending: bytearray = field(default_factory=bytearray)
    blocks: list[str] = field(default_factory=list)
    probe: ContainerProbe = field(default_factory=ContainerProbe)

    def restart(self, *, expected: int, etag: str, content_md5: str | None) -> None:
        """Forget what has arrived: the whole result comes again."""
        fresh = _Progress(expected=expected, etag=etag, content_md5=content_md5)
        self.__dict__.update(fresh.__dict__)

    @property
    def whole(self) -> bool:
        return self.expected is not None and self.received >= self.expected

    def add(self, piece: bytes) -> None:
        self.md5.update(piece)
        self.sha256.update(piece)
        self.probe.feed(piece)
        self.received += len(piece)
        self.pending += piece


class Transfer:
    """One result on its way into one blob; call `run` in a thread of the transfer executor."""

    def __init__(
        self,
        *,
        open_at: Callable[[int, str | None], AbstractContextManager[requests.Response]],
        target: BlobClient,
        clock: Clock,
        deadline_seconds: float,
        stopping: Stopping,
    ) -> None:
        self._open_at = open_at
        self._target = target
        self._clock = clock
        self._closes_at = clock.monotonic() + deadline_seconds
        self._stopping = stopping
        self._id_prefix = secrets.token_hex(8)  # two writers with the same block ids would mix their bytes

    def run(
        self,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        judge: Callable[[ContainerFacts], tuple[str, ...]] | None = None,
    ) -> StoredBlob:
        """Stream, verify and commit once. What `judge` doubts about a video is recorded with it; the video is kept.

        Raises:
            TransferError: the result was cut, changed or too slow; nothing was committed.
            LinkExpired, ResultLost: from `open_at`.
            ArchiveConflict: the blob exists with other bytes.
            ArchiveUnavailable, ArchiveRefused: the storage did not answer, or refused.
            Stopped: the run is ending.
        """
        progress = self._receive()
        digest = progress.md5.digest()
        stored = StoredBlob(
            blob_name=self._target.blob_name,
            size_bytes=progress.received,
            sha256=progress.sha256.hexdigest(),
            content_md5=base64.b64encode(digest).decode(),
            content_type=content_type,
            doubtful=judge(replace(progress.probe.finish(), size_bytes=progress.received)) if judge else (),
        )
        facts = {**metadata, "sha256": stored.sha256}
        if stored.doubtful:
            facts["doubtful"] = " ".join(stored.doubtful)
        settings = ContentSettings(content_type=content_type, content_md5=bytearray(digest))
        try:
            with archive_errors(f"commit {stored.blob_name}"):
                if not progress.blocks:  # all fits into one block: one request instead of two, and as atomic
                    self._target.upload_blob(
                        bytes(progress.pending),
                        overwrite=False,
                        content_settings=settings,
                        metadata=facts,
                        validate_content="md5",
                    )
                    return stored
                self._target.commit_block_list(
                    [BlobBlock(block_id) for block_id in progress.blocks],
                    content_settings=settings,
                    metadata=facts,
                    match_condition=MatchConditions.IfMissing,
                )
        except LostRace:
            accept_existing(self._target, stored)
        return stored

    def _receive(self) -> _Progress:
        progress = _Progress()
        cuts = furthest = 0
        while not progress.whole:
            try:
                self._stopping.check()
                with (
                    self._open_at(progress.received, progress.etag) as response,
                    self._stopping.waking(response.raw.shutdown),
                ):
                    self._read(response, progress)
            except (_Cut, *NO_ANSWER) as error:
                cuts = 1 if progress.received > furthest else cuts + 1
                furthest = max(furthest, progress.received)
                if cuts >= CUTS:
                    raise TransferError(
                        f"the result broke off {cuts} times at byte {progress.received} ({type(error).__name__})"
                    ) from None
        if progress.received != progress.expected:
            raise TransferError(f"{progress.received} bytes came, but {progress.expected} were announced")
        if not progress.received:
            raise TransferError("the result is empty")
        if progress.content_md5 not in (None, base64.b64encode(progress.md5.digest()).decode()):
            raise TransferError("the result's bytes do not have the MD5 that its host states")
        if progress.pending and progress.blocks:
            self._stage(progress)
        return progress

    def _read(self, response: requests.Response, progress: _Progress) -> None:
        """Read one answer to its end, which may come early."""
        self._accept(response, progress)
        while piece := response.raw.read1(PIECE_BYTES):
            self._stopping.check()
            if self._clock.monotonic() > self._closes_at:
                raise TransferError("the result comes too slowly; the transfer's deadline has passed")
            progress.add(piece)
            if len(progress.pending) >= BLOCK_BYTES:
                self._stage(progress)
        if not progress.whole:
            raise _Cut("the body ends early")

    def _accept(self, response: requests.Response, progress: _Progress) -> None:
        """Check an answer's headers: it brings the rest of the same version, or the whole result, which starts over."""
        length, etag = response.headers.get("Content-Length"), response.headers.get("ETag")
        if length is None or not length.isdecimal() or len(length) > LENGTH_DIGITS or etag is None:
            raise _Cut("the headers end early")
        if response.status_code != requests.codes.partial_content:
            md5 = response.headers.get("Content-MD5")
            progress.restart(expected=int(length), etag=etag, content_md5=md5)
        elif etag != progress.etag or not response.headers.get("Content-Range", "").startswith(
            f"bytes {progress.received}-"
        ):
            raise TransferError("the result's host sent another part than was asked for")

    def _stage(self, progress: _Progress) -> None:
        block_id = f"{self._id_prefix}{len(progress.blocks):06d}"
        with archive_errors(f"write {self._target.blob_name}"):
            self._target.stage_block(
                block_id, bytes(progress.pending), length=len(progress.pending), validate_content="md5"
            )
        progress.blocks.append(block_id)
        progress.pending.clear()


def store_bytes(target: BlobClient, content: bytes, *, content_type: str, metadata: Mapping[str, str]) -> StoredBlob:
    """Store bytes that are in memory; nothing is overwritten.

    Raises:
        ArchiveConflict: the blob exists with other bytes.
        ArchiveUnavailable, ArchiveRefused: the storage did not answer, or refused.
    """
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    stored = StoredBlob(
        blob_name=target.blob_name,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content_md5=base64.b64encode(digest).decode(),
        content_type=content_type,
    )
    try:
        with archive_errors(f"write {stored.blob_name}"):
            target.upload_blob(
                content,
                overwrite=False,
                metadata={**metadata, "sha256": stored.sha256},
                content_settings=ContentSettings(content_type=content_type, content_md5=bytearray(digest)),
            )
    except LostRace:
        accept_existing(target, stored)
    return stored


def note_late_doubts(
    target: BlobClient, stored: StoredBlob, late: Sequence[str], *, looked_for: Container[str]
) -> StoredBlob:
    """Add doubts that came up after a video was committed; in its metadata they outlive the receipt.

    `late`: those that hold now. Of others, which an earlier try noted, those hold no more that were `looked_for` now.

    Raises:
        ArchiveUnavailable: the storage did not answer.
    """
    doubtful = (*(doubt for doubt in stored.doubtful if doubt not in looked_for and doubt not in late), *late)
    if doubtful == stored.doubtful:
        return stored
    with suppress(ArchiveRefused), archive_errors(f"note what is doubtful about {target.blob_name}"):
        found = target.get_blob_properties()  # what is refused here, e.g. by a tier, the receipt says all the same
        if found.metadata.get("sha256") == stored.sha256:
            others = {name: value for name, value in found.metadata.items() if name != "doubtful"}
            told = {"doubtful": " ".join(doubtful)} if doubtful else {}
            target.set_blob_metadata(  # if the blob has changed since, another run has noted what it found
                others | told, etag=found.etag, match_condition=MatchConditions.IfNotModified
            )
    return stored.model_copy(update={"doubtful": doubtful})


def accept_existing(target: BlobClient, stored: StoredBlob) -> None:
    """Accept a blob that another writer was first to write, if it has the same bytes.

    Raises:
        ArchiveConflict: it has other bytes.
    """
    with archive_errors(f"look at {stored.blob_name}"):
        found = target.get_blob_properties()
    if found.size != stored.size_bytes or found.metadata.get("sha256") != stored.sha256:
        raise ArchiveConflict(f"{stored.blob_name} exists with other bytes ({found.size:,} of them)")
