"""Captions that are drawn into the picture, in the scripts of the world."""

from itertools import pairwise

import pytest
from PIL import Image, ImageChops

from batch_avatar.emulator.media.captions import draw_caption, wrap
from batch_avatar.emulator.media.direction import order, reads_leftward
from batch_avatar.emulator.media.letters import guess_language, load_font, set_line

BLUE = (0, 0, 200, 255)
SENTENCES = {
    "French": "Où est l'été à Besançon? Le garçon dîne à la crêperie, près de l'île, où naît l'œuvre.",
    "Japanese": "今日は良い天気ですね。東京タワー（午後３時）へ行きましょう。「字幕」は三行までに収まります。",
    "Chinese": "欢迎使用批量头像服务。今天我们将介绍如何把文字变成视频，字幕会自动换行，标点不在行首。",
    "Arabic": "مرحبا بالعالم، هذا فيديو رقم 42 من Azure (النسخة 2.5) والنص العربي متصل ويقرأ من اليمين إلى اليسار.",
    "Hindi": "नमस्ते दुनिया! यह हिन्दी का एक परीक्षण है: क्षत्रिय, ज्ञान, श्री, किताब, विद्यार्थी, प्रकाश। धन्यवाद।",
}


def draw(text, size=(640, 360)):
    image = Image.new("RGBA", size, BLUE)
    draw_caption(image, text)
    return image


def ink(image):
    difference = ImageChops.difference(image, Image.new("RGBA", image.size, BLUE)).convert("RGB")
    return difference.crop(difference.getbbox()).tobytes()


def set_as_caption(text):
    return set_line(text, leftward=reads_leftward(text), language=guess_language(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("resume", "résumé"),
        ("Zurich", "Zürich"),
        ("Łódź", "Lodz"),
        ("Ελλάδα", "Ελλάδι"),
        ("Москва", "Моснва"),
        ("東京", "大阪"),
        ("ありがとう", "ありがとお"),
        ("北京", "南京"),
        ("서울", "부산"),
        ("سلام", "كلام"),
        ("שלום", "שלוש"),
        ("नमस्ते", "नमस्कार"),
        ("வணக்கம்", "வணக்கல்"),
        ("สวัสดี", "สวัสดู"),
        ("😀", "😡"),
        ("₹", "¥"),
    ],
)
def test_every_letter_is_seen(one, other):
    assert draw(one).tobytes() != draw(other).tobytes()


@pytest.mark.parametrize("text", SENTENCES.values(), ids=SENTENCES)
def test_no_letter_is_missing_in_the_fonts(text):
    assert all(glyph.number for glyph in set_as_caption(text).glyphs)


def test_what_no_font_has_is_a_box():
    assert [glyph.number for glyph in set_as_caption("\ue000").glyphs] == [0]


def test_arabic_letters_join():
    """A zero-width non-joiner between two letters keeps them apart, and nothing else."""
    assert ink(draw("بيت")) != ink(draw("ب\u200cي\u200cت"))


def test_letters_join_though_their_font_was_opened_twice():
    """Two threads may open a font at once; a letter that was seen with the first is not kept apart from the others."""
    set_as_caption("ب")
    load_font.cache_clear()

    assert [glyph.number for glyph in set_as_caption("بيت").glyphs] != [
        glyph.number for letter in "تيب" for glyph in set_as_caption(letter).glyphs
    ]
    assert len({id(glyph.font) for glyph in set_as_caption("بيت").glyphs}) == 1


def test_arabic_is_read_from_the_right():
    """Four thin letters come first and so stand on the right; a broad word comes last."""
    image = draw("ا ا ا ا ططط")
    white = image.getchannel("R").point(lambda value: 255 * (value > 128))
    middle = image.width // 2
    left, right = white.crop((0, 0, middle, image.height)), white.crop((middle, 0, *image.size))

    assert left.histogram()[255] > 1.5 * right.histogram()[255]


def test_a_vowel_of_hindi_stands_before_its_consonant():
    """The vowel sign of ki is written to the left of ka, though it is spoken and stored after it."""
    (ka,) = set_as_caption("क").glyphs
    ki, kii = set_as_caption("कि").glyphs, set_as_caption("की").glyphs

    assert (ki[-1].number, kii[0].number) == (ka.number, ka.number)
    assert ink(draw("कि")) != ink(draw("की"))


def test_consonants_of_hindi_join():
    assert len(set_as_caption("क्ष").glyphs) == 1


def test_chinese_characters_have_the_forms_of_their_language():
    numbers = {
        language: [glyph.number for glyph in set_line("直骨", leftward=False, language=language).glyphs]
        for language in ("ja", "zh-hans")
    }

    assert numbers["ja"] != numbers["zh-hans"]
    assert [guess_language(text) for text in ("直接写骨头", "骨を直す", "뼈 骨")] == ["zh-hans", "ja", "ko"]


@pytest.mark.parametrize(
    ("line", "leftward", "seen"),
    [
        ("one, two", False, "one, two"),
        ("אב גד", True, "דג בא"),
        ("אב one two גד", True, "דג one two בא"),
        ("one אב גד two", False, "one דג בא two"),
        ("בשנת 2026, ב-1.5%", True, "1.5%-ב ,2026 תנשב"),
        ("رقم 42 من", True, "نم 42 مقر"),
        ("one אב!", False, "one בא!"),
        ("אב one!", True, "!one בא"),
        ("12 אב", False, "12 בא"),
        ("", True, ""),
    ],
)
def test_mixed_lines_stand_in_the_order_of_unicode(line, leftward, seen):
    stretches = order(line, leftward=leftward)

    assert "".join(line[a.start : a.end][:: -1 if a.leftward else 1] for a in stretches) == seen


def test_a_text_is_read_in_the_direction_of_its_first_letter():
    assert [reads_leftward(text) for text in ("12 אב one", "(one) אב", "42!", "")] == [True, False, False, False]


@pytest.mark.parametrize("text", [*SENTENCES.values(), "x" * 300, "क्षि" * 80], ids=[*SENTENCES, "a word", "Hindi word"])
def test_lines_fit_and_lose_nothing(text):
    lines = wrap(text, 12.0, leftward=reads_leftward(text), language=guess_language(text))

    shown = "".join(lines).replace(" ", "")
    assert text.replace(" ", "").startswith(shown)
    assert max(set_as_caption(line).width for line in lines[:3]) <= 12.5
    assert all(line[0] not in "、。，）」：" for line in lines)
    assert all(before[-1] not in "（「" for before, _ in pairwise(lines))


def test_what_is_too_long_ends_with_dots_and_is_not_looked_at_to_its_end():
    assert draw("Wort " * 100_000).tobytes() == draw("Wort " * 500).tobytes()


@pytest.mark.parametrize("text", ["...", "\u200b", "\u0301", "\u202e\u2066", "(", "「", "  ", "\x00"])
@pytest.mark.parametrize("size", [(640, 360), (16, 16), (64, 640)])
def test_strange_captions_in_small_frames_are_drawn(text, size):
    assert draw(text, size).size == size
