"""`batch-avatar costs` after real runs: its sums are what the service says to have billed."""

from __future__ import annotations

import csv
import io
import json

from tests.support.scripts import script

PRICES = '{"currency": "EUR", "video_per_minute": {"standard": 6}, "characters_per_million": {"neural": 1000}}'
BY_VOICE = ("--by", "voice,folder")


def rendered(b):
    report = b.render(
        [
            script("hr/hello", columns={"team": "=1+1"}, voice="en-US-AvaMultilingualNeural"),
            script("hr/bye", columns={"team": "care"}, voice="en-US-AndrewNeural"),
            script("intro", voice="en-US-AvaMultilingualNeural"),
        ]
    )
    assert report.archived == 3
    return report


def asked(b, folder, *arguments, code=0, **extra):
    done = b.command("costs", *arguments, folder=folder, **extra)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_sums_are_what_was_billed(quick, tmp_path):
    b = quick()
    report = rendered(b)

    found = json.loads(asked(b, tmp_path, *BY_VOICE, "--json", BATCH_AVATAR_PRICES=PRICES).stdout)

    total = found["total"]
    assert (total["videos"], total["failed_attempts"], total["cost_not_known"]) == (3, 0, 0)
    assert (total["seconds"], total["characters"]) == (report.billed_seconds, report.billed_characters)
    assert float(total["cost"]) == round(report.billed_seconds * 0.1 + report.billed_characters * 0.001, 4)
    assert [(row["voice"], row["folder"]) for row in found["rows"]] == [
        ("en-us-andrewneural", "hr"),
        ("en-us-avamultilingualneural", "/"),
        ("en-us-avamultilingualneural", "hr"),
    ]


def test_a_column_is_a_row_each_and_no_formula_in_a_spreadsheet(quick, tmp_path):
    b = quick()
    rendered(b)

    text = asked(b, tmp_path, "--column", "team", "--csv").stdout

    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row[0], row[1]) for row in rows] == [("column team", "videos"), ("", "1"), ("'=1+1", "1"), ("care", "1")]


def test_a_table_tells_that_no_prices_are_set(quick, tmp_path):
    b = quick()
    rendered(b)

    said = asked(b, tmp_path).stdout

    assert "BATCH_AVATAR_PRICES" in said
    assert "total" in said


def test_a_bad_day_or_key_is_told(quick, tmp_path):
    b = quick()
    assert "--since 1.1.2026 is no day" in asked(b, tmp_path, "--since", "1.1.2026", code=2).stderr
    assert "--by has no week" in asked(b, tmp_path, "--by", "week", code=2).stderr
