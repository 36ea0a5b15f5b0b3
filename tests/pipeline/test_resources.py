"""Several Speech resources: scripts go where they are done first, and where they can be done at all."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from batch_avatar.emulator.faults import FaultRule, Status, StickJob
from batch_avatar.emulator.options import Progression
from batch_avatar.errors import AccessRefused
from batch_avatar.planning.permits import Permits
from batch_avatar.rendering import stages
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.settings import load_settings
from batch_avatar.upkeep.sweep import sweep
from tests.support.virtual_clock import VirtualClock, run_virtually
from tests.support.waiting import happened

AVA, ANDREW = "en-US-AvaMultilingualNeural", "en-US-AndrewNeural"
NOT_TO_BE_REACHED = {"name": "down", "endpoint": "http://127.0.0.1:9", "speech_key": "k"}
PATIENCE_SECONDS = 60


@dataclass
class Fleet:
    """Emulated resources by their names, and one empty archive; `members` are what the settings say of each more."""

    benches: dict
    members: dict

    @property
    def archive(self):
        """What looks at the archive and at the first resource."""
        return next(iter(self.benches.values()))

    def resources(self, *names):
        return [
            {"name": name, "endpoint": b.emulator.endpoint, "speech_key": b.emulator.key} | self.members.get(name, {})
            for name, b in self.benches.items()
            if not names or name in names
        ]

    def host(self, name):
        return self.benches[name].emulator.endpoint.removeprefix("http://")

    def name_of(self, host):
        (name,) = (name for name in self.benches if self.host(name) == host)
        return name

    @asynccontextmanager
    async def open(self, *, resources=None, run=None, clock=None, **overrides):
        settings = load_settings(
            resources=resources or self.resources(),
            storage_connection_string=self.archive.connection_string,
            container=self.archive.container_name,
            **({"creates_per_minute": 0, "poll_interval_seconds": 0.1} | overrides),
        )
        async with open_run(settings, run or secrets.token_hex(4), clock=clock) as live:
            yield live

    def render(self, scripts, *, permits=None, events=None, **options):
        async def work():
            async with self.open(**options) as run, asyncio.timeout(PATIENCE_SECONDS):
                run.listeners += [] if events is None else [events.append]
                return await render_scripts(scripts, plain_chain(), permits=permits)

        return asyncio.run(work())

    def submit(self, name, scripts, **options):
        """Claim and send there, and no more: as a run that dies then."""

        async def work():
            async with self.open(**options):
                return [await stages.submit(script, self.host(name)) for script in scripts]

        return asyncio.run(work())

    def sweep(self):
        async def work():
            async with self.open():
                return await sweep(plain_chain())

        return asyncio.run(work())

    def command(self, *arguments, folder, resources=None, **extra):
        """As a user runs it."""
        return self.archive.command(
            *arguments,
            folder=folder,
            BATCH_AVATAR_ENDPOINT="",
            BATCH_AVATAR_SPEECH_KEY="",
            BATCH_AVATAR_RESOURCES=json.dumps(resources or self.resources()),
            **extra,
        )

    def accepted(self):
        """How many creates each resource took."""
        return {name: b.emulator.stats()["creates"]["accepted"] for name, b in self.benches.items()}

    def where(self):
        """Of each archived script, the resource that its receipt names."""
        return {script_id: self.name_of(receipt["resource"]) for script_id, receipt in self.archive.receipts().items()}

    def jobs_left(self):
        return [job["id"] for b in self.benches.values() for job in b.emulator.jobs() if not job["removed"]]


@pytest.fixture
def fleet(bench):
    """`fleet("a", b={...})`: resources with these names; a value has `options` of its emulator, and settings."""

    def start(*names, **described):
        given = {name: {} for name in names} | described
        quick = {"progression": Progression.at_once(), "list_lag_seconds": 0}
        benches = {name: bench(**(quick | one.get("options", {}))) for name, one in given.items()}
        members = {name: {key: value for key, value in one.items() if key != "options"} for name, one in given.items()}
        return Fleet(benches, members)

    return start


def outcomes(report):
    return {one.script_id: one for one in report.outcomes}


def messages(report):
    return {one.error.message for one in report.outcomes if one.error}


# Spreading


def test_scripts_are_spread_over_all_resources_and_none_is_paid_twice(fleet, script):
    f = fleet("a", "b", "c")
    report = f.render([script(f"s{number}") for number in range(12)], max_unfinished_jobs=2)

    assert report.all_archived
    assert sum(f.accepted().values()) == 12
    assert min(f.accepted().values()) >= 2, f.accepted()
    assert f.jobs_left() == []


def test_scripts_are_spread_evenly_also_where_neither_pace_nor_slots_hold_them_back(fleet, script):
    """Nothing is known of the service's quota then; a script that is claimed stays, so none may be claimed early."""
    f = fleet("a", "b")
    report = f.render([script(f"s{number}") for number in range(10)])

    assert report.all_archived
    assert f.accepted() == {"a": 5, "b": 5}


