"""Ids that may never change: an id that changes renders, and bills, a whole archive again."""

import hashlib
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from batch_avatar.archive.records import Claim
from batch_avatar.identity import (
    archive_of,
    derive_content_id,
    derive_job_id,
    form_digest,
    form_digests,
    mark_description,
    normal_form,
    normalise_newlines,
    parse_job_id,
    recorded_form,
    signed_properties,
)
from batch_avatar.models import Script
from batch_avatar.receipt import Attempt
from batch_avatar.scripts.rules import with_defaults

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
    "custom avatar with a default style": ({"talking_avatar_character": "Mia", "customized": True}, "8aeca3c6b0715776"),
    "photo avatar with a default style": (
        {"talking_avatar_character": "Adrian", "photo_avatar_base_model": "vasa-1"},
        "1563335feaf46924",
    ),
    "ssml with a default voice": ({"input_kind": "SSML", "content": SSML}, "ce2020c648402083"),
    "ssml with a default rate": (
        {"input_kind": "SSML", "content": SSML, "voice": None, "rate": "+10%"},
        "1a60e63f7affe10e",
    ),
    "a voice of its own with a default voice and subtitles": (
        {
            "talking_avatar_character": "Mia",
            "talking_avatar_style": None,
            "customized": True,
            "use_built_in_voice": True,
            "subtitle_type": "soft_embedded",
        },
        "76209745e53f3e74",
    ),
    "a standard avatar with a default scene": ({"scene": {"zoom": 2}}, "1fa1d3c2e1222701"),
    "nothing set": (
        {"voice": None, "talking_avatar_character": None, "talking_avatar_style": None},
        "56015296a283a6d4",
    ),
    "an empty style": ({"talking_avatar_style": ""}, "206ad2be0876e5c9"),
    "every text empty": (
        {
            "style": "",
            "rate": "",
            "pitch": "",
            "volume": "",
            "talking_avatar_style": "",
            "background_color": "",
            "background_image": "",
        },
        "8511f70dc40bf6b9",
    ),
    "extra properties": (
        {"extra_properties": {"avatarConfig": {"gaze": "left", "depth": [1, 2.5, None, {"far": True}]}}},
        "35302af1a8d97b16",
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


def test_a_nested_script_has_ids_that_never_change():
    nested = Script(script_id="hr/welcome", content="Hi.", voice="en-US-AvaMultilingualNeural", input_kind="PlainText")
    found = derive_content_id(nested, archive_id=ARCHIVE)
    assert found == "9555d8c8f6e33a42"
    assert derive_job_id("hr/welcome", found, 1) == "hr-welcome-9555d8c8f6e33a42-1"


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
    left_out = {
        "script_id",
        "description",
        "time_to_live_in_hours",
        "destination_container_url",
        "destination_path",
        "columns",
    }
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


# Job ids, read again


CONTENT_IDS = st.text("0123456789abcdef", min_size=16, max_size=16)
ATTEMPTS = st.integers(1, 99)
HOSTILE_IDS = st.one_of(
    st.text(min_size=1, max_size=200),
    st.text("-_. /é日🎬0af1", min_size=1, max_size=200),
    st.from_regex(r"([A-Za-z0-9_.-]{0,20}-[0-9a-f]{16}-[1-9][0-9]?){1,3}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{16}-[0-9]{1,3}\n?", fullmatch=True),
)
"""Also script ids that look like job ids, or like parts of one."""


@given(HOSTILE_IDS, CONTENT_IDS, ATTEMPTS)
def test_a_job_id_tells_content_and_attempt_whatever_the_script_is_called(script_id, content_id, attempt):
    assert parse_job_id(derive_job_id(script_id, content_id, attempt)) == (content_id, attempt)


@pytest.mark.parametrize(
    "script_id",
    [
        "intro-ffffffffffffffff-7",
        "ffffffffffffffff-7",
        "-ffffffffffffffff-7",
        "a-b-c",
        "---",
        "日本",
        "x" * 200,
        "ffffffffffffffff" * 3,
        "1",
        "intro-ffffffffffffffff-7\n",
    ],
)
@pytest.mark.parametrize("attempt", [1, 9, 10, 99])
def test_a_script_id_that_looks_like_a_job_id_hides_nothing(script_id, attempt):
    assert parse_job_id(derive_job_id(script_id, "0123456789abcdef", attempt)) == ("0123456789abcdef", attempt)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "intro",
        "my-job-01",
        "c48b4cf5-7a36-4f4a-9b0e-7d5f3d0b1c2a",
        "intro-0123456789abcdef",
        "intro-0123456789abcdef-",
        "intro-0123456789abcdef-0",
        "intro-0123456789abcdef-01",
        "intro-0123456789abcdef-100",
        "intro-0123456789abcdef--1",
        "intro-0123456789abcdef-1-",
        "intro-0123456789abcdef-1 ",
        "intro-0123456789abcdef-1\n",
        "intro-0123456789ABCDEF-1",
        "intro-0123456789abcdeg-1",
        "intro-0123456789abcde-1",
        "intro_0123456789abcdef_1",
        "0123456789abcdef-1",
        "-0123456789abcdef-1-x",
        "größe-0123456789abcdef-1",
        "a b-0123456789abcdef-1",
        "intro-0123456789abcdef-\u0661",
    ],
)
def test_a_name_that_is_none_of_ours_is_told_apart(name):
    assert parse_job_id(name) is None


