"""What a command prints: every fault, no secret, no escape sequence, and a report's place only where it is."""

from __future__ import annotations

import logging

import click
import pytest
from click.testing import CliRunner

from batch_avatar.commands.terminal.console import show_report
from batch_avatar.commands.terminal.running import fails_clearly
from batch_avatar.commands.terminal.saying import say, say_json
from batch_avatar.errors import BatchAvatarError, ManifestError
from batch_avatar.models import Outcome, OutcomeKind
from batch_avatar.rendering.outcomes import build_report
from batch_avatar.safe_text.redaction import know
from batch_avatar.settings import load_settings

SECRET = "c4n4ry0123456789"


@pytest.fixture
def failing():
    """`failing(error)` runs a command that ends so: its exit code and its stderr."""

    def run(error):
        @click.command()
        @fails_clearly
        def command() -> None:
            raise error

        done = CliRunner().invoke(command)
        return done.exit_code, done.stderr

    return run


@pytest.fixture
def report():
    return build_report("run-1", [Outcome(script_id="a", outcome=OutcomeKind.ARCHIVED)])


@pytest.fixture
def settings():
    return load_settings(
        endpoint="http://127.0.0.1:1",
        speech_key=SECRET,
        container="videos",
        storage_account_url="https://a.blob.core.windows.net",
    )


def test_every_fault_is_listed_in_a_terminal_however_many_there_are(failing):
    code, said = failing(ManifestError([f"m.jsonl:{number}: no voice" for number in range(1, 101)]))

    assert code == 2
    assert said.splitlines()[0] == "100 faults in the scripts:"
    assert said.splitlines()[1:-1] == [f"  m.jsonl:{number}: no voice" for number in range(1, 101)]


def test_what_somebody_else_says_forges_no_line(failing):
    _, said = failing(BatchAvatarError("no\n12 scripts: 12 archived\x1b]0;owned\x07"))

    assert said == "no\\n12 scripts: 12 archived\\x1b]0;owned\\x07\n"


def test_a_mistake_of_this_program_is_logged_without_what_is_secret_or_hostile(failing, settings, caplog):
    with caplog.at_level(logging.ERROR):
        code, _ = failing(ValueError(f"sent {settings.speech_key.get_secret_value()} \x1b[2J https://h/c?x=abc"))

    assert code == 1
    assert r"ValueError: sent REDACTED \x1b[2J https://h/c?REDACTED" in caplog.text
    assert SECRET not in caplog.text


def test_what_is_known_to_be_secret_is_printed_by_nobody(capsys):
    know(SECRET)
    say(f"key {SECRET}")
    say_json({"key": f"is {SECRET}", "link": "https://h/c?width=10", "odd": "\x1b[2J"})

    assert capsys.readouterr().out.split("\n", 1) == [
        "key REDACTED",
        '{\n  "key": "is REDACTED",\n  "link": "https://h/c?width=10",\n  "odd": "\\u001b[2J"\n}\n',
    ]


def test_the_place_of_a_report_is_named(report, settings, capsys):
    show_report(report, settings, elapsed_seconds=1, as_json=False)

    assert "report: _runs/run-1/report.json\n" in capsys.readouterr().out


def test_a_report_that_could_not_be_written_is_said_to_be_missing_from_its_place(report, settings, capsys):
    report.was_not_written("the container is gone")
    show_report(report, settings, elapsed_seconds=1, as_json=False)

    said = "report: could not be written to _runs/run-1/report.json: the container is gone\n"
    assert said in capsys.readouterr().out
