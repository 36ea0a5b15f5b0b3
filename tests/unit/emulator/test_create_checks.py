"""Which requests the emulator takes, how it shows them again, and what it bills. Pure functions, both generations."""

import json

import pytest

from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.jobs.billing import billed_characters
from batch_avatar.emulator.jobs.gestures import ignored_gestures
from batch_avatar.emulator.jobs.preview_request import parse_preview
from batch_avatar.emulator.jobs.validation import parse_request
from batch_avatar.emulator.options import EmulatorOptions

OPTIONS = EmulatorOptions()
AVA = "en-US-AvaMultilingualNeural"
SPEAK = "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xmlns:mstts='http://www.w3.org/2001/mstts'"
LONG_NAME = "Microsoft Server Speech Text to Speech Voice (en-US, JennyNeural)"
OURS = {"talkingAvatarCharacter": "Ours", "customized": True}
LISA = {"talkingAvatarCharacter": "lisa", "talkingAvatarStyle": "casual-sitting"}
PERSONAL = "<mstts:ttsembedding speakerProfileId='0a1b'>Hi</mstts:ttsembedding>"


def body_of(inputs=None, avatar=LISA, voice=AVA, **members):
    given = {
        "inputKind": "PlainText" if inputs is None else "SSML",
        "inputs": [{"content": inputs or "Hi"}],
        "avatarConfig": avatar,
    }
    if inputs is None:
        given["synthesisConfig"] = {"voice": voice}
    return given | members


def parse(*args, **members):
    return parse_request(json.dumps(body_of(*args, **members)).encode(), OPTIONS)


def refusal(*args, **members):
    with pytest.raises(ApiError) as refused:
        parse(*args, **members)
    return refused.value.target


def ssml(inside, head=SPEAK):
    return f"{head} xml:lang='en-US'>{inside}</speak>"


def in_voice(inside, name=AVA):
    return ssml(f"<voice name='{name}'>{inside}</voice>")


@pytest.mark.parametrize(
    "content",
    [
        ssml(f"<voice name='{AVA}'>Hi</voice>", SPEAK.replace("http:", "https:")),
        ssml(f" <!-- who --> <voice name='{AVA}'>Hi</voice>\n<voice name='{AVA}'>Ho</voice> "),
        ssml(f"<mstts:backgroundaudio src='https://a/b.wav'/><voice name='{AVA}'>Hi</voice>"),
        in_voice("<p><s>Hi <break time='1s'/><prosody rate='+5%'>you</prosody></s></p>"),
        in_voice("<bookmark mark='gesture.hello'/>Hi", LONG_NAME),
        in_voice("Hi", "en-US-Ava-DragonHDOmniLatestNeural"),
        in_voice("Hi", "en-US-Ava:MAI-Voice-2-Flash"),
    ],
)
def test_sound_ssml_is_taken(content):
    assert parse(content).inputs[0].content == content


@pytest.mark.parametrize("root", ["http://example.com/synthesis", "https://www.w3.org/2001/10/Synthesis"])
def test_another_namespace_is_refused(root):
    assert refusal(f"<speak xmlns='{root}'><voice name='{AVA}'>Hi</voice></speak>") == "inputs.0.content"


@pytest.mark.parametrize(
    "inside",
    [
        "Hi<voice name='en-US-AvaNeural'>you</voice>",
        "<voice name='en-US-AvaNeural'>Hi</voice>you",
        "<prosody rate='+5%'>Hi</prosody><voice name='en-US-AvaNeural'>you</voice>",
        "<break time='1s'/><voice name='en-US-AvaNeural'>Hi</voice>",
        "<p>Hi</p><voice name='en-US-AvaNeural'>you</voice>",
        "<p><voice name='en-US-AvaNeural'>Hi</voice></p>",
        "<voice name='en-US-AvaNeural'>Hi</voice><emphasis>you</emphasis>",
    ],
)
def test_what_may_not_stand_in_speak_is_refused(inside):
    assert refusal(ssml(inside)) == "inputs.0.content"


@pytest.mark.parametrize("around", ["s", "p", "voice name='en-US-AvaNeural'", "prosody rate='+5%'"])
def test_a_voice_inside_another_element_is_refused(around):
    nested = f"<{around}><voice name='{AVA}'>Hi</voice></{around.split()[0]}>"
    assert refusal(in_voice(nested)) == "inputs.0.content"


@pytest.mark.parametrize("name", ["", " name=''", " name=' '"])
def test_a_voice_without_a_name_is_refused(name):
    assert refusal(ssml(f"<voice name='{AVA}'>Hi</voice><voice{name}>you</voice>")) == "inputs.0.content"


def test_deep_ssml_is_refused_or_taken_without_harm():
    assert parse(in_voice("<p>" * 50_000 + "Hi" + "</p>" * 50_000))


def test_a_personal_voice_needs_its_embedding_and_a_custom_avatar():
    assert parse(in_voice(PERSONAL, "DragonLatestNeural"), OURS)
    assert refusal(in_voice("Hi", "DragonLatestNeural"), OURS) == "synthesisConfig.voice"
    assert refusal(in_voice(PERSONAL, "DragonLatestNeural"), LISA) == "synthesisConfig.voice"
    assert refusal(avatar=OURS, voice="DragonLatestNeural") == "synthesisConfig.voice"


def test_a_long_voice_name_is_taken_beside_plain_text():
    assert parse(voice=LONG_NAME).voice == LONG_NAME


@pytest.mark.parametrize("name", ["rowan", "celine", "nia", "malik", "Harry"])
@pytest.mark.parametrize("style", [{}, {"talkingAvatarStyle": ""}])
def test_characters_that_have_no_style_need_none(name, style):
    assert parse(avatar={"talkingAvatarCharacter": name} | style)


