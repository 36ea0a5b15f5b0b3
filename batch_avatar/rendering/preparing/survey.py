"""Read first the service, then the archive, and compare both with the scripts that are wanted."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from batch_avatar.catalog.limits import limit
from batch_avatar.errors import AccessRefused, JobNotFound, ServiceError
from batch_avatar.planning.lengths import judge_lengths
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import frequent_doubts, past_renders, reconcile
from batch_avatar.planning.spent_before import spent_before
from batch_avatar.rendering.run import current_run
from batch_avatar.scripts.prediction.accuracy import accuracy
from batch_avatar.scripts.prediction.predictor import Predictor
from batch_avatar.service.answers import in_our_spelling
from batch_avatar.service.listing import NOTHING_READ
from batch_avatar.service.resource import SYSTEMIC

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.planning.plan import Plan
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.client import AvatarClient

logger = logging.getLogger(__name__)

ENOUGH_PAGES = 100
"""Of a longer list only so many pages are read, which takes half a minute: the newest 10,000 jobs, or 5,000 where each
is read twice. Jobs that open claims name and that are not among them are asked for by their ids."""


async def plan(scripts: Sequence[Script]) -> Plan:
    """Return what a run would do. Reads the service first, then the archive, and changes nothing there."""
    run = current_run()
    c = run.connections
    listed = await _listed(c)
    names = [script.script_id for script in scripts]
    index = await c.control(c.archive.index, None if run.counts_spending else names)
    if await ask_for_unseen(c, index, listed):
        index = await c.control(c.archive.index, names)  # again, or a job that was just archived would look lost
    past = list(past_renders(index))
    run.predictor, run.accuracy = Predictor(past), accuracy(past)
    if run.counts_spending:
        run.spending.take_over(spent_before(index, run.batch_name, of=set(names) if run.is_part else None))
    run.known_doubts |= frequent_doubts(index, at_least=SYSTEMIC)
    found = reconcile(
        scripts,
        archive_id=c.archive.archive_id,
        jobs=[job for read in listed.values() for job in read.jobs],
        index=index,
        resources=frozenset(listed),
        unclear={job_id for read in listed.values() for job_id in read.unclear},
        permits=run.permits.with_setting(keep_changed=c.settings.keep_changed),
        max_changed=c.settings.max_changed_scripts,
    )
    busy = {host: sum(not job.ended for job in read.jobs) for host, read in listed.items()}
    found = replace(_judge_lengths(run, found, scripts), unfinished=busy)
    for item in found.items:
        if item.state is PlanState.ALIVE and item.resource in c.resources:
            c.resources[item.resource].watcher.mine(item.pack or item.named[0])
    for host, read in listed.items():
        c.resources[host].watcher.learn(read.jobs, down_to=read.down_to)
    return found


def _judge_lengths(run: Run, found: Plan, scripts: Sequence[Script]) -> Plan:
    """Refuse the scripts whose video would be cut, and tell of those of which it may be."""
    minutes = limit("video-minutes")
    if minutes is None:
        return found
    items, warning = judge_lengths(
        found.items,
        lambda number: run.predictor.predict(scripts[number]),
        limit_seconds=minutes * 60,
        allow_long=run.permits.allow_long,
    )
    if warning:
        logger.warning("%s", warning)
    return replace(found, items=items)


@dataclass(frozen=True)
class Read:
    """The newest jobs of a resource, `down_to` the creation of the oldest of them; None if these are all.

    `unclear`: the `job_id` of jobs that the resource was asked for, and of which it did not tell whether it has them.
    """

    jobs: list[SynthesisJob]
    down_to: datetime | None = None
    unclear: set[str] = field(default_factory=set)


def unseen_jobs(index: ArchiveIndex, listed: Mapping[str, Read]) -> set[tuple[str, str]]:
    """Return host and id of jobs that open claims name and that the read part of a long list does not show. Pure.

    A claim is open until its attempt is over or its video is archived. A create that was refused has made no job; one
    that was not answered may have.
    """
    shown = {(host, job.job_id) for host, read in listed.items() for job in read.jobs}
    open_claims = (
        claim
        for key, claim in index.claims.items()
        if not claim.get("over") and (claim.get("accepted") or not claim.get("refused")) and not index.is_whole(key)
    )
    only = next(iter(listed)) if len(listed) == 1 else ""
    wanted = {(claim.get("resource") or only, claim.get("job_id", "")) for claim in open_claims}
    return {(host, job_id) for host, job_id in wanted - shown if host in listed and listed[host].down_to is not None}


def put_in_our_spelling(listed: Mapping[str, Read], index: ArchiveIndex) -> None:
    """Give jobs that the archive knows, and that are shown under an id in another case, the id that the archive has."""
    known = (index.claims, index.receipts, index.dead)
    ours = {facts.get("job_id", "") for blobs in known for facts in blobs.values()}
    for read in listed.values():
        read.jobs[:] = in_our_spelling(read.jobs, ours)


async def ask_for_unseen(
    c: Connections, index: ArchiveIndex, listed: Mapping[str, Read], *, others: Collection[tuple[str, str]] = ()
) -> bool:
    """Ask for the `unseen_jobs` and note in `listed` what is said of them. Return whether there were any to ask for.

    `others`: host and id of jobs that are asked for as well; each host is one of `listed`. If there were any, read the
    index once more, as runs may have archived these jobs since. All ids get our spelling.
    """
    put_in_our_spelling(listed, index)
    unseen = unseen_jobs(index, listed).union(others)
    await asyncio.gather(*(c.control(_ask, c, host, job_id, listed[host]) for host, job_id in unseen))
    return bool(unseen)


def _ask(c: Connections, host: str, job_id: str, read: Read) -> None:
    """Add the job of this id to what was read, if there is one, or note that the service does not tell. Blocking."""
    try:
        read.jobs.append(c.resources[host].client.get(job_id))
    except JobNotFound:
        return
    except ServiceError as error:
        logger.warning("it is not known whether %s is there, as %s does not tell: %s", job_id, host, error)
        read.unclear.add(job_id)


def read_newest(client: AvatarClient, *, overlap: bool = False) -> Read:
    """Read the newest jobs; `overlap` is that of `list_pages`. Blocking.

    Where the service chooses the ids none can be asked for later, so all are read.

    Raises:
        ServiceError: the list cannot be read.
    """
    jobs: list[SynthesisJob] = []
    for number, page in enumerate(client.list_pages(overlap=overlap), start=1):
        jobs += page.jobs
        if number == ENOUGH_PAGES and not client.service_names_jobs and page.next_link is not None:
            return Read(jobs, min((job.created_at for job in jobs if job.created_at), default=NOTHING_READ))
    return Read(jobs)


async def _listed(c: Connections) -> dict[str, Read]:
    """Return the jobs of every resource, by host. If there are several resources, skip those that cannot be read.

    Raises:
        ServiceError: the jobs of no resource can be read.
    """
    known = list(c.resources.values())
    found = await asyncio.gather(
        *(c.control(read_newest, resource.client) for resource in known), return_exceptions=True
    )
    listed: dict[str, Read] = {}
    for resource, jobs in zip(known, found, strict=True):
        if isinstance(jobs, ServiceError) and len(known) > 1:
            logger.error("the jobs of %s cannot be read: %s", resource.name, jobs)
            resource.unread = True
            if isinstance(jobs, AccessRefused):
                resource.set_aside = jobs
        elif isinstance(jobs, BaseException):
            raise jobs
        else:
            listed[resource.host] = jobs
    if not listed:
        raise next(jobs for jobs in found if isinstance(jobs, ServiceError))
    return listed
