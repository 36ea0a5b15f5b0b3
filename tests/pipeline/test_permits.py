"""What a person may allow a run to pay for again, and that without the word nothing is paid twice."""

from __future__ import annotations

import json

import pytest

from batch_avatar.emulator.faults import FailJob, FaultRule, Status, StickJob
from batch_avatar.planning.permits import Permits

KEPT = FaultRule(operation="delete", action=Status(status=400, code="NotNow"))
"""The service deletes nothing, so that jobs stay behind."""


def changed(one):
    return one.model_copy(update={"content": f"Not the same: {one.content}"})


@pytest.fixture
def archived(quick, script):
    """A service and an archive in which s0, s1 and s2 are."""

    def start(**options):
        b = quick(**options)
        scripts = [script(f"s{number}") for number in range(3)]
        assert b.render(scripts).archived == 3
        return b, scripts

    return start


def test_more_changes_than_are_usual_are_refused_and_the_other_scripts_go_on(archived, script):
    b, scripts = archived()
    wanted = [*map(changed, scripts), script("other")]

    report = b.render(wanted, max_changed_scripts=2)

    assert (report.failed, report.archived) == (3, 1)
    refused = report.outcomes[:3]
    assert {(outcome.error.failure_class, outcome.error.code) for outcome in refused} == {
        ("changed", "ChangesNotAccepted")
    }
    assert all("content differs from what was archived as" in outcome.error.message for outcome in refused)
    assert all("3 scripts have changed" in outcome.error.message for outcome in refused)
    assert b.emulator.stats()["creates"]["accepted"] == 4


def test_as_many_changes_as_are_usual_are_rendered_without_a_word(archived):
    b, scripts = archived()
    report = b.render([*map(changed, scripts[:2]), scripts[2]], max_changed_scripts=2)
    assert (report.archived, report.skipped) == (2, 1)
    assert b.emulator.stats()["creates"]["accepted"] == 5


def test_changed_scripts_are_rendered_beside_the_old_ones_once_that_is_accepted(archived, written):
    b, scripts = archived()
    folder = written(*map(changed, scripts))
    few = {"folder": folder, "BATCH_AVATAR_MAX_CHANGED_SCRIPTS": 0}

    refused = b.command("render", "scripts.jsonl", **few)
    accepted = b.command("render", "scripts.jsonl", "--accept-changes", "--json", **few)
    repeated = b.render([*map(changed, scripts)], max_changed_scripts=0)

    assert refused.returncode == 1
    assert "changed: `batch-avatar plan` shows what differs; `--accept-changes` renders them" in refused.stdout
    assert (accepted.returncode, json.loads(accepted.stdout)["archived"]) == (0, 3)
    assert repeated.skipped == 3
    assert set(b.accepted().values()) == {1}
    assert len(b.accepted()) == 6
    assert sum(name.endswith("/video.mp4") for name in b.etags()) == 6


def test_a_script_that_changes_back_is_archived_already(archived):
    b, scripts = archived()
    assert b.render([changed(scripts[0])]).archived == 1
    assert b.render(scripts).skipped == 3


def test_again_renders_anew_once_and_costs_nothing_when_it_is_repeated(quick, script, written):
    b, folder = quick(), written(script("one"), script("two"))
    scripts = [script("one"), script("two")]
    once = b.render(scripts)
    again = [b.command("render", "scripts.jsonl", "--again", 1, "--json", folder=folder) for _ in range(2)]

    reports = [json.loads(done.stdout) for done in again]
    assert [(report["archived"], report["skipped"]) for report in reports] == [(2, 0), (0, 2)]
    assert b.render(scripts).skipped == 2
    assert set(b.accepted().values()) == {1}
    assert len(b.accepted()) == 4
    assert once.billed_seconds + reports[0]["billed_seconds"] == b.emulator.stats()["billed_seconds"]
    for name in ("one", "two"):
        videos = [blob for blob in b.etags() if blob.startswith(f"{name}/") and blob.endswith("/1/video.mp4")]
        receipts = [receipt for blob, receipt in b.documents("/receipt.json").items() if blob.startswith(f"{name}/")]
        assert sorted(videos) == sorted(receipt["video"]["blob_name"] for receipt in receipts)
        assert len(videos) == 2


def test_a_wanted_re_render_is_told_as_new_and_not_as_a_change(archived):
    b, scripts = archived()
    report = b.render(scripts, permits=Permits(revision=1), max_changed_scripts=0)
    assert report.archived == 3
    changes = b.render([changed(scripts[0])], permits=Permits(revision=1), max_changed_scripts=0)
    assert changes.outcomes[0].error.code == "ChangesNotAccepted"


def lose(b, script):
    """Its job is accepted, ends, and is deleted by hand before anybody archived it."""
    b.emulator.set_faults([FaultRule(operation="create", at_most=1, action=StickJob(status="Running"))])
    (ref,) = b.submit([script])
    b.emulator.release()
    b.delete_job(ref.job_id)
    b.emulator.clear_faults()
    return ref


