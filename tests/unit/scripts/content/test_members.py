"""All that is wrong with one script is told at once, and nothing that only follows from it."""

import pytest

from batch_avatar.models import Script
from batch_avatar.scripts.drafts import check_draft
from batch_avatar.scripts.findings import refusals
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK

WIRE = wire_for("2024-08-01")
SAS = "https://a.blob.core.windows.net/c?sv=2024-08-04&sr=c&sp=rwl&se=2099-01-01&sig=x"
STANDARD = {
    "script_id": "a",
    "input_kind": "PlainText",
    "content": "Hi.",
    "description": "A note.",
    **LOOK,
    "custom_voices": {"en-US-AvaMultilingualNeural": "id"},
    "style": "cheerful",
    "rate": "-5%",
    "pitch": "+2st",
    "volume": "soft",
    "video_format": "webm",
    "video_codec": "vp9",
    "background_color": "transparent",
    "bitrate_kbps": 2000,
    "subtitle_type": "none",
    "time_to_live_in_hours": 24,
    "destination_container_url": SAS,
    "destination_path": "a",
    "video_crop": {"top_left": {"x": 0, "y": 0}, "bottom_right": {"x": 9, "y": 9}},
    "extra_properties": {"avatarConfig": {"newMember": 1}},
}
PHOTO = {
    "script_id": "a",
    "content": "Hi.",
    "voice": "en-US-AvaMultilingualNeural",
    "talking_avatar_character": "my own",
    "customized": True,
    "photo_avatar_base_model": "vasa-1",
    "scene": {"zoom": 1.5},
    "background_image": "https://a.example/b.png",
}
CUSTOM = {
    "script_id": "a",
    "content": "Hi.",
    "talking_avatar_character": "my own",
    "customized": True,
    "use_built_in_voice": True,
}
OWN_VOICE = {**LOOK, "script_id": "a", "content": "Hi.", "voice": "My voice", "custom_voices": {"My voice": "id"}}
SCRIPTS = {"standard": STANDARD, "photo": PHOTO, "custom": CUSTOM, "own voice": OWN_VOICE}
EACH = [(kind, name) for kind, values in SCRIPTS.items() for name in values]


def found_in(values):
    return check_draft(values, own=values, wire=WIRE)


def told(values):
    return [one.message for one in refusals(found_in(values)[1])]


@pytest.mark.parametrize("kind", SCRIPTS)
def test_the_samples_are_right(kind):
    script, found = found_in(SCRIPTS[kind])

    assert script is not None
    assert refusals(found) == []


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_a_member_of_another_type_is_one_fault_and_no_other_finding_follows(kind, name):
    right = {one.rule for one in found_in(SCRIPTS[kind])[1]}

    _, found = found_in(SCRIPTS[kind] | {name: ["of no member"]})

    fault, *others = [one for one in found if one.rule not in right]
    assert (fault.rule, others) == ("member-unreadable", [])
    assert fault.message.startswith(f"{name} must be ")
    assert fault.message.endswith(", not a list")


def test_the_samples_use_most_members():
    used = {name for values in SCRIPTS.values() for name in values}

    assert used >= Script.model_fields.keys() - {"avatar_position", "avatar_size", "resolution", "columns"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"content": ""}, ["content is empty"]),
        ({"voce": "v"}, ["unknown property 'voce'; did you mean voice?"]),
        ({"qqq": "v"}, ["unknown property 'qqq'"]),
        ({"scene": {"tilt": 1, "zoom": 0}}, ["scene.zoom must be more than 0, not 0", "unknown property 'scene.tilt'"]),
        ({"bitrate_kbps": "many"}, ["bitrate_kbps must be a whole number, not many"]),
        ({"bitrate_kbps": 1.5}, ["bitrate_kbps must be a whole number, not 1.5"]),
        ({"customized": "perhaps"}, ["customized must be true or false, not perhaps"]),
        ({"scene": "near"}, ["scene must be an object in braces { }, not near"]),
        ({"input_kind": "html"}, ["input_kind must be 'PlainText' or 'SSML', not html"]),
        (
            {"voice": "NULL"},
            ["voice is NULL, which is no value; leave it empty, or write unset to take away a default"],
        ),
        ({"content": "#REF!"}, ["content is #REF!, an error of the spreadsheet; mend the cell"]),
        (
            {"talkingAvatarStyle": "x"},
            ["unknown property 'talkingAvatarStyle'; here it is written talking_avatar_style"],
        ),
        ({"Voice": "x"}, ["unknown property 'Voice'; here it is written voice"]),
        (
            {"avatarConfig": {}},
            [
                "unknown property 'avatarConfig', which only the service's requests have; "  # noqa: ISC004
                "write each of its members by itself, such as talking_avatar_character"
            ],
        ),
    ],
)
def test_a_fault_says_what_to_do_in_plain_words(values, words):
    assert told({"script_id": "a", "content": "Hi.", **LOOK, **values}) == words


def test_what_is_written_as_the_service_writes_it_is_checked_as_what_it_means():
    given = {"scriptId": "a/../b", "inputKind": "SSML", "content": "<speak>", "backgroundColor": "white"}

    found = told(given | {"talkingAvatarCharacter": "lisa", "talkingAvatarStyle": "casual-sitting"})

    assert sum("here it is written" in one for one in found) == 5
    assert any("script_id must not" in one for one in found)
    assert any("background_color is #RRGGBBAA" in one for one in found)
    assert any("<speak> of line 1 is never closed" in one for one in found)


def test_one_fault_hides_no_other():
    given = {
        "script_id": "_a",
        "input_kind": "SSML",
        "content": "<speak><voice>R&D</voice></speak>",
        "background_color": "white",
        "bitrate_kbps": "many",
        "voce": "v",
    }

    found = told(given)

    assert len(found) == 6
    for words in ("'voce'", "bitrate_kbps", "script_id must not", "character is required", "#RRGGBBAA", "&amp;"):
        assert sum(words in one for one in found) == 1, found


def test_a_script_without_id_or_text_is_checked_in_all_else():
    found = told({"background_color": "white", **LOOK})

    assert found[:2] == ["script_id is missing", "content is missing"]
    assert len(found) == 3


def test_ssml_without_text_says_nothing_of_the_voice_of_a_plain_one():
    look = LOOK | {"voice": "unset"}

    found = told(
        {"script_id": "a", "input_kind": "SSML", "content": 7, **{k: v for k, v in look.items() if k != "voice"}}
    )

    assert found == ["content must be text, not 7"]


def test_a_script_with_a_fault_keeps_its_id_so_that_another_of_this_id_is_told():
    script, _ = found_in({"script_id": "a", "content": "Hi.", "bitrate_kbps": "many"})

    assert script is not None
    assert script.script_id == "a"
    assert found_in({"content": "Hi."})[0] is None
