"""Read what a sweep decides about: the jobs of all resources, and then the archive."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.errors import ServiceError
from batch_avatar.rendering.survey import ask_for_unseen, read_newest

if TYPE_CHECKING:
    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.models import SynthesisJob
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.survey import Read

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """Jobs, and the archive as it was after they were read. `unread`: names of resources that could not be read."""

    jobs: list[SynthesisJob]
    index: ArchiveIndex
    unread: tuple[str, ...]


async def read_jobs_to_sweep(c: Connections) -> Found:
    """Read the newest jobs of each resource, and below them those that open claims name.

    A very long list is not read to its end, and no clock decides how far: what is left out there has no open claim.
    It is archived already, has failed, or its claim is gone; the service deletes it when its time to live is over.
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
    if await ask_for_unseen(c, index, listed):
        index = await c.control(c.archive.index)
    return Found([job for read in listed.values() for job in read.jobs], index, tuple(unread))
