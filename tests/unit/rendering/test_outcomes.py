"""How each script ends in words of the report, and that as many come out as went in."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar import errors
from batch_avatar.archive.records import DeadLetter
from batch_avatar.errors import (
    AccessRefused,
    AlreadyArchived,
    ArchiveConflict,
    ArchiveRefused,
    ArchiveUnavailable,
    BatchAvatarError,
    BudgetSpent,
    ClaimedElsewhere,
    CreateUnclear,
    DeleteRefused,
    FailureClass,
    InputError,
    JobError,
    JobExists,
    JobFailed,
    JobNotFound,
    JobOverdue,
    LateSuccess,
    LinkExpired,
    ManifestError,
    NoMoreSent,
    RequestRefused,
    ResultLost,
    ServiceError,
    ServiceUnavailable,
    SettingsError,
    SideFileMissing,
    StillRunning,
    Stopped,
    Throttled,
    TooManyJobs,
    TransferError,
)
from batch_avatar.models import FailureFacts, JobRef, Outcome, OutcomeKind, Script, SynthesisJob
from batch_avatar.planning.plan import PlanItem, PlanState
from batch_avatar.receipt import Receipt, StoredBlob
from batch_avatar.rendering.outcomes import (
    FINAL,
    archived,
    build_report,
    facts_of,
    outcome_of_error,
    outcome_of_letter,
    settled,
)

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CONTENT_ID = "0123456789abcdef"
JOB_ID = f"intro-{CONTENT_ID}-2"
PREFIX = f"films/intro/{CONTENT_ID}/"
REF = JobRef(script_id="intro", content_id=CONTENT_ID, attempt=2, job_id=JOB_ID, service_id="c48b4cf5")
JOB = SynthesisJob(service_id="c48b4cf5", display_name=JOB_ID, status="Failed", observed_at=NOW)
SCRIPT = Script(script_id="intro", content="Hi.", voice="v")
FACTS = FailureFacts.model_validate({"class": "job", "code": "Aborted", "message": "timeout"})


def receipt(*, doubtful=(), missing=()):
    video = StoredBlob(
        blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4", doubtful=doubtful
    )
    return Receipt(
        **REF.model_dump(exclude={"resource"}),
        run="r",
        resource="x",
        api_version="2024-08-01",
        archived_at=NOW,
        billed_seconds=2,
        billed_characters=29,
        video=video,
        missing=missing,
    )


def error_of(kind):
    match kind.__name__:
        case "JobFailed":
            return JobFailed("no such voice", job=JOB, code="BadRequest", worth_another_attempt=False)
        case "JobOverdue":
            return JobOverdue("too late", job=JOB)
        case "ManifestError":
            return ManifestError(["a:1: x"])
        case "AlreadyArchived":
            return AlreadyArchived(receipt())
    return kind("no", job_id=JOB_ID)


# What needs no step


def item(state, failure=None):
    return PlanItem(SCRIPT.script_id, CONTENT_ID, state, attempt=2, failure=failure)


def test_an_archived_script_is_skipped_and_says_where_it_lies():
    assert settled(item(PlanState.ARCHIVED), prefix=PREFIX) == Outcome(
        script_id="intro", job_id=JOB_ID, outcome=OutcomeKind.SKIPPED, blob_prefix=PREFIX
    )


@pytest.mark.parametrize(
    ("named", "leftovers", "note"),
    [
        (("a",), ("a",), None),
        (("a", "b"), ("b",), "1 more job of its name existed and cost as well"),
        (("a", "b", "c"), ("b",), "2 more jobs of its name existed and cost as well"),
        (("a", "b"), (), None),
    ],
)
def test_a_skipped_script_tells_of_further_jobs_while_they_are_cleaned_up(named, leftovers, note):
    found = replace(item(PlanState.ARCHIVED), named=named, leftovers=leftovers)

    assert settled(found, prefix=PREFIX).note == note


@pytest.mark.parametrize("state", sorted(set(PlanState) - {PlanState.ARCHIVED, PlanState.KEPT}))
def test_any_other_script_ends_at_once_only_if_the_plan_says_why(state):
    assert settled(item(state), prefix=PREFIX) is None
    assert settled(item(state, FACTS), prefix=PREFIX) == Outcome(
        script_id="intro", job_id=JOB_ID, outcome=OutcomeKind.FAILED, error=FACTS
    )


# What was archived


@pytest.mark.parametrize(
    ("doubtful", "missing", "extras", "note"),
    [
        ((), (), 0, None),
        (("duration",), (), 0, "doubtful duration: look at the video; its remote job is kept"),
        (
            ("container", "duration"),
            (),
            0,
            "doubtful container and duration: look at the video; its remote job is kept",
        ),
        ((), ("summary",), 0, "without summary"),
        ((), ("summary", "subtitles"), 0, "without summary and subtitles"),
        ((), (), 1, "1 more job of its name existed and cost as well"),
        ((), (), 3, "3 more jobs of its name existed and cost as well"),
        (
            ("container",),
            ("summary",),
            2,
            (
                "doubtful container: look at the video; its remote job is kept; without summary; "
                "2 more jobs of its name existed and cost as well"
            ),
        ),
    ],
)
def test_what_a_person_should_know_of_an_archived_script_is_in_its_note(doubtful, missing, extras, note):
    outcome = archived(receipt(doubtful=doubtful, missing=missing), prefix=PREFIX, extras=extras)

    assert outcome.note == note
    assert (outcome.outcome, outcome.error) == (OutcomeKind.ARCHIVED, None)
    assert (outcome.script_id, outcome.job_id, outcome.blob_prefix) == ("intro", JOB_ID, PREFIX)
    assert (outcome.billed_seconds, outcome.billed_characters) == (2, 29)


# What failed


def test_a_dead_letter_is_a_failure_with_its_reason():
    letter = DeadLetter(ref=REF, run="r", written_at=NOW, failure=FACTS, billed_seconds=7, script={})

    assert outcome_of_letter(letter) == Outcome(
        script_id="intro", job_id=JOB_ID, outcome=OutcomeKind.FAILED, error=FACTS
    )


FAILED = {
    InputError,
    SettingsError,
    ManifestError,
    errors.ArchiveDamaged,
    RequestRefused,
    JobError,
    JobFailed,
    ResultLost,
}
SKIPPED = {AlreadyArchived}
UNFINISHED = {
    BatchAvatarError,
    ServiceError,
    AccessRefused,
    JobNotFound,
    JobExists,
    DeleteRefused,
    Throttled,
    TooManyJobs,
    ServiceUnavailable,
    CreateUnclear,
    errors.CreateGivenUp,
    JobOverdue,
    LateSuccess,
    errors.LinkRefused,
    ClaimedElsewhere,
    StillRunning,
    TransferError,
    LinkExpired,
    SideFileMissing,
    errors.ArchiveError,
    ArchiveUnavailable,
    ArchiveRefused,
    errors.LostRace,
    errors.NotThere,
    ArchiveConflict,
    BudgetSpent,
    NoMoreSent,
    Stopped,
}
KINDS = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BatchAvatarError)}


def test_every_error_is_sorted_in_here():
    assert FAILED | SKIPPED | UNFINISHED == KINDS
    assert len(FAILED) + len(SKIPPED) + len(UNFINISHED) == len(KINDS)


@pytest.mark.parametrize("kind", sorted(FAILED | UNFINISHED, key=lambda kind: kind.__name__))
def test_what_waiting_does_not_mend_has_failed_and_anything_else_is_unfinished(kind):
    error = error_of(kind)

    outcome = outcome_of_error(error, "intro", prefix=PREFIX)

    assert outcome.outcome == ("failed" if kind in FAILED else "unfinished")
    assert (outcome.script_id, outcome.job_id, outcome.blob_prefix) == ("intro", error.job_id, None)
    assert outcome.error == facts_of(error)


def test_a_script_that_another_run_archived_is_skipped_and_says_where_it_lies():
    assert outcome_of_error(AlreadyArchived(receipt()), "intro", prefix=PREFIX) == Outcome(
        script_id="intro", job_id=JOB_ID, outcome=OutcomeKind.SKIPPED, blob_prefix=PREFIX
    )


def test_a_change_that_nobody_accepted_is_final():
    assert FailureClass.CHANGED in FINAL


def test_the_facts_of_an_error_are_its_class_its_code_and_all_that_it_says():
    error = RequestRefused("no such voice", code="BadRequest", request_id="r-1")
    error.about(script_id="intro", job_id=JOB_ID)

    assert facts_of(error).model_dump(by_alias=True) == {
        "class": "input",
        "code": "BadRequest",
        "message": f"BadRequest: no such voice [script intro, job {JOB_ID}, request r-1]",
    }


def test_no_signature_gets_into_the_facts():
    error = TransferError("cannot read https://x/v.mp4?sv=1&sig=c4n4ry", code="?sig=c4n4ry")

    assert "c4n4ry" not in facts_of(error).model_dump_json()


# The sum


outcomes = st.builds(
    Outcome,
    script_id=st.text(max_size=5),
    outcome=st.sampled_from(OutcomeKind),
    billed_seconds=st.integers(0, 1200),
    billed_characters=st.integers(0, 10_000),
)


@given(st.lists(outcomes, max_size=30))
def test_scripts_in_equal_outcomes_out(ends):
    report = build_report("r", ends)

    counts = (report.archived, report.skipped, report.failed, report.unfinished)
    assert report.scripts == len(report.outcomes) == sum(counts) == len(ends)
    assert report.outcomes == tuple(ends)
    assert counts == tuple(sum(end.outcome == kind for end in ends) for kind in OutcomeKind)
    assert report.billed_seconds == sum(end.billed_seconds for end in ends)
    assert report.billed_characters == sum(end.billed_characters for end in ends)


@given(st.lists(outcomes, max_size=10))
def test_a_run_is_green_only_if_every_script_is_in_the_archive(ends):
    in_archive = {OutcomeKind.ARCHIVED, OutcomeKind.SKIPPED}

    assert build_report("r", ends).all_archived is ({end.outcome for end in ends} <= in_archive)


def test_a_report_shows_what_failed_what_to_look_at_and_what_each_script_cost():
    ends = [
        archived(receipt(doubtful=("duration",)), prefix=PREFIX),
        outcome_of_error(RequestRefused("no", code="BadRequest"), "outro", prefix=PREFIX),
    ]

    shown = json.loads(build_report("r", ends).to_json())

    assert shown["outcomes"][0]["note"].startswith("doubtful duration")
    assert shown["outcomes"][1]["error"] == {"class": "input", "code": "BadRequest", "message": "BadRequest: no"}
    assert (shown["billed_seconds"], shown["billed_characters"]) == (2, 29)
    assert [outcome["billed_seconds"] for outcome in shown["outcomes"]] == [2, 0]
