"""SSML that people brought: what is said of each file, and at which level."""

from datetime import date
from pathlib import Path

import pytest

from batch_avatar.scripts.findings import refusals
from batch_avatar.scripts.rules import check_script
from batch_avatar.scripts.voices import Known
from tests.support.scripts import script

CASES = Path("tests/data/cases/ssml")
LISTED = ("en-US-JennyNeural", "ja-JP-NanamiNeural")
SAYS = {
    "01-voice-noname": {"ssml-attribute-missing": "<voice> lacks its name"},
    "02-text-outside-voice": {"ssml-structure": "text stands directly in <speak>"},
    "03-prosody-in-speak": {"ssml-structure": "<prosody> stands directly in <speak>; put it inside a <voice>"},
    "04-nested-voice": {"ssml-structure": "a <voice> stands inside <s>"},
    "05-no-lang": {"ssml-attribute-wanted": "<speak> lacks its xml:lang"},
    "07-https-ns": {},
    "09-mstts-undeclared": {"ssml-malformed": 'write xmlns:mstts="https://www.w3.org/2001/mstts" into the tag <speak>'},
    "10-voice-typo": {"voice-unknown": "did you mean en-US-JennyNeural?"},
    "10b-voice-sapi": {"voice-impossible": "Microsoft Zira Desktop is one of Windows"},
    "10e-voice-long": {},
    "11-empty-voice": {"content-empty": "no <voice> holds anything that can be spoken"},
    "12-decl-utf16": {},
    "13-doctype": {},
    "15-gesture-wrong-style": {
        "gesture-unknown": "lisa casual-sitting has no gesture five-star-reviews; it has numeric1"
    },
    "16b-audio-local": {"ssml-link": "the src of <audio> must be a link that begins with https://"},
    "18-nbsp": {"ssml-malformed": "write &#160;"},
    "19-amp": {"ssml-malformed": "a bare & must be written &amp;"},
    "20-smart-quotes": {"ssml-malformed": "typographic quotes"},
    "21-two-speaks": {"ssml-malformed": "a second <speak> begins here, after that of line 1"},
    "22-fragment": {"ssml-malformed": "it begins with <voice>"},
    "25-blank-before-decl": {},
    "30-break-nounit": {"ssml-value": "write 2000ms or 2000s"},
    "31-unknown-element": {"ssml-element-unknown": "the service has no element <whisper>"},
    "33-sub-noalias": {"ssml-attribute-missing": "<sub> lacks its alias"},
    "37-template": {},
    "40-utf16-real": {},
}
OUTCOMES = dict(line.split("\t")[:2] for line in (CASES.parent / "expected.tsv").read_text().splitlines()[1:])


def findings(name):
    content = (CASES / f"{name}.ssml").read_bytes()
    text = content.decode("utf-16" if content.startswith(b"\xff\xfe") else "utf-8")
    given = script(input_kind="SSML", content=text)
    return [
        finding
        for finding in check_script(given, Known(date(2026, 9, 1), {each.lower(): each for each in LISTED}))
        if finding.rule != "placeholder"  # not a rule of SSML
    ]


def test_every_case_is_here():
    assert {path.stem for path in CASES.iterdir()} == SAYS.keys()


@pytest.mark.parametrize("name", SAYS)
def test_a_case_is_taken_or_told_in_words_of_people_who_write(name):
    found = findings(name)

    assert {one.rule for one in found} == SAYS[name].keys()
    assert all(words in found[0].message for words in SAYS[name].values())


@pytest.mark.parametrize("name", SAYS)
def test_a_case_is_refused_if_that_is_expected_of_it_and_else_not(name):
    assert bool(refusals(findings(name))) == (OUTCOMES[f"ssml/{name}.ssml"] == "refuse")
