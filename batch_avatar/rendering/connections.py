"""What the stages of one run share, and how they find it."""

from __future__ import annotations

import asyncio
import secrets
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from batch_avatar.errors import ClaimedElsewhere
from batch_avatar.identity import derive_content_id
from batch_avatar.models import Permits
from batch_avatar.planning.plan import PlanState
from batch_avatar.scripts.prediction import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import ThreadPoolExecutor

    from pydantic import SecretStr

    from batch_avatar.archive.inbox_container import Inbox
    from batch_avatar.archive.ledger import Archive
    from batch_avatar.archive.records import Pack
    from batch_avatar.archive.staging import Staging
    from batch_avatar.clock import Clock
    from batch_avatar.errors import BatchAvatarError
    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.planning.plan import PlanItem
    from batch_avatar.rendering.packs.submission import PackSubmission
    from batch_avatar.rendering.progress import Event
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.service.resource import Resource
    from batch_avatar.settings import Settings
    from batch_avatar.stopping import Stopping

P = ParamSpec("P")
T = TypeVar("T")

CONTROL_THREADS = 16
TRANSFER_THREADS = 8  # 8 threads move 264 small videos a second, measured; bandwidth is the limit for large ones


@dataclass
class Connections:
    """What the stages of one run share. `run` names it in claims, receipts and reports."""

    settings: Settings
    run: str
    clock: Clock
    resources: dict[str, Resource]
    """By host, in the order of the settings."""
    archive: Archive
    stopping: Stopping
    control_threads: ThreadPoolExecutor
    transfer_threads: ThreadPoolExecutor
    permits: Permits = field(default_factory=Permits)
    """What may be paid for again."""
    batch: str = ""
    """The run that this one is a part of, where a batch is spread: they have one word between them."""
    revisions: dict[str, int] = field(default_factory=dict)
    """By script_id, where the plan goes on with a later revision than the permits ask for."""
    report: BatchReport | None = None
    """What the run ended with, for whoever opened the connections around it."""
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    """Whose claims are ours: this process and run, so that a step that is taken again knows its own."""
    destinations: dict[str, SecretStr] = field(default_factory=dict)
    """Signed links of destination containers by job id: secrets, so this process alone knows them."""
    halted: BatchAvatarError | None = None
    """Why nothing more is sent in this run."""
    pack_submissions: dict[tuple[str, ...], PackSubmission] = field(default_factory=dict)
    """Under way, by host and scripts: a step that is taken again goes on with its own."""
    packs: dict[str, Pack] = field(default_factory=dict)
    """By job id, the packs of this run."""
    staging: Staging | None = None
    inbox: Inbox | None = None
    predictor: Predictor = field(default_factory=Predictor)
    """Knows past renders once the plan is made."""
    job_listeners: list[Callable[[SynthesisJob], None]] = field(default_factory=list)
    listeners: list[Callable[[Event], None]] = field(default_factory=list)

    alive: set[str] = field(default_factory=set)
    """Scripts, by id, whose job the plan has seen: they are looked for before anything is sent."""

    expected_seconds: dict[str, float] = field(default_factory=dict)
    """By script_id, how long its rendering is predicted to take."""
    ended: dict[str, SynthesisJob] = field(default_factory=dict)
    """By service id, jobs whose success has just been seen: their links are fresh, and spare a request."""

    def resource_of(self, host: str) -> Resource:
        """The resource at this host; the only one where none is named.

        Raises:
            ClaimedElsewhere: it is not among those of the settings.
        """
        if not host and len(self.resources) == 1:
            return next(iter(self.resources.values()))
        if host not in self.resources:
            raise ClaimedElsewhere(
                f"it was sent to {host or 'a resource that is not named'}, and only there can be seen what became of "
                "it; run again with that resource"
            )
        return self.resources[host]

    def content_id_of(self, script: Script) -> str:
        """Of the revision that is wanted."""
        return derive_content_id(script, archive_id=self.archive.archive_id, revision=self.revision_of(script))

    def revision_of(self, script: Script) -> int:
        return self.revisions.get(script.script_id, self.permits.revision)

    def learn(self, items: Iterable[PlanItem]) -> None:
        """What a plan found of its scripts; those of other batches over these connections keep what is theirs."""
        for item in items:
            self.revisions.pop(item.script_id, None)
            if item.revision != self.permits.revision:
                self.revisions[item.script_id] = item.revision
            self.alive.discard(item.script_id)
            if item.state is PlanState.ALIVE:
                self.alive.add(item.script_id)

    def tell(self, event: Event) -> None:
        """Tell everyone who shows progress that a script moved on."""
        for listener in self.listeners:
            listener(event)

    async def control(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a short blocking call in a thread of our own; asyncio's default pool is small and not ours."""
        return await in_thread(self.control_threads, partial(call, *args, **kwargs))

    async def transfer(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a long blocking call, one that moves a video."""
        return await in_thread(self.transfer_threads, partial(call, *args, **kwargs))


def new_run_name(clock: Clock) -> str:
    """A name for a run that sorts by time, e.g. 20261121-093012-3f2a9c04."""
    return f"{clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


async def in_thread(threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    """With the caller's context, so that a flow engine knows whose log lines these are."""
    return await asyncio.get_running_loop().run_in_executor(threads, copy_context().run, call)


opened: ContextVar[Connections | None] = ContextVar("batch_avatar_connections", default=None)


def current() -> Connections:
    """The open connections.

    Raises:
        RuntimeError: outside `open_connections`.
    """
    connections = opened.get()
    if connections is None:
        raise RuntimeError("no connections are open here: use `async with open_connections(load_settings(), run=...)`")
    return connections
