"""Several scripts from their claims to one create, against a real storage and the emulated service."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from batch_avatar.archive.records import Claim
from batch_avatar.emulator.faults import DropAfter, FaultRule, Garbage, Status
from batch_avatar.errors import AccessRefused, CreateUnclear, ServiceUnavailable
from batch_avatar.identity import derive_job_id
from batch_avatar.planning.packing import derive_pack_id, pack_job_id
from batch_avatar.planning.stubborn import MAX_SENDS
from batch_avatar.receipt import Attempt
from batch_avatar.rendering.pack_draft import PackDraft
from batch_avatar.rendering.packs.submission import PackSubmission
from batch_avatar.rendering.submission import Submission
from batch_avatar.safe_text.logs import make_logs_safe
from tests.support.scripts import script

NAMES = ("s1", "s2", "s3")
SCRIPTS = tuple(map(script, NAMES))
OUTAGE = FaultRule(operation="get", action=Garbage(body="html"), at_most=1)
"""An answer that is no job. After one of 503 the session would ask again by itself, and pause before."""


@pytest.fixture
def bench(bench):
    """Likewise, with a staging container."""

    def start(*faults, **options):
        b = bench(*faults, **options)
        b.overrides["staging_container"] = f"{b.container}-staging"
        return b

    return start


class Before:
    """A resource's client that lets something happen just before a create leaves, each time the next of it."""

    def __init__(self, client, *steps):
        self._client = client
        self._steps = list(steps)

    def __getattr__(self, name):
        return getattr(self._client, name)

    def create(self, *args, **kwargs):
        if self._steps:
            self._steps.pop(0)()
        return self._client.create(*args, **kwargs)


def resource_of(run, *steps):
    resource = run.connections.resource_of("")
    return replace(resource, client=Before(resource.client, *steps)) if steps else resource


def pack_of(run, *scripts, resource=None):
    named = {script.script_id: script for script in scripts or SCRIPTS}
    draft = PackDraft(named, written_at=run.connections.clock.now())
    return PackSubmission(run, resource or run.connections.resource_of(""), draft)


def name_of(run, *scripts):
    """Of the pack with just these members."""
    members = [(run.content_id_of(script), 1) for script in scripts or SCRIPTS]
    return pack_job_id(derive_pack_id(members, archive_id=run.connections.archive.archive_id))


def own_name(run, script):
    return derive_job_id(script.script_id, run.content_id_of(script), 1)


def claim_of(run, script):
    held = run.connections.archive.read_claim(script.script_id, run.content_id_of(script))
    return held.claim if held else None


def claims(run, *scripts):
    return [claim_of(run, script) for script in scripts or SCRIPTS]


def places(run):
    """Of each script, the job and the input that its claim names."""
    return [(claim.last.job_id, claim.last.input) for claim in claims(run)]


def as_of_another(run, script):
    """A claim as another run writes it."""
    return Claim(
        script_id=script.script_id,
        content_id=run.content_id_of(script),
        run="earlier",
        holder="another",
        resource=run.connections.resource_of("").host,
        api_version=run.connections.settings.api_version,
        attempts=(Attempt(number=1, job_id=own_name(run, script)),),
    )


def claimed_by_another(run, script):
    assert run.connections.archive.create_claim(as_of_another(run, script))


def taken_over_by_another(run, script):
    held = run.connections.archive.read_claim(script.script_id, run.content_id_of(script))
    assert run.connections.archive.replace_claim(held, as_of_another(run, script))


def let_claims_grow_old(run):
    """From now on claims count as old as soon as the storage's clock, which tells whole seconds, has gone on."""
    settings = run.connections.settings.model_copy(update={"claim_seconds": 0.1})
    run.connections = replace(run.connections, settings=settings)


def create(action, **members):
    return FaultRule(operation="create", action=action, **members)


# One create


