"""Whatever becomes of the terminal, pipe or disk behind the output, the scripts go on, and the exit code is theirs."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from dataclasses import replace

import pytest

from batch_avatar.emulator.faults import FaultRule, StickJob
from tests.support.processes import CLI, own_environment
from tests.support.road import Road, Traveller
from tests.support.scripts import script
from tests.support.waiting import PATIENCE_SECONDS, until

FOREIGN = "日本-😀"
REFUSED = {"talking_avatar_style": "on-a-horse"}
SUMS = "2 scripts: 2 archived, 0 archived before, 0 failed, 0 unfinished"
FULL = "/dev/full"


@pytest.fixture
def run(written):
    """`run(bench, *arguments)` runs the command over two scripts to its end, with these streams."""
    folder = written(script("one"), script("two"))

    def to_its_end(bench, *arguments, prefix=(), **options):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.run(
            [*prefix, sys.executable, *CLI, *arguments],
            cwd=folder,
            env=own_environment(folder) | bench.environment(),
            timeout=PATIENCE_SECONDS,
            check=False,
            text=True,
            **(pipes | options),
        )

    return to_its_end


@pytest.fixture
def nobody_reads():
    """The end of a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_names_that_the_console_cannot_encode_are_escaped_in_the_report_of_a_paid_batch(quick, written, encoding):
    b = quick()
    folder = written(script("paid"), script(FOREIGN, **REFUSED))
    done = b.command("render", "scripts.jsonl", folder=folder, PYTHONIOENCODING=encoding)
    assert done.returncode == 1, done.stderr
    assert "2 scripts: 1 archived, 0 archived before, 1 failed" in done.stdout
    assert (FOREIGN if encoding == "utf-8" else "\\u65e5\\u672c-\\ud83d\\ude00") in done.stdout
    assert "Traceback" not in done.stderr

    told = b.command("render", "scripts.jsonl", "--json", folder=folder, PYTHONIOENCODING=encoding)
    assert {outcome["script_id"] for outcome in json.loads(told.stdout)["outcomes"]} == {"paid", FOREIGN}
    planned = b.command("plan", "scripts.jsonl", folder=folder, PYTHONIOENCODING=encoding)
    assert planned.returncode == 0, planned.stderr


def test_a_message_about_a_file_whose_name_is_no_text_is_shown(quick, tmp_path):
    source = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    source.write_text("{")
    done = quick().command("plan", source.name, folder=tmp_path, PYTHONIOENCODING="utf-8")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "caf\\udce9.jsonl:1" in done.stderr


@pytest.mark.parametrize("command", ["plan", "render"])
def test_a_reader_that_goes_away_changes_neither_the_run_nor_its_exit_code(quick, run, nobody_reads, command):
    b = quick()
    done = run(b, command, "scripts.jsonl", stdout=nobody_reads)
    assert done.returncode == 0, done.stderr
    assert "stdout cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(b.receipts() if command == "render" else ()) == (2 if command == "render" else 0)


def test_the_first_line_of_a_plan_is_enough_for_head(quick, run):
    b = quick()
    piped = ("bash", "-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "bash")
    done = run(b, "plan", "scripts.jsonl", prefix=piped)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1), done.stderr


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("where", [FULL, "closed"])
def test_a_report_that_cannot_be_printed_leaves_its_place_and_the_sums_on_stderr(quick, run, options, where):
    b = quick()
    shut = ("bash", "-c", '"$@" >&-' if where == "closed" else f'"$@" >{where}', "bash")
    done = run(b, "render", "scripts.jsonl", *options, prefix=shut)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert SUMS in done.stderr
    (report,) = (name for name in b.etags() if name.endswith("/report.json"))
    assert report in done.stderr


@pytest.mark.parametrize("where", [FULL, "closed"])
def test_a_run_whose_progress_cannot_be_shown_goes_on_and_reports(quick, run, where):
    b = quick()
    shut = ("bash", "-c", '"$@" 2>&-' if where == "closed" else f'"$@" 2>{where}', "bash")
    done = run(b, "render", "scripts.jsonl", prefix=shut)
    assert done.returncode == 0, done.stdout
    assert SUMS in done.stdout
    assert len(b.receipts()) == 2


def test_a_run_that_can_show_nothing_at_all_still_archives(quick, run):
    b = quick()
    done = run(b, "render", "scripts.jsonl", prefix=("bash", "-c", f'"$@" >{FULL} 2>{FULL}', "bash"))
    assert done.returncode == 0
    assert len(b.receipts()) == 2


class NoReports(Traveller):
    def travel(self):
        if self.command == "PUT" and self.path.split("?")[0].endswith("/report.json"):
            self.answer(403, [("x-ms-error-code", "AuthorizationPermissionMismatch")], b"")
        else:
            super().travel()


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_report_that_the_archive_refuses_leaves_its_place_and_the_sums_on_stderr(quick, run, azurite, options):
    with Road(azurite.url, NoReports) as road:
        b = quick()
        through = replace(b, connection_string=b.connection_string.replace(azurite.url, road.url))
        done = run(through, "render", "scripts.jsonl", *options)
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stderr.split())  # long lines are broken
    assert "the report cannot be written to the archive" in told
    assert SUMS in told
    assert "/report.json" in told


@pytest.fixture
def on_a_terminal(written):
    """`on_a_terminal(bench)` starts a render that leads a session on a terminal; it gives process and terminal."""
    folder = written(script("one"), script("two"))
    started = []

    def start(bench):
        terminal, side = pty.openpty()

        def lead():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = subprocess.Popen(
            [sys.executable, *CLI, "render", "scripts.jsonl", "--engine", "local"],
            cwd=folder,
            env=own_environment(folder) | bench.environment() | {"TERM": "xterm"},
            stdin=side,
            stdout=side,
            stderr=side,
            preexec_fn=lead,  # noqa: PLW1509 - there are no threads here
        )
        os.close(side)
        started.append(process)
        return process, terminal

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_run_that_loses_its_terminal_stops_cleanly(bench, on_a_terminal):
    b = bench(faults=(FaultRule(operation="create", action=StickJob()),))
    process, terminal = on_a_terminal(b)

    def accepted():
        return sum(b.accepted().values())

    assert until(accepted, 2) == 2
    os.close(terminal)
    assert process.wait(PATIENCE_SECONDS) == 1
    (report,) = b.documents("/report.json").values()
    assert (report["scripts"], report["unfinished"]) == (2, 2)
    assert {outcome["error"]["class"] for outcome in report["outcomes"]} == {"stopped"}


def test_a_run_under_nohup_outlives_its_terminal(bench, written):
    b = bench(faults=(FaultRule(operation="create", action=StickJob()),))
    folder = written(script("one"), script("two"))
    process = subprocess.Popen(
        ["nohup", sys.executable, *CLI, "render", "scripts.jsonl", "--engine", "local"],
        cwd=folder,
        env=own_environment(folder) | b.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert until(lambda: sum(b.accepted().values()), 2) == 2
        process.send_signal(signal.SIGHUP)
        b.emulator.clear_faults()
        b.emulator.release()
        told, heard = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0, heard
    assert SUMS in told
