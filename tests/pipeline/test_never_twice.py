"""Never pay twice, never lose a video: one test for each way it could go wrong, judged by what the service saw."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace

import pytest

from batch_avatar.clock import SystemClock
from batch_avatar.emulator.faults import DropAfter, FailJob, FaultRule, Status, StickJob
from batch_avatar.emulator.options import Progression
from batch_avatar.errors import ClaimedElsewhere, InputError, RequestRefused
from batch_avatar.planning.permits import Permits
from batch_avatar.rendering import giving_up
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.connections import current_connections
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts


@pytest.mark.parametrize("reads", [2, 3])
def test_a_job_that_succeeds_just_after_its_deadline_is_archived_and_not_deleted(bench, script, reads):
    b = bench(progression=Progression.after_reads(reads), list_lag_seconds=0)
    plain = plain_chain()

    async def delete(proof):
        b.emulator.settle()  # so that reads alone say when it has ended
        await plain.delete(proof)

    async def work():
        async with open_run(b.settings(start_deadline_seconds=0.01, job_deadline_seconds=0.02), "run"):
            return await render_scripts([script()], replace(plain, delete=delete))

    report = asyncio.run(work())
    assert (report.archived, report.unfinished) in [(1, 0), (0, 1)]
    assert report.all_archived or b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1
    claim = next(json.loads(blob) for name, blob in b.blobs().items() if name.endswith("claim.json"))
    assert len(claim["attempts"]) == 1


class HeldClock(SystemClock):
    """Holds the thread that is about to send, as a suspended machine would."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()

    def now(self):
        if threading.current_thread().name.startswith("control"):
            self.reached.set()
            self.go_on.wait(60)
        return super().now()


def test_a_holder_that_comes_late_does_not_send_what_another_run_has_taken_over_and_archived(bench, script):
    b = bench(list_lag_seconds=0)
    short = {"claim_seconds": 8, "request_timeout_seconds": 2}
    clock, reports = HeldClock(), {}

    def late():
        async def work():
            async with open_run(b.settings(**short), "late", clock=clock):
                return await render_scripts([script()], plain_chain())

        reports["late"] = asyncio.run(work())

    held = threading.Thread(target=late)
    held.start()
    assert clock.reached.wait(30)
    reports["other"] = b.render([script()], **short)
    clock.go_on.set()
    held.join()
    assert reports["other"].archived == 1
    assert reports["late"].skipped == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_script_sent_to_another_resource_is_neither_sent_again_nor_called_lost(bench, script):
    stuck = FaultRule(operation="create", action=StickJob(status="Running"))
    first, second = bench(faults=(stuck,)), bench()
    second.container_name = first.container_name
    assert first.render([script()], start_deadline_seconds=0.3, job_deadline_seconds=0.5).unfinished == 1
    report = second.render([script()])
    assert report.unfinished == 1
    assert report.outcomes[0].error.code == "ClaimedElsewhere"
    assert first.emulator.endpoint.removeprefix("http://") in report.outcomes[0].error.message
    assert second.emulator.stats()["creates"]["accepted"] == 0


def test_scripts_that_a_resource_refused_for_lack_of_access_go_to_the_mended_one(bench, script):
    refusing = FaultRule(operation="create", action=Status(status=403, code="Forbidden"))
    first, second = bench(faults=(refusing,)), bench()
    second.container_name = first.container_name
    assert first.render([script()]).unfinished == 1
    assert second.render([script()]).archived == 1


def test_dead_letters_are_sent_again_only_when_that_is_asked_for(bench, script):
    refusing = FaultRule(operation="create", action=Status(status=400, code="BadRequest", message="Not here."))
    b = bench(faults=(refusing,))
    scripts = [script(f"s{number}") for number in range(8)]
    assert b.render(scripts).archived == 0
    b.emulator.clear_faults()
    dead = [one for one in scripts if one.script_id in b.letters()]  # the others were not sent after five refusals
    assert len(dead) >= 5
    assert b.render(dead).failed == len(dead)

    async def again():
        async with open_run(b.settings(), "again"):
            return await render_scripts(scripts, plain_chain(), permits=Permits(retry_failed=True))

    assert asyncio.run(again()).archived == 8
    assert set(b.accepted().values()) == {1}


