"""The four steps of one script as plain async functions, which tasks, command line and benchmarks all call.

Each step works in the current run, takes small frozen values, and can be retried at any time.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from batch_avatar.archive.records import Proof, SettledPack
from batch_avatar.errors import (
    BatchAvatarError,
    CreateUnclear,
    JobNotFound,
    JobOverdue,
    LinkRefused,
    ServiceError,
    ServiceUnavailable,
    SideFileMissing,
    StillRunning,
    TransferError,
)
from batch_avatar.models import JobRef, JobStatus
from batch_avatar.receipt import Receipt
from batch_avatar.rendering.archiving import AbsentOnce, archive_job, job_failed, proven_end, read_job
from batch_avatar.rendering.giving_up import delete_given_up
from batch_avatar.rendering.pack_draft import PackDraft
from batch_avatar.rendering.packs.submission import PackSubmission
from batch_avatar.rendering.run import current_run
from batch_avatar.rendering.submission import Submission

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource

T = TypeVar("T")

logger = logging.getLogger(__name__)

SIDE_FILE_DELAYS_SECONDS = (2.0, 10.0, 30.0)
"""Waits for summary and subtitles, which were seen missing on jobs that had succeeded; then the video goes without."""
WAIT_WINDOW_SECONDS = 600.0
"""One wait for a job ends after this long and is retried, so that a flow engine sees that the run is alive."""
ODD_PAUSE_SECONDS = 60.0
"""The first pause before a job is asked for again that has ended and shows a result which is not there. A choice."""


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
    """Wait until the job has succeeded or has a result all the same, and return `ref`.

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
            job = await _outlasting(lambda: resource, partial(c.control, read_job, run, ref))
        if not ref.input:
            job = await _proven(run, resource, ref, job)
        else:
            job = await _by_its_id(run, resource, ref)
        run.ended[ref.service_id] = job  # of a pack that failed as well: each member looks for its own video
        if ref.input and job.status == JobStatus.FAILED:
            raise await c.control(job_failed, c, ref, job)
        return ref


async def _by_its_id(run: Run, resource: Resource, ref: JobRef) -> SynthesisJob:
    """Return a pack's job once it has ended, as the service shows it by its id; all members share one read.

    A single job is told from another by its result, which the job itself shows; the videos of a pack lie in staging.

    Raises:
        StillRunning: it has not ended.
        AlreadyArchived, ClaimedElsewhere, ResultLost: as `read_job` does.
    """
    c = run.connections
    async with run.reading[ref.service_id]:
        job = run.ended.get(ref.service_id)
        if job is None:
            job = await _outlasting(lambda: resource, partial(c.control, read_job, run, ref))
        if not job.ended:
            raise StillRunning(f"the job is {job.status}")
        run.ended[ref.service_id] = job
    return job


async def _proven(run: Run, resource: Resource, ref: JobRef, job: SynthesisJob) -> SynthesisJob:
    """Return the job if there is something to archive; raises as `proven_end` does.

    While the result that an odd job shows is not there, its slot goes to others, as the job has ended, and this waits
    ever longer before it raises what is worth a retry. After the deadline a job without a result is overdue. A result
    of which nobody can tell whether it is there has `WAIT_WINDOW_SECONDS` more: it was paid for, and may be back soon.

    Raises:
        LinkRefused: it was not back by then; nothing is given up, and the job is kept.
    """
    c = run.connections
    try:
        return await _outlasting(lambda: resource, partial(c.control, proven_end, run, ref, job))
    except (StillRunning, TransferError) as error:
        if not job.odd:
            raise
        left, now = resource.deadlines.left_seconds(job), c.clock.monotonic()
        since = now - run.odd_since.setdefault(ref.service_id, now)
        if not left and isinstance(error, StillRunning):
            raise JobOverdue(f"{error.message}, and {_deadline_passed(resource)}", job=job) from None
        if not left and since >= WAIT_WINDOW_SECONDS:
            text = f"{error.message}, and {_deadline_passed(resource)}; the job is kept, so run again later"
            raise LinkRefused(text, job_id=job.job_id) from None
        if (slot := run.slots.get(ref.script_id)) is not None:
            slot.leave()
        pause = min(left or WAIT_WINDOW_SECONDS, odd_pause_seconds(since))
        logger.warning("%s: %s; asking again in %.0f s, other scripts go on", ref.script_id, error.message, pause)
        await c.clock.sleep(pause)
        raise


def _deadline_passed(resource: Resource) -> str:
    return f"the deadline of {resource.deadlines.job_seconds:.0f} s has passed"


def odd_pause_seconds(since: float) -> float:
    """Return how long to wait for a result that has not been there `since` so many seconds: as long again. Pure."""
    return min(max(since, ODD_PAUSE_SECONDS), WAIT_WINDOW_SECONDS)


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
        LateSuccess: the job was given up and has succeeded since, or shows a result; it is kept to be archived.
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
            await _outlasting(lambda: resource, partial(delete_given_up, run, resource, proof))


async def _outlasting(resource: Callable[[], Resource], work: Callable[[], Awaitable[T]]) -> T:
    """Do the work, and do it again after an outage of its resource, or once a job was absent; that spends no retry."""
    while True:
        try:
            return await work()
        except AbsentOnce as error:
            await current_run().connections.clock.sleep(error.seconds)
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
