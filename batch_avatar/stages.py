"""The four steps of one script as plain async functions: the seam under tasks, command line and benchmarks.

Each takes the connections and one small frozen value, and can be taken again at any time.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch_avatar.connect import current
from batch_avatar.errors import (
    ArchiveConflict,
    BatchAvatarError,
    JobFailed,
    JobNotFound,
    JobOverdue,
    RequestRefused,
    StillRunning,
)
from batch_avatar.identity import derive_content_id
from batch_avatar.models import FailureFacts, JobRef, JobStatus
from batch_avatar.outputs import archive_job, job_failed, read_job
from batch_avatar.plan import Plan, reconcile
from batch_avatar.records import DeadLetter, Proof, Receipt, Superseded
from batch_avatar.submission import Submission

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from batch_avatar.connect import Connections
    from batch_avatar.models import Script, SynthesisJob

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
        return await Submission(c, script, c.run).submit()


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
        return await c.transfer(archive_job, c, ref)


async def delete(proof: Proof) -> None:
    """Delete the remote job; the proof says that nothing is lost. Already gone is fine.

    Raises:
        DeleteRefused: the job has not ended; it is left alone.
        RequestRefused: another job has the id by now; it is left alone.
    """
    c = current()
    ref = proof.ref() if isinstance(proof, Receipt) else proof.ref
    with _about(script_id=ref.script_id, job_id=ref.job_id):
        if not isinstance(proof, Receipt):
            try:
                job = await c.control(c.client.get, ref.service_id)
            except JobNotFound:
                return
            if proof.internal_id != job.internal_id:
                raise RequestRefused("the job is not the one that failed; it is not deleted")
        await c.control(c.client.delete, ref.service_id)


async def record_failure(script: Script, ref: JobRef, error: JobFailed | JobOverdue) -> Superseded | DeadLetter:
    """Write down why an attempt is given up, before anything of it is deleted.

    Superseded, in the claim, where another attempt is due; else a dead letter.

    Raises:
        JobOverdue: no attempt is left, and the job may still finish: it is left alone.
    """
    c = current()
    again = isinstance(error, JobOverdue) or error.worth_another_attempt
    if not again or ref.attempt >= c.settings.max_attempts:
        if isinstance(error, JobOverdue):
            raise error
        return await c.control(c.archive.write_dead_letter, _dead_letter(c, script, ref, error, error.job))
    held = await c.control(c.archive.read_claim, ref.script_id, ref.content_id)
    if held is not None and held.claim.last.number == ref.attempt:
        ended = held.claim.last.model_copy(update={"ended": f"{error.code}: {error.message}"})
        claim = held.claim.model_copy(update={"attempts": (*held.claim.attempts[:-1], ended)})
        await c.control(c.archive.replace_claim, held, claim)
    return Superseded(ref=ref, internal_id=error.job.internal_id, reason=str(error))


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
        created=job is not None,
        run=c.run,
        written_at=c.clock.now(),
        failure=facts_of(error),
        request_id=error.request_id,
        billing=job.billing if job else {},
        billed_seconds=job.billed_seconds if job else 0,
        billed_characters=job.billed_characters if job else 0,
        script=script.model_dump(mode="json", exclude_none=True, exclude={"destination_container_url"}),
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