def test_a_job_that_failed_for_good_gets_a_new_id_when_it_is_sent_again(bench, script):
    rule = FaultRule(operation="create", at_most=1, action=FailJob(code="BadRequest", message="No such gesture."))
    b = bench(faults=(rule,))
    assert b.render([script()], max_attempts=1).failed == 1

    async def again():
        async with open_run(b.settings(max_attempts=1), "again"):
            return await render_scripts([script()], plain_chain(), permits=Permits(retry_failed=True))

    assert asyncio.run(again()).archived == 1
    assert sorted(job_id[-2:] for job_id in b.accepted()) == ["-1", "-2"]


def test_one_stray_404_on_the_result_is_no_loss(bench, script):
    rule = FaultRule(operation="download", at_most=1, action=Status(status=404, code="BlobNotFound"))
    assert bench(storage_front=True, faults=(rule,)).render([script()]).archived == 1


def test_a_summary_that_comes_late_is_waited_for(bench, script):
    rule = FaultRule(operation="download", skip_first=1, at_most=2, action=Status(status=404, code="BlobNotFound"))
    b = bench(storage_front=True, faults=(rule,))
    assert b.render([script()]).archived == 1
    receipt = b.receipts()["intro"]
    assert receipt["missing"] == []
    assert json.loads(b.blobs()[receipt["summary"]["blob_name"]])["status"] == "Succeeded"


def test_a_service_that_fails_for_a_while_does_not_lock_a_run_out_of_its_own_claim(bench, script):
    b = bench(faults=(FaultRule(operation="create", at_most=4, action=Status(status=500)),))
    assert b.render([script()], claim_seconds=10_000).archived == 1
    assert set(b.accepted().values()) == {1}


def test_one_unreadable_receipt_stops_nobody_else(bench, script):
    b = bench(list_lag_seconds=0, faults=(FaultRule(operation="delete", action=Status(status=400)),))
    b.render([script()])
    with b.container() as container:
        name = next(name for name in b.blobs() if name.endswith("receipt.json"))
        blob = container.get_blob_client(name)
        blob.upload_blob(b"{no json", overwrite=True, metadata=blob.get_blob_properties().metadata)
    b.emulator.clear_faults()
    report = b.render([script(), script("other")])
    assert (report.skipped, report.archived) == (1, 1)


def test_no_signature_reaches_a_dead_letter(bench, script):
    b = bench()
    image = "https://a.blob.core.windows.net/c/x.png?sv=1&sig=TOPSECRET"
    assert b.render([script(talking_avatar_style="on-a-horse", background_image=image)]).failed == 1
    assert not [name for name, content in b.blobs().items() if b"TOPSECRET" in content]


def test_a_script_that_is_given_twice_is_refused_before_anything_is_sent(bench, script):
    b = bench()
    with pytest.raises(InputError, match="given twice: intro"):
        b.render([script(), script()])
    assert b.emulator.stats()["creates"]["accepted"] == 0


def test_a_stuck_job_that_cannot_be_deleted_is_never_replaced_and_archived_when_it_ends_after_all(bench, script):
    b = bench(faults=(FaultRule(operation="create", action=StickJob(status="Running")),))
    short = {"start_deadline_seconds": 0.3, "job_deadline_seconds": 0.5}
    assert b.render([script()], **short).unfinished == 1
    assert b.render([script()], **short).unfinished == 1
    b.emulator.release()
    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_job_that_took_the_place_of_the_failed_one_is_not_deleted(bench, script):
    failing = FaultRule(operation="create", action=FailJob(code="BadRequest"))
    b = bench(faults=(failing,), progression=Progression.at_once())
    plain = plain_chain()

    async def delete(proof):
        """Somebody deletes the failed job and makes another of its name, just before we delete."""
        client = current_connections().resource_of("").client
        await plain.delete(proof)
        client.create(script(), job_id=proof.ref.job_id, description="by hand")
        b.emulator.settle()
        await plain.delete(proof)

    async def work():
        async with open_run(b.settings(), "run"):
            return await render_scripts([script()], replace(plain, delete=delete))

    report = asyncio.run(work())
    assert report.outcomes[0].error.code == "DeleteRefused"
    assert b.emulator.stats()["jobs"] == 1


