"""Clean up behind runs that died: archive what has succeeded, delete what is safe, record what has failed.

A sweep touches only jobs that carry this archive's mark. It is safe beside running renders: every step is one that a
render takes as well, and can be repeated.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from batch_avatar.archive.index import overtaken
from batch_avatar.archive.records import Superseded
from batch_avatar.errors import AlreadyArchived, BatchAvatarError, JobFailed, LateSuccess
from batch_avatar.identity import parse_job_id
from batch_avatar.models import JobRef, JobStatus
from batch_avatar.planning.reconciliation import own_jobs
from batch_avatar.rendering import giving_up
from batch_avatar.rendering.archiving import job_failed
from batch_avatar.rendering.connections import CONTROL_THREADS
from batch_avatar.rendering.packs.members import try_to_delete
from batch_avatar.rendering.run import current_run
from batch_avatar.scripts.findings import told
from batch_avatar.upkeep.jobs_to_sweep import read_jobs_to_sweep
from batch_avatar.upkeep.pack_sweep import settle_pack
from batch_avatar.upkeep.withdrawals import withdrawn_avatars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.models import SynthesisJob
    from batch_avatar.receipt import Receipt
    from batch_avatar.rendering.chain import Chain
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.run import Run

logger = logging.getLogger(__name__)

SOON = timedelta(hours=72)
"""A result that the service deletes within this time is reported as urgent; links were seen to live as long."""
QUIET = timedelta(hours=1)
"""A job that failed more recently is left to the run that may be waiting for it."""


class SweepAction(StrEnum):
    ARCHIVE = "archive"  # it succeeded and is not archived: archive, then delete
    DELETE = "delete"  # archived, or given up: delete
    SETTLE = "settle"  # it failed and nobody has recorded it: record, then delete
    REPORT = "report"  # a person should look
    LEAVE = "leave"  # in progress


@dataclass(frozen=True)
class SweepItem:
    """One job of ours and what to do about it; `error` says why that failed."""

    job: SynthesisJob
    ref: JobRef
    action: SweepAction
    reason: str
    expires_at: datetime | None = None
    error: str | None = None
    pack: bool = False

    @property
    def urgent(self) -> bool:
        """Whether the service will soon delete a result that is not archived."""
        kept = self.action is SweepAction.ARCHIVE and (self.job.status == JobStatus.SUCCEEDED or self.job.odd)
        return kept and self.expires_at is not None and self.expires_at - self.job.observed_at < SOON


@dataclass(frozen=True)
class SweepReport:
    """The jobs of ours. `foreign`: how many of others were left alone; `unread`: resources that could not be read.

    `withdrawn`: lines on archived scripts whose avatar the service withdraws.
    """

    items: tuple[SweepItem, ...]
    foreign: int
    dry_run: bool
    unread: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether everything is done that needs no person."""
        return not self.unread and not any(item.error for item in self.items)

    def counts(self) -> dict[SweepAction, int]:
        found = Counter(item.action for item in self.items)
        return {action: found[action] for action in SweepAction if found[action]}


def sweep_rows(report: SweepReport) -> list[dict[str, str]]:
    """Return the rows of tables and JSON: one for each job of ours that is not simply in progress."""
    return [
        {
            "job": item.job.job_id,
            "script": item.ref.script_id,
            "status": item.job.status,
            "action": str(item.action),
            "reason": item.reason,
            "expires": f"{item.expires_at:%Y-%m-%d %H:%M}" if item.expires_at else "",
            "urgent": "yes" if item.urgent else "",
            "error": item.error or "",
        }
        for item in report.items
        if item.action is not SweepAction.LEAVE
    ]


def plan_sweep(
    jobs: Iterable[SynthesisJob],
    *,
    archive_id: str,
    index: ArchiveIndex,
    overdue: Callable[[SynthesisJob], str | None],
) -> list[SweepItem]:
    """Decide about all jobs of ours, the oldest of a script first. Read the jobs before the index. Pure."""
    waiting, in_doubt = index.inputs_waiting(), index.packs_in_doubt()
    script_of = {content_id: script_id for script_id, content_id in (*index.receipts, *index.claims)}
    items = []
    for content_id, found in own_jobs(jobs, archive_id, of_other_marks=index.ids_before_repair()).items():
        for job in found:
            script_id = job.job_id if content_id in index.packs else script_of.get(content_id, "")
            parsed = parse_job_id(job.job_id)
            ref = JobRef(
                script_id=script_id,
                content_id=content_id,
                attempt=parsed[1] if parsed else 1,
                job_id=job.job_id,
                service_id=job.service_id,
                resource=job.resource,
            )
            if content_id in index.packs and job.ended:
                action, reason = _decide_pack(job, waiting[job.job_id], in_doubt=job.job_id in in_doubt)
            else:
                action, reason = _decide(job, ref, index, overdue)
            items.append(SweepItem(job, ref, action, reason, job.expires_at, pack=content_id in index.packs))
    return items


