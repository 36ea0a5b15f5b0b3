"""Several scripts in one job, end to end: each gets its own video, its own receipt, and its part of the bill."""

from __future__ import annotations

import asyncio
import json

import pytest
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas
from pydantic import SecretStr

from batch_avatar.emulator.faults import FailInputs, FaultRule, StickJob
from batch_avatar.emulator.options import Progression
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from batch_avatar.errors import SettingsError
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.upkeep.sweep import SweepAction
from tests.support.independent_decoder import decode_errors, probe
from tests.support.packs import (
    assert_all_right,
    creates,
    jobs_left,
    render_packed,
    scripts_of,
    staged,
    staging_of,
    submit_pack,
)
from tests.support.waiting import until

ANDREW = "en-US-AndrewNeural"


def error_of(report, name):
    return next(one.error for one in report.outcomes if one.script_id == name)


# The good way


def test_packed_scripts_get_their_own_playable_videos_subtitles_and_bills(packs, script, written):
    b = packs(media="real")
    texts = ("Number 1.", "Number 2, a little longer.", "Number 3 is the longest of all that are said here.")
    scripts = [script(f"s{n}", content=text, subtitle_type="external_file") for n, text in enumerate(texts, start=1)]
    folder = written(*scripts)
    done = b.command("render", "scripts.jsonl", "--pack", "3", "--json", folder=folder)

    assert done.returncode == 0, done.stderr
    assert creates(b) == {"accepted": 1, "packs": 1, "inputs": 3}
    assert_all_right(b, scripts)
    receipts, blobs = b.receipts(), b.blobs()
    lengths = []
    for one in scripts:
        receipt = receipts[one.script_id]
        video = folder / f"{one.script_id}.mp4"
        video.write_bytes(blobs[receipt["video"]["blob_name"]])
        assert decode_errors(video) == ""
        seconds = probe(video).duration_seconds
        assert seconds == pytest.approx(receipt["duration_milliseconds"] / 1000, abs=0.2)
        lengths.append(seconds)
        subtitles = blobs[receipt["subtitles"]["blob_name"]].decode()
        assert f"Number {one.script_id[1]}" in " ".join(subtitles.split())
        assert receipt["missing"] == []
        assert receipt["video"]["doubtful"] == []
    assert lengths == sorted(lengths)
    stats = b.emulator.stats()
    assert sum(receipt["billed_seconds"] for receipt in receipts.values()) == stats["billed_seconds"]
    assert json.loads(done.stdout)["billed_seconds"] == stats["billed_seconds"]
    assert "sig=" not in done.stderr + done.stdout

    again = b.command("render", "scripts.jsonl", "--pack", "3", "--json", folder=folder)
    assert (again.returncode, json.loads(again.stdout)["skipped"]) == (0, 3)
    assert creates(b)["accepted"] == 1


def test_what_is_left_over_by_packs_goes_alone(packs):
    b = packs()
    scripts = scripts_of(5)

    assert render_packed(b, scripts, 2).all_archived
    assert creates(b) == {"accepted": 3, "packs": 2, "inputs": 5}
    assert_all_right(b, scripts)


def test_longer_scripts_bear_more_of_a_bill_and_all_together_bear_all_of_it(packs):
    b = packs()
    scripts = scripts_of(4)
    render_packed(b, scripts, 4)

    billed = [receipt["billing"] for _, receipt in sorted(b.receipts().items())]
    assert sum(one["talkingAvatarDurationSeconds"] for one in billed) == b.emulator.stats()["billed_seconds"]
    characters = [one["neuralCharacters"] for one in billed]
    assert characters == [len(one.content) for one in scripts]
    seconds = [one["talkingAvatarDurationSeconds"] for one in billed]
    assert seconds == sorted(seconds)
    assert seconds[0] < seconds[-1]


