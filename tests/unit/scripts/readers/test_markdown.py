"""Markdown is spoken as its words are read; what is not for the ear is named with its lines."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.readers.draft import Named
from batch_avatar.scripts.readers.markdown import MOST_NESTED, read_markdown, spoken
from batch_avatar.scripts.reading import NotRead
from tests.unit.scripts.readers.reads import faults, left_out, texts

EXAMPLES = settings(derandomize=True, deadline=None, database=None)
SPOKEN = {
    "a heading and paragraphs": ("# Welcome\n\nOne\ntwo.\n\nThree.", "Welcome\n\nOne two.\n\nThree."),
    "an underlined heading": ("Welcome\n===\nOne.", "Welcome\n\nOne."),
    "emphasis": ("*One* **two** __three__ _four_ 2*3*4 snake_case", "One two three four 234 snake_case"),
    "a list": ("- One.\n- Two.\n  1. Three.\n* * *\nFour.", "One.\n\nTwo.\n\nThree.\n\nFour."),
    "a quote": ("> One\n> two.", "One two."),
    "links": ("[One](https://a.example 'x') and [two][b].\n\n[b]: https://b.example", "One and two."),
    "code in a sentence": ("Press `Ctrl+C` now.", "Press Ctrl+C now."),
    "a break that was made": ("One  \ntwo\\\nthree", "One\ntwo\nthree"),
    "escapes and entities": (r"2 \* 3 &amp; 4 &lt; 5", "2 * 3 & 4 < 5"),
    "tags of style": ('One <b class="x">two</b><br/>three<!-- no --> <span>four</span>', "One two\nthree four"),
    "comments": ("One.\n\n<!-- not\n\nspoken -->\n\nTwo.", "One.\n\nTwo."),
    "windows lines": ("# One\r\n\r\nTwo\r\nthree.\r\n", "One\n\nTwo three."),
    "a line above and a title": ("---\nOne.\n\n---\nTwo.", "One.\n\nTwo."),
}
WITHOUT = {
    "code": ("One.\n\n```python\nx = 1\n```\n\nTwo.", "code (line 3)"),
    "indented code": ("One.\n\n    x = 1\n\nTwo.", "code (line 3)"),
    "a table": ("One.\n\n| a | b |\n|---|---|\n| c | d |\n\nTwo.", "tables (line 3)"),
    "two tables": ("| a |\n|---|\n\nOne.\n\n| a |\n|---|\n\nTwo.", "tables (lines 1, 6)"),
    "HTML": ("One.\n\n<div>\nx\n</div>\n\nTwo.", "HTML (line 3)"),
    "a tag that is none of style": ("One.\n\nTwo<name>.", "HTML (line 3)"),
    "a picture": ("One.\n\nTwo![a cat](cat.png).", "pictures (line 3)"),
    "struck words": ("One.\n\nTwo~~or *three*~~.", "struck words (line 3)"),
    "front matter": ("---\ntitle: One\ntags: [a]\n---\nOne.\n\nTwo.", "front matter (line 1)"),
    "a footnote": ("One[^a].\n\nTwo.\n\n[^a]: Three four.", "footnotes (lines 1, 5)"),
    "a footnote of one word": ("One[^a].\n\nTwo.\n\n[^a]: Three", "footnotes (lines 1, 5)"),
}


@pytest.mark.parametrize("case", SPOKEN)
@pytest.mark.parametrize("name", ["a.md", "a.Markdown"])
def test_words_are_spoken_as_they_are_read(tmp_path, case, name):
    written, words = SPOKEN[case]
    path = tmp_path / name
    path.write_text(written, newline="")

    assert texts(path) == {"a": words}
    assert left_out(path) == []


@pytest.mark.parametrize("case", WITHOUT)
def test_what_is_not_for_the_ear_is_named(tmp_path, case):
    written, told = WITHOUT[case]
    path = tmp_path / "a.md"
    path.write_text(written)

    assert texts(path) == {"a": "One.\n\nTwo."}
    assert left_out(path) == [f"{path}: left out: {told}"]


def test_of_many_places_the_first_are_named(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("Hi.\n\n![x](y)\n\n" * 2_000)

    assert left_out(path) == [f"{path}: left out: pictures (lines 3, 7, 11, 15, 19 and 1,995 more)"]


def test_markdown_without_words_is_refused(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("```\nx = 1\n```\n")

    assert faults(path) == [f"{path}: a: content is empty"]


@pytest.mark.parametrize("mark", ["> ", "- "])
def test_nothing_is_lost_in_the_depth(tmp_path, mark):
    path = tmp_path / "a.md"
    path.write_text("First.\n\n" + mark * (MOST_NESTED + 10) + "Deep.")

    [fault] = faults(path)

    assert fault == f"{path}:3: a.md has lists or quotes too deep inside each other"


def test_markdown_that_would_take_long_is_refused(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("a" * 100_001)

    assert faults(path) == [f"{path}:1: a.md has 100,001 bytes; a text in Markdown may have 100,000"]


@EXAMPLES
@given(st.text(st.sampled_from("*_~`<>[]()!|#-+.:\\&^ \n\taé1"), max_size=60))
def test_any_marks_give_words_or_one_reason(text):
    try:
        *told, draft = read_markdown(io.BytesIO(text.encode()), Named("a", "a"), SourceChoice())
    except NotRead:
        return
    assert all(each.rule == "not-spoken" for each in told)
    assert "\0" not in draft.values["content"]


@EXAMPLES
@given(st.lists(st.text("abc é1", min_size=1).map(lambda text: " ".join(text.split())).filter(bool), min_size=1))
def test_plain_paragraphs_are_spoken_as_they_stand(paragraphs):
    words, omitted = spoken("\n\n".join(paragraphs))

    assert (words, omitted.places) == ("\n\n".join(paragraphs), {})
