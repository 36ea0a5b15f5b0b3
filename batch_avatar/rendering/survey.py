"""Read first the service, then the archive, and compare both with the scripts that are wanted."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch_avatar.errors import AccessRefused, JobNotFound, ServiceError
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import past_renders, reconcile
from batch_avatar.rendering.run import current_run
from batch_avatar.scripts.prediction import Predictor
from batch_avatar.service.listing import NOTHING_READ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.planning.plan import Plan
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.service.client import AvatarClient

logger = logging.getLogger(__name__)

ENOUGH_PAGES = 100
"""Of a longer list only these newest 10,000 jobs are read, which takes half a minute. Jobs that claims name and that
are not among them are asked for by their ids."""


async def plan(scripts: Sequence[Script]) -> Plan:
    """Return what a run would do. Reads the service first, then the archive, and changes nothing there."""
    run = current_run()
    c = run.connections
    listed = await _listed(c)
    names = [script.script_id for script in scripts]
    index = await c.control(c.archive.index, names)
    if unseen := unseen_jobs(index, listed):
        asked = await asyncio.gather(*(c.control(_ask, c, host, job_id) for host, job_id in unseen))
        for job in asked:
            if job is not None:
                listed[job.resource].jobs.append(job)
        index = await c.control(c.archive.index, names)  # again, or a job that was just archived would look lost
    run.predictor = Predictor(past_renders(index))
    found = reconcile(
        scripts,
        archive_id=c.archive.archive_id,
        jobs=[job for read in listed.values() for job in read.jobs],
        index=index,
        resources=frozenset(listed),
        permits=run.permits,
        max_changed=c.settings.max_changed_scripts,
    )
    for item in found.items:
        if item.state is PlanState.ALIVE and item.resource in c.resources:
            c.resources[item.resource].watcher.mine(item.pack or item.named[0])
    for host, read in listed.items():
        c.resources[host].watcher.learn(read.jobs, down_to=read.down_to)
    return found


@dataclass(frozen=True)
class Read:
    """The newest jobs of a resource, `down_to` the creation of the oldest of them; None if these are all."""

    jobs: list[SynthesisJob]
    down_to: datetime | None = None


def unseen_jobs(index: ArchiveIndex, listed: Mapping[str, Read]) -> set[tuple[str, str]]:
    """Return host and id of jobs that claims say to exist and that the read part of a long list does not show. Pure."""
    shown = {(host, job.job_id) for host, read in listed.items() for job in read.jobs}
    open_claims = (
        claim
        for key, claim in index.claims.items()
        if claim.get("accepted") and not claim.get("over") and not index.is_whole(key)
    )
    only = next(iter(listed)) if len(listed) == 1 else ""
    wanted = {(claim.get("resource") or only, claim.get("job_id", "")) for claim in open_claims}
    return {(host, job_id) for host, job_id in wanted - shown if host in listed and listed[host].down_to is not None}


def _ask(c: Connections, host: str, job_id: str) -> SynthesisJob | None:
    """Return the job of this id, None if there is none or the service does not tell. Blocking.

    A job that is not known here is sent again by no run unasked: before that the service is asked for its id again.
    """
    try:
        return c.resources[host].client.get(job_id)
    except JobNotFound:
        return None
    except ServiceError as error:
        logger.warning("%s counts as not known, as %s does not tell: %s", job_id, host, error)
        return None


def _read(client: AvatarClient) -> Read:
    """Read the newest jobs. Where the service chooses the ids none can be asked for later, so all are read. Blocking.

    Raises:
        ServiceError: the list cannot be read.
    """
    jobs: list[SynthesisJob] = []
    for number, page in enumerate(client.list_pages(), start=1):
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
    found = await asyncio.gather(*(c.control(_read, resource.client) for resource in known), return_exceptions=True)
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