def test_scripts_with_other_properties_are_no_inputs_of_one_job(packs, script):
    b = packs()
    scripts = [script(f"s{n}", content=f"{n}.", voice=ANDREW if n % 2 else script().voice) for n in range(4)]

    assert render_packed(b, scripts, 4).all_archived
    assert creates(b) == {"accepted": 2, "packs": 2, "inputs": 4}
    assert_all_right(b, scripts)


def test_auto_makes_fewer_creates_where_they_are_paced(packs, script):
    b = packs()
    scripts = [script(f"s{n}", content=f"Number {n}.") for n in range(4)]

    assert render_packed(b, scripts, 0, creates_per_minute=2).all_archived
    assert creates(b) == {"accepted": 1, "packs": 1, "inputs": 4}
    assert_all_right(b, scripts)


def test_auto_packs_nothing_where_creates_are_not_paced(packs):
    b = packs()

    assert render_packed(b, scripts_of(4), 0).all_archived
    assert creates(b) == {"accepted": 4, "packs": 0, "inputs": 4}


def test_a_pack_takes_one_slot(packs):
    b = packs(active_jobs_limit=1)

    assert render_packed(b, scripts_of(6), 3, max_unfinished_jobs=1).all_archived
    assert b.emulator.stats()["most_unfinished"] == 1
    assert b.emulator.stats()["requests"]["create"] == {"201": 2}


def test_no_signed_link_reaches_a_log(packs, caplog):
    caplog.set_level("DEBUG")
    b = packs()
    render_packed(b, scripts_of(2), 2)

    said = "\n".join(record.getMessage() for record in caplog.records).replace("sig=REDACTED", "")
    assert "sig=" not in said
    assert "sig%3D" not in said


# Refused before anything is sent


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"BATCH_AVATAR_STAGING_CONTAINER": ""}, "BATCH_AVATAR_STAGING_CONTAINER"),
        ({"BATCH_AVATAR_API_VERSION": "3.1-preview1"}, "3.1-preview1"),
    ],
    ids=["no staging container", "older generation"],
)
def test_packs_that_cannot_be_are_refused_before_anything_is_sent(packs, written, settings, said):
    b = packs()
    done = b.command("render", "scripts.jsonl", "--pack", "2", folder=written(*scripts_of(2)), **settings)

    assert done.returncode == 2
    assert said in done.stderr
    assert b.emulator.stats()["requests"] == {}


def test_storage_settings_that_cannot_sign_links_are_refused_before_anything_is_sent(packs, azurite):
    """Otherwise every claim names a pack that is never sent."""
    b = packs()
    permission = AccountSasPermissions(read=True, write=True, list=True, create=True, add=True, delete=True)
    signature = generate_account_sas(
        USER_ACCOUNT,
        azurite.keys[USER_ACCOUNT],
        resource_types=ResourceTypes(service=True, container=True, object=True),
        permission=permission,
        expiry="2099-01-01T00:00:00Z",
    )
    url = f"BlobEndpoint={azurite.blob_endpoint(USER_ACCOUNT)};SharedAccessSignature={signature}"

    settings = b.settings().model_copy(update={"storage_connection_string": SecretStr(url)})
    with pytest.raises(SettingsError, match="STORAGE_CONNECTION_STRING"):
        render_packed(b, scripts_of(2), 2, settings=settings)

    assert b.emulator.stats()["creates"]["accepted"] == 0
    assert not b.documents("/claim.json")


# Packs that go wrong


def fails(**members):
    return FaultRule(operation="create", at_most=1, action=FailInputs(matching="Number 2", **members))


@pytest.mark.parametrize(("outputs", "again"), [("kept", 1), ("dropped", 3)])
def test_only_what_has_no_video_goes_again_and_alone(packs, outputs, again):
    b = packs(partial_outputs=outputs, faults=(fails(),))
    scripts = scripts_of(3)
    report = render_packed(b, scripts, 3)

    assert report.all_archived
    assert creates(b) == {"accepted": 1 + again, "packs": 1, "inputs": 3 + again}
    assert_all_right(b, scripts)
    assert b.receipts()["s2"]["input"] == 0
    assert b.receipts()["s2"]["attempt"] == 2


