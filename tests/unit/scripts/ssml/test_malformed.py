"""What an XML parser does not take is told in words, on every line at once; and only what it does not take."""

import re
import sys
from datetime import date

import pytest
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.scripts.rules import check_script
from batch_avatar.scripts.voices import Known
from tests.support.scripts import script

HEAD = "<speak version='1.0' xml:lang='en-US'>\n<voice name='en-US-AvaNeural'>\n"
TAIL = "\n</voice>\n</speak>"
MOVE = "delete it, or move it to the beginning"
QUOTES = 'typographic quotes around a value; write straight ones in every tag, as in version="1.0"'
PARSERS_WORDS = re.compile(
    r"token|malformed|well-formed|junk|entity|mismatch|unbound|undefined|syntax|ParseError|Forbidden|element found",
    re.IGNORECASE,
)


def told(content):
    found = check_script(script(input_kind="SSML", content=content), Known(date(2026, 9, 1)))
    return [(one.line, one.message) for one in found if one.rule == "ssml-malformed"]


def test_every_fault_is_told_with_its_line():
    content = f"{HEAD}R&D\n5 < 6\n<break time=1s/>\n<p>one\n<s>two</p>\n&eacute; &amp; &#x41;{TAIL}"

    assert told(content) == [
        (3, "a bare & must be written &amp;"),
        (4, "a bare < must be written &lt;"),
        (5, 'the value of time needs quotes; write time="1s"'),
        (7, "<s> of line 7 is not closed before </p> of line 7; write </s> before it"),
        (8, "&eacute; is a name of HTML that SSML does not have; write &#233;"),
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<b><i>x</b></i>", ["<i> of line 3 is not closed before </b> of line 3; write </i> before it"]),
        ("<p>\n<s>\nx</p>", ["<s> of line 4 is not closed before </p> of line 5; write </s> before it"]),
        ("<p>x</P>", ["</P> closes <p> of line 3; write both alike"]),
        ('<break time="1s/>x', ["the quote that begins the value of time is never closed"]),
        ("<break time='1s'x='2'/>", ["a blank is missing before x in the tag <break>"]),
        ("<break / time='1s'/>", ["a / too many in the tag <break>"]),
        ("<break time='1s'", ["a > is missing at the end of the tag <break>"]),
        ("<a:b/><a:c/>", ['the prefix a: of <a:b> is not declared; write xmlns:a="..." into the tag <speak>']),
        (
            "<a:b xmlns:a='u'/><a:c/>",
            ['the prefix a: of <a:c> is not declared; write xmlns:a="..." into the tag <speak>'],
        ),
        ("<p a:b='c'>x</p>", ['the prefix a: of <p> is not declared; write xmlns:a="..." into the tag <speak>']),
        ("<!DOCTYPE speak>x", ["a <!DOCTYPE> stands in the middle; delete it, or move it before <speak>"]),
        ("a ]]> b", ["]]> in a text must be written ]]&gt;"]),
        ("<![CDATA[ x", ["what begins with <![CDATA[ is never ended; end it with ]]>"]),
        ("<!-- a -- b -->x", ["a comment holds --, which only its end may; write another dash"]),
        ("<?xml version='1.0'?>x", ["an XML declaration <?xml ...?> stands in the middle; " + MOVE]),
        ("<p a=\u201cx\u201d b=\u201ey\u201c c='\u2018'>x &</p>", [QUOTES, "a bare & must be written &amp;"]),
    ],
)
def test_it_is_told_what_to_do(body, words):
    assert [message for _, message in told(HEAD + body + TAIL)] == words


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("<speak>", 1, "<speak> of line 1 is never closed; write </speak> where it ends"),
        ("\n\n<speak version='1.0'>&</speak>", 3, "a bare & must be written &amp;"),
        ("<?xml versionn='1.0'?>\n<speak/>", 1, "the first line is no XML declaration; delete it: <?xml versionn"),
        ("<!-- only a comment -->", 1, "there is no <speak> in it, so it is no SSML"),
        ("<!DOCTYPE speak SYSTEM 'x.dtd'>\n<speak>&nbsp;</speak>", 2, "write &#160;"),
        ("<speak 1='2'/>", 1, "the markup is unclear: <speak 1='2'/>"),
    ],
)
def test_it_is_told_where(content, line, words):
    [(where, message)] = told(content)

    assert (where, words in message) == (line, True)


