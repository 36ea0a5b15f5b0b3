"""How scripts fail: attempts and their ends, dead letters, and `batch-avatar failed` in front of them."""

from __future__ import annotations

import json

import pytest

from batch_avatar.emulator.faults import AbortJob, FailJob, FaultRule, Status, StickJob
from batch_avatar.emulator.options import Progression
from batch_avatar.planning.permits import Permits

LONG = 4 * 3600 + 60  # seconds of service time, past both deadlines
REFUSED = Status(status=400, code="BadRequest", message="Not here.")
GESTURE = FailJob(code="BadRequest", message="No such gesture.")


def fail(name, action, **limits):
    return FaultRule(operation="create", job_id=f"^{name}-", action=action, **limits)


def test_aborted_jobs_get_three_attempts_and_every_record_tells_why(quick, script):
    abort = AbortJob(after_seconds=0)
    b = quick(faults=(fail("never", abort), fail("third", abort, at_most=2)))

    report = b.render([script("never"), script("third")])

    assert [(outcome.outcome, outcome.job_id[-2:]) for outcome in report.outcomes] == [
        ("failed", "-3"),
        ("archived", "-3"),
    ]
    assert report.outcomes[0].error.code == "Aborted"
    assert sorted(job_id.split("-")[0] + job_id[-2:] for job_id in b.accepted()) == [
        *("never-1", "never-2", "never-3"),
        *("third-1", "third-2", "third-3"),
    ]
    assert set(b.accepted().values()) == {1}
    assert b.emulator.stats()["jobs"] == 0
    reason = "Aborted: This job is aborted due to timeout."
    ends = {
        "letter": b.letters()["never"]["attempts"],
        "its claim": b.claim("never")["attempts"],
        "receipt": b.receipts()["third"]["attempts"],
        "claim": b.claim("third")["attempts"],
    }
    assert {where: [attempt["ended"] for attempt in attempts] for where, attempts in ends.items()} == {
        "letter": [reason] * 3,
        "its claim": [reason] * 3,
        "receipt": [reason, reason, None],
        "claim": [reason, reason, None],
    }
    assert [attempt["over"] for attempt in ends["its claim"]] == [True] * 3
    assert report.billed_seconds == b.emulator.stats()["billed_seconds"] == b.receipts()["third"]["billed_seconds"]
    assert b.render([script("never"), script("third")]).failed == 1
    assert b.emulator.stats()["creates"]["accepted"] == 6


@pytest.mark.parametrize("status", ["NotStarted", "Running"])
def test_a_stuck_job_that_the_service_does_not_delete_stays_unfinished_and_is_archived_late(quick, script, status):
    b = quick(faults=(fail("intro", StickJob(status=status)),))
    b.submit([script()])
    b.emulator.advance(LONG)
    b.backdate("intro", LONG)

    for _ in range(2):
        report = b.render([script()])
        assert (report.unfinished, report.outcomes[0].error.failure_class) == (1, "unfinished")
        (attempt,) = b.claim("intro")["attempts"]
        assert f"still {status}" in attempt["ended"]
        assert not attempt["over"]
        assert b.letters() == {}
    b.end_jobs()

    assert b.render([script()]).archived == 1

    assert list(b.accepted().values()) == [1]
    (attempt,) = b.receipts()["intro"]["attempts"]
    assert (attempt["ended"], attempt["over"]) == (None, False)
    assert b.emulator.stats()["jobs"] == 0


@pytest.mark.parametrize("status", ["NotStarted", "Running"])
def test_a_stuck_job_that_the_service_deletes_gets_its_next_attempt(quick, script, status):
    b = quick(delete_unfinished="accept", faults=(fail("intro", StickJob(status=status), at_most=1),))
    b.submit([script()])
    b.emulator.advance(LONG)
    b.backdate("intro", LONG)

    assert b.render([script()]).archived == 1

    receipt = b.receipts()["intro"]
    assert receipt["attempt"] == 2
    first, second = receipt["attempts"]
    assert f"still {status}" in first["ended"]
    assert (first["over"], second["ended"]) == (True, None)
    assert sorted(job_id[-2:] for job_id in b.accepted()) == ["-1", "-2"]
    assert b.emulator.stats()["jobs"] == 0


