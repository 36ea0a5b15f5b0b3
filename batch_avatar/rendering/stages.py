"""The four steps of one script as plain async functions, which tasks, command line and benchmarks all call.

Each step works in the current run, takes small frozen values, and can be retried at any time.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from batch_avatar.archive.records import DeadLetter, Proof, SettledPack, Superseded
from batch_avatar.errors import (
    ArchiveConflict,
    BatchAvatarError,
    ClaimedElsewhere,
    CreateUnclear,
    DeleteRefused,
    FailureClass,
    JobFailed,
    JobNotFound,
    JobOverdue,
    LateSuccess,
    RequestRefused,
    ServiceError,
    ServiceUnavailable,
    SideFileMissing,
    StillRunning,
)
from batch_avatar.identity import signed_properties
from batch_avatar.models import JobRef, JobStatus
from batch_avatar.receipt import Receipt
from batch_avatar.rendering.archiving import archive_job, job_failed, read_job
from batch_avatar.rendering.claims import update_last
from batch_avatar.rendering.outcomes import facts_of
from batch_avatar.rendering.pack_draft import PackDraft
from batch_avatar.rendering.packs.submission import PackSubmission
from batch_avatar.rendering.run import current_run
from batch_avatar.rendering.submission import Submission

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.receipt import Attempt
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource

T = TypeVar("T")

logger = logging.getLogger(__name__)

SIDE_FILE_DELAYS_SECONDS = (2.0, 10.0, 30.0)
"""Waits for summary and subtitles, which were seen missing on jobs that had succeeded; then the video goes without."""
WAIT_WINDOW_SECONDS = 600.0
"""One wait for a job ends after this long and is retried, so that a flow engine sees that the run is alive."""


async def submit(script: Script, host: str = "") -> JobRef:
    """Create the script's job on this resource, or adopt it wherever it is. Raises as `Submission.submit` does."""
    run = current_run()
    c = run.connections
    with _about(script_id=script.script_id):
        submission = Submission(run, script, c.resource_of(host))
        if submission.resource.watcher.down:
            await submission.resource.watcher.answering()
        try:
            return await _outlasting(lambda: submission.resource, submission.submit)
        except ServiceError as error:
            error.resource = submission.resource.host
            raise


async def submit_pack(scripts: tuple[Script, ...], host: str = "") -> tuple[JobRef, ...]:
    """Create one job for these scripts; return it once for each input. Raises as `PackSubmission.submit` does."""
    run = current_run()
    c = run.connections
    resource = c.resource_of(host)
    key = (host, *(script.script_id for script in scripts))
    new = PackDraft({script.script_id: script for script in scripts}, written_at=c.clock.now())
    submission = PackSubmission(run, resource, run.drafts.setdefault(key, new))
    try:
        refs = await _outlasting(lambda: resource, submission.submit)
    except BatchAvatarError as error:
        if not error.retriable:
            del run.drafts[key]
        raise
    del run.drafts[key]
    return refs


async def wait(ref: JobRef) -> JobRef:
    """Wait until the job has succeeded, and return `ref`.

    Raises:
        JobFailed: the service gave up.
        JobOverdue, StillRunning: the job may still finish.
        AlreadyArchived, ResultLost: the job is gone.
    """
    run = current_run()
    c = run.connections
    with _about(script_id=ref.script_id, job_id=ref.job_id):
        resource = c.resource_of(ref.resource)
        try:
            job = await resource.watcher.wait(
                ref.service_id,
                window_seconds=WAIT_WINDOW_SECONDS,
                expected_seconds=run.expected_seconds.get(ref.script_id),
            )
        except JobNotFound:
            job = await _outlasting(lambda: resource, partial(c.control, read_job, c, ref))
        if job.status == JobStatus.FAILED:
            if ref.input:
                run.ended[ref.service_id] = job  # its videos may exist all the same; each member looks for its own
            raise await c.control(job_failed, c, ref, job)
        if job.status != JobStatus.SUCCEEDED:
            raise StillRunning(f"the job is {job.status}")
        run.ended[ref.service_id] = job
        return ref


async def archive(ref: JobRef) -> Receipt:
    """Archive video, summary and subtitles, and return the receipt. Raises as `archive_job` does."""
    run = current_run()
    c = run.connections
    with _about(script_id=ref.script_id, job_id=ref.job_id):
        resource = c.resource_of(ref.resource)
        for delay in SIDE_FILE_DELAYS_SECONDS:
            try:
                whole = partial(c.transfer, archive_job, run, ref, without_side_files=False)
                return await _outlasting(lambda: resource, whole)
            except SideFileMissing as error:
                logger.warning("%s: %s", ref.script_id, error)
            await c.clock.sleep(delay)
        rest = partial(c.transfer, archive_job, run, ref, without_side_files=True)
        return await _outlasting(lambda: resource, rest)


async def delete(proof: Proof) -> None:
    """Delete the remote job; the proof says that nothing is lost by it. A job that is already gone is no error.

    Raises:
        LateSuccess: the job was given up and has succeeded since; it is kept to be archived.
        DeleteRefused: the job has not ended, has moved on, or is not the one that failed; it is kept.
    """
    run = current_run()
    c = run.connections
    ref = proof.ref() if isinstance(proof, Receipt) else proof.ref
    with _about(script_id=ref.script_id, job_id=ref.job_id):
        resource = c.resource_of(ref.resource)
        if isinstance(proof, Receipt | SettledPack):
            if isinstance(proof, SettledPack) and c.staging is not None:
                await c.control(c.staging.remove, ref.job_id)  # first: later nobody would look for them
            await _outlasting(lambda: resource, partial(c.control, resource.client.delete, ref.service_id))
        else:
            await _outlasting(lambda: resource, partial(_delete_given_up, c, resource, proof))


