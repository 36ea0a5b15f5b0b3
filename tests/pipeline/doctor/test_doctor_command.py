"""The command as people see it: lines, commands to paste, JSON, and the exit code."""

from __future__ import annotations

import json

from batch_avatar.emulator.storage.azurite import USER_ACCOUNT


def test_all_is_well(quick, tmp_path):
    done = quick().command("doctor", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["check", "found"]
    assert any(line.split()[:3] == ["ok", "speech", "jobs"] for line in lines)
    assert "To mend it" not in done.stdout
    assert " ok, " in lines[-1]


def test_what_has_failed_has_a_command_on_a_line_of_its_own(quick, tmp_path):
    done = quick().command("doctor", folder=tmp_path, BATCH_AVATAR_SPEECH_KEY="0123456789abcdef-wrong")

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = lines.index("failed: speech access. To mend it:")
    assert lines[at + 1].startswith("  (umask 077; az cognitiveservices account keys list")
    assert lines[at + 2] == "  unset BATCH_AVATAR_SPEECH_KEY; export BATCH_AVATAR_SPEECH_KEY_FILE=~/speech-key"
    assert " 1 failed" in lines[-1]
    assert "0123456789abcdef-wrong" not in done.stdout + done.stderr


def test_json_has_each_check(quick, tmp_path, azurite):
    b = quick()
    done = b.command("doctor", "--json", folder=tmp_path, BATCH_AVATAR_SPEACH_KEY="s3cret-of-speach")

    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["ok"] is True
    assert {tuple(check) for check in said["checks"]} == {("name", "status", "found", "fix")}
    assert [check["name"] for check in said["checks"] if check["status"] == "warning"] == ["variable names"]
    key = azurite.connection_string(USER_ACCOUNT).partition("AccountKey=")[2].partition(";")[0]
    for secret in ("s3cret-of-speach", key, b.emulator.key):
        assert secret not in done.stdout + done.stderr


def test_settings_that_cannot_be_used_are_a_failed_check(quick, tmp_path):
    done = quick().command("doctor", "--json", folder=tmp_path, BATCH_AVATAR_ENDPOINT="")

    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"]) == (1, False)
    assert [(check["name"], check["found"]) for check in said["checks"] if check["status"] == "failed"] == [
        ("settings", "BATCH_AVATAR_ENDPOINT: is not set")
    ]
    assert done.stderr == ""