def test_a_job_that_starts_just_before_it_would_be_deleted_goes_on(bench, script):
    """Its reads: the plan, the adoption, the watcher, which finds it late, and the one before the delete."""
    reads = Progression.after_reads(7)  # Running from the fourth read on
    b = bench(progression=reads, list_lag_seconds=0, delete_unfinished="accept")
    b.submit([script()])
    b.emulator.settle()
    b.emulator.advance(3700)
    b.backdate("intro", 3700)
    assert b.render([script()]).unfinished == 1
    assert b.emulator.stats()["deletes"] == 0
    assert b.render([script()]).archived == 1
    assert list(b.accepted().values()) == [1]


def test_a_last_attempt_that_is_stuck_is_unfinished_until_it_ends_and_then_archived(quick, script):
    b = quick(faults=(fail("intro", StickJob()),))
    b.submit([script()])
    b.emulator.advance(LONG)
    b.backdate("intro", LONG)
    for _ in range(2):
        assert b.render([script()], max_attempts=1).unfinished == 1
    b.end_jobs()
    assert b.render([script()], max_attempts=1).archived == 1
    assert list(b.accepted().values()) == [1]
    assert b.letters() == {}
    (attempt,) = b.receipts()["intro"]["attempts"]
    assert (attempt["ended"], attempt["over"]) == (None, False)


def test_a_last_attempt_that_is_stuck_and_could_be_deleted_is_a_dead_letter(quick, script):
    b = quick(delete_unfinished="accept", faults=(fail("intro", StickJob()),))
    b.submit([script()])
    b.emulator.advance(LONG)
    b.backdate("intro", LONG)
    assert b.render([script()], max_attempts=1).failed == 1
    assert b.emulator.stats()["jobs"] == 0
    assert "still NotStarted" in b.letters()["intro"]["failure"]["message"]
    assert b.render([script()], max_attempts=1).failed == 1
    assert list(b.accepted().values()) == [1]


def test_a_fault_of_the_input_is_a_dead_letter_at_once_and_costs_nothing_more(quick, script):
    b = quick(faults=(fail("refused", REFUSED), fail("gesture", GESTURE)))
    scripts = [script("refused"), script("gesture")]

    report = b.render(scripts)

    assert report.failed == 2
    letters = b.letters()
    assert {name: (letter["failure"]["class"], letter["failure"]["code"]) for name, letter in letters.items()} == {
        "refused": ("input", "BadRequest"),
        "gesture": ("job", "BadRequest"),
    }
    assert [attempt["number"] for attempt in letters["gesture"]["attempts"]] == [1]
    assert letters["gesture"]["attempts"][0]["ended"] == "BadRequest: No such gesture."
    assert all(letters[one.script_id]["script"] == one.model_dump(mode="json", exclude_none=True) for one in scripts)
    stats = b.emulator.stats()
    assert (stats["creates"]["accepted"], stats["creates"]["refused"], stats["jobs"]) == (1, 0, 0)
    assert stats["requests"]["create"] == {"201": 1, "400": 1}

    again = b.render(scripts)

    assert (again.failed, again.billed_seconds) == (2, 0)
    assert b.emulator.stats()["requests"]["create"] == {"201": 1, "400": 1}
    assert b.letters() == letters


@pytest.fixture
def failures(quick, script, written):
    """A service and an archive with three dead letters of two classes, and a video; the scripts by name."""

    def start():
        faults = (fail("refused", REFUSED), fail("gesture", GESTURE), fail("aborted", AbortJob(after_seconds=0)))
        b = quick(faults=faults)
        scripts = {name: script(name) for name in ("refused", "gesture", "aborted", "fine")}
        report = b.render(list(scripts.values()), max_attempts=1)
        assert (report.failed, report.archived) == (3, 1)
        b.emulator.clear_faults()
        return b, written()

    return start


