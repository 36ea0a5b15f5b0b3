"""What is refused before anything is sent, in words that name it, and what stands right beside it."""

from datetime import date

import pytest

from batch_avatar.models import Script
from batch_avatar.scripts.findings import refusals
from batch_avatar.scripts.rules import check_script, transparent, with_defaults
from batch_avatar.scripts.script_ids import check_script_id
from batch_avatar.scripts.voices import Known
from tests.support.scripts import LOOK

SSML = "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis'><voice name='v'>Hi.</voice></speak>"
PLAIN = {
    "script_id": "intro",
    "content": "Hi.",
    **LOOK,
}
IN_SSML = {"input_kind": "SSML", "content": SSML, "voice": None}
PHOTO = {"talking_avatar_character": "Adrian", "talking_avatar_style": None, "photo_avatar_base_model": "vasa-1"}
CONTAINER = "https://u.blob.core.windows.net/c"
CONTAINER_SAS = f"{CONTAINER}?sv=2024-11-04&sr=c&sp=racwl&se=2026-12-01T00%3A00%3A00Z&sig=secret"


def script(**changes):
    return Script.model_validate(PLAIN | changes)


TODAY = date(2026, 9, 1)


def findings(**changes):
    return list(check_script(script(**changes), Known(TODAY)))


def faults(**changes):
    return [finding.message for finding in refusals(findings(**changes))]


