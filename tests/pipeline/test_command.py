"""The command as a user runs it: what it prints, what it sends, and how it ends."""

from __future__ import annotations

import json

import pytest

from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.safe_text.redaction import redact
from batch_avatar.service.resource import CREATES_AT_ONCE
from tests.support.processes import run_python
from tests.support.scripts import LOOK_TOML

REPORT_KEYS = {
    "run",
    "scripts",
    "archived",
    "skipped",
    "failed",
    "unfinished",
    "billed_seconds",
    "billed_characters",
    "outcomes",
    "doubtful",
    "kept",
}


@pytest.fixture
def folder(tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "defaults.toml").write_text(LOOK_TOML)
    (scripts / "one.txt").write_text("The rainbow has seven colors.")
    (scripts / "two.ssml").write_text("<speak><voice name='en-US-AvaNeural'>Hello.</voice></speak>")
    return tmp_path


def test_render_reports_as_json_on_stdout_and_nothing_else_there(bench, folder):
    b = bench()
    done = b.command("render", "scripts", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == REPORT_KEYS
    assert (report["scripts"], report["archived"]) == (2, 2)
    names = "script_id job_id outcome blob_prefix error note doubtful kept billed_seconds billed_characters columns"
    assert {tuple(outcome) for outcome in report["outcomes"]} == {tuple(names.split())}
    assert "in this process" in done.stderr
    again = b.command("render", "scripts", "--json", folder=folder)
    assert (again.returncode, json.loads(again.stdout)["skipped"]) == (0, 2)
    assert b.emulator.stats()["creates"]["accepted"] == 2


def test_render_tells_one_line_per_event_where_there_is_no_terminal(bench, folder):
    done = bench().command("render", "scripts", folder=folder)
    lines = done.stderr.splitlines()
    for phase in ("created", "archived"):
        assert sum(f"one: {phase}" in line for line in lines) == 1
    assert "2 scripts: 2 archived, 0 archived before, 0 failed, 0 unfinished" in done.stdout


def test_plan_shows_states_and_sends_no_create(bench, folder):
    b = bench()
    done = b.command("plan", "scripts", folder=folder, BATCH_AVATAR_CREATES_PER_MINUTE=2)
    assert done.returncode == 0
    assert "2 scripts: 2 to create" in done.stdout
    assert b.emulator.stats()["requests"].keys() == {"list"}
    with b.container() as container:
        assert not container.exists()


def test_a_failed_script_gives_exit_code_1_and_says_why(bench, folder):
    (folder / "scripts" / "manifest.jsonl").write_text(
        json.dumps({"script_id": "bad", "content": "Hi.", "talking_avatar_style": "on-a-horse"})
    )
    done = bench().command("render", "scripts", "scripts/manifest.jsonl", folder=folder)
    assert done.returncode == 1
    assert "on-a-horse" in done.stdout
    assert "3 scripts: 2 archived, 0 archived before, 1 failed" in done.stdout


def test_a_wrong_key_gives_exit_code_3_and_creates_nothing(bench, folder):
    b = bench()
    done = b.command("render", "scripts", folder=folder, BATCH_AVATAR_SPEECH_KEY="0" * 32)
    assert done.returncode == 3
    assert "access refused" in done.stderr
    assert b.emulator.stats()["creates"]["accepted"] == 0


def test_access_refused_at_the_first_create_stops_the_run(bench, folder):
    rule = FaultRule(operation="create", action=Status(status=403, code="Forbidden", message="Only Standard."))
    b = bench(faults=(rule,))
    for number in range(20):
        (folder / "scripts" / f"more{number:02d}.txt").write_text("Hello.")
    done = b.command("render", "scripts", folder=folder, BATCH_AVATAR_CREATES_PER_MINUTE=600)
    assert done.returncode == 3
    assert "Only Standard." in done.stdout
    assert 1 <= len(b.emulator.requests("create")) <= CREATES_AT_ONCE, "what had left before the first answer came"


def test_what_failed_for_good_is_sent_again_on_request(bench, folder):
    b = bench(faults=(FaultRule(operation="create", action=Status(status=400, code="BadRequest")),))
    assert b.command("render", "scripts", folder=folder).returncode == 1
    b.emulator.clear_faults()
    assert b.command("render", "scripts", folder=folder).returncode == 1
    assert b.command("render", "scripts", "--retry-failed", folder=folder).returncode == 0


BAD_INPUT = {
    "an empty folder": ({}, "no scripts in it"),
    "bytes that are not UTF-8": ({"x.txt": b"ok\nM\xfcnchen"}, "x.txt:2: x.txt is not UTF-8"),
    "a malformed JSONL line": (
        {"m.jsonl": b'{"script_id": "a", "content": "x"}\n{"script_id": '},
        "m.jsonl:2: malformed",
    ),
    "a CSV line with too many cells": ({"m.csv": b"script_id,content\na,b,c\n"}, "m.csv:2: column 3 has no header"),
    "malformed SSML": (
        {"x.ssml": b"<speak><voice name='v'>Hi</speak>"},
        "x.ssml:1: x: <voice> of line 1 is not closed",
    ),
    "an unknown property": (
        {"m.jsonl": b'{"script_id": "a", "content": "x", "vioce": "v"}'},
        "unknown property 'vioce'",
    ),
    "a duplicate script_id": (
        {"a.txt": b"Hi.", "a.ssml": b"<speak><voice name='v'>Hi</voice></speak>"},
        "script_id is taken by",
    ),
    "a forbidden script_id": ({"m.jsonl": b'{"script_id": "a/../b", "content": "x"}'}, "must not contain"),
    "a body over 500 KB": ({"x.txt": b"word " * 110_000}, "a request with it may have 500,000"),
    "a transparent mp4": (
        {"m.jsonl": b'{"script_id": "a", "content": "x", "background_color": "transparent", "video_format": "mp4"}'},
        "a transparent background needs webm with vp9",
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_named_with_file_and_line_and_sends_nothing(bench, tmp_path, case):
    files, message = BAD_INPUT[case]
    source = tmp_path / "scripts"
    source.mkdir()
    (source / "defaults.toml").write_text(LOOK_TOML)
    for name, content in files.items():
        (source / name).write_bytes(content)
    manifests = [source / name for name in files if name.endswith((".jsonl", ".csv"))]
    b = bench()
    done = b.command("render", *(manifests or [source]), folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Nothing was sent." in done.stderr
    assert b.emulator.stats()["requests_total"] == 0
    with b.container() as container:
        assert not container.exists()


def test_all_faults_of_all_scripts_are_listed_at_once(bench, tmp_path):
    (tmp_path / "plain.txt").write_text("No voice.")
    (tmp_path / "broken.ssml").write_text("<speak>")
    (tmp_path / "latin.txt").write_bytes(b"\xff")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    done = bench().command("render", ".", "gone.txt", "missing", folder=tmp_path)
    assert done.returncode == 2
    for part in (
        "PlainText needs a voice",
        "<speak> of line 1 is never closed",
        "not UTF-8",
        "gone.txt",
        "missing: does not exist",
    ):
        assert part in done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BATCH_AVATAR_ENDPOINT", "http://example.org"),
        ("BATCH_AVATAR_POLL_INTERVAL_SECONDS", "soon"),
        ("BATCH_AVATAR_API_VERSION", "2019-01-01"),
        ("BATCH_AVATAR_CONTAINER", "No Container"),
        ("BATCH_AVATAR_MAX_ATTEMPTS", "0"),
    ],
)
def test_a_wrong_setting_is_named_with_its_variable(bench, folder, variable, value):
    b = bench()
    done = b.command("render", "scripts", folder=folder, **{variable: value})
    assert done.returncode == 2
    assert variable in done.stderr
    assert b.emulator.stats()["requests_total"] == 0


def test_engine_prefect_without_an_api_says_what_to_do(bench, folder):
    done = bench().command("render", "scripts", "--engine", "prefect", folder=folder)
    assert done.returncode == 2
    assert "PREFECT_API_URL" in done.stderr


def test_a_prefect_api_that_does_not_answer_is_named_and_nothing_is_sent(bench, folder):
    b = bench()
    done = b.command("render", "scripts", folder=folder, PREFECT_API_URL="http://127.0.0.1:1/api")
    assert done.returncode == 2
    assert "PREFECT_API_URL: http://127.0.0.1:1/api does not answer" in done.stderr
    assert b.emulator.stats()["creates"]["accepted"] == 0


def test_a_service_that_does_not_answer_is_named_without_a_traceback(bench, folder):
    done = bench().command("render", "scripts", folder=folder, BATCH_AVATAR_ENDPOINT="http://127.0.0.1:1")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == "127.0.0.1:1 does not answer (ConnectionError) [while listing the jobs of 127.0.0.1:1]"


def test_jobs_are_listed_shown_without_links_and_deleted(bench, folder):
    b = bench(faults=(FaultRule(operation="delete", at_most=8, action=Status(status=400)),), list_lag_seconds=0)
    b.command("render", "scripts", folder=folder)
    listed = json.loads(b.command("jobs", "list", "--json", folder=folder).stdout)
    assert len(listed) == 2
    job_id = listed[0]["service_id"]
    shown = b.command("jobs", "get", job_id, folder=folder)
    assert json.loads(shown.stdout)["status"] == "Succeeded"
    assert "sig=" not in shown.stdout
    b.emulator.clear_faults()
    assert b.command("jobs", "delete", job_id, "--yes", folder=folder).returncode == 0
    assert b.command("jobs", "get", job_id, folder=folder).returncode == 1


def test_no_secret_reaches_any_sink_of_a_verbose_run(bench, folder):
    """Every logger at DEBUG, links that expire, a fault in each step: neither key nor signature shows anywhere."""
    b = bench(
        storage_front=True,
        faults=(
            FaultRule(operation="download", at_most=1, action=Status(status=403)),
            FaultRule(operation="download", skip_first=1, at_most=1, action=Status(status=503)),
            FaultRule(operation="get", at_most=1, action=Status(status=500)),
        ),
    )
    program = (
        "import logging, sys; logging.basicConfig(level=logging.DEBUG, stream=sys.stderr);"
        "from batch_avatar.commands.cli import main; main(['render', 'scripts', '--json'])"
    )
    own = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **b.environment()}
    done = run_python("-c", program, folder=folder, environment=own)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "urllib3" in done.stderr
    account_key = b.connection_string.split("AccountKey=")[1].split(";")[0]
    sinks = {"stdout": done.stdout, "stderr": done.stderr}
    sinks |= {name: content.decode("latin-1") for name, content in b.blobs().items() if "/video." not in name}
    for sink, text in sinks.items():
        assert b.emulator.key not in text, sink
        assert account_key not in text, sink
        assert redact(text) == text, sink
    assert "sig=REDACTED" in done.stderr


def test_the_command_starts_without_prefect():
    program = "import sys, batch_avatar.commands.cli; print([m for m in sys.modules if m.split('.')[0] == 'prefect'])"
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_run_has_a_name_of_its_own(bench, folder):
    b = bench()
    runs = {json.loads(b.command("render", "scripts", "--json", folder=folder).stdout)["run"] for _ in range(2)}
    assert len(runs) == 2
    assert {name for name in b.blobs() if name.startswith("_runs/")} == {f"_runs/{run}/report.json" for run in runs}
