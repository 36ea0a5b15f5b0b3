"""What the rows with real parts are put together from, as far as it needs no real parts."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from batch_avatar.scripts.rules import check_script
from batch_avatar.scripts.voices import Known
from benchmarks.real import REAL_ROWS
from benchmarks.real.command import own_figures, status_bytes
from benchmarks.real.inside import ScaledClock
from benchmarks.real.scaled import moment_of, requests_of
from benchmarks.real.world import HERE, RunFailed, await_that, plain_scripts
from tests.support.manual_clock import ManualClock


def test_every_row_function_takes_the_form_by_name():
    assert len({rows.__name__ for rows in REAL_ROWS}) == len(REAL_ROWS) == 6


def test_plain_scripts_have_the_length_that_is_asked_for_and_no_two_are_alike():
    scripts = list(plain_scripts(200, characters=1500))

    assert {len(script.content) for script in scripts} == {1500}
    assert len({script.content for script in scripts}) == 200
    assert not any(list(check_script(script, Known(date(2026, 9, 1)))) for script in scripts)


async def test_a_scaled_clock_is_faster_by_its_scale():
    real = ManualClock()
    await real.advance(7.0)  # what was before its making does not count
    scaled = ScaledClock(1000.0, real)
    began = scaled.now()

    await real.advance(0.5)

    assert scaled.monotonic() == 500.0
    assert scaled.now() - began == timedelta(seconds=500)
    assert scaled.now().tzinfo is UTC


async def test_a_scaled_clock_sleeps_its_own_seconds():
    real = ManualClock()

    sleeper = asyncio.create_task(ScaledClock(1000.0, real).sleep(10.0))
    await real.advance(0.01)

    assert sleeper.done()
    assert real.slept == [0.01]


def test_a_process_knows_its_own_memory_and_cpu():
    figures = own_figures()

    assert figures["cpu_seconds"] > 0
    assert figures["peak_bytes"] >= status_bytes("VmRSS", os.getpid()) * 0.9


def test_a_field_that_the_system_does_not_tell_is_named():
    with pytest.raises(KeyError, match="VmNone"):
        status_bytes("VmNone")


def test_requests_are_counted_over_their_answers():
    stats = {"requests": {"list": {"200": 3, "500": 1}, "get": {"404": 2}, "create": {"201": 9}}}

    assert requests_of(stats, "list", "get") == 6
    assert requests_of(stats, "delete") == 0


def test_waiting_for_what_never_comes_ends_with_its_name():
    with pytest.raises(RunFailed, match="the moon"):
        await_that(lambda: False, "the moon", patience_seconds=0.0)


def test_the_measured_command_tells_what_it_cost_however_it_ends(tmp_path):
    figures = tmp_path / "figures.json"

    ended = subprocess.run(
        [sys.executable, str(HERE / "command.py"), str(figures), "render", "nowhere"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2, ended.stderr
    said = json.loads(figures.read_text())
    assert said["cpu_seconds"] > 0
    assert said["peak_bytes"] > 10_000_000
    assert said["prefect_requests"] == 0


def test_a_profile_holds_the_calls_of_the_command(tmp_path):
    profile = tmp_path / "profile"

    subprocess.run(
        [sys.executable, str(HERE / "command.py"), str(tmp_path / "f.json"), "--profile", str(profile), "--version"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        check=True,
    )

    assert profile.stat().st_size > 0


def test_times_of_the_service_are_read_with_and_without_their_z():
    assert moment_of("2026-01-01T00:00:01.2500000Z") == datetime(2026, 1, 1, 0, 0, 1, 250_000, tzinfo=UTC)
    assert moment_of("2026-01-01T00:00:01.250000") == moment_of("2026-01-01T00:00:01.2500000Z")
