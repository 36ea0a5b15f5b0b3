"""What templates, spreadsheets and other programs left in a script."""

import pytest

from batch_avatar.scripts.content.leftovers import NO_VALUE, check_placeholders, check_values
from batch_avatar.scripts.findings import RULES
from tests.support.scripts import script

LEFT = ["{{first_name}}", "{{ first_name | upper }}", "{% if x %}", "${company}", "<%= name %>", "<<Name>>", "[[name]]"]
LEFT += ["%FIRST_NAME%", "#REF!", "#N/A", "#NAME?"]
USUAL = ["50% of 30% is 15%", "100%", "{}", "{ }", "a [b] c", "[1, [2]]", "$5 and $6", "<<", "x << y", "#1", "# REF"]
USUAL += ["https://a.example/%E2%80%93%C3%A4", "1 {2} 3", "f({1, 2})"]
ERRORS = ["#REF!", "#NAME?", "#N/A", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#ERROR!", "Err:508"]
FORMULAS = ['=A1&" World"', "=SUM(A1:B2)", '="a"', "=-B7", "=$C$12", "= A1", "='My sheet'!A1", "=Sheet1!A1", "=5+3"]
FORMULAS += ['=WENN(A1;"a";"b")', "=_xlfn.CONCAT(A1)"]
TEXTS = [
    "= Hello",
    "==Title==",
    "=> go on",
    "A1=B1",
    "The error #REF! is in it.",
    "= equals",
    "Err: 508",
    "=)",
    "#hash",
]


def rules(**members):
    return [(name, finding.rule) for name, finding in check_values(members)]


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("kind", ["PlainText", "SSML"])
def test_a_placeholder_is_told_with_its_line(left, kind):
    [finding] = check_placeholders(script(input_kind=kind, content=f"Hello.\nDear {left}, hi."))

    assert (finding.rule, finding.line) == ("placeholder", 2)
    assert left in finding.message


@pytest.mark.parametrize("text", USUAL)
@pytest.mark.parametrize("kind", ["PlainText", "SSML"])
def test_what_only_looks_like_one_is_not(text, kind):
    assert list(check_placeholders(script(input_kind=kind, content=text))) == []


def test_single_braces_are_a_placeholder_in_text_and_sounds_in_ssml():
    assert [one.rule for one in check_placeholders(script(content="Dear {name}"))] == ["placeholder"]
    assert list(check_placeholders(script(input_kind="SSML", content="<phoneme ph='h{t}'>"))) == []


def test_several_placeholders_are_told_together_each_once():
    [finding] = check_placeholders(script(content="{{a}} {{b}} {{a}} {{c}} {{d}} {{e}}"))

    assert finding.message == "nobody filled in {{a}}, {{b}}, {{c}} and 2 more"


@pytest.mark.parametrize("name", ["voice", "talking_avatar_character", "description", "script_id"])
def test_a_placeholder_in_another_member_is_told(name):
    [finding] = check_placeholders(script().model_copy(update={name: "${x}"}))

    assert finding.message == f"{name}: nobody filled in ${{x}}"


@pytest.mark.parametrize("text", ["NULL", "N/A", "None", "nan", "undefined"])
def test_a_text_that_is_a_word_for_no_value_is_told(text):
    assert [one.rule for one in check_placeholders(script(content=f"{text}\n"))] == ["placeholder"]


@pytest.mark.parametrize("text", ERRORS + FORMULAS)
@pytest.mark.parametrize("name", ["content", "voice", "description", "script_id"])
def test_errors_and_formulas_of_spreadsheets_are_refused(text, name):
    assert rules(**{name: f" {text}"}) == [(name, "spreadsheet-error")]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_only_resembles_one_is_none(text):
    assert rules(content=text) == []


@pytest.mark.parametrize("text", sorted(NO_VALUE))
@pytest.mark.parametrize("name", ["voice", "bitrate_kbps", "talking_avatar_style", "customized"])
def test_a_word_for_no_value_is_refused_as_a_property(text, name):
    assert rules(**{name: text}) == [(name, "no-value")]


@pytest.mark.parametrize("name", ["script_id", "content", "description"])
def test_the_same_word_may_be_an_id_a_text_or_a_note(name):
    assert rules(**{name: "None"}) == []


@pytest.mark.parametrize("text", ["none", "None", "NONE"])
def test_none_is_a_type_of_subtitles(text):
    assert rules(subtitle_type=text) == []


@pytest.mark.parametrize("name", ["Nan", "Nina", "Una"])
def test_names_of_people_are_values(name):
    assert rules(talking_avatar_character=name) == []


def test_a_long_formula_is_cut():
    [(_, finding)] = check_values({"content": "=A1&" + "x" * 10_000})

    assert len(finding.message) < 200


def test_what_is_no_text_is_left_to_others():
    assert rules(content=None, voice=7, scene={"zoom": "NULL"}) == []


def test_levels():
    levels = {rule: str(RULES[rule].level) for rule in ("placeholder", "spreadsheet-error", "no-value")}
    assert levels == {"placeholder": "warning", "spreadsheet-error": "refused", "no-value": "refused"}