async def test_scripts_become_the_inputs_of_one_job_and_each_claim_knows_that_it_is_paid(bench):
    b = bench()
    async with b.open() as run:
        refs = await pack_of(run).submit()
        job_id = name_of(run)

        assert b.accepted() == [job_id]
        assert b.inputs(job_id) == 3
        assert [(ref.script_id, ref.job_id, ref.input) for ref in refs] == [
            (name, job_id, number) for number, name in enumerate(NAMES, start=1)
        ]
        assert [claim.ref() for claim in claims(run)] == list(refs)
        assert all(claim.last.accepted_at for claim in claims(run))
        pack = run.connections.archive.read_pack(job_id.split("-")[1])
        assert [member.script_id for member in pack.members] == list(NAMES)
        assert pack.resource == run.connections.resource_of("").host


async def test_every_claim_and_the_list_of_members_are_written_before_the_create_leaves(bench):
    b, seen = bench(), []
    async with b.open() as run:
        job_id = name_of(run)

        def look():
            seen.append(
                (places(run), run.connections.archive.read_pack(job_id.split("-")[1]) is not None, b.asked("create"))
            )

        await pack_of(run, resource=resource_of(run, look)).submit()

        assert seen == [([(job_id, 1), (job_id, 2), (job_id, 3)], True, 0)]


async def test_the_signed_link_is_in_nothing_that_is_kept(bench, caplog):
    make_logs_safe()  # as every command and flow does; the emulator's own requests are logged here as well
    b = bench(create(Status(status=500), at_most=1))
    caplog.set_level("DEBUG")
    async with b.open() as run:
        await pack_of(run).submit()

        assert len(b.blobs()) == 5
        assert not [name for name, content in b.blobs().items() if b"sig=" in content]
        assert not [record for record in caplog.records if "sig=" in record.getMessage().replace("sig=REDACTED", "")]


# Who is in it


async def test_a_script_that_another_run_has_is_left_out_and_the_pack_is_named_anew(bench):
    b = bench()
    async with b.open() as run:
        first, second, third = SCRIPTS
        claimed_by_another(run, second)
        refs = await pack_of(run).submit()
        job_id = name_of(run, first, third)

        assert b.accepted() == [job_id]
        assert b.inputs(job_id) == 2
        assert [(ref.script_id, ref.input) for ref in refs] == [("s1", 1), ("s3", 2)]
        assert places(run) == [(job_id, 1), (own_name(run, second), 0), (job_id, 2)]
        assert claim_of(run, second).holder == "another"


async def test_one_script_that_is_left_goes_alone_and_its_claim_says_so(bench):
    b = bench()
    async with b.open() as run:
        first, second, third = SCRIPTS
        for script in (first, third):
            claimed_by_another(run, script)

        assert await pack_of(run).submit() == ()
        assert b.asked("create") == 0
        assert claim_of(run, second).last == Attempt(number=1, job_id=own_name(run, second), batch=run.name)

        ref = await Submission(run, second, run.connections.resource_of("")).submit()
        assert (ref.job_id, b.accepted()) == (own_name(run, second), [own_name(run, second)])


async def test_where_another_run_has_all_of_them_nothing_is_sent(bench):
    b = bench()
    async with b.open() as run:
        for script in SCRIPTS:
            claimed_by_another(run, script)

        assert await pack_of(run).submit() == ()
        assert b.asked("create") == 0
        assert {claim.holder for claim in claims(run)} == {"another"}


async def test_two_runs_that_pack_the_same_scripts_at_once_pay_for_each_once(bench):
    b = bench()
    async with b.open() as run:
        resource = run.connections.resource_of("")
        both = await asyncio.gather(pack_of(run).submit(), pack_of(run).submit())
        packed = [ref.script_id for refs in both for ref in refs]
        for script in SCRIPTS:
            if script.script_id not in packed:
                await Submission(run, script, resource).submit()

        assert len(packed) == len(set(packed))
        assert sum(b.inputs(name) for name in b.accepted()) == 3


