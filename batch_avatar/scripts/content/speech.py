"""Tell whether a text can be heard at all. Pure."""

from __future__ import annotations

from unicodedata import category

_READ_OUT = frozenset("%&@#")
"""Punctuation that voices read as words. Other signs are symbols to Unicode."""


def has_words(text: str) -> bool:
    """Return whether a letter or digit is in it."""
    return any(map(str.isalnum, text))


def is_silent(text: str) -> bool:
    """Return whether it has no letter, digit or sign that a voice may name, but at most punctuation and blanks."""
    return not has_words(text) and not any(
        letter in _READ_OUT or category(letter)[0] == "S" or category(letter) in ("Cn", "Co") for letter in set(text)
    )
