"""A pace of creates that all machines share: a global concurrency limit with slot decay on the Prefect server.

    prefect gcl create batch-avatar-<resource> --limit 1 --slot-decay-per-second 0.0333

is two creates a minute. Without such a limit every process paces its own creates, and the service's answers (429) are
what slows them down together. They remain the authority in any case: a Prefect server that does not answer delays
nothing. Tried with Prefect 3.8: two waiters share a slot that comes free every 2 s, each gets one after 2.0 to 2.4 s.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger

from batch_avatar.rendering.connections import current_connections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from prefect.client.orchestration import PrefectClient

LOCKED = 423  # how the server says "not yet"
MISSING_IS_FREE = "[]"
"""The server grants what it knows no limit for, and lists none."""
SHARE = 0.1  # of the time the server says to wait until it is asked again; it adds up to that much again at random
ANSWER_SECONDS, AWAY_SECONDS = 15.0, 60.0  # one on SQLite may take some seconds where two cores are busy
"""A server that does not answer within the one is not asked again before the other: creates go on without it."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.2, 5.0  # between two questions, each of which costs the server about 5 ms


def limit_name(resource: str) -> str:
    """What the limit of a resource is called on the Prefect server."""
    return f"batch-avatar-{resource}"


@asynccontextmanager
async def shared_paces() -> AsyncIterator[Callable[[str], Callable[[], Awaitable[None]]]]:
    """Inside a flow run: for a resource's name, what its creates wait for last."""
    async with get_client() as client:
        yield lambda resource: _SharedPace(client, limit_name(resource)).turn


class _SharedPace:
    def __init__(self, client: PrefectClient, name: str) -> None:
        self._client = client
        self._name = name
        self._known = True
        self._away_until = 0.0

    async def turn(self) -> None:
        """Wait until the server grants one create. Where it has no such limit, or does not answer, nobody waits."""
        clock = current_connections().clock
        while self._known and clock.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):  # the client itself would try for about a minute
                    answer = await self._client.increment_concurrency_slots([self._name], 1, "rate_limit")
            except httpx.HTTPStatusError as error:
                if error.response.status_code != LOCKED:
                    get_run_logger().warning("the shared limit %s cannot be used: %s", self._name, error)
                    return
                told = float(error.response.headers.get("Retry-After", "1"))
                await clock.sleep(max(SHORTEST_SECONDS, min(SHARE * told, LONGEST_SECONDS)))
            except (httpx.HTTPError, TimeoutError) as error:
                self._away_until = clock.monotonic() + AWAY_SECONDS
                get_run_logger().warning("the shared limit %s cannot be asked: %r", self._name, error)
            else:
                self._known = answer.text.strip() != MISSING_IS_FREE
                if not self._known:
                    get_run_logger().info(
                        "no limit %s on the Prefect server: this run paces its creates by itself", self._name
                    )
                return
