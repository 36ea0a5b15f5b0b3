"""3.1-preview1 from end to end: the service chooses the ids, so a lost answer can be settled by listing only."""

from __future__ import annotations

import json

import pytest

from batch_avatar.emulator.faults import AbortJob, DropAfter, FaultRule, Status, StickJob

PREVIEW = "3.1-preview1"
LAG = 3000  # seconds of service time: for longer than anybody would wait for the list, and within all deadlines
BATCH = "/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar"


@pytest.fixture
def preview(quick):
    """Like `quick`, spoken to in 3.1-preview1 with a short time to settle."""

    def start(**options):
        b = quick(**options)
        b.overrides = {"api_version": PREVIEW, "settle_seconds": 0.4}
        return b

    return start


def create(action, **limits):
    return FaultRule(operation="create", action=action, **limits)


def sent_by_name(b):
    return b.emulator.stats()["creates"]["accepted_by_name"]


def test_scripts_go_the_whole_way_and_the_claim_knows_the_service_s_own_id(preview, script, written):
    b = preview()
    scripts = [script("plain"), script("long", content="Word " * 60, subtitle_type="external_file")]

    done = b.command("render", "scripts.jsonl", "--json", folder=written(*scripts))

    assert done.returncode == 0, done.stderr
    jobs = {job["name"]: job for job in b.emulator.jobs()}
    receipts = b.receipts()
    for name in ("plain", "long"):
        receipt, (attempt,) = receipts[name], b.claim(name)["attempts"]
        job = jobs[receipt["job_id"]]
        assert receipt["service_id"] == attempt["service_id"] == job["id"] != receipt["job_id"]
        assert receipt["api_version"] == PREVIEW
        assert receipt["billed_seconds"] == job["billed"]["seconds"] > 0
        assert receipt["billed_characters"] == job["billed"]["characters"] > 0
        assert receipt["duration_milliseconds"] == job["outputs"][0]["duration_milliseconds"]
        summary = json.loads(b.blobs()[receipt["summary"]["blob_name"]])
        assert summary["results"][0]["billingDetails"]["TalkingAvatarDuration"] == str(receipt["billed_seconds"])
        assert receipt["video"]["sha256"] == job["outputs"][0]["sha256"]
    assert receipts["long"]["subtitles"] is not None
    report = json.loads(done.stdout)
    assert report["billed_seconds"] == b.emulator.stats()["billed_seconds"]
    assert b.emulator.stats()["jobs"] == 0
    assert {request["path"].removeprefix(BATCH)[:1] for request in b.emulator.requests()} == {"", "/"}
    assert b.render(scripts).skipped == 2
    assert set(sent_by_name(b).values()) == {1}


def test_lost_answers_are_settled_by_listing_and_nothing_is_sent_twice(preview, script):
    b = preview(list_lag_seconds=0.2, faults=(create(DropAfter()),))
    scripts = [script(f"s{number}") for number in range(6)]
    report = b.render(scripts)
    assert report.archived == 6, [outcome.error for outcome in report.outcomes]
    assert list(sent_by_name(b).values()) == [1] * 6
    assert b.emulator.stats()["requests"]["create"] == {"dropped": 6}
    assert report.billed_seconds == b.emulator.stats()["billed_seconds"]
    assert b.emulator.stats()["jobs"] == 0


def test_a_create_that_failed_before_its_effect_is_sent_again_once_that_is_settled(preview, script):
    b = preview(faults=(create(Status(status=500), at_most=1),))
    assert b.render([script()]).archived == 1
    assert list(sent_by_name(b).values()) == [1]
    first, second = b.emulator.requests("create")
    assert (first["status"], second["status"]) == (500, 201)
    lists = [entry for entry in b.emulator.requests("list") if first["at"] < entry["at"] < second["at"]]
    assert len(lists) >= 2


def test_an_aborted_job_gets_its_next_attempt_under_another_name(preview, script):
    b = preview(faults=(create(AbortJob(after_seconds=0), at_most=1),))
    assert b.render([script()]).archived == 1
    assert sorted(name[-2:] for name in sent_by_name(b)) == ["-1", "-2"]
    first, second = b.receipts()["intro"]["attempts"]
    assert first["ended"].startswith("Aborted: ")
    assert first["service_id"] != second["service_id"]
    assert b.emulator.stats()["jobs"] == 0


@pytest.fixture
def paid_twice(preview):
    """The answer of the first create is lost, and the list shows its job only after it was held for absent."""

    def start(*faults):
        return preview(list_lag_seconds=LAG, faults=(create(DropAfter(), at_most=1), *faults))

    return start


def test_a_list_that_lags_for_longer_than_we_settle_costs_a_second_job_and_only_that(paid_twice, script):
    b = paid_twice()
    report = b.render([script()])
    assert report.archived == 1
    assert list(sent_by_name(b).values()) == [2]
    b.emulator.settle()
    b.emulator.advance(LAG + 1)  # now the list shows the other one as well
    assert b.emulator.stats()["jobs"] == 1
    assert b.render([script()]).skipped == 1
    assert b.emulator.stats()["jobs"] == 0
    assert list(sent_by_name(b).values()) == [2]


def test_a_second_job_that_the_list_shows_only_after_the_receipt_is_told_as_paid(paid_twice, script):
    b = paid_twice()
    b.render([script()])
    b.emulator.settle()
    b.emulator.advance(LAG + 1)
    assert b.render([script()]).outcomes[0].note == "1 more job of its name existed and cost as well"


