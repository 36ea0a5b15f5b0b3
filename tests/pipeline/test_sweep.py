"""Cleaning up behind runs that died: what is archived, deleted, recorded, told, and left alone."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
import requests

from batch_avatar.archive.records import DeadLetter
from batch_avatar.emulator.faults import AbortJob, FailJob, FaultRule, Status, StickJob
from batch_avatar.models import FailureFacts
from batch_avatar.planning.permits import Permits
from batch_avatar.rendering import stages
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.progress import Phase
from batch_avatar.settings import load_settings
from tests.support.bench import Bench
from tests.support.processes import run_python
from tests.support.waiting import until

HOUR = 3700  # seconds of service time, past the deadline to start and past what counts as "just now"
KEPT = FaultRule(operation="delete", action=Status(status=400, code="NotNow"))
"""The service deletes nothing, so that jobs stay behind."""


def fail(name, action):
    return FaultRule(operation="create", job_id=f"^{name}-", action=action)


@pytest.fixture
def leftovers(quick, script):
    """A service that holds jobs in every state that runs leave behind; the scripts' names say which."""
    b = quick(
        faults=(
            KEPT,
            fail("lettered", FailJob(code="BadRequest", message="No such gesture.")),
            fail("(aborted|recent)", AbortJob(after_seconds=0)),
            fail("(old|alive)", StickJob()),
        )
    )
    b.put_job("not-ours", description="A job of another tool.")
    other = Bench(b.emulator, b.connection_string, f"{b.container_name}-other")
    other.submit([script("other")])
    (doubtful,) = b.submit([script("doubtful")])
    b.replace_result(doubtful.job_id, lambda video: b"\\0" * len(video))
    b.render([script("doubtful"), script("kept"), script("lettered")])
    b.submit([script("ready"), script("aborted"), script("old"), script("orphan")])
    b.submit([script("urgent", time_to_live_in_hours=3)])
    b.delete_blob("orphan/.*/claim.json")
    b.emulator.settle()
    b.emulator.jobs()  # whatever can end, ends now
    b.emulator.advance(HOUR)
    b.backdate("old", HOUR)
    b.submit([script("recent"), script("alive")])
    b.emulator.clear_faults()
    return b


PLANNED = {
    "ready": ("archive", "succeeded, not archived"),
    "urgent": ("archive", "succeeded, not archived"),
    "kept": ("delete", "archived"),
    "lettered": ("delete", "failed, and a dead letter says why"),
    "aborted": ("settle", "failed, not recorded"),
    "old": ("report", "still NotStarted 3"),
    "orphan": ("report", "carries our mark, but no claim in the archive knows it"),
    "doubtful": ("report", "archived with doubtful container: look at the video, then delete the job"),
}
STAY = {"not", "other", "old", "orphan", "doubtful", "recent", "alive"}


def kept_jobs(b):
    """The first words of the names of all jobs that the service still has."""
    return {job["id"].split("-")[0] for job in b.emulator.jobs() if not job["deleted"]}


def test_a_dry_run_says_everything_and_does_nothing(leftovers, tmp_path):
    b = leftovers
    before, jobs, asked = b.etags(), kept_jobs(b), b.emulator.stats()["requests"]

    listed = b.command("sweep", "--dry-run", "--json", folder=tmp_path)
    told = b.command("sweep", "--dry-run", folder=tmp_path)

    rows = {row["job"].split("-")[0]: row for row in json.loads(listed.stdout)}
    assert rows.keys() == PLANNED.keys()
    for name, (action, reason) in PLANNED.items():
        assert rows[name]["action"] == action, name
        assert rows[name]["reason"].startswith(reason), name
    assert [name for name, row in rows.items() if row["urgent"]] == ["urgent"]
    assert next(line for line in told.stdout.splitlines() if "(within 72 hours)" in line).startswith("urgent-")
    assert "2 to archive, 2 to delete, 1 to settle, 3 to report, 2 to leave" in told.stdout
    assert told.stdout.splitlines()[-1].endswith("2 jobs of others left alone; nothing was done (--dry-run)")
    assert (listed.returncode, told.returncode) == (0, 0)
    later = b.emulator.stats()["requests"]
    assert {name: counts for name, counts in later.items() if counts != asked[name]}.keys() == {"list"}
    assert (b.etags(), kept_jobs(b)) == (before, jobs)


