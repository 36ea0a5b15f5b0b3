"""A gesture that the avatar does not have is warned of, because the service leaves it out without a word."""

from datetime import date

import pytest

from batch_avatar.scripts.rules import check_script
from batch_avatar.scripts.voices import Known
from tests.support.scripts import script

PHOTO = {"talking_avatar_character": "adrian", "talking_avatar_style": None, "photo_avatar_base_model": "vasa-1"}


def told(mark, **look):
    content = (
        "<speak version='1.0' xml:lang='en-US'><voice name='en-US-AvaNeural'>"
        f"Hi <bookmark mark='{mark}'/></voice></speak>"
    )
    found = check_script(script(input_kind="SSML", content=content, **look), Known(date(2026, 9, 1)))
    return [one.message for one in found if one.rule == "gesture-unknown"]


@pytest.mark.parametrize(
    ("mark", "look", "words"),
    [
        ("gesture.show-front-10", {}, "lisa casual-sitting has no gesture show-front-10; it has numeric1-left-1"),
        ("gesture.Show-Front-1", {}, "did you mean show-front-1?"),
        ("Gesture.show-front-1", {}, "did you mean show-front-1?"),
        ("gesture.", {}, "has no gesture ; it has"),
        ("gesture.hello", {"talking_avatar_style": "graceful-standing"}, "has no gesture hello; it has none"),
        ("gesture.show-front-1", {"talking_avatar_character": "harry", "talking_avatar_style": None}, "harry has no"),
        ("gesture.hello", PHOTO, "photo avatars have no gestures"),
    ],
)
def test_what_the_avatar_does_not_have_is_told_with_what_it_has(mark, look, words):
    [message] = told(mark, **look)

    assert words in message


@pytest.mark.parametrize(
    ("mark", "look"),
    [
        ("gesture.show-front-1", {}),
        ("gesture.show-front-1", {"talking_avatar_character": "LISA", "talking_avatar_style": "Casual-Sitting"}),
        ("gesture.hello", {"talking_avatar_character": "harry", "talking_avatar_style": None}),
        ("gesture.anything", {"talking_avatar_character": "new-one"}),
        ("gesture.anything", {"talking_avatar_style": "new-one"}),
        ("gesture.anything", {"customized": True, "talking_avatar_character": "mine", "talking_avatar_style": None}),
        ("chapter-2", {}),
    ],
)
def test_nothing_is_said_of_what_it_has_or_where_nothing_is_known(mark, look):
    assert told(mark, **look) == []
