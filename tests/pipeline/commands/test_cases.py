"""Small inputs that people brought: each is taken as it was meant, or named with what to do."""

import csv
import json
import os
import re
from pathlib import Path, PurePath

import pytest
from click.testing import CliRunner

from batch_avatar.commands.cli import main

CASES = Path(__file__).parents[2] / "data" / "cases"
LOOK = {
    "voice": "en-US-AvaMultilingualNeural",
    "talking_avatar_character": "lisa",
    "talking_avatar_style": "casual-sitting",
}
LIST = [
    *("en-US-AvaMultilingualNeural", "en-US-JennyNeural", "en-US-GuyNeural"),
    "Microsoft Server Speech Text to Speech Voice (en-US, JennyNeural)",
]
WITH_A_LIST = ("ssml/10-voice-typo.ssml",)
"""Cases that the list of voices decides."""
IDS = {
    "csv/semi.csv": ["begruessung"],
    "csv/tab.csv": ["A1"],
    "csv/sep.csv": ["a"],
    "csv/utf16.csv": ["a"],
    "csv/caps-head.csv": ["a"],
    "csv/emptyrows.csv": ["a", "b"],
    "csv/trailcomma-rows.csv": ["a", "b"],
    "json/nulls.jsonl": ["a"],
    "json/array.json": ["a", "b"],
    "json/pretty.jsonl": ["a", "b"],
    "json/intid.jsonl": ["17"],
    "csv/ssml.csv": ["a", "b"],
    "ssml-in-txt/lesson.txt": ["lesson"],
    "folders/nested": ["intro"],
    "folders/appledouble": ["intro"],
    "folder-with-manifest": ["welcome"],
    "mixed-prosody": ["a", "b"],
}
"""The scripts that are planned, of those cases where somebody could have another number in mind."""
FAULTS = {
    "json/two-stage.jsonl": 2,
    "json/camel.jsonl": 3,
    "json/trailcomma.jsonl": 2,
    "csv/extra-col.csv": 3,
    "csv/formula.csv": 3,
    "csv/null.csv": 2,
}
"""How many faults a case has; other refused ones have one cause, and one fault."""
SAYS = {
    "encodings/ansi-cp1252.txt": r"--encoding (windows-1252|cp1252)",
    "csv/cp1252.csv": r"--encoding (windows-1252|cp1252)",
    "csv/unclosed.csv": r"quotation mark opens",
    "csv/human-head.csv": r"script_id",
    "csv/extra-col.csv": r"--ignore-columns",
    "json/camel.jsonl": r"talking_avatar_character|script_id",
    "json/two-stage.jsonl": r"background_color",
    "ssml/09-mstts-undeclared.ssml": r"xmlns:mstts",
    "ssml/18-nbsp.ssml": r"&#160;",
    "ssml/19-amp.ssml": r"&amp;",
    "ssml/20-smart-quotes.ssml": r"quot",
    "ssml/21-two-speaks.ssml": r"two|second|one document",
    "ssml/33-sub-noalias.ssml": r"alias",
}
"""What the faults must say, so that a person knows what to do."""
WARNS = {
    "ssml-in-txt/lesson.txt": "ssml-taken",
    "csv/ssml.csv": "ssml-taken",
    "ssml/37-template.ssml": "placeholder",
    "ssml-in-txt/markup.txt": "markup",
    "folders/nested": "left-out",
    "folder-with-manifest": "left-out",
}
"""The rule of the warning."""
PARSERS_WORDS = re.compile(r"Traceback|junk after|not well-formed|undefined entity|unbound prefix|mismatched tag")


def expected():
    with (CASES / "expected.tsv").open(encoding="utf-8", newline="") as file:
        return [(row["case"], row["expected"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


@pytest.fixture
def plan(quick, tmp_path, monkeypatch):
    """`plan(case)`: the exit code of `batch-avatar plan --json`, what it says, and what it says beside."""
    b = quick()
    b.overrides |= LOOK
    for name in [name for name in os.environ if name.startswith(("BATCH_AVATAR_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    for name, value in (b.environment() | {"HOME": tmp_path, "XDG_CACHE_HOME": tmp_path / "cache"}).items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)

    def run(case):
        done = CliRunner().invoke(main, ["plan", str(CASES / case), "--json"])
        assert b.accepted() == {}
        assert done.stdout, done.stderr
        return done.exit_code, json.loads(done.stdout), done.stderr

    return run


@pytest.fixture
def voices(tmp_path):
    """A list of voices at hand, as `batch-avatar voices` keeps it."""
    kept = tmp_path / "cache" / "batch-avatar" / "voices-westeurope.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"region": "westeurope", "voices": [{"name": name} for name in LIST]}))


def test_every_case_has_its_expectation():
    assert len(expected()) == 60
    assert {outcome for _, outcome in expected()} == {"take", "warn", "refuse", "outcome"}
    assert all((CASES / case).exists() for case, _ in expected())


@pytest.mark.parametrize(("case", "outcome"), expected(), ids=[case for case, _ in expected()])
def test_a_case_is_planned_as_it_was_meant(plan, request, case, outcome):
    if case in WITH_A_LIST:
        request.getfixturevalue("voices")

    code, found, beside = plan(case)

    text = json.dumps(found, ensure_ascii=False) + beside
    assert not PARSERS_WORDS.search(text), text
    if outcome == "refuse":
        assert (code, found["scripts"]) == (2, [])
        assert len(found["faults"]) == FAULTS.get(case, 1), found["faults"]
        assert all(case in one["source"] and one["message"] for one in found["faults"]), found["faults"]
        assert re.search(SAYS.get(case, ""), text), found["faults"]
        return
    assert (code, found["faults"]) == (0, []), text
    assert [row["script_id"] for row in found["scripts"]] == IDS.get(case, [PurePath(case).stem])
    assert outcome != "warn" or found["warnings"]
    assert WARNS.get(case) in {None, *(one["rule"] for one in found["warnings"])}, found["warnings"]
    if outcome == "outcome":
        assert "minutes" in found["scripts"][0]["detail"]
    assert {row["state"] for row in found["scripts"]} == {"new"}
