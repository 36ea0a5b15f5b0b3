"""A voice that no region told, or that is named like none, is warned of and sent."""

from datetime import date

import pytest

from batch_avatar.models import Script
from batch_avatar.scripts.rules import check_script
from batch_avatar.scripts.voices import NO_VOICES, Known

LISTED = {"en-us-avaneural": "en-US-AvaNeural", "de-de-katjaneural": "de-DE-KatjaNeural"}
LOOK = {"script_id": "a", "content": "Hi.", "talking_avatar_character": "harry"}


def found(voices, **members):
    script = Script.model_validate(LOOK | members)
    return [(one.rule, one.message) for one in check_script(script, Known(date(2026, 9, 1), voices))]


def ssml(*names):
    inside = "".join(f"<voice name='{name}'>Hi.</voice>" for name in names)
    return {"input_kind": "SSML", "content": f"<speak version='1.0' xml:lang='en-US'>{inside}</speak>"}


NAMES = [
    "en-US-AvaNeural",
    "EN-us-avaneural",
    "en-US-AvaMultilingualNeural",
    "zh-CN-shaanxi-XiaoniNeural",
    "en-US-Ava:DragonHDLatestNeural",
    "en-US-Ava-DragonHDOmniLatestNeural",
    "en-US-Ava:MAI-Voice-2-Flash",
    "fil-PH-AngeloNeural",
    "DragonLatestNeural",
    "PhoenixV2Neural",
    "Microsoft Server Speech Text to Speech Voice (en-US, JennyNeural)",
]


@pytest.mark.parametrize("name", NAMES)
def test_without_a_list_names_are_judged_by_their_form(name):
    assert found(NO_VOICES, voice=name) == []
    assert found(NO_VOICES, **ssml(name)) == []


@pytest.mark.parametrize("name", ["Ava", "en-US", "enUS-AvaNeural", "my voice"])
def test_what_is_named_like_none_is_warned_of(name):
    words = f"voice {name} is named as no voice of the service is; declare one of your own in custom_voices"

    assert found(NO_VOICES, voice=name) == [("voice-unknown", words)]
    assert found(NO_VOICES, voice=name, custom_voices={name.upper(): "id"}) == []


WINDOWS = ["Microsoft Zira Desktop", "microsoft david", "Microsoft Hedda Desktop - German"]


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("voices", [NO_VOICES, LISTED], ids=["no list", "a list"])
def test_a_voice_of_windows_is_refused_unless_it_is_declared(name, voices):
    words = f"voice {name} is one of Windows, not of the service; `batch-avatar voices` shows those it has"

    assert found(voices, voice=name) == found(voices, **ssml(name)) == [("voice-impossible", words)]
    assert found(voices, voice=name, custom_voices={name.upper(): "id"}) == []
    assert found(voices, **ssml(name), custom_voices={name: "id"}) == []


def test_with_a_list_the_long_form_of_a_name_is_the_short_one():
    long = "Microsoft Server Speech Text to Speech Voice (en-US, {})"

    assert found(LISTED, voice=long.format("AvaNeural")) == found(LISTED, **ssml(long.format("AvaNeural"))) == []
    assert [rule for rule, _ in found(LISTED, voice=long.format("EvaNeural"))] == ["voice-unknown"]


def test_with_a_list_it_decides_and_says_what_was_probably_meant():
    assert found(LISTED, voice="EN-US-AvaNeural") == []
    assert found(LISTED, voice="en-US-AvaNeurall") == [
        (
            "voice-unknown",
            "no voice en-US-AvaNeurall was there when the region was asked; did you mean en-US-AvaNeural?",
        )
    ]


def test_each_unknown_voice_of_ssml_is_told_once():
    rules = found(LISTED, **ssml("x", "en-US-AvaNeural", "x", "y"))

    assert [message.split()[2] for _, message in rules] == ["x", "y"]


def test_the_voice_that_an_avatar_was_trained_with_has_no_name():
    rules = [rule for rule, _ in found(LISTED, voice="mine", customized=True, use_built_in_voice=True)]

    assert rules == ["built-in-voice"]


def test_a_name_without_end_is_judged_at_once():
    [(_, message)] = found(NO_VOICES, voice="a" * 100_000 + "(")

    assert len(message) < 500
