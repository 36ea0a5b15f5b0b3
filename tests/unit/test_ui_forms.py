"""A script as a form in the Prefect UI."""

from __future__ import annotations

import jsonschema
import pytest

from batch_avatar.models import Script
from batch_avatar.ui_forms import FIRST

SCHEMA = Script.model_json_schema()
PROPERTIES = SCHEMA["properties"]
LEAST = {"script_id": "intro", "content": "Hello."}


def test_what_most_people_fill_in_comes_first():
    assert tuple(sorted(PROPERTIES, key=lambda name: PROPERTIES[name]["position"]))[: len(FIRST)] == FIRST


def test_every_place_is_taken_once():
    assert sorted(about["position"] for about in PROPERTIES.values()) == list(range(len(PROPERTIES)))


@pytest.mark.parametrize("name", ["voice", "talking_avatar_style", "bitrate_kbps", "video_codec"])
def test_a_text_a_number_or_a_choice_is_a_plain_field_without_a_value(name):
    assert "anyOf" not in PROPERTIES[name]
    assert "default" not in PROPERTIES[name]


def test_choices_are_listed():
    assert PROPERTIES["video_format"]["enum"] == ["mp4", "webm"]
    assert PROPERTIES["input_kind"]["default"] == "PlainText"


def test_a_single_choice_is_not_filled_in_by_itself():
    assert PROPERTIES["photo_avatar_base_model"]["default"] is None


@pytest.mark.parametrize("more", [{}, {"video_format": "webm"}, {"scene": {"zoom": 2}}, {"customized": None}])
def test_what_the_form_sends_is_valid_and_a_script(more):
    jsonschema.validate(LEAST | more, SCHEMA)
    Script.model_validate(LEAST | more)


def test_a_wrong_choice_is_refused_before_anything_runs():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(LEAST | {"video_format": "avi"}, SCHEMA)
