"""What is opened once in a process and never changes: settings, clock, Speech resources, containers, threads."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from batch_avatar.errors import ClaimedElsewhere
from batch_avatar.service.listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import ThreadPoolExecutor

    from batch_avatar.archive.inbox_container import Inbox
    from batch_avatar.archive.ledger import Archive
    from batch_avatar.archive.staging import Staging
    from batch_avatar.clock import Clock
    from batch_avatar.models import SynthesisJob
    from batch_avatar.service.resource import Resource
    from batch_avatar.settings import Settings
    from batch_avatar.stopping import Stopping

P = ParamSpec("P")
T = TypeVar("T")

CONTROL_THREADS = 16
TRANSFER_THREADS = 8  # 8 threads move 264 small videos a second, measured; bandwidth is the limit for large ones


@dataclass(frozen=True)
class Connections:
    """All that a run works with: the Speech resources, the containers, and the threads that work with both."""

    settings: Settings
    clock: Clock
    resources: dict[str, Resource]
    """The resources by host, in the order of the settings."""
    archive: Archive
    stopping: Stopping
    control_threads: ThreadPoolExecutor
    transfer_threads: ThreadPoolExecutor
    staging: Staging | None = None
    inbox: Inbox | None = None
    job_listeners: Listeners[SynthesisJob] = field(default_factory=Listeners)
    """Called by the watchers of all resources with every job whose status has changed."""

    def resource_of(self, host: str) -> Resource:
        """Return the resource at this host; without a host, the only resource there is.

        Raises:
            ClaimedElsewhere: the settings do not name this resource.
        """
        if not host and len(self.resources) == 1:
            return next(iter(self.resources.values()))
        if host not in self.resources:
            raise ClaimedElsewhere(
                f"it was sent to {host or 'a resource that is not named'}, and only that resource knows what became "
                "of it; run again with that resource in the settings"
            )
        return self.resources[host]

    async def control(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a short blocking call in a thread of our own; asyncio's default pool is small and not ours."""
        return await in_thread(self.control_threads, partial(call, *args, **kwargs))

    async def transfer(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a long blocking call, one that moves a video."""
        return await in_thread(self.transfer_threads, partial(call, *args, **kwargs))


async def in_thread(threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    """Run the call with the caller's context, so that a flow engine knows whose log lines these are."""
    return await asyncio.get_running_loop().run_in_executor(threads, copy_context().run, call)


_open: ContextVar[Connections | None] = ContextVar("batch_avatar_connections", default=None)


@contextmanager
def sharing(connections: Connections) -> Iterator[None]:
    """Make these the open connections inside the `with` block."""
    token = _open.set(connections)
    try:
        yield
    finally:
        _open.reset(token)


def find_open_connections() -> Connections | None:
    return _open.get()


def current_connections() -> Connections:
    """Return the open connections.

    Raises:
        RuntimeError: outside `open_connections`.
    """
    connections = find_open_connections()
    if connections is None:
        raise RuntimeError("no connections are open here: use `async with open_connections(load_settings())`")
    return connections
