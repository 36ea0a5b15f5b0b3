"""A batch: the order of the scripts, the window in front of the steps, and an outcome for every script."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from batch_avatar import stages
from batch_avatar.connect import CONTROL_THREADS, Connections, current
from batch_avatar.errors import (
    AccessRefused,
    AlreadyArchived,
    BatchAvatarError,
    FailureClass,
    InputError,
    JobFailed,
    JobOverdue,
    LateSuccess,
    RequestRefused,
    Stopped,
)
from batch_avatar.models import BatchReport, FailureFacts, JobRef, Outcome, OutcomeKind
from batch_avatar.plan import PlanItem, PlanState
from batch_avatar.progress import Event, Phase
from batch_avatar.records import DeadLetter, Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.clock import Clock
    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.stages import Chain

logger = logging.getLogger(__name__)

SYSTEMIC = 5
"""So many scripts refused in a row with one code: it is not the scripts (design, section 4)."""

FIRST = {PlanState.ALIVE: 0, PlanState.CLAIMED: 1}
FINAL = frozenset({FailureClass.INPUT, FailureClass.JOB, FailureClass.LOST})
"""Classes that waiting does not mend: such a script is `failed`; with any other it is `unfinished`."""


def new_run_name(clock: Clock) -> str:
    """A name for a run that sorts by time, e.g. 20261121-093012-3f2a."""
    return f"{clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


async def render_scripts(scripts: Sequence[Script], chain: Chain, *, retry_failed: bool = False) -> BatchReport:
    """Render what is missing, inside open connections; the report is also written to the archive.

    Tells every step of every script to the connections' `listeners`.

    One bad script never stops the others; only refused access and systemic refusals stop new creates.

    Raises:
        InputError: a script_id is given twice.
        ServiceError, ArchiveError: before the first create, where service or archive cannot be read.
    """
    if twice := [name for name, count in Counter(script.script_id for script in scripts).items() if count > 1]:
        raise InputError(f"given twice: {', '.join(twice)}")
    c = current()
    c.retry_failed = retry_failed
    return await _Batch(c, chain).run(scripts)


class _Batch:
    def __init__(self, connections: Connections, chain: Chain) -> None:
        self._c = connections
        self._chain = chain
        self._outcomes: dict[str, Outcome] = {}
        self._script_of_job: dict[str, str] = {}
        self._stop: asyncio.Future[BatchAvatarError] = asyncio.get_running_loop().create_future()
        self._leftovers = asyncio.Semaphore(CONTROL_THREADS)
        self._refusals: list[str] = []
        self._billed: defaultdict[str, Counter[str]] = defaultdict(Counter)

    async def run(self, scripts: Sequence[Script]) -> BatchReport:
        for script in scripts:
            self._c.tell(Event(script.script_id, Phase.WAITING))
        plan = await stages.plan(scripts)
        logger.info("plan: %s", ", ".join(f"{count} {state}" for state, count in plan.counts().items()))
        self._c.job_listeners.append(self._job_changed)
        try:
            async with asyncio.TaskGroup() as group:
                for item in sorted(plan.items, key=lambda item: FIRST.get(item.state, 2)):
                    if (outcome := self._settled(item)) is not None:
                        self._end(outcome)
                        if item.leftover:
                            group.create_task(self._delete_leftover(item))
                    elif await self._admitted(item):
                        group.create_task(self._script(item.script), name=item.script.script_id)
                    else:
                        self._end(_outcome_of(self._stop.result(), item.script.script_id))
        finally:
            self._c.job_listeners.remove(self._job_changed)
        report = build_report(self._c.run, [self._outcomes[script.script_id] for script in scripts])
        self._c.report = report
        try:
            await self._c.control(self._c.archive.write_run_document, self._c.run, "report.json", report.to_json())
        except BatchAvatarError as error:
            logger.warning("the report cannot be written to the archive: %s", error)
        return report

    def _settled(self, item: PlanItem) -> Outcome | None:
        """The outcome of a script that needs no step."""
        ref = item.ref()
        outcome = Outcome(script_id=ref.script_id, job_id=ref.job_id, outcome=OutcomeKind.FAILED)
        if item.state is PlanState.ARCHIVED:
            prefix = self._c.archive.prefix_of(ref)
            return outcome.model_copy(update={"outcome": OutcomeKind.SKIPPED, "blob_prefix": prefix})
        if item.failure is not None and not (item.state is PlanState.DEAD and self._c.retry_failed):
            return outcome.model_copy(update={"error": item.failure})
        return None

    async def _delete_leftover(self, item: PlanItem) -> None:
        """A run died between receipt and delete: the job goes now."""
        async with self._leftovers:
            try:
                receipt = await self._c.control(self._c.archive.read_receipt, item.script.script_id, item.content_id)
            except BatchAvatarError as error:
                logger.warning("the receipt of %s cannot be read, its job stays: %s", item.script.script_id, error)
                return
            if receipt is not None:
                await self._delete(receipt)

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

    async def _script(self, script: Script) -> None:
        try:
            outcome = await self._render(script)
        except BatchAvatarError as error:
            outcome = self._outcome_of_error(error, script.script_id)
        except Exception as error:
            logger.exception("script %s ended by a mistake of this program", script.script_id)
            facts = {"class": FailureClass.UNKNOWN, "code": type(error).__name__, "message": "see the log"}
            outcome = Outcome(
                script_id=script.script_id,
                outcome=OutcomeKind.UNFINISHED,
                error=FailureFacts.model_validate(facts),
            )
        self._end(outcome)

    async def _render(self, script: Script) -> Outcome:
        try:
            finished = await self._finished_job(script)
        finally:
            self._c.admission.leave()
        if isinstance(finished, DeadLetter):
            return _outcome_of_letter(finished)
        receipt = await self._chain.archive(finished)
        await self._delete(receipt)
        return Outcome(
            script_id=script.script_id,
            job_id=receipt.job_id,
            outcome=OutcomeKind.ARCHIVED,
            blob_prefix=self._c.archive.prefix_of(receipt),
            billed_seconds=receipt.billed_seconds,
            billed_characters=receipt.billed_characters,
        )

    async def _finished_job(self, script: Script) -> JobRef | DeadLetter:
        """The job that succeeded, after as many attempts as are due, or the letter that says why not."""
        while True:
            try:
                ref = await self._chain.submit(script)
            except RequestRefused as error:
                return await self._refused(script, error)
            self._refusals.clear()
            self._script_of_job[ref.service_id] = script.script_id
            self._c.tell(Event(script.script_id, Phase.CREATED, ref.job_id))
            try:
                return await self._chain.wait(ref)
            except (JobFailed, JobOverdue) as error:
                logger.warning("attempt %d of %s ended: %s", ref.attempt, script.script_id, error)
                self._billed[script.script_id].update(seconds=error.job.billed_seconds)
                self._billed[script.script_id].update(characters=error.job.billed_characters)
                proof = await stages.record_failure(script, ref, error)
                try:
                    await self._chain.delete(proof)
                except LateSuccess:
                    return ref
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

    def _outcome_of_error(self, error: BatchAvatarError, script_id: str) -> Outcome:
        if isinstance(error, AlreadyArchived):
            prefix = self._c.archive.prefix_of(error.receipt)
            return Outcome(script_id=script_id, job_id=error.job_id, outcome=OutcomeKind.SKIPPED, blob_prefix=prefix)
        if isinstance(error, AccessRefused):
            self._stop_with(error)
        return _outcome_of(error, script_id)

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


def build_report(run: str, outcomes: Sequence[Outcome]) -> BatchReport:
    """Scripts in equal outcomes out."""
    kinds = Counter(outcome.outcome for outcome in outcomes)
    return BatchReport(
        run=run,
        scripts=len(outcomes),
        archived=kinds[OutcomeKind.ARCHIVED],
        skipped=kinds[OutcomeKind.SKIPPED],
        failed=kinds[OutcomeKind.FAILED],
        unfinished=kinds[OutcomeKind.UNFINISHED],
        billed_seconds=sum(outcome.billed_seconds for outcome in outcomes),
        billed_characters=sum(outcome.billed_characters for outcome in outcomes),
        outcomes=tuple(outcomes),
    )


def _outcome_of(error: BatchAvatarError, script_id: str) -> Outcome:
    return Outcome(
        script_id=script_id,
        job_id=error.job_id,
        outcome=OutcomeKind.FAILED if error.failure_class in FINAL else OutcomeKind.UNFINISHED,
        error=stages.facts_of(error),
    )


def _outcome_of_letter(letter: DeadLetter) -> Outcome:
    return Outcome(
        script_id=letter.ref.script_id,
        job_id=letter.ref.job_id,
        outcome=OutcomeKind.FAILED,
        error=letter.failure,
    )