def test_a_lost_script_is_sent_again_only_on_request_and_the_receipt_tells_why(quick, script, written):
    b = quick()
    ref = lose(b, script())
    folder = written(script(), script("other"))

    listed = b.command("render", "scripts.jsonl", "--json", folder=folder)
    told = b.command("render", "scripts.jsonl", folder=folder)

    assert (listed.returncode, told.returncode) == (1, 1)
    outcome = json.loads(listed.stdout)["outcomes"][0]
    assert (outcome["outcome"], outcome["error"]["class"], outcome["job_id"]) == ("failed", "lost", ref.job_id)
    assert "2 scripts: 0 archived, 1 archived before, 1 failed, 0 unfinished" in told.stdout
    assert "lost or damaged: paid for and gone; `--rerender-lost` pays for them once more" in told.stdout
    assert set(b.accepted()) == {ref.job_id, b.receipts()["other"]["job_id"]}

    done = b.command("render", "scripts.jsonl", "--rerender-lost", folder=folder)

    assert done.returncode == 0, done.stderr
    receipt = b.receipts()["intro"]
    assert (receipt["attempt"], receipt["job_id"]) == (2, ref.job_id[:-1] + "2")
    assert [attempt["ended"] for attempt in receipt["attempts"]] == ["the result was lost", None]
    assert receipt["video"]["blob_name"].endswith("/2/video.mp4")
    assert set(b.accepted()) == {ref.job_id, receipt["job_id"], b.receipts()["other"]["job_id"]}
    assert b.render([script()], permits=Permits(rerender_lost=True)).skipped == 1
    assert set(b.accepted().values()) == {1}


def test_a_video_that_was_deleted_is_rendered_again_only_on_request_and_its_receipt_is_kept(quick, script):
    b = quick()
    b.render([script()])
    old = b.receipts()["intro"]
    b.delete_blob("intro/.*/video.mp4")

    refused = b.render([script()])
    assert (refused.failed, refused.outcomes[0].error.code) == (1, "Damaged")
    assert b.receipts()["intro"] == old
    assert b.emulator.stats()["creates"]["accepted"] == 1

    assert b.render([script()], permits=Permits(rerender_lost=True)).archived == 1

    receipt = b.receipts()["intro"]
    assert receipt["attempt"] == 2
    assert [attempt["ended"] for attempt in receipt["attempts"]] == ["the result was lost", None]
    assert receipt["video"]["blob_name"] in b.etags()
    assert list(b.documents("/1/receipt.retired.json").values()) == [old]
    assert set(b.accepted().values()) == {1}
    assert len(b.accepted()) == 2
    assert b.plan([script()]).counts() == {"archived": 1}


def test_a_video_that_was_deleted_while_its_job_still_has_it_costs_nothing(quick, script):
    b = quick(faults=(KEPT,))
    b.render([script()])
    old = b.delete_blob("intro/.*/video.mp4")
    assert b.plan([script()]).items[0].detail == "the receipt's video is gone, and its job still has it"
    b.emulator.clear_faults()

    report = b.render([script()])

    assert report.archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1
    assert b.blobs()[b.receipts()["intro"]["video"]["blob_name"]] == old
    assert b.emulator.stats()["jobs"] == 0
    assert b.plan([script()]).counts() == {"archived": 1}


def test_one_permit_allows_nothing_that_another_is_for(quick, script):
    refused = FaultRule(operation="create", job_id="^dead-", action=Status(status=400, code="BadRequest"))
    b = quick()
    lose(b, script("lost"))
    b.emulator.set_faults([refused])
    b.render([script("dead"), script("damaged"), script("changed")])
    b.emulator.clear_faults()
    b.delete_blob("damaged/.*/video.mp4")
    scripts = [script("lost"), script("dead"), script("damaged"), changed(script("changed"))]
    sent = b.emulator.stats()["creates"]["accepted"]

    def ends(**permits):
        report = b.render(scripts, permits=Permits(**permits), max_changed_scripts=0)
        return [outcome.outcome for outcome in report.outcomes]

    assert ends() == ["failed"] * 4
    assert ends(accept_changes=True) == ["failed", "failed", "failed", "archived"]
    assert ends(retry_failed=True) == ["failed", "archived", "failed", "skipped"]
    assert ends(rerender_lost=True) == ["archived", "skipped", "archived", "skipped"]
    assert b.emulator.stats()["creates"]["accepted"] == sent + 4


def test_a_run_that_starts_over_does_not_send_again_what_has_failed_in_it_already(quick, script):
    """It has the same parameters in each of its lives, and one word is good for one attempt."""
    b = quick(faults=(FaultRule(operation="create", action=FailJob(code="BadRequest")),))
    retry = Permits(retry_failed=True)
    assert b.render([script()]).failed == 1
    assert b.render([script()], run="flow-run", permits=retry).failed == 1
    assert len(b.accepted()) == 2

    assert b.render([script()], run="flow-run", permits=retry).failed == 1
    assert len(b.accepted()) == 2
    assert b.render([script()], run="another", permits=retry).failed == 1
    assert len(b.accepted()) == 3


def test_the_parts_of_one_batch_have_one_word_between_them(quick, script):
    """A child run whose machine was lost has another in its place, and the parent may render a shard itself."""
    b = quick(faults=(FaultRule(operation="create", action=FailJob(code="BadRequest")),))
    retry = Permits(retry_failed=True)
    assert b.render([script()]).failed == 1
    assert b.render([script()], run="child", batch="parent", permits=retry).failed == 1
    assert len(b.accepted()) == 2

    assert b.render([script()], run="its heir", batch="parent", permits=retry).failed == 1
    assert b.render([script()], run="parent", permits=retry).failed == 1
    assert len(b.accepted()) == 2
    assert b.render([script()], run="child of another", batch="another", permits=retry).failed == 1
    assert len(b.accepted()) == 3