def test_a_resource_with_twice_the_pace_gets_twice_the_scripts(fleet, script):
    f = fleet(a={"creates_per_minute": 120}, b={"creates_per_minute": 60})
    clock = VirtualClock()

    async def work():
        async with clock.running(lambda *_: None), f.open(clock=clock):
            return await render_scripts([script(f"s{number}") for number in range(9)], plain_chain())

    assert run_virtually(work()).all_archived
    assert f.accepted() == {"a": 6, "b": 3}


def test_receipts_name_the_resource_and_a_second_run_costs_nothing(fleet, script):
    f = fleet("a", "b")
    scripts = [script(f"s{number}") for number in range(4)]
    f.render(scripts, max_unfinished_jobs=1)
    paid = f.accepted()

    again = f.render(scripts)

    assert (again.skipped, f.accepted()) == (4, paid)
    assert {name: list(f.where().values()).count(name) for name in "ab"} == paid


# What a resource cannot do


def test_scripts_go_where_their_voice_and_character_can_be_done(fleet, script):
    f = fleet(a={"unsupported": [ANDREW.upper()]}, b={"unsupported": ["Lisa"]}, c={})
    scripts = [
        *(script(f"andrew{number}", voice=ANDREW) for number in range(3)),
        *(script(f"ava{number}") for number in range(3)),
        *(script(f"lisa{number}", voice=ANDREW) for number in range(3)),
        script("ssml", voice=None, input_kind="SSML", content=f"<speak><voice name='{ANDREW}'>Hi.</voice></speak>"),
    ]
    assert f.render(scripts, max_unfinished_jobs=1).all_archived

    where = f.where()
    assert {where[name] for name in where if not name.startswith("ava")} == {"c"}
    assert {where[name] for name in where if name.startswith("ava")} <= {"a", "c"}


def test_what_no_resource_can_do_is_unfinished_and_says_why(fleet, script):
    f = fleet(a={"unsupported": [ANDREW]}, b={"unsupported": [ANDREW]})
    report = f.render([script("can"), script("cannot", voice=ANDREW)])

    assert (report.archived, report.unfinished) == (1, 1)
    assert "no resource supports its character or voice (see `unsupported` in the settings)" in "\n".join(
        messages(report)
    )
    assert sum(f.accepted().values()) == 1


def test_a_claim_that_never_came_to_a_job_goes_to_a_resource_that_can_do_the_script(fleet, script):
    """Claimed by a run whose key was refused, at a resource that is no longer in the settings."""
    f = fleet(gone={}, a={"unsupported": [ANDREW]}, b={})
    wanted = [script("s1", voice=ANDREW)]
    wrong = [one | {"speech_key": "wrong"} for one in f.resources("gone")]
    with pytest.raises(AccessRefused):
        f.submit("gone", wanted, resources=wrong)

    assert f.render(wanted, resources=f.resources("a", "b")).all_archived
    assert f.accepted() == {"gone": 0, "a": 0, "b": 1}


# Resources that refuse


def test_a_resource_with_a_wrong_key_is_set_aside_by_name_and_the_other_does_everything(fleet, script, written):
    f = fleet("good", bad={"speech_key": "wrong-key"})
    scripts = [script(f"s{number}") for number in range(4)]
    done = f.command("render", "scripts.jsonl", "--json", folder=written(*scripts))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["archived"] == 4
    assert f.accepted() == {"good": 4, "bad": 0}
    assert done.stderr.count("the jobs of bad cannot be read") == 1
    assert "wrong-key" not in done.stderr + done.stdout


def test_where_every_key_is_wrong_the_command_ends_with_3_and_says_so_once(fleet, script, written):
    f = fleet(a={"speech_key": "wrong-key"}, b={"speech_key": "wrong-key"})
    done = f.command("render", "scripts.jsonl", folder=written(script("s1"), script("s2")))

    assert done.returncode == 3
    assert done.stderr.count("access refused") == 1
    assert "wrong-key" not in done.stderr
    assert sum(f.accepted().values()) == 0


def refuse_creates(status, **members):
    return FaultRule(operation="create", action=Status(status=status, **members))


