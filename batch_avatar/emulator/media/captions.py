"""Captions and labels that are drawn into a picture."""

import re
from functools import lru_cache
from unicodedata import category

from PIL import Image, ImageDraw

from batch_avatar.emulator.media.direction import reads_leftward
from batch_avatar.emulator.media.letters import LINE_HEIGHT, Line, draw_line, guess_language, set_line

_FONT_PARTS = (16, 20, 25)  # font sizes as parts of the frame's height: the largest that fits is used
_LABEL_PART = 24
_SMALLEST = 8  # pixels, of a font
_MOST_LINES = 3
_WIDEST = 0.84  # of the frame's width
_LONGEST_CAPTION = 4000  # characters that are looked at; three lines of the widest frames hold fewer
_LONGEST_LABEL = 60
_GROUND = (16, 18, 24, 255)
_INK = (255, 255, 255, 255)

# Where a line may be broken: at spaces, and between Chinese and Japanese characters, but not before signs that close
# and not after signs that open.
_WIDE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\U00020000-\U0003ffff"
_OPENING = "「『（【〈《〔［"
_CLOSING = "、。，．！？：；」』）】〉》〕］ー…"
_PIECES = re.compile(rf"[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}{_OPENING}{_CLOSING}]+)?[{_CLOSING}]*\s*")


def draw_caption(image: Image.Image, text: str) -> None:
    """Draw the text in a dark box at the lower edge; text beyond three lines is cut off."""
    box = _make_caption(text, image.width, image.height)
    image.paste(box, ((image.width - box.width) // 2, round(image.height * 0.95) - box.height), box)


def draw_label(image: Image.Image, text: str) -> None:
    """Draw the text into the upper left corner."""
    text = text[:_LONGEST_LABEL]
    size = max(_SMALLEST, image.height // _LABEL_PART)
    line = set_line(text, leftward=reads_leftward(text), language=guess_language(text))
    box = _make_box([line], size)
    image.paste(box, (size, size), box)


@lru_cache(maxsize=8)  # the faces of a clip have the same caption
def _make_caption(text: str, width: int, height: int) -> Image.Image:
    shown = " ".join(text[:_LONGEST_CAPTION].split())
    leftward, language = reads_leftward(shown), guess_language(shown)
    for part in _FONT_PARTS:
        size = max(_SMALLEST, height // part)
        lines = wrap(shown, width * _WIDEST / size, leftward=leftward, language=language)
        if len(lines) <= _MOST_LINES:
            break
    else:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][:-2] + "…"]
    return _make_box([set_line(line, leftward=leftward, language=language) for line in lines], size)


def _make_box(lines: list[Line], size: int) -> Image.Image:
    """Draw lines below each other, each in the middle."""
    margin, high = size // 2, round(LINE_HEIGHT * size)
    width = max(round(line.width * size) for line in lines) + 2 + 2 * margin
    box = Image.new("RGBA", (width, high * len(lines) + margin // 2))
    ImageDraw.Draw(box).rounded_rectangle((0, 0, box.width - 1, box.height - 1), radius=margin, fill=_GROUND)
    for number, line in enumerate(lines):
        mask = draw_line(line, size)
        box.paste(_INK, ((width - mask.width) // 2, margin // 4 + number * high), mask)
    return box


def wrap(text: str, width: float, *, leftward: bool, language: str) -> list[str]:
    """Break the text into lines of at most this width, in sizes of the font; one line too many ends it."""

    def measure(piece: str) -> float:
        return set_line(piece, leftward=leftward, language=language).width

    lines: list[str] = []
    line, filled = "", 0.0
    for piece in _PIECES.findall(text):
        wide = measure(piece)
        if filled + measure(piece.rstrip()) > width and line:
            lines.append(line)
            line, filled = "", 0.0
        while wide > width and len(piece) > 1 and len(lines) <= _MOST_LINES:
            head = _cut(piece, int(len(piece) * width / wide))
            if head == piece:
                break
            lines.append(head)
            piece = piece[len(head) :]  # noqa: PLW2901 - the rest of a word that is wider than a line
            wide = measure(piece)
        line, filled = line + piece, filled + wide
        if len(lines) > _MOST_LINES:
            return lines  # the rest will not be shown
    return [one.rstrip() for one in (*lines, line) if one.strip()] or [" "]


def _cut(word: str, length: int) -> str:
    """Return about so many characters from the word's start; marks stay with the letter that they belong to."""
    length = max(1, length)
    while length < len(word) and category(word[length])[0] in "MC":
        length += 1
    return word[:length]
