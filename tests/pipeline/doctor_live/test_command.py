"""`batch-avatar doctor --live` as people call it."""

from __future__ import annotations

import json
import signal

from batch_avatar.doctor.live.bodies import PREFIX
from batch_avatar.emulator.faults import FaultRule, StickJob
from batch_avatar.emulator.options import Progression
from tests.support.processes import CLI, PATIENCE_SECONDS, own_environment, start_python


def test_it_asks_renders_reports_and_cleans_up(quick, tmp_path):
    b = quick(progression=Progression.after_seconds())

    done = b.command("doctor", "--live", "--yes", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "at most 10 seconds are billed" in done.stderr
    assert "get_absent" in done.stdout
    [page] = tmp_path.glob("batch-avatar-live-report-*.md")
    told = json.loads(page.with_suffix(".json").read_text())
    readings = {answer["question"]: answer["reading"] for answer in told["answers"]}
    assert readings["repeat_ended"] == "conflict"
    assert readings["summary_texts"] == "whole"
    assert readings["refused_creates"] is None  # these settings have no pace
    assert all(job["removed"] for job in b.emulator.jobs())
    assert page.name in done.stderr
    assert b.emulator.key not in done.stdout + done.stderr + page.read_text()


def test_nothing_is_sent_without_a_yes(quick, tmp_path):
    b = quick()

    done = b.command("doctor", "--live", folder=tmp_path)

    assert done.returncode == 1
    assert "Go on?" in done.stderr
    assert b.emulator.requests() == []
    assert list(tmp_path.glob("*live-report*")) == []


def test_what_was_left_can_be_deleted(quick, tmp_path, make_job):
    b = quick()
    make_job(b.emulator, f"{PREFIX}old")
    make_job(b.emulator, "episode-1")
    b.emulator.settle()

    done = b.command("doctor", "--live", "--clean", folder=tmp_path)

    assert (done.returncode, done.stdout) == (0, "1 jobs deleted\n"), done.stderr
    assert [job["id"] for job in b.emulator.jobs() if not job["removed"]] == ["episode-1"]


def test_a_resource_that_is_not_there_is_named(quick, tmp_path):
    done = quick().command("doctor", "--live", "--yes", "--resource", "west", folder=tmp_path)

    assert done.returncode == 2
    assert "no resource west" in done.stderr


def test_json_is_alone_on_stdout(quick, tmp_path):
    b = quick()
    done = b.command("doctor", "--live", "--yes", "--json", folder=tmp_path)
    assert {"answers", "region", "left"} <= json.loads(done.stdout).keys()
    second = b.command("doctor", "--live", "--yes", "--json", folder=tmp_path)
    assert second.returncode == done.returncode
    assert len(list(tmp_path.glob("batch-avatar-live-report-*.md"))) == 2


def test_ctrl_c_deletes_what_was_created(bench, tmp_path):
    stuck = FaultRule(operation="create", action=StickJob(status="Running"))
    b = bench(delete_unfinished="accept", list_lag_seconds=0, faults=(stuck,))
    environment = own_environment(tmp_path) | b.environment()
    started = start_python(*CLI, "doctor", "--live", "--yes", folder=tmp_path, environment=environment)
    try:
        said = ""
        while "waiting until the clip" not in said:
            line = started.stderr.readline()
            assert line, said
            said += line
        started.send_signal(signal.SIGINT)
        _, rest = started.communicate(timeout=PATIENCE_SECONDS)
    finally:
        started.kill()
        started.wait()

    assert started.returncode == 1, rest
    [job] = b.emulator.jobs()
    assert job["removed"] == "deleted"
