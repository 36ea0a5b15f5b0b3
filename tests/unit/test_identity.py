"""Ids that may never change: an id that changes renders, and bills, a whole archive again."""

import hashlib
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from batch_avatar.identity import (
    archive_of,
    derive_content_id,
    derive_job_id,
    mark_description,
    normal_form,
    normalise_newlines,
    recorded_form,
    signed_properties,
)
from batch_avatar.models import Script
from batch_avatar.rules import with_defaults

ARCHIVE = "00112233445566aa"
JOB_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{1,62}[A-Za-z0-9]$")
PLAIN = {
    "script_id": "intro",
    "content": "The rainbow has seven colors.",
    "voice": "en-US-AvaMultilingualNeural",
    "talking_avatar_character": "lisa",
    "talking_avatar_style": "graceful-sitting",
}
SSML = "<speak version='1.0' xml:lang='en-US'><voice name='en-US-AvaMultilingualNeural'>Hi.</voice></speak>"
IMAGE = "https://pictures.blob.core.windows.net/c/sky.png"
SAS = "sv=2024-11-04&se=2026-12-01T00%3A00%3A00Z&sr=b&sp=r&sig=abc%2Bdef%3D"


def script(**changes):
    return Script.model_validate(PLAIN | changes)


def content_id(**changes):
    return derive_content_id(script(**changes), archive_id=ARCHIVE)


GOLDEN = {
    "plain": ({}, "6f10a819bfd600c1"),
    "ssml": ({"input_kind": "SSML", "content": SSML, "voice": None}, "effc2173acb826fe"),
    "two lines": ({"content": "One.\nTwo."}, "a978bb042ad6f2b1"),
    "non-ascii": ({"script_id": "größe-日本", "content": "Grüße, 日本! 🎬"}, "17e6423d075129f2"),
    "background image": ({"background_image": f"{IMAGE}?width=10"}, "6d905445eaac111f"),
    "every video property": (
        {
            "video_format": "webm",
            "video_codec": "vp9",
            "bitrate_kbps": 500,
            "subtitle_type": "external_file",
            "background_color": "#00000000",
            "video_crop": {"top_left": {"x": 0, "y": 0}, "bottom_right": {"x": 960, "y": 1080.5}},
            "avatar_position": {"x": 1, "y": 2},
            "avatar_size": {"x": 3, "y": 4},
            "resolution": {"x": 1920, "y": 1080},
        },
        "74147b44f7b82efe",
    ),
    "photo avatar": (
        {
            "talking_avatar_character": "Adrian",
            "talking_avatar_style": None,
            "photo_avatar_base_model": "vasa-1",
            "scene": {"zoom": 1.5, "position_x": 0.1, "rotation_z": -0.5, "amplitude": 0.9},
        },
        "c564a8098d3358d7",
    ),
    "custom avatar and voices": (
        {
            "customized": True,
            "use_built_in_voice": False,
            "custom_voices": {"BetaVoice": "id-2", "AlphaVoice": "id-1"},
            "style": "cheerful",
            "rate": "+10%",
            "pitch": "low",
            "volume": "80",
        },
        "ec3d741cb69b18ec",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_content_id_is_what_it_always_was(name):
    changes, expected = GOLDEN[name]

    assert content_id(**changes) == expected


def test_the_content_id_is_the_hash_of_a_form_that_anyone_can_write_down():
    form = (
        '{"algorithm":1,"archive_id":"00112233445566aa","script":{"content":"The rainbow has seven colors.",'
        '"input_kind":"PlainText","talking_avatar_character":"lisa","talking_avatar_style":"graceful-sitting",'
        '"voice":"en-us-avamultilingualneural"},"script_id":"intro"}'
    )

    assert content_id() == hashlib.sha256(form.encode()).hexdigest()[:16]


def test_a_revision_has_an_id_of_its_own_that_never_changes():
    plain = script()

    assert derive_content_id(plain, archive_id=ARCHIVE, revision=0) == GOLDEN["plain"][1]
    assert derive_content_id(plain, archive_id=ARCHIVE, revision=1) == "582d6c806f76a27e"
    assert derive_content_id(plain, archive_id=ARCHIVE, revision=2) == "1290386445588a7a"


def test_two_archives_never_share_an_id():
    assert derive_content_id(script(), archive_id="ffeeddccbbaa0099") == "2a0f5372016a1c79"


def test_the_script_id_is_part_of_the_id():
    assert content_id(script_id="intro2") != content_id()


@pytest.mark.parametrize("content", ["One.\r\nTwo.", "One.\rTwo.", "One.\nTwo."])
def test_how_lines_end_does_not_matter(content):
    assert content_id(content=content) == GOLDEN["two lines"][1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " ", "\t", "\n\n \n"])
def test_blanks_and_newlines_at_the_end_do_not_matter(end):
    assert content_id(content="One.\nTwo." + end) == GOLDEN["two lines"][1]


def test_blanks_and_newlines_elsewhere_matter():
    contents = ("One.\nTwo.", "\nOne.\nTwo.", " One.\nTwo.", "One.\n\nTwo.", "One. \nTwo.")

    assert len({content_id(content=content) for content in contents}) == len(contents)


def test_a_script_id_is_the_same_however_its_accents_are_written():
    nfc, nfd = (script(script_id=unicodedata.normalize(form, "größe-é")) for form in ("NFC", "NFD"))

    assert nfc.script_id == nfd.script_id == unicodedata.normalize("NFC", "größe-é")
    assert derive_content_id(nfc, archive_id=ARCHIVE) == derive_content_id(nfd, archive_id=ARCHIVE)


def test_every_newline_is_one_line_feed():
    assert normalise_newlines("a\r\nb\rc\n\r\nd") == "a\nb\nc\n\nd"


@pytest.mark.parametrize(
    "name", ["style", "scene", "custom_voices", "video_format", "bitrate_kbps", "background_color", "customized"]
)
def test_a_member_that_is_null_is_a_member_left_out(name):
    assert content_id(**{name: None}) == content_id()


@pytest.mark.parametrize(
    ("spelled", "folded"),
    [
        ({"input_kind": "plaintext"}, {"input_kind": "PlainText"}),
        ({"video_format": "MP4"}, {"video_format": "mp4"}),
        ({"video_codec": "HEVC"}, {"video_codec": "hevc"}),
        ({"subtitle_type": "Soft_Embedded"}, {"subtitle_type": "soft_embedded"}),
        ({"background_color": "#ffAABBff"}, {"background_color": "#FFAABBFF"}),
        ({"voice": "EN-us-avamultilingualneural"}, {}),
        ({"talking_avatar_character": "Lisa"}, {}),
        ({"talking_avatar_style": "Graceful-Sitting"}, {}),
    ],
)
def test_the_case_of_what_the_service_compares_without_case_does_not_matter(spelled, folded):
    assert content_id(**spelled) == content_id(**folded)


def test_the_case_of_what_is_spoken_matters():
    assert content_id(content="US") != content_id(content="us")


def test_the_names_of_custom_voices_keep_their_case():
    assert normal_form(script(custom_voices={"MyVoice": "Id-1"}))["custom_voices"] == {"MyVoice": "Id-1"}


def test_a_signed_picture_is_the_same_picture_without_its_signature():
    assert content_id(background_image=f"{IMAGE}?width=10&{SAS}") == GOLDEN["background image"][1]


def test_two_signatures_for_one_picture_give_one_id():
    renewed = SAS.replace("2026-12-01", "2027-01-01").replace("abc", "xyz")

    assert content_id(background_image=f"{IMAGE}?{SAS}") == content_id(background_image=f"{IMAGE}?{renewed}")


def test_other_query_parameters_of_a_picture_matter():
    assert content_id(background_image=f"{IMAGE}?width=10") != content_id(background_image=f"{IMAGE}?width=20")
    assert content_id(background_image=f"{IMAGE}?width=10&{SAS}") != content_id(background_image=f"{IMAGE}?{SAS}")


def test_without_a_signature_no_parameter_is_taken_for_a_part_of_one():
    assert content_id(background_image=f"{IMAGE}?sv=1") != content_id(background_image=f"{IMAGE}?sv=2")


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "for the spring campaign"},
        {"time_to_live_in_hours": 24},
        {"destination_container_url": "https://u.blob.core.windows.net/c?sr=c&sp=rwl&se=2027&sig=x"},
        {"destination_path": "videos/spring"},
    ],
)
def test_what_decides_neither_picture_nor_sound_is_left_out(changes):
    assert content_id(**changes) == GOLDEN["plain"][1]


