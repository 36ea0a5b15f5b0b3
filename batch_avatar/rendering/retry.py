"""When a stage is retried: data that the flow engine's tasks and the plain chain both read.

Inside a stage, requests are retried within seconds (client.py, the storage SDK); these are the longer waits.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import wraps
from itertools import count
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from batch_avatar.clock import TOLD_SECONDS
from batch_avatar.errors import BatchAvatarError
from batch_avatar.rendering import stages
from batch_avatar.rendering.chain import Chain
from batch_avatar.rendering.connections import current_connections

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryPolicy:
    """The most retries, and the seconds to wait before each; the last delay repeats."""

    retries: int
    delays_seconds: tuple[float, ...]

    def delay(self, number: int) -> float:
        return self.delays_seconds[min(number, len(self.delays_seconds) - 1)]


SUBMIT = RetryPolicy(4, (5, 15, 60, 120))
WAIT = RetryPolicy(288, (1,))
"""Each try waits for `stages.WAIT_WINDOW_SECONDS`, two days in all. A job that is seen ends by its deadlines."""
ARCHIVE = RetryPolicy(6, (2, 10, 30, 60, 120, 240))
DELETE = RetryPolicy(3, (2, 10, 60))


def is_retriable(error: object) -> bool:
    return isinstance(error, BatchAvatarError) and error.retriable


def plain_chain() -> Chain:
    """The stages with their retries, without a flow engine."""
    return Chain(
        submit=_with_retries(stages.submit, SUBMIT),
        wait=_with_retries(stages.wait, WAIT),
        archive=_with_retries(stages.archive, ARCHIVE),
        delete=_with_retries(stages.delete, DELETE),
        submit_pack=_with_retries(stages.submit_pack, SUBMIT),
    )


def _with_retries(stage: Callable[P, Awaitable[R]], policy: RetryPolicy) -> Callable[P, Awaitable[R]]:
    @wraps(stage)
    async def step(*args: P.args, **kwargs: P.kwargs) -> R:
        for number in count():
            try:
                return await stage(*args, **kwargs)
            except BatchAvatarError as error:
                if not is_retriable(error) or number >= policy.retries:
                    raise
                if (delay := policy.delay(number)) >= TOLD_SECONDS:
                    logger.warning("%s; trying again in %.0f s", error, delay)
            await current_connections().clock.sleep(delay)
        raise AssertionError  # count() does not end

    return step
