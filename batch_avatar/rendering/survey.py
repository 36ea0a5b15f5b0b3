"""Read first the service, then the archive, and compare both with the scripts that are wanted."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from batch_avatar.errors import AccessRefused, ServiceError
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import past_renders, reconcile
from batch_avatar.rendering.run import current_run
from batch_avatar.scripts.prediction import Predictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.planning.plan import Plan
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.service.resource import Resource

logger = logging.getLogger(__name__)


async def plan(scripts: Sequence[Script]) -> Plan:
    """Return what a run would do. Reads the service first, then the archive, and changes nothing there."""
    run = current_run()
    c = run.connections
    listed = await _listed(c)
    index = await c.control(c.archive.index, [script.script_id for script in scripts])
    run.predictor = Predictor(past_renders(index))
    found = reconcile(
        scripts,
        archive_id=c.archive.archive_id,
        jobs=[job for jobs in listed.values() for job in jobs],
        index=index,
        resources=frozenset(listed),
        permits=run.permits,
        max_changed=c.settings.max_changed_scripts,
    )
    for item in found.items:
        if item.state is PlanState.ALIVE and item.resource in c.resources:
            c.resources[item.resource].watcher.mine(item.pack or item.named[0])
    for host, jobs in listed.items():
        c.resources[host].watcher.learn(jobs)
    return found


async def _listed(c: Connections) -> dict[str, list[SynthesisJob]]:
    """Return the jobs of every resource, by host. If there are several resources, skip those that cannot be read.

    Raises:
        ServiceError: the jobs of no resource can be read.
    """

    async def read(resource: Resource) -> list[SynthesisJob]:
        return await c.control(lambda: [job for page in resource.client.list_pages() for job in page.jobs])

    known = list(c.resources.values())
    found = await asyncio.gather(*(read(resource) for resource in known), return_exceptions=True)
    listed: dict[str, list[SynthesisJob]] = {}
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