@pytest.mark.parametrize("changes", [{}, {"background_color": "transparent"}, {"video_codec": "vp9"}])
def test_our_defaults_never_change_the_id_of_a_script_as_written(changes):
    written = script(**changes)
    before = derive_content_id(written, archive_id=ARCHIVE)

    sent = with_defaults(written)

    assert sent != written
    assert derive_content_id(written, archive_id=ARCHIVE) == before
    assert not {"video_format", "video_codec"} & (normal_form(written).keys() - changes.keys())


def test_a_property_that_a_later_version_adds_changes_no_id_while_it_is_unset():
    class LaterScript(Script):
        gaze: str | None = Field(default=None)

    later = LaterScript.model_validate(PLAIN)

    assert derive_content_id(later, archive_id=ARCHIVE) == GOLDEN["plain"][1]
    set_ = LaterScript.model_validate(PLAIN | {"gaze": "left"})
    assert derive_content_id(set_, archive_id=ARCHIVE) != GOLDEN["plain"][1]


def test_every_property_of_a_script_decides_or_is_known_not_to():
    """A new property must be sorted in here: does it decide picture or sound?"""
    left_out = {"script_id", "description", "time_to_live_in_hours", "destination_container_url", "destination_path"}
    examples = {
        "input_kind": {"input_kind": "SSML"},
        "content": {"content": "x"},
        "voice": {"voice": "x"},
        "talking_avatar_character": {"talking_avatar_character": "x"},
        "talking_avatar_style": {"talking_avatar_style": "x"},
        "background_image": {"background_image": IMAGE},
    }
    for changes, _ in GOLDEN.values():
        for name, value in changes.items():
            examples.setdefault(name, {name: value})

    assert examples.keys() - left_out == Script.model_fields.keys() - left_out
    for name in examples.keys() - left_out:
        assert content_id(**examples[name]) != content_id(), name