REFUSED = {
    "plain text without a voice": ({"voice": None}, "PlainText needs a voice"),
    "prosody in SSML": (IN_SSML | {"style": "sad", "rate": "+10%"}, "style, rate: for PlainText only"),
    "pitch in SSML": (IN_SSML | {"pitch": "low"}, "pitch: for PlainText only"),
    "volume in SSML": (IN_SSML | {"volume": "80"}, "volume: for PlainText only"),
    "the voice of a standard avatar": ({"use_built_in_voice": True}, "use_built_in_voice needs customized"),
    "the voice of a photo avatar": (
        PHOTO | {"customized": True, "use_built_in_voice": True},
        "use_built_in_voice: a photo avatar has no voice of its own",
    ),
    "no character": ({"talking_avatar_character": None}, "talking_avatar_character is required"),
    "a scene for a video avatar": ({"scene": {"zoom": 2}}, "scene is for photo avatars only"),
    "transparent in mp4": (
        {"background_color": "transparent", "video_format": "mp4"},
        "a transparent background needs webm with vp9, not mp4 with h264",
    ),
    "alpha zero in av1": (
        {"background_color": "#12345600", "video_format": "webm", "video_codec": "av1"},
        "a transparent background needs webm with vp9, not webm with av1",
    ),
    "transparent in hevc": (
        {"background_color": "Transparent", "video_codec": "hevc"},
        "a transparent background needs webm with vp9, not webm with hevc",
    ),
    "a format that cannot be archived": ({"video_format": "MOV"}, "video_format is mp4 or webm, not mov"),
    "vp9 in mp4": ({"video_format": "mp4", "video_codec": "vp9"}, "mp4 carries h264, hevc, av1, not vp9"),
    "h264 in webm": ({"video_format": "webm", "video_codec": "h264"}, "webm carries vp9, av1, not h264"),
    "hevc in webm": ({"video_format": "webm", "video_codec": "hevc"}, "webm carries vp9, av1, not hevc"),
    "a photo avatar in av1": (PHOTO | {"video_codec": "av1"}, "photo avatars are rendered in h264, hevc, vp9, not av1"),
    "a colour by name": ({"background_color": "white"}, "background_color is #RRGGBBAA or transparent, not 'white'"),
    "a colour without alpha": ({"background_color": "#FFFFFF"}, "not '#FFFFFF'"),
    "a colour with a letter too far": ({"background_color": "#GGFFFFFF"}, "not '#GGFFFFFF'"),
    "a picture over http": ({"background_image": "http://x/y.png"}, "background_image must be an https link"),
    "a picture without scheme": ({"background_image": "pictures/y.png"}, "background_image must be an https link"),
    "a path without container": ({"destination_path": "a"}, "destination_path is for use with destination_container"),
    "a container without signature": (
        {"destination_container_url": CONTAINER},
        "needs an ad-hoc service SAS; it lacks sr, sp, se, sig",
    ),
    "a stored access policy": (
        {"destination_container_url": f"{CONTAINER}?sv=1&sr=c&si=policy&sig=x"},
        "needs an ad-hoc service SAS; it lacks sp, se",
    ),
    "an account SAS": (
        {"destination_container_url": f"{CONTAINER}?ss=b&srt=co&sp=rwl&se=2027&sig=x"},
        "needs an ad-hoc service SAS; it lacks sr",
    ),
    "the SAS of a blob": (
        {"destination_container_url": f"{CONTAINER}?sr=b&sp=rwl&se=2027&sig=x"},
        "must be for a container (sr=c)",
    ),
    "a SAS that cannot list": (
        {"destination_container_url": f"{CONTAINER}?sr=c&sp=rw&se=2027&sig=x"},
        "with read, write and list",
    ),
    "SSML that is no XML": (IN_SSML | {"content": "Hi."}, "there is no tag in it, so it is no SSML"),
    "SSML that is not closed": (IN_SSML | {"content": "<speak><voice>Hi.</speak>"}, "<voice> of line 1 is not closed"),
    "an unknown prefix": (IN_SSML | {"content": "<speak><m:x/></speak>"}, "the prefix m: of <m:x> is not declared"),
    "another root": (IN_SSML | {"content": "<p>Hi.</p>"}, "it begins with <p>; SSML is one <speak>"),
    "SSML without a voice": (IN_SSML | {"content": "<speak>Hi.</speak>"}, "no voice is named"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_one_fault_that_names_it(name):
    changes, words = REFUSED[name]

    found = faults(**changes)

    assert len(found) == 1
    assert words in found[0]


ACCEPTED = {
    "plain text with a voice": {},
    "prosody in plain text": {"style": "sad", "rate": "+10%", "pitch": "low", "volume": "80"},
    "SSML with a voice inside": IN_SSML,
    "SSML with a voice outside as well": IN_SSML | {"voice": "v"},
    "SSML with an XML declaration": IN_SSML | {"content": f"<?xml version='1.0' encoding='utf-8'?>{SSML}"},
    "SSML without namespace": IN_SSML | {"content": "<speak><voice name='v'>Hi.</voice></speak>"},
    "the trained voice of a custom avatar": {"voice": None, "customized": True, "use_built_in_voice": True},
    "a custom avatar without style": {"customized": True, "talking_avatar_style": None},
    "a photo avatar": PHOTO,
    "a photo avatar with a scene": PHOTO | {"scene": {"zoom": 2}},
    "a photo avatar in vp9": PHOTO | {"video_codec": "vp9"},
    "a photo avatar in hevc": PHOTO | {"video_codec": "hevc"},
    "a custom photo avatar": PHOTO | {"customized": True},
    "h264 in mp4": {"video_format": "mp4", "video_codec": "h264"},
    "hevc in mp4": {"video_format": "mp4", "video_codec": "hevc"},
    "av1 in mp4": {"video_format": "mp4", "video_codec": "av1"},
    "vp9 in webm": {"video_format": "webm", "video_codec": "vp9"},
    "av1 in webm": {"video_format": "webm", "video_codec": "av1"},
    "transparent, and nothing said of the format": {"background_color": "transparent"},
    "alpha zero in webm": {"background_color": "#00000000", "video_format": "webm"},
    "a colour": {"background_color": "#ffAA00fF", "video_format": "mp4"},
    "a picture": {"background_image": "https://x/y.png"},
    "a container": {"destination_container_url": CONTAINER_SAS},
    "a container and a path": {"destination_container_url": CONTAINER_SAS, "destination_path": "a/b"},
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_its_neighbour_is_accepted(name):
    assert faults(**ACCEPTED[name]) == []


def test_every_broken_rule_is_told_at_once():
    found = faults(voice=None, talking_avatar_character=None, background_color="white", destination_path="a")

    assert len(found) == 4


@pytest.mark.parametrize("bomb", ["<!ENTITY a 'b'>", "<!ENTITY a SYSTEM 'file:///etc/passwd'>"])
def test_ssml_may_not_define_entities(bomb):
    content = f"<!DOCTYPE speak [{bomb}]><speak><voice name='v'>&a;</voice></speak>"

    [fault] = faults(**IN_SSML | {"content": content})

    assert "its DOCTYPE declares entities" in fault


def test_no_fault_repeats_a_signature():
    found = faults(destination_container_url=f"{CONTAINER}?sr=b&sp=r&se=2027&sig=canary")

    assert found
    assert "canary" not in "".join(found)


@pytest.mark.parametrize(
    ("script_id", "words"),
    [
        ("a\\b", "must not contain"),
        ("a..b", "'..'"),
        ("..", "'..'"),
        ("a\nb", "control characters"),
        ("a\x7fb", "control characters"),
        ("\x00", "control characters"),
        ("_failed", "must not start with '_'"),
        ("_x", "must not start with '_'"),
        (" a", "must not begin or end with a blank"),
        ("a ", "must not begin or end with a blank"),
        ("a.", "nor end with a dot"),
        (".", "nor end with a dot"),
    ],
)
def test_a_script_id_that_would_leave_its_folder_is_refused(script_id, words):
    assert words in "; ".join(check_script_id(script_id))


@pytest.mark.parametrize("script_id", ["a", "a_b", "a-b", "a.b", "a b", "größe", "日本", "01", "-", "a" * 200])
def test_any_other_script_id_is_accepted(script_id):
    assert list(check_script_id(script_id)) == []


@pytest.mark.parametrize(
    ("color", "clear"),
    [
        ("transparent", True),
        ("Transparent", True),
        ("#00000000", True),
        ("#FFFFFF00", True),
        ("#FFFFFFFF", False),
        ("#00000001", False),
        ("#FF0000", False),
        (None, False),
    ],
)
def test_transparent_is_the_word_or_an_alpha_of_zero(color, clear):
    assert transparent(color) is clear


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({}, ("mp4", "h264")),
        ({"video_format": "webm"}, ("webm", "vp9")),
        ({"video_codec": "vp9"}, ("webm", "vp9")),
        ({"video_codec": "av1"}, ("mp4", "av1")),
        ({"background_color": "#00000000"}, ("webm", "vp9")),
        ({"background_color": "transparent", "video_format": "mp4"}, ("mp4", "h264")),
        ({"video_format": "mp4", "video_codec": "hevc"}, ("mp4", "hevc")),
    ],
)
def test_what_is_sent_plays_in_browsers_and_carries_transparency(changes, sent):
    done = with_defaults(script(**changes))

    assert (done.video_format, done.video_codec) == sent
    assert done.model_copy(update={"video_format": None, "video_codec": None}) == script(
        **changes | {"video_format": None, "video_codec": None}
    )
