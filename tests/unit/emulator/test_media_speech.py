"""Sentences, pauses, voices and cues."""

import re
import subprocess
import sys

import pytest

from batch_avatar.emulator.media.babble import babble
from batch_avatar.emulator.media.espeak import Espeak, load_espeak
from batch_avatar.emulator.media.model import SAMPLE_RATE, Cue
from batch_avatar.emulator.media.script import read_script
from batch_avatar.emulator.media.speech import speak
from batch_avatar.emulator.media.subtitles import encode_mov_text, format_srt
from batch_avatar.emulator.media.voices import EspeakVoice, choose_espeak_voice
from tests.support.independent_decoder import decode_errors

AVA = "en-US-AvaNeural"


def ssml(inside):
    return (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
        f'<voice name="{AVA}">{inside}</voice></speak>'
    )


def texts(kind, content):
    return [phrase.text for phrase in read_script(kind, content, AVA).phrases]


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("Pi is 3.14 or so.\r\nNew paragraph", ["Pi is 3.14 or so.", "New paragraph"]),
        ("一つ。「二つ。」三つ！", ["一つ。", "「二つ。」", "三つ！"]),
        ("كيف حالك؟ شكرا.", ["كيف حالك؟", "شكرا."]),
        ("wrapped\nlines stay together.", ["wrapped lines stay together."]),
        ("... !!! -", []),
    ],
)
def test_text_is_cut_at_the_ends_of_sentences(content, sentences):
    assert texts("PlainText", content) == sentences


def test_plain_text_counts_every_character():
    assert read_script("plainText", "Hi <b>.\r\n", AVA).spoken_characters == 9


def test_ssml_counts_characters_without_tags():
    content = ssml("\n  Hello <bookmark mark='gesture.wave-left-1'/>you &amp; me.\n")

    script = read_script("ssml", content, None)

    assert script.spoken_characters == len("Hello you & me.")
    assert [phrase.text for phrase in script.phrases] == ["Hello you & me."]


def test_each_voice_element_speaks_its_own_text():
    content = '<speak><voice name="a">One.</voice> <voice name="b">Two. Three.</voice></speak>'

    assert [(phrase.voice, phrase.text) for phrase in read_script("SSML", content, None).phrases] == [
        ("a", "One."),
        ("b", "Two."),
        ("b", "Three."),
    ]


@pytest.mark.parametrize(
    "content",
    ["<speak>Hello <b>there.", "Hello there.", "<!DOCTYPE x [<!ENTITY y 'z'>]><speak>Hello there.</speak>"],
)
def test_odd_ssml_is_spoken_without_its_tags(content):
    assert "Hello there." in " ".join(texts("SSML", content))


def test_deep_nesting_is_no_recursion():
    assert texts("SSML", "<speak>" + "<p>" * 20_000 + "Deep." + "</p>" * 20_000 + "</speak>") == ["Deep."]


@pytest.mark.parametrize(
    ("tag", "milliseconds"),
    [
        ('<break time="2s"/>', 2000),
        ('<break time="500ms"/>', 500),
        ('<break time="99s"/>', 20_000),
        ('<break strength="strong"/>', 1000),
        ("<break/>", 750),
        ('<break time="soon"/>', 750),
    ],
)
def test_a_break_lengthens_the_clip_by_its_time(tag, milliseconds):
    plain = speak("SSML", ssml("One two <bookmark mark='x'/> three"), None)
    broken = speak("SSML", ssml(f"One two three {tag}"), None)

    assert broken.duration_milliseconds - plain.duration_milliseconds == pytest.approx(milliseconds, abs=60)


def test_breaks_cannot_exceed_the_longest_video():
    speech = speak("SSML", "<speak>Hi" + '<break time="20s"/>' * 100 + "there</speak>", AVA)

    assert speech.duration_milliseconds == 1_200_000
    assert [cue.text for cue in speech.cues] == ["Hi"]


def test_a_paragraph_pauses_longer_than_a_sentence():
    sentence, paragraph = (
        speak("PlainText", text, AVA).duration_milliseconds for text in ("One. Two.", "One.\r\nTwo.")
    )

    assert paragraph - sentence == pytest.approx(350, abs=60)


