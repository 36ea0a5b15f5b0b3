"""Bring a finished job's outputs into the archive: video, summary, subtitles, and the receipt last. Blocking."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.archive.receipt_files import is_substitute, read_summary, summary_doubts
from batch_avatar.archive.rescue import rescue_receipt
from batch_avatar.archive.transfer import note_late_doubts
from batch_avatar.errors import (
    AlreadyArchived,
    ArchiveUnavailable,
    ClaimedElsewhere,
    JobFailed,
    JobNotFound,
    JobOverdue,
    LinkRefused,
    LostRace,
    ResultLost,
    StillRunning,
    TransferError,
)
from batch_avatar.identity import form_digests
from batch_avatar.models import JobStatus
from batch_avatar.planning.decision import blames_input
from batch_avatar.receipt import Receipt
from batch_avatar.rendering.claims import rewrite
from batch_avatar.rendering.outputs import Outputs
from batch_avatar.rendering.packs.members import check_staging, load_pack, shared_billing
from batch_avatar.service.links import split_link
from batch_avatar.service.session import NO_ANSWER
from batch_avatar.service.wire.summary import decode_results, decode_summary

if TYPE_CHECKING:
    from batch_avatar.archive.records import Claim
    from batch_avatar.models import JobRef, SynthesisJob
    from batch_avatar.receipt import Attempt
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.client import AvatarClient

SUMMARY_SECONDS = 60.0  # for a summary from its first byte to its last
ABSENT_SECONDS = 5.0  # at most, between two looks that find a job absent; a choice, as the service may lag behind
MAX_SUMMARY_BYTES = 10_000_000  # a summary repeats the input, which is at most 500 KB


class AbsentOnce(Exception):
    """The service says not to know a job. It may lag behind, so whoever asked asks again, after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"ask again in {seconds} s")
        self.seconds = seconds


def absent_pause(c: Connections) -> float:
    """Return how many seconds to wait between two looks that find a job absent."""
    return min(c.settings.poll_interval_seconds, ABSENT_SECONDS)


def read_job(run: Run, ref: JobRef) -> SynthesisJob:
    """Return the job as the service shows it now, with fresh links.

    Raises:
        AbsentOnce: it is absent, and was not yet so long ago; the caller waits and does all of its work again.
        AlreadyArchived, ClaimedElsewhere: the job is gone because another run was faster.
        ResultLost: the job is gone and there is no receipt.
    """
    c = run.connections
    try:
        job = c.resource_of(ref.resource).client.get(ref.service_id)
    except JobNotFound:
        _look_for_a_faster_run(c, ref)
    else:
        run.absent_since.pop(ref.service_id, None)
        return job
    now, pause = c.clock.monotonic(), absent_pause(c)
    if now - run.absent_since.setdefault(ref.service_id, now) < pause:
        raise AbsentOnce(pause)
    raise ResultLost(
        "the service no longer knows the job and there is no receipt; it was probably billed, "
        "so it is not rendered again by itself",
        script_id=ref.script_id,
        job_id=ref.job_id,
    )


def _look_for_a_faster_run(c: Connections, ref: JobRef) -> None:
    """Raise `AlreadyArchived` or `ClaimedElsewhere` if another run has archived the job, or has given it up."""
    receipt = c.archive.read_receipt(ref.script_id, ref.content_id)
    if receipt is not None:
        raise AlreadyArchived(receipt)
    held = c.archive.read_claim(ref.script_id, ref.content_id)
    if held is not None and (receipt := rescue_receipt(c.archive, held.claim)) is not None:
        raise AlreadyArchived(receipt)
    if held is not None and (held.claim.last.number != ref.attempt or held.claim.last.ended is not None):
        raise ClaimedElsewhere(f"another run has given up attempt {ref.attempt}")


def job_failed(c: Connections, ref: JobRef, job: SynthesisJob) -> JobFailed:
    """Return the error for a job that ended `Failed`, with the reasons that its summary adds."""
    reason = job.error_message or "the service gives no reason"
    more = [error for error in _summary_errors(c.resource_of(ref.resource).client, job) if reason not in error]
    return JobFailed(
        " - ".join(dict.fromkeys([reason, *more])),
        code=job.error_code,
        job=job,
        script_id=ref.script_id,
        worth_another_attempt=not blames_input(job.error_code),
    )