def test_a_resource_that_refuses_access_to_creates_alone_is_set_aside_and_its_scripts_move(fleet, script):
    f = fleet("good", bad={"options": {"faults": (refuse_creates(403, code="Forbidden"),)}})
    report = f.render([script(f"s{number}") for number in range(6)], max_unfinished_jobs=2)

    assert report.all_archived, messages(report)
    assert f.accepted() == {"good": 6, "bad": 0}
    assert len(f.benches["bad"].emulator.requests("create")) <= 2, "what was under way, and nothing after it"


def test_a_resource_that_refuses_everything_is_set_aside_and_the_rest_goes_elsewhere(fleet, script):
    broken = refuse_creates(400, code="QuotaOfThisSubscription")
    f = fleet("good", bad={"options": {"faults": (broken,)}, "max_unfinished_jobs": 1})
    scripts = [script(f"s{number:02d}") for number in range(12)]
    report = f.render(scripts, max_unfinished_jobs=1)

    refused = [one for one in report.outcomes if one.outcome == "failed"]
    assert len(refused) <= 5
    assert report.archived == 12 - len(refused)
    assert len(f.benches["bad"].emulator.requests("create")) == len(refused)

    f.benches["bad"].emulator.clear_faults()
    assert f.render(scripts, permits=Permits(retry_failed=True)).all_archived
    assert sum(f.accepted().values()) == 12


# Resources that are down


def test_a_resource_that_is_down_from_the_start_binds_no_script(fleet, script):
    """Its list could not be read; who waits for it would wait for ever while another is free."""
    f = fleet("up")
    report = f.render([script(f"s{number}") for number in range(6)], resources=[NOT_TO_BE_REACHED, *f.resources()])

    assert report.all_archived
    assert f.accepted() == {"up": 6}


def test_scripts_that_wait_move_when_a_resource_goes_down_and_what_it_has_is_finished_when_it_is_back(fleet, script):
    stuck = FaultRule(operation="create", action=StickJob())
    f = fleet("a", b={"options": {"faults": (stuck,)}})
    b = f.benches["b"].emulator
    down = [FaultRule(operation="any", action=Status(status=503))]
    scripts = [script(f"s{number:02d}") for number in range(10)]
    events = []

    async def work():
        async with f.open(max_unfinished_jobs=1) as run, asyncio.timeout(PATIENCE_SECONDS):
            run.listeners.append(events.append)
            rendering = asyncio.create_task(render_scripts(scripts, plain_chain()))
            await happened(lambda: b.stats()["creates"]["accepted"])
            b.set_faults(down)
            await happened(
                lambda: sum(event.phase == "archived" for event in events) == 9
            )  # all but the one that it has
            b.clear_faults()
            b.release()
            return await rendering

    report = asyncio.run(work())

    assert report.all_archived, messages(report)
    assert f.accepted() == {"a": 9, "b": 1}


# Claims, wherever they are


def test_a_script_stays_with_the_resource_that_has_its_job(fleet, script):
    f = fleet("a", "b")
    f.submit("b", [script("s1")])

    assert f.render([script("s1")]).all_archived
    assert (f.accepted(), f.where()) == ({"a": 0, "b": 1}, {"s1": "b"})


def test_scripts_of_a_resource_that_is_no_longer_configured_are_unfinished_by_name_and_never_paid_again(fleet, script):
    f = fleet("a", "b")
    f.submit("b", [script("s1"), script("s2")])
    scripts = [script("s1"), script("s2"), script("s3")]
    for _ in range(2):
        report = f.render(scripts, resources=f.resources("a"))

        ended = outcomes(report)
        assert ended["s3"].outcome in ("archived", "skipped")
        for name in ("s1", "s2"):
            assert ended[name].outcome == "unfinished"
            assert f.host("b") in ended[name].error.message
    assert f.accepted() == {"a": 1, "b": 2}

    assert f.render(scripts).all_archived
    assert f.accepted() == {"a": 1, "b": 2}


def test_what_is_lost_on_one_of_the_resources_is_reported_and_not_sent_to_another(fleet, script):
    f = fleet("a", "b")
    [ref] = f.submit("b", [script("s1")])
    f.benches["b"].delete_job(ref.job_id)

    report = f.render([script("s1")])

    assert outcomes(report)["s1"].error.failure_class == "lost"
    assert f.accepted() == {"a": 0, "b": 1}


def test_a_claim_at_a_resource_that_refuses_us_now_is_not_sent_elsewhere(fleet, script):
    f = fleet("a", "b")
    f.submit("b", [script("s1")])
    locked = [*f.resources("a"), *(one | {"speech_key": "wrong"} for one in f.resources("b"))]

    report = f.render([script("s1"), script("s2")], resources=locked)

    assert outcomes(report)["s1"].outcome == "unfinished"
    assert outcomes(report)["s2"].outcome == "archived"
    assert f.accepted() == {"a": 1, "b": 1}