@pytest.mark.parametrize("before", ["", "\n\n", "\n \ufeff\n\n"])
def test_lines_before_the_first_tag_count(before):
    first = before.count("\n")

    assert told(f"{before}<speak>\n<p>\n</speak>\n<!-- a --") == [
        (first + 2, f"<p> of line {first + 2} is not closed before </speak> of line {first + 3}; write </p> before it"),
        (first + 4, "what begins with <!-- is never ended; end it with -->"),
    ]
    assert told(f"{before}<!DOCTYPE a [\n<!ENTITY b 'c'>]>\n<speak/>")[0][0] == first + 2


def test_of_very_many_faults_the_first_are_told():
    assert len(told(HEAD + "&\n" * 1000 + TAIL)) == 20


TAGS = "<speak>|</speak>|<voice name='v'>|</voice>|<p>|</p>|<break/>|<P>|<mstts:x/>|<break time="
SPECIAL = "<!--|-->|<![CDATA[|]]>|<?xml version='1.0'?>|<?|?>|<!DOCTYPE speak>|<!DOCTYPE speak [<!ENTITY a 'b'>]>"
REFERENCES = "&a;|&amp;|&nbsp;|&|&#65;|&#0;|&#x110000;"
MARKS = "<|>|/>|/|=|\"|'|\u201c|\u201d| |\n|\r\n|\ufeff|\x01|\ufffe|words"
ATTRIBUTES = "a='b'|mstts:x|xmlns:mstts='u'|xmlns='u'"
PARTS = f"{TAGS}|{SPECIAL}|{REFERENCES}|{MARKS}|{ATTRIBUTES}".split("|")


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=14).map("".join))
def test_it_is_malformed_exactly_if_a_parser_does_not_take_it_and_no_word_is_the_parsers(text):
    sent = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff \t\n")
    try:
        root = ElementTree.fromstring(sent).tag.rpartition("}")[2]
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        root = None

    found = told(text)

    assert bool(found) == (root != "speak")
    assert all(1 <= line <= text.count("\n") + text.count("\r") + 1 for line, _ in found)
    told_before_a_piece_of_the_text = [message.partition(": ")[0].replace("SSML", "") for _, message in found]
    assert not any(map(PARSERS_WORDS.search, told_before_a_piece_of_the_text))


def work(content):
    """How many calls the checks make, of Python and of C: the same each time."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        told(content)
    finally:
        sys.setprofile(None)
    return calls


REPEATED = [
    *("<p>", "</p>", "<p></P>", "<p><s></p></s>", '<a b="', "<a b='\" ", '<a b=">', '<a b="<', "<a ", "a=b "),
    *("<!--", "<!-- -->", "<![CDATA[", "<![CDATA[]]>", "]]>", "<?", "<!DOCTYPE", "<!DOCTYPE a [", "<", "\u201c"),
    *("&", "&a;", "<a:b xmlns:a='c'>", "<a:b/>", "\n", "<a b=\u201c", "words "),
]


@pytest.mark.parametrize("part", REPEATED)
@pytest.mark.parametrize("around", [(HEAD, TAIL), (HEAD, ""), (f"{HEAD}<a ", f"/>{TAIL}")], ids=["in", "open", "tag"])
def test_twice_the_text_takes_at_most_twice_the_steps(part, around):
    before, after = around
    work(before + part * 10 + after)  # what is made once

    some = work(before + part * 500 + after)

    assert work(before + part * 1000 + after) <= 2.1 * some + 100
