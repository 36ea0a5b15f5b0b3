"""Whatever a row says: the SSML is well formed and speaks it, and what no XML can carry is a fault."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_avatar.scripts.templates.template import NotFilled, parse_template

EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=150)
TEMPLATES = {
    "element": "<speak>{{ text }}</speak>",
    "if": "<speak>{% if text %}{{ text }}{% endif %}</speak>",
    "loop": "<speak>{% for part in [text] %}{{ part }}{% endfor %}</speak>",
    "default": "<speak>{{ no | default(text) }}</speak>",
    "attribute": '<speak><sub alias="{{ text }}">x</sub></speak>',
    "single quotes": "<speak><sub alias='{{ text }}'>x</sub></speak>",
}
FILLED = {name: parse_template("t", text, "SSML") for name, text in TEMPLATES.items()}
IN_XML = st.characters(exclude_categories=("Cs",), include_characters="\t\n\r").filter(
    lambda sign: sign in "\t\n\r" or (ord(sign) >= 0x20 and sign not in "\ufffe\uffff")
)
"""All characters of XML 1.0 (2.2)."""
MARKS = st.text(st.sampled_from("<>&\"'{}%#[]!-;/ amp\r\n\t"))
NOT_XML = st.one_of(
    st.integers(0, 0x1F).filter(lambda number: chr(number) not in "\t\n\r"),
    st.sampled_from([0xFFFE, 0xFFFF, 0xD800, 0xDFFF]),
).map(chr)


def spoken(name, text):
    """What XML says after it was read: of an attribute, its value."""
    root = ET.fromstring(FILLED[name].fill({"text": text}))  # noqa: S314 - it is made here
    return root[0].get("alias") if len(root) else root.text or ""


@EXAMPLES
@given(st.one_of(st.text(IN_XML), MARKS))
@pytest.mark.parametrize("name", TEMPLATES)
def test_any_text_is_spoken_as_it_is(name, text):
    """XML itself has one line end, and in attributes takes each blank for a space (XML 1.0, 2.11 and 3.3.3)."""
    wanted = text.replace("\r\n", "\n").replace("\r", "\n")
    if name in ("attribute", "single quotes"):
        wanted = wanted.replace("\n", " ").replace("\t", " ")

    assert spoken(name, text) == wanted


@EXAMPLES
@given(st.text(IN_XML), NOT_XML, st.text(IN_XML))
@pytest.mark.parametrize("name", TEMPLATES)
def test_what_xml_cannot_carry_is_a_fault_that_names_the_column(name, before, sign, after):
    with pytest.raises(NotFilled) as caught:
        FILLED[name].fill({"text": before + sign + after})

    assert caught.value.reason == (
        f"column text holds the character U+{ord(sign):04X}, which SSML cannot carry; delete it"
    )


@EXAMPLES
@given(st.text(IN_XML))
def test_plain_text_is_what_the_row_says(text):
    assert parse_template("t", "{{ text }}", "PlainText").fill({"text": text}) == text
