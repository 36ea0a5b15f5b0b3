"""The user's container as the only ledger: claims, receipts, dead letters, reports, and one listing of it all.

Layout, below an optional prefix:
    _archive.json                               layout version and the archive id, written once
    <script_id>/<content_id>/claim.json         written before the first create; never deleted
    <script_id>/<content_id>/<attempt>/...      video, summary.json, subtitles
    <script_id>/<content_id>/receipt.json       written last: its presence means "archived"
    _failed/<content_id>.json                   dead letters
    _packs/<pack_id>.json                       which scripts are the inputs of a job, in their order
    _runs/<run>/...                             reports, and the shards of a fanned-out run
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import ContentSettings
from pydantic import BaseModel, ValidationError

from batch_avatar.archive.index import ArchiveIndex, claim_metadata, letter_metadata, receipt_metadata
from batch_avatar.archive.records import Claim, DeadLetter, Pack
from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.errors import ArchiveConflict, ArchiveRefused
from batch_avatar.receipt import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from azure.core.pipeline import PipelineResponse
    from azure.storage.blob import BlobClient, BlobProperties, ContainerClient

    from batch_avatar.models import JobRef

Document = TypeVar("Document", bound=BaseModel)

ARCHIVE_BLOB = "_archive.json"
NO_ARCHIVE = "0" * 16
FEW_SCRIPTS = 20
"""Up to this many scripts are looked up one by one; one listing of a large archive would cost more."""


@dataclass(frozen=True)
class Held:
    """A claim as it was read or written, with its version, and its age by the storage's own clock."""

    claim: Claim
    etag: str
    age_seconds: float