def test_a_create_whose_answer_is_lost_is_looked_for_before_it_goes_again(bench, script):
    b = bench(repeat_put="replace", faults=(FaultRule(operation="create", at_most=1, action=DropAfter()),))
    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_where_the_service_names_the_jobs_a_lost_answer_is_not_sent_again_while_the_list_may_lag(bench, script):
    b = bench(list_lag_seconds=0.8, faults=(FaultRule(operation="create", at_most=1, action=DropAfter()),))
    report = b.render([script()], api_version="3.1-preview1", settle_seconds=1.5)
    assert report.archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_job_that_was_given_up_finished_and_vanished_is_lost_and_not_paid_for_again(bench, script):
    b = bench(faults=(FaultRule(operation="create", action=StickJob(status="Running")),))
    assert b.render([script()], start_deadline_seconds=0.3, job_deadline_seconds=0.5).unfinished == 1
    b.end_jobs()
    b.delete_job(b.emulator.jobs()[0]["id"])
    report = b.render([script()])
    assert (report.failed, report.outcomes[0].error.failure_class) == (1, "lost")
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_the_letter_of_a_script_that_was_mended_since_is_not_replayed(bench, script, tmp_path):
    b = bench(faults=(FaultRule(operation="create", at_most=1, action=FailJob(code="BadRequest")),))
    assert b.render([script()]).failed == 1
    assert b.render([script(content="Mended.")]).archived == 1
    done = b.command("failed", "replay", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "nothing to replay\n")
    assert b.emulator.stats()["creates"]["accepted"] == 2


def test_of_two_letters_of_one_script_the_later_is_replayed(bench, script, tmp_path):
    b = bench(faults=(FaultRule(operation="create", at_most=2, action=FailJob(code="BadRequest")),))
    assert b.render([script()]).failed == 1
    assert b.render([script(content="Mended, it was thought.")]).failed == 1
    done = b.command("failed", "replay", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b.emulator.stats()["creates"]["accepted"] == 3


def test_side_files_are_waited_for_while_their_host_only_fails(bench, script):
    rule = FaultRule(operation="download", skip_first=1, at_most=6, action=Status(status=503))
    b = bench(storage_front=True, faults=(rule,))
    assert b.render([script()]).archived == 1
    assert b.receipts()["intro"]["missing"] == []


def test_a_signature_inside_ssml_reaches_no_dead_letter(bench, script):
    b = bench(faults=(FaultRule(operation="create", action=FailJob(code="BadRequest")),))
    sound = "https://a.blob.core.windows.net/c/x.wav?sv=1&amp;sig=TOPSECRET"
    voice = f"<voice name='en-US-AvaMultilingualNeural'><audio src='{sound}'/>Hi.</voice>"
    spoken = f"<speak version='1.0' xml:lang='en-US' xmlns='http://www.w3.org/2001/10/synthesis'>{voice}</speak>"
    assert b.render([script(input_kind="SSML", content=spoken, voice=None)]).failed == 1
    assert not [name for name, content in b.blobs().items() if b"TOPSECRET" in content]


def test_a_plain_render_goes_on_with_the_job_that_is_there_and_not_with_a_revision_that_never_was(bench, script):
    b = bench(list_lag_seconds=0)
    b.submit([script()])
    refused = FaultRule(operation="create", action=Status(status=403, code="Forbidden"))
    b.emulator.set_faults([refused])
    assert b.render([script()], permits=Permits(revision=1)).unfinished == 1
    b.emulator.clear_faults()
    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_refusal_is_not_recorded_where_another_run_was_taken_meanwhile(quick, script):
    refuse = FaultRule(operation="create", at_most=1, action=Status(status=400, code="BadRequest"))
    b = quick(faults=(refuse,))
    with pytest.raises(RequestRefused) as refused:
        b.submit([script()])
    b.submit([script()])  # another run takes the claim over, and is taken

    async def record():
        async with open_run(b.settings(), "late"):
            await giving_up.record_refusal(script(), refused.value)

    with pytest.raises(ClaimedElsewhere):
        asyncio.run(record())

    assert b.letters() == {}
    assert b.render([script()]).archived == 1
    assert set(b.accepted().values()) == {1}
