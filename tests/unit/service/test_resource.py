"""What a resource cannot do, as the settings say."""

import pytest

from batch_avatar.models import Script
from batch_avatar.service.resource import Resource
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
