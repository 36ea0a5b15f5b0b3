"""One create that the service refuses for now, time after time: it ends some time, and keeps no other waiting."""

import pytest

from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from tests.support.scripts import script

DEADLINE = 4 * 3600
WORDS = "There are too many active jobs."
ENOUGH = 2000
"""So that a run that knows no end comes to one, and is seen to."""


def put_off(name, status):
    action = Status(status=status, code="TooManyRequests", message=WORDS)
    return FaultRule(operation="create", job_id=f"^{name}", action=action, at_most=ENOUGH)


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
@pytest.mark.parametrize("status", [400, 429])
async def test_a_script_that_alone_finds_no_room_is_unfinished_with_the_services_words(bench, api_version, status):
    b = bench(put_off("bad-", status))
    others = [script(f"s{number}") for number in range(5)]
    async with b.open(api_version=api_version, job_deadline_seconds=DEADLINE) as run:
        report = await render_scripts([script("bad", content="Long. " * 50), *others], plain_chain())

        (bad, *rest) = sorted(report.outcomes, key=lambda one: one.script_id)
        assert {one.outcome for one in rest} == {"archived"}
        assert (bad.outcome, bad.error.failure_class) == ("unfinished", "transient")
        assert WORDS in bad.error.message
        assert run.connections.archive.read_claim("bad", run.content_ids["bad"]).claim.last.refused

    b.emulator.set_faults([])
    async with b.open(api_version=api_version):
        assert (await render_scripts([script("bad", content="Long. " * 50)], plain_chain())).archived == 1


async def test_the_scripts_of_a_pack_that_alone_finds_no_room_go_alone(bench):
    b = bench(put_off("pack-", 429))
    b.overrides["staging_container"] = f"{b.container}-staging"
    async with b.open(job_deadline_seconds=DEADLINE):
        report = await render_scripts([script("s1"), script("s2")], plain_chain(), pack=2)

    assert report.archived == 2
    assert [b.inputs(job_id) for job_id in b.accepted()] == [1, 1]
