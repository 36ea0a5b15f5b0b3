"""How long a video becomes and how long it takes: what counts, what is learned, and that nothing upsets it."""

from math import inf, isfinite, nan
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.models import Script
from batch_avatar.scripts.prediction.predictor import (
    PastRender,
    Prediction,
    Predictor,
    speech_seconds,
    spoken_characters,
)
from tests.support.scripts import LOOK

PLAIN = {
    "script_id": "intro",
    "content": "The rainbow has seven colors.",
    **LOOK,
}
SPEAK = (
    "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis'"
    " xmlns:mstts='https://www.w3.org/2001/mstts' xml:lang='en-US'>{}</speak>"
)
TEXT = "The rainbow has seven colors. " * 50


def script(content, **changes):
    return Script.model_validate(PLAIN | {"content": content} | changes)


def raw_ssml(content):
    return script(content, input_kind="SSML", voice=None)


def ssml(inside, voice="en-US-AvaNeural"):
    return raw_ssml(SPEAK.format(f"<voice name='{voice}'>{inside}</voice>"))


def past(ratio=1.0, factor=None, *, voice="en-US-AvaNeural", seconds=50.0):
    render_seconds = None if factor is None else 2 + factor * seconds * ratio
    return PastRender(voice, seconds, seconds * ratio, render_seconds)


# Text


def test_a_plain_text_is_predicted_from_its_characters():
    predicted = Predictor().predict(script(TEXT))

    assert predicted.characters == len(TEXT) - 1
    assert predicted.video_seconds == pytest.approx(1499 * 0.068)
    assert predicted.render_seconds == pytest.approx(2 + 1.7 * 1499 * 0.068)
    assert predicted.voice == "en-us-avamultilingualneural"


def test_the_reported_video_of_87_seconds_takes_about_150():
    predicted = Predictor().predict(script("a" * round(87 / 0.068)))

    assert predicted.video_seconds == pytest.approx(87, abs=0.1)
    assert predicted.render_seconds == pytest.approx(150, abs=1)


def test_characters_are_counted_as_the_service_bills_its_example():
    assert spoken_characters(script("The rainbow has seven colors.")) == 29
    assert spoken_characters(ssml("\n    The rainbow has <emphasis>seven</emphasis>\n    colors.\n  ")) == 29


def test_white_space_is_not_spoken():
    assert speech_seconds(script("\n\n Two \t\n words  \n")) == speech_seconds(script("Two words"))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("The quick brown fox jumps over the lazy dog.", 14, 16),
        ("Чтение вслух занимает примерно столько же времени.", 14, 16),
        ("今天天气很好，我们去公园散步吧。", 4, 5),
        ("今日はとても天気がいいので、公園まで散歩に行きましょう。", 5.5, 8),
        ("오늘은 날씨가 아주 좋아서 공원에 산책하러 갑니다.", 7.5, 9),
        ("الطقس جميل اليوم، فلنذهب في نزهة إلى الحديقة.", 10, 11.5),
    ],
)
def test_the_rate_is_that_of_the_writing_whatever_the_voice(text, low, high):
    spoken = [script(text, voice=voice) for voice in ("en-US-AvaMultilingualNeural", "zh-CN-XiaoxiaoNeural", "mine")]

    assert len({speech_seconds(each) for each in spoken}) == 1
    assert low <= len(text) / speech_seconds(spoken[0]) <= high


def test_a_mixed_text_takes_what_its_parts_take():
    assert speech_seconds(script("今天天气Microsoft很好")) == pytest.approx(
        speech_seconds(script("今天天气很好")) + speech_seconds(script("Microsoft"))
    )


@pytest.mark.parametrize(
    ("rate", "factor"),
    [
        ("x-slow", 0.5),
        ("slow", 0.64),
        ("medium", 1),
        ("default", 1),
        ("Fast", 1.55),
        ("x-fast", 2),
        ("+20%", 1.2),
        ("20%", 1.2),
        ("+30.00%", 1.3),
        ("-50.00%", 0.5),
        ("0.8", 0.8),
        (".8", 0.8),
        (" 1.2 ", 1.2),
        ("9", 2),
        ("+900%", 2),
        ("-900%", 0.5),
        ("0", 0.5),
        ("", 1),
        ("+0.3", 1),
        ("quick", 1),
        ("nan", 1),
        ("inf", 1),
        ("٢", 1),
        ("9" * 5000, 2),
        (f"-{'9' * 5000}%", 0.5),
    ],
)
def test_a_rate_means_in_plain_text_what_it_means_in_prosody(rate, factor):
    expected = speech_seconds(script(TEXT)) / factor

    assert speech_seconds(script(TEXT, rate=rate)) == pytest.approx(expected)
    assert speech_seconds(ssml(f"<prosody rate='{rate}'>{TEXT}</prosody>")) == pytest.approx(expected)


