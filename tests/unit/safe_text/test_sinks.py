"""What is hostile in a text is seen as text in each place where people read."""

from __future__ import annotations

import io
import json
import logging
import unicodedata

import pytest

from batch_avatar.commands.terminal.safe_console import SafeConsole
from batch_avatar.errors import BatchAvatarError, ManifestError, RequestRefused
from batch_avatar.safe_text.bounds import FAULTS, MESSAGE, bounded, first_of
from batch_avatar.safe_text.logs import make_logs_safe
from batch_avatar.safe_text.sinks import foreign, line, log_line, markdown, name, table_cell, terminal
from tests.unit.safe_text.hostile_text import HOSTILE

SINKS = {"line": line, "name": name, "log": log_line, "Markdown": markdown, "table": table_cell}
SEEN = {
    "an escape sequence": r"a\x1b[31mred",
    "a title": r"a\x1b]0;owned\x07b",
    "C1": r"a\x9b31mred",
    "bidi": r"a\u202egnp.exe",
    "isolates": r"a\u2066b\u2069",
    "half a surrogate pair": r"a\ud83d b",
    "a line break": r"a\n12 scripts: 12 archived",
    "a carriage return": r"a\rb",
    "a line separator": r"a\u2028b",
    "without width": r"pay\u200bpal",
}


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_sink_shows_a_character_that_hides_or_steers_or_ends_a_line(sink, text):
    shown = SINKS[sink](HOSTILE[text])

    assert {unicodedata.category(one) for one in shown} & {"Cc", "Cs", "Zl", "Zp"} == set()
    assert not set(shown) & set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    shown.encode()


@pytest.mark.parametrize("text", SEEN)
def test_what_is_taken_out_is_seen_as_an_escape(text):
    assert line(HOSTILE[text]) == SEEN[text]


@pytest.mark.parametrize(
    "character",
    [
        *("\u00ad", "\u180e", "\u3164", "\u115f", "\u1160", "\uffa0", "\u2065", "\u034f", "\u17b4", "\u206f"),
        *("\u2061", "\ufff8", "\ufff9", "\U0001d173", "\U0001bca0", "\U000e0001", "\U000e0041", "\U000e007f"),
        *("\U000e0fff", "\ufe0f\ufe01"),
    ],
)
def test_a_character_that_takes_no_place_is_seen_as_an_escape(character):
    hidden = character[-1]
    code = f"\\x{ord(hidden):02x}" if ord(hidden) < 0x100 else f"\\u{ord(hidden):04x}"
    code = code if ord(hidden) < 0x10000 else f"\\U{ord(hidden):08x}"

    assert line(f"pay{character}pal") == terminal(f"pay{character}pal") == f"pay{character[:-1]}{code}pal"


def test_what_people_write_stays_as_it_is():
    for text in (
        "Grüße aus 東京",
        "مرحبا",
        "family: 👩‍👩‍👧",
        "می‌خواهم",
        "❤️",
        "葛\U000e0100",
        "\u0601١",
        "a-b_c.txt",
        r"C:\new",
        "\u3000\xa0",
    ):
        assert line(text) == terminal(text) == text


def test_lines_of_our_own_stay_lines_in_a_terminal():
    assert terminal("2 faults:\n  a\x1b[2J\n  b") == "2 faults:\n  a\\x1b[2J\n  b"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_log_record_is_one_line_and_so_is_the_error_in_its_stack_trace(text):
    make_logs_safe()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log = logging.getLogger("tests.hostile")
    log.propagate = False
    log.addHandler(handler)
    try:
        log.warning("%s: gone", HOSTILE[text])
        try:
            int(HOSTILE[text][:1000])
        except ValueError:
            log.exception("broken")
    finally:
        log.removeHandler(handler)
    said = stream.getvalue()

    assert said.splitlines()[1:3] == ["broken", "Traceback (most recent call last):"]
    assert {unicodedata.category(one) for one in said} & {"Cc", "Cs", "Zl", "Zp"} <= {"Cc"}
    assert set(said) & set(map(chr, [*range(10), *range(11, 32), *range(127, 160)])) == set()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_console_prints_a_text_as_text_also_in_a_table(text):
    from rich.table import Table

    stream = io.StringIO()
    console = SafeConsole(file=stream, width=100_000, force_terminal=True, color_system=None)
    table = Table("script", box=None)
    table.add_row(HOSTILE[text])
    console.print(HOSTILE[text], soft_wrap=True)
    console.print(table)
    said = stream.getvalue()

    assert len(said.splitlines()) == 3
    assert set(said) & set(map(chr, [*range(10), *range(11, 32), *range(127, 160)])) == set()
    assert ":smile:" in said or "smile" not in text


