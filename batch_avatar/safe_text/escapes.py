"""Read a text as if nothing in it were escaped, with every character at the place where its escape ends. Pure."""

from __future__ import annotations

import re

PAD = "\ufdd0"
"""Fills the places of an escape before its last one. Unicode gives it no meaning, so no text holds it."""
BLANKS = rf"[ \t{PAD}]"
MOST_LEVELS = 3
"""Escapes within escapes that are read, such as JSON in JSON in a link."""
_HEX = r"([0-7][0-9a-f])"
_SLASHED = rf"\\{{1,8}}(?:(?:u00|x){_HEX}|([\"'/nrt]))"
_ENTITY = rf"&(?:#([0-9]{{2,3}})|#x0{{0,2}}{_HEX}|(amp|lt|gt|quot|apos|equals|colon|commat));"
_IN_TEXTS = re.compile(f"{_SLASHED}|{_ENTITY}", re.IGNORECASE)
_IN_LINKS = re.compile(f"{_SLASHED}|{_ENTITY}|%{_HEX}", re.IGNORECASE)
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "equals": "=", "colon": ":", "commat": "@"}


def unescaped(text: str, *, percent: bool = True) -> str:
    r"""Return a text of the same length in which `\u0026`, `\x26`, `&amp;` and, if so told, `%26` are `&`."""
    escapes = _IN_LINKS if percent else _IN_TEXTS
    for _ in range(MOST_LEVELS):
        if not ("\\" in text or "&" in text or (percent and "%" in text)):
            break
        before, text = text, escapes.sub(_character, text)
        if text == before:
            break
    return text


def _character(found: re.Match[str]) -> str:
    coded, plain, number, entity, named, *rest = found.groups()
    if plain:
        character = " " if plain in "nrtNRT" else plain
    elif named:
        character = _NAMED[named.lower()]
    else:
        character = chr(int(number)) if number else chr(int(coded or entity or rest[0], 16))
    return PAD * (len(found[0]) - 1) + max(character, " ")


def before_pads(seen: str, at: int) -> int:
    """Return where the escape begins whose character stands at this place of an unescaped text."""
    while at and seen[at - 1] == PAD:
        at -= 1
    return at


def closing_quote(text: str, opening: str, start: int, most: int) -> int | None:
    r"""Return where the quote that was spelled as `opening`, e.g. `\"`, is spelled so again and closes.

    None: not within `most` characters, or not in this line. Within JSON a quote that does not close has more
    backslashes before it: `"a\"b"`, and in JSON in JSON `\"a\\\"b\"`.
    """
    quote = opening.lstrip("\\")
    depth = len(opening) - len(quote)
    end = min(len(text), start + most)
    at = start
    while (at := text.find(quote, at, end)) >= 0:
        first = at
        while first > start and text[first - 1] == "\\":
            first -= 1
        if at - first >= depth and (at - first - depth) % (2 * (depth + 1)) == 0:
            closing = at - depth
            return None if "\n" in text[start:closing] else closing
        at += len(quote)
    return None