# SSML


def test_tags_are_not_spoken():
    tagged = ssml(f"<p><s>{TEXT}</s></p><bookmark mark='gesture.wave-left-1'/><!-- not said -->")

    assert spoken_characters(tagged) == spoken_characters(script(TEXT))
    assert speech_seconds(tagged) == speech_seconds(script(TEXT))


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ("<break/>", 0.75),
        ("<break time='500ms'/>", 0.5),
        ("<break time='2s'/>", 2),
        ("<break time='1.5 S'/>", 1.5),
        ("<break time='+1s'/>", 1),
        ("<break time='0'/>", 0.75),
        ("<break time='0ms'/>", 0),
        ("<break time='-3s'/>", 0.75),
        ("<break time='soon'/>", 0.75),
        ("<break time='soon' strength='weak'/>", 0.5),
        ("<break time='3s' strength='weak'/>", 3),
        ("<break strength='none'/>", 0),
        ("<break strength='x-weak'/>", 0.25),
        ("<break strength='Strong'/>", 1),
        ("<break strength='x-strong'/>", 1.25),
        ("<break strength='enormous'/>", 0.75),
        ("<break time='20001ms'/>", 20),
        (f"<break time='{'9' * 5000}s'/>", 20),
        ("<mstts:silence type='Leading' value='200ms'/>", 0.2),
        ("<mstts:silence type='Leading' value='1h'/>", 0),
        ("<mstts:silence type='Tailing'/>", 0),
        ("<audio src='https://x/y.wav'/>", 0),
    ],
)
def test_pauses_add_their_time_as_documented(tag, seconds):
    assert speech_seconds(ssml(tag)) == pytest.approx(seconds)
    assert speech_seconds(ssml(tag + TEXT)) == pytest.approx(speech_seconds(script(TEXT)) + seconds)


def test_a_rate_does_not_change_a_pause():
    assert speech_seconds(ssml("<prosody rate='x-fast'><break time='4s'/></prosody>")) == 4


def test_nested_rates_multiply_and_end_with_their_element():
    slow = ssml(f"<prosody rate='0.8'><prosody rate='0.8'>{TEXT}</prosody></prosody>")
    ended = ssml(f"<prosody rate='0.8'></prosody>{TEXT}")

    assert speech_seconds(slow) == pytest.approx(speech_seconds(script(TEXT)) / 0.64)
    assert speech_seconds(ended) == speech_seconds(script(TEXT))


def test_nested_rates_stay_within_what_the_service_speaks():
    nested = ssml("<prosody rate='x-fast'>" * 100 + TEXT + "</prosody>" * 100)

    assert speech_seconds(nested) == pytest.approx(speech_seconds(script(TEXT)) / 2)


def test_an_alias_is_spoken_in_place_of_its_text():
    assert spoken_characters(ssml("<sub alias='World Wide Web Consortium'>W3C</sub> said")) == 30
    assert spoken_characters(ssml("<sub>W3C</sub> said")) == 8


def test_entities_are_one_character_each():
    assert spoken_characters(ssml("green &amp; yellow")) == 14


@pytest.mark.parametrize(
    "content",
    [
        "<speak><voice name='en-US-AvaNeural'>Hello &nobody; there</speak>",
        "<speak><voice name='en-US-AvaNeural'>Hello & hi, there</voice></speak>",
        "<speak><m:x><voice xml:lang='en-US' name = \"en-US-AvaNeural\">Hello all of there</voice></m:x></speak>",
        "<!DOCTYPE s [<!ENTITY a 'b'>]><speak><voice name='en-US-AvaNeural'>Hello there</voice></speak>",
    ],
)
def test_malformed_ssml_is_read_without_its_tags(content):
    predicted = Predictor().predict(raw_ssml(content))

    assert predicted.voice == "en-us-avaneural"
    assert 11 <= predicted.characters <= 28
    assert predicted.video_seconds == pytest.approx(predicted.characters * 0.068)


