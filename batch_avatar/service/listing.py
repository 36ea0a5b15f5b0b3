"""One listing: the job list, read from the newest job down only as far as needed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from batch_avatar.errors import AccessRefused, ServiceError
from batch_avatar.service.answers import in_our_spelling
from batch_avatar.service.wire.messages import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from batch_avatar.models import SynthesisJob
    from batch_avatar.service.client import AvatarClient

logger = logging.getLogger(__name__)

NOTHING_READ = datetime.max.replace(
    tzinfo=UTC
)  # `down_to` where jobs tell no creation time: no other job counts as read


@dataclass
class Look:
    """What one listing read. `down_to`: the creation of the oldest job, None if the whole list was read."""

    jobs: list[SynthesisJob] = field(default_factory=list)
    pages: int = 0
    down_to: datetime | None = None


def look_at_list(client: AvatarClient, wanted: Mapping[str, datetime | None], deep: datetime | None) -> Look:
    """Read the job list until each wanted job is found or would have been, and at least to jobs older than `deep`.

    Blocking. `wanted` gives the earliest time at which each job can have been created, None where it is not known.
    If the list breaks off after the first page, what was read so far is returned.
    """
    look = Look()
    missing = dict(wanted)
    past = None
    try:
        for page in client.list_pages():
            look.pages += 1
            jobs = in_our_spelling(page.jobs, wanted)
            look.jobs += jobs
            for job in jobs:
                missing.pop(job.service_id, None)
            past = page.jobs[-1].created_at if page.jobs else past
            is_last = page.next_link is None and len(page.jobs) + page.unreadable < PAGE_SIZE
            if not is_last and _is_below(past, [*missing.values(), *([deep] if deep else [])]):
                look.down_to = past or NOTHING_READ
                break
    except ServiceError as error:
        if not look.pages or isinstance(error, AccessRefused):
            raise
        look.down_to = past or NOTHING_READ
        logger.warning("the job list breaks off after page %d: %s", look.pages, error)
    return look


def _is_below(past: datetime | None, bounds: Iterable[datetime | None]) -> bool:
    """Whether `past` is older than all bounds, by a second: jobs created together may stand in any order."""
    return all(past and bound and bound - past > timedelta(seconds=1) for bound in bounds)
