"""3.1-preview1: which requests the service takes. Each refusal is a 400 whose words are those of this generation."""

import json

import pytest

from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.jobs.preview_request import parse_preview
from batch_avatar.emulator.options import EmulatorOptions

SSML = (
    "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>"
    "<voice name='en-US-AvaMultilingualNeural'>Hello.</voice></speak>"
)
CROP = {"topLeft": {"x": 10, "y": 10}, "bottomRight": {"x": 100, "y": 90.5}}
OPTIONS = EmulatorOptions()


def ssml(text):
    return {"textType": "SSML", "inputs": [{"text": text}], "synthesisConfig": None}


def settings(**members):
    return {f"properties__{name}": value for name, value in members.items()}


REFUSED = [
    ("no_name", {"displayName": None}, "displayName"),
    ("empty_name", {"displayName": ""}, "displayName"),
    ("name_as_number", {"displayName": 7}, "displayName"),
    ("no_text_type", {"textType": None}, "textType"),
    ("unknown_text_type", {"textType": "Text"}, "textType"),
    ("no_inputs", {"inputs": None}, "inputs"),
    ("empty_inputs", {"inputs": []}, "inputs"),
    ("empty_text", {"inputs": [{"text": ""}]}, "inputs.0.text"),
    ("input_of_2024", {"inputs": [{"content": "Hello"}]}, "inputs.0.text"),
    ("over_1000_inputs", {"inputs": [{"text": "x"}] * 1001}, "inputs"),
    ("two_inputs_without_container", {"inputs": [{"text": "a"}, {"text": "b"}]}, "inputs"),
    ("no_properties", {"properties": None}, "properties"),
    ("plain_text_without_voice", {"synthesisConfig": None}, "synthesisConfig.voice"),
    ("undeclared_custom_voice", {"synthesisConfig__voice": "MyVoice"}, "synthesisConfig.voice"),
    ("broken_ssml", ssml("<speak><voice name='en-US-AvaNeural'>Hi</speak>"), "inputs.0.text"),
    ("ssml_without_voice", ssml("<speak>Hi</speak>"), "inputs.0.text"),
    ("prosody_with_ssml", ssml(SSML) | {"synthesisConfig": {"rate": "+10%"}}, "synthesisConfig"),
    ("no_character", settings(talkingAvatarCharacter=None), "properties.talkingAvatarCharacter"),
    ("unknown_character", settings(talkingAvatarCharacter="nobody"), "properties.talkingAvatarCharacter"),
    ("photo_character", settings(talkingAvatarCharacter="Camila"), "properties.talkingAvatarCharacter"),
    ("no_style", settings(talkingAvatarStyle=None), "properties.talkingAvatarStyle"),
    ("style_of_another", settings(talkingAvatarStyle="youthful"), "properties.talkingAvatarStyle"),
    ("customized_as_text", settings(customized="false"), "properties.customized"),
    ("unknown_format", settings(videoFormat="avi"), "properties.videoFormat"),
    ("av1", settings(videoCodec="av1"), "properties.videoCodec"),
    ("vp9_in_mp4", settings(videoCodec="vp9"), "properties.videoCodec"),
    ("hevc_by_default_in_webm", settings(videoFormat="webm", videoCodec=None), "properties.videoCodec"),
    ("bitrate_zero", settings(kBitrate=0), "properties.kBitrate"),
    ("bitrate_as_text", settings(kBitrate="2000"), "properties.kBitrate"),
    ("unknown_subtitles", settings(subtitleType="burned"), "properties.subtitleType"),
    ("colour_by_name", settings(backgroundColor="red"), "properties.backgroundColor"),
    ("transparent_mp4", settings(backgroundColor="transparent"), "properties.backgroundColor"),
    ("crop_with_one_corner", settings(videoCrop={"topLeft": {"x": 1, "y": 1}}), "properties.videoCrop.bottomRight"),
    (
        "empty_crop",
        settings(videoCrop={"topLeft": {"x": 9, "y": 9}, "bottomRight": {"x": 9, "y": 20}}),
        "properties.videoCrop",
    ),
    ("life_zero", settings(timeToLive="PT0S"), "properties.timeToLive"),
    ("life_over_31_days", settings(timeToLive="P31DT1S"), "properties.timeToLive"),
    ("life_beyond_all_measure", settings(timeToLive=f"P{'9' * 30}D"), "properties.timeToLive"),
    ("life_in_months", settings(timeToLive="P1M"), "properties.timeToLive"),
    ("life_of_nothing", settings(timeToLive="P"), "properties.timeToLive"),
    ("life_without_a_time_after_t", settings(timeToLive="P1DT"), "properties.timeToLive"),
    ("life_below_zero", settings(timeToLive="-P1D"), "properties.timeToLive"),
    ("life_in_hours", settings(timeToLive=24), "properties.timeToLive"),
    ("over_10_custom_properties", {"customProperties": {f"k{n}": "v" for n in range(11)}}, "customProperties"),
    ("long_custom_value", {"customProperties": {"k": "v" * 257}}, "customProperties.k"),
    ("long_custom_key", {"customProperties": {"k" * 65: "v"}}, f"customProperties.{'k' * 65}.[key]"),
    ("custom_value_as_number", {"customProperties": {"k": 1}}, "customProperties.k"),
]

