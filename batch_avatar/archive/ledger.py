"""The user's container as the only ledger: claims, receipts, dead letters, reports, and one listing of it all.

Layout, below an optional prefix (a script_id may be nested, as in `hr/welcome`):
    _archive.json                               layout version and the archive id, written once
    <script_id>/<content_id>/claim.json         written before the first create; never deleted
    <script_id>/<content_id>/<attempt>/...      video, summary.json, subtitles
    <script_id>/<content_id>/receipt.json       written last: its presence means "archived"
    _failed/<content_id>.json                   dead letters
    _packs/<pack_id>.json                       which scripts are the inputs of a job, in their order
    _runs/<run>/...                             reports, and the shards of a fanned-out run
"""

from __future__ import annotations

import math
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core import MatchConditions
from azure.storage.blob import ContentSettings
from pydantic import BaseModel, ValidationError

from batch_avatar.archive.identity_check import NO_ARCHIVE, About, check_ids, open_identity
from batch_avatar.archive.index import ARCHIVE_ID, ArchiveIndex, claim_metadata, letter_metadata, receipt_metadata
from batch_avatar.archive.metadata import document_text
from batch_avatar.archive.naming.inner import archives_above, check_place
from batch_avatar.archive.naming.own_blobs import listed
from batch_avatar.archive.odd_blobs import Readers, settle_odd
from batch_avatar.archive.records import Claim, DeadLetter, Held, Pack
from batch_avatar.archive.repair import repair_identity
from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.archive.write_once import Overwriting, check_properties
from batch_avatar.errors import ArchiveConflict, ArchiveRefused, LostRace, NotThere
from batch_avatar.receipt import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from azure.core.pipeline import PipelineResponse
    from azure.storage.blob import BlobClient, BlobProperties, ContainerClient

    from batch_avatar.archive.repair import Repaired
    from batch_avatar.models import JobRef

Document = TypeVar("Document", bound=BaseModel)

FEW_SCRIPTS = 20
"""Up to this many scripts are looked up one by one; one listing of a large archive would cost more."""
MOST_RECORD_BYTES = 4_000_000
"""A dead letter holds a whole script, of which JSON may write a byte as six characters; other records are small."""