class Archive:
    """Blocking; shared by all threads. `open` must have been called before anything else."""

    def __init__(self, *, container: ContainerClient, prefix: str) -> None:
        self._container = container
        self._prefix = prefix
        self.archive_id = ""

    def open(self, *, create: bool = True) -> None:
        """Read the archive's id; with `create`, make the container and the id if they are missing.

        Raises:
            ArchiveRefused, ArchiveUnavailable: the storage refused or did not answer, or the id is not readable.
        """
        blob = self._blob(ARCHIVE_BLOB)
        text = self._read_text(blob)
        if text is None and not create:
            self.archive_id = NO_ARCHIVE
            return
        if text is None:
            fresh = json.dumps({"layout": 1, "archive_id": secrets.token_hex(8)})
            with archive_errors(f"make the archive in container {self._container.container_name}"):
                with suppress(ResourceExistsError):  # it is there, or another run was first
                    self._container.create_container()
                with suppress(ResourceExistsError):  # another run was first
                    self._upload(blob, fresh, only="new")
            text = self._read_text(blob) or b""
        try:
            about = json.loads(text)
            layout, self.archive_id = about["layout"], str(about["archive_id"])
        except (ValueError, KeyError, TypeError) as error:
            raise ArchiveRefused(f"{blob.blob_name} is not readable ({type(error).__name__})") from None
        if layout != 1:
            raise ArchiveRefused(f"{blob.blob_name} has layout {layout}; this version knows layout 1")

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
        """Write the claim if there is none; None if another run was first."""
        return self._write_claim(claim, only="new")

    def replace_claim(self, held: Held, claim: Claim) -> Held | None:
        """Write the claim over the version that was read; None if that has changed since."""
        return self._write_claim(claim, only=held.etag)

    def read_claim(self, script_id: str, content_id: str) -> Held | None:
        blob = self._blob(f"{script_id}/{content_id}/claim.json")
        dates: list[str] = []

        def note_date(response: PipelineResponse) -> None:  # type: ignore[type-arg]
            dates.append(response.http_response.headers.get("Date", ""))

        with archive_errors(f"read {blob.blob_name}"):
            try:
                stream = blob.download_blob(raw_response_hook=note_date)
                text = stream.readall()
            except ResourceNotFoundError:
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
        if self._write(name, receipt, receipt_metadata(receipt)):
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
        with archive_errors(f"retire {blob.blob_name}"):
            try:
                stream = blob.download_blob()
                text = stream.readall()
                receipt = self._parse(Receipt, text, blob)
                kept = self.output_blob(receipt.ref(), "receipt.retired.json")
                self._upload(kept, text.decode())
                blob.delete_blob(etag=stream.properties.etag, match_condition=MatchConditions.IfNotModified)
            except (ResourceNotFoundError, ResourceModifiedError):
                return

    def write_pack(self, pack: Pack) -> None:
        """Write the pack; one with the same id has the same content and stays."""
        self._write(f"_packs/{pack.pack_id}.json", pack, {})

    def read_pack(self, pack_id: str) -> Pack | None:
        return self._read(Pack, f"_packs/{pack_id}.json")

    def read_dead_letter(self, content_id: str) -> DeadLetter | None:
        return self._read(DeadLetter, f"_failed/{content_id}.json")

    def delete_dead_letter(self, content_id: str) -> None:
        blob = self._blob(f"_failed/{content_id}.json")
        with archive_errors(f"delete {blob.blob_name}"), suppress(ResourceNotFoundError):
            blob.delete_blob()

    def write_dead_letter(self, letter: DeadLetter) -> DeadLetter:
        """Write the dead letter over that of an earlier attempt, and return it."""
        blob = self._blob(f"_failed/{letter.ref.content_id}.json")
        with archive_errors(f"write {blob.blob_name}"):
            self._upload(blob, letter.model_dump_json(by_alias=True, indent=2), metadata=letter_metadata(letter))
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
            content = (piece.encode() for piece in pieces)
            blob.upload_blob(content, overwrite=True, content_settings=ContentSettings(content_type="application/json"))

    def read_run_document(self, run: str, name: str) -> str | None:
        text = self._read_text(self._blob(f"_runs/{run}/{name}"))
        return text.decode() if text is not None else None

    def index(self, script_ids: Sequence[str] | None = None) -> ArchiveIndex:
        """Read what is known of at least these scripts, or of all, and all letters and packs; see `FEW_SCRIPTS`."""
        few = script_ids is not None and len(script_ids) <= FEW_SCRIPTS
        folders = [*(f"{script_id}/" for script_id in script_ids or ()), "_failed/", "_packs/"] if few else [""]
        index = ArchiveIndex()
        if self.archive_id == NO_ARCHIVE:
            return index
        with archive_errors(f"list container {self._container.container_name}"):
            for folder in folders:
                for blob in self._container.list_blobs(name_starts_with=self._prefix + folder, include=["metadata"]):
                    index.enter(blob.name.removeprefix(self._prefix), blob.metadata or {})
        return index

    def _blob(self, name: str) -> BlobClient:
        return self._container.get_blob_client(self._prefix + name)

    def _write_claim(self, claim: Claim, *, only: str) -> Held | None:
        blob = self._blob(f"{claim.script_id}/{claim.content_id}/claim.json")
        with archive_errors(f"write {blob.blob_name}"):
            try:
                etag = self._upload(blob, claim.model_dump_json(indent=2), metadata=claim_metadata(claim), only=only)
            except (ResourceExistsError, ResourceModifiedError):
                return None
        return Held(claim, etag, 0.0)

    def _write(self, name: str, document: BaseModel, metadata: dict[str, str]) -> bool:
        blob = self._blob(name)
        with archive_errors(f"write {blob.blob_name}"):
            try:
                self._upload(
                    blob,
                    document.model_dump_json(by_alias=True, indent=2),
                    metadata=metadata,
                    only="new",
                )
            except ResourceExistsError:
                return False
        return True

    def _read(self, kind: type[Document], name: str) -> Document | None:
        blob = self._blob(name)
        text = self._read_text(blob)
        return None if text is None else self._parse(kind, text, blob)

    @staticmethod
    def _read_text(blob: BlobClient) -> bytes | None:
        """Return the content; None if the blob or its container is missing."""
        with archive_errors(f"read {blob.blob_name}"):
            try:
                return blob.download_blob().readall()
            except ResourceNotFoundError:
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
        text: str,
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
            text.encode(),
            overwrite=only != "new",
            metadata=metadata,
            content_settings=ContentSettings(content_type=content_type),
            **condition,
        )
        return str(written["etag"])