def test_a_sweep_archives_deletes_and_records_and_a_second_one_does_nothing(leftovers, script, tmp_path):
    b = leftovers
    sent = b.accepted()

    done = b.command("sweep", folder=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert kept_jobs(b) == STAY
    assert b.accepted() == sent
    receipts = b.receipts()
    assert set(receipts) == {"doubtful", "kept", "ready", "urgent"}
    for name in ("ready", "urgent"):
        served = next(job for job in b.emulator.jobs() if job["id"] == receipts[name]["job_id"])
        assert receipts[name]["video"]["sha256"] == served["outputs"][0]["sha256"]
    (attempt,) = b.claim("aborted")["attempts"]
    assert (attempt["ended"], attempt["over"]) == ("Aborted: This job is aborted due to timeout.", True)
    assert set(b.letters()) == {"lettered"}

    before, asked = b.etags(), b.emulator.stats()["requests"]
    again = b.sweep()
    assert {action: count for action, count in again.counts().items() if action not in ("report", "leave")} == {}
    assert again.clean
    later = b.emulator.stats()["requests"]
    assert {name: counts for name, counts in later.items() if counts != asked[name]}.keys() == {"list"}
    assert (b.etags(), kept_jobs(b)) == (before, STAY)

    report = b.render([script("aborted"), script("ready"), script("kept")])
    assert (report.archived, report.skipped) == (1, 2)
    assert b.receipts()["aborted"]["attempt"] == 2


def test_a_job_that_failed_for_the_last_time_gets_its_dead_letter(quick, script, written):
    b = quick(faults=(fail("intro", AbortJob(after_seconds=0)),))
    b.submit([script()])
    b.emulator.jobs()
    b.emulator.advance(HOUR)
    b.emulator.clear_faults()

    report = b.sweep(max_attempts=1)

    assert {str(item.action) for item in report.items} == {"settle"}
    letter = b.letters()["intro"]
    assert (letter["failure"]["class"], letter["failure"]["code"]) == ("job", "Aborted")
    assert b.emulator.stats()["jobs"] == 0
    assert b.render([script()]).failed == 1
    replay = b.command("failed", "replay", "intro", folder=written())
    assert replay.returncode == 2
    assert "render its source with --retry-failed instead" in replay.stderr
    assert b.render([script()], permits=Permits(retry_failed=True)).archived == 1
    assert sorted(job_id[-2:] for job_id in b.accepted()) == ["-1", "-2"]


def forget_answer(b, ref, letter=None):
    """The claim as a run leaves it that dies between the service's answer and its note of it."""

    async def write():
        async with open_run(b.settings(), "refused") as run:
            c = run.connections
            held = c.archive.read_claim(ref.script_id, ref.content_id)
            last = held.claim.last.model_copy(update={"accepted_at": None, "service_id": None})
            c.archive.replace_claim(held, held.claim.model_copy(update={"attempts": (last,)}))
            if letter is not None:
                c.archive.write_dead_letter(
                    DeadLetter(ref=ref, run="refused", written_at=c.clock.now(), failure=letter, script={})
                )

    asyncio.run(write())


def test_what_a_sweep_archives_is_known_as_paid_and_a_lost_video_is_paid_again_only_with_a_word(quick, script):
    b = quick()
    (ref,) = b.submit([script()])
    forget_answer(b, ref)
    b.end_jobs()
    assert {str(item.action) for item in b.sweep().items} == {"archive"}
    b.delete_blob("intro/.*/receipt.json")
    b.delete_blob("intro/.*/video.mp4")

    assert b.render([script()]).failed == 1
    assert len(b.accepted()) == 1

    assert b.render([script()], permits=Permits(rerender_lost=True)).archived == 1
    assert sorted(job_id[-2:] for job_id in b.accepted()) == ["-1", "-2"]


def test_a_video_whose_receipt_was_never_written_is_known_as_paid_when_its_job_is_gone(quick, script):
    b = quick()
    (ref,) = b.submit([script()])
    forget_answer(b, ref)
    b.end_jobs()
    in_the_way = f"{ref.script_id}/{ref.content_id}/1/summary.json"
    with b.container() as container:
        container.upload_blob(in_the_way, b"{}")
    assert not b.sweep().clean  # the video is there, and it goes no further
    b.delete_blob(in_the_way)
    b.delete_job(ref.job_id)

    assert b.render([script()]).skipped == 1
    assert b.receipts()["intro"]["job_id"] == ref.job_id
    assert len(b.accepted()) == 1


@pytest.mark.parametrize(("code", "lettered"), [("Aborted", False), ("BadRequest", True)])
def test_a_job_that_was_taken_where_another_run_was_refused_is_settled_by_its_own_end(quick, script, code, lettered):
    """One run is refused and writes its letter; the other dies between the service's answer and its note of it."""
    b = quick(faults=(fail("intro", FailJob(code=code, message="Its own reason.")),))
    (ref,) = b.submit([script()])
    refused = FailureFacts.model_validate({"class": "input", "code": "BadRequest", "message": "no"})
    forget_answer(b, ref, letter=refused)
    b.end_jobs()
    b.emulator.advance(HOUR)
    b.emulator.clear_faults()

    assert {str(item.action) for item in b.sweep().items} == {"settle"}

    (attempt,) = b.claim("intro")["attempts"]
    assert attempt["ended"] == f"{code}: Its own reason."
    assert b.emulator.stats()["jobs"] == 0
    if lettered:
        letter = b.letters()["intro"]
        assert letter["failure"]["class"] == "job"
        assert "Its own reason." in letter["failure"]["message"]
        assert b.render([script()]).failed == 1
    else:
        assert b.render([script()]).archived == 1


def test_a_late_success_is_archived_and_its_receipt_does_not_say_that_it_was_given_up(quick, script):
    b = quick(faults=(fail("intro", StickJob()),))
    b.submit([script()])
    b.emulator.advance(4 * HOUR)
    b.backdate("intro", 4 * HOUR)
    assert b.render([script()]).unfinished == 1
    b.end_jobs()

    assert b.sweep().clean

    (attempt,) = b.receipts()["intro"]["attempts"]
    assert (attempt["ended"], attempt["over"]) == (None, False)
    assert b.emulator.stats()["jobs"] == 0


def test_a_failed_job_that_a_later_attempt_has_replaced_is_deleted_and_the_later_one_is_not(quick, script):
    hidden = FaultRule(operation="get", job_id="-1$", action=Status(status=404, code="NotFound"))
    abort = FaultRule(operation="create", at_most=1, action=AbortJob(after_seconds=0))
    b = quick(faults=(hidden, abort, FaultRule(operation="create", action=StickJob())))
    assert b.render([script()], start_deadline_seconds=0.1, job_deadline_seconds=0.2).unfinished == 1
    b.emulator.clear_faults()

    report = b.sweep()

    assert {(item.ref.attempt, str(item.action)) for item in report.items} == {(1, "delete"), (2, "leave")}
    (left,) = (job["id"] for job in b.emulator.jobs() if not job["deleted"])
    assert left.endswith("-2")


def test_a_doubtful_video_that_a_sweep_archives_keeps_its_job(quick, script):
    b = quick()
    (ref,) = b.submit([script()])
    b.replace_result(ref.job_id, lambda video: b"x" * len(video))
    assert [str(item.action) for item in b.sweep().items] == ["archive"]
    assert b.receipts()["intro"]["video"]["doubtful"] == ["container"]
    assert [str(item.action) for item in b.sweep().items] == ["report"]
    assert b.emulator.stats()["jobs"] == 1


def test_what_cannot_be_done_is_told_with_its_reason_and_the_rest_is_done(quick, script, tmp_path):
    b = quick(faults=(KEPT,))
    b.render([script("one"), script("two")])
    b.emulator.set_faults([FaultRule(operation="delete", job_id="^one-", action=Status(status=400, code="NotNow"))])

    done = b.command("sweep", folder=tmp_path)

    assert done.returncode == 1
    (row,) = (line for line in done.stdout.splitlines() if line.startswith("one-"))
    assert "archived; FAILED: NotNow: " in row
    assert "2 to delete; 0 jobs of others left alone; done; 1 could not be done" in done.stdout
    assert kept_jobs(b) == {"one"}


def test_a_sweep_of_a_service_without_an_archive_touches_nothing_and_makes_none(quick, tmp_path):
    b = quick()
    b.put_job("not-ours", description="batch-avatar:0123456789abcdef")
    done = b.command("sweep", folder=tmp_path)
    assert done.returncode == 2
    assert "there is no archive in container" in done.stderr
    assert kept_jobs(b) == {"not"}
    with b.container() as container:
        assert not container.exists()


def test_sweeps_beside_a_running_render_do_no_harm(bench, script):
    b = bench(list_lag_seconds=0)
    scripts = [script(f"s{number:02d}") for number in range(16)]
    reports, sweeps = [], []

    class SweptMeanwhile(list):
        """Events; where a first job has ended and its run stands still before it takes the video, a sweep comes by."""

        def append(self, event):
            if event.phase == Phase.RENDERED and not self:
                super().append(event)
                one = threading.Thread(target=lambda: sweeps.append(b.sweep()))
                one.start()
                one.join()

    def rendering():
        reports.append(b.render(scripts, max_unfinished_jobs=4, events=SweptMeanwhile()))

    render = threading.Thread(target=rendering)
    render.start()
    while render.is_alive():
        sweeps.append(b.sweep())
    render.join()

    assert reports[0].all_archived, [outcome.error for outcome in reports[0].outcomes if outcome.error]
    assert all(report.clean for report in sweeps), [item.error for report in sweeps for item in report.items]
    assert {str(item.action) for report in sweeps for item in report.items} & {"archive", "delete"}
    assert set(b.accepted().values()) == {1}
    assert len(b.accepted()) == len(b.receipts()) == 16
    assert b.emulator.stats()["jobs"] == 0


FLOW = """
import asyncio
from flows.sweep_jobs import sweep_jobs
state = asyncio.run(sweep_jobs(return_state=True))
print(state.state_details.flow_run_id)
"""


@pytest.mark.prefect
@pytest.mark.xdist_group("prefect")
@pytest.mark.timeout(420)
def test_the_sweep_flow_shows_what_it_did_in_a_table(stack, api, script, environment):
    prefix = "BATCH_AVATAR_"
    ours = {name.removeprefix(prefix).lower(): value for name, value in environment.items() if name.startswith(prefix)}

    async def die_early():
        async with open_run(load_settings(**ours), "dies-early"):
            return await stages.submit(script())

    ref = asyncio.run(die_early())

    def job():
        jobs = requests.get(f"{stack.service_url}/emulator/jobs", timeout=30).json()["jobs"]
        return next(job for job in jobs if job["id"] == ref.job_id)

    assert until(lambda: job()["status"], "Succeeded") == "Succeeded"

    done = run_python("-c", FLOW, environment=environment)

    assert done.returncode == 0, done.stderr

    this = {"id": {"any_": [done.stdout.split()[-1]]}}
    (run,) = api("flow_runs/filter", flow_runs=this)
    assert (run["state"]["type"], run["name"]) == ("COMPLETED", "sweep jobs")
    assert run["state"]["message"].startswith("1 to archive; ")
    (artifact,) = api("artifacts/filter", flow_runs=this)
    assert (artifact["type"], artifact["key"]) == ("table", "jobs")
    (row,) = json.loads(artifact["data"])
    assert (row["job"], row["script"], row["action"], row["error"]) == (ref.job_id, "intro", "archive", "")
    steps = ["archive intro", "delete job of intro"]
    assert until(lambda: sorted(task["name"] for task in api("task_runs/filter", flow_runs=this)), steps) == steps
    assert job()["removed"] == "deleted"
