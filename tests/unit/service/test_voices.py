"""Which voices an SSML text names, well-formed or not."""

import pytest

from batch_avatar.models import Script
from batch_avatar.scripts.prediction.predictor import Predictor
from batch_avatar.service.resource import Resource
from batch_avatar.service.wire.voices import voice_names
from tests.support.scripts import LOOK


@pytest.mark.parametrize(
    ("ssml", "names"),
    [
        ("<speak><voice name='a'>Hi.</voice><voice name=\"b\">Hi.</voice></speak>", ["a", "b"]),
        ("<voice\n xml:lang='en' effect = 'x>y'\tNAME = 'a'>", ["a"]),
        ("<ssml:voice name='a'/>", ["a"]),
        ("<voice name='a&amp;b'/>", ["a&b"]),
        ("<voice name='a>b'/>", ["a>b"]),
        ("<voice xname='a' name='b'/>", ["b"]),
        ("<voice lang=\"name='a'\" name='b'/>", ["b"]),
        ("<voice> name='a'</voice>", []),
        ("<voice name=a>", []),
        ("<voices name='a'/>", []),
        ("<voice name='a", []),
        ("<voice <voice name='a'>", ["a"]),
        ("I say voice name='a'.", []),
    ],
)
def test_voices_are_read_where_they_are_named(ssml, names):
    assert list(voice_names(ssml)) == names


@pytest.mark.parametrize(
    "text",
    [
        "<voice " * 70_000,
        "<voice name" * 45_000,
        "<voice name=" * 40_000,
        "<voice " + "name " * 100_000,
        "<voice " + "a='b' " * 80_000,
        "<voice" + " " * 490_000,
        "<voice a='" * 45_000,
        "<a:" * 160_000,
    ],
    ids=range(8),
)
def test_a_text_that_is_made_to_take_long_takes_no_longer_than_any(text):
    script = Script.model_validate({"script_id": "a", "content": text, "input_kind": "SSML", **LOOK})
    unused = dict.fromkeys(("client", "admission", "watcher", "deadlines"))
    resource = Resource(name="here", host="here.example", unsupported=frozenset(["x"]), **unused)

    assert list(voice_names(text)) == []
    assert resource.can_render(script)
    assert Predictor().predict(script).voice == LOOK["voice"].lower()