async def _delete_given_up(c: Connections, resource: Resource, proof: DeadLetter | Superseded) -> None:
    """Delete a job that was given up, after reading it again: it may have moved on since the proof was written."""
    ref, members = proof.ref, proof.members if isinstance(proof, Superseded) else ()
    job = await c.control(resource.client.look, ref)
    if job is not None:
        if job.status == JobStatus.SUCCEEDED:
            if not members:
                await update_last(c, ref, {"ended": None, "over": False})
            await _update_members(c, members, {"ended": None, "over": False})
            if isinstance(proof, DeadLetter):
                await c.control(c.archive.delete_dead_letter, ref.content_id)
            raise LateSuccess("the job was given up and has succeeded after all")
        if proof.internal_id != job.internal_id:
            raise DeleteRefused("the job is not the one that failed; it is not deleted")
        if not job.terminal and resource.deadlines.overdue(job) is None:
            raise DeleteRefused(f"the job has moved on and is {job.status}; it is not deleted")
        await c.control(resource.client.delete, ref.service_id)
    await _update_members(c, members or (ref,), {"over": True})


async def _update_members(c: Connections, refs: Sequence[JobRef], changes: Mapping[str, object]) -> None:
    """Change the claims of the members for which this is still the last attempt; for the others it is irrelevant."""

    async def update(ref: JobRef) -> None:
        with suppress(ClaimedElsewhere):
            await update_last(c, ref, changes)

    await asyncio.gather(*(update(ref) for ref in refs))  # at once: after a kill in between some would count as lost


async def record_failure(
    script: Mapping[str, Any], ref: JobRef, error: JobFailed | JobOverdue
) -> Superseded | DeadLetter:
    """Record why an attempt is given up, before anything of it is deleted. `script`: what `script_record` returns.

    If another attempt is due, the claim notes that this one is superseded. Otherwise a dead letter is written; a job
    that finishes after all overrules it.

    Raises:
        ClaimedElsewhere: another run has gone on to another attempt.
    """
    run = current_run()
    c = run.connections
    again = isinstance(error, JobOverdue) or error.worth_another_attempt
    last = ref.attempt >= c.settings.max_attempts
    ended = {
        "accepted_at": error.job.created_at or c.clock.now(),  # the run that sent it may have died before it noted this
        "ended": f"{error.code}: {error.message}"[:1000],
        "over": isinstance(error, JobFailed),
    }
    if again and not last:
        await update_last(c, ref, ended)
        return Superseded(ref=ref, internal_id=error.job.internal_id, reason=str(error))
    held = await c.control(c.archive.read_claim, ref.script_id, ref.content_id)
    if held is None or held.claim.last.number != ref.attempt:
        raise ClaimedElsewhere(f"another run has gone on from attempt {ref.attempt}")
    attempts = (*held.claim.attempts[:-1], held.claim.last.model_copy(update=ended))
    letter = _dead_letter(run, script, ref, error, job=error.job, attempts=attempts)
    await c.control(c.archive.write_dead_letter, letter)  # first: an ended claim without a letter may be sent again
    await update_last(c, ref, ended)
    return letter


async def record_refusal(script: Script, error: RequestRefused) -> DeadLetter:
    """Write a dead letter for a script that the service refused; such a script has no job."""
    run = current_run()
    c = run.connections
    held = await c.control(c.archive.read_claim, script.script_id, run.content_id_of(script))
    if held is None:
        raise ArchiveConflict("the claim has disappeared", script_id=script.script_id, job_id=error.job_id)
    if held.claim.last.accepted_at is not None:
        raise ClaimedElsewhere("another run's create was accepted meanwhile", job_id=held.claim.last.job_id)
    letter = _dead_letter(run, script_record(script), held.claim.ref(), error, job=None, attempts=held.claim.attempts)
    return await c.control(c.archive.write_dead_letter, letter)


def script_record(script: Script) -> dict[str, Any]:
    """Return the script as dead letters keep it: properties that hold a signature are null."""
    signed = signed_properties(script)
    return script.model_dump(mode="json", exclude_none=True, exclude=set(signed)) | dict.fromkeys(signed)


def _dead_letter(
    run: Run,
    script: Mapping[str, Any],
    ref: JobRef,
    error: BatchAvatarError,
    *,
    job: SynthesisJob | None,
    attempts: tuple[Attempt, ...],
) -> DeadLetter:
    return DeadLetter(
        ref=ref,
        internal_id=job.internal_id if job else None,
        run=run.name,
        batch=run.batch,
        written_at=run.connections.clock.now(),
        failure=facts_of(error).model_copy(update={"failure_class": FailureClass.JOB} if job else {}),
        request_id=error.request_id,
        billing=job.billing if job else {},
        billed_seconds=job.billed_seconds if job else 0,
        billed_characters=job.billed_characters if job else 0,
        attempts=attempts,
        script=dict(script),
    )


async def _outlasting(resource: Callable[[], Resource], work: Callable[[], Awaitable[T]]) -> T:
    """Do the work, and do it again after an outage of its resource; that spends no retry."""
    while True:
        try:
            return await work()
        except (ServiceUnavailable, CreateUnclear) as error:
            logger.info("checking whether the service answers at all: %s", error)
            if not await resource().watcher.answering():
                raise


@contextmanager
def _about(*, script_id: str, job_id: str | None = None) -> Iterator[None]:
    """Add script and job to an error that was raised where they were not known."""
    try:
        yield
    except BatchAvatarError as error:
        error.about(script_id=script_id, job_id=job_id)
        raise
