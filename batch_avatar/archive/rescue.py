"""Rebuild a missing receipt from the video that is there, whose blob carries the job's facts as metadata."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

from pydantic import ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator

from batch_avatar.archive.metadata import metadata_key, read_bill
from batch_avatar.archive.receipt_files import read_summary, summary_doubts
from batch_avatar.archive.storage_errors import ONE_BLOB
from batch_avatar.errors import ArchiveRefused
from batch_avatar.identity import form_digests
from batch_avatar.models import Received
from batch_avatar.receipt import Receipt, StoredBlob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.storage.blob import BlobProperties

    from batch_avatar.archive.ledger import Archive
    from batch_avatar.archive.records import Claim


def _or_default(value: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    try:
        return read(value)
    except ValueError:
        return _Facts.model_fields[str(info.field_name)].default


Lenient = WrapValidator(_or_default)


class _Facts(Received):
    """What a video's metadata tell of its job. What cannot be read is unknown; the video counts all the same."""

    internal_id: str = ""
    job_key: str = ""
    created_at: Annotated[datetime | None, Lenient] = None
    duration_milliseconds: Annotated[int | None, Lenient] = None
    billed_seconds: Annotated[int, Lenient] = 0
    billed_characters: Annotated[int, Lenient] = 0
    billing: str = ""
    side_files: str = "summary"

    def whole_internal_id(self) -> str | None:
        """Return the id; None if it was cut because it is too long for metadata: so it would be another job's."""
        found = unquote(self.internal_id)
        return found if found and self.job_key in ("", metadata_key(found)) else None


def rescue_receipt(archive: Archive, claim: Claim) -> Receipt | None:
    """Write and return the receipt of the latest attempt whose video is in the archive; None if there is no video.

    Only whole videos are committed, with their digest, so a video that is there is what the service sent.
    """
    for attempt in reversed(claim.attempts):
        ref = claim.ref_of(attempt)
        receipt = rebuild_receipt(claim, archive.list_outputs(ref), number=attempt.number)
        if receipt is not None:
            return archive.write_receipt(_compared(archive, claim, receipt))
    return None


def _compared(archive: Archive, claim: Claim, receipt: Receipt) -> Receipt:
    """Return the receipt with the doubts that its summary gives: the run may have ended before it compared them.

    A summary that cannot be read, for example in the tier Archive, keeps no receipt from being rebuilt.
    """
    video = receipt.video
    try:
        summary = read_summary(archive, receipt.ref(), receipt.summary) if receipt.summary else None
    except ArchiveRefused as error:
        if error.code not in ONE_BLOB:
            raise
        summary = None
    if summary is None:
        return receipt
    found = summary_doubts(summary, claim, service_id=receipt.service_id, internal_id=receipt.internal_id)
    doubtful = tuple(dict.fromkeys((*video.doubtful, *found)))
    return receipt.model_copy(update={"video": video.model_copy(update={"doubtful": doubtful})})


def rebuild_receipt(claim: Claim, blobs: Sequence[BlobProperties], *, number: int) -> Receipt | None:
    """Return the receipt that these blobs of one attempt allow; None without a video of ours. Pure."""
    stored: dict[str, StoredBlob] = {}
    facts: dict[str, str] = {}
    for blob in blobs:
        found = stored_blob(blob)
        if found is None:
            continue
        kind = PurePosixPath(blob.name).stem
        stored[kind] = found
        if kind == "video":
            facts = blob.metadata | {"archived_at": blob.last_modified.isoformat()}
    if "video" not in stored:
        return None
    ref = claim.ref_of(next(attempt for attempt in claim.attempts if attempt.number == number))
    known = _Facts.model_validate(facts)
    return Receipt(
        **ref.model_dump(exclude={"resource"}),
        internal_id=known.whole_internal_id(),
        run=claim.run,
        resource=claim.resource,
        api_version=claim.api_version,
        archived_at=facts["archived_at"],
        created_at=known.created_at,
        duration_milliseconds=known.duration_milliseconds,
        billing=read_bill(unquote(known.billing)),
        billed_seconds=known.billed_seconds,
        billed_characters=known.billed_characters,
        **claim.kinds()._asdict(),
        predicted_seconds=claim.predicted_seconds,
        video=stored["video"],
        summary=stored.get("summary"),
        subtitles=stored.get("subtitles"),
        missing=tuple(name for name in known.side_files.split() if name not in stored),
        revision=claim.revision,
        attempts=claim.attempts,
        form=form_digests(claim.form),
        columns=claim.columns,
    )


def stored_blob(blob: BlobProperties) -> StoredBlob | None:
    """Return what a blob's properties say about its bytes; None if we did not commit it."""
    sha256, md5 = (blob.metadata or {}).get("sha256"), blob.content_settings.content_md5
    if not sha256 or not md5:
        return None
    return StoredBlob(
        blob_name=blob.name,
        size_bytes=blob.size,
        sha256=sha256,
        content_md5=base64.b64encode(md5).decode(),
        content_type=blob.content_settings.content_type or "application/octet-stream",
        doubtful=tuple(blob.metadata.get("doubtful", "").split()),
    )