def test_cues_follow_each_other_inside_the_clip():
    speech = speak("PlainText", "First one. Second one! And a third?", AVA)

    assert [cue.text for cue in speech.cues] == ["First one.", "Second one!", "And a third?"]
    times = [time for cue in speech.cues for time in (cue.start_milliseconds, cue.end_milliseconds)]
    assert times[0] == 50
    assert times == sorted(set(times))
    assert times[-1] <= speech.duration_milliseconds


def test_srt_has_comma_milliseconds_and_numbers():
    srt = format_srt([Cue(50, 2_000, "Hello."), Cue(3_661_007, 3_662_000, "Late.")])

    assert srt == "1\n00:00:00,050 --> 00:00:02,000\nHello.\n\n2\n01:01:01,007 --> 01:01:02,000\nLate.\n"
    assert re.fullmatch(r"(?:\d+\n[\d:,]{12} --> [\d:,]{12}\n.+\n\n?)+", srt)


def test_mov_text_leaves_no_gap():
    packets = list(encode_mov_text([Cue(50, 100, "é"), Cue(100, 200, "b"), Cue(300, 400, "c")]))

    assert [(start, length) for start, length, _ in packets] == [(0, 50), (50, 50), (100, 100), (200, 100), (300, 100)]
    assert packets[1][2] == b"\x00\x02\xc3\xa9"
    assert packets[3][2] == b"\x00\x00"


@pytest.mark.parametrize(
    ("voice", "text", "language"),
    [
        ("de-DE-KatjaNeural", "Hallo", "de-de"),
        ("zh-CN-XiaoxiaoNeural", "你好", "zh-cn"),
        ("es-MX-DaliaNeural", "hola", "es-419"),
        ("en-US-AvaMultilingualNeural", "こんにちは、世界", "ja"),
        ("en-US-AvaMultilingualNeural", "hello", "en-us"),
        ("en-US-AvaNeural", "こんにちは", "en-us"),
        (None, "hello", "en-us"),
    ],
)
def test_the_locale_or_the_script_picks_the_language(voice, text, language):
    assert choose_espeak_voice(voice, text).languages[0] == language


def test_every_choice_ends_in_english():
    assert choose_espeak_voice("xx-YY-NobodyNeural", "?").languages[-1] == "en-us"


def test_men_and_women_sound_different():
    variants = {choose_espeak_voice(f"en-US-{name}Neural", "").variant for name in ("Andrew", "Ava")}

    assert len(variants) == 2


def test_speech_has_the_same_length_every_time():
    texts = ["Red roses are rare.", "Привет, как дела?", "Guten Tag."]
    voice = "ru-RU-SvetlanaNeural"

    lengths = [len(speak("PlainText", text, voice).samples) for text in texts]
    again = [len(speak("PlainText", text, voice).samples) for text in reversed(texts)]

    assert lengths == again[::-1]


def test_espeak_speaks_here():
    assert isinstance(load_espeak(), Espeak)


def test_a_missing_library_is_an_os_error():
    with pytest.raises(OSError, match="no-such-library"):
        Espeak("/no-such-library.so", "/nowhere")


def test_a_machine_without_espeak_still_renders():
    code = """
import sys
sys.modules["espeakng_loader"] = None  # makes the import fail, as where it is not installed
from batch_avatar.emulator.media.model import ClipRequest
from batch_avatar.emulator.media.render import render_clip
clip = render_clip(ClipRequest(
    input_kind="PlainText", content="Hello there. Again.", voice=None, character="max", style=None,
    video_format="mp4", video_codec="h264", subtitle_type="none", background_color="#FFFFFFFF",
    width=160, height=90, bitrate_kbps=500, nonce="",
))
assert clip.subtitles_srt.count("-->") == 2
sys.stdout.buffer.write(clip.video)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)

    assert done.stderr == b""
    assert decode_errors(done.stdout) == ""


def test_babble_stands_in_for_espeak():
    voice = EspeakVoice(("en-us",), "shelby", 50)

    short, long = (babble(text, voice) for text in ("Hello there", "Hello there, how are you today?"))

    assert 0.3 < len(short) / 2 / SAMPLE_RATE < 2
    assert len(long) > len(short)
    assert max(memoryview(long).cast("h")) > 3000
