"""Sets lines of text in the scripts of the world and draws them: Noto's fonts, shaped and filled by HarfBuzz.

The fonts are files of two packages, so that a caption looks the same on every machine.
"""

from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from unicodedata import category

import uharfbuzz as hb
from PIL import Image

from batch_avatar.emulator.media.direction import order

LINE_HEIGHT = 1.5  # of the font's size: room for accents above and below in all scripts
_BASELINE = 1.1

_WEIGHT = 500  # a little bolder than regular, because letters are light on a dark ground
_FIRST = ("NotoSans[wght].ttf", "NotoSansArabic[wght].ttf", "NotoSansDevanagari[wght].ttf")
# A tenth of the CJK font's letters look different in Japanese and Chinese, with one code for both.
_LANGUAGES = (("ja", "\u3040", "\u30ff"), ("ko", "\uac00", "\ud7a3"))


@dataclass(frozen=True)
class Glyph:
    """One shape of a font; x and y say where it stands, in sizes of the font, y upwards from the baseline."""

    font: hb.Font
    number: int
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """A line as it will be seen; its glyphs stand from left to right. The width is in sizes of the font."""

    glyphs: tuple[Glyph, ...]
    width: float


def set_line(text: str, *, leftward: bool, language: str) -> Line:
    """Choose fonts and glyphs of one line, and where each stands."""
    fonts = _choose_fonts(text)
    glyphs: list[Glyph] = []
    pen = 0.0
    for stretch in order(text, leftward=leftward):
        cuts = [place for place in range(stretch.start + 1, stretch.end) if fonts[place] != fonts[place - 1]]
        runs = list(zip([stretch.start, *cuts], [*cuts, stretch.end], strict=True))
        for start, end in reversed(runs) if stretch.leftward else runs:
            buffer = hb.Buffer()
            buffer.add_str(text, start, end - start)
            buffer.direction = "rtl" if stretch.leftward else "ltr"
            buffer.language = language
            buffer.guess_segment_properties()
            shaped = _shape(buffer, load_font(fonts[start]))
            glyphs += (replace(glyph, x=pen + glyph.x) for glyph in shaped.glyphs)
            pen += shaped.width
    return Line(tuple(glyphs), pen)


def draw_line(line: Line, size: int) -> Image.Image:
    """Return a mask of the line, LINE_HEIGHT sizes high, white where there is ink."""
    width, height = max(1, round(line.width * size) + 2), round(LINE_HEIGHT * size)
    ink = hb.RasterDraw()
    ink.extents = hb.RasterExtents(0, 0, width, height, width)
    for glyph in line.glyphs:
        scale = size / glyph.font.face.upem
        ink.transform = (scale, 0.0, 0.0, -scale, 1 + glyph.x * size, (_BASELINE - glyph.y) * size)
        ink.draw_glyph(glyph.font, glyph.number)
    image = ink.render()
    return Image.frombuffer("L", (width, height), bytes(image.buffer), "raw", "L", image.extents.stride, 1)


def guess_language(text: str) -> str:
    """Return the language whose forms of Chinese characters the text wants: Chinese, if nothing else shows."""
    return next((name for name, first, last in _LANGUAGES if any(first <= one <= last for one in text)), "zh-hans")


def _shape(buffer: hb.Buffer, font: hb.Font) -> Line:
    """Set a piece of text of one font and one direction."""
    hb.shape(font, buffer)
    scale = 1 / font.face.upem
    glyphs = []
    pen = 0
    for glyph, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        glyphs.append(Glyph(font, glyph.codepoint, (pen + place.x_offset) * scale, place.y_offset * scale))
        pen += place.x_advance
    return Line(tuple(glyphs), pen * scale)


def _choose_fonts(text: str) -> list[Path]:
    """Return the font of each character. Marks and signs stay in the font before them, if it has them."""
    chosen: list[Path] = []
    for character in text:
        kind = category(character)
        before = chosen[-1] if chosen else None
        if before is not None and (kind in {"Cf", "Mn", "Me"} or (kind[0] not in "LNZ" and _has(before, character))):
            chosen.append(before)
        else:
            chosen.append(_find_font(character))
    return chosen


@cache
def _find_font(character: str) -> Path:
    """Return the first font that has the character; the first of all, which shows a box, if none has it."""
    fonts = _list_fonts()
    return next((font for font in fonts if _has(font, character)), fonts[0])


def _has(font: Path, character: str) -> bool:
    return bool(load_font(font).get_nominal_glyph(ord(character)))


@cache
def _list_fonts() -> tuple[Path, ...]:
    latin, cjk = (Path(str(files(package))) for package in ("manimgx_fonts", "manimgx_fonts_cjk"))
    first = [latin / name for name in _FIRST]
    rest = sorted(path for path in latin.glob("*.ttf") if path.name not in _FIRST and "Italic" not in path.name)
    return (*first, *sorted(cjk.glob("*.ttc")), *rest)


@cache
def load_font(path: Path) -> hb.Font:
    """Open a font. Its file is mapped into memory and not read, so the 33 MB of the largest cost nothing."""
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(path)), 0))
    font.set_variations({"wght": _WEIGHT})
    return font
