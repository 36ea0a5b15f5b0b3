"""`batch-avatar check`: needs no account, and says everything at once."""

import json
import os

import pytest
from click.testing import CliRunner

from batch_avatar.commands.cli import main


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A folder of somebody who has no account."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BATCH_AVATAR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def check(*arguments):
    done = CliRunner().invoke(main, ["check", *arguments])
    return done.exit_code, done.stdout, done.stderr


def write(path, **members):
    path.write_text(json.dumps(members) + "\n", encoding="utf-8")


GOOD = {"voice": "en-US-AvaNeural", "talking_avatar_character": "lisa", "talking_avatar_style": "casual-sitting"}


def test_good_scripts_are_counted(alone):
    write(alone / "m.jsonl", script_id="a", content="Hi.", **GOOD)

    assert check("m.jsonl") == (0, "1 script: no faults, 0 warnings\n", "")


def test_defaults_come_from_the_settings_as_for_a_render(alone, monkeypatch):
    for name, value in GOOD.items():
        monkeypatch.setenv(f"BATCH_AVATAR_{name.upper()}", value)
    write(alone / "m.jsonl", script_id="a", content="Hi.")

    assert check("m.jsonl")[0] == 0


def test_faults_and_warnings_are_said_together(alone):
    write(alone / "m.jsonl", script_id="_a", content="Hi.", **(GOOD | {"talking_avatar_style": "newest"}))

    code, out, err = check("m.jsonl")

    assert (code, out) == (2, "")
    assert "m.jsonl:1: _a: script_id must not start with '_'" in err
    assert "warning: style-unknown: lisa has no style newest" in err


def test_json_has_each_of_them_with_rule_level_and_place(alone):
    write(alone / "m.jsonl", script_id="_a", content="Hi.", **(GOOD | {"talking_avatar_style": "newest"}))

    code, out, err = check("m.jsonl", "--json")

    found = json.loads(out)
    [fault], [warning] = found["faults"], found["warnings"]
    place = {"source": "m.jsonl", "line": 1, "script_id": "_a"}
    assert (code, err) == (2, "")
    assert fault.items() >= (place | {"rule": "id-unusable", "level": "refused"}).items()
    assert warning.items() >= (place | {"rule": "style-unknown", "level": "warning"}).items()
    assert all(one["message"] for one in (fault, warning))


def test_of_a_thousand_faults_twenty_are_said_and_json_has_all(alone):
    rows = [{"script_id": f"_{number}", "content": "Hi.", **GOOD} for number in range(1000)]
    rows = [row | {"background_color": f"colour {number}"} for number, row in enumerate(rows)]
    (alone / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    code, _, err = check("m.jsonl")
    found = json.loads(check("m.jsonl", "--json")[1])

    assert code == 2
    assert len(found["faults"]) == 2000
    assert len(err.splitlines()) == 23
    assert "  and 981 more; --json has all\n" in err