def _decide(  # noqa: C901, PLR0911 - one return per case
    job: SynthesisJob, ref: JobRef, index: ArchiveIndex, overdue: Callable[[SynthesisJob], str | None]
) -> tuple[SweepAction, str]:
    if not ref.script_id:
        return SweepAction.REPORT, "carries our mark, but no claim in the archive knows it"
    key = (ref.script_id, ref.content_id)
    if not job.ended:
        late = overdue(job)
        return (SweepAction.REPORT, late) if late else (SweepAction.LEAVE, f"is {job.status}")
    if (receipt := index.receipts.get(key)) is not None:
        if not index.video_of(key, int(receipt.get("attempt", "1"))):
            return SweepAction.REPORT, "has a receipt whose video is gone: render it again, which costs nothing"
        if doubtful := receipt.get("doubtful"):
            return SweepAction.REPORT, f"archived with doubtful {doubtful}: look at the video, then delete the job"
        return SweepAction.DELETE, "archived"
    if job.status == JobStatus.SUCCEEDED:
        return SweepAction.ARCHIVE, "succeeded, not archived"
    if job.odd:
        return SweepAction.ARCHIVE, f"is {job.status} and shows a result, not archived"
    letter = index.dead.get(ref.content_id)
    if letter is not None and not overtaken(letter, {"attempt": str(ref.attempt), "accepted": "by the service"}):
        return SweepAction.DELETE, "failed, and a dead letter says why"
    if int(index.claims[key].get("attempt", "1")) > ref.attempt:
        return SweepAction.DELETE, "failed, and replaced by a later attempt"
    if _just_now(job):
        return SweepAction.LEAVE, "failed just now"
    return SweepAction.SETTLE, "failed, not recorded"


def _decide_pack(job: SynthesisJob, waiting: int, *, in_doubt: bool) -> tuple[SweepAction, str]:
    """Decide about a pack that has ended; `waiting`: how many of its scripts wait for it."""
    if not waiting and in_doubt:
        return SweepAction.REPORT, "a pack with a doubtful video: look at the video, then delete the job"
    if not waiting:
        return SweepAction.DELETE, "a pack, and all of its scripts are settled"
    if job.status == JobStatus.FAILED and _just_now(job):
        return SweepAction.LEAVE, "failed just now"
    return SweepAction.ARCHIVE, f"a pack, and {waiting} of its scripts are not archived"


def _just_now(job: SynthesisJob) -> bool:
    return job.last_action_at is not None and job.observed_at - job.last_action_at < QUIET


async def sweep(chain: Chain, *, dry_run: bool = False) -> SweepReport:
    """Look at the jobs of all resources, inside open connections, and do what can be done.

    Raises:
        ServiceError, ArchiveError: no resource can be read, or the archive cannot.
    """
    run = current_run()
    c = run.connections
    found = await read_jobs_to_sweep(c)
    jobs, index = found.jobs, found.index
    answered = index.answered()
    for job in jobs:
        if (at := answered.get(job.job_id)) is not None:
            c.resource_of(job.resource).deadlines.note_created(job.service_id, at)
    items = plan_sweep(
        jobs,
        archive_id=c.archive.archive_id,
        index=index,
        overdue=lambda job: c.resource_of(job.resource).deadlines.overdue(job),
    )
    foreign = len({(job.resource, job.service_id) for job in jobs}) - len(items)
    if not dry_run:
        room = asyncio.Semaphore(CONTROL_THREADS)
        by_content: dict[str, list[SweepItem]] = {}
        for item in items:
            by_content.setdefault(item.ref.content_id, []).append(item)
        done = await asyncio.gather(*(_carry_out(run, chain, group, room) for group in by_content.values()))
        items = [item for group in done for item in group]
        for job_id in found.gone_packs:
            await try_to_delete(run, chain, job_id)  # there is no job, but what it wrote into staging
    withdrawn = told(withdrawn_avatars(index.receipts, c.clock.now().date()))
    return SweepReport(tuple(items), foreign, dry_run, found.unread, tuple(withdrawn))


async def _carry_out(run: Run, chain: Chain, items: Sequence[SweepItem], room: asyncio.Semaphore) -> list[SweepItem]:
    """Carry out the items of one script one after another: once the first is archived, the others are extra."""
    done = []
    async with room:
        for item in items:
            try:
                await _do(run, chain, item)
            except BatchAvatarError as error:
                logger.warning("%s: cannot %s: %s", item.job.job_id, item.action, error)
                done.append(replace(item, error=str(error)))
            else:
                done.append(item)
    return done


async def _do(run: Run, chain: Chain, item: SweepItem) -> None:
    c, ref = run.connections, item.ref
    if item.pack and item.action in (SweepAction.ARCHIVE, SweepAction.DELETE):
        await settle_pack(run, chain, ref.job_id)
        return
    receipt: Receipt | None
    match item.action:
        case SweepAction.ARCHIVE:
            try:
                known = await _receipt(c, ref)
                receipt = await chain.archive(ref) if known is None else known
            except AlreadyArchived as error:
                receipt = error.receipt
            except JobFailed as error:  # the result that it shows is not there
                if not _just_now(item.job):
                    await _settle(chain, ref, error)
                return
            if not receipt.video.doubtful:
                await chain.delete(receipt.model_copy(update={"service_id": ref.service_id, "resource": ref.resource}))
        case SweepAction.DELETE:
            receipt = await _receipt(c, ref)
            if receipt is not None:
                await chain.delete(receipt.model_copy(update={"service_id": ref.service_id, "resource": ref.resource}))
                return
            proof = Superseded(ref=ref, internal_id=item.job.internal_id, reason=item.reason)
            await _delete_given_up(chain, proof)
        case SweepAction.SETTLE:
            await _settle(chain, ref, await c.control(job_failed, c, ref, item.job))


async def _settle(chain: Chain, ref: JobRef, failure: JobFailed) -> None:
    """Record a failure that nobody has recorded, and then delete its job."""
    await chain.delete(await giving_up.record_failure({"script_id": ref.script_id}, ref, failure))


async def _receipt(c: Connections, ref: JobRef) -> Receipt | None:
    return await c.control(c.archive.read_receipt, ref.script_id, ref.content_id)


async def _delete_given_up(chain: Chain, proof: Superseded) -> None:
    """Delete a job; one that succeeds at this very moment is left for the next sweep, which archives it."""
    try:
        await chain.delete(proof)
    except LateSuccess:
        logger.info("%s has succeeded after all and stays", proof.ref.job_id)
