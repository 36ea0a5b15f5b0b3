"""A batch: the order of the scripts, the window in front of the steps, and an outcome for every script."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from batch_avatar import stages
from batch_avatar.connect import CONTROL_THREADS, Connections, current
from batch_avatar.errors import (
    AccessRefused,
    AlreadyArchived,
    ArchiveRefused,
    BatchAvatarError,
    DeleteRefused,
    FailureClass,
    InputError,
    JobFailed,
    JobOverdue,
    LateSuccess,
    RequestRefused,
    Stopped,
)
from batch_avatar.models import FailureFacts, JobRef, Outcome, OutcomeKind, Permits
from batch_avatar.outcomes import archived, build_report, outcome_of_error, outcome_of_letter, settled
from batch_avatar.plan import PlanItem, PlanState
from batch_avatar.progress import Event, Phase
from batch_avatar.records import DeadLetter, Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.models import BatchReport, Script, SynthesisJob
    from batch_avatar.stages import Chain

logger = logging.getLogger(__name__)

SYSTEMIC = 5
"""So many scripts refused in a row with one code: it is not the scripts (design, section 4)."""

FIRST = {PlanState.ALIVE: 0, PlanState.CLAIMED: 1, PlanState.LOST: 1}
REPORT_SECONDS = 10.0  # for the report of a stopped run, of the 30 in which it ends


async def render_scripts(scripts: Sequence[Script], chain: Chain, *, permits: Permits | None = None) -> BatchReport:
    """Render what is missing, inside open connections; the report is also written to the archive.

    Tells every step of every script to the connections' `listeners`.

    One bad script never stops the others; only refused access and systemic refusals stop new creates. When the task
    is cancelled nothing new is sent, transfers stop at their next piece, and the connections' `report` says what is
    left in flight.

    Raises:
        InputError: a script_id is given twice.
        ServiceError, ArchiveError: before the first create, where service or archive cannot be read.
    """
    if twice := [name for name, count in Counter(script.script_id for script in scripts).items() if count > 1]:
        raise InputError(f"given twice: {', '.join(twice)}")
    c = current()
    c.permits = permits or Permits()
    return await _Batch(c, chain).run(scripts)


class _Batch:
    def __init__(self, connections: Connections, chain: Chain) -> None:
        self._c = connections
        self._chain = chain
        self._outcomes: dict[str, Outcome] = {}
        self._begun: set[str] = set()
        self._script_of_job: dict[str, str] = {}
        self._job_of: dict[str, str] = {}
        self._stop: asyncio.Future[BatchAvatarError] = asyncio.get_running_loop().create_future()
        self._storage_refusals = 0
        self._leftovers = asyncio.Semaphore(CONTROL_THREADS)
        self._refusals: list[str] = []
        self._billed: defaultdict[str, Counter[str]] = defaultdict(Counter)

    async def run(self, scripts: Sequence[Script]) -> BatchReport:
        for script in scripts:
            self._c.tell(Event(script.script_id, Phase.WAITING))
        plan = await stages.plan(scripts)
        logger.info("plan: %s", ", ".join(f"{count} {state}" for state, count in plan.counts().items()))
        self._c.revisions = {item.script.script_id: item.revision for item in plan.items}
        self._c.alive = {item.script.script_id for item in plan.items if item.state is PlanState.ALIVE}
        self._c.job_listeners.append(self._job_changed)
        try:
            async with asyncio.TaskGroup() as group:
                for item in sorted(plan.items, key=lambda item: FIRST.get(item.state, 2)):
                    if (outcome := settled(item, prefix=self._c.archive.prefix_of(item.ref()))) is not None:
                        self._end(outcome)
                        if item.leftovers:
                            group.create_task(self._delete_leftovers(item))
                    elif await self._admitted(item):
                        group.create_task(self._script(item), name=item.script.script_id)
                    else:
                        self._end(self._outcome_of(self._stop.result(), item))
        except asyncio.CancelledError:
            self._c.stopping.throw()
            self._stopped(plan.items)
            with suppress(TimeoutError):
                async with asyncio.timeout(REPORT_SECONDS):
                    await self._report(scripts)
            raise
        finally:
            self._c.job_listeners.remove(self._job_changed)
        return await self._report(scripts)

    async def _report(self, scripts: Sequence[Script]) -> BatchReport:
        report = build_report(self._c.run, [self._outcomes[script.script_id] for script in scripts])
        self._c.report = report
        try:
            await self._c.control(self._c.archive.write_run_document, self._c.run, "report.json", report.to_json())
        except BatchAvatarError as error:
            logger.warning("the report cannot be written to the archive: %s", error)
        return report

    def _stopped(self, items: Sequence[PlanItem]) -> None:
        """Say of every script that has not ended where it stands."""
        for item in items:
            if (script_id := item.script.script_id) in self._outcomes:
                continue
            job_id = self._job_of.get(script_id)
            where = "its job goes on at the service" if job_id else "it was not sent in this run"
            if job_id is None and script_id in self._begun:
                where = "it may just have been sent, the next run finds that out"
            error = Stopped(f"the run was stopped; {where}", job_id=job_id)
            self._outcomes[script_id] = self._outcome_of(error, item)

    async def _delete_leftovers(self, item: PlanItem) -> None:
        """A run died between receipt and delete, or paid twice for one name: the jobs go now."""
        async with self._leftovers:
            try:
                receipt = await self._c.control(self._c.archive.read_receipt, item.script.script_id, item.content_id)
            except BatchAvatarError as error:
                logger.warning("the receipt of %s cannot be read, its job stays: %s", item.script.script_id, error)
                return
            if receipt is not None:
                for service_id in item.leftovers:
                    await self._delete(receipt.model_copy(update={"service_id": service_id}))

    async def _admitted(self, item: PlanItem) -> bool:
        """Wait until this script may start; False once the run takes no more."""
        if self._stop.done():
            return False
        admission = self._c.admission
        enter = admission.adopt() if item.state in FIRST else admission.enter()
        entering = asyncio.ensure_future(enter)
        try:
            waited: set[asyncio.Future[Any]] = {entering, self._stop}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not entering.done():
                entering.cancel()
        if self._stop.done():
            if entering.done() and not entering.cancelled():
                admission.leave()
            return False
        return True

    async def _script(self, item: PlanItem) -> None:
        self._begun.add(item.script.script_id)
        try:
            outcome = await self._render(item)
        except BatchAvatarError as error:
            if isinstance(error, AccessRefused):
                self._stop_with(error)
            outcome = self._outcome_of(error, item)
            if isinstance(error, AlreadyArchived) and error.receipt.run == self._c.run:  # rebuilt, and paid in this run
                outcome = archived(error.receipt, prefix=self._c.archive.prefix_of(error.receipt))
        except Exception as error:
            logger.exception("script %s ended by a mistake of this program", item.script.script_id)
            facts = {"class": FailureClass.UNKNOWN, "code": type(error).__name__, "message": "see the log"}
            outcome = Outcome(
                script_id=item.script.script_id,
                outcome=OutcomeKind.UNFINISHED,
                error=FailureFacts.model_validate(facts),
            )
        self._end(outcome)

    async def _render(self, item: PlanItem) -> Outcome:
        try:
            if item.state is PlanState.DAMAGED:
                await self._c.control(self._c.archive.retire_receipt, item.script.script_id, item.content_id)
            finished = await self._finished_job(item.script)
        finally:
            self._c.admission.leave()
        if isinstance(finished, DeadLetter):
            return outcome_of_letter(finished)
        try:
            receipt = await self._archive(finished)
        except AlreadyArchived as error:
            await self._clean_up(error.receipt, item, finished)
            raise
        await self._clean_up(receipt, item, finished)
        return archived(
            receipt, prefix=self._c.archive.prefix_of(receipt), extras=item.paid_beside(finished.service_id)
        )

    async def _clean_up(self, receipt: Receipt, item: PlanItem, ref: JobRef) -> None:
        """The receipt makes a dead letter void, and the jobs superfluous unless its video is doubtful."""
        if item.letter:
            await self._c.control(self._c.archive.delete_dead_letter, item.content_id)
        if not receipt.video.doubtful:
            for service_id in {ref.service_id, *item.named}:
                await self._delete(receipt.model_copy(update={"service_id": service_id}))

    async def _archive(self, ref: JobRef) -> Receipt:
        """The receipt. Videos that the storage does not take stay at the service, and no more of them are ordered."""
        try:
            receipt = await self._chain.archive(ref)
        except ArchiveRefused as error:
            self._storage_refusals += 1
            if self._storage_refusals >= SYSTEMIC:
                text = f"the storage refused {SYSTEMIC} videos in a row ({error.message}), so no more are sent"
                self._stop_with(Stopped(text, code="StorageRefused"))
            raise
        self._storage_refusals = 0
        return receipt

    async def _finished_job(self, script: Script) -> JobRef | DeadLetter:
        """The job that succeeded, after as many attempts as are due, or the letter that says why not."""
        while True:
            try:
                ref = await self._chain.submit(script)
            except RequestRefused as error:
                return await self._refused(script, error)
            self._refusals.clear()
            self._script_of_job[ref.service_id], self._job_of[script.script_id] = script.script_id, ref.job_id
            self._c.tell(Event(script.script_id, Phase.CREATED, ref.job_id))
            try:
                return await self._chain.wait(ref)
            except (JobFailed, JobOverdue) as error:
                logger.warning("attempt %d of %s ended: %s", ref.attempt, script.script_id, error)
                self._billed[script.script_id].update(seconds=error.job.billed_seconds)
                self._billed[script.script_id].update(characters=error.job.billed_characters)
                proof = await stages.record_failure(stages.script_record(script), ref, error)
                try:
                    await self._chain.delete(proof)
                except LateSuccess:
                    return ref
                except DeleteRefused:
                    if isinstance(error, JobOverdue):
                        raise error from None  # it may still finish, so it is neither replaced nor called failed
                    raise
                if isinstance(proof, DeadLetter):
                    return proof

    async def _refused(self, script: Script, error: RequestRefused) -> DeadLetter:
        """The service will never take this script as it is. Five in a row with one code are no accident."""
        self._refusals.append(error.code)
        if self._refusals[-SYSTEMIC:] == [error.code] * SYSTEMIC:
            self._stop_with(
                Stopped(
                    f"{SYSTEMIC} scripts in a row were refused with {error.code} ({error.message}); that is hardly "
                    "the scripts' fault, so no more are sent. Mend the common cause and run again with retry_failed",
                    code="Systemic",
                )
            )
        return await stages.record_refusal(script, error)

    async def _delete(self, receipt: Receipt) -> None:
        """A job that cannot be deleted now costs nothing: the video is safe, and it expires by itself."""
        try:
            await self._chain.delete(receipt)
        except BatchAvatarError as error:
            logger.warning("archived, but the remote job stays for now: %s", error)
        except Exception:
            logger.exception("archived, but the remote job of %s stays for now", receipt.script_id)

    def _outcome_of(self, error: BatchAvatarError, item: PlanItem) -> Outcome:
        return outcome_of_error(error, item.script.script_id, prefix=self._c.archive.prefix_of(item.ref()))

    def _stop_with(self, error: BatchAvatarError) -> None:
        if not self._stop.done():
            logger.error("no more jobs are created: %s", error)
            self._stop.set_result(error)

    def _job_changed(self, job: SynthesisJob) -> None:
        script_id = self._script_of_job.get(job.service_id)
        phase = {"Running": Phase.RUNNING, "Succeeded": Phase.RENDERED}.get(job.status)
        if script_id and phase:
            self._c.tell(Event(script_id, phase, job.service_id))

    def _end(self, outcome: Outcome) -> None:
        earlier = self._billed[outcome.script_id]  # attempts that were given up may have been billed as well
        outcome = outcome.model_copy(
            update={
                "billed_seconds": outcome.billed_seconds + earlier["seconds"],
                "billed_characters": outcome.billed_characters + earlier["characters"],
            }
        )
        self._outcomes[outcome.script_id] = outcome
        text = outcome.error.message if outcome.error else outcome.blob_prefix or ""
        self._c.tell(Event(outcome.script_id, Phase(outcome.outcome.value), outcome.job_id, text))
