"""A stop ends within 30 s, sends nothing more, says what is in flight, and costs nothing when it goes on."""

from __future__ import annotations

import json
import signal
import time

import pytest

from batch_avatar.emulator.faults import FaultRule, Slow, StickJob
from tests.support.processes import CLI, own_environment, start_python
from tests.support.scripts import script, write_manifest

STOP_SECONDS = 30  # what is promised
STUCK = FaultRule(operation="create", action=StickJob())


@pytest.fixture
def manifest(tmp_path):
    return write_manifest(tmp_path, [script(f"s{number}") for number in range(6)]).parent


@pytest.fixture
def start(manifest):
    """Start a render of the manifest; it is killed with the test if it is still there."""
    running = []

    def render(bench, **extra):
        process = start_python(
            *(*CLI, "render", "scripts.jsonl", "--engine", "local"),
            folder=manifest,
            environment=own_environment(manifest) | bench.environment(**extra),
        )
        running.append(process)
        return process

    yield render
    for process in running:
        process.kill()
        process.communicate()


def read_until(process, *texts):
    """Each of them was said, in whatever order."""
    left = set(texts)
    for line in process.stderr:
        left = {text for text in left if text not in line}
        if not left:
            return
    pytest.fail(f"it ended before it said {left}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_which_says_what_is_in_flight_and_the_next_run_continues(bench, start, manifest, number):
    b = bench(faults=(STUCK,))
    process = start(b, BATCH_AVATAR_MAX_UNFINISHED_JOBS=2)
    read_until(process, "s0: created", "s1: created")
    process.send_signal(number)
    told, _ = process.communicate(timeout=STOP_SECONDS)

    assert process.returncode == 1
    assert b.emulator.stats()["creates"]["accepted"] == 2
    assert "in flight at the service: 2 jobs (s0-" in told
    assert "not sent: 4 scripts" in told
    assert "run the same command again" in told
    report = next(json.loads(blob) for name, blob in b.blobs().items() if name.endswith("report.json"))
    assert (report["scripts"], report["unfinished"], len(report["outcomes"])) == (6, 6, 6)
    assert {outcome["error"]["class"] for outcome in report["outcomes"]} == {"stopped"}

    b.emulator.clear_faults()
    b.emulator.release()
    done = b.command("render", "scripts.jsonl", "--engine", "local", folder=manifest)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(b.accepted().values()) == {1}
    assert len(b.receipts()) == 6


def test_a_stop_in_the_middle_of_slow_downloads_leaves_nothing_half_and_loses_nothing(bench, start, manifest):
    slow = FaultRule(operation="download", action=Slow(bytes_per_second=20_000))
    b = bench(storage_front=True, minimal_size_bytes=4_000_000, faults=(slow,))
    process = start(b)
    read_until(process, *(f"s{number}: created" for number in range(6)))
    while not any(entry["operation"] == "download" for entry in b.emulator.requests("download")):
        time.sleep(0.05)
    stopped_at = time.monotonic()
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=STOP_SECONDS)

    assert process.returncode == 1
    assert time.monotonic() - stopped_at < STOP_SECONDS
    assert "in flight at the service: 6 jobs" in told
    assert not b.receipts()
    assert not [name for name in b.blobs() if "video" in name]

    b.emulator.clear_faults()
    done = b.command("render", "scripts.jsonl", "--engine", "local", folder=manifest)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(b.accepted().values()) == {1}
    assert len(b.receipts()) == 6


def test_scripts_that_still_wait_for_their_turn_are_told_as_not_sent(bench, start):
    process = start(bench(faults=(STUCK,)), BATCH_AVATAR_MAX_UNFINISHED_JOBS=1)
    read_until(process, "created")
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=STOP_SECONDS)

    assert "in flight at the service: 1 jobs" in told
    assert "not sent: 5 scripts" in told