def test_failed_scripts_are_listed_by_class_and_shown_whole(failures, script):
    b, folder = failures()
    before, asked = b.etags(), b.emulator.stats()["requests_total"]

    listed = b.command("failed", "list", "--json", folder=folder)
    table = b.command("failed", "list", "--class", "job", folder=folder)
    shown = b.command("failed", "show", b.letters()["gesture"]["ref"]["job_id"], folder=folder)
    unknown = b.command("failed", "show", "nobody", folder=folder)

    lines = {line["script_id"]: line for line in json.loads(listed.stdout)}
    assert {name: (line["failure_class"], line["code"]) for name, line in lines.items()} == {
        "aborted": ("job", "Aborted"),
        "gesture": ("job", "BadRequest"),
        "refused": ("input", "BadRequest"),
    }
    assert lines["gesture"]["job_id"].startswith("gesture-")
    assert "No such gesture." in lines["gesture"]["message"]
    told = table.stdout.splitlines()
    assert [line.split()[0] for line in told] == ["script", "aborted", "gesture", "2"]
    assert "No such gesture." in told[2]
    (letter,) = json.loads(shown.stdout)
    assert letter["script"] == script("gesture").model_dump(mode="json", exclude_none=True)
    assert letter["failure"]["class"] == "job"
    assert letter["attempts"][0]["ended"] == "BadRequest: No such gesture."
    assert (unknown.returncode, unknown.stderr) == (2, "nobody has no dead letter\nNothing was sent.\n")
    assert [done.returncode for done in (listed, table, shown)] == [0, 0, 0]
    assert b.etags() == before
    assert b.emulator.stats()["requests_total"] == asked


def test_replay_sends_exactly_the_named_letters_each_as_its_next_attempt(failures):
    b, folder = failures()
    before = b.accepted()

    unknown = b.command("failed", "replay", "gesture", "fine", folder=folder)
    assert (unknown.returncode, unknown.stderr) == (2, "fine has no dead letter\nNothing was sent.\n")
    assert b.accepted() == before

    named = b.command("failed", "replay", "refused", folder=folder)
    assert named.returncode == 0, named.stderr
    first = b.accepted()
    (sent,) = first.keys() - before.keys()
    assert (sent[:8], sent[-2:]) == ("refused-", "-1")  # the service had not taken it, so this is still the first
    assert set(b.letters()) == {"gesture", "aborted"}

    rest = b.command("failed", "replay", "--class", "job", "--json", folder=folder)
    assert rest.returncode == 0, rest.stderr
    report = json.loads(rest.stdout)
    assert (report["scripts"], report["archived"]) == (2, 2)
    assert sorted((job_id[:8], job_id[-2:]) for job_id in b.accepted().keys() - first.keys()) == [
        ("aborted-", "-2"),
        ("gesture-", "-2"),
    ]
    assert set(b.accepted().values()) == {1}
    assert b.letters() == {}
    assert {receipt["attempt"] for name, receipt in b.receipts().items() if name in ("gesture", "aborted")} == {2}
    nothing = b.command("failed", "replay", folder=folder)
    assert (nothing.returncode, nothing.stdout) == (0, "nothing to replay\n")


def test_a_replay_that_fails_again_leaves_the_letter_of_the_later_attempt(failures):
    b, folder = failures()
    b.emulator.set_faults([fail("gesture", FailJob(code="BadRequest", message="Still no such gesture."))])
    done = b.command("failed", "replay", "gesture", folder=folder)
    assert done.returncode == 1
    assert "Still no such gesture." in done.stdout
    letter = b.letters()["gesture"]
    assert letter["ref"]["attempt"] == 2
    assert [attempt["ended"] for attempt in letter["attempts"]] == [
        "BadRequest: No such gesture.",
        "BadRequest: Still no such gesture.",
    ]


