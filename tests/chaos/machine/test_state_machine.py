"""Random runs, faults, deaths and vandals: after every step service, archive and report tell one story.

Each seed is one life of one archive. A failure prints its steps and the seed; what happens between two requests is
never quite the same, so that a rare one may need some tries.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, reject, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from batch_avatar.errors import BatchAvatarError
from batch_avatar.identity import derive_content_id
from batch_avatar.planning.permits import Permits
from batch_avatar.rendering.preparing.survey import plan
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.upkeep.letters import list_letters, read_letters, scripts_to_replay
from batch_avatar.upkeep.replay import replay_letters
from batch_avatar.upkeep.sweep import sweep
from tests.chaos.arena import GA
from tests.chaos.machine.evidence import attempt_of, content_of
from tests.chaos.machine.judge import Case, Deeds, Step, Told
from tests.chaos.machine.options import chosen_seeds
from tests.chaos.machine.strategies import (
    REVISIONS,
    chores,
    disturbances,
    permits,
    runs,
    texts,
    worlds,
)
from tests.chaos.machine.trace import brief, describe, permitted
from tests.chaos.machine.world import MAX_ATTEMPTS, NAMES, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.models import Script
    from tests.chaos.machine.runs import Ended

STEPS = 12  # the first is the beginning, and most have a disturbance before
QUIET_SECONDS = 3600.0  # for which a sweep leaves a job that has just failed to others
ALL_PERMITS = Permits(retry_failed=True, rerender_lost=True, accept_changes=True)


class Machine(RuleBasedStateMachine):
    """Every rule leaves a `Step`; the invariant judges it."""

    azurite: Any
    case = Case

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.deeds = Deeds()
        self.failure: BaseException | None = None
        self.trace: list[str] = []

    @initialize(filled=st.booleans(), world=worlds)
    def begin(self, filled, world):
        if not filled:
            reject()  # the simplest example, with which Hypothesis begins, is the same for every seed
        self.world = World(self.azurite, **world["service"], **world["options"])
        self.deeds.strangers = self.world.add_strangers()
        self.before = self.after = self.world.reader.read()
        self.step = Step("begin")
        self.trace.append(f"begin: {world}")

    @rule(first=disturbances, texts=texts, permits=permits, stops=runs, chore=chores)
    def live(self, first, texts, permits, stops, chore):
        """All in one rule: Hypothesis leaves out some rules in whole lives, and without renders nothing happens."""
        if first is not None:
            what, *given = first
            self.judged(getattr(self, what), *given)
        names, version = texts
        if version is not None:
            self.world.edit(names, version)
        self.judged(self.render_at_once, names, permits, stops)
        match chore:
            case "plan":
                self.judged(self.look, names)
            case "replay":
                self.judged(self.replay)
            case "sweep" | "dry sweep":
                self.judged(self.sweep, chore)

    def judged(self, step, *given):
        step(*given)
        self.one_story()

    def look(self, names):
        scripts = self.world.scripts(names)
        (ended,) = self.go(Step("plan", reads_only=True), lambda _: plan(scripts), create=False)
        if ended.error is None and not ended.stopped:
            items = ended.value.items
            assert [item.script_id for item in items] == names
            assert all((item.state == "archived") == (item.content_id in self.after.archived) for item in items)

    def sweep(self, name):
        step = Step(name, reads_only=name == "dry sweep")
        (ended,) = self.go(step, lambda _: sweep(plain_chain(), dry_run=step.reads_only), create=False)
        if self.free and ended.error is None:
            assert ended.value.foreign == len(self.deeds.strangers)
            assert ended.value.clean, ended.value

    def replay(self):
        """As `failed replay` does it."""
        step = Step("replay", permits=Permits(retry_failed=True))

        async def work(c):
            letters = await read_letters(await list_letters())
            contents = {}
            for revision, scripts in scripts_to_replay(letters, archive_id=c.archive.archive_id).items():
                contents |= contents_of(scripts, c.archive.archive_id, revision)
            return (await replay_letters(letters, plain_chain()), contents) if letters else None

        (ended,) = self.go(step, work, create=False)
        step.told = [Told(*ended.value, self.free)] if ended.value else []

    def change_weather(self, weather):
        self.world.emulator.set_faults(weather)
        self.go(Step(f"weather {'; '.join(map(describe, weather))}"))

    def calm_down(self, release):
        self.world.calm_down(release=release)
        self.go(Step("calm, stuck jobs go on" if release else "calm"))

    def rob_the_service(self, pick):
        """Of a job that has ended, rather of one whose result is then lost."""
        there = [
            (content not in self.after.archived, content, job)
            for content, jobs in self.after.ours.items()
            for job in jobs
            if job["terminal"] and not job["removed"]
        ]
        there = [one for one in there if one[0]] or there
        if there:
            _, content, job = there[pick % len(there)]
            self.world.emulator.service.delete(job["id"], "2024" if self.world.api_version == GA else "3.1")
            self.deeds.jobs.add(job["internal_id"])
            if not self.after.attempts(content)[attempt_of(job)]["accepted_at"]:
                self.deeds.unknown.add(job["internal_id"])
            self.go(Step(f"rob the service of {job['name']} ({job['status']})"))

    def rob_the_archive(self, pick, receipt):
        """Of a receipt, which can be rebuilt from the video; or of a video."""
        if archived := sorted(self.after.archived):
            content = archived[pick % len(archived)]
            held = self.after.receipts[content]
            name = f"{held['script_id']}/{content}/receipt.json" if receipt else held["video"]["blob_name"]
            self.world.container.delete_blob(name)
            if not receipt:
                self.deeds.videos.add((content, held["attempt"]))
            self.go(Step(f"rob the archive of {name}"))

    @invariant()
    def one_story(self):
        case = self.case(self.before, self.after, self.step, self.deeds, MAX_ATTEMPTS)
        assert not (found := case.findings()), "\n".join(found)

    def teardown(self):
        if self.world is None:
            return
        try:
            if sys.exc_info()[0] is None:  # else a step has failed, and that is what is to be told
                self.come_to_the_end()
        finally:
            self.failure = sys.exc_info()[1]
            self.world.close()

    def come_to_the_end(self):
        """Without faults every script ends; then nothing is left to pay for, to move or to delete."""
        self.judged(self.calm_down, True)  # noqa: FBT003 - stuck jobs go on
        self.finish(Permits(accept_changes=True))
        outcomes = self.finish(ALL_PERMITS)
        assert outcomes <= {"archived", "skipped"}, outcomes
        self.sweep_up()

    def finish(self, permits) -> set[str]:
        """Render everything; once more costs nothing and changes nothing."""
        self.judged(self.render_at_once, list(NAMES), permits, (None,))
        first = {one.script_id: one for one in self.step.told[0].report.outcomes}
        jobs, blobs = len(self.after.jobs), self.after.documents
        self.judged(self.render_at_once, list(NAMES), Permits(accept_changes=True), (None,))
        for one in self.step.told[0].report.outcomes:
            was = first[one.script_id].outcome
            assert one.outcome == ("skipped" if was == "archived" else was), (was, one)
            jobs_left = [job["name"] for job in self.after.ours.get(content_of(one.job_id), ()) if not job["removed"]]
            assert not (one.outcome == "skipped" and jobs_left) or self.keeps(content_of(one.job_id)), jobs_left
        assert len(self.after.jobs) == jobs, "the second run has paid again"
        assert self.after.documents == blobs, "the second run has changed the archive"
        return {one.outcome.value for one in first.values()}

    def sweep_up(self):
        for _ in range(2):
            self.world.emulator.advance(QUIET_SECONDS)  # also past the list's lag
            self.judged(self.sweep, "sweep")
        robbed = {content for content, _ in self.deeds.videos} - self.after.archived  # of a revision nobody wants now
        due = [jobs for content, jobs in self.after.ours.items() if content not in robbed and not self.keeps(content)]
        left = [job["name"] for jobs in due for job in jobs if not job["removed"]]
        assert not left, left
        lost = {
            f"/{content}/{attempt_of(job)}/"
            for content, jobs in self.after.ours.items()
            for job in jobs
            if job["internal_id"] in self.deeds.jobs
        }
        half = [name for name in self.after.uncommitted if not any(part in name for part in lost)]
        assert not half, half

    def keeps(self, content) -> bool:  # noqa: ARG002 - a machine that raises doubts goes by it
        """Whether the job stays though it is archived."""
        return False

    def render_at_once(self, names, permits, stops):
        scripts = self.world.scripts(names)
        texts = self.world.texts(names)
        step = Step(f"render {texts} {permitted(permits)} {' and '.join(map(str, stops))}", permits=permits)
        ended = self.go(step, *[self.rendering(scripts, permits) for _ in stops], stops=stops)
        contents = contents_of(scripts, self.after.archive_id, permits.revision)
        step.told = [Told(self.report_of(one, contents), contents, self.free, self.was_stopped(one)) for one in ended]

    def rendering(self, scripts, permits):
        """The work of a run that renders them."""
        return lambda _: render_scripts(scripts, plain_chain(), permits=permits)

    def report_of(self, ended, contents):  # noqa: ARG002 - a machine whose scripts share jobs goes by it
        return ended.value

    def was_stopped(self, ended) -> bool:
        return ended.stopped

    def go(self, step, *works, **how) -> list[Ended]:
        """Take a step, and read what came of it."""
        fired, stuck = self.fired(), self.world.stuck()
        ended = self.world.run(*works, **how) if works else []
        self.before, self.after, self.step = self.after, self.world.reader.read(), step
        self.free = not (stuck or self.world.stuck() or self.fired() != fired or any(one.stopped for one in ended))
        self.trace.append(
            f"{step.name}{''.join(f' -> {brief(one)}' for one in ended)}{' (free)' if ended and self.free else ''}"
        )
        for one in ended:
            if one.error is not None and (self.free or not isinstance(one.error, BatchAvatarError)):
                raise one.error
        return ended

    def fired(self) -> int:
        return sum(rule["fired"] for rule in self.world.emulator.stats()["faults"])


def contents_of(scripts: Sequence[Script], archive_id: str, revision: int) -> dict[str, tuple[str, ...]]:
    """As `Told` has them."""
    return {
        script.script_id: tuple(
            derive_content_id(script, archive_id=archive_id, revision=number) for number in REVISIONS[revision:]
        )
        for script in scripts
    }


def pytest_generate_tests(metafunc):
    if "machine_seed" in metafunc.fixturenames:
        metafunc.parametrize("machine_seed", chosen_seeds(metafunc.config))


@pytest.mark.timeout(900)
def test_service_archive_and_report_tell_one_story(azurite, machine_seed):
    lives: list[Machine] = []

    def start():
        for (
            life
        ) in lives:  # Hypothesis wants to see a failure twice; what happens between two requests is never the same
            if life.failure is not None:
                raise life.failure
        machine = Machine()
        machine.azurite = azurite
        lives.append(machine)
        return machine

    how = settings(
        max_examples=1,
        stateful_step_count=STEPS,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        print_blob=False,
    )
    try:
        run_state_machine_as_test(seed(machine_seed)(start), settings=how)
    except Exception as error:  # noqa: BLE001 - raised again, with what happened before
        failure = lives[-1].failure or error
        failure.add_note("\n  ".join(["what happened:", *lives[-1].trace]))
        failure.add_note(f"reproduce with: pytest tests/chaos/machine --machine-seed {machine_seed}")
        raise failure from None
