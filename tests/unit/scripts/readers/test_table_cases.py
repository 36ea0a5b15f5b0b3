"""Small tables that people brought: each is taken as it was meant, or refused with what to do."""

from pathlib import Path

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.manifest import read_scripts
from tests.unit.scripts.hostile import DEFAULTS, WIRE

CASES = Path(__file__).parents[3] / "data" / "cases"
TAKEN = {
    "csv/semi.csv": [("begruessung", "Guten Tag; willkommen.")],
    "csv/tab.csv": [("A1", "Hello there")],
    "csv/sep.csv": [("a", "Hallo")],
    "csv/caps-head.csv": [("a", "Hello")],
    "csv/emptyrows.csv": [("a", "Hello"), ("b", "World")],
    "csv/trailcomma-rows.csv": [("a", "Hello"), ("b", "World")],
    "csv/utf16.csv": [("a", "Hello")],
    "json/array.json": [("a", "Hello"), ("b", "World")],
    "json/pretty.jsonl": [("a", "Hello"), ("b", "World")],
    "json/intid.jsonl": [("17", "Hello")],
    "json/nulls.jsonl": [("a", "Hello")],
}
REFUSED = {
    "csv/cp1252.csv": [(2, "encoding-unknown", "--encoding windows-1252")],
    "csv/human-head.csv": [(1, "columns-missing", "Title, Text, Voice; scripts need script_id, and content")],
    "csv/extra-col.csv": [
        (1, "column-unknown", "column author is no property of a script, and 2 rows have something there"),
        (1, "column-unknown", "`--ignore-columns department`"),
        (1, "column-unknown", "`--ignore-unknown`"),
    ],
    "csv/duphead.csv": [(1, "column-twice", "columns 2 and 3 are both content")],
    "csv/trailing-value.csv": [(2, "column-unnamed", "column 4 has no header")],
    "csv/unclosed.csv": [(2, "table-malformed", "a quotation mark opens here and is never closed")],
    "json/trailcomma.jsonl": [
        (1, "table-malformed", "a comma too many at its end"),
        (2, "table-malformed", "a comma too many at its end"),
    ],
    "json/dupkey.jsonl": [(1, "table-malformed", "content is given twice")],
}


@pytest.mark.parametrize("case", TAKEN)
def test_a_table_is_taken_as_it_was_meant(case):
    scripts = read_scripts([CASES / case], defaults=DEFAULTS, wire=WIRE)

    assert [(script.script_id, script.content) for script in scripts] == TAKEN[case]


@pytest.mark.parametrize("name", ["m.csv", "m.json"])
def test_a_table_is_read_in_the_encoding_that_is_said(tmp_path, name):
    text = (
        "script_id;content\na;Grüße – alles gut“\n" if name == "m.csv" else '[{"script_id": "a", "content": "Grüße"}]'
    )
    (tmp_path / name).write_bytes(text.encode("cp1252"))

    [script] = read_scripts(
        [tmp_path / name], defaults=DEFAULTS, wire=WIRE, choice=SourceChoice(encoding="windows-1252")
    )

    assert script.content.startswith("Grüße")


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_is_refused_once_for_each_cause(case):
    with pytest.raises(ManifestError) as caught:
        read_scripts([CASES / case], defaults=DEFAULTS, wire=WIRE)

    told = caught.value.findings
    assert [(one.line, one.rule) for one in told] == [(line, rule) for line, rule, _ in REFUSED[case]]
    assert all(words in one.message for one, (_, _, words) in zip(told, REFUSED[case], strict=True)), told
