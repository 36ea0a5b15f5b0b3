"""The report of a run as the Prefect UI shows it."""

from __future__ import annotations

import re

from batch_avatar.models import FailureFacts, Outcome, OutcomeKind
from batch_avatar.rendering.outcomes import build_report
from tasks.reporting import NAMED_FAILURES, final_state, page_of


def outcome(name, kind=OutcomeKind.ARCHIVED, error=None, **members):
    return Outcome(script_id=name, job_id=f"{name}-job", outcome=kind, error=error, **members)


def failed(name, failure_class="job", code="BadRequest", message="No such gesture."):
    facts = FailureFacts.model_validate({"class": failure_class, "code": code, "message": message})
    kind = OutcomeKind.FAILED if failure_class in ("job", "input", "lost", "changed") else OutcomeKind.UNFINISHED
    return outcome(name, kind, facts)


def test_the_sums_are_at_the_top_and_say_what_was_billed():
    page = page_of(build_report("r", [outcome("a", billed_seconds=1234, billed_characters=9), outcome("b")]))
    assert "| **scripts** | 2 |" in page
    assert "| seconds of video billed | 1,234 |" in page
    assert "`_runs/r/report.json`" in page
    assert "Not archived" not in page


def test_what_is_missing_is_sorted_by_what_to_do_about_it():
    page = page_of(
        build_report("r", [failed("a"), failed("b"), failed("c", "input", "Unsupported"), failed("d", "outage")])
    )
    assert "| job | BadRequest | 2 | `batch-avatar failed replay` sends it again |" in page
    assert "| input | Unsupported | 1 | mend the script and run again |" in page
    assert "| outage | BadRequest | 1 | run again: it goes on where this run ended |" in page
    assert "| a | failed | No such gesture. | a-job |" in page


def test_only_so_many_failures_are_named():
    page = page_of(build_report("r", [failed(f"s{number}") for number in range(NAMED_FAILURES + 3)]))
    assert "and 3 more, see the table." in page


def test_what_needs_a_look_is_named():
    page = page_of(build_report("r", [outcome("a", note="doubtful duration: look at the video")]))
    assert "- a: doubtful duration: look at the video" in page


def test_nothing_from_outside_is_markup_on_the_page():
    hostile = "![x](https://evil.example/x.png) |<b>\n# t"
    page = page_of(build_report("r", [failed(hostile, message=hostile, code=hostile), outcome("b", note=hostile)]))

    assert page.count("https://evil") == page.count("`![x](https://evil.example/x.png)`") == 5
    assert not re.search(r"(?<!\\)<b>", page)
    assert len(page.splitlines()) == len(page_of(build_report("r", [failed("a"), outcome("b", note="n")])).splitlines())


def test_the_final_state_is_one_line_and_says_what_went_wrong_first():
    message = final_state(build_report("r", [failed("a\x1b[2J\u202e", message="No such gesture.")])).message

    assert message.endswith(r"first: a\x1b[2J\u202e: No such gesture.")


def test_a_report_that_is_not_in_the_archive_is_not_named_as_if_it_were():
    report = build_report("r", [outcome("a")])
    report.was_not_written("the container is gone")

    assert "could not be written to `_runs/r/report.json`: the container is gone" in page_of(report)


def test_remarks_come_last():
    assert page_of(build_report("r", [outcome("a")]), ["## Child runs"]).endswith("## Child runs")
