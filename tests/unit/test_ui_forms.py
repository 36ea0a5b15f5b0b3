"""A script as a form in the Prefect UI."""

from __future__ import annotations

import jsonschema
import pytest
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from batch_avatar.models import Script
from batch_avatar.ui_forms import FIRST
from tests.support.processes import ROOT

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


CHOICES = {
    "talking_avatar_character": ["harry", "lisa", "lori", "max", "meg", "rowan", "celine", "nia", "malik"],
    "video_format": ["mp4", "webm"],
    "video_codec": ["h264", "hevc", "vp9", "av1"],
    "subtitle_type": ["soft_embedded", "hard_embedded", "external_file", "none"],
    "photo_avatar_base_model": ["vasa-1"],
}


@pytest.mark.parametrize("name", CHOICES)
def test_choices_are_suggested_in_a_plain_field(name):
    assert PROPERTIES[name]["examples"] == CHOICES[name]
    assert PROPERTIES[name]["type"] == "string"
    assert not {"enum", "const", "anyOf", "default"} & PROPERTIES[name].keys()
    assert all(choice in PROPERTIES[name]["description"] for choice in CHOICES[name])


def test_no_form_names_an_avatar_that_goes():
    texts = str([PROPERTIES[name] for name in ("talking_avatar_character", "talking_avatar_style")])

    assert "casual-sitting" in texts
    assert not [name for name in ("jeff", "graceful-s", "technical") if name in texts]


def test_only_what_decides_how_a_text_is_read_is_a_closed_choice():
    assert [name for name, about in PROPERTIES.items() if "enum" in about] == ["input_kind"]
    assert PROPERTIES["input_kind"]["default"] == "PlainText"


@pytest.mark.parametrize("more", [{}, {"video_format": "webm"}, {"scene": {"zoom": 2}}, {"customized": None}])
def test_what_the_form_sends_is_valid_and_a_script(more):
    jsonschema.validate(LEAST | more, SCHEMA)
    Script.model_validate(LEAST | more)


@pytest.mark.parametrize("name", [*CHOICES, "talking_avatar_style"])
def test_a_choice_that_is_not_known_here_may_be_entered(name):
    jsonschema.validate(LEAST | {name: "newer"}, SCHEMA)


def test_what_is_no_choice_at_all_is_refused_before_anything_runs():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(LEAST | {"video_format": 1}, SCHEMA)


@pytest.mark.parametrize("name", ["background_image", "destination_container_url"])
def test_a_link_says_beforehand_that_what_is_entered_is_kept(name):
    assert "with a signature" in PROPERTIES[name]["description"]
    assert "Prefect keeps what is entered, also if it is refused" in PROPERTIES[name]["description"]


@pytest.mark.parametrize(("flow", "parameter"), [("render_script", "script"), ("render_batch", "scripts")])
def test_the_form_says_beforehand_that_what_is_entered_is_kept(flow, parameter):
    loaded = load_flow_from_entrypoint(f"{ROOT}/flows/{flow}.py:{flow}", use_placeholder_flow=False)
    help_text = " ".join(parameter_schema(loaded).properties[parameter]["description"].split())
    assert "Prefect keeps what is entered, also if it is refused: enter no link with a signature" in help_text
