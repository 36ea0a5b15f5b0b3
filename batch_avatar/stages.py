"""The four steps of one script as plain async functions: the seam under tasks, command line and benchmarks.

Each takes the connections and one small frozen value, and can be taken again at any time.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch_avatar.connect import current
from batch_avatar.errors import (
    ArchiveConflict,
    BatchAvatarError,
    DeleteRefused,
    JobFailed,
    JobNotFound,
    JobOverdue,
    LateSuccess,
    RequestRefused,
    SideFileMissing,
    StillRunning,
)
from batch_avatar.identity import derive_content_id, signed_properties
from batch_avatar.models import FailureFacts, JobRef, JobStatus
from batch_avatar.outputs import archive_job, job_failed, read_job
from batch_avatar.plan import Plan, reconcile
from batch_avatar.records import DeadLetter, Proof, Receipt, Superseded
from batch_avatar.submission import Submission, update_last

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from batch_avatar.connect import Connections
    from batch_avatar.models import Script, SynthesisJob

logger = logging.getLogger(__name__)

SIDE_FILE_DELAYS_SECONDS = (2.0, 10.0, 30.0)
"""Summary and subtitles were seen missing on jobs that had succeeded; after these waits the video goes without."""
WAIT_WINDOW_SECONDS = 600.0
"""One wait for a job ends after this long and is taken again, so that a flow engine sees that it lives."""


@dataclass(frozen=True)
class Chain:
    """The steps as the runner calls them: plain stages, or the same wrapped in tasks."""

    submit: Callable[[Script], Awaitable[JobRef]]
    wait: Callable[[JobRef], Awaitable[JobRef]]
    archive: Callable[[JobRef], Awaitable[Receipt]]
    delete: Callable[[Proof], Awaitable[None]]


async def plan(scripts: Sequence[Script]) -> Plan:
    """What a run would do. Reads the service first, then the archive; changes nothing."""
    c = current()
    jobs = await c.control(lambda: [job for page in c.client.list_pages() for job in page.jobs])
    index = await c.control(c.archive.index, [script.script_id for script in scripts])
    return reconcile(scripts, archive_id=c.archive.archive_id, jobs=jobs, index=index)


async def submit(script: Script) -> JobRef:
    """The script's job, created or adopted. Errors as `Submission.submit`."""
    c = current()
    with _about(script_id=script.script_id):
        return await Submission(c, script).submit()


async def wait(ref: JobRef) -> JobRef:
    """The same job once it has succeeded.

    Raises:
        JobFailed: the service gave up.
        JobOverdue, StillRunning: it may still finish.
        AlreadyArchived, ResultLost: it is gone.
    """
    c = current()
    with _about(script_id=ref.script_id, job_id=ref.job_id):
        try:
            job = await c.watcher.wait(ref.service_id, window_seconds=WAIT_WINDOW_SECONDS)
        except JobNotFound:
            job = await c.control(read_job, c, ref)
        if job.status == JobStatus.FAILED:
            raise await c.control(job_failed, c, ref, job)
        if job.status != JobStatus.SUCCEEDED:
            raise StillRunning(f"the job is {job.status}")
        return ref


async def archive(ref: JobRef) -> Receipt:
    """The receipt, once video, summary and subtitles are in the container. Errors as `archive_job`."""
    c = current()
    with _about(script_id=ref.script_id, job_id=ref.job_id):
        for delay in SIDE_FILE_DELAYS_SECONDS:
            try:
                return await c.transfer(archive_job, c, ref, without_side_files=False)
            except SideFileMissing as error:
                logger.warning("%s: %s", ref.script_id, error)
            await c.clock.sleep(delay)
        return await c.transfer(archive_job, c, ref, without_side_files=True)


async def delete(proof: Proof) -> None:
    """Delete the remote job; the proof says that nothing is lost. Already gone is fine.

    Raises:
        LateSuccess: the job was given up and has succeeded since; it is left to be archived.
        DeleteRefused: it has not ended, or moved on, or is not the one that failed; it is left alone.
    """
    c = current()
    ref = proof.ref() if isinstance(proof, Receipt) else proof.ref
    with _about(script_id=ref.script_id, job_id=ref.job_id):
        if not isinstance(proof, Receipt):
            try:
                job = await c.control(c.client.get, ref.service_id)
            except JobNotFound:
                return
            if job.status == JobStatus.SUCCEEDED:
                await update_last(c, ref, {"ended": None})
                raise LateSuccess("the job was given up and has succeeded after all")
            if proof.internal_id != job.internal_id:
                raise DeleteRefused("the job is not the one that failed; it is not deleted")
            if not job.terminal and c.deadlines.overdue(job) is None:
                raise DeleteRefused(f"the job has moved on and is {job.status}; it is not deleted")
        await c.control(c.client.delete, ref.service_id)


async def record_failure(script: Script, ref: JobRef, error: JobFailed | JobOverdue) -> Superseded | DeadLetter:
    """Write down why an attempt is given up, before anything of it is deleted.

    Superseded, in the claim, where another attempt is due; else a dead letter.

    Raises:
        JobOverdue: no attempt is left, and the job may still finish: it is left alone.
        ClaimedElsewhere: another run has gone on to another attempt.
    """
    c = current()
    again = isinstance(error, JobOverdue) or error.worth_another_attempt
    last = ref.attempt >= c.settings.max_attempts
    if last and isinstance(error, JobOverdue):
        raise error
    await update_last(c, ref, {"ended": f"{error.code}: {error.message}"})
    if again and not last:
        return Superseded(ref=ref, internal_id=error.job.internal_id, reason=str(error))
    return await c.control(c.archive.write_dead_letter, _dead_letter(c, script, ref, error, error.job))


async def record_refusal(script: Script, error: RequestRefused) -> DeadLetter:
    """A dead letter for a script that the service refused; it has no job."""
    c = current()
    content_id = derive_content_id(script, archive_id=c.archive.archive_id)
    held = await c.control(c.archive.read_claim, script.script_id, content_id)
    if held is None:
        raise ArchiveConflict("the claim has disappeared", script_id=script.script_id, job_id=error.job_id)
    return await c.control(c.archive.write_dead_letter, _dead_letter(c, script, held.claim.ref(), error, None))


def _dead_letter(
    c: Connections, script: Script, ref: JobRef, error: BatchAvatarError, job: SynthesisJob | None
) -> DeadLetter:
    return DeadLetter(
        ref=ref,
        internal_id=job.internal_id if job else None,
        run=c.run,
        written_at=c.clock.now(),
        failure=facts_of(error),
        request_id=error.request_id,
        billing=job.billing if job else {},
        billed_seconds=job.billed_seconds if job else 0,
        billed_characters=job.billed_characters if job else 0,
        script=script.model_dump(mode="json", exclude_none=True, exclude=set(signed_properties(script))),
    )


def facts_of(error: BatchAvatarError) -> FailureFacts:
    """The error as reports and dead letters show it."""
    return FailureFacts.model_validate({"class": str(error.failure_class), "code": error.code, "message": str(error)})


@contextmanager
def _about(*, script_id: str, job_id: str | None = None) -> Iterator[None]:
    """Name script and job in an error that was raised where they were not known."""
    try:
        yield
    except BatchAvatarError as error:
        error.about(script_id=script_id, job_id=job_id)
        raise