@pytest.mark.parametrize(
    ("script_id", "expected"),
    [
        ("intro", "intro-0123456789abcdef-1"),
        ("Intro_01", "Intro_01-0123456789abcdef-1"),
        ("a b.c", "a-b-c-0123456789abcdef-1"),
        ("日本", "s-0123456789abcdef-1"),
        ("-x-", "x-0123456789abcdef-1"),
        ("x" * 200, "x" * 40 + "-0123456789abcdef-1"),
        ("x" * 39 + "-y", "x" * 39 + "-0123456789abcdef-1"),
    ],
)
def test_the_job_id_starts_with_what_people_know_the_script_by(script_id, expected):
    assert derive_job_id(script_id, "0123456789abcdef", 1) == expected


@given(
    script_id=st.text(min_size=1, max_size=200),
    content_id=st.text("0123456789abcdef", min_size=16, max_size=16),
    attempt=st.integers(min_value=1, max_value=99),
)
def test_every_job_id_obeys_the_services_rule(script_id, content_id, attempt):
    assert JOB_ID.fullmatch(derive_job_id(script_id, content_id, attempt))


@given(script_id=st.from_regex(r"[A-Za-z0-9_. -]{1,200}", fullmatch=True), attempt=st.integers(1, 99))
def test_a_job_id_tells_content_and_attempt(script_id, attempt):
    _, found, number = derive_job_id(script_id, "0123456789abcdef", attempt).rsplit("-", 2)

    assert (found, int(number)) == ("0123456789abcdef", attempt)


@pytest.mark.parametrize("description", [None, "", "spring campaign", "batch-avatar:ffffffffffffffff", "größe 日本"])
def test_the_archives_mark_survives_any_description(description):
    assert archive_of(mark_description(description, ARCHIVE)) == ARCHIVE


def test_the_mark_leaves_the_description_readable():
    assert mark_description("spring campaign", ARCHIVE) == f"batch-avatar:{ARCHIVE} spring campaign"
    assert mark_description(None, ARCHIVE) == f"batch-avatar:{ARCHIVE}"


def test_the_first_mark_counts():
    first, second = "0" * 16, "f" * 16

    assert archive_of(f"batch-avatar:{first} batch-avatar:{second}") == first
    assert archive_of(f"spring batch-avatar:{first}") == first  # as earlier versions wrote it


# What claims keep


@pytest.mark.parametrize("name", GOLDEN)
def test_the_recorded_form_is_the_normal_form_without_the_text(name):
    written = script(**GOLDEN[name][0])
    digest = hashlib.sha256(normal_form(written)["content"].encode()).hexdigest()

    assert recorded_form(written) == normal_form(written) | {"content": f"sha256:{digest}"}
    assert written.content not in str(recorded_form(written))


def test_the_recorded_text_is_told_apart_as_the_id_tells_it_apart():
    recorded = [recorded_form(script(content=content))["content"] for content in ("a\nb", "a\r\nb\n", "a b")]

    assert recorded[0] == recorded[1] != recorded[2]


def test_the_recorded_form_holds_no_signature():
    recorded = recorded_form(script(background_image=f"{IMAGE}?{SAS}", destination_container_url=f"{IMAGE}?{SAS}"))

    assert recorded["background_image"] == IMAGE
    assert "sig" not in str(recorded)


@pytest.mark.parametrize(
    ("changes", "signed"),
    [
        ({}, []),
        ({"background_image": IMAGE}, []),
        ({"background_image": f"{IMAGE}?width=10"}, []),
        ({"background_image": f"{IMAGE}?sv=1&se=2"}, []),
        ({"background_image": f"{IMAGE}#sig=x"}, []),
        ({"background_image": f"{IMAGE}?title=a%20b"}, []),
        ({"background_image": f"{IMAGE}?"}, []),
        ({"background_image": IMAGE.replace("https", "HTTPS")}, []),
        ({"background_image": f"{IMAGE}?{SAS}"}, ["background_image"]),
        ({"background_image": f"{IMAGE}?{SAS}#top"}, ["background_image"]),
        ({"background_image": f"{IMAGE}?width=10&sig=x"}, ["background_image"]),
        ({"destination_container_url": f"https://x/c?{SAS}"}, ["destination_container_url"]),
        (
            {"background_image": f"{IMAGE}?{SAS}", "destination_container_url": f"https://x/c?{SAS}"},
            ["background_image", "destination_container_url"],
        ),
    ],
)
def test_properties_that_hold_a_signature_are_named(changes, signed):
    assert signed_properties(script(**changes)) == signed


@pytest.mark.parametrize("description", [None, "", "by hand", "batch-avatar:", "batch-avatar:0011"])
def test_a_job_of_somebody_else_carries_no_mark(description):
    assert archive_of(description) is None
