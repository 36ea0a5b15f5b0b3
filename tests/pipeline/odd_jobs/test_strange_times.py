"""Creation times that cannot be right: no running job is late for them, and a restart begins no deadline anew."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from batch_avatar.emulator.faults import FaultRule, StickJob
from tests.support.bench import QUICK
from tests.support.later_clock import LaterClock
from tests.support.packs import render_packed, scripts_of

HOURS = 3600
STRANGE = {"five hours behind": -5 * HOURS, "five hours ahead": 5 * HOURS, "year one": "year_one"}
PAST_START = 2 * HOURS  # past the deadline to start


def stuck(**limits):
    return FaultRule(operation="create", action=StickJob(), **limits)


@pytest.mark.parametrize("shown", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
def test_a_job_that_shows_a_strange_creation_time_is_neither_late_nor_paid_for_again(bench, script, shown, api_version):
    b = bench(created_shown=shown, delete_unfinished="accept", progression=QUICK, list_lag_seconds=0)

    report = b.render([script("a"), script("b")], api_version=api_version, settle_seconds=0.2)

    assert (report.archived, b.emulator.stats()["creates"]["accepted"]) == (2, 2)


def test_a_pack_that_shows_a_strange_creation_time_is_not_late_either(packs):
    b = packs(created_shown="year_one", delete_unfinished="accept", progression=QUICK)

    assert render_packed(b, scripts_of(2), 2).archived == 2
    assert b.emulator.stats()["creates"]["accepted"] == 1


@pytest.mark.parametrize("shown", ["right", *STRANGE.values()], ids=["right", *STRANGE])
def test_a_job_that_stays_behind_is_late_in_a_later_run_that_begins_no_deadline_anew(bench, script, shown):
    b = bench(created_shown=shown, delete_unfinished="accept", list_lag_seconds=0, faults=(stuck(at_most=1),))
    b.submit([script()])
    b.emulator.advance(PAST_START)

    assert b.render([script()], clock=LaterClock(PAST_START)).archived == 1

    first, last = b.claim("intro")["attempts"]
    assert "still NotStarted 7" in first["ended"]
    assert first["answered_at"] < last["answered_at"]


def test_a_claim_of_an_older_version_says_by_its_last_change_when_its_job_was_created(bench, script):
    b = bench(created_shown="year_one", delete_unfinished="accept", list_lag_seconds=0)
    began = datetime.now(UTC)
    b.submit([script()])
    (name,) = b.documents("/claim.json")
    with b.container() as container:
        blob = container.get_blob_client(name)
        claim = json.loads(blob.download_blob().readall())
        del claim["attempts"][0]["answered_at"]
        blob.upload_blob(json.dumps(claim), overwrite=True, metadata=blob.get_blob_properties().metadata)
    written = datetime.now(UTC)

    assert b.render([script()]).archived == 1

    answered = datetime.fromisoformat(b.claim("intro")["attempts"][0]["answered_at"])
    second = timedelta(seconds=1)  # the storage tells whole seconds
    assert began - second <= answered <= written + second
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_sweep_knows_from_the_claims_which_jobs_are_late(bench, script):
    b = bench(created_shown="year_one", faults=(stuck(),), list_lag_seconds=0)
    b.submit([script()])

    assert [item.reason for item in b.sweep(dry_run=True).items] == ["is NotStarted"]
    [late] = b.sweep(dry_run=True, clock=LaterClock(PAST_START)).items
    assert late.reason.startswith("still NotStarted 7")
