"""The usual ways to render such a batch, as coroutines over the simulated service.

All of them send scripts in the order of the manifest, under random ids, and poll each job by itself every five
seconds, as the service's own sample does. The sample gives up at the first 429. The baselines wait as long as the
answer says and send again, because a batch on a paced service would otherwise never end; so they behave better than
most scripts that people use.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Protocol

from batch_avatar.errors import Throttled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from batch_avatar.clock import Clock
    from batch_avatar.models import Script
    from benchmarks.service import SimulatedService

POLL_SECONDS = 5.0
"""Time between two GETs of one job, as in the service's sample."""
UNTOLD_RETRY_SECONDS = 60.0
"""Wait after a 429 without Retry-After: the first of the waits that the service's quota page advises."""
POOL_SIZE = 8
WAVE_SIZE = 200
"""The documented limit of unfinished jobs."""


class Baseline(Protocol):
    async def __call__(self, service: SimulatedService, clock: Clock, scripts: Sequence[Script]) -> None:
        """Render the scripts; return when every job is known to have ended."""
        ...


async def sample_loop(service: SimulatedService, clock: Clock, scripts: Sequence[Script]) -> None:
    """Render one job at a time."""
    await _pool(service, clock, scripts, workers=1)


async def pool_8(service: SimulatedService, clock: Clock, scripts: Sequence[Script]) -> None:
    """Render eight jobs at once; a worker whose job has ended takes the next script."""
    await _pool(service, clock, scripts, workers=POOL_SIZE)


async def waves_200(service: SimulatedService, clock: Clock, scripts: Sequence[Script]) -> None:
    """Render 200 jobs at once, and the next 200 when all of them have ended."""
    for start in range(0, len(scripts), WAVE_SIZE):
        await _pool(service, clock, scripts[start : start + WAVE_SIZE], workers=WAVE_SIZE)


async def first_come(service: SimulatedService, clock: Clock, scripts: Sequence[Script]) -> None:
    """Render as many jobs at once as the service has slots; a worker whose job has ended takes the next script."""
    await _pool(service, clock, scripts, workers=service.slots)


BASELINES: dict[str, Baseline] = {
    "sample-loop": sample_loop,
    "pool-8": pool_8,
    "waves-200": waves_200,
    "first-come": first_come,
}


async def _pool(service: SimulatedService, clock: Clock, scripts: Sequence[Script], *, workers: int) -> None:
    queue = iter(scripts)
    random = Random(scripts[0].script_id if scripts else 0)  # noqa: S311 - random ids that are the same in each run
    async with asyncio.TaskGroup() as group:
        for _ in range(min(workers, len(scripts))):
            group.create_task(_work(service, clock, queue, _random_ids(random)))


async def _work(service: SimulatedService, clock: Clock, queue: Iterable[Script], ids: Iterator[str]) -> None:
    for script in queue:  # shared: each script goes to one worker
        job_id = next(ids)
        await _create(service, clock, script, job_id)
        while True:
            await clock.sleep(POLL_SECONDS)
            if service.get(job_id).terminal:
                break


async def _create(service: SimulatedService, clock: Clock, script: Script, job_id: str) -> None:
    while True:
        try:
            service.create(script, job_id=job_id, description="")
        except Throttled as error:
            await clock.sleep(error.retry_after_seconds or UNTOLD_RETRY_SECONDS)
        else:
            return


def _random_ids(random: Random) -> Iterator[str]:
    while True:
        yield f"{random.getrandbits(128):032x}"
