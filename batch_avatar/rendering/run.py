"""What one run knows and what changes while it goes on."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from batch_avatar.identity import derive_content_id
from batch_avatar.planning.budget import Spending
from batch_avatar.planning.permits import Permits
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.prices import predicted_usage
from batch_avatar.planning.stubborn import StubbornCreates
from batch_avatar.receipt import Attempt
from batch_avatar.scripts.prediction.predictor import Predictor
from batch_avatar.service.listeners import Listeners
from batch_avatar.service.resource import InARow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import SecretStr

    from batch_avatar.archive.records import Pack
    from batch_avatar.clock import Clock
    from batch_avatar.errors import BatchAvatarError
    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.planning.plan import PlanItem
    from batch_avatar.planning.prices import Usage
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.pack_draft import PackDraft
    from batch_avatar.rendering.progress import Event
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.scripts.prediction.accuracy import Accuracy
    from batch_avatar.service.slot import Slot


@dataclass
class Run:
    """One run over these connections. Claims, receipts and reports carry its `name`."""

    connections: Connections
    name: str
    batch: str = ""
    """The run that this one is a part of, if a batch is spread; a permit given to one of them holds for all."""
    is_part: bool = False
    """Whether it renders a part of a spread batch, so that its budget is for these scripts alone."""
    permits: Permits = field(default_factory=Permits)
    """What may be paid for again."""
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    """Written into claims, so that a retried step recognises the claims of its own process and run."""
    halted: BatchAvatarError | None = None
    """Why nothing more is sent in this run."""
    report: BatchReport | None = None
    """The report that the run ended with, for the code that began the run."""
    listeners: Listeners[Event] = field(default_factory=Listeners)
    """Called with every step of every script."""

    alive: set[str] = field(default_factory=set)
    """The script_ids whose job the plan has seen; the job is looked for before anything is sent."""
    revisions: dict[str, int] = field(default_factory=dict)
    """Revisions by script_id, for scripts that go on with a later revision than the permits ask for."""
    content_ids: dict[str, str] = field(default_factory=dict)
    """The content ids that the plan chose, by script_id; an archive may hold one that is derived in an earlier way."""
    predictor: Predictor = field(default_factory=Predictor)
    """Knows past renders once the plan is made."""
    accuracy: Accuracy | None = None
    """How good predictions have been, as the plan found out."""
    spending: Spending = field(default_factory=Spending)
    """What this run may spend and has spent."""
    expected_seconds: dict[str, float] = field(default_factory=dict)
    """The predicted rendering time by script_id."""
    stubborn: defaultdict[str, StubbornCreates] = field(default_factory=lambda: defaultdict(StubbornCreates))
    """Creates that a resource answers with errors of its own, by host."""
    storage_refusals: InARow = field(default_factory=InARow)
    """Videos that the storage refused, in this run."""
    doubts: InARow = field(default_factory=InARow)
    """What was doubtful about the videos of this run."""
    known_doubts: set[str] = field(default_factory=set)
    """What many archived videos of earlier runs are doubtful for; it stops nothing more, as somebody ran again."""
    ended: dict[str, SynthesisJob] = field(default_factory=dict)
    """Jobs that were just seen to end, by service_id. Their links are fresh, which saves a request."""
    reading: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """Held, by service_id, while the job of a pack is read for all of its members."""
    slots: dict[str, Slot] = field(default_factory=dict)
    """The slot of each script that is on its walk, by script_id."""
    odd_since: dict[str, float] = field(default_factory=dict)
    """When a job was first found to show a result that is not there, by our monotonic clock, by service_id."""
    absent_since: dict[str, float] = field(default_factory=dict)
    """When the service first said not to know a job, by our monotonic clock, by service_id, until it knows it again."""
    drafts: dict[tuple[str, ...], PackDraft] = field(default_factory=dict)
    """Packs that are being sent, by host and script_ids. A retried step goes on with its own draft."""
    packs: dict[str, Pack] = field(default_factory=dict)
    """The packs of this run, by job_id."""
    destinations: dict[str, SecretStr] = field(default_factory=dict)
    """Signed links of destination containers, by job_id. They are secrets, so only this process knows them."""

    def content_id_of(self, script: Script) -> str:
        """Return the content_id that the plan chose; without a plan, the one in the revision that is wanted."""
        if (chosen := self.content_ids.get(script.script_id)) is not None:
            return chosen
        archive_id = self.connections.archive.archive_id
        return derive_content_id(script, archive_id=archive_id, revision=self.revision_of(script))

    def revision_of(self, script: Script) -> int:
        return self.revisions.get(script.script_id, self.permits.revision)

    @property
    def counts_spending(self) -> bool:
        """Whether the next plan counts what was spent before this process: at first, or for each part of a batch."""
        return not self.spending.budget.unlimited and (self.is_part or self.spending.begins)

    @property
    def batch_name(self) -> str:
        """The name of the whole batch: that of the run that spread it, or of this run."""
        return self.batch or self.name

    def usage_of(self, script: Script) -> Usage:
        """Return what a job for this script is predicted to be billed."""
        return predicted_usage(script, self.predictor.predict(script))

    def attempt(self, number: int, job_id: str, **facts: Any) -> Attempt:
        """Return an attempt that this run is about to make."""
        return Attempt(number=number, job_id=job_id, batch=self.batch_name, **facts)

    def learn(self, items: Iterable[PlanItem]) -> None:
        """Note what a plan found out about its scripts; keep what other batches of this run noted about theirs."""
        for item in items:
            self.revisions.pop(item.script_id, None)
            self.content_ids[item.script_id] = item.content_id
            if item.revision != self.permits.revision:
                self.revisions[item.script_id] = item.revision
            self.alive.discard(item.script_id)
            if item.state is PlanState.ALIVE:
                self.alive.add(item.script_id)

    def tell(self, event: Event) -> None:
        """Tell everyone who shows progress that a script moved on."""
        self.listeners.tell(event)


def new_run_name(clock: Clock) -> str:
    """Return a name for a run that sorts by time, e.g. 20261121-093012-3f2a9c04."""
    return f"{clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


_current: ContextVar[Run | None] = ContextVar("batch_avatar_run", default=None)


@contextmanager
def begin_run(connections: Connections, name: str, *, batch: str = "") -> Iterator[Run]:
    """Begin the run that stages get from `current_run()`. Inside a run over the same connections, share that run."""
    outer = _current.get()
    if outer is not None and outer.connections is connections:
        yield outer
        return
    run = Run(connections, name, batch=batch, is_part=bool(batch))
    token = _current.set(run)
    try:
        yield run
    finally:
        _current.reset(token)


def current_run() -> Run:
    """Return the run that has begun.

    Raises:
        RuntimeError: outside `begin_run`.
    """
    run = _current.get()
    if run is None:
        raise RuntimeError("no run has begun here: use `async with open_run(load_settings(), name)`")
    return run
