"""Scripts that the service refuses in a row: when that is their own fault, and when not."""

from __future__ import annotations

from pathlib import Path
from string import ascii_lowercase

import pytest

from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.service.resource import CREATES_AT_ONCE, REFUSED_IN_A_ROW, SYSTEMIC

LONG = "This is a long sentence, so that its script is sent first. " * 5
MANY = 40
"""More than can be on their way when the run learns that it should stop."""

CASE = Path(__file__).parents[2] / "data" / "cases" / "five-bad-in-a-row"


def refuses(name, message):
    return FaultRule(
        operation="create", job_id=f"^{name}-", action=Status(status=400, code="BadRequest", message=message)
    )


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
def test_five_scripts_with_five_different_mistakes_hold_up_no_other(bench, script, api_version):
    """As they are, without our own checks, which know some of these mistakes."""
    b = bench(faults=(refuses("bad4", "The namespace https://www.w3.org/2001/10/synthesis is unknown."),))
    bad = [
        script(path.stem, content=path.read_text(), input_kind="SSML", voice=None) for path in CASE.glob("bad*.ssml")
    ]
    good = [script(path.stem, content=path.read_text()) for path in CASE.glob("good*.txt")]

    report = b.render([*bad, *good], creates_per_minute=600, api_version=api_version, settle_seconds=0.2)

    assert (report.archived, report.failed) == (len(good), len(bad)) == (5, 5)
    assert {name: letter["failure"]["class"] for name, letter in b.letters().items()} == dict.fromkeys(
        (one.script_id for one in bad), "input"
    )


def one_kind(number):
    return f"The voice 'en-US-{ascii_lowercase[number % 26]}Neural' of job s{number:02d}-1 is unknown, see “{number}”."


def another_kind(number):
    return f"The {ascii_lowercase[number % 26] * 3} of the {ascii_lowercase[number // 26] * 3} is missing."


@pytest.mark.parametrize(("message", "enough"), [(one_kind, SYSTEMIC), (another_kind, REFUSED_IN_A_ROW)])
def test_refusals_of_one_kind_stop_the_creates_soon_and_of_any_kind_later(bench, script, message, enough):
    b = bench(faults=tuple(refuses(f"s{number:02d}", message(number)) for number in range(MANY)))

    report = b.render([script(f"s{number:02d}") for number in range(MANY)], creates_per_minute=0)

    assert enough <= report.failed < enough + CREATES_AT_ONCE
    assert report.failed + report.unfinished == MANY
    assert any(outcome.error.code == "Systemic" for outcome in report.outcomes)


def test_as_many_refusals_of_different_kinds_as_would_stop_the_creates_if_they_were_of_one_do_not(bench, script):
    refused = REFUSED_IN_A_ROW - 1
    b = bench(faults=tuple(refuses(f"s{number:02d}", another_kind(number)) for number in range(refused)))
    bad = [script(f"s{number:02d}", content=LONG) for number in range(refused)]

    report = b.render([*bad, script("good")], creates_per_minute=600)

    assert (report.failed, report.archived) == (refused, 1)