def test_of_two_jobs_of_one_name_that_nobody_has_noted_the_older_is_archived_and_the_other_deleted(preview, script):
    b = preview(list_lag_seconds=LAG, faults=(create(DropAfter(), at_most=2), create(Status(status=403))))
    assert b.render([script()]).unfinished == 1
    older, younger = b.emulator.jobs()
    assert older["name"] == younger["name"]
    b.emulator.settle()
    b.emulator.advance(LAG + 1)
    (item,) = b.plan([script()]).items
    assert (item.state, item.extras) == ("alive", (younger["id"],))
    assert item.detail.endswith("; 1 more of that name, paid for as well")

    report = b.render([script()])

    assert (report.archived, report.outcomes[0].note) == (1, "1 more job of its name existed and cost as well")
    assert b.receipts()["intro"]["service_id"] == older["id"]
    assert b.emulator.stats()["jobs"] == 0
    assert list(sent_by_name(b).values()) == [2]


def test_of_two_jobs_of_one_name_the_noted_one_is_archived_and_the_other_deleted(paid_twice, script):
    b = paid_twice(create(StickJob(status="Running")))
    b.submit([script()])
    older, younger = b.emulator.jobs()
    assert b.claim("intro")["attempts"][0]["service_id"] == younger["id"]
    b.end_jobs()
    b.emulator.advance(LAG + 1)

    report = b.render([script()])

    assert (report.archived, report.outcomes[0].note) == (1, "1 more job of its name existed and cost as well")
    assert b.emulator.stats()["jobs"] == 0
    assert b.receipts()["intro"]["service_id"] in (older["id"], younger["id"])
    assert b.render([script()]).skipped == 1
    assert list(sent_by_name(b).values()) == [2]


def test_a_sweep_archives_and_deletes_by_the_service_s_own_ids(preview, script):
    b = preview(faults=(create(AbortJob(after_seconds=0), job_id="^failed-"),))
    b.submit([script("ready"), script("failed")])
    b.emulator.settle()
    b.emulator.jobs()
    b.emulator.advance(3700)
    report = b.sweep()
    assert report.clean, [item.error for item in report.items]
    assert sorted(str(item.action) for item in report.items) == ["archive", "settle"]
    assert set(b.receipts()) == {"ready"}
    assert b.claim("failed")["attempts"][0]["over"]
    assert b.emulator.stats()["jobs"] == 0


def test_what_this_generation_cannot_say_is_refused_by_name_before_anything_is_sent(preview, script, written):
    b = preview()
    photo = script(
        "photo",
        talking_avatar_character="Adrian",
        talking_avatar_style=None,
        photo_avatar_base_model="vasa-1",
        scene={"zoom": 1.5},
    )
    others = script("others", video_codec="av1", background_image="https://example.org/sea.png")

    done = b.command("render", "scripts.jsonl", folder=written(photo, others, script("fine")))

    assert done.returncode == 2
    for script_id, name in (
        ("photo", "photo_avatar_base_model"),
        ("photo", "scene"),
        ("others", "background_image"),
        ("others", "video_codec"),
    ):
        (line,) = (line for line in done.stderr.splitlines() if f"{script_id}: {name}: " in line)
        assert line.endswith("api-version 2024-08-01"), line
    assert done.stderr.endswith("Nothing was sent.\n")
    assert b.emulator.stats()["requests_total"] == 0
    with b.container() as container:
        assert not container.exists()


def test_after_the_move_what_is_archived_stays_so_and_what_is_in_flight_is_told(preview, quick, script, written):
    old, new = preview(faults=(create(StickJob(status="Running"), job_id="^flying-"),)), quick()
    new.container_name = old.container_name
    archived = [script("one"), script("two")]
    assert old.render(archived).archived == 2
    old.submit([script("flying")])
    folder = written(*archived, script("flying"), script("three"))
    host = old.emulator.endpoint.removeprefix("http://")

    planned = new.command("plan", "scripts.jsonl", "--json", folder=folder)
    done = new.command("render", "scripts.jsonl", "--json", folder=folder)

    states = {row["script_id"]: row["state"] for row in json.loads(planned.stdout)["scripts"]}
    assert (states["one"], states["two"], states["three"]) == ("archived", "archived", "new")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["skipped"], report["archived"], report["unfinished"], report["failed"]) == (2, 1, 1, 0)
    told = report["outcomes"][2]["error"]
    assert (told["class"], told["code"]) == ("unfinished", "ClaimedElsewhere")
    assert host in told["message"]
    assert list(new.accepted()) == [report["outcomes"][3]["job_id"]]

    old.end_jobs()
    assert old.render([script("flying")]).archived == 1
    assert new.render([*archived, script("flying"), script("three")]).skipped == 4
    assert set(sent_by_name(old).values()) == {1}
    assert new.emulator.stats()["creates"]["accepted"] == 1


def test_after_the_move_a_plan_names_the_host_of_what_is_in_flight(preview, quick, script):
    old, new = preview(faults=(create(StickJob()),)), quick()
    new.container_name = old.container_name
    old.submit([script()])
    (item,) = new.plan([script()]).items
    assert item.state == "claimed"
    assert old.emulator.endpoint.removeprefix("http://") in item.detail
