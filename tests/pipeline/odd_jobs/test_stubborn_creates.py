"""One create that the service answers with 500 for ever: whose fault it is, what is told, and what it holds up."""

from __future__ import annotations

import asyncio

import pytest

from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from tests.support.hurried_clock import HurriedClock
from tests.support.packs import creates, scripts_of

OOPS = Status(status=500, code="InternalServerError", message="Object reference not set.")


def fails(name, **limits):
    return FaultRule(operation="create", job_id=f"^{name}", action=OOPS, **limits)


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
def test_a_script_that_alone_gets_500_is_a_dead_letter_with_the_services_words(quick, script, api_version):
    b = quick(faults=(fails("bad-"),), creates_per_minute=0)
    others = [script(f"s{number:02d}") for number in range(12)]
    clock = HurriedClock()

    report = b.render(
        [script("bad", content="Long. " * 200), *others],
        api_version=api_version,
        settle_seconds=0.2,
        creates_per_minute=60,
        clock=clock,
    )

    assert (report.archived, report.failed) == (12, 1)
    letter = b.letters()["bad"]
    assert letter["failure"]["class"] == "input"
    assert letter["failure"]["code"] == "InternalServerError"
    assert "Object reference not set." in letter["failure"]["message"]
    assert letter["request_id"]
    assert "others were accepted" in letter["failure"]["message"]
    assert b.render([script("bad", content="Long. " * 200)], api_version=api_version).failed == 1
    assert set(b.emulator.stats()["creates"]["accepted_by_name"].values()) == {1}


def test_the_only_script_that_gets_500_is_unfinished_with_the_services_words(quick, script):
    b = quick(faults=(fails("bad-"),))
    clock = HurriedClock()

    report = b.render([script("bad")], clock=clock)

    (outcome,) = report.outcomes
    assert (report.unfinished, outcome.error.failure_class) == (1, "transient")
    assert "Object reference not set." in outcome.error.message
    assert "request " in outcome.error.message
    assert sum(clock.waited) < 300
    assert b.letters() == {}
    b.emulator.set_faults([])
    assert b.render([script("bad")], claim_seconds=8, request_timeout_seconds=2).archived == 1


def test_a_service_that_answers_every_create_with_500_is_nobodys_fault(quick, script):
    b = quick(faults=(fails(""),))

    report = b.render([script(f"s{number}") for number in range(4)], clock=HurriedClock())

    assert (report.unfinished, b.letters()) == (4, {})
    assert all("Object reference not set." in outcome.error.message for outcome in report.outcomes)


def test_a_pack_that_alone_gets_500_is_split_and_each_member_goes_on_as_its_next_attempt(packs, script):
    b = packs(faults=(FaultRule(operation="create", job_id="^pack-", at_most=50, action=OOPS),))
    scripts = scripts_of(2)
    alone = [script(f"alone-{number}", voice=f"en-US-Ava{number}Neural") for number in range(9)]

    async def work():
        async with open_run(b.settings(creates_per_minute=60), "r", clock=HurriedClock()):
            return await render_scripts([*scripts, *alone], plain_chain(), pack=2)

    report = asyncio.run(work())

    assert report.archived == 11
    receipts = b.receipts()
    assert (receipts["s1"]["attempt"], receipts["s2"]["attempt"]) == (2, 2)
    assert "Object reference not set." in receipts["s1"]["attempts"][0]["ended"]
    assert creates(b)["packs"] == 0