def test_ssml_that_no_encoding_can_carry_is_read_without_its_tags():
    assert spoken_characters(ssml("").model_copy(update={"content": "<speak>\ud800 Hi.</speak>"})) == 5


def test_elements_may_nest_deeper_than_python_calls():
    assert spoken_characters(ssml("<p>" * 50_000 + "Hi." + "</p>" * 50_000)) == 3


# Voices


def voice_of(a_script):
    return Predictor().predict(a_script).voice


def test_the_voice_is_the_one_that_speaks_most():
    lines = (
        ("en-US-AvaNeural", "Well."),
        ("en-US-GuyNeural", "A longer answer."),
        ("en-us-avaNEURAL", "And again, hm."),
    )
    spoken = "\n".join(f"<voice name='{name}'>{text}</voice>" for name, text in lines)

    assert voice_of(raw_ssml(SPEAK.format(spoken))) == "en-us-avaneural"


def test_the_first_voice_wins_a_tie_and_a_silent_one_is_known():
    tie = "\n<voice name='B'>abc</voice>\n<voice name='A'>abc</voice>\n"

    assert voice_of(raw_ssml(SPEAK.format(tie))) == "b"
    assert voice_of(raw_ssml(SPEAK.format("\n<voice name='Quiet'><break/></voice>"))) == "quiet"
    assert voice_of(raw_ssml(SPEAK.format("Hi."))) == ""


def test_an_avatar_with_its_own_voice_has_no_named_one():
    assert voice_of(script(TEXT, use_built_in_voice=True, customized=True)) == ""
    assert voice_of(script(TEXT, use_built_in_voice=True, customized=True, voice=None)) == ""


# Learning


def video_ratio(renders, voice="en-US-AvaNeural"):
    spoken = script(TEXT, voice=voice)
    return Predictor(renders).predict(spoken).video_seconds / speech_seconds(spoken)


def test_three_renders_teach_a_voice_its_pace_in_any_case_of_its_name():
    renders = [past(ratio, voice="EN-US-avaneural") for ratio in (1.2, 1.4, 1.3)]

    assert video_ratio(renders) == pytest.approx(1.3)
    assert video_ratio(iter(renders)) == pytest.approx(1.3)


def test_two_renders_are_not_enough():
    assert video_ratio([past(1.3), past(1.3)]) == 1


def test_a_voice_with_few_renders_goes_by_all():
    known = [past(0.8, voice="b") for _ in range(5)]

    assert video_ratio([*known, past(3), past(3)]) == pytest.approx(0.8)
    assert video_ratio([*known, past(3), past(3), past(3)]) == pytest.approx(3)
    assert video_ratio(known, voice="never-heard") == pytest.approx(0.8)


def test_what_was_learned_about_lengths_lengthens_the_rendering():
    predicted = Predictor([past(2.0)] * 3).predict(script(TEXT, voice="en-US-AvaNeural"))

    assert predicted.video_seconds == pytest.approx(2 * 1499 * 0.068)
    assert predicted.render_seconds == pytest.approx(2 + 1.7 * predicted.video_seconds)


def render_factor(renders):
    predicted = Predictor(renders).predict(script(TEXT))
    return (predicted.render_seconds - 2) / predicted.video_seconds


def test_five_renders_of_any_voice_teach_the_rendering_time():
    renders = [past(1, factor, voice=str(factor)) for factor in (0.8, 1.2, 1.0, 1.1, 0.9)]

    assert render_factor(renders) == pytest.approx(1.0)
    assert render_factor(renders[:4]) == pytest.approx(1.7)
    assert render_factor([*renders[:4], past(1)]) == pytest.approx(1.7)


def test_outliers_do_not_matter():
    usual = [past(1.1, 1.0)] * 5
    absurd = [past(4000.0, 1e9), past(1e-9, 1e-9)]

    assert video_ratio([*usual, *absurd]) == pytest.approx(1.1)
    assert render_factor([*usual, *absurd]) == pytest.approx(1.0)


def test_even_a_history_of_outliers_stays_within_reason():
    assert video_ratio([past(1e6)] * 9) == 5
    assert video_ratio([past(1e-6)] * 9) == pytest.approx(0.2)
    assert render_factor([past(1, 1e6)] * 9) == pytest.approx(10)
    assert render_factor([past(1, -0.01)] * 9) == pytest.approx(0.1)