# A create that is not taken


@pytest.mark.parametrize("code", ["429", "TooManyActiveJobs"])
async def test_a_pack_that_is_throttled_waits_as_told_and_is_the_same_pack(bench, code):
    b = bench(create(Status(status=429, code=code, retry_after_seconds=7), at_most=2))
    async with b.open() as run:
        await pack_of(run).submit()

        assert b.accepted() == [name_of(run)]
        assert b.asked("create") == 3
        assert b.clock.monotonic() >= 14


async def test_a_pack_that_is_refused_is_given_up_and_its_scripts_go_alone(bench):
    b = bench(create(Status(status=400, code="BadRequest"), at_most=1))
    async with b.open() as run:
        resource = run.connections.resource_of("")

        assert await pack_of(run).submit() == ()
        assert places(run) == [(own_name(run, script), 0) for script in SCRIPTS]
        assert all(claim.last.refused for claim in claims(run))

        for script in SCRIPTS:
            await Submission(run, script, resource).submit()
        assert b.accepted() == sorted(own_name(run, script) for script in SCRIPTS)


async def test_a_pack_that_is_not_let_in_leaves_its_scripts_to_another_resource(bench):
    b, other = bench(), bench()
    async with b.open(speech_key="wrong") as run:
        with pytest.raises(AccessRefused):
            await pack_of(run).submit()
        assert all(claim.last.refused and not claim.last.input for claim in claims(run))

    two = [
        {"name": "first", "endpoint": b.emulator.endpoint, "speech_key": "wrong"},
        {"name": "second", "endpoint": other.emulator.endpoint, "speech_key": other.emulator.key},
    ]
    async with b.open(endpoint=None, speech_key=None, resources=two) as run:
        there = run.connections.resource_of(other.emulator.endpoint.removeprefix("http://"))
        for script in SCRIPTS:
            await Submission(run, script, there).submit()
        assert (len(b.accepted()), len(other.accepted())) == (0, 3)


# A create without an answer


@pytest.mark.parametrize("lost", [DropAfter(), Status(status=500, after_effect=True)], ids=["dropped", "500"])
@pytest.mark.parametrize("reading", ["conflict", "replace"])
async def test_a_create_whose_answer_is_lost_is_found_and_not_repeated(bench, lost, reading):
    b = bench(create(lost, at_most=1), repeat_put=reading)
    async with b.open() as run:
        refs = await pack_of(run).submit()

        assert (b.accepted(), b.asked("create"), len(refs)) == ([name_of(run)], 1, 3)


async def test_a_create_without_effect_is_sent_again_as_it_was_after_two_looks(bench):
    b = bench(create(Status(status=500), at_most=1))
    async with b.open() as run:
        await pack_of(run).submit()

        assert (b.accepted(), b.asked("create"), b.asked("get")) == ([name_of(run)], 2, 2)


async def test_a_service_that_never_answers_creates_is_asked_three_times(bench):
    b = bench(create(Status(status=500)))
    async with b.open() as run:
        with pytest.raises(CreateUnclear):
            await pack_of(run).submit()

        assert b.asked("create") == MAX_SENDS
        assert places(run) == [(name_of(run), number) for number in (1, 2, 3)], "a job may be there all the same"


@pytest.mark.parametrize("reading", ["replace", "bad_request"])
async def test_what_was_sent_before_an_outage_is_looked_for_after_it_and_not_sent_again(bench, reading):
    b = bench(create(DropAfter(), at_most=1), OUTAGE, repeat_put=reading)
    async with b.open() as run:
        submission = pack_of(run)
        with pytest.raises(ServiceUnavailable):
            await submission.submit()
        refs = await submission.submit()

        assert (b.accepted(), b.asked("create"), len(refs)) == ([name_of(run)], 1, 3)


