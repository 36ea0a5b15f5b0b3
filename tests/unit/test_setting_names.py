"""A variable that looks like a setting and is none is told, with what was meant."""

import re
from pathlib import Path

import pytest

from batch_avatar.script_settings import unknown_variables
from batch_avatar.settings import PREFIX, Settings, load_settings
from tests.support.processes import CLI, own_environment, run_python

ROOT = Path(__file__).parents[2]
NAMES = Settings.model_fields


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("VOCE", "BATCH_AVATAR_VOCE: no such setting; did you mean BATCH_AVATAR_VOICE?"),
        ("STORAGE_CONECTION_STRING", "did you mean BATCH_AVATAR_STORAGE_CONNECTION_STRING?"),
        ("SPEECHKEY", "did you mean BATCH_AVATAR_SPEECH_KEY?"),
        ("SPEECH_KEY_FIEL", "did you mean BATCH_AVATAR_SPEECH_KEY_FILE?"),
        ("QQQ", "BATCH_AVATAR_QQQ: no such setting; .env.example lists all of them"),
        ("", "BATCH_AVATAR_: no such setting"),
        ("A\nB", "no such setting"),
    ],
)
def test_it_is_told_with_the_setting_that_was_meant(given, says):
    [text] = unknown_variables([PREFIX + given], NAMES)

    assert says in text
    assert text.isprintable()


def test_what_somebody_else_sets_is_not_told():
    names = ["PATH", "BATCH_AVATARS", "PREFECT_API_URL", "BATCH_AVATAR", "MY_BATCH_AVATAR_VOCE"]
    of_kubernetes = [
        *("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR"),
        *("WORKER_SERVICE_HOST", "WORKER_SERVICE_PORT", "WORKER_PORT", "WORKER_PORT_80_TCP_PROTO"),
    ]

    assert unknown_variables([*names, *(PREFIX + name for name in of_kubernetes)], NAMES) == []


def test_every_setting_may_be_written_in_any_case():
    names = [PREFIX + name.upper() for name in NAMES]

    assert unknown_variables([*names, *map(str.lower, names)], NAMES) == []


def test_every_variable_that_the_project_itself_names_is_a_setting():
    files = [*ROOT.glob("*.y*ml"), *ROOT.glob("*.md"), ROOT / ".env.example", ROOT / "Makefile"]
    files += [
        path for folder in ("docs", "deployments", "flows", "tasks", "deploy") for path in (ROOT / folder).rglob("*.*")
    ]
    texts = [path.read_text(encoding="utf-8", errors="ignore") for path in files if path.is_file()]
    named = {found for text in texts for found in re.findall(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]\b", text)}

    assert len(named) > 20
    assert unknown_variables(named, NAMES) == []


@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_command_says_it_once_and_goes_on(tmp_path, place):
    (tmp_path / "a.txt").write_text("Hi.")
    look = {"VOICE": "en-US-AvaNeural", "TALKING_AVATAR_CHARACTER": "lisa", "TALKING_AVATAR_STYLE": "casual-sitting"}
    given = {PREFIX + name: value for name, value in (look | {"BACKGROUND_COLOUR": "red"}).items()}
    if place == ".env":
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        given = {}

    done = run_python(*CLI, "check", "a.txt", folder=tmp_path, environment=own_environment(tmp_path) | given)

    assert (done.returncode, done.stdout) == (0, "1 script: no faults, 0 warnings\n"), done.stderr
    assert done.stderr.count("BATCH_AVATAR_BACKGROUND_COLOUR") == 1
    assert "did you mean BATCH_AVATAR_BACKGROUND_COLOR?" in done.stderr


def test_a_flow_logs_it_where_people_look(monkeypatch, tmp_path, caplog):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BATCH_AVATAR_CONTAINR", "videos")
    good = {
        "endpoint": "https://r.cognitiveservices.azure.com",
        "storage_account_url": "https://a.blob.core.windows.net",
    }

    for _ in range(2):
        load_settings(**good)

    told = [record for record in caplog.records if "BATCH_AVATAR_CONTAINR" in record.getMessage()]
    assert [(one.name, one.levelname) for one in told] == [("batch_avatar.settings", "WARNING")]