def test_a_text_that_is_bad_also_alone_gets_a_letter_and_the_others_their_videos(packs):
    bad = FaultRule(operation="create", action=FailInputs(matching="Number 2"))
    b = packs(partial_outputs="kept", faults=(bad,))
    report = render_packed(b, scripts_of(3), 3)

    assert (report.archived, report.failed) == (2, 1)
    assert set(b.letters()) == {"s2"}
    assert (staged(b), jobs_left(b)) == ([], [])


def test_a_pack_that_never_starts_is_given_up_and_from_then_on_scripts_go_alone(packs):
    b = packs(destination_jobs_stick=True, delete_unfinished="accept")
    scripts = scripts_of(4)
    report = render_packed(b, scripts, 2, start_deadline_seconds=1, max_unfinished_jobs=1)

    assert report.all_archived
    assert creates(b) == {"accepted": 5, "packs": 1, "inputs": 6}
    assert_all_right(b, scripts)


def test_a_pack_that_may_still_start_is_waited_for_and_nothing_of_it_is_sent_again(packs):
    b = packs(faults=(FaultRule(operation="create", job_id="^pack-", action=StickJob()),))
    scripts = scripts_of(3)
    report = render_packed(b, scripts, 3, start_deadline_seconds=1)

    assert report.unfinished == 3
    assert creates(b)["accepted"] == 1
    b.end_jobs()
    assert render_packed(b, scripts, 1).all_archived
    assert creates(b)["accepted"] == 1
    assert_all_right(b, scripts)