@given(st.text(max_size=80) | st.from_regex(r"[a-z-]{0,9}-[0-9a-f]{14,18}-[0-9]{0,3}", fullmatch=True))
def test_what_is_read_as_a_job_id_of_ours_ends_as_ours_do(name):
    parsed = parse_job_id(name)

    if parsed is not None:
        content_id, attempt = parsed
        assert name.endswith(f"-{content_id}-{attempt}")
        assert re.fullmatch(r"[0-9a-f]{16}", content_id)
        assert 1 <= attempt <= 99


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


# What of it receipts keep


def digests(**changes):
    return form_digests(recorded_form(script(**changes)))


def test_the_digest_of_a_property_is_what_it_always_was():
    """They lie in receipts: another digest for the same value would call every script of an archive changed."""
    assert digests(scene={"zoom": 1.5}, customized=True, bitrate_kbps=500) == {
        "bitrate_kbps": hashlib.sha256(b"500").hexdigest()[:8],
        "content": "628f4964",
        "customized": hashlib.sha256(b"true").hexdigest()[:8],
        "input_kind": hashlib.sha256(b'"PlainText"').hexdigest()[:8],
        "scene": hashlib.sha256(b'{"zoom":1.5}').hexdigest()[:8],
        "talking_avatar_character": hashlib.sha256(b'"lisa"').hexdigest()[:8],
        "talking_avatar_style": hashlib.sha256(b'"graceful-sitting"').hexdigest()[:8],
        "voice": hashlib.sha256(b'"en-us-avamultilingualneural"').hexdigest()[:8],
    }


@pytest.mark.parametrize("name", GOLDEN)
def test_every_property_that_decides_has_a_digest_of_its_own_and_no_other_has_one(name):
    changes = GOLDEN[name][0]
    found = digests(**changes)

    assert found.keys() == normal_form(script(**changes)).keys()
    assert all(re.fullmatch(r"[0-9a-f]{8}", digest) for digest in found.values())


@pytest.mark.parametrize("name", GOLDEN)
def test_digests_differ_exactly_where_a_property_was_changed(name):
    changes = {key: value for key, value in GOLDEN[name][0].items() if key != "script_id"}
    before, now = digests(), digests(**changes)
    differing = {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}

    assert differing == {key for key, value in changes.items() if PLAIN.get(key) != value}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_digests_are_the_same_after_the_form_was_written_and_read(name):
    form = recorded_form(script(**GOLDEN[name][0]))

    assert form_digests(json.loads(json.dumps(form))) == form_digests(form)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_is_another_one_after_it_was_written_in_a_claim_and_read(x, y):
    form = recorded_form(script(avatar_position={"x": x, "y": y}))
    claim = Claim(
        script_id="intro",
        content_id="0" * 16,
        run="r",
        holder="h",
        resource="x",
        api_version="2024-08-01",
        form=form,
        attempts=(Attempt(number=1, job_id="intro-0000000000000000-1"),),
    )

    assert form_digests(Claim.model_validate_json(claim.model_dump_json()).form) == form_digests(form)


def test_the_order_of_names_in_a_property_does_not_matter():
    assert digests(custom_voices={"a": "1", "b": "2"}) == digests(custom_voices={"b": "2", "a": "1"})


def test_the_digest_of_a_whole_form_is_what_it_always_was():
    """It lies in claims: by it a run knows that a later revision of the same script is there."""
    digests_ = {"voice": "01234567", "content": "89abcdef"}
    written = b'{"content":"89abcdef","voice":"01234567"}'

    assert form_digest(digests_) == hashlib.sha256(written).hexdigest()[:16]
    assert form_digest(dict(reversed(digests_.items()))) == form_digest(digests_)


def test_two_forms_that_differ_in_anything_have_two_digests():
    forms = [
        digests(**{key: value for key, value in changes.items() if key != "script_id"})
        for changes, _ in GOLDEN.values()
    ]

    assert len({form_digest(form) for form in forms}) == len(forms)


def test_a_claim_of_before_forms_were_kept_has_no_digests():
    assert form_digests({}) == {}


# Signatures


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
