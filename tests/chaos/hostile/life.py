"""One life of an archive among hostile answers: some acts of mischief, then an honest end. Judged as the machine's."""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from batch_avatar.planning.permits import Permits
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from tests.chaos.arena import GA
from tests.chaos.hostile.drops import Drops
from tests.chaos.hostile.members import told_alone, unpacked
from tests.chaos.hostile.watch import SCRIPTS, TRACE, Watch, WatchedClock, encodable
from tests.chaos.judge_packs import PROBE
from tests.chaos.machine.evidence import Evidence, Reader
from tests.chaos.machine.judge import Case
from tests.chaos.machine.runs import PATIENCE_SECONDS
from tests.chaos.machine.test_state_machine import ALL_PERMITS, Machine
from tests.chaos.machine.world import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

    from tests.chaos.hostile.road import HostileRoad, Mischief
    from tests.chaos.machine.world import World


SHORT_PATIENCE_SECONDS = 12.0
"""Until a run is stopped that has to do with mischief which does not end; it is then judged as any other."""


LATER_SECONDS = 6 * 3600.0
"""Beyond all deadlines, and far below the life of jobs and links."""


ROLES = {"video": "video", "summary": "summary", "subtitle": "subtitles"}
"""What the service calls a file, and what a receipt does."""


class Ways(NamedTuple):
    """How the scripts of a life are rendered: how many share a job, dropped or not, with subtitles beside or not."""

    pack: int
    inbox: bool
    subtitles: bool


ways = st.builds(Ways, st.sampled_from((1, 1, 2, 3)), st.sampled_from((False, False, True)), st.booleans())


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
        found = unpacked(super().read())
        held = {
            (receipt["internal_id"] or receipt["service_id"], role, receipt[ROLES[role]]["sha256"])
            for receipt in found.receipts.values()
            for role in ROLES
            if receipt[ROLES[role]] and (receipt[ROLES[role]]["sha256"] in self.served or doubted(receipt))
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

    def __init__(self, world: World, road: HostileRoad, ways: Ways) -> None:
        super().__init__()
        self.world, self.road = world, road
        self.pack = ways.pack if world.api_version == GA else 1  # as 3.1-preview1 demands
        self.staging = world.connect(f"staging-{secrets.token_hex(6)}")
        world.more |= {"staging_container": self.staging.container_name} if self.pack > 1 else {}
        self.drops = Drops(world, members_of(ways)) if ways.inbox else None
        if self.drops:
            world.more |= {"inbox_container": self.drops.name, "inbox_settle_seconds": 0}
        world._clock = self.clock = WatchedClock()  # noqa: SLF001
        self.watch = Watch(self.clock)
        self.scripts = 0
        """How many were rendered or swept in this act, in all runs together."""
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
        self.scripts = 0
        self.watch.begin(self.road.total())
        self.judged(self.render_at_once, names, Permits(accept_changes=True), stops)
        if chore == "plan":
            self.judged(self.look, names)
        elif chore:
            self.judged(self.sweep, chore)
        self.told(self.scripts)
        self.road.calm()
        self.world.patience_seconds = PATIENCE_SECONDS

    def render_at_once(self, names, permits, stops):
        if self.drops:
            self.drops.drop(names)
            names = self.drops.left()
        self.scripts += len(names) * len(stops)
        super().render_at_once(names, permits, stops)

    def sweep(self, name):
        self.scripts += len(self.after.claims)
        super().sweep(name)

    def rendering(self, scripts, permits):
        if self.drops:
            return self.drops.rendering(permits, self.pack)
        return lambda _: render_scripts(scripts, plain_chain(), permits=permits, pack=self.pack)

    def report_of(self, ended, contents):
        report = told_alone(ended.value, self.after)
        return report and self.drops.told(report, contents, self.after) if self.drops else report

    def was_stopped(self, ended) -> bool:
        """The report of an inbox is not the one that the archive has: it tells of scripts that nobody has dropped."""
        return super().was_stopped(ended) or self.drops is not None

    def one_story(self):
        super().one_story()
        if self.drops:
            assert not (found := list(self.drops.findings(self.after))), "\n".join(found)

    def come_to_the_end(self):
        """An inbox first; what was rendered of it is then rendered as any script."""
        if self.drops:
            self.judged(self.render_at_once, list(NAMES), ALL_PERMITS, (None,))
            assert not (left := self.drops.left()), left
            self.drops.close()
            self.drops = None
        super().come_to_the_end()
        kept = {receipt["job_id"] for content, receipt in self.after.receipts.items() if self.keeps(content)}
        assert not (left := [name for name in self.staged() if name.split("/")[0] not in kept]), left
        self.staging.close()

    def staged(self) -> list[str]:
        """What packs have left, without the block by which the emulator tries whether it may write."""
        if not self.staging.exists():
            return []
        names = [blob.name for blob in self.staging.list_blobs(include=["uncommittedblobs"])]
        return [name for name in names if not name.startswith(PROBE)]

    def told(self, scripts: int = SCRIPTS) -> None:
        findings = list(self.watch.findings(self.road.total(), scripts))
        self.trace.append(self.watch.measured)
        if self.road.log.drained:
            findings.append(f"{self.road.log.drained} bodies that came drop by drop were read to their ends")
        assert not findings, "\n".join(findings)

    def keeps(self, content: str) -> bool:
        """Of what is doubtful the job is kept, and with it the other inputs of a pack."""
        job_id = self.after.receipts.get(content, {}).get("job_id")
        return any(doubted(one) for one in self.after.receipts.values() if one["job_id"] == job_id)

    def fired(self) -> int:
        return super().fired() + self.road.log.fired


def members_of(ways: Ways) -> dict[str, str]:
    """Of every script, besides its look."""
    return {"subtitle_type": "external_file"} if ways.subtitles else {}


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
