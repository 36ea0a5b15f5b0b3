"""How much one run may spend, what it has spent, and which scripts that leaves out. Pure.

What a job is predicted to take is reserved before its create; what was billed replaces it. A run can therefore go
beyond its limit by no more than the predictions of the jobs that are under way are too low.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainSerializer

from batch_avatar.errors import FailureClass
from batch_avatar.models import FailureFacts, Written
from batch_avatar.planning.prices import Usage, cost_of, money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from batch_avatar.catalog.prices import Prices
    from batch_avatar.planning.plan import PlanItem
    from batch_avatar.planning.spent_before import SpentBefore

AS_NUMBER = PlainSerializer(float, return_type=float, when_used="json")
"""In JSON the parameters of flows are numbers, and a text is refused."""
_ALMOST = Decimal("0.000001")
"""Sums of the same numbers in another order differ by less."""


class Budget(Written):
    """What one run may spend on new jobs: minutes of video, money in the currency of the prices, and jobs."""

    max_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    max_cost: Annotated[Decimal, Field(ge=0, allow_inf_nan=False), AS_NUMBER] | None = None
    max_jobs: Annotated[int, Field(ge=0)] | None = None

    @property
    def unlimited(self) -> bool:
        """Whether nothing is limited."""
        return self.max_minutes is None and self.max_cost is None and self.max_jobs is None

    def told(self, currency: str = "") -> str:
        """Return the limits as a person reads them, e.g. `10 minutes of video and 5 jobs`."""
        parts = [
            f"{self.max_minutes:g} minutes of video" if self.max_minutes is not None else "",
            money(self.max_cost, currency) if self.max_cost is not None else "",
            f"{self.max_jobs:,} job{'s' * (self.max_jobs != 1)}" if self.max_jobs is not None else "",
        ]
        return " and ".join(part for part in parts if part)

    def plus(self, other: Budget) -> Budget:
        """Return the sum of both, limit by limit; what one of them does not limit is not limited."""

        def total(one: Any, another: Any) -> Any:
            return None if one is None or another is None else one + another

        return Budget(**{limit: total(getattr(self, limit), getattr(other, limit)) for limit in Budget.model_fields})

    def divided(self, parts: Sequence[Spent]) -> list[Budget]:
        """Divide it among parts of a batch, in proportion to what each is predicted to spend.

        Each part gets at least what it is predicted to spend, if the whole does. What jobs do not divide evenly goes
        to the first parts.
        """
        count = max(len(parts), 1)

        def shares(of: Callable[[Spent], Decimal]) -> list[Decimal]:
            whole = sum(map(of, parts), Decimal(0))
            return [of(part) / whole if whole else Decimal(1) / count for part in parts]

        minutes, costs, jobs = shares(lambda one: one.seconds), shares(lambda one: one.cost), [0] * len(parts)
        if self.max_jobs is not None:
            jobs = [int(self.max_jobs * share) for share in shares(lambda one: Decimal(one.jobs))]
            for number in range(self.max_jobs - sum(jobs)):
                jobs[number % count] += 1
        return [
            Budget(
                max_minutes=None if self.max_minutes is None else self.max_minutes * float(minutes[number]),
                max_cost=None if self.max_cost is None else self.max_cost * costs[number],
                max_jobs=None if self.max_jobs is None else jobs[number],
            )
            for number in range(len(parts))
        ]


@dataclass(frozen=True)
class Spent:
    """What jobs were billed, or are predicted to be."""

    seconds: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    """How many have a cost that is not known, because a price is missing."""
    jobs: int = 0

    def plus(self, usage: Usage, prices: Prices | None, *, sign: int = 1, jobs: int = 0) -> Spent:
        """Return the sum with this usage; `sign` -1 takes it away."""
        cost = cost_of(usage, prices) if prices is not None else None
        return Spent(
            self.seconds + sign * Decimal(str(usage.seconds)),
            self.cost + sign * (cost or Decimal(0)),
            self.unpriced + sign * (cost is None),
            self.jobs + jobs,
        )

    def exceeds(self, budget: Budget) -> str:
        """Return which limit this goes beyond; empty if none."""
        if budget.max_jobs is not None and self.jobs > budget.max_jobs:
            return "jobs"
        if budget.max_minutes is not None and self.seconds > Decimal(str(budget.max_minutes)) * 60 + _ALMOST:
            return "minutes"
        if budget.max_cost is not None and self.cost > budget.max_cost + _ALMOST:
            return "cost"
        return ""


class Spending:
    """What one run has reserved and spent. One event loop uses it."""

    def __init__(self, budget: Budget | None = None, prices: Prices | None = None) -> None:
        self.budget = budget or Budget()
        self.prices = prices
        self.spent = Spent()
        self._reserved: dict[str, dict[str, Usage]] = {}
        self._known: set[str] = set()
        self._begun = False

    @property
    def begins(self) -> bool:
        """Whether it has yet to be read what the batch spent before."""
        return not self._begun

    def limit(self, budget: Budget, prices: Prices | None) -> None:
        """Hold this budget from now on."""
        self.budget, self.prices = budget, prices

    def take_over(self, before: SpentBefore) -> None:
        """Count what the same batch spent before it was started again, but for what this process knows already."""
        self._begun = True
        for job_id in before.under_way.keys() | before.billed.keys():
            if job_id in self._known:
                continue
            self._note(job_id, before.under_way.get(job_id, {}))
            for usage in before.billed.get(job_id, {}).values():
                self.spent = self.spent.plus(usage, self.prices)

    def reserve(self, job_id: str, members: Mapping[str, Usage]) -> str:
        """Reserve what a job is predicted to take, by `script_id`, if it fits. Return the limit it would go beyond.

        A job that has its reservation already keeps it.
        """
        if job_id in self._reserved:
            return ""
        wanted = replace(self.spent, jobs=self.spent.jobs + 1)
        for usage in members.values():
            wanted = wanted.plus(usage, self.prices)
        if limit := wanted.exceeds(self.budget):
            return limit
        self._note(job_id, members)
        return ""

    def knows(self, job_id: str) -> bool:
        """Return whether this job was reserved or billed already."""
        return job_id in self._known

    def release(self, job_id: str) -> None:
        """Give back what was reserved for a job that does not exist, because its create was refused or not sent."""
        members = self._reserved.pop(job_id, None)
        self._known.discard(job_id)
        if members is None:
            return
        self.spent = replace(self.spent, jobs=self.spent.jobs - 1)
        for usage in members.values():
            self.spent = self.spent.plus(usage, self.prices, sign=-1)

    def settle(self, job_id: str, script_id: str, *, seconds: float, characters: int) -> None:
        """Put what was billed in the place of what was reserved for this script; jobs of others do not count."""
        usage = self._reserved.get(job_id, {}).pop(script_id, None)
        if usage is not None:
            self.spent = self.spent.plus(usage, self.prices, sign=-1)
            self.spent = self.spent.plus(replace(usage, seconds=seconds, characters=characters), self.prices)

    def _note(self, job_id: str, members: Mapping[str, Usage]) -> None:
        self._reserved[job_id] = dict(members)
        self._known.add(job_id)
        self.spent = replace(self.spent, jobs=self.spent.jobs + 1)
        for usage in members.values():
            self.spent = self.spent.plus(usage, self.prices)

    @property
    def jobs_left(self) -> int | None:
        """How many more jobs may be created; None if their number is not limited."""
        most = self.budget.max_jobs
        return None if most is None else max(0, most - self.spent.jobs)


def judge_budget(
    items: Sequence[PlanItem],
    usages: Mapping[int, Usage],
    spending: Spending,
    *,
    numbers: Iterable[int],
    jobs: Mapping[int, int] | None = None,
) -> tuple[PlanItem, ...]:
    """Leave out the scripts that the budget does not reach.

    A script that does not fit is passed over; one after it may fit. `usages`: what each script that would be created is
    predicted to take, by number. `numbers`: these, in the order in which they would be sent. `jobs`: the job that each
    shares with others, where scripts are packed; without it each has a job of its own.
    """
    if spending.budget.unlimited:
        return tuple(items)
    judged, spent, begun = list(items), spending.spent, set[int]()
    for number in numbers:
        if spending.knows(items[number].ref().job_id):
            continue
        job = jobs.get(number) if jobs is not None else None
        wanted = spent.plus(usages[number], spending.prices, jobs=int(job not in begun))
        if limit := wanted.exceeds(spending.budget):
            judged[number] = _left_out(items[number], limit, spending)
            continue
        spent = wanted
        if job is not None:
            begun.add(job)
    return tuple(judged)


def left_out(limit: str, spending: Spending) -> str:
    """Return why a script is not sent; `limit` is what `reserve` returned."""
    currency = spending.prices.currency if spending.prices else ""
    option = f"`--max-{limit}`"
    return f"the budget of this run does not reach it ({spending.budget.told(currency)}): run again, or raise {option}"


def _left_out(item: PlanItem, limit: str, spending: Spending) -> PlanItem:
    text = left_out(limit, spending)
    facts = {"class": FailureClass.BUDGET, "code": "Budget", "message": text}
    return replace(item, failure=FailureFacts.model_validate(facts))
