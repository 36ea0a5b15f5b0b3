"""No valid SSML is refused, and each rule finds what breaks it. The emulator, written apart, is asked as well."""

import json
import tomllib
from datetime import date
from pathlib import Path

import pytest

from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.jobs.validation import parse_request
from batch_avatar.emulator.options import EmulatorOptions
from batch_avatar.scripts.findings import RULES, Level, refusals
from batch_avatar.scripts.rules import check_script
from batch_avatar.scripts.ssml.grammar import ELEMENTS
from batch_avatar.scripts.ssml.reading import read_document
from batch_avatar.scripts.voices import Known
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import script

DATA = Path("tests/data/ssml")
EMULATOR = EmulatorOptions()


def documents(name):
    return {one["name"]: one for one in tomllib.loads((DATA / name).read_text())["documents"]}


VALID, INVALID = documents("valid.toml"), documents("invalid.toml")


def script_of(document):
    own = {"customized": True, "talking_avatar_style": None} if document.get("customized") else {}
    return script(input_kind="SSML", content=document["content"], **own)


def findings(document):
    return list(check_script(script_of(document), Known(date(2026, 9, 1))))


def emulator_refuses(document):
    sent = wire_for("2024-08-01").encode_create(script_of(document), job_id="intro", description="")
    try:
        parse_request(json.dumps(json.loads(sent.body)).encode(), EMULATOR)
    except ApiError:
        return True
    return False


@pytest.mark.parametrize("name", VALID)
def test_valid_ssml_is_taken_and_only_the_rules_named_there_warn(name):
    found = findings(VALID[name])

    assert refusals(found) == []
    assert sorted(one.rule for one in found) == VALID[name].get("warns", [])


def test_the_valid_documents_use_every_element_and_most_of_their_attributes():
    content = [VALID[name]["content"].strip() for name in VALID]
    used = {(each.name, name) for text in content for each in read_document(text).elements for name in each.attributes}
    named = {each.name for text in content for each in read_document(text).elements}

    assert named == set(ELEMENTS)
    for element, rules in ELEMENTS.items():
        for attribute in (*rules.needs, *rules.wants):
            assert (element, attribute) in used


@pytest.mark.parametrize("name", INVALID)
def test_what_breaks_a_rule_is_found_by_it_on_its_line(name):
    document = INVALID[name]

    found = {(one.rule, one.line): one.message for one in findings(document)}

    assert document["words"] in found.get((document["rule"], document["line"]), f"nothing; but {found}")


@pytest.mark.parametrize("name", INVALID)
def test_what_breaks_one_rule_is_told_once(name):
    document = INVALID[name]

    assert [one.rule for one in findings(document)] == [document["rule"]]


OF_ANY_TEXT = {"ssml-taken", "ssml-as-text"}
"""Rules of whether a text is SSML; they stand elsewhere."""


def test_every_rule_of_ssml_has_a_document_that_breaks_it():
    broken = {document["rule"] for document in INVALID.values()}

    assert {rule for rule in RULES if rule.startswith("ssml-")} - {"ssml-signed-link", *OF_ANY_TEXT} <= broken
    assert {"content-empty", "gesture-unknown", "voice-impossible", "voice-unknown"} <= broken


@pytest.mark.parametrize("name", [*VALID, *INVALID])
def test_where_the_emulator_judges_otherwise_the_reason_is_written_down(name):
    document = (VALID | INVALID)[name]
    refused = name in INVALID and RULES[document["rule"]].level is Level.REFUSED

    assert (emulator_refuses(document) != refused) == ("differs" in document)


def test_no_name_is_used_twice():
    assert not VALID.keys() & INVALID.keys()
    for name, found in (("valid.toml", VALID), ("invalid.toml", INVALID)):
        assert (DATA / name).read_text().count("[[documents]]") == len(found) >= 40
