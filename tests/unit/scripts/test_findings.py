"""Findings as values: each with its rule, and told once for each kind."""

import re
from datetime import date

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.findings import RULES, Finding, Level, Place, found, refusals, told, told_faults
from batch_avatar.scripts.manifest import check_scripts, read_scripts
from batch_avatar.scripts.voices import Known
from batch_avatar.service.wire.generations import wire_for
from tests.support.processes import ROOT
from tests.support.scripts import script

WIRE = wire_for("2024-08-01")
NOVEMBER = date(2026, 11, 15)
JEFF = "jeff is withdrawn in 2026-12; use another avatar, such as harry, max or malik"


def test_ten_thousand_scripts_of_one_kind_are_one_line():
    findings = [found("avatar-withdrawn", JEFF).at(Place("m.jsonl", n), f"s{n}") for n in range(10_000)]

    assert told(findings) == [f"avatar-withdrawn: {JEFF} [10,000 scripts: s0, s1, s2 and 9,997 more]"]


def test_one_script_and_a_few_are_all_named():
    few = [found("style-missing", "x").at(Place("m.csv", 2), name) for name in ("a", "b")]

    assert told(few[:1]) == ["style-missing: x [a]"]
    assert told(few) == ["style-missing: x [2 scripts: a, b]"]
    assert told([]) == []


def test_of_many_kinds_the_first_are_told():
    lines = told([found("codec-unknown", f"c{n}").at(Place("m", 1), "a") for n in range(500)])

    assert len(lines) == 21
    assert lines[-1] == "and 480 more"


def test_a_line_hides_no_signs_and_is_not_endless():
    [line] = told([found("style-unknown", "\x1b[2J" + "x" * 10_000).at(Place("m", 1), "a\nb")])

    assert line.isprintable()
    assert len(line) < 2_100


@pytest.mark.parametrize(
    ("place", "where"), [(Place("a/b.txt", 1), "a/b.txt:1"), (Place("scripts[3]"), "scripts[3]"), (Place("C:4"), "C:4")]
)
def test_a_finding_says_where_its_script_stands(place, where):
    finding = found("content-empty", "content is empty").at(place, "intro")

    assert finding == Finding("content-empty", Level.REFUSED, "content is empty", "intro", place.source, place.line)
    assert str(finding) == f"{where}: intro: content is empty"


def test_equal_faults_are_told_once_and_of_many_the_first_twenty():
    missing = [found("voice-missing", "no voice").at(Place("m.csv", n), f"s{n}") for n in range(2, 1002)]
    others = [found("id-unusable", f"id {n}").at(Place("m.csv", n), f"s{n}") for n in range(2, 1002)]

    assert told_faults(missing) == ["m.csv:2: no voice [1,000 scripts: s2, s3, s4 and 997 more]"]
    assert told_faults([missing[0]]) == ["m.csv:2: s2: no voice"]
    lines = told_faults([*others, *missing])
    assert (len(lines), lines[0], lines[-1]) == (21, "m.csv:2: s2: id 2", "and 981 more; --json has all")


def test_warnings_come_with_the_scripts_and_refuse_nothing(tmp_path):
    manifest = tmp_path / "m.jsonl"
    rows = (script(name, talking_avatar_character="jeff", talking_avatar_style="formal") for name in "abcd")
    manifest.write_text("".join(row.model_dump_json(exclude_unset=True) + "\n" for row in rows))

    scripts = read_scripts([manifest], defaults={}, wire=WIRE, known=Known(NOVEMBER))

    assert len(scripts) == 4
    assert scripts.warnings[1] == Finding("avatar-withdrawn", Level.WARNING, JEFF, "b", str(manifest), 2)
    assert told(scripts.warnings) == [f"avatar-withdrawn: {JEFF} [4 scripts: a, b, c and 1 more]"]


def test_refusals_are_listed_without_the_warnings():
    both = script("a", talking_avatar_style="", content=" ")

    with pytest.raises(ManifestError) as caught:
        check_scripts([both], defaults={}, wire=WIRE)

    assert caught.value.faults == ("scripts[0]: a: content is empty",)


def test_a_later_api_version_is_sent_with_a_warning():
    scripts = check_scripts(
        [script("a", talking_avatar_style="casual-sitting")], defaults={}, wire=wire_for("2026-02-01")
    )

    assert [finding.rule for finding in scripts.warnings] == ["version-unknown"]
    request = wire_for("2026-02-01").encode_create(scripts[0], job_id="j", description="")
    assert request.query == {"api-version": "2026-02-01"}


def test_only_refusals_refuse():
    assert refusals([found("style-missing", "x")]) == []
    assert len(refusals([found("voice-missing", "x")])) == 1


def test_the_page_lists_every_rule_with_its_level_and_meaning():
    page = (ROOT / "docs/checks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \| (.+) \|$", page, re.MULTILINE)

    assert rows == [(name, str(rule.level), rule.meaning) for name, rule in RULES.items()]


def test_rules_are_named_in_short_words():
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+){0,4}", name) for name in RULES)
