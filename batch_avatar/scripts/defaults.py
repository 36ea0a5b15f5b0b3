"""What scripts get that say nothing, and which of their faults come from there. Pure.

A fault of a default would be a fault of each script that gets it. It is told once, where the default stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batch_avatar.models import Properties
from batch_avatar.script_settings import PREFIX
from batch_avatar.scripts.findings import Place
from batch_avatar.scripts.parsing import parse_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from batch_avatar.scripts.findings import Finding

DEFAULTS_NAME = "defaults.toml"
UNSET = "unset"
"""The word that takes away what a default gave. What is left empty is not given, so the default stays."""
ANY_SCRIPT = {"script_id": "any", "content": "Any."}
"""A script that says nothing of its own, to see what is wrong with defaults alone."""

Mistakes = dict[tuple[str, str], Place]
"""Where the cause of a finding stands, by the finding's rule and message."""


@dataclass(frozen=True, eq=False)
class Defaults:
    """The properties that scripts get, and where each of them stands: a line of a file, or a variable."""

    values: Mapping[str, Any]
    places: Mapping[str, Place]

    def under(self, nearer: Defaults) -> Defaults:
        """Return both together, of which the nearer win."""
        if not nearer.values:
            return self
        return Defaults({**self.values, **nearer.values}, {**self.places, **nearer.places})

    def given_to(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members of a script that itself says `own`. `unset` takes a property away."""
        return _settled({**self.values, **own})


NO_DEFAULTS = Defaults({}, {})


def of_settings(values: Mapping[str, Any]) -> Defaults:
    """Return the properties that settings give to all scripts."""
    return Defaults(values, {name: Place(f"{PREFIX}{name.upper()}") for name in values})


def of_file(source: str, text: str) -> Defaults:
    """Return the properties that a `defaults.toml` gives to the scripts beside it; `source`: how the file is shown.

    Raises:
        Malformed: it is not TOML.
    """
    values = parse_toml(text)
    lines = _lines_of_members(text)
    return Defaults(values, {name: Place(source, lines.get(name, 1)) for name in values})


def mistakes(given: Defaults, check: Callable[[Mapping[str, Any]], Iterable[Finding]]) -> Mistakes:
    """Return the findings that the defaults cause without any script, and where the cause of each stands.

    `check` tells what is wrong with a script that has these members. A default is a cause if without it the finding is
    gone. Of several, a file comes before a setting, because it is nearer, and then what depends on others, such as a
    style on its character.
    """

    def kinds_of(values: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {_kind(finding) for finding in check(_settled({**values, **ANY_SCRIPT}))}

    all_of_them = kinds_of(given.values)
    if not all_of_them:
        return {}
    found: Mistakes = {}
    for name in sorted(given.values, key=lambda name: (given.places[name].line is None, -_ORDER.get(name, 0))):
        if name in _ORDER:
            others = {other: value for other, value in given.values.items() if other != name}
            caused = all_of_them - kinds_of(others)
        else:  # what is no property depends on no other, and a file may have thousands
            caused = all_of_them & kinds_of({name: given.values[name]})
        for kind in caused:
            found.setdefault(kind, given.places[name])
    return found


def placed(findings: Iterable[Finding], of_defaults: Mistakes, place: Place, script_id: str) -> list[Finding]:
    """Return the findings of a script with their places; those of its defaults are not about this script alone."""
    return [
        finding.at(cause) if (cause := of_defaults.get(_kind(finding))) is not None else finding.at(place, script_id)
        for finding in findings
    ]


def _kind(finding: Finding) -> tuple[str, str]:
    return finding.rule, finding.message


def _settled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value != UNSET or name not in Properties.model_fields}


def _lines_of_members(text: str) -> dict[str, int]:
    """Return the line at which each member of the table begins, from 1, as far as a line tells by itself."""
    lines: dict[str, int] = {}
    inner = False
    for number, line in enumerate(text.split("\n"), start=1):
        if (start := _MEMBER.match(line)) is None or (inner and not start[1]):
            continue
        inner = bool(start[1])  # what follows the head of a table is a member of that table
        lines.setdefault(start[2] or start[3] or start[4], number)
    return lines


_ORDER = {name: number for number, name in enumerate(Properties.model_fields)}
"""A property stands after those that it depends on."""
_MEMBER = re.compile(
    r"""[ \t]{0,100}(\[{0,2})[ \t]{0,100}(?:"([^"\\]{1,200})"|'([^']{1,200})'|([\w-]{1,200}))[ \t]{0,100}[=.\]]"""
)