def test_others_need_one_and_have_only_their_own():
    target = "avatarConfig.talkingAvatarStyle"
    assert refusal(avatar={"talkingAvatarCharacter": "meg"}) == target
    assert refusal(avatar={"talkingAvatarCharacter": "rowan", "talkingAvatarStyle": "casual"}) == target


def test_x_and_y_of_a_place_are_both_optional():
    config = parse(avatar=LISA | {"resolution": {"x": 1280}, "avatarPosition": {"y": -3.5}, "avatarSize": {}})
    sent = config.avatar_config.sent()
    assert (sent["resolution"], sent["avatarPosition"], sent["avatarSize"]) == ({"x": 1280}, {"y": -3.5}, {})


def test_numbers_are_shown_as_they_were_sent():
    crop = {"topLeft": {"x": 10, "y": 0}, "bottomRight": {"x": 100.5, "y": 90}}
    photo = {"talkingAvatarCharacter": "amara", "photoAvatarBaseModel": "vasa-1", "scene": {"zoom": 1, "positionX": -1}}
    assert json.dumps(parse(avatar=LISA | {"videoCrop": crop}).avatar_config.sent()["videoCrop"]) == json.dumps(crop)
    assert json.dumps(parse(avatar=photo).avatar_config.sent()["scene"]) == json.dumps(photo["scene"])
    assert refusal(avatar=LISA | {"videoCrop": crop | {"topLeft": {"x": True, "y": 0}}}).startswith(
        "avatarConfig.videoCrop"
    )


@pytest.mark.parametrize("deployment", ["", "ab", "a b c", "-abc", "a" * 65])
def test_deployment_ids_of_custom_voices_are_checked(deployment):
    assert refusal(voice="Ours", customVoices={"Ours": deployment}) == "customVoices.Ours"
    assert refusal(customVoices={"NotSpoken": deployment}) == "customVoices.NotSpoken"
    assert parse(voice="Ours", customVoices={"Ours": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"})


@pytest.mark.parametrize("kbps", [-1, 0, 100_001, 2**40])
def test_an_absurd_bitrate_is_refused(kbps):
    assert refusal(avatar=LISA | {"bitrateKbps": kbps}) == "avatarConfig.bitrateKbps"
    old = {
        "displayName": "a", "textType": "PlainText", "inputs": [{"text": "Hi"}], "synthesisConfig": {"voice": AVA},
        "properties": LISA | {"kBitrate": kbps},
    }  # fmt: skip
    with pytest.raises(ApiError) as refused:
        parse_preview(json.dumps(old).encode(), OPTIONS)
    assert refused.value.target == "properties.kBitrate"


def test_a_built_in_voice_has_no_subtitles_and_is_not_for_photo_avatars():
    built_in = OURS | {"useBuiltInVoice": True, "subtitleType": "external_file"}
    assert parse(avatar=built_in).avatar_config.subtitles == "none"
    assert parse(avatar=OURS | {"subtitleType": "hard_embedded"}).avatar_config.subtitles == "hard_embedded"
    assert refusal(avatar=built_in | {"photoAvatarBaseModel": "vasa-1"}) == "avatarConfig.useBuiltInVoice"


@pytest.mark.parametrize(
    ("kind", "content", "characters"),
    [
        ("PlainText", "The rainbow has seven colors.", 29),
        ("PlainText", " a \r\n b ", 8),
        ("PlainText", "你好, 世界", 10),
        ("PlainText", "漢字とカナ", 7),
        ("PlainText", "韓國 한국", 7),
        ("PlainText", "𠀀😀e\u0301", 5),
        ("SSML", f"<speak a='1'><voice name='{AVA}'>Hi you</voice></speak>", 6),
        ("SSML", f"<speak><voice name='{AVA}'>Hi<break time='1s'/></voice></speak>", 2 + 18),
        ("SSML", f"<speak>\n<voice\nname = '{AVA}' effect='a>b'>Hi &amp; 好</voice >\n</speak>", 13),
        (
            "SSML",
            "<s:speak xmlns:s='http://www.w3.org/2001/10/synthesis'><s:voice name='x-y'>Hi</s:voice></s:speak>",
            2,
        ),
    ],
)
def test_billed_are_code_points_with_chinese_twice_and_markup_but_speak_and_voice(kind, content, characters):
    assert billed_characters(kind, content) == characters


def test_tags_that_never_end_are_counted_in_time_that_grows_with_them():
    assert billed_characters("SSML", "<voice " * 200_000) > 0


@pytest.mark.parametrize(
    ("voice", "kind"),
    [
        (AVA, "neural"),
        ("en-US-Ava:DragonHDLatestNeural", "hdNeural"),
        ("en-us-ava:dragonhdomnilatestneural", "hdNeural"),
        ("en-US-Ava-DragonHDOmniLatestNeural", "hdNeural"),
        ("OURS", "customNeural"),
    ],
)
def test_characters_are_billed_under_the_kind_of_voice(voice, kind):
    declared = {"Ours": "abc"}
    assert parse(voice=voice, customVoices=declared).voice_kind == kind
    assert parse(in_voice("Of en-US-Ava:DragonHDLatestNeural, Ours", voice), customVoices=declared).voice_kind == kind


def test_gestures_that_the_avatar_lacks_are_taken_and_ignored():
    content = in_voice("<bookmark mark='gesture.hello'/><bookmark mark='gesture.wave'/><bookmark mark='x'/>Hi")
    assert ignored_gestures(parse(content, {"talkingAvatarCharacter": "Lori", "talkingAvatarStyle": "Casual"})) == [
        "wave"
    ]
    assert ignored_gestures(parse(content, OURS)) == ["hello", "wave"]
    assert ignored_gestures(parse()) == []
