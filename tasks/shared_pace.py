"""Share one pace of creates among all machines: a global concurrency limit with slot decay on the Prefect server.

    prefect gcl create batch-avatar-<resource> --limit 1 --slot-decay-per-second 0.0333

allows two creates a minute. Without such a limit every process paces its own creates, and only the service's answers
(429) slow them down together. The service has the last word in any case: a Prefect server that does not answer delays
nothing. Tried with Prefect 3.8: two waiters share a slot that comes free every 2 s, each gets one after 2.0 to 2.4 s.
"""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger

from batch_avatar.rendering.connections import current_connections
from batch_avatar.service.http_headers import read_retry_after
from tasks.asking import Kinds, NoAnswer, answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from prefect.client.orchestration import PrefectClient

LOCKED = 423  # how the server says "not yet"
MISSING_IS_FREE = "[]"
"""The answer of a server that has no such limit: it grants the create and lists no limit."""
SHARE = 0.1  # we wait only this share of Retry-After, to which the server adds up to as much again at random
AWAY_SECONDS = 60.0
"""A server that does not answer is not asked again before; creates go on without it."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.2, 5.0  # between two requests, each of which costs the server about 5 ms
DEFAULT_RETRY_SECONDS = 1.0  # if the answer names no time that can be read


def limit_name(resource: str) -> str:
    """Return the name of a resource's limit on the Prefect server."""
    return f"batch-avatar-{resource}"


@asynccontextmanager
async def shared_paces() -> AsyncIterator[Callable[[str], Callable[[], Awaitable[None]]]]:
    """Yield a function that takes a resource's name and returns what each create there waits for last.

    For use inside a flow run.
    """
    async with get_client() as client:
        yield lambda resource: _SharedPace(client, limit_name(resource)).turn


class _SharedPace:
    def __init__(self, client: PrefectClient, name: str) -> None:
        self._client = client
        self._name = name
        self._known = True
        self._away_until = 0.0
        self._told = Kinds()

    async def turn(self) -> None:
        """Wait until the server grants one create. If it has no such limit or does not answer, do not wait."""
        clock = current_connections().clock
        while self._known and clock.monotonic() >= self._away_until:
            try:
                granted = await answer(self._client.increment_concurrency_slots([self._name], 1, "rate_limit"))
            except NoAnswer as error:
                if error.refusal is None or error.refusal.status_code != LOCKED:
                    self._away_until = clock.monotonic() + AWAY_SECONDS
                    if self._told.is_new(error):
                        get_run_logger().warning("the shared limit %s cannot be asked: %s", self._name, error)
                    continue
                told = _retry_seconds(error.refusal.headers.get("Retry-After"), now=clock.now())
                await clock.sleep(max(SHORTEST_SECONDS, min(SHARE * told, LONGEST_SECONDS)))
            else:
                self._known = granted.text.strip() != MISSING_IS_FREE
                if not self._known:
                    get_run_logger().info(
                        "no limit %s on the Prefect server: this run paces its creates by itself", self._name
                    )
                return


def _retry_seconds(text: str | None, *, now: datetime) -> float:
    """Return what `Retry-After` says: the server's fraction of a second, or what a proxy may write; never raises."""
    try:
        seconds = float(text or "")
    except ValueError:
        told = read_retry_after(text, now=now)
        return DEFAULT_RETRY_SECONDS if told is None else told
    return DEFAULT_RETRY_SECONDS if math.isnan(seconds) else seconds
