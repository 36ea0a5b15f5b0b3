"""The state of a batch: which job each script has, how it ended, what it cost, and why creates stopped."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from batch_avatar.errors import BatchAvatarError, Stopped
from batch_avatar.rendering.outcomes import outcome_of_error
from batch_avatar.rendering.progress import Event, Phase
from batch_avatar.scripts.spool import OutcomeSpool
from batch_avatar.service.resource import SYSTEMIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from batch_avatar.errors import ArchiveRefused, JobFailed, JobOverdue
    from batch_avatar.models import Outcome, SynthesisJob
    from batch_avatar.planning.plan import PlanItem
    from batch_avatar.receipt import Receipt
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource

logger = logging.getLogger(__name__)


class BatchState:
    """What the walks of one batch have noted so far. `stop` is done, with the reason, once no more creates are sent."""

    def __init__(
        self, run: Run, script_ids: Iterable[str], columns_of: Callable[[int], dict[str, str] | None] = lambda _: None
    ) -> None:
        self._run = run
        self._c = run.connections
        self.outcomes = OutcomeSpool(script_ids, columns_of)
        self.begun: set[str] = set()
        self.job_of: dict[str, str] = {}
        self.stop: asyncio.Future[BatchAvatarError] = asyncio.get_running_loop().create_future()
        self.on_set_aside: Callable[[], None] = lambda: None
        self._scripts_of: defaultdict[str, set[str]] = defaultdict(set)
        self._billed: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def sent(self, script_id: str, job_id: str, service_id: str) -> None:
        """Note that the script has this job, and tell the listeners."""
        self.job_of[script_id] = job_id
        self._scripts_of[service_id].add(script_id)
        self._run.tell(Event(script_id, Phase.CREATED, job_id))

    def through(self, script_id: str, service_id: str, host: str = "") -> None:
        """Note that the script no longer needs this job. `host`: the resource that has it."""
        scripts = self._scripts_of[service_id]
        scripts.discard(script_id)
        if not scripts:
            del self._scripts_of[service_id]
            if (resource := self._c.resources.get(host)) is not None:
                resource.deadlines.forget(service_id)

    def job_changed(self, job: SynthesisJob) -> None:
        """Tell the listeners about the new status, once for every script that this job renders."""
        phase = {"Running": Phase.RUNNING, "Succeeded": Phase.RENDERED}.get(job.status)
        if phase is not None:
            for script_id in tuple(self._scripts_of.get(job.service_id, ())):
                self._run.tell(Event(script_id, phase, job.service_id))

    def bill(self, script_id: str, error: JobFailed | JobOverdue) -> None:
        """Add the cost of an attempt that is given up, because it may have been billed as well."""
        seconds, characters = error.job.billed_seconds, error.job.billed_characters
        self._billed[script_id].update(seconds=seconds, characters=characters)
        self._run.spending.settle(error.job.job_id, script_id, seconds=seconds, characters=characters)

    def note_refusal(self, resource: Resource) -> None:
        """Set the resource aside if it refused too many scripts in a row; a refused script is never taken as it is."""
        if (reason := resource.systemic()) is not None:
            self.set_aside(resource, reason)

    def note_unarchived(self, error: ArchiveRefused) -> None:
        """Stop all creates if the storage refused too many videos in a row; they stay at the service."""
        self._run.storage_refusals.note(("refused",), error.job_id or error.script_id)
        if self._run.storage_refusals.systemic:
            text = f"the storage refused {SYSTEMIC} videos in a row ({error.message}), so no more are sent"
            self.stop_with(Stopped(text, code="StorageRefused"))

    def note_archived(self, receipt: Receipt) -> None:
        """Stop all creates if too many videos in a row are doubtful for one reason; all would be paid for."""
        self._run.storage_refusals.note()
        self._run.doubts.note(set(receipt.video.doubtful) - self._run.known_doubts, receipt.job_id)
        if reasons := self._run.doubts.systemic:
            text = (
                f"{SYSTEMIC} videos in a row are doubtful for the same reason, {' and '.join(reasons)}, so no more are "
                f"sent. Look at one, for example in {self._c.archive.prefix_of(receipt)}, and at its remote job "
                f"{receipt.job_id}, which is kept; if such videos are as you want them, run again"
            )
            self.stop_with(Stopped(text, code="Doubtful"))

    def set_aside(self, resource: Resource, error: BatchAvatarError) -> None:
        """Send nothing more to this resource; once every resource is set aside, stop all creates."""
        if resource.set_aside is None:
            resource.set_aside = error
            self.on_set_aside()
            if len(self._c.resources) > 1:
                logger.error("%s is set aside: %s", resource.name, error)
        if all(known.set_aside is not None for known in self._c.resources.values()):
            self.stop_with(error)

    def stop_with(self, error: BatchAvatarError) -> None:
        if not self.stop.done():
            logger.error("no more jobs are created: %s", error)
            self._run.halted = error
            self.stop.set_result(error)

    def outcome_of(self, error: BatchAvatarError, item: PlanItem) -> Outcome:
        return outcome_of_error(error, item.script_id, prefix=self._c.archive.prefix_of(item.ref()))

    def end(self, outcome: Outcome) -> None:
        """Note a script's outcome, add the cost of its earlier attempts, and tell the listeners."""
        earlier = self._billed.pop(outcome.script_id, Counter())
        outcome = outcome.model_copy(
            update={
                "billed_seconds": outcome.billed_seconds + earlier["seconds"],
                "billed_characters": outcome.billed_characters + earlier["characters"],
            }
        )
        self.outcomes.add(outcome)
        self.job_of.pop(outcome.script_id, None)
        self.begun.discard(outcome.script_id)
        text = outcome.error.message if outcome.error else outcome.blob_prefix or ""
        self._run.tell(Event(outcome.script_id, Phase(outcome.outcome.value), outcome.job_id, text, outcome))

    def stopped(self, items: Iterable[PlanItem]) -> None:
        """Note an outcome for every script that has not ended; its message says where the script stands."""
        for item in items:
            if self.outcomes.has(script_id := item.script_id):
                continue
            job_id = self.job_of.get(script_id)
            where = "its job goes on at the service" if job_id else "it was not sent in this run"
            if job_id is None and script_id in self.begun:
                where = "it may just have been sent; the next run finds out"
            error = Stopped(f"the run was stopped; {where}", job_id=job_id)
            self.outcomes.add(self.outcome_of(error, item))
