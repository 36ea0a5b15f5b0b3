"""What docs/emulator-differences.md says of switches and their defaults is so, and it names every switch."""

import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

from batch_avatar.emulator.command import emulator
from batch_avatar.emulator.options import EmulatorOptions, Progression

PAGE = (Path(__file__).parents[2] / "docs" / "emulator-differences.md").read_text(encoding="utf-8")
VALUE = r"`([^`]+)`(?: \([^)]*\))?"
CLAIM = re.compile(rf"`(\w+)` = {VALUE}(?:, or ((?:{VALUE}(?:, (?=`[\w ]+`(?! =)))?)+))?")
OTHER_IN_THE_COMMAND = {"media": "real"}
"""Whoever starts the command wants to see something; the page says so."""


def claims(page):
    """Name to the default and the other values, as the page tells them."""
    return {
        name: (default, set(re.findall(r"`([^`]+)`", re.sub(r"\([^)]*\)", "", others or ""))))
        for name, default, others in (match.group(1, 2, 3) for match in CLAIM.finditer(page))
    }


def shown(name, value):
    if name == "key":
        return "random"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Progression):
        return value.kind
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def choices(annotation):
    """The values of all literals in a type."""
    if get_origin(annotation) is Literal:
        return {str(value) for value in get_args(annotation)}
    return {value for part in get_args(annotation) for value in choices(part)}


TOLD = claims(PAGE)


@pytest.mark.parametrize("name", EmulatorOptions.model_fields)
def test_the_page_names_each_switch_with_its_default_and_its_other_values(name):
    field = EmulatorOptions.model_fields[name]
    default = shown(name, field.get_default(call_default_factory=True))
    kinds = {kind for kind in ("at_once", "after_reads", "after_seconds") if name == "progression"}
    assert TOLD[name] == (default, (choices(field.annotation) | kinds) - {default})


def test_the_page_names_no_switch_that_does_not_exist():
    assert TOLD.keys() <= EmulatorOptions.model_fields.keys()


def test_the_command_has_the_same_defaults(monkeypatch):
    for name in ("EMULATOR_KEY", "EMULATOR_BEARER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    given = emulator.make_context("emulator", []).params
    given |= {"video_width": given["width"], "video_height": given["height"]}
    fields = EmulatorOptions.model_fields
    own = {name: shown(name, fields[name].get_default(call_default_factory=True)) for name in given if name in fields}
    assert {name: shown(name, given[name]) for name in own} == own | OTHER_IN_THE_COMMAND


def test_a_page_that_tells_another_default_is_found():
    assert claims("| x | U | `repeat_put` = `replace`, or `existing` (so), `conflict` |") == {
        "repeat_put": ("replace", {"existing", "conflict"})
    }
    assert claims("`a` = `1`, `b` = `on`; 0 is none; `c` = `x`, or `y`, or seconds") == {
        "a": ("1", set()), "b": ("on", set()), "c": ("x", {"y"}),
    }  # fmt: skip
