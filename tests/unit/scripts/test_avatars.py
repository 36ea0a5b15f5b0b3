"""What the catalogue knows of an avatar is said, and the script is sent all the same."""

from datetime import date

import pytest

from batch_avatar.catalog.avatars import characters, photo_avatars
from batch_avatar.models import Script
from batch_avatar.scripts.findings import Level
from batch_avatar.scripts.rules import check_script
from batch_avatar.scripts.voices import Known

LONG_BEFORE, NOVEMBER, DECEMBER, AFTER = date(2026, 9, 1), date(2026, 11, 15), date(2026, 12, 31), date(2027, 1, 1)
PHOTO = {"talking_avatar_style": None, "photo_avatar_base_model": "vasa-1"}


def found(character, style=None, *, today=LONG_BEFORE, **members):
    look = {"voice": "en-US-AvaNeural", "talking_avatar_character": character, "talking_avatar_style": style} | members
    script = Script.model_validate({"script_id": "a", "content": "Hi."} | look)
    findings = list(check_script(script, Known(today)))
    assert {finding.level for finding in findings} <= {Level.WARNING}
    return [(finding.rule, finding.message) for finding in findings]


@pytest.mark.parametrize("name", ["rowan", "celine", "nia", "malik", "harry", "Rowan"])
def test_an_avatar_that_needs_no_style_is_planned_without_one(name):
    assert found(name) == []
    assert found(name, "") == []


@pytest.mark.parametrize("character", characters(), ids=lambda character: character.name)
def test_every_avatar_of_the_catalogue_is_known(character):
    for style in character.styles:
        assert found(character.name.upper(), style.name.upper() or None) == []


@pytest.mark.parametrize("photos", photo_avatars(), ids=lambda photos: photos.base_model)
def test_every_photo_avatar_of_the_catalogue_is_known(photos):
    rules = {rule for name in photos.names for rule, _ in found(name, photo_avatar_base_model=photos.base_model)}

    assert rules == (set() if photos.in_batch else {"photo-not-in-batch"})


@pytest.mark.parametrize(
    ("given", "rule", "message"),
    [
        (("lisa", "gracefull-sitting"), "style-unknown", "lisa has no style gracefull-sitting; did you mean casual-s"),
        (("jeff", "gracefull"), "style-unknown", "jeff has no style gracefull"),
        (("max", "xyz"), "style-unknown", "max has no style xyz; it has business, casual, formal"),
        (("rowan", "casual"), "style-unknown", "rowan has no style casual; it has none, so write unset"),
        (("lisa",), "style-missing", "lisa without talking_avatar_style; it has casual-sitting"),
        (("lisa", ""), "style-missing", "lisa without talking_avatar_style; it has casual-sitting"),
        (
            ("rowen",),
            "avatar-unknown",
            "no standard avatar rowen is known here; for an avatar of your own set customized; did you mean rowan?",
        ),
        (("jef", "casual"), "avatar-unknown", "no standard avatar jef is known here; for an avatar of your own set cu"),
        (("Adrian",), "base-model-missing", "Adrian is a photo avatar; set photo_avatar_base_model to vasa-1"),
    ],
)
def test_what_is_not_known_is_warned_of_with_what_was_probably_meant(given, rule, message):
    [(said, words)] = found(*given, today=NOVEMBER) if given[0] != "jeff" else found(*given)

    assert said == rule
    assert words.startswith(message)


@pytest.mark.parametrize(
    ("given", "rule", "message"),
    [
        ({"talking_avatar_character": "Adrien"}, "avatar-unknown", "did you mean adrian?"),
        ({"talking_avatar_character": "Leonie"}, "avatar-unknown", "it is one of vasa-2"),
        ({"photo_avatar_base_model": "VASA-9"}, "base-model-unknown", "no photo_avatar_base_model vasa-9 is known"),
        ({"talking_avatar_style": "casual"}, "style-unused", "a photo avatar has no styles"),
    ],
)
def test_so_it_is_with_photo_avatars(given, rule, message):
    [(said, words)] = (
        found("adrian", **PHOTO | given)
        if "talking_avatar_character" not in given
        else found(given["talking_avatar_character"], **PHOTO)
    )

    assert said == rule
    assert message in words


@pytest.mark.parametrize("members", [{}, {"photo_avatar_base_model": "vasa-1"}])
def test_a_custom_avatar_is_not_in_the_catalogue(members):
    assert found("Mia", customized=True, **members) == []


@pytest.mark.parametrize("members", [{}, {"photo_avatar_base_model": "vasa-1"}])
def test_a_custom_avatar_has_no_styles(members):
    [(rule, words)] = found("Mia", "business", customized=True, **members)

    assert rule == "style-unused"
    assert words.startswith("a custom avatar has no styles")


@pytest.mark.parametrize(
    ("given", "today", "message"),
    [
        (
            ("jeff", "business"),
            NOVEMBER,
            "jeff is withdrawn in 2026-12; use another avatar, such as harry, max or malik",
        ),
        (("Jeff", "formal"), DECEMBER, "jeff is withdrawn in 2026-12; use another avatar, such as harry, max or malik"),
        (("jeff", "formal"), AFTER, "jeff was withdrawn in 2026-12; use another avatar, such as harry, max or malik"),
        (
            ("lisa", "Graceful-Sitting"),
            NOVEMBER,
            "lisa graceful-sitting is withdrawn in 2026-12; use casual-sitting, or another avatar such as lori or meg",
        ),
    ],
)
def test_a_withdrawal_is_told_60_days_before_with_its_month_and_what_there_is_instead(given, today, message):
    assert found(*given, today=today) == [("avatar-withdrawn", message)]
    assert found(*given, today=LONG_BEFORE) == []


def test_what_is_withdrawn_is_never_suggested():
    for style in ("gracefull-standing", "technical-standin", "graceful"):
        [(_, words)] = found("lisa", style, today=NOVEMBER)
        assert "graceful-standing" not in words.partition(";")[2]
        assert "technical-standing" not in words.partition(";")[2]


UNKNOWN = [
    ({"video_codec": "H246"}, "codec-unknown", "no video_codec h246 is known here; did you mean h264?"),
    ({"subtitle_type": "burned"}, "subtitles-unknown", "no subtitle_type burned is known here"),
    (
        {"background_image": "https://x/y.png", "background_color": "#FFFFFFFF"},
        "image-and-color",
        "background_image and background_color may exclude each other; write unset as one of them",
    ),
    (
        {"voice": None, "customized": True, "use_built_in_voice": True},
        "built-in-voice",
        "use_built_in_voice: no subtitles are made, and gestures are ignored",
    ),
]


@pytest.mark.parametrize(("members", "rule", "message"), UNKNOWN, ids=[rule for _, rule, _ in UNKNOWN])
def test_other_values_that_are_not_known_are_warned_of(members, rule, message):
    assert found("harry", **members) == [(rule, message)]
