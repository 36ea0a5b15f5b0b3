"""Captions that are drawn into a picture, with the letters of Pillow's built-in font."""

import unicodedata
from functools import cache

from PIL import Image, ImageDraw, ImageFont

_FONT_PARTS = (16, 20, 25)  # font sizes as parts of the frame's height: the largest that fits is used
_MOST_LINES = 3
_WIDEST = 0.84  # of the frame's width
_SIMPLER = {"„": '"', "“": '"', "”": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "€": "EUR"}
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_caption(image: Image.Image, text: str) -> None:
    """Draw the text in a dark box at the lower edge; text beyond three lines is cut off."""
    draw = ImageDraw.Draw(image)
    readable = _replace_missing(text)
    for part in _FONT_PARTS:
        font = _load_font(max(8, image.height // part))
        lines = _wrap(readable, font, image.width * _WIDEST)
        if len(lines) <= _MOST_LINES:
            break
    else:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][:-3] + "..."]
    spacing = image.height // part // 4
    words = "\n".join(lines)
    middle = (image.width / 2, image.height * 0.95)
    left, top, right, bottom = draw.multiline_textbbox(
        middle, words, font=font, anchor="md", align="center", spacing=spacing
    )
    margin = 2 * spacing
    box = (left - margin, top - spacing, right + margin, bottom + spacing)
    draw.rounded_rectangle(box, radius=margin, fill=(16, 18, 24, 255))
    draw.multiline_text(
        middle, words, font=font, anchor="md", align="center", spacing=spacing, fill=(255, 255, 255, 255)
    )


def _wrap(text: str, font: _Font, width: float) -> list[str]:
    """Break the text at spaces, and inside words that are wider than a line (Chinese and Japanese have no spaces)."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        candidate = f"{line} {word}" if line else word
        if font.getlength(candidate) <= width:
            line = candidate
            continue
        if line:
            lines.append(line)
        line = word
        while font.getlength(line) > width and len(line) > 1:
            fitting = max(1, int(len(line) * width / font.getlength(line)))
            lines.append(line[:fitting])
            line = line[fitting:]
        if len(lines) > _MOST_LINES:
            break  # the rest will not be shown
    return [*lines, line] if line else lines or [" "]


def _replace_missing(text: str) -> str:
    return "".join(map(_find_readable, text))


@cache
def _find_readable(character: str) -> str:
    """Return the character, or a simpler one that the font has, or `?`; nothing for a combining mark."""
    if character.isspace() or _has_glyph(character):
        return character
    if character in _SIMPLER:
        return _SIMPLER[character]
    plain = "".join(filter(_has_glyph, unicodedata.normalize("NFKD", character).casefold()))
    if plain:
        return plain.upper() if character.isupper() else plain
    return "" if unicodedata.combining(character) else "?"


@cache
def _has_glyph(character: str) -> bool:
    mask = bytes(_load_font(20).getmask(character))
    return any(mask) and mask != bytes(_load_font(20).getmask("\uffff"))


@cache
def _load_font(size: int) -> _Font:
    return ImageFont.load_default(size)