def proven_end(run: Run, ref: JobRef, job: SynthesisJob) -> SynthesisJob:
    """Return the job if there is something to archive: it has succeeded, or its result is there all the same.

    A job that shows a result without having succeeded is read once more, and its link is tried.

    Raises:
        JobFailed, JobOverdue, StillRunning: there is no result.
        TransferError: it cannot be told now whether there is one.
        AlreadyArchived, ClaimedElsewhere, ResultLost: the job is gone, as `read_job` says.
    """
    if job.odd:
        job = read_job(run, ref)
    if job.status == JobStatus.SUCCEEDED or (job.odd and has_result(run, ref, job)):
        return job
    if job.status == JobStatus.FAILED:
        raise job_failed(run.connections, ref, job)
    if reason := run.connections.resource_of(ref.resource).deadlines.overdue(job):
        raise JobOverdue(reason, job=job, script_id=ref.script_id)
    raise StillRunning(f"the job is {job.status}", script_id=ref.script_id, job_id=ref.job_id)


def has_result(run: Run, ref: JobRef, job: SynthesisJob) -> bool:
    """Return whether the job shows a result that can be fetched. Raises as `Outputs.has_result` does. Blocking."""
    return Outputs(run, ref, job, read=partial(_read_again, run, ref)).has_result()


def archive_job(run: Run, ref: JobRef, *, without_side_files: bool) -> Receipt:
    """Copy a job's outputs into the archive, verify them, and write the receipt.

    `without_side_files`: write the receipt even if summary or subtitles are missing.

    Raises:
        SideFileMissing: the video is safe; retry this step.
        JobFailed, JobOverdue, StillRunning, ResultLost: there is nothing to copy.
        AlreadyArchived: another run was faster.
        TransferError, ArchiveError: nothing is lost; the job is kept.
    """
    c = run.connections
    resource = c.resource_of(ref.resource)
    job = run.ended.get(ref.service_id) if ref.input else run.ended.pop(ref.service_id, None)
    if job is None or job.result_link is None:
        job = read_job(run, ref)
    job = _as_member(run, ref, job) if ref.input else proven_end(run, ref, job)
    claim = _note_success(c, ref, job)
    built_in_voice = bool(claim and claim.form.get("use_built_in_voice"))
    outputs = Outputs(run, ref, job, read=partial(_read_again, run, ref), built_in_voice=built_in_voice)
    video = outputs.move("result", "video")
    side_files, missing = outputs.move_side_files(without=without_side_files)
    late = ["link"] if outputs.link_refused else []
    billing = job.billing
    looked_for = set() if missing else {"link"}  # a link to what is missing may be the one that was refused
    if (stored := side_files["summary"]) and (summary := read_summary(c.archive, ref, stored)):
        looked_for |= {"summary", "avatar"}
        late += summary_doubts(summary, claim, service_id=job.service_id, internal_id=job.internal_id)
        if resource.client.service_names_jobs:  # in this generation only the summary tells the billed seconds
            billing = billing | summary.billing
    if claim and is_substitute(claim.form, job) and "avatar" not in late:
        late.append("avatar")
    target = c.archive.output_blob(ref, video.blob_name.rpartition("/")[2])
    video = note_late_doubts(target, video, late, looked_for=looked_for)
    billed = job.model_copy(update={"billing": billing})
    receipt = c.archive.write_receipt(
        Receipt(
            **ref.model_dump(exclude={"resource"}),
            internal_id=job.internal_id,
            run=run.name,
            resource=resource.host,
            api_version=c.settings.api_version,
            archived_at=c.clock.now(),
            created_at=job.created_at,
            last_action_at=job.last_action_at,
            duration_milliseconds=outputs.duration_milliseconds,
            billing=billing,
            billed_seconds=billed.billed_seconds,
            billed_characters=billed.billed_characters,
            video=video,
            summary=side_files["summary"],
            subtitles=side_files["subtitles"],
            missing=tuple(missing),
            revision=claim.revision if claim else 0,
            **(claim.kinds()._asdict() if claim else {}),
            predicted_seconds=claim.predicted_seconds if claim else None,
            attempts=claim.attempts if claim else (),
            form=form_digests(claim.form) if claim else {},
            columns=claim.columns if claim else {},
        )
    )
    if receipt.run != run.name:
        raise AlreadyArchived(receipt)
    return receipt


