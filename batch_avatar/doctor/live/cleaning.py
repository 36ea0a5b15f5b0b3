"""Deletes what a run has created, or what an earlier one has left."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from batch_avatar.doctor.live.bodies import PREFIX
from batch_avatar.errors import BatchAvatarError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batch_avatar.doctor.live.conversation import Conversation

_OURS = re.compile(re.escape(PREFIX) + "[0-9a-z]{1,32}")
END_SECONDS = 600.0
PAUSE_SECONDS = 10.0
MOST_PAGES = 100
GONE = (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)


async def clean(c: Conversation, job_ids: Iterable[str], *, patient: bool) -> list[str]:
    """Delete the jobs and return those that are still there.

    `patient`: wait for those that the service deletes only when they have ended; else each is asked for once.
    """
    left = list(job_ids)
    began = c.clock.monotonic()
    while True:
        left = [job_id for job_id in left if not await _delete(c, job_id)]
        if not left or not patient or c.clock.monotonic() - began > END_SECONDS:
            return left
        c.tell(f"waiting until {len(left)} jobs can be deleted ...")
        await c.clock.sleep(PAUSE_SECONDS)


async def left_behind(c: Conversation) -> list[str]:
    """Return the jobs in the list whose id is one of a run of this command."""
    jobs, _ = await c.jobs("list of what was left", most_pages=MOST_PAGES)
    return [job["id"] for job in jobs if isinstance(job.get("id"), str) and _OURS.fullmatch(job["id"])]


async def _delete(c: Conversation, job_id: str) -> bool:
    try:
        return (await c.delete("DELETE of a job of ours", job_id)).status in GONE
    except BatchAvatarError:
        return False