def test_a_doubtful_video_keeps_its_pack_and_the_others_are_archived(packs):
    b = packs()
    scripts = scripts_of(3)
    submit_pack(b, scripts)
    b.end_jobs()
    with staging_of(b) as client:
        (name,) = (name for name in staged(b) if name.endswith("0002.mp4"))
        whole = client.download_blob(name).readall()
        client.upload_blob(name, whole[: len(whole) // 2], overwrite=True)

    report = render_packed(b, scripts, 3)

    assert report.all_archived
    assert [one.script_id for one in report.outcomes if one.note] == ["s2"]
    assert len(jobs_left(b)) == 1
    assert name in staged(b)
    assert render_packed(b, scripts, 3).skipped == 3
    assert (len(jobs_left(b)), creates(b)["accepted"]) == (1, 1)
    [told] = b.sweep().items
    assert (told.action, told.reason) == (
        SweepAction.REPORT,
        "a pack with a doubtful video: look at the video, then delete the job",
    )


# Packs that a dead run left


@pytest.mark.parametrize("size", [1, 3])
def test_a_pack_of_a_run_that_died_is_taken_up_whether_or_not_this_one_packs(packs, size):
    b = packs()
    scripts = scripts_of(3)
    submit_pack(b, scripts)

    assert render_packed(b, scripts, size).all_archived
    assert creates(b) == {"accepted": 1, "packs": 1, "inputs": 3}
    assert_all_right(b, scripts)


def test_a_pack_stays_until_all_of_it_is_settled_also_what_this_run_was_not_asked_for(packs):
    b = packs()
    scripts = scripts_of(3)
    submit_pack(b, scripts)

    assert render_packed(b, scripts[:2], 1).all_archived
    assert len(jobs_left(b)) == 1
    assert render_packed(b, scripts, 1).all_archived
    assert_all_right(b, scripts)


def test_a_new_script_beside_a_pack_that_was_left_is_sent_alone(packs):
    b = packs()
    scripts = scripts_of(3)
    submit_pack(b, scripts[:2])

    assert render_packed(b, scripts, 3).all_archived
    assert creates(b) == {"accepted": 2, "packs": 1, "inputs": 3}
    assert_all_right(b, scripts)


@pytest.mark.parametrize("loss", ["emptied", "deleted"])
def test_videos_that_are_gone_from_staging_are_lost_and_not_paid_again_by_themselves(packs, loss):
    """The job succeeded, so each of them was rendered and billed."""
    b = packs()
    scripts = scripts_of(2)
    submit_pack(b, scripts)
    b.end_jobs()
    with staging_of(b) as client:
        if loss == "deleted":
            client.delete_container()
        else:
            for name in staged(b):
                client.delete_blob(name)

    report = render_packed(b, scripts, 2)

    assert creates(b)["accepted"] == 1
    assert report.archived == 0
    assert {one.error.failure_class for one in report.outcomes} == {"lost"}
    assert len(jobs_left(b)) == 1, "a person may want to look"


def test_a_pack_in_another_staging_container_than_this_run_knows_is_not_paid_again(packs):
    b = packs()
    scripts = scripts_of(2)
    submit_pack(b, scripts)
    b.end_jobs()

    report = render_packed(b, scripts, 2, staging_container=f"{b.container_name}-another")

    assert creates(b)["accepted"] == 1
    assert report.archived == 0
    assert render_packed(b, scripts, 2).all_archived
    assert creates(b)["accepted"] == 1


def test_a_failed_pack_in_another_staging_container_is_left_alone_as_well(packs):
    """What of it has a video shows only there."""
    b = packs(partial_outputs="kept", faults=(fails(),))
    scripts = scripts_of(3)
    submit_pack(b, scripts)
    b.end_jobs()

    render_packed(b, scripts, 3, staging_container=f"{b.container_name}-another")

    assert creates(b)["accepted"] == 1
    assert render_packed(b, scripts, 3).all_archived
    assert creates(b)["accepted"] == 2
    assert_all_right(b, scripts)


def test_a_pack_without_a_staging_container_in_the_settings_is_unfinished_and_names_the_setting(packs):
    b = packs()
    scripts = scripts_of(2)
    submit_pack(b, scripts)
    b.end_jobs()

    report = render_packed(b, scripts, 1, staging_container=None)

    assert creates(b)["accepted"] == 1
    assert report.unfinished == 2
    assert "BATCH_AVATAR_STAGING_CONTAINER" in error_of(report, "s1").message
    assert render_packed(b, scripts, 1).all_archived


def test_what_a_late_pack_has_of_scripts_that_are_not_here_is_archived_before_it_is_deleted(packs):
    slow = Progression.after_seconds(start_delay=0, overhead=3600)
    b = packs(progression=slow, delete_unfinished="accept")
    scripts = scripts_of(3)
    submit_pack(b, scripts)
    assert until(lambda: len(staged(b)), 4) == 4  # three videos and the summary
    with staging_of(b) as client:
        client.delete_blob(next(name for name in staged(b) if name.endswith("0003.mp4")))

    late = {"start_deadline_seconds": 0.01, "job_deadline_seconds": 0.02}
    render_packed(b, scripts[2:], 1, **late)  # s3 goes on alone, and its jobs are late as well

    assert set(b.receipts()) == {"s1", "s2"}
    assert not b.claim("s1")["attempts"][-1]["over"]
    assert [name for name in b.accepted() if name.startswith(("s1", "s2"))] == []


def test_no_more_is_sent_of_a_refused_pack_once_it_is_clear_that_nothing_is_taken(packs):
    refuse = FaultRule(operation="create", action={"kind": "status", "status": 400, "code": "BadRequest"})
    b = packs(faults=(refuse,))

    report = render_packed(b, scripts_of(30), 30)

    assert sum(b.emulator.stats()["requests"]["create"].values()) < 20
    assert report.failed + report.unfinished == 30


def test_a_run_keeps_nothing_of_a_pack_that_is_deleted(packs):
    b = packs()

    async def work():
        async with open_run(b.settings(), "r") as run:
            report = await render_scripts(scripts_of(3), plain_chain(), pack=3)
            return report.archived, run.packs, run.ended, run.drafts

    assert asyncio.run(work()) == (3, {}, {}, {})
