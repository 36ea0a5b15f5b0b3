"""One look at the job list: newest first, as far down as it needs to be read."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from batch_avatar.errors import AccessRefused, ServiceError
from batch_avatar.service.wire.messages import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from batch_avatar.models import SynthesisJob
    from batch_avatar.service.client import AvatarClient

logger = logging.getLogger(__name__)

NOTHING = datetime.max.replace(tzinfo=UTC)  # how far down it was read where the jobs do not tell


@dataclass
class Look:
    """What was read. `down_to`: the creation of the oldest job, None where it was the whole list."""

    jobs: list[SynthesisJob] = field(default_factory=list)
    pages: int = 0
    down_to: datetime | None = None


def look_at_list(client: AvatarClient, wanted: Mapping[str, datetime | None], deep: datetime | None) -> Look:
    """Blocking. `wanted`: jobs, and when each was created at the earliest, None where that is not known.

    It ends where all of them are found or would have been, and not before jobs older than `deep`.
    What breaks off after the first page is told as far as it was read.
    """
    look = Look()
    missing = dict(wanted)
    past = None
    try:
        for page in client.list_pages():
            look.pages += 1
            look.jobs += page.jobs
            for job in page.jobs:
                missing.pop(job.service_id, None)
            past = page.jobs[-1].created_at if page.jobs else past
            is_last = page.next_link is None and len(page.jobs) + page.unreadable < PAGE_SIZE
            if not is_last and _is_below(past, [*missing.values(), *([deep] if deep else [])]):
                look.down_to = past or NOTHING
                break
    except ServiceError as error:
        if not look.pages or isinstance(error, AccessRefused):
            raise
        look.down_to = past or NOTHING
        logger.warning("the job list breaks off after page %d: %s", look.pages, error)
    return look


def _is_below(past: datetime | None, bounds: Iterable[datetime | None]) -> bool:
    """A second's margin: jobs created together may stand in any order."""
    return all(past and bound and past < bound - timedelta(seconds=1) for bound in bounds)