def _read_again(run: Run, ref: JobRef) -> SynthesisJob:
    """Read the job again for fresh links. Raises as `read_job` does, and for a pack as `_as_member` does."""
    c = run.connections
    job = read_job(run, ref)
    if not ref.input:
        return job
    if c.staging is not None:
        c.staging.look_again(ref.job_id)
    return _as_member(run, ref, job)


def _as_member(run: Run, ref: JobRef, job: SynthesisJob) -> SynthesisJob:
    """Return the pack's job with this script's share of the bill, if this script's video lies in staging.

    Raises:
        AlreadyArchived, ClaimedElsewhere: there is no video because another run was faster.
        ResultLost: the video is gone, or the job with it.
        JobFailed: the job has ended without this video.
        JobOverdue: the job is late and has not written this video yet.
        StillRunning: the job has not ended and is not late.
    """
    c = run.connections
    pack = load_pack(run, ref.job_id)
    mine = job.model_copy(update={"billing": shared_billing(pack, job, ref.input), "duration_milliseconds": None})
    overdue = c.resource_of(ref.resource).deadlines.overdue(job)
    if not job.ended and not overdue:
        raise StillRunning(f"the job is {job.status}", script_id=ref.script_id, job_id=ref.job_id)
    staging = check_staging(c, pack)
    if staging.video(ref.job_id, ref.input) is not None:
        return mine
    read_job(run, ref)  # raises if the job has been deleted since it was seen, and its videos with it
    if (receipt := c.archive.read_receipt(ref.script_id, ref.content_id)) is not None:
        raise AlreadyArchived(receipt)
    staging.look_again(ref.job_id)  # the container may have been listed before the job wrote its last video
    if staging.video(ref.job_id, ref.input) is not None:
        return mine
    if overdue:
        raise JobOverdue(overdue, job=mine, script_id=ref.script_id)
    if not job.terminal:
        raise StillRunning(f"the job is {job.status}", script_id=ref.script_id, job_id=ref.job_id)
    said = decode_results(staging.summary(ref.job_id) or {})
    own = said[ref.input - 1] if len(said) >= ref.input else None
    failed = own is not None and (own.error is not None or own.status == JobStatus.FAILED)
    if job.status == JobStatus.SUCCEEDED and not failed and not run.permits.rerender_lost:
        raise ResultLost(
            f"the job succeeded, and its video of input {ref.input} is not in the staging container; it was probably "
            "billed, so it is not rendered again by itself",
            script_id=ref.script_id,
            job_id=ref.job_id,
        )
    reason = (own and own.error) or job.error_message or "the job ended without a video for this input"
    raise JobFailed(
        f"input {ref.input} of {len(pack.members)}: {reason}",
        code=job.error_code,
        job=mine,
        script_id=ref.script_id,
        worth_another_attempt=True,  # sent alone, the script shows whether the fault is its own
    )


def _note_success(c: Connections, ref: JobRef, job: SynthesisJob) -> Claim | None:
    """Note in the claim, before any output is copied, that the attempt was paid for and is not given up.

    The run that sent the job may have died before it noted this. With the note the script is not sent again as if
    nobody had paid for it, even if job, video or receipt are gone one day.

    Raises:
        ArchiveUnavailable: another run has just written to the claim; the retries of the step have the pauses.
    """
    paid_at = job.created_at or c.clock.now()

    def noted(attempt: Attempt) -> Attempt:
        if attempt.job_id != ref.job_id:
            return attempt
        return attempt.model_copy(update={"accepted_at": attempt.accepted_at or paid_at, "ended": None, "over": False})

    def change(claim: Claim) -> Claim:
        return claim.model_copy(update={"attempts": tuple(noted(attempt) for attempt in claim.attempts)})

    try:
        return rewrite(c, ref, change)
    except LostRace as error:
        raise ArchiveUnavailable(error.message, script_id=ref.script_id, job_id=ref.job_id) from None


def _summary_errors(client: AvatarClient, job: SynthesisJob) -> list[str]:
    """Return the errors in a failed job's summary; empty if the summary cannot be read, or its link is not opened."""
    link = job.summary_link.get_secret_value() if job.summary_link else ""
    try:
        if not split_link(link).scheme:
            return []
        with client.open_output(link, seconds=SUMMARY_SECONDS) as response:
            results = decode_summary(response.raw.read(MAX_SUMMARY_BYTES))
    except (LinkRefused, TransferError, ResultLost, ValueError, *NO_ANSWER):
        return []
    return [result.error for result in results if result.error]
