"""Subtitles are spoken as one text, without what only a player needs."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.readers.draft import Named
from batch_avatar.scripts.readers.subtitles import read_subtitles
from batch_avatar.scripts.reading import NotRead
from tests.unit.scripts.readers.reads import faults, left_out, texts

EXAMPLES = settings(derandomize=True, deadline=None, database=None)
TIMES = "00:00:01,000 --> 00:00:04,000"
SPOKEN = {
    "sentences over cues": (
        "a.srt",
        f"1\n{TIMES}\nHello and\nwelcome to\n\n2\n{TIMES}\nthe course.\n",
        "Hello and welcome to the course.",
    ),
    "lines of windows": ("a.srt", f"1\r\n{TIMES}\r\nHello.\r\n\r\n2\r\n{TIMES}\r\nBye.\r\n", "Hello. Bye."),
    "marks": ("a.SRT", f"1\n{TIMES}\n{{\\an8}}<i>Hello</i> <font color='#fff'>there</font>.", "Hello there."),
    "places": ("a.srt", f"1\n{TIMES} X1:40 X2:600\nHello.", "Hello."),
    "no empty lines": ("a.srt", f"1\n{TIMES}\nHello.\n2\n{TIMES}\nBye.", "Hello. Bye."),
    "an empty line in a cue": ("a.srt", f"1\n{TIMES}\nHello\n\nthere.\n\n2\n{TIMES}\nBye.", "Hello there. Bye."),
    "a number that is spoken": ("a.srt", f"1\n{TIMES}\nWe are\n42\n\n2\n{TIMES}\npeople.", "We are 42 people."),
    "what is no mark": ("a.srt", f"1\n{TIMES}\n1 < 2 > 0, <name> &amp;", "1 < 2 > 0, <name> &amp;"),
    "the same words again": ("a.srt", f"1\n{TIMES}\nNo.\n\n2\n{TIMES}\nNo.", "No. No."),
    "a head and notes": (
        "a.vtt",
        """WEBVTT - Title
Kind: captions

NOTE
not this
nor this

STYLE
::cue { color: red }

REGION
id:x

intro
00:01.000 --> 00:02.000 align:start
Hello.""",
        "Hello.",
    ),
    "a speaker and classes": (
        "a.vtt",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann Lee><c.loud>Hello</c> <lang de>Welt</lang></v> &amp; &lt;you&gt;",
        "Hello Welt & <you>",
    ),
    "readings above words": (
        "a.vtt",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<ruby>漢<rt>kan</rt>字<rt>ji</rt></ruby>",
        "漢字",
    ),
    "captions of a machine": (
        "a.vtt",
        """WEBVTT

00:01.000 --> 00:02.000

hello<00:00:01.500><c> there</c>

00:02.000 --> 00:02.010
hello there

00:02.010 --> 00:03.000
hello there
and<00:00:02.500><c> bye</c>""",
        "hello there and bye",
    ),
}


@pytest.mark.parametrize("case", SPOKEN)
def test_the_words_are_spoken(tmp_path, case):
    name, written, words = SPOKEN[case]
    path = tmp_path / name
    path.write_text(written, newline="")

    assert texts(path) == {"a": words}
    assert left_out(path) == []


@pytest.mark.parametrize("sound", ["[music plays]", "♪ la la ♪", "<i>[door]</i>"])
def test_descriptions_of_sounds_are_named(tmp_path, sound):
    path = tmp_path / "a.srt"
    path.write_text(f"1\n{TIMES}\n{sound}\n\n2\n{TIMES}\nHello [you].")

    assert texts(path) == {"a": "Hello [you]."}
    assert left_out(path) == [f"{path}: left out: descriptions of sounds (line 3)"]


@pytest.mark.parametrize("text", ["", "Hello.", "WEBVTT\n\nHello.", "1\n00:00 -> 00:01\nHi."])
def test_subtitles_without_times_are_refused(tmp_path, text):
    path = tmp_path / "a.srt"
    path.write_text(text)

    [fault] = faults(path)

    assert fault.startswith(f"{path}:1: a.srt has no cue with times, such as 00:00:01,000 --> 00:00:04,000")


@EXAMPLES
@given(st.lists(st.sampled_from(["\n", "1", TIMES, "WEBVTT", "NOTE", "<i>", "{\\an8}", "<", ">", " ", "Hi", "[", "]"])))
def test_any_lines_give_words_or_one_reason(parts):
    text = "".join(parts)
    try:
        *told, draft = read_subtitles(io.BytesIO(text.encode()), Named("a", "a"), SourceChoice())
    except NotRead:
        return
    assert len(told) <= 1
    assert "\n" not in draft.values["content"]