class Archive:
    """Blocking; shared by all threads. `open` must have been called before anything else."""

    def __init__(self, *, container: ContainerClient, prefix: str) -> None:
        self._container = container
        self._prefix = prefix
        self._about = About.model_construct(layout=1, archive_id="")
        self._told: set[str] = set()
        self._overwriting = Overwriting(container)

    def open(self, *, create: bool = True) -> None:
        """Read the archive's id; with `create`, make the container and the id if they are missing.

        Raises:
            SettingsError: the container is write-once.
            ArchiveDamaged: the id is not that of the claims and receipts, or cannot be read.
            ArchiveRefused, ArchiveUnavailable: the storage refused or did not answer.
        """
        if create:
            check_properties(self._container)
        self._about = open_identity(self._container, self._prefix, create=create)

    @property
    def archive_id(self) -> str:
        return self._about.archive_id

    def accepts(self, mark: str | None) -> bool:
        """Return whether a job that a claim of ours names, and that carries this archive id, may be ours."""
        return self._about.repaired or mark in (None, self.archive_id)

    def repair(self) -> Repaired:
        """Give a damaged archive its id back. The archive need not be open."""
        return repair_identity(self._container, self._prefix)

    def prefix_of(self, ref: JobRef | Receipt | Claim) -> str:
        """Return the folder of one script's content, as reports show it; it ends with a slash."""
        return f"{self._prefix}{ref.script_id}/{ref.content_id}/"

    def output_blob(self, ref: JobRef, name: str) -> BlobClient:
        """Return the blob for an output of this attempt; each attempt has a folder of its own."""
        return self._container.get_blob_client(f"{self.prefix_of(ref)}{ref.attempt}/{name}")

    def list_outputs(self, ref: JobRef) -> list[BlobProperties]:
        """List the blobs of this attempt, with their metadata."""
        folder = f"{self.prefix_of(ref)}{ref.attempt}/"
        with archive_errors(f"list {folder}"):
            return list(self._container.list_blobs(name_starts_with=folder, include=["metadata"]))

    def create_claim(self, claim: Claim) -> Held | None:
        """Write the claim if there is none; None if another run was first.

        The first one is overwritten once at once, to see before any create that the container allows it.

        Raises:
            ArchiveRefused: the storage refused, or the container is write-once.
        """
        self._overwriting.check()
        held = self._write_claim(claim, only="new")
        if held is None or self._overwriting.proven:
            return held
        with self._overwriting.tried():
            return self._write_claim(claim, only=held.etag)

    def replace_claim(self, held: Held, claim: Claim) -> Held | None:
        """Write the claim over the version that was read; None if that has changed since."""
        return self._write_claim(claim, only=held.etag)

    def read_claim(self, script_id: str, content_id: str) -> Held | None:
        blob = self._blob(f"{script_id}/{content_id}/claim.json")
        dates: list[str] = []

        def note_date(response: PipelineResponse) -> None:  # type: ignore[type-arg]
            dates.append(response.http_response.headers.get("Date", ""))

        try:
            with archive_errors(f"read {blob.blob_name}"):
                stream = blob.download_blob(raw_response_hook=note_date)
                text = stream.readall()
        except NotThere:
            return None
        found = stream.properties
        age = (parsedate_to_datetime(dates[0]) - found.last_modified).total_seconds() if dates and dates[0] else 0.0
        return Held(self._parse(Claim, text, blob), str(found.etag), age)

    def read_receipt(self, script_id: str, content_id: str) -> Receipt | None:
        return self._read(Receipt, f"{script_id}/{content_id}/receipt.json")

    def write_receipt(self, receipt: Receipt) -> Receipt:
        """Write the receipt and return the one that counts: this one, or that of a run that was faster.

        Raises:
            ArchiveConflict: the other receipt is for another video.
        """
        name = f"{receipt.script_id}/{receipt.content_id}/receipt.json"
        if self._write(name, receipt, receipt_metadata(receipt) | {ARCHIVE_ID: self.archive_id}):
            return receipt
        other = self._read(Receipt, name)
        if other is None or (other.attempt == receipt.attempt and other.video.sha256 != receipt.video.sha256):
            raise ArchiveConflict(f"{name} exists with another video", script_id=receipt.script_id)
        return other

    def retire_receipt(self, script_id: str, content_id: str) -> None:
        """Move a receipt whose video is gone beside its attempt's outputs, so that the script counts as lost.

        A receipt that another run has retired or replaced meanwhile stays as it is.
        """
        blob = self._blob(f"{script_id}/{content_id}/receipt.json")
        with suppress(LostRace, NotThere), archive_errors(f"retire {blob.blob_name}"):
            stream = blob.download_blob()
            text = stream.readall()
            receipt = self._parse(Receipt, text, blob)
            kept = self.output_blob(receipt.ref(), "receipt.retired.json")
            self._upload(kept, text)
            blob.delete_blob(etag=stream.properties.etag, match_condition=MatchConditions.IfNotModified)

    def write_pack(self, pack: Pack) -> None:
        """Write the pack; one with the same id has the same content and stays."""
        self._write(f"_packs/{pack.pack_id}.json", pack, {})

    def read_pack(self, pack_id: str) -> Pack | None:
        return self._read(Pack, f"_packs/{pack_id}.json")

    def read_dead_letter(self, content_id: str) -> DeadLetter | None:
        return self._read(DeadLetter, f"_failed/{content_id}.json")

    def delete_dead_letter(self, content_id: str) -> None:
        blob = self._blob(f"_failed/{content_id}.json")
        with suppress(NotThere), archive_errors(f"delete {blob.blob_name}"):
            blob.delete_blob()

    def write_dead_letter(self, letter: DeadLetter) -> DeadLetter:
        """Write the dead letter over that of an earlier attempt, and return it."""
        blob = self._blob(f"_failed/{letter.ref.content_id}.json")
        with archive_errors(f"write {blob.blob_name}"):
            self._upload(blob, document_text(letter), metadata=letter_metadata(letter))
        return letter

    def write_run_document(self, run: str, name: str, text: str, *, content_type: str = "application/json") -> None:
        """Write a document of a run, e.g. a shard; replace one of that name."""
        blob = self._blob(f"_runs/{run}/{name}")
        with archive_errors(f"write {blob.blob_name}"):
            self._upload(blob, text, content_type=content_type)

    def write_report(self, run: str, pieces: Iterable[str]) -> None:
        """Write a run's report piece by piece; replace one that is there."""
        blob = self._blob(f"_runs/{run}/report.json")
        with archive_errors(f"write {blob.blob_name}"):
            content = (piece.encode(errors="replace") for piece in pieces)
            blob.upload_blob(content, overwrite=True, content_settings=ContentSettings(content_type="application/json"))

    def read_run_document(self, run: str, name: str) -> str | None:
        text = self._read_text(self._blob(f"_runs/{run}/{name}"))
        return text.decode() if text is not None else None

    def index(self, script_ids: Sequence[str] | None = None) -> ArchiveIndex:
        """Read what is known of at least these scripts, or of all, and all letters and packs; see `FEW_SCRIPTS`.

        Raises:
            InputError: a script would lie in another archive.
        """
        few = script_ids if script_ids is not None and len(script_ids) <= FEW_SCRIPTS else None
        index = ArchiveIndex(repaired=self._about.repaired)
        if self.archive_id == NO_ARCHIVE:
            return index
        with archive_errors(f"list container {self._container.container_name}"):
            for name, blob in self.listing(few):
                index.enter(name, blob.metadata or {}, changed_at=blob.last_modified)
            index.inner |= archives_above(self._container, self._prefix, few or ())
        check_place(script_ids or (), index.inner)
        index.leave_out_inner()
        check_ids(self._container, self._prefix, self._about, set(index.archive_ids))
        settle_odd(index, Readers(self.read_claim, self.read_receipt, self.read_dead_letter), self._told)
        return index

    def listing(self, few: Sequence[str] | None = None) -> Iterator[tuple[str, BlobProperties]]:
        """Yield the blobs of these scripts, or all, by their names without the archive's prefix."""
        for blob in listed(self._container, self._prefix, few):
            yield blob.name.removeprefix(self._prefix), blob

    def _blob(self, name: str) -> BlobClient:
        return self._container.get_blob_client(self._prefix + name)

    def _write_claim(self, claim: Claim, *, only: str) -> Held | None:
        blob = self._blob(f"{claim.script_id}/{claim.content_id}/claim.json")
        try:
            with archive_errors(f"write {blob.blob_name}"):
                metadata = claim_metadata(claim) | {ARCHIVE_ID: self.archive_id}
                etag = self._upload(blob, document_text(claim), metadata=metadata, only=only)
        except LostRace:
            return None
        return Held(claim, etag, 0.0)

    def _write(self, name: str, document: BaseModel, metadata: dict[str, str]) -> bool:
        blob = self._blob(name)
        try:
            with archive_errors(f"write {blob.blob_name}"):
                self._upload(blob, document_text(document), metadata=metadata, only="new")
        except LostRace:
            return False
        return True

    def _read(self, kind: type[Document], name: str) -> Document | None:
        blob = self._blob(name)
        text = self._read_text(blob, most_bytes=MOST_RECORD_BYTES)
        return None if text is None else self._parse(kind, text, blob)

    @staticmethod
    def _read_text(blob: BlobClient, *, most_bytes: float = math.inf) -> bytes | None:
        """Return the content; None if the blob or its container is missing."""
        try:
            with archive_errors(f"read {blob.blob_name}"):
                stream = blob.download_blob()
                if stream.size > most_bytes:
                    text = f"{stream.size:,} bytes; a record has at most {most_bytes:,}"
                    raise ArchiveRefused(f"{blob.blob_name} is not read, because it has {text}")
                return stream.readall()
        except NotThere:
            return None

    @staticmethod
    def _parse(kind: type[Document], text: bytes, blob: BlobClient) -> Document:
        try:
            return kind.model_validate_json(text)
        except ValidationError as error:
            raise ArchiveRefused(f"{blob.blob_name} is not readable: {error.error_count()} faults") from None

    @staticmethod
    def _upload(
        blob: BlobClient,
        text: str | bytes,
        *,
        metadata: dict[str, str] | None = None,
        content_type: str = "application/json",
        only: str | None = None,
    ) -> str:
        """Write in one put; `only`: "new" if there must be none yet, an etag if that version must be there."""
        condition: dict[str, Any] = (
            {} if only in (None, "new") else {"etag": only, "match_condition": MatchConditions.IfNotModified}
        )
        written = blob.upload_blob(
            text if isinstance(text, bytes) else text.encode(errors="replace"),
            overwrite=only != "new",
            metadata=metadata,
            content_settings=ContentSettings(content_type=content_type),
            **condition,
        )
        return str(written["etag"])
