"""The doctor names each reading of the emulator, one by one and in combinations."""

from __future__ import annotations

import pytest

from batch_avatar.doctor.live.bodies import PREFIX
from batch_avatar.doctor.live.questions import QUESTIONS
from batch_avatar.doctor.live.spending import MOST_SECONDS
from tests.pipeline.doctor_live.switches import CHANGES, DEFAULTS, SWITCHES, covering, expected, open_questions, pairs

COMBINATIONS = covering()


def judged(doctor, options):
    asked = {question.id for question in QUESTIONS if not question.never}
    found = {question: reading for question, reading in doctor.readings.items() if question in asked}
    right = expected(options)
    assert found == right | {one: None for one in open_questions(options) if found[one] is None}
    assert all(doctor.why(question) for question, reading in doctor.readings.items() if reading is None)
    stats = doctor.emulator.stats()
    assert stats["own_errors"] == 0
    assert stats["billed_seconds"] <= doctor.report.seconds_at_most <= MOST_SECONDS
    assert doctor.report.complete
    assert doctor.left == []
    assert doctor.report.left == ()
    assert all(job["id"].startswith(PREFIX) for job in doctor.emulator.jobs())


async def test_by_default_all_that_can_be_asked_is_answered(examined):
    doctor = examined()
    await doctor.run()
    judged(doctor, {})
    assert doctor.report.answered == len(DEFAULTS)


@pytest.mark.parametrize(("switch", "value"), CHANGES)
async def test_each_switch_alone_is_named(examined, switch, value):
    doctor = examined(**{switch: value})
    await doctor.run()
    judged(doctor, {switch: value})


@pytest.mark.parametrize("number", range(len(COMBINATIONS)))
async def test_combinations_of_all_switches_are_named(examined, number):
    doctor = examined(**COMBINATIONS[number])
    await doctor.run()
    judged(doctor, COMBINATIONS[number])


def test_in_the_combinations_every_two_values_meet():
    assert len(COMBINATIONS) >= 16
    met = set().union(*map(pairs, COMBINATIONS))
    for one, values in SWITCHES.items():
        for other, others in SWITCHES.items():
            if one < other:
                assert all(((one, a), (other, b)) in met for a in values for b in others), (one, other)


def test_every_question_that_is_asked_has_an_expected_answer():
    assert DEFAULTS.keys() == {question.id for question in QUESTIONS if not question.never}
