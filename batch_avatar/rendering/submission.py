"""Send one script, and send it again only when that is safe. What is safe, `planning/decision.py` decides.

A claim in the archive is written before the first send; a run that loses this conditional write adopts the other run's
job and never creates one. After a create whose answer is lost, the job is looked for twice before the same request is
sent again. The rules are in docs/architecture.md.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.archive.rescue import rescue_receipt
from batch_avatar.errors import (
    AccessRefused,
    AlreadyArchived,
    BatchAvatarError,
    ClaimedElsewhere,
    CreateGivenUp,
    CreateUnclear,
    FailureClass,
    JobError,
    JobExists,
    NoMoreSent,
    RequestRefused,
    ResultLost,
    Throttled,
)
from batch_avatar.identity import archive_of, derive_job_id, mark_description
from batch_avatar.models import JobStatus
from batch_avatar.planning.decision import LOOKS, Move, Rules, Seen, decide
from batch_avatar.planning.stubborn import MAX_SENDS, PutOff, unclear
from batch_avatar.rendering.claims import CLAIM_WRITES, ClaimTooOld, new_claim, update_last
from batch_avatar.rendering.creates import send_create
from batch_avatar.scripts.rules import with_defaults

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from batch_avatar.archive.records import Claim, Held
    from batch_avatar.models import JobRef, Script, SynthesisJob
    from batch_avatar.receipt import Attempt, Receipt
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource

logger = logging.getLogger(__name__)

MAX_ATTEMPT_NUMBER = 99  # two digits are all that `identity.parse_job_id` reads


class Submission:
    """The submission of one script, with exactly one accepted create per attempt."""

    def __init__(self, run: Run, script: Script, resource: Resource) -> None:
        self._run = run
        self._c = run.connections
        self.resource = resource
        """Where the script is sent and its job is looked for. A claim that binds it to another one changes this."""
        self._script = script
        self._written_at = self._c.clock.now()
        self._absent_since, self._lost_races = 0.0, 0
        self._looked_for: Attempt | None = None
        self._content_id = run.content_id_of(script)
        settings = self._c.settings
        self._put_off = PutOff(settings.job_deadline_seconds)
        self._rules = Rules(
            holder=run.holder,
            resources=frozenset(self._c.resources),
            claim_seconds=settings.claim_seconds,
            settle_seconds=settings.settle_seconds if resource.client.service_names_jobs else 0.0,
            retry_failed=run.permits.retry_failed,
        )

    async def submit(self) -> JobRef:
        """Create the job of this script, or adopt it.

        Raises:
            AlreadyArchived: another run was faster.
            RequestRefused, AccessRefused, CreateGivenUp: the service refuses; the last, for now, time after time.
            ResultLost: the job was paid for and is gone.
            CreateUnclear, ServiceUnavailable, ArchiveUnavailable: it is not known yet whether there is a job; retry.
        """
        sends = looks = 0
        words: CreateUnclear | JobExists | None = None
        held = await self._write(self._c.archive.create_claim, self._claim(number=1))
        move = Move.SEND if held and self._script.script_id not in self._run.alive else Move.LOOK_AGAIN
        while True:
            if move is Move.SEND and held:
                if sends == MAX_SENDS:
                    raise unclear(sends, words, held.claim.last.job_id)
                looks = 0
                try:
                    return await self._send(held)
                except (Throttled, ClaimTooOld):  # not sent, or refused for certain: no look is needed
                    held, move = await self._carry_out(Move.SEND, Seen(held, None, None, LOOKS))
                    continue
                except (JobExists, CreateUnclear) as error:
                    logger.warning("looking for the job before it is sent again: %s", error)
                    words = error
                    sends += 1
                except (AccessRefused, RequestRefused, NoMoreSent, CreateGivenUp) as error:
                    if sends == 0:  # after an unclear create the job may exist all the same
                        with suppress(BatchAvatarError):  # a note for later runs; the refusal is what matters now
                            await update_last(self._c, held.claim.ref(), {"refused": True}, holder=self._run.holder)
                    raise error from None
            await self._c.clock.sleep(self._pause(move, looks))
            seen = await self._observe(looks)
            looks = seen.looks
            move = decide(seen, self._rules)
            if move is Move.ADOPT and seen.held and seen.job:
                return await self._adopt(seen.held, seen.job)
            if move is Move.SEND and seen.held:
                self._run.stubborn[self.resource.host].check(seen.held.claim.last.job_id)
            held, move = await self._carry_out(move, seen)

    def _pause(self, move: Move, looks: int) -> float:
        """Return the seconds until another look is worthwhile; the first look after a first lost race needs no wait."""
        if move is Move.LOOK_AGAIN and looks == 0 and self._lost_races < 2:  # noqa: PLR2004
            return 0.0
        return max(min(self._c.settings.poll_interval_seconds, 5.0), self._rules.settle_seconds if looks else 0.0)

    async def _carry_out(self, move: Move, seen: Seen) -> tuple[Held | None, Move]:
        """Write what the move needs. A lost conditional write means that another run moved, so look again."""
        archive, held = self._c.archive, seen.held
        match move:
            case Move.ARCHIVED if seen.receipt:
                raise AlreadyArchived(seen.receipt)
            case Move.LOST if held:
                held = await self._lost(held)
            case Move.ELSEWHERE if held:
                self._c.resource_of(held.claim.resource)
            case Move.CLAIM:
                held = await self._write(archive.create_claim, self._claim(number=1))
            case Move.SEND if held:
                await self.resource.admission.turn()
                held = await self._write(archive.replace_claim, held, held.claim)
            case Move.TAKE_OVER if held:
                await self.resource.admission.turn()
                claim = self._claim(number=held.claim.last.number, before=held.claim.attempts[:-1])
                logger.info("taking over the claim of run %s for %s", held.claim.run, claim.script_id)
                held = await self._write(archive.replace_claim, held, claim)
            case Move.NEXT_ATTEMPT if held:
                if held.claim.last.input and (receipt := await self._rescued(held.claim)):
                    raise AlreadyArchived(receipt)
                await self._given_up(held.claim)
                spent = held.claim.last.number >= self._c.settings.max_attempts and not self._run.permits.retry_failed
                if spent or held.claim.last.number >= MAX_ATTEMPT_NUMBER:
                    raise JobError(
                        f"all {held.claim.last.number} attempts are spent; the last ended: {held.claim.last.ended}",
                        code="AttemptsSpent",
                        script_id=self._script.script_id,
                        job_id=held.claim.last.job_id,
                    )
                held = await self._next_attempt(held.claim.attempts, held)
            case _:
                return held, move
        return held, Move.SEND if held else Move.LOOK_AGAIN

    async def _rescued(self, claim: Claim) -> Receipt | None:
        return await self._c.control(rescue_receipt, self._c.archive, claim)

    async def _given_up(self, claim: Claim) -> bool:
        """Return whether there is a dead letter that may be overruled; another run may have written it meanwhile.

        Raises:
            JobError: there is one that may not be overruled.
        """
        letter = await self._c.control(self._c.archive.read_dead_letter, claim.content_id)
        if letter is None or letter.ref.attempt < claim.last.number:
            return False
        if letter.failure.failure_class == FailureClass.INPUT and claim.last.accepted_at is not None:
            return False  # another run's create was refused, but one was accepted all the same
        had_its_word = (letter.batch or letter.run) == (self._run.batch or self._run.name)  # before a restart
        if not self._run.permits.retry_failed or had_its_word:
            raise JobError(letter.failure.message, code=letter.failure.code, job_id=letter.ref.job_id)
        return True

    async def _lost(self, held: Held) -> Held | None:
        """Handle a job that was paid for and is gone: its video may be here; if not, only a person may pay again."""
        receipt = await self._rescued(held.claim)
        if receipt is not None:
            raise AlreadyArchived(receipt)
        if not await self._given_up(held.claim) and not self._run.permits.rerender_lost:
            raise ResultLost(
                "the service had accepted this job and no longer knows it, and there is no receipt; it was "
                "probably billed, so it is not rendered again by itself",
                script_id=self._script.script_id,
                job_id=held.claim.last.job_id,
            )
        gone = held.claim.last.model_copy(update={"ended": "the result was lost", "over": True})
        return await self._next_attempt((*held.claim.attempts[:-1], gone), held)

    async def _next_attempt(self, before: tuple[Attempt, ...], held: Held) -> Held | None:
        await self.resource.admission.turn()
        claim = self._claim(number=held.claim.last.number + 1, before=before)
        return await self._write(self._c.archive.replace_claim, held, claim)

    async def _observe(self, looks: int) -> Seen:
        """Look at the service, then at claim and receipt: in the other order a finishing run looks like a lost job."""
        held = await self._c.control(self._c.archive.read_claim, self._script.script_id, self._content_id)
        looked_at = self._c.clock.monotonic()
        if held is not None:
            self._follow(held.claim)
            job = await self._c.control(self.resource.client.look, held.claim.ref())
            if job is not None:
                return Seen(held, job, None, 0)
        receipt = await self._c.control(self._c.archive.read_receipt, self._script.script_id, self._content_id)
        again = await self._c.control(self._c.archive.read_claim, self._script.script_id, self._content_id)
        last = held.claim.last if held is not None else None
        if again is None or again.claim.last != last:
            return Seen(again, None, receipt, 0)
        if looks == 0 or last != self._looked_for:  # looks by what was known before do not count
            looks, self._looked_for, self._absent_since = 0, last, looked_at
        return Seen(again, None, receipt, looks + 1, looked_at - self._absent_since)

    def _follow(self, claim: Claim) -> None:
        """Turn to the resource where this claim's job may be; a job that was never made binds the script to none."""
        known = self._c.resources.get(claim.resource)
        never = claim.last.refused and claim.last.accepted_at is None
        moves = never or (claim.last.over and known is not None and known.set_aside is not None)
        if known is not None and not moves:
            self.resource = known

    async def _write(self, write: Callable[..., Held | None], *given: object) -> Held | None:
        """Write the claim and remember when, because a create may be sent only shortly after.

        Raises:
            ClaimedElsewhere: other runs keep writing to the claim.
        """
        self._written_at = self._c.clock.now()
        held = await self._c.control(write, *given)
        self._lost_races = 0 if held else self._lost_races + 1
        if self._lost_races == CLAIM_WRITES:
            raise ClaimedElsewhere("other runs keep writing to the claim; run it again to see what became of it")
        return held

    async def _send(self, held: Held) -> JobRef:
        """Send the create once, unless the claim has become so old that another run may soon take it over."""
        ref = held.claim.ref()
        mark = mark_description(self._script.description, self._c.archive.archive_id)
        create = partial(self.resource.client.create, with_defaults(self._script), job_id=ref.job_id, description=mark)
        try:
            job = await send_create(
                self._run,
                self.resource,
                create,
                job_id=ref.job_id,
                scripts=(self._script,),
                written_at=self._written_at,
                put_off=self._put_off,
            )
        except RequestRefused as error:
            self.resource.refused(error)  # at once: creates that are about to be sent look at it
            raise
        return await self._note(held, job, answered_at=self._c.clock.now())

    async def _adopt(self, held: Held, job: SynthesisJob) -> JobRef:
        """Adopt another run's job, or one of ours whose answer was lost."""
        if not self._c.archive.accepts(archive_of(job.description)):
            raise ClaimedElsewhere(
                "a job with this id exists and carries the mark of another archive", job_id=held.claim.last.job_id
            )
        written_at = self._c.clock.now() - timedelta(seconds=held.age_seconds)  # the create was answered before that
        noted_at = held.claim.last.answered_at
        return await self._note(held, job, answered_at=min(noted_at, written_at) if noted_at else written_at)

    async def _note(self, held: Held, job: SynthesisJob, *, answered_at: datetime) -> JobRef:
        """Note in the claim that the job is paid for, since when, and, once it has succeeded, that it is not given up.

        `answered_at`: when its create was answered, by our own clock, or the latest time at which that can have been.
        """
        claim = held.claim
        self.resource.deadlines.note_created(job.service_id, answered_at)
        changes: dict[str, object] = {} if claim.last.answered_at else {"answered_at": answered_at}
        if claim.last.accepted_at is None:
            changes["accepted_at"] = job.created_at or self._c.clock.now()
        if claim.last.refused:
            changes["refused"] = False
        if self.resource.client.service_names_jobs and claim.last.service_id != job.service_id:
            changes["service_id"] = job.service_id
        if claim.last.ended is not None and job.status == JobStatus.SUCCEEDED:
            changes |= {"ended": None, "over": False}
        if changes:
            await update_last(self._c, claim.ref(), changes, held=held)
        if self._script.destination_container_url is not None:
            self._run.destinations[claim.last.job_id] = self._script.destination_container_url
        return claim.ref().model_copy(update={"service_id": job.service_id})

    def _claim(self, *, number: int, before: tuple[Attempt, ...] = ()) -> Claim:
        job_id = derive_job_id(self._script.script_id, self._content_id, number)
        return new_claim(self._run, self._script, self.resource, *before, self._run.attempt(number, job_id))
