"""Read what a sweep decides about: the jobs of all resources, and then the archive."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.errors import ArchiveRefused, ServiceError
from batch_avatar.identity import parse_job_id
from batch_avatar.rendering.preparing.survey import ask_for_unseen, put_in_our_spelling, read_newest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.models import SynthesisJob
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.preparing.survey import Read

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """Jobs, and the archive as it was after they were read.

    `unread`: names of resources that could not be read. `gone_packs`: ids of packs whose jobs are gone and whose
    outputs are still in the staging container.
    """

    jobs: list[SynthesisJob]
    index: ArchiveIndex
    unread: tuple[str, ...]
    gone_packs: tuple[str, ...]


async def read_jobs_to_sweep(c: Connections) -> Found:
    """Read the newest jobs of each resource, and below them those that open claims name and packs that nobody settled.

    A very long list is not read to its end, and no clock decides how far: what is left out there has no open claim.
    It is archived already, has failed, or its claim is gone; the service deletes it when its time to live is over.
    The outputs of a pack it does not delete, as they lie in our own container.
    Every job is on two pages, as deletes meanwhile move others onto pages already read.

    Raises:
        ServiceError, ArchiveError: no resource can be read, or the archive cannot.
    """
    listed: dict[str, Read] = {}
    unread: list[str] = []
    for resource in c.resources.values():
        try:
            listed[resource.host] = await c.control(partial(read_newest, resource.client, overlap=True))
        except ServiceError as error:
            logger.error("the jobs of %s cannot be read: %s", resource.name, error)  # noqa: TRY400 - its own words do
            unread.append(resource.name)
            if len(unread) == len(c.resources):
                raise
    index = await c.control(c.archive.index)
    put_in_our_spelling(listed, index)
    packs = await c.control(_packs_left, c, index, listed)
    if await ask_for_unseen(c, index, listed, others=packs):
        index = await c.control(c.archive.index)
    jobs = [job for read in listed.values() for job in read.jobs]
    known = {job.job_id for job in jobs}.union(*(read.unclear for read in listed.values()))
    return Found(jobs, index, tuple(unread), tuple(job_id for _, job_id in packs if job_id not in known))


def _packs_left(c: Connections, index: ArchiveIndex, listed: Mapping[str, Read]) -> list[tuple[str, str]]:
    """Return host and id of packs whose outputs lie in staging and whose jobs were not shown. Blocking.

    Whoever settles a pack empties its folder there, so these are few, however many packs there have been.
    """
    if c.staging is None:
        return []
    shown = {job.job_id for read in listed.values() for job in read.jobs}
    try:
        unseen = sorted(c.staging.jobs() - shown)
    except ArchiveRefused as error:  # the jobs that are shown can be swept all the same
        logger.warning("packs that nobody has settled are not looked for: %s", error)
        return []
    hosts = [(_host_of_pack(c, index, job_id), job_id) for job_id in unseen]
    return [(host, job_id) for host, job_id in hosts if host in listed]


def _host_of_pack(c: Connections, index: ArchiveIndex, job_id: str) -> str:
    """Return the host of a pack of this archive; empty for any other job, and if the pack's record is not readable."""
    parsed = parse_job_id(job_id)
    if parsed is None or parsed[0] not in index.packs:
        return ""
    try:
        pack = c.archive.read_pack(parsed[0])
    except ArchiveRefused as error:
        logger.warning("nobody can tell whether %s is settled: %s", job_id, error)
        return ""
    return pack.resource if pack is not None and pack.job_id == job_id else ""
