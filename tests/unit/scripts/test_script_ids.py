"""Ids of scripts: flat ones as always, and nested ones, whose names in the archive can be read from the right."""

import pytest

from batch_avatar.scripts.script_ids import check_script_id

CONTENT_ID = "0123456789abcdef"


@pytest.mark.parametrize(
    "script_id",
    [
        "hr/welcome",
        "a/b/c/d",
        "hr/_draft",
        "größe/日本",
        "v1.2/a b",
        "a/0123456789abcde",
        "a/x1",
        "a/.b",
        "x" * 198 + "/y",
    ],
)
def test_a_nested_script_id_is_accepted(script_id):
    assert list(check_script_id(script_id)) == []


@pytest.mark.parametrize(
    ("script_id", "words"),
    [
        ("/a", "an empty part"),
        ("a/", "an empty part"),
        ("a//b", "an empty part"),
        ("a/..", "'..'"),
        ("../a", "'..'"),
        ("a/./b", "end with a dot"),
        ("a/b.", "end with a dot"),
        ("a./b", "end with a dot"),
        ("a / b", "begin or end with a blank"),
        ("a/ b", "begin or end with a blank"),
        ("a\\b/c", "'\\'"),
        ("a/b\nc", "control characters"),
        ("_failed/a", "must not start with '_'"),
        (f"a/{CONTENT_ID}", "16 hexadecimal digits"),
        (f"{CONTENT_ID}/a", "16 hexadecimal digits"),
        ("a/1", "digits alone"),
        ("2026/a", "digits alone"),
    ],
)
def test_a_nested_script_id_that_could_be_another_name_is_refused(script_id, words):
    assert words in "; ".join(check_script_id(script_id))


@pytest.mark.parametrize("script_id", ["01", CONTENT_ID, "2026"])
def test_a_flat_script_id_may_still_be_digits(script_id):
    assert list(check_script_id(script_id)) == []