def test_letters_that_a_receipt_or_a_later_attempt_has_overtaken_are_not_listed(failures, script):
    b, folder = failures()
    (name,) = (name for name, letter in b.documents(".json").items() if "refused" in str(letter.get("ref")))
    with b.container() as container:
        blob = container.get_blob_client(name)
        text, metadata = blob.download_blob().readall(), blob.get_blob_properties().metadata
    b.emulator.set_faults([fail("gesture", StickJob())])
    assert b.render([script("refused")], permits=Permits(retry_failed=True)).archived == 1
    with b.container() as container:  # as a run leaves it that dies between receipt and letter
        container.get_blob_client(name).upload_blob(text, metadata=metadata)
    b.submit([script("gesture")], permits=Permits(retry_failed=True))

    listed = b.command("failed", "list", "--json", folder=folder)
    assert [line["script_id"] for line in json.loads(listed.stdout)] == ["aborted"]
    assert set(b.letters()) == {"refused", "gesture", "aborted"}
    sent = b.emulator.stats()["creates"]["accepted"]
    for overtaken in ("refused", "gesture"):
        assert b.command("failed", "replay", overtaken, folder=folder).returncode == 2
    assert b.emulator.stats()["creates"]["accepted"] == sent


def test_a_re_render_that_failed_is_replayed_as_that_re_render(quick, script, written):
    b = quick()
    b.render([script()])
    b.emulator.set_faults([fail("intro", GESTURE)])
    assert b.render([script()], permits=Permits(revision=7)).failed == 1
    b.emulator.clear_faults()

    done = b.command("failed", "replay", "intro", folder=written())

    assert done.returncode == 0, done.stderr
    assert b.plan([script()]).counts() == {"archived": 1}
    assert b.render([script()], permits=Permits(revision=7)).skipped == 1
    assert b.emulator.stats()["creates"]["accepted"] == 3


def test_a_replay_of_several_revisions_has_one_report_of_all(quick, script, written):
    b = quick(faults=(fail("intro", GESTURE), fail("outro", GESTURE)))
    assert b.render([script("intro")]).failed == 1
    assert b.render([script("outro")], permits=Permits(revision=7)).failed == 1
    b.emulator.clear_faults()

    done = b.command("failed", "replay", "--json", folder=written())

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["scripts"], report["archived"]) == (2, 2)
    assert b.documents(f"{report['run']}/report.json") == {f"_runs/{report['run']}/report.json": report}


def test_a_letter_without_its_signed_picture_is_refused_with_the_way_out(quick, script, written):
    picture = "https://example.blob.core.windows.net/pictures/sea.png?sv=1&sig=TOPSECRET"
    b = quick(faults=(fail("signed", REFUSED), fail("plain", REFUSED)))
    scripts = [script("signed", background_image=picture), script("plain")]
    assert b.render(scripts).failed == 2
    b.emulator.clear_faults()

    done = b.command("failed", "replay", folder=written(*scripts))

    assert (done.returncode, done.stdout) == (2, "")
    assert "signed: the dead letter does not hold the whole script" in done.stderr
    assert "render its source with --retry-failed instead" in done.stderr
    assert b.accepted() == {}
    assert b.command("render", "scripts.jsonl", "--retry-failed", folder=written(*scripts)).returncode == 0
    assert b.letters() == {}


def test_a_letter_without_its_destination_container_is_refused_too(quick, script, written):
    b = quick(faults=(fail("intro", GESTURE),))
    assert b.render([script(destination_container_url=b.make_destination())]).failed == 1
    b.emulator.clear_faults()
    done = b.command("failed", "replay", folder=written())
    assert (done.returncode, len(b.accepted())) == (2, 1)


def test_what_the_service_says_is_shown_as_it_said_it(quick, script, written):
    message = "The tag [/prosody] closes nothing."
    b = quick(faults=(fail("intro", Status(status=400, code="BadRequest", message=message)),))
    done = b.command("render", "scripts.jsonl", folder=written(script()))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert message in done.stdout
    assert "[script intro, job intro-" in done.stdout
