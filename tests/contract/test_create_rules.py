"""Which requests the service takes. Each refusal is a 400 that names the member."""

import json

import pytest

SSML = (
    "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>"
    "<voice name='en-US-AvaMultilingualNeural'>Hello.</voice></speak>"
)


def ssml(text):
    return {"inputKind": "SSML", "inputs": [{"content": text}], "synthesisConfig": None}


def avatar(**members):
    return {f"avatarConfig__{name}": value for name, value in members.items()}


PHOTO = avatar(talkingAvatarCharacter="Camila", talkingAvatarStyle=None)
CORNERS = {"topLeft": {"x": 10, "y": 10}, "bottomRight": {"x": 100, "y": 90.5}}

REFUSED = [
    ("no_input_kind", {"inputKind": None}, "inputKind"),
    ("unknown_input_kind", {"inputKind": "Text"}, "inputKind"),
    ("no_inputs", {"inputs": None}, "inputs"),
    ("empty_inputs", {"inputs": []}, "inputs"),
    ("empty_content", {"inputs": [{"content": ""}]}, "inputs.0.content"),
    ("input_without_content", {"inputs": [{}]}, "inputs.0.content"),
    ("input_is_a_string", {"inputs": ["Hello"]}, "inputs.0"),
    ("over_1000_inputs", {"inputs": [{"content": "x"}] * 1001}, "inputs"),
    ("two_inputs_without_container", {"inputs": [{"content": "a"}, {"content": "b"}]}, "inputs"),
    ("no_avatar", {"avatarConfig": None}, "avatarConfig"),
    ("plain_text_without_voice", {"synthesisConfig": None}, "synthesisConfig.voice"),
    ("empty_voice", {"synthesisConfig__voice": ""}, "synthesisConfig.voice"),
    ("undeclared_custom_voice", {"synthesisConfig__voice": "MyVoice"}, "synthesisConfig.voice"),
    ("broken_ssml", ssml("<speak><voice name='en-US-AvaNeural'>Hi</speak>"), "inputs.0.content"),
    ("plain_words_as_ssml", ssml("Hello"), "inputs.0.content"),
    ("ssml_with_another_root", ssml("<voice name='en-US-AvaNeural'>Hi</voice>"), "inputs.0.content"),
    ("ssml_without_voice", ssml("<speak>Hi</speak>"), "inputs.0.content"),
    ("ssml_with_entities", ssml("<!DOCTYPE s [<!ENTITY a 'b'>]><speak>&a;</speak>"), "inputs.0.content"),
    (
        "prosody_with_ssml",
        ssml(SSML) | {"synthesisConfig": {"rate": "+10%"}},
        "synthesisConfig",
    ),
    ("unknown_character", avatar(talkingAvatarCharacter="nobody"), "avatarConfig.talkingAvatarCharacter"),
    ("no_style", avatar(talkingAvatarStyle=None), "avatarConfig.talkingAvatarStyle"),
    ("style_of_another", avatar(talkingAvatarStyle="youthful"), "avatarConfig.talkingAvatarStyle"),
    ("photo_without_base_model", PHOTO, "avatarConfig.talkingAvatarCharacter"),
    (
        "wrong_base_model",
        PHOTO | avatar(photoAvatarBaseModel="vasa-2"),
        "avatarConfig.photoAvatarBaseModel",
    ),
    (
        "photo_with_style",
        PHOTO | avatar(photoAvatarBaseModel="vasa-1", talkingAvatarStyle="casual"),
        "avatarConfig.talkingAvatarStyle",
    ),
    (
        "photo_with_av1",
        PHOTO | avatar(photoAvatarBaseModel="vasa-1", videoCodec="av1"),
        "avatarConfig.videoCodec",
    ),
    ("scene_without_photo", avatar(scene={"zoom": 1.5}), "avatarConfig.scene"),
    (
        "scene_out_of_range",
        PHOTO | avatar(photoAvatarBaseModel="vasa-1", scene={"amplitude": 2}),
        "avatarConfig.scene.amplitude",
    ),
    ("built_in_voice_of_a_standard_avatar", avatar(useBuiltInVoice=True), "avatarConfig.useBuiltInVoice"),
    ("unknown_format", avatar(videoFormat="avi"), "avatarConfig.videoFormat"),
    ("unknown_codec", avatar(videoCodec="h263"), "avatarConfig.videoCodec"),
    ("vp9_in_mp4", avatar(videoCodec="vp9"), "avatarConfig.videoCodec"),
    ("h264_in_webm", avatar(videoFormat="webm"), "avatarConfig.videoCodec"),
    ("hevc_by_default_in_webm", avatar(videoFormat="webm", videoCodec=None), "avatarConfig.videoCodec"),
    ("unknown_subtitles", avatar(subtitleType="burned"), "avatarConfig.subtitleType"),
    ("colour_by_name", avatar(backgroundColor="white"), "avatarConfig.backgroundColor"),
    ("transparent_mp4", avatar(backgroundColor="transparent"), "avatarConfig.backgroundColor"),
    ("transparent_mp4_by_alpha", avatar(backgroundColor="#FFFFFF00"), "avatarConfig.backgroundColor"),
    (
        "transparent_av1",
        avatar(backgroundColor="#00000000", videoFormat="webm", videoCodec="av1"),
        "avatarConfig.backgroundColor",
    ),
    ("image_over_http", avatar(backgroundImage="http://x/y.png"), "avatarConfig.backgroundImage"),
    (
        "image_and_colour",
        avatar(backgroundImage="https://x/y.png", backgroundColor="#FFFFFFFF"),
        "avatarConfig.backgroundImage",
    ),
    ("crop_with_one_corner", avatar(videoCrop={"topLeft": {"x": 1, "y": 1}}), "avatarConfig.videoCrop.bottomRight"),
    (
        "empty_crop",
        avatar(videoCrop={"topLeft": {"x": 9, "y": 9}, "bottomRight": {"x": 9, "y": 20}}),
        "avatarConfig.videoCrop",
    ),
    ("bitrate_as_text", avatar(bitrateKbps="2000"), "avatarConfig.bitrateKbps"),
    ("customized_as_text", avatar(customized="false"), "avatarConfig.customized"),
    ("ttl_zero", {"properties": {"timeToLiveInHours": 0}}, "properties.timeToLiveInHours"),
    ("ttl_over_31_days", {"properties": {"timeToLiveInHours": 745}}, "properties.timeToLiveInHours"),
    ("ttl_as_text", {"properties": {"timeToLiveInHours": "24"}}, "properties.timeToLiveInHours"),
    ("path_without_container", {"properties": {"destinationPath": "a"}}, "properties.destinationPath"),
]

