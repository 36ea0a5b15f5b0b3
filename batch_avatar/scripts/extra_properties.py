"""Check members that people add to a request and that this program does not know. Pure."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from batch_avatar.identity import holds_signed_link
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.service.wire.avatar_2024 import NOT_EXTRA, WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

MOST_BYTES = 4_000
"""Of all extra properties of a script as JSON. A pack keeps 8 KiB for all properties."""
MOST_LEVELS = 8
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def check_extra_properties(given: Mapping[str, Mapping[str, JsonValue]]) -> Iterator[str]:
    """Describe what may not be among them: what we write ourselves, what decides where videos go, signed links."""
    if reason := _too_much(given):
        yield reason
        return
    for section, members in given.items():
        if section not in WRITTEN:
            yield f"{shown(section)} is none of {', '.join(WRITTEN)}"
            continue
        ours = {name.lower() for name in WRITTEN[section]}
        for name, value in members.items():
            if name.lower() in ours:
                yield f"{section}.{name} is a property of its own; set that one"
            yield from _check(f"{section}.{shown(name)}", name, value)


def _check(path: str, name: str, value: JsonValue) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield f"{path} is no name of a member"
    if name.lower() in NOT_EXTRA:
        yield f"{path} may not be added"
    yield from _check_value(path, value)


def _check_value(path: str, value: JsonValue) -> Iterator[str]:
    match value:
        case str() if "\0" in value:
            yield f"{path} holds a NUL character"
        case str() if holds_signed_link(value):
            yield f"{path} holds a signed link; whoever may read the archive could read it"
        case float() if not math.isfinite(value):
            yield f"{path} is no number of JSON"
        case dict():
            for name, inner in value.items():
                yield from _check(f"{path}.{shown(name)}", name, inner)
        case list():
            for number, inner in enumerate(value):
                yield from _check_value(f"{path}[{number}]", inner)


def _too_much(given: Mapping[str, Mapping[str, JsonValue]]) -> str | None:
    level: list[JsonValue] = [dict(members) for members in given.values()]
    for _ in range(MOST_LEVELS):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [value for values in inner for value in values]
    if level:
        return f"nested more than {MOST_LEVELS} deep"
    size = len(json.dumps(given, ensure_ascii=False).encode(errors="replace"))
    return f"{size:,} bytes; it may have {MOST_BYTES:,}" if size > MOST_BYTES else None