# Commands that look at all of them


def test_a_sweep_looks_at_all_resources(fleet, script):
    f = fleet("a", "b")
    f.submit("a", [script("s1")])
    f.submit("b", [script("s2")])
    for b in f.benches.values():
        b.end_jobs()

    report = f.sweep()

    assert {item.ref.script_id for item in report.items} == {"s1", "s2"}
    assert f.where() == {"s1": "a", "s2": "b"}
    assert f.jobs_left() == []


def test_a_sweep_goes_on_beside_a_resource_that_it_cannot_read_and_is_not_clean_then(fleet, script):
    f = fleet("a", "b")
    f.submit("a", [script("s1")])
    for b in f.benches.values():
        b.emulator.settle()
    f.benches["b"].emulator.set_faults([FaultRule(operation="list", action=Status(status=401, shape="gateway"))])

    report = f.sweep()

    assert (report.unread, report.clean) == (("b",), False)
    assert [item.action for item in report.items] == ["archive"]
    assert set(f.archive.receipts()) == {"s1"}


def test_jobs_list_shows_those_of_all_resources_and_where_they_are(fleet, script, tmp_path):
    f = fleet("a", "b")
    f.submit("a", [script("s1")])
    f.submit("b", [script("s2")])

    done = f.command("jobs", "list", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    for name in "ab":
        assert f.host(name) in done.stdout
    assert "2 jobs" in done.stdout


# Other people's jobs


def test_slots_that_others_have_are_left_to_them_and_used_as_soon_as_they_are_free(bench, script):
    """Never a create too many: not one is refused."""
    stuck = FaultRule(operation="create", job_id="^foreign", action={"kind": "stick_job"})
    b = bench(active_jobs_limit=4, list_lag_seconds=0, faults=(stuck,))
    for number in range(3):
        b.put_job(f"foreign-{number}")
    events = []

    async def work():
        async with (
            open_run(b.settings(max_unfinished_jobs=4), "r") as run,
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            run.listeners.append(events.append)
            rendering = asyncio.create_task(render_scripts([script(f"s{n}") for n in range(6)], plain_chain()))
            await happened(lambda: sum(event.phase == "archived" for event in events) >= 2)
            assert b.emulator.stats()["creates"]["accepted"] <= 3 + 4
            b.emulator.release()
            return await rendering

    report = asyncio.run(work())

    assert report.all_archived
    assert b.emulator.stats()["requests"]["create"] == {"201": 9}


def test_creates_wait_while_others_have_all_slots_and_go_on_when_those_end(bench, script):
    stuck = FaultRule(operation="create", job_id="^foreign", action={"kind": "stick_job"})
    b = bench(active_jobs_limit=2, list_lag_seconds=0, faults=(stuck,))
    for number in range(2):
        b.put_job(f"foreign-{number}")

    async def work():
        async with (
            open_run(b.settings(max_unfinished_jobs=2), "r"),
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            rendering = asyncio.create_task(render_scripts([script("s1"), script("s2")], plain_chain()))
            await happened(lambda: sum(b.emulator.stats()["requests"].get("list", {}).values()) >= 4)
            assert b.emulator.stats()["creates"]["accepted"] == 2, "those of the others"
            b.emulator.release()
            return await rendering

    report = asyncio.run(work())

    assert report.all_archived
    assert b.emulator.stats()["requests"]["create"] == {"201": 4}


def test_a_key_that_is_revoked_while_others_have_all_slots_ends_the_run(bench, script):
    """No slot will ever be seen to be free again."""
    stuck = FaultRule(operation="create", job_id="^foreign", action={"kind": "stick_job"})
    b = bench(active_jobs_limit=1, list_lag_seconds=0, faults=(stuck,))
    b.put_job("foreign-0")

    async def work():
        async with open_run(b.settings(max_unfinished_jobs=1), "r"), asyncio.timeout(PATIENCE_SECONDS):
            rendering = asyncio.create_task(render_scripts([script("s1"), script("s2")], plain_chain()))
            await happened(lambda: sum(b.emulator.stats()["requests"].get("list", {}).values()) >= 3)
            b.emulator.set_faults([FaultRule(operation="any", action=Status(status=401, shape="gateway"))])
            return await rendering

    report = asyncio.run(work())

    assert {one.error.failure_class for one in report.outcomes} == {"access"}