ACCEPTED = [
    ("the_plain_request", {}),
    ("input_kind_in_any_case", {"inputKind": "plainText"}),
    ("ssml", ssml(SSML)),
    ("ssml_kind_in_any_case", ssml(SSML) | {"inputKind": "Ssml"}),
    ("ssml_without_namespace", ssml("<speak><voice name='en-US-AvaNeural'>Hi</voice></speak>")),
    ("declared_custom_voice", {"synthesisConfig__voice": "MyVoice", "customVoices": {"MyVoice": "0a1b2c3d-aa"}}),
    ("hd_voice", {"synthesisConfig__voice": "en-US-Ava:DragonHDLatestNeural"}),
    ("prosody", {"synthesisConfig__rate": "nonsense"}),
    ("character_in_any_case", avatar(talkingAvatarCharacter="Lisa")),
    ("photo_avatar", PHOTO | avatar(photoAvatarBaseModel="vasa-1")),
    (
        "photo_avatar_with_empty_style_and_scene",
        PHOTO | avatar(photoAvatarBaseModel="vasa-1", talkingAvatarStyle="", scene={"zoom": 1.5, "positionX": -1}),
    ),
    ("custom_avatar", avatar(talkingAvatarCharacter="Our-Model", talkingAvatarStyle=None, customized=True)),
    (
        "built_in_voice",
        avatar(talkingAvatarCharacter="Ours", talkingAvatarStyle=None, customized=True, useBuiltInVoice=True)
        | {"synthesisConfig": None},
    ),
    ("transparent", avatar(backgroundColor="transparent", videoFormat="webm", videoCodec="vp9")),
    ("av1_in_mp4", avatar(videoCodec="av1")),
    ("crop", avatar(videoCrop=CORNERS)),
    ("unknown_members", {"displayName": "x", "synthesisConfig__outputFormat": "riff"}),
    ("description", {"description": "archive 1"}),
]


