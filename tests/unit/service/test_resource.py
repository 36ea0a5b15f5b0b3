"""What a resource cannot do, as the settings say, and when what happens there has one cause."""

import pytest

from batch_avatar.models import Script
from batch_avatar.service.resource import SYSTEMIC, InARow, Resource
from tests.support.scripts import LOOK


def resource(*unsupported):
    """One of which only this is looked at; `connect` gives the names in lower case."""
    unused = dict.fromkeys(("client", "admission", "watcher", "deadlines"))
    return Resource(name="here", host="here.example", unsupported=frozenset(unsupported), **unused)


def script(**members):
    given = {
        "script_id": "intro",
        "content": "Hello.",
        **LOOK,
        "talking_avatar_character": "Lisa",
    }
    return Script.model_validate(given | members)


def ssml(content, **members):
    return script(input_kind="SSML", content=content, **({"voice": None} | members))


def test_a_resource_of_which_nothing_is_said_can_do_everything():
    assert resource().can_render(script())


@pytest.mark.parametrize("unsupported", ["en-us-avamultilingualneural", "lisa"])
def test_a_voice_or_a_character_that_it_cannot_do_is_respected_in_any_case(unsupported):
    assert not resource(unsupported).can_render(script())


@pytest.mark.parametrize("unsupported", ["en-us-guyneural", "harry", "graceful-sitting", "hello.", "lis"])
def test_what_the_script_does_not_need_is_no_hindrance(unsupported):
    assert resource(unsupported).can_render(script())


@pytest.mark.parametrize(
    "content",
    [
        "<speak><voice name='en-US-GuyNeural'>Hello.</voice></speak>",
        '<speak><voice xml:lang="en-US" name="en-US-GuyNeural">Hello.</voice></speak>',
        "<speak><voice\n  name = 'en-us-guyneural' effect='eq_car'>Hello.</voice></speak>",
        "<speak><voice name='en-US-AvaNeural'>Hi.</voice><voice name='en-US-GuyNeural'>Hello.</voice></speak>",
        "<speak><VOICE NAME='en-US-GuyNeural'>Hello.</VOICE></speak>",
    ],
)
def test_every_voice_of_an_ssml_text_counts(content):
    assert not resource("en-us-guyneural").can_render(ssml(content))
    assert resource("en-us-jennyneural").can_render(ssml(content))


def test_a_voice_that_is_only_spoken_of_does_not_count():
    content = "<speak><voice name='en-US-AvaNeural'>My name is en-US-GuyNeural.</voice></speak>"

    assert resource("en-us-guyneural").can_render(ssml(content))


def test_the_voice_beside_an_ssml_text_is_not_used_by_the_service_and_does_not_count():
    content = "<speak><voice name='en-US-AvaNeural'>Hello.</voice></speak>"

    assert resource("en-us-guyneural").can_render(ssml(content, voice="en-US-GuyNeural"))


def test_a_script_without_voice_or_character_needs_none():
    assert resource("lisa").can_render(script(voice=None, talking_avatar_character=None, use_built_in_voice=True))


# Patterns

HD = "en-US-Ava:DragonHDLatestNeural"


@pytest.mark.parametrize(
    ("pattern", "voice"),
    [
        ("*:dragonhd*", HD),
        ("en-us-*", HD),
        ("*", HD),
        ("me?", "en-US-AvaNeural"),
        ("*dragonhd*", "en-US-Ava-DragonHDOmniLatestNeural"),
        ("*(en-us, *)", "Microsoft Server Speech Text to Speech Voice (en-US, JennyNeural)"),
    ],
)
def test_a_pattern_covers_many_names(pattern, voice):
    assert not resource(pattern).can_render(script(voice=voice, talking_avatar_character="Meg"))


@pytest.mark.parametrize("pattern", ["*:dragonhd*", "dragonhd", "en-gb-*", "me", "meg?", "*graceful*"])
def test_a_pattern_covers_whole_names_only(pattern):
    assert resource(pattern).can_render(script(talking_avatar_character="Meg"))


def test_a_pattern_covers_no_voice_that_is_not_named():
    assert resource("?*neural").can_render(ssml("<speak>Hello.</speak>"))


def test_a_name_that_is_made_to_take_long_takes_no_longer_than_any():
    assert resource("*a*a*a*a*a*a*b").can_render(script(voice="a" * 200_000))


# Reasons that come up in a row


def noted(*ends):
    row = InARow()
    for source, reasons in enumerate(ends):
        row.note(reasons, source)
    return row.systemic


def test_a_reason_is_systemic_once_it_came_up_often_enough_in_a_row():
    assert noted(*[("size",)] * (SYSTEMIC - 1)) == ()
    assert noted(*[("size",)] * SYSTEMIC) == ("size",)


def test_an_end_without_the_reason_begins_the_count_anew():
    assert noted(*[("size",)] * (SYSTEMIC - 1), (), *[("size",)] * (SYSTEMIC - 1)) == ()
    assert noted(*[("size",)] * SYSTEMIC, ("status",)) == ()


def test_each_reason_is_counted_by_itself():
    assert noted(("size", "status"), *[("status",)] * (SYSTEMIC - 2), ("link", "status")) == ("status",)


def test_what_has_one_source_counts_once():
    row = InARow()
    for _ in range(SYSTEMIC):
        row.note(("status",), "the-same-pack")

    assert row.systemic == ()
