"""Give up an attempt: note why, in the claim or in a dead letter, and only then delete its job."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from batch_avatar.archive.records import DeadLetter, Superseded
from batch_avatar.errors import (
    ArchiveConflict,
    BatchAvatarError,
    ClaimedElsewhere,
    DeleteRefused,
    FailureClass,
    JobFailed,
    JobOverdue,
    LateSuccess,
    RequestRefused,
)
from batch_avatar.identity import signed_properties
from batch_avatar.models import JobStatus
from batch_avatar.planning.decision import fails_alike
from batch_avatar.rendering.archiving import absent_pause, has_result
from batch_avatar.rendering.claims import update_last
from batch_avatar.rendering.outcomes import facts_of
from batch_avatar.rendering.run import current_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batch_avatar.models import JobRef, Script, SynthesisJob
    from batch_avatar.receipt import Attempt
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource


async def delete_given_up(run: Run, resource: Resource, proof: DeadLetter | Superseded) -> None:
    """Delete a job that was given up, after reading it again: it may have moved on since the proof was written.

    Raises:
        LateSuccess: it has succeeded since, or shows a result that is there.
        DeleteRefused: it has not ended, has moved on, or is not the one that was given up.
        TransferError: it shows a result, and it cannot be told now whether that is there.
    """
    c = run.connections
    ref, members = proof.ref, proof.members if isinstance(proof, Superseded) else ()
    job = await c.control(resource.client.look, ref)
    if job is None:  # one answer is not believed: a job that is alive must not be replaced
        await c.clock.sleep(absent_pause(c))
        job = await c.control(resource.client.look, ref)
    if job is not None:
        shown = not members and await c.control(has_result, run, ref, job)  # those of a pack have looked for theirs
        if job.status == JobStatus.SUCCEEDED or (shown and job.odd):
            if not members:
                await update_last(c, ref, {"ended": None, "over": False})
            await _update_members(c, members, {"ended": None, "over": False})
            if isinstance(proof, DeadLetter):
                await c.control(c.archive.delete_dead_letter, ref.content_id)
            raise LateSuccess("the job was given up and has succeeded after all")
        if proof.internal_id != job.internal_id:
            raise DeleteRefused("the job is not the one that failed; it is not deleted")
        if shown:
            raise DeleteRefused(f"the job is {job.status} and shows a result; it is not deleted")
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
    text = f"{error.code}: {error.message}"[:1000]
    held = await c.control(c.archive.read_claim, ref.script_id, ref.content_id)
    before = [attempt for attempt in held.claim.attempts if attempt.number < ref.attempt] if held else []
    alike = not ref.input and isinstance(error, JobFailed) and fails_alike(error.job.error_code, text, before)
    again = isinstance(error, JobOverdue) or (error.worth_another_attempt and not alike)
    last = ref.attempt >= c.settings.max_attempts
    ended = {
        "accepted_at": error.job.created_at or c.clock.now(),  # the run that sent it may have died before it noted this
        "ended": text,
        "over": isinstance(error, JobFailed),
        "billed_seconds": error.job.billed_seconds,
        "billed_characters": error.job.billed_characters,
    }
    if again and not last:
        await update_last(c, ref, ended, held=held)
        return Superseded(ref=ref, internal_id=error.job.internal_id, reason=str(error))
    if held is None or held.claim.last.number != ref.attempt:
        raise ClaimedElsewhere(f"another run has gone on from attempt {ref.attempt}")
    attempts = (*held.claim.attempts[:-1], held.claim.last.model_copy(update=ended))
    letter = _dead_letter(run, script, ref, error, job=error.job, attempts=attempts)
    await c.control(c.archive.write_dead_letter, letter)  # first: an ended claim without a letter may be sent again
    await update_last(c, ref, ended, held=held)
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