@pytest.mark.parametrize(("change", "target"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_a_faulty_request_is_refused_and_the_member_named(shared, fresh_id, make_body, change, target):
    answer = shared.put(fresh_id, body=make_body(**change))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadRequest"
    assert answer.json()["error"]["target"] == target
    assert shared.get(fresh_id).status_code == 404


@pytest.mark.parametrize("change", [pytest.param(case[1], id=case[0]) for case in ACCEPTED])
def test_a_sound_request_is_taken(shared, fresh_id, make_body, change):
    assert shared.put(fresh_id, body=make_body(**change)).status_code == 201


@pytest.mark.parametrize(
    "job_id", ["ab", "a" * 65, "-ab", "ab-", "a b", "a~b", ".ab", "_ab", "äbc"], ids=lambda value: value[:4]
)
def test_a_bad_id_is_refused_by_every_operation(shared, job_id):
    for answer in (shared.put(job_id), shared.get(job_id), shared.delete(job_id)):
        assert answer.status_code == 400
        assert answer.json()["error"]["target"] == "id"


@pytest.mark.parametrize("job_id", ["abc", "a" * 64, "A.b_c-9", "1732180000000"])
def test_a_good_id_is_taken(shared, job_id):
    assert shared.created(job_id)["id"] == job_id


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"a": NaN', b"\xff\xfe", b"[" * 5000])
def test_a_body_that_is_no_json_object_is_refused(shared, body):
    answer = shared.call("PUT", shared.url("job-1"), data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_another_content_type_is_refused(shared, make_body):
    answer = shared.call(
        "PUT", shared.url("job-1"), data=json.dumps(make_body()), headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "UnsupportedMediaType"


@pytest.mark.parametrize("status", [400, 413])
def test_a_body_over_500_kilobytes_is_refused(start, make_body, status):
    speech = start(oversize_status=status)
    assert speech.put(body=make_body(description="x" * 600_000)).status_code == status
    assert speech.put(body=make_body(description="x" * 500_000)).status_code == 201


def test_unknown_members_can_be_refused(start, make_body):
    speech = start(unknown_members="refuse")
    answer = speech.put(body=make_body(avatarConfig__scenes={}))
    assert answer.status_code == 400
    assert answer.json()["error"]["target"] == "avatarConfig.scenes"
    answer = speech.put(body=make_body(inputs=[{"content": "a", "text": "b"}]))
    assert answer.json()["error"]["target"] == "inputs.text"
    assert speech.put().status_code == 201


def test_a_custom_avatar_that_the_resource_lacks_is_refused(start, make_body):
    speech = start(custom_avatars=("ours",))
    theirs = avatar(talkingAvatarCharacter="theirs", talkingAvatarStyle=None, customized=True)
    answer = speech.put(body=make_body(**theirs))
    assert answer.json()["error"]["message"] == "The specified custom avatar model cannot be found."
    assert speech.put(body=make_body(**theirs | avatar(talkingAvatarCharacter="Ours"))).status_code == 201
