"""Values: what a plan says about scripts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.errors import FailureClass
from batch_avatar.identity import derive_job_id
from batch_avatar.models import FailureFacts, JobRef

if TYPE_CHECKING:
    from collections.abc import Mapping


class PlanState(StrEnum):
    """How a script stands; only `new`, `changed` and `claimed` can lead to a create without a permit."""

    ARCHIVED = "archived"  # receipt and video are there: skip
    ALIVE = "alive"  # a job of ours exists: adopt
    CLAIMED = "claimed"  # claimed, no job seen: settle who sends
    DEAD = "dead"  # a dead letter says why it is not sent again
    LOST = "lost"  # paid for, but not in the job list: the job is asked for by name, then a person decides
    DAMAGED = "damaged"  # a receipt without its video: a person decides
    KEPT = "kept"  # archived before with another look, or read aloud, and left so: skip
    CHANGED = "changed"  # archived before with other content
    NEW = "new"


class Action(StrEnum):
    """What a run does with a script."""

    CREATE = "create"  # it pays for a new job, unless another run turns out to have one
    ADOPT = "adopt"  # it goes on with a job that was paid for
    SKIP = "skip"  # it is archived
    KEEP = "keep"  # it is archived with another look, and left so
    REFUSE = "refuse"  # a person has to decide or to mend something
    LEAVE = "leave"  # the budget of this run does not reach it


_ACTIONS = {PlanState.ARCHIVED: Action.SKIP, PlanState.KEPT: Action.KEEP, PlanState.ALIVE: Action.ADOPT}


class Leftover(NamedTuple):
    """A terminal job of an archived script, which nobody needs any more."""

    resource: str
    service_id: str


@dataclass(frozen=True, slots=True)
class PlanItem:
    """What is planned for one script. The script itself is not kept, because a plan may have many.

    `failure`: why it is reported and not sent. `resource`: the host that has its job or claim. `pack`: the job that it
    is an input of. `named`: all jobs under the latest name, the oldest first; there is more than one only where the
    service chooses the ids, and each was paid for. `letter`: a dead letter exists, which a receipt makes void.
    `has_job`: of a damaged script, its job still has the video.
    """

    script_id: str
    content_id: str
    state: PlanState
    attempt: int = 1
    detail: str | None = None
    failure: FailureFacts | None = None
    resource: str = ""
    pack: str = ""
    leftovers: tuple[Leftover, ...] = ()
    named: tuple[str, ...] = ()
    letter: bool = False
    revision: int = 0
    has_job: bool = False

    @property
    def to_create(self) -> bool:
        """Whether a run sends it, and nothing binds it to a resource yet; in other states it has a job or a claim."""
        return self.state in (PlanState.NEW, PlanState.CHANGED) and self.failure is None

    def action(self, *, rerender_lost: bool) -> Action:
        """Return what a run does with it; `rerender_lost`: whether a person has permitted to pay again for the lost."""
        if self.failure is not None:
            return Action.LEAVE if self.failure.failure_class == FailureClass.BUDGET else Action.REFUSE
        if self.state is PlanState.LOST and not rerender_lost:
            return Action.REFUSE
        return Action.ADOPT if self.has_job else _ACTIONS.get(self.state, Action.CREATE)

    @property
    def told(self) -> str | None:
        """What a person reads about it; of a change that is not rendered also why, and what to do."""
        refused = self.state is PlanState.CHANGED and self.failure
        return refused.message if refused else self.detail

    @property
    def extras(self) -> tuple[str, ...]:
        """The jobs of its name, without the first."""
        return self.named[1:]

    def paid_beside(self, service_id: str) -> int:
        """Return how many jobs of its name there are beside the archived one."""
        return len({*self.named, service_id}) - 1

    def ref(self) -> JobRef:
        job_id = self.pack or derive_job_id(self.script_id, self.content_id, self.attempt)
        return JobRef(
            script_id=self.script_id,
            content_id=self.content_id,
            attempt=self.attempt,
            job_id=job_id,
            service_id=job_id,
            resource=self.resource,
        )


@dataclass(frozen=True)
class Plan:
    """`packs`: the `job_id` of packs that are terminal, have no doubtful video, and that no claim waits for.

    `unfinished`: how many jobs each resource has that have not ended, of whomever, by its host.
    """

    items: tuple[PlanItem, ...]
    packs: tuple[str, ...] = ()
    unfinished: Mapping[str, int] = field(default_factory=dict)

    def counts(self) -> dict[PlanState, int]:
        found = Counter(item.state for item in self.items)
        return {state: found[state] for state in PlanState if found[state]}
