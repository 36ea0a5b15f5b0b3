"""What would be read aloud by mistake, or not be heard."""

import pytest

from batch_avatar.scripts.content.plain_text import check_content
from batch_avatar.scripts.drafts import check_draft
from batch_avatar.scripts.findings import RULES
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK, script

WIRE = wire_for("2024-08-01")
IN_SSML = '<speak version="1.0" xml:lang="en-US"><voice name="en-US-JennyNeural">{}</voice></speak>'

ODD = {
    "a tag": ("Hi <b>you</b>.", "markup", 1),
    "a tag on a line": ("One.\nTwo <break time='1s'/>.", "markup", 2),
    "an end": ("Hi.</p>", "markup", 1),
    "a comment": ("Hi. <!-- not this -->", "markup", 1),
    "a part of SSML": ("<voice name='v'>Hi.</voice>", "markup", 1),
    "a page": ("<!DOCTYPE html>\n<html><body>Hi.</body></html>", "markup", 1),
    "an entity": ("R&amp;D", "markup", 1),
    "a blank of HTML": ("a&nbsp;b", "markup", 1),
    "a number of a character": ("it&#39;s", "markup", 1),
    "a hexadecimal number": ("it&#x2019;s", "markup", 1),
    "bold": ("This is **bold**.", "markup", 1),
    "a link": ("Read [this](https://a.example).", "markup", 1),
    "a heading": ("Hi.\n## Two\n", "markup", 2),
    "a control character": ("Hi.\n\x0bHo.", "odd-characters", 2),
    "an escape": ("\x1b[1mHi.", "odd-characters", 1),
    "a lost letter": ("Gr\ufffdn.", "odd-characters", 1),
    "a letter of another table": ("It\x92s.", "odd-characters", 1),
    "an emoji": ("\U0001f600", "content-signs", None),
    "a sign": ("&", "content-signs", None),
    "blanks": (" \n\t", "content-empty", None),
    "zero width": ("\u200b\u200b", "content-empty", None),
    "dots": ("...", "content-empty", None),
    "marks": ("\u2014 \u201c?!\u201d", "content-empty", None),
}
USUAL = {
    "words": "Hello, you.",
    "small and large": "1 < 2, and 3 > 2; a<b and c>d.",
    "a heart": "I <3 you.",
    "an ampersand": "R&D at AT&T; Q&A.",
    "an unknown entity": "This &that; and.",
    "an address": "Write to <bob@example.com> or <https://a.example/b>.",
    "stars": "5 * 3 * 2, and * at last; 2 ** 3.",
    "a number sign": "You are our #1!",
    "lines": "One.\r\n\tTwo.\n\nThree.",
    "joined emoji": "Hi \U0001f468\u200d\U0001f469\u200d\U0001f467.",
    "Japanese": "こんにちは。",
    "Arabic": "مرحبا",
    "Thai": "สวัสดี",
    "digits alone": "42",
    "soft hyphen": "Donau\u00addampf",
}


def found_in(content, **members):
    return list(check_content(script(content=content, **members)))


@pytest.mark.parametrize("name", ODD)
def test_what_seems_to_be_a_mistake_is_told_with_its_line(name):
    content, rule, line = ODD[name]

    [finding] = found_in(content)

    assert (finding.rule, finding.line, finding.level) == (rule, line, RULES[rule].level)


@pytest.mark.parametrize("name", USUAL)
def test_of_a_usual_text_nothing_is_told(name):
    assert found_in(USUAL[name]) == []


def test_each_kind_of_markup_is_told_once_with_the_first_of_it():
    found = found_in("<p>a</p>\n&amp; &lt;\n**b** **c**")

    assert [finding.line for finding in found] == [1, 2, 3]
    assert [finding.message.split(" would")[0] for finding in found] == ["<p>", "&amp;", "**b**"]


def test_a_long_tag_is_cut_in_its_warning():
    [finding] = found_in(f"<a href='{'x' * 250}'>Hi.")

    assert len(finding.message) < 250
    assert "..." in finding.message


@pytest.mark.parametrize("content", ["<b>", "&amp;", "**bold**", "\x0b"])
def test_what_is_markup_in_text_is_not_told_of_ssml(content):
    assert found_in(IN_SSML.format(content), input_kind="SSML") == []


def test_lost_letters_are_told_of_ssml_too():
    assert [one.rule for one in found_in(IN_SSML.format("Gr\ufffdn"), input_kind="SSML")] == ["odd-characters"]


@pytest.mark.parametrize(
    ("content", "silent"),
    [
        ("\u200b", True),
        ("...", True),
        ("\u2014 <break time='1s'/>\u2026", True),
        ("a", False),
        ("\U0001f600", False),
        ("<say-as interpret-as='characters'>.</say-as>", False),
        ("<sub alias='dot'>.</sub>", False),
    ],
)
def test_ssml_without_anything_that_can_be_spoken_is_refused(content, silent):
    values = {"script_id": "a", "input_kind": "SSML", "content": IN_SSML.format(content), **LOOK}

    _, found = check_draft(values, own=values, wire=WIRE)

    assert ("content-empty" in {one.rule for one in found}) == silent
