"""A script that fails twice for one and the same reason is not sent a third time, whatever its code is."""

from __future__ import annotations

import pytest

from batch_avatar.emulator.faults import FailInputs, FailJob, FaultRule
from batch_avatar.planning.permits import Permits
from tests.support.packs import creates, render_packed, scripts_of


def fails(code, message="The voice said no.", **limits):
    return FaultRule(operation="create", action=FailJob(code=code, message=message), **limits)


@pytest.mark.parametrize("code", ["InvalidSsml", "VoiceNotFound", "ContentFiltered"])
def test_the_second_failure_with_the_same_code_and_words_ends_a_script(quick, script, code):
    b = quick(faults=(fails(code),))

    report = b.render([script()])

    assert (report.failed, b.emulator.stats()["creates"]["accepted"]) == (1, 2)
    letter = b.letters()["intro"]
    assert (letter["failure"]["code"], letter["ref"]["attempt"]) == (code, 2)
    assert b.render([script()]).failed == 1
    assert b.emulator.stats()["creates"]["accepted"] == 2
    assert b.render([script()], permits=Permits(retry_failed=True)).failed == 1
    assert b.emulator.stats()["creates"]["accepted"] == 3


@pytest.mark.parametrize(
    ("code", "words"),
    [("Aborted", "Out of time."), ("InternalServerError", "Oops."), ("ServiceUnavailable", "Later, please.")],
)
def test_the_services_own_failures_are_tried_as_often_as_before(quick, script, code, words):
    b = quick(faults=(fails(code, words),))

    assert b.render([script()]).failed == 1

    assert b.emulator.stats()["creates"]["accepted"] == 3


def test_another_reason_does_not_count_as_the_second_failure(quick, script):
    b = quick(faults=(fails("VoiceNotFound", at_most=1), fails("VoiceNotFound", "No such avatar.", at_most=1)))

    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 3


def test_the_failure_of_a_pack_does_not_count(packs):
    reason = {"code": "VoiceNotFound", "message": "The voice said no."}
    pack = FaultRule(operation="create", at_most=1, action=FailInputs(inputs=(1, 2), **reason))
    alone = FaultRule(operation="create", job_id="^s1-", at_most=1, action=FailJob(**reason))
    b = packs(faults=(pack, alone))

    assert render_packed(b, scripts_of(2), 2).archived == 2
    assert creates(b)["accepted"] == 4  # the pack, one more of s2, and two more of s1