async def test_a_pack_of_which_another_run_has_a_part_by_now_is_not_sent_again_and_the_rest_goes_alone(bench):
    b = bench(create(Status(status=500)))
    async with b.open() as run:
        first, second, third = SCRIPTS

        def take_over():
            b.emulator.clear_faults()
            b.emulator.set_faults([create(Status(status=500), at_most=1)])
            taken_over_by_another(run, second)

        assert await pack_of(run, resource=resource_of(run, take_over)).submit() == ()
        assert b.asked("create") == 1

        let_claims_grow_old(run)
        for script in (first, third):
            await Submission(run, script, run.connections.resource_of("")).submit()
        assert b.accepted() == [own_name(run, first), own_name(run, third)], "never under the name of the pack"


async def test_scripts_of_a_pack_whose_fate_was_not_settled_adopt_it_one_by_one(bench):
    b = bench(create(DropAfter(), at_most=1), OUTAGE)
    async with b.open() as run:
        with pytest.raises(ServiceUnavailable):
            await pack_of(run).submit()

        assert await pack_of(run).submit() == (), "another try knows nothing of the first"
        refs = [await Submission(run, script, run.connections.resource_of("")).submit() for script in SCRIPTS]

        assert [(ref.job_id, ref.input) for ref in refs] == [(name_of(run), number) for number in (1, 2, 3)]
        assert b.asked("create") == 1


async def test_a_pack_that_is_refused_after_an_unclear_create_leaves_its_scripts_to_go_alone(bench):
    """One bad text must not fail the others; whether the first create came to anything, each of them looks."""
    b = bench(create(Status(status=500), at_most=1), create(Status(status=400, code="BadRequest"), at_most=1))
    async with b.open() as run:
        assert await pack_of(run).submit() == ()

        assert b.accepted() == []
        assert places(run) == [(name_of(run), number) for number in (1, 2, 3)], "a job may be there all the same"


async def test_a_pack_that_is_not_let_in_after_an_unclear_create_keeps_its_claims(bench):
    b = bench(create(Status(status=500), at_most=1), create(Status(status=401, shape="gateway"), at_most=1))
    async with b.open() as run:
        with pytest.raises(AccessRefused):
            await pack_of(run).submit()

        assert places(run) == [(name_of(run), number) for number in (1, 2, 3)]
        assert not any(claim.last.refused for claim in claims(run))


# Claims that grow old


async def test_claims_that_have_grown_old_are_renewed_before_the_pack_is_sent(bench):
    b = bench()
    async with b.open() as run:
        before = []

        def dawdle():
            before.extend(
                run.connections.archive.read_claim(one.script_id, run.content_id_of(one)).etag for one in SCRIPTS
            )
            b.clock.slept.append(121)

        seen = []

        def look():
            seen.extend(
                run.connections.archive.read_claim(one.script_id, run.content_id_of(one)).etag for one in SCRIPTS
            )

        await pack_of(run, resource=resource_of(run, dawdle, look)).submit()

        assert (b.accepted(), b.asked("create")) == ([name_of(run)], 1)
        assert not set(before) & set(seen), "every claim was written again"


async def test_a_script_that_another_run_took_over_meanwhile_is_left_out_of_what_is_sent(bench):
    b = bench()
    async with b.open() as run:
        first, second, third = SCRIPTS

        def fall_behind():
            b.clock.slept.append(121)
            taken_over_by_another(run, second)

        refs = await pack_of(run, resource=resource_of(run, fall_behind)).submit()

        assert b.accepted() == [name_of(run, first, third)]
        assert [ref.script_id for ref in refs] == ["s1", "s3"]
        assert claim_of(run, second).holder == "another"


async def test_a_run_that_is_stopped_sends_no_pack(bench):
    b = bench()
    async with b.open() as run:
        with pytest.raises(Exception, match="stopped"):
            await pack_of(run, resource=resource_of(run, run.connections.stopping.throw)).submit()

        assert b.asked("create") == 0