@pytest.mark.parametrize("useless", [0.0, -1.0, nan, inf, -inf])
def test_figures_that_cannot_be_are_no_lesson(useless):
    renders = [PastRender("en-US-AvaNeural", useless, 50, 10), PastRender("en-US-AvaNeural", 50, useless, 10)] * 5

    assert video_ratio(renders) == 1
    assert render_factor([PastRender("v", 50, 50, useless)] * 9) == pytest.approx(1.7)


# Whatever is written

figures = st.floats(allow_nan=True, allow_infinity=True)
renders = st.builds(PastRender, st.sampled_from(["", "v", "V", "w"]), figures, figures, st.none() | figures)
no_xml = "\ufffe\uffff"  # section 2.2: with one of them in it a text is no markup, so its pauses do not count
characters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=no_xml)
words = st.text(alphabet=characters | st.sampled_from("aあ漢한ع \n"), max_size=40)
times = st.sampled_from(["", "2s", "500ms", "-1s", "1e9s", "9" * 400 + "s", "s", "nan", "∞s"]) | words
rates = st.sampled_from(["", "fast", "x-slow", "+20%", "-400%", "1.2", "-1", "0", "9" * 400 + "%", "nan%"]) | words


def quoted(value):
    return escape(value, {"'": "&apos;"})


def element(inner):
    return st.one_of(
        st.builds("<prosody rate='{}'>{}</prosody>".format, rates.map(quoted), inner),
        st.builds("<voice name='{}'>{}</voice>".format, st.sampled_from(["v", "V", "ja-JP-NanamiNeural", ""]), inner),
        st.builds("<sub alias='{}'>{}</sub>".format, words.map(quoted), words.map(quoted)),
        st.builds("<say-as interpret-as='{}'>{}</say-as>".format, words.map(quoted), inner),
        st.builds("<audio src='{}'>{}</audio>".format, words.map(quoted), inner),
        st.builds("{}{}".format, inner, inner),
    )


leaves = st.one_of(
    words.map(quoted),
    st.builds("<break time='{}'/>".format, times.map(quoted)),
    st.builds("<break strength='{}'/>".format, words.map(quoted)),
    st.builds("<mstts:silence value='{}'/>".format, times.map(quoted)),
)
markup = st.recursive(leaves, element, max_leaves=8)
contents = st.one_of(
    words,
    markup.map(SPEAK.format),
    markup,
    st.text(alphabet="<>/='\"& voicenamebrktms&;![]-?{}%0123456789", max_size=200),
)
scripts = st.builds(
    script,
    contents.filter(bool),
    input_kind=st.sampled_from(["PlainText", "SSML"]),
    voice=st.none() | st.sampled_from(["v", "V", "zh-CN-XiaoxiaoNeural"]),
    rate=st.none() | rates,
    use_built_in_voice=st.none() | st.booleans(),
)


@given(scripts, st.lists(renders, max_size=12))
def test_every_script_has_a_finite_prediction_whatever_was_learned(any_script, learned):
    predictor = Predictor(learned)
    predicted = predictor.predict(any_script)

    assert isinstance(predicted, Prediction)
    assert predicted.characters >= 0
    assert isfinite(predicted.video_seconds)
    assert predicted.video_seconds >= 0
    assert isfinite(predicted.render_seconds)
    assert predicted.render_seconds >= 2
    assert predicted.voice == predicted.voice.lower()
    assert predicted == Predictor(reversed(learned)).predict(any_script)
    assert predicted.characters == spoken_characters(any_script)


@given(words, words, words, st.none() | rates, st.lists(renders, max_size=12))
def test_more_text_never_makes_a_shorter_video(before, added, after, rate, learned):
    predictor = Predictor(learned)
    shorter = predictor.predict(script(f"x{before}{after}", rate=rate))
    longer = predictor.predict(script(f"x{before}{added}{after}", rate=rate))

    assert longer.characters >= shorter.characters
    assert longer.video_seconds >= shorter.video_seconds
    assert longer.render_seconds >= shorter.render_seconds


@given(markup, markup, markup)
def test_more_markup_never_makes_shorter_speech(before, added, after):
    shorter, longer = ssml(before + after), ssml(before + added + after)

    assert spoken_characters(longer) >= spoken_characters(shorter)
    assert speech_seconds(longer) >= speech_seconds(shorter)


@given(words)
def test_ssml_without_markup_says_what_plain_text_says(text):
    plain = script(f"x{text}")

    assert spoken_characters(ssml(quoted(plain.content))) == spoken_characters(plain)
    assert speech_seconds(ssml(quoted(plain.content))) == speech_seconds(plain)
