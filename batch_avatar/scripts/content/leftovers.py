"""Find what other programs left in a script: errors and formulas of spreadsheets, words for no value. Pure, linear."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from batch_avatar.catalog.choices import SUBTITLE_TYPES
from batch_avatar.models import Properties
from batch_avatar.safe_text.bounds import some_of
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from batch_avatar.models import Script
    from batch_avatar.scripts.findings import Finding

MOST_NAMED = 3
"""Placeholders that a warning names."""
LONGEST_SHOWN = 60
"""Characters of a value that a fault repeats."""
NO_VALUE = frozenset(
    word
    for each in ("null", "none", "undefined", "nil", "n/a")
    for word in (each, each.upper(), each.capitalize(), f"({each})", f"<{each}>")
) | {"nan", "NaN", "NAN", "NA", "<NA>", "n.a.", "\\N"}
"""What programs write where they have no value. As few names of people are among them as can be: there is a Nan."""
_PROPERTIES = Properties.model_fields.keys() - {"description"}
MEANINGFUL = {"subtitle_type": SUBTITLE_TYPES}
"""Members of which such a word is a value."""
_ERRORS = (
    r"(?:REF!|NAME\?|N/A|VALUE!|DIV/0!|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|BUSY!|CONNECT!|UNKNOWN!|EXTERNAL!|"
    r"PYTHON!|ERROR!|GETTING_DATA)"
)
_ERROR = re.compile(rf"#{_ERRORS}|Err:\d{{3}}")
"""What a cell shows instead of a value: Excel (page "How to correct a #... error"), Google Sheets, LibreOffice."""
_FORMULA = re.compile(
    r"=\s{0,9}[-+(]{0,9}(?:\$?[A-Z]{1,3}\$?[0-9]{1,7}\b|(?:_xl[a-z]{2}\.)?[A-Z][A-Z0-9_.]{0,60}\(|\"|[0-9.]{1,20}[-+*/^&][0-9A-Z(]"
    r"|'?[\w ]{1,60}'?!\$?[A-Z])"
)
"""How a formula begins: a cell, a function, a text, a sum, another sheet."""
_LEFT = (
    r"\{\{[^{}\n]{1,100}\}\}|\{%[^{}\n]{1,200}%\}|\$\{[^{}\n]{1,100}\}|<%[^<>\n]{1,200}%>|<<\w[^<>\n]{0,60}>>|"
    rf"\[\[[^\[\]\n]{{1,100}}\]\]|%[A-Z][A-Z0-9_]{{2,60}}%|#{_ERRORS}"
)
_PLACEHOLDER = re.compile(_LEFT)
_PLACEHOLDER_IN_TEXT = re.compile(rf"{_LEFT}|\{{[A-Za-z_][\w.]{{0,60}}\}}")
"""In SSML one pair of braces may be sounds, as X-SAMPA writes them."""
_NOT_NAMES = ("content", "background_image")
"""The text has a search of its own, and links may hold what looks so."""


def check_values(values: Mapping[str, Any]) -> Iterator[tuple[str, Finding]]:
    """Yield the name of each member that says nothing but what a program left there, and what is wrong with it."""
    for name, value in values.items():
        if not isinstance(value, str):
            continue
        text = value.strip()
        if text.startswith(("#", "Err:")) and _ERROR.fullmatch(text):
            yield name, _refused(name, text, "an error of the spreadsheet; mend the cell")
        elif text.startswith("=") and _FORMULA.match(text):
            yield name, _refused(name, text, "a formula; put its value into the cell")
        elif name in _PROPERTIES and text in NO_VALUE and text.lower() not in MEANINGFUL.get(name, ()):
            told = f"{name} is {shown(text)}, which is no value; leave it empty, or write unset to take away a default"
            yield name, found("no-value", told)


def check_placeholders(script: Script) -> Iterator[Finding]:
    """Say where a text or name waits for something that nobody filled in."""
    pattern = _PLACEHOLDER if script.input_kind == "SSML" else _PLACEHOLDER_IN_TEXT
    first = pattern.search(script.content)
    if first is not None:
        names = dict.fromkeys(match[0] for match in islice(pattern.finditer(script.content, first.start()), 100))
        line = script.content.count("\n", 0, first.start()) + 1
        yield found("placeholder", f"nobody filled in {some_of([shown(one) for one in names], MOST_NAMED)}", line)
    if script.content.strip() in NO_VALUE:
        text = f"its whole text is {shown(script.content.strip())}, as programs write where they have no value"
        yield found("placeholder", text)
    for name in sorted(script.model_fields_set.difference(_NOT_NAMES)):
        value = getattr(script, name)
        if isinstance(value, str) and (left := _PLACEHOLDER.search(value)):
            yield found("placeholder", f"{name}: nobody filled in {shown(left[0])}")


def _refused(name: str, text: str, what: str) -> Finding:
    sample = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
    return found("spreadsheet-error", f"{name} is {shown(sample)}, {what}")
