"""One life of an archive among hostile answers: some acts of mischief, then an honest end. Judged as the machine's."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from batch_avatar.models import Permits
from tests.chaos.hostile.watch import TRACE, Watch, WatchedClock, encodable
from tests.chaos.machine.evidence import Evidence, Reader
from tests.chaos.machine.judge import Case
from tests.chaos.machine.runs import PATIENCE_SECONDS
from tests.chaos.machine.test_state_machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

    from tests.chaos.hostile.road import HostileRoad, Mischief
    from tests.chaos.machine.world import World


SHORT_PATIENCE_SECONDS = 12.0
"""Until a run is stopped that has to do with mischief which does not end; it is then judged as any other."""


LATER_SECONDS = 6 * 3600.0
"""Beyond all deadlines, and far below the life of jobs and links."""


class StrictCase(Case):
    """Nothing is stuck here, so that nothing may be given up for its age."""

    def _overdue(self, content: str, number: int) -> bool:  # noqa: ARG002
        return False


class AsServed(Reader):
    """Takes for the service's own what the road has served in its place, and what a receipt doubts, whose job is kept.

    Leaves out reports that could not be committed: each run has its own, and nobody needs half of one.
    """

    served: set[str] = set()  # noqa: RUF012 - that of the road, see `HostileLife`

    def read(self) -> Evidence:
        found = super().read()
        held = {
            (receipt["internal_id"] or receipt["service_id"], role, receipt[role]["sha256"])
            for receipt in found.receipts.values()
            for role in ("video", "summary")
            if receipt[role] and (receipt[role]["sha256"] in self.served or doubted(receipt))
        }

        def told(job: dict[str, Any], output: dict[str, Any]) -> dict[str, Any]:
            ids = (job["internal_id"], job["id"])
            others = [sha for id_, role, sha in held if id_ in ids and role == output["role"]]
            return {**output, "sha256": others[0]} if others else output

        jobs = tuple({**job, "outputs": [told(job, output) for output in job["outputs"]]} for job in found.jobs)
        return replace(found, jobs=jobs, uncommitted=tuple(name for name in found.uncommitted if name[:6] != "_runs/"))


class HostileLife(Machine):
    """The machine's world on a road; its steps are taken one by one, without Hypothesis."""

    case = StrictCase

    def __init__(self, world: World, road: HostileRoad) -> None:
        super().__init__()
        self.world, self.road = world, road
        world._clock = self.clock = WatchedClock()  # noqa: SLF001
        self.watch = Watch(self.clock)
        world.kept_back = lambda: road.log.kept_back["create"]
        world.reader.__class__ = AsServed
        world.reader.served = road.log.served
        self.deeds.strangers = world.add_strangers()
        self.before = self.after = world.reader.read()

    def act(
        self, mischief: Sequence[Mischief], names: list[str], stops: tuple[None, ...], chore: str | None, *, later: bool
    ) -> None:
        """Mischief, and runs in the midst of it; `later`: so long after the last act that its jobs are overdue."""
        if later:
            self.world.emulator.advance(LATER_SECONDS)
        self.road.set_out(mischief)
        self.trace.append("hours later, mischief:" if later else "mischief:")
        self.trace.extend(f"    {one}" for one in mischief)
        self.world.patience_seconds = SHORT_PATIENCE_SECONDS
        self.watch.begin(self.road.total())
        self.judged(self.render_at_once, names, Permits(accept_changes=True), stops)
        if chore == "plan":
            self.judged(self.look, names)
        elif chore:
            self.judged(self.sweep, chore)
        self.told()
        self.road.calm()
        self.world.patience_seconds = PATIENCE_SECONDS

    def told(self) -> None:
        findings = list(self.watch.findings(self.road.total()))
        self.trace.append(self.watch.measured)
        if self.road.log.drained:
            findings.append(f"{self.road.log.drained} bodies that came drop by drop were read to their ends")
        assert not findings, "\n".join(findings)

    def keeps(self, content: str) -> bool:
        """Of what is doubtful the job is kept."""
        return doubted(self.after.receipts.get(content, {}))

    def fired(self) -> int:
        return super().fired() + self.road.log.fired


def doubted(receipt: dict[str, Any]) -> bool:
    """Whether it, or a blob of it, names what is not as expected."""
    return '"doubtful": ["' in json.dumps(receipt)


def draw(strategy: SearchStrategy[Any], number: int) -> Any:
    """What this seed draws."""
    drawn: list[Any] = []

    @seed(number)
    @settings(
        max_examples=1,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
    )
    @given(st.booleans(), strategy)
    def take(filled: bool, story: Any) -> None:
        assume(filled)  # the simplest example, with which Hypothesis begins, is the same for every seed
        drawn.append(story)

    take()
    return drawn[-1]


def live(life: HostileLife, acts: Sequence[tuple[Any, ...]], heard: Callable[[], str], number: int, where: str) -> None:
    """All acts, then the honest end; a failure tells what happened and how to see it again.

    The storage SDK leaves connections open whose answers it could not read; a test tells the collector not to mind.
    """
    loggers = [logging.getLogger(), logging.getLogger("batch_avatar")]  # what the second hears, the first hears later
    for logger in loggers:
        logger.addHandler(life.watch)
    try:
        for *act, later in acts:
            life.act(*act, later=later)
        life.road.calm()
        life.watch.begin(life.road.total())
        life.come_to_the_end()
        life.told()
        assert TRACE not in (said := heard()), said
    except Exception as error:
        error.add_note(encodable("\n  ".join(["what happened:", *life.trace])))
        error.add_note(f"reproduce with: pytest {where} --machine-seed {number}")
        raise
    finally:
        for logger in loggers:
            logger.removeHandler(life.watch)