ACCEPTED = [
    ("the_plain_request", {}),
    ("text_type_in_any_case", {"textType": "plaintext"}),
    ("ssml", ssml(SSML)),
    ("ssml_in_any_case", ssml(SSML) | {"textType": "Ssml"}),
    ("declared_custom_voice", {"synthesisConfig__voice": "MyVoice", "customVoices": {"MyVoice": "0a1b2c3d-aa"}}),
    ("prosody", {"synthesisConfig__rate": "nonsense"}),
    ("custom_avatar", settings(talkingAvatarCharacter="Ours", talkingAvatarStyle=None, customized=True)),
    ("custom_avatar_with_style", settings(talkingAvatarCharacter="Ours", talkingAvatarStyle="plain", customized=True)),
    ("transparent", settings(backgroundColor="transparent", videoFormat="webm", videoCodec="vp9")),
    ("white_as_old_samples_say", settings(backgroundColor="white")),
    ("crop", settings(videoCrop=CROP)),
    ("longest_life", settings(timeToLive="P31D")),
    ("life_in_parts", settings(timeToLive="P1DT2H3M4.5S")),
    ("largest_custom_properties", {"customProperties": {f"{n}".ljust(64, "k"): "v" * 256 for n in range(10)}}),
    ("members_of_2024", {"inputKind": "SSML", "avatarConfig": {"talkingAvatarCharacter": "nobody"}}),
    ("avatar_members_of_2024", settings(photoAvatarBaseModel="x", scene={"zoom": -1}, useBuiltInVoice=True)),
    ("output_format", settings(outputFormat="ogg-16khz-16bit-mono-opus")),
]


@pytest.mark.parametrize(("change", "target"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_a_faulty_request_is_refused_in_the_words_of_this_generation(shared, make_preview_body, change, target):
    body = make_preview_body(**change)
    accepted = shared.emulator.stats()["creates"]["accepted"]
    answer = shared.preview.post(body)
    error = answer.json()
    assert answer.status_code == 400
    assert error["code"] == "InvalidRequest"
    assert error["innerError"] == {"code": "InvalidPayload", "message": error["message"]}
    assert not {"inputKind", "avatarConfig", "bitrateKbps", "content"} & set(error["message"].replace(".", " ").split())
    assert shared.emulator.stats()["creates"]["accepted"] == accepted
    with pytest.raises(ApiError) as refused:
        parse_preview(json.dumps(body).encode(), OPTIONS)
    assert refused.value.target == target


@pytest.mark.parametrize("change", [pytest.param(case[1], id=case[0]) for case in ACCEPTED])
def test_a_sound_request_is_taken(shared, make_preview_body, change):
    assert shared.preview.post(make_preview_body(**change)).status_code == 201


def test_the_message_names_the_member_by_its_full_path(shared, make_preview_body):
    answer = shared.preview.post(make_preview_body(properties__kBitrate=0))
    assert answer.json()["message"].startswith("The properties.kBitrate is invalid")
    answer = shared.preview.post(make_preview_body(synthesisConfig=None))
    assert answer.json()["message"] == "The voice is required when textType is PlainText."


def test_members_of_2024_are_unknown_here(start, make_preview_body):
    preview = start(unknown_members="refuse").preview
    for change, member in (
        ({"inputKind": "SSML"}, "inputKind"),
        ({"avatarConfig": {}}, "avatarConfig"),
        ({"inputs": [{"text": "a", "content": "b"}]}, "inputs.content"),
        (settings(bitrateKbps=1), "properties.bitrateKbps"),
        (settings(photoAvatarBaseModel="vasa-1"), "properties.photoAvatarBaseModel"),
        (settings(backgroundImage="https://x/y.png"), "properties.backgroundImage"),
        (settings(destinationPath="a"), "properties.destinationPath"),
        (settings(timeToLiveInHours=1), "properties.timeToLiveInHours"),
    ):
        answer = preview.post(make_preview_body(**change))
        assert answer.status_code == 400
        assert answer.json()["message"] == f"The member {member} is not known."
    assert preview.post().status_code == 201


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"a": NaN', b"\xff\xfe", b"[" * 5000])
def test_a_body_that_is_no_json_object_is_refused(shared, body):
    answer = shared.preview.call("POST", shared.preview.url(), data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["innerError"]["code"] == "InvalidPayload"


def test_another_content_type_is_refused(shared, make_preview_body):
    answer = shared.preview.call(
        "POST", shared.preview.url(), data=json.dumps(make_preview_body()), headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415
    assert answer.json()["code"] == "UnsupportedMediaType"


@pytest.mark.parametrize("status", [400, 413])
def test_a_body_over_500_kilobytes_is_refused(start, make_preview_body, status):
    preview = start(oversize_status=status).preview
    assert preview.post(make_preview_body(description="x" * 600_000)).status_code == status
    assert preview.post(make_preview_body(description="x" * 500_000)).status_code == 201


def test_a_custom_avatar_that_the_resource_lacks_is_refused(start, make_preview_body):
    preview = start(custom_avatars=("ours",)).preview
    body = make_preview_body(**settings(talkingAvatarCharacter="theirs", talkingAvatarStyle=None, customized=True))
    assert preview.post(body).json()["message"] == "The specified custom avatar model cannot be found."


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/texttospeech/3.1-preview1/batchsynthesis", 404, "NotFound"),
        ("GET", "/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar/", 404, "NotFound"),
        ("GET", "/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar/a/b", 404, "NotFound"),
        ("PUT", "/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar", 405, "MethodNotAllowed"),
        ("PUT", "/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar/job-1", 405, "MethodNotAllowed"),
    ],
)
def test_an_unknown_path_or_method_gets_the_flat_shape(shared, method, path, status, code):
    answer = shared.preview.call(method, shared.emulator.endpoint + path)
    assert answer.status_code == status
    assert answer.json()["code"] == code


def test_a_wrong_key_is_refused_in_the_gateway_shape(preview):
    preview.session.headers["Ocp-Apim-Subscription-Key"] = "wrong"
    answer = preview.call("POST", preview.url(), json={}, shape="error")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "401"
    assert preview.emulator.requests()[-1]["operation"] == "create"