@pytest.mark.parametrize("text", HOSTILE)
def test_an_error_is_one_line_whatever_the_service_says(text):
    error = RequestRefused(HOSTILE[text], code=HOSTILE[text], script_id=HOSTILE[text], job_id=HOSTILE[text])

    for said in (str(error), error.message, error.code):
        assert len(said.splitlines()) == 1
        assert line(said, 100_000) == said


PAGES = {
    "emphasis": ("*a* _b_ a_b", r"\*a\* \_b\_ a_b"),
    "code": ("`a`", r"\`a\`"),
    "a picture": ("![x](https://evil.example/x.png)", "`![x](https://evil.example/x.png)`"),
    "a link": ("[x](javascript:alert(1))", r"[x\](javascript:alert(1))"),
    "a link by reference": ("[x][y]", r"[x\][y]"),
    "a link's target": ("[x]: https://evil.example", r"[x\]: `https://evil.example`"),
    "a bare link": ("see https://evil.example", "see `https://evil.example`"),
    "a bare host": ("see www.evil.example", "see `www.evil.example`"),
    "an address": ("me@evil.example", "`me@evil.example`"),
    "HTML": ("<img src=x onerror=alert(1)>", r"\<img src=x onerror=alert(1)>"),
    "an entity": ("&lt;b&gt; & c", r"\&lt;b\&gt; & c"),
    "a cell's end": ("a|b", r"a\|b"),
    "a title": ("# a", r"\# a"),
    "a list": ("- a", r"\- a"),
    "a numbered list": ("1. a", r"1\. a"),
    "a list that begins late": ("123. a", r"123\. a"),
    "a list with the longest number": ("123456789) a", r"123456789\) a"),
    "a number too long for a list": ("1234567890. a", "1234567890. a"),
    "a number": ("1.5 s of 2.", "1.5 s of 2."),
    "struck": ("~~a~~", r"\~\~a\~\~"),
    "an escape": (r"\*a\*", r"\\\*a\\\*"),
    "a new block": ("a\n\n# b", r"a\n\n# b"),
    "an address with a code's end": ("https://evil.example/`x", "`https://evil.example/'x`"),
    "words": ("Succeeded: 3 of 4 (75 %), script-01", "Succeeded: 3 of 4 (75 %), script-01"),
}


@pytest.mark.parametrize("text", PAGES)
def test_markdown_is_escaped_where_it_has_a_meaning_and_nowhere_else(text):
    given, shown = PAGES[text]

    assert markdown(given) == table_cell(given) == shown


def test_a_text_that_is_cut_says_how_much_is_gone():
    assert bounded("x" * 12, 10) == "x" * 10 + " ... (2 more characters)"
    assert bounded("x" * 10, 10) == "x" * 10
    assert foreign("m" * 20_000_000) == "m" * MESSAGE + f" ... ({20_000_000 - MESSAGE:,} more characters)"


def test_a_list_that_is_cut_says_how_many_are_gone():
    assert first_of(["a", "b", "c"], 2) == ["a", "b", "and 1 more"]
    assert first_of(["a", "b"], 2) == ["a", "b"]


def test_a_message_of_20_mb_makes_no_large_error():
    error = BatchAvatarError("m" * 20_000_000, code="c" * 1_000_000, script_id="s" * 1_000_000)

    assert len(str(error)) < 2 * MESSAGE


def test_of_5000_faults_the_message_has_the_first_ones_and_the_error_has_all():
    error = ManifestError([f"scripts.jsonl:{number}: no voice" for number in range(1, 5001)])

    assert error.message.splitlines()[0] == "5,000 faults in the scripts:"
    assert error.message.splitlines()[-1] == "  and 4,980 more"
    assert len(error.message.splitlines()) == 1 + FAULTS + 1
    assert len(error.faults) == 5000


def test_json_needs_no_escapes_of_ours():
    assert json.loads(json.dumps(HOSTILE)) == HOSTILE
