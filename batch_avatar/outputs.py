"""Bring a finished job's outputs into the archive: video, summary, subtitles, and the receipt last. Blocking."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from azure.storage.blob import ContainerClient

from batch_avatar.container_probe import doubts
from batch_avatar.errors import (
    AlreadyArchived,
    ClaimedElsewhere,
    JobFailed,
    JobNotFound,
    LinkExpired,
    ResultLost,
    SideFileMissing,
    StillRunning,
    TransferError,
)
from batch_avatar.identity import form_digests
from batch_avatar.models import JobStatus
from batch_avatar.records import Receipt, StoredBlob
from batch_avatar.rescue import rescue_receipt, stored_blob
from batch_avatar.session import NO_ANSWER
from batch_avatar.storage_errors import archive_errors
from batch_avatar.transfer import Transfer
from batch_avatar.wire import decode_summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests
    from pydantic import SecretStr

    from batch_avatar.archive import Held
    from batch_avatar.connect import Connections
    from batch_avatar.models import JobRef, SynthesisJob
    from batch_avatar.records import Attempt

CONTENT_TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".json": "application/json",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
}
MAX_SUMMARY_BYTES = 10_000_000  # a summary repeats the input, which is at most 500 KB
CONTENT_CODES = frozenset(
    {
        "BadRequest",
        "BadArgument",
        "InvalidRequest",
        "InvalidParameter",
        "InvalidPayload",
        "UnsupportedMediaType",
    }
)
"""Codes by which a failed job says that its input is at fault (the service's own list of error codes)."""


def read_job(c: Connections, ref: JobRef) -> SynthesisJob:
    """The job with fresh links.

    Raises:
        AlreadyArchived, ClaimedElsewhere: it is gone because another run was faster.
        ResultLost: it is gone and there is no receipt.
    """
    try:
        return c.client.get(ref.service_id)
    except JobNotFound:
        receipt = c.archive.read_receipt(ref.script_id, ref.content_id)
        if receipt is not None:
            raise AlreadyArchived(receipt) from None
        held = c.archive.read_claim(ref.script_id, ref.content_id)
        if held is not None and (receipt := rescue_receipt(c.archive, held.claim)) is not None:
            raise AlreadyArchived(receipt) from None
        if held is not None and (held.claim.last.number != ref.attempt or held.claim.last.ended is not None):
            raise ClaimedElsewhere(f"another run has given up attempt {ref.attempt}") from None
        raise ResultLost(
            "the service no longer knows the job and there is no receipt; it was probably billed, "
            "so it is not rendered again by itself",
            script_id=ref.script_id,
            job_id=ref.job_id,
        ) from None


def job_failed(c: Connections, ref: JobRef, job: SynthesisJob) -> JobFailed:
    """The error for a job that ended `Failed`, with what its summary adds."""
    reason = job.error_message or "the service gives no reason"
    more = [error for error in _summary_errors(c, job) if reason not in error]
    return JobFailed(
        " - ".join(dict.fromkeys([reason, *more])),
        code=job.error_code,
        job=job,
        script_id=ref.script_id,
        worth_another_attempt=job.error_code not in CONTENT_CODES,
    )


def archive_job(c: Connections, ref: JobRef, *, without_side_files: bool) -> Receipt:
    """Move everything, verify it, write the receipt; at the end of patience also without summary or subtitles.

    Raises:
        SideFileMissing: the video is safe; take this step again.
        JobFailed, StillRunning, ResultLost: there is nothing to move.
        AlreadyArchived: another run was faster.
        TransferError, ArchiveError: nothing is lost; the job stays.
    """
    job = read_job(c, ref)
    if job.status == JobStatus.FAILED:
        raise job_failed(c, ref, job)
    if job.status != JobStatus.SUCCEEDED:
        raise StillRunning(f"the job is {job.status}", script_id=ref.script_id, job_id=ref.job_id)
    outputs = _Outputs(c, ref, job)
    video = outputs.move("result", "video")
    side_files: dict[str, StoredBlob | None] = {"summary": None, "subtitles": None}
    wanted = {"summary": "summary"}
    if job.subtitle_link or job.subtitle_type == "external_file":
        wanted["subtitles"] = "subtitle"
    missing = []
    for name, output in wanted.items():
        try:
            side_files[name] = outputs.move(output, name)
        except ResultLost as error:  # there is none; trouble on the way is tried again with the whole step
            missing.append(name)
            if not without_side_files:
                raise SideFileMissing(f"the {name} cannot be had yet: {error.message}") from None
    billing = job.billing
    if c.client.service_names_jobs and (summary := side_files["summary"]):  # only there are the seconds told
        billing = billing | _summary_billing(c, ref, summary)
    billed = job.model_copy(update={"billing": billing})
    attempts, held = _settled_attempts(c, ref)
    receipt = c.archive.write_receipt(
        Receipt(
            **ref.model_dump(),
            internal_id=job.internal_id,
            run=c.run,
            resource=c.settings.resource,
            api_version=c.settings.api_version,
            archived_at=c.clock.now(),
            created_at=job.created_at,
            last_action_at=job.last_action_at,
            duration_milliseconds=job.duration_milliseconds,
            billing=billing,
            billed_seconds=billed.billed_seconds,
            billed_characters=billed.billed_characters,
            video=video,
            summary=side_files["summary"],
            subtitles=side_files["subtitles"],
            missing=tuple(missing),
            revision=held.claim.revision if held else 0,
            attempts=attempts,
            form=form_digests(held.claim.form) if held else {},
        )
    )
    if receipt.run != c.run:
        raise AlreadyArchived(receipt)
    return receipt


def _settled_attempts(c: Connections, ref: JobRef) -> tuple[tuple[Attempt, ...], Held | None]:
    """The claim's attempts; the one that succeeded is not given up any more, also in the claim."""
    held = c.archive.read_claim(ref.script_id, ref.content_id)
    if held is None:
        return (), None
    attempts = tuple(
        attempt.model_copy(update={"ended": None, "over": False}) if attempt.number == ref.attempt else attempt
        for attempt in held.claim.attempts
    )
    if attempts != held.claim.attempts:
        c.archive.replace_claim(held, held.claim.model_copy(update={"attempts": attempts}))
    return attempts, held


class _Outputs:
    """The links of one job, refreshed when they expire."""

    def __init__(self, c: Connections, ref: JobRef, job: SynthesisJob) -> None:
        self._c = c
        self._ref = ref
        self._job = job
        self._job_key = quote(job.internal_id or job.service_id)

    def move(self, output: str, name: str) -> StoredBlob:
        """Stream one output into `<attempt>/<name><its own ending>`."""
        ending = PurePosixPath(urlsplit(self._link(output)).path).suffix.lower()
        if name == "video" and ending not in (".mp4", ".webm"):
            raise TransferError(f"the result is named *{ending or '(nothing)'}, neither .mp4 nor .webm")
        content_type = CONTENT_TYPES.get(ending, "application/octet-stream")
        target = self._c.archive.output_blob(self._ref, f"{name}{ending}")
        with archive_errors(f"look at {target.blob_name}"):
            if target.exists():
                found = target.get_blob_properties()
                stored = stored_blob(found)
                if stored is not None and found.metadata.get("job_key") == self._job_key:
                    return stored

        @contextmanager
        def open_at(offset: int, etag: str | None) -> Iterator[requests.Response]:
            with ExitStack() as stack:
                try:
                    opened = self._c.client.open_output(self._link(output), offset=offset, etag=etag)
                    response = stack.enter_context(opened)
                except (LinkExpired, ResultLost):  # a new link; or another run was faster
                    self._job = read_job(self._c, self._ref)
                    opened = self._c.client.open_output(self._link(output), offset=offset, etag=etag)
                    response = stack.enter_context(opened)
                yield response

        transfer = Transfer(
            open_at=open_at,
            target=target,
            clock=self._c.clock,
            deadline_seconds=self._c.settings.transfer_deadline_seconds,
            stopping=self._c.stopping,
        )
        metadata = {
            "script_id": quote(self._ref.script_id),
            "job_id": self._ref.job_id,
            "job_key": self._job_key,
            "internal_id": self._job.internal_id or "",
            "created_at": self._job.created_at.isoformat() if self._job.created_at else "",
            "duration_milliseconds": str(self._job.duration_milliseconds or ""),
            "billed_seconds": str(self._job.billed_seconds),
            "billed_characters": str(self._job.billed_characters),
        }
        kept = {key: value for key, value in metadata.items() if value}
        if name != "video":
            return transfer.run(content_type=content_type, metadata=kept)
        length = self._job.duration_milliseconds
        return transfer.run(
            content_type=content_type,
            metadata=kept,
            judge=lambda facts: doubts(facts, ending=ending, duration_milliseconds=length),
        )

    def _link(self, output: str) -> str:
        link: SecretStr | None = getattr(self._job, f"{output}_link")
        if link is None and output != "result":
            raise ResultLost(f"the job shows no {output}", job_id=self._ref.job_id)
        if link is None:
            raise TransferError(f"the job succeeded but shows no {output}", job_id=self._ref.job_id)
        url = link.get_secret_value()
        return url if urlsplit(url).scheme else self._in_destination(output, url)

    def _in_destination(self, output: str, relative: str) -> str:
        """A signed link into the destination container.

        There the job shows a relative path of undocumented form, so the file is found by listing.
        """
        container = self._c.destinations.get(self._ref.job_id)
        if container is None:
            raise TransferError("the result lies in a destination container that this run has no link to")
        folder = relative.removesuffix("/summary.json").strip("/")
        wanted = ("summary.json",) if output == "summary" else ("0001.mp4", "0001.webm")
        wanted = ("0001.srt", "0001.vtt") if output == "subtitle" else wanted
        with (
            archive_errors("list the destination container"),
            ContainerClient.from_container_url(container.get_secret_value()) as listing,
        ):
            names = [blob.name for blob in listing.list_blobs(name_starts_with=folder)]
        for name in names:
            if f"/{folder}/" in f"/{name}" and PurePosixPath(name).name in wanted:
                parts = urlsplit(container.get_secret_value())
                return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name)}"))
        raise ResultLost(f"no {' or '.join(wanted)} in the destination container", job_id=self._ref.job_id)


def _summary_billing(c: Connections, ref: JobRef, summary: StoredBlob) -> dict[str, int]:
    """What the archived summary says was billed, summed over its inputs; nothing where it is unreadable."""
    billing: Counter[str] = Counter()
    name = summary.blob_name.rpartition("/")[2]
    with archive_errors(f"read {summary.blob_name}"), suppress(ValueError):
        for result in decode_summary(c.archive.output_blob(ref, name).download_blob().readall()):
            billing.update(result.billing)
    return dict(billing)


def _summary_errors(c: Connections, job: SynthesisJob) -> list[str]:
    """What a failed job's summary says; nothing where it cannot be had."""
    if job.summary_link is None or not urlsplit(job.summary_link.get_secret_value()).scheme:
        return []
    try:
        with c.client.open_output(job.summary_link.get_secret_value()) as response:
            results = decode_summary(response.raw.read(MAX_SUMMARY_BYTES))
    except (TransferError, ResultLost, ValueError, *NO_ANSWER):
        return []
    return [result.error for result in results if result.error]
