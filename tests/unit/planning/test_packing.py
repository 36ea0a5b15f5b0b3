"""Scripts as inputs of one job: who fits with whom, how many, and what each bears."""

import math
import random
from datetime import UTC, datetime

import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from batch_avatar.identity import mark_description
from batch_avatar.models import Point, Scene, Script, VideoCrop
from batch_avatar.planning.packing import (
    MAX_INPUTS,
    PackSizer,
    derive_pack_id,
    fitting,
    input_bytes,
    pack_job_id,
    pack_key,
    share,
)
from batch_avatar.scripts.rules import with_defaults
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.service.wire.messages import MAX_BODY_BYTES
from tests.support.scripts import script

PLAIN = script("intro")
OTHER = {
    "input_kind": "SSML",
    "voice": "en-US-AndrewNeural",
    "style": "cheerful",
    "rate": "+10%",
    "pitch": "+5%",
    "volume": "80",
    "custom_voices": {"mine": "1"},
    "talking_avatar_character": "harry",
    "talking_avatar_style": "casual",
    "customized": True,
    "photo_avatar_base_model": "vasa-1",
    "scene": Scene(zoom=1.5),
    "use_built_in_voice": True,
    "video_format": "webm",
    "video_codec": "vp9",
    "bitrate_kbps": 800,
    "subtitle_type": "external_file",
    "background_color": "#112233FF",
    "background_image": "https://example.com/a.png",
    "video_crop": VideoCrop(top_left=Point(x=1, y=2), bottom_right=Point(x=3, y=4)),
    "avatar_position": Point(x=1, y=1),
    "avatar_size": Point(x=2, y=2),
    "resolution": Point(x=640, y=360),
    "time_to_live_in_hours": 24,
    "destination_path": "somewhere",
    "extra_properties": {"avatarConfig": {"gaze": "left"}},
}
OWN = {"columns": {"team": "A"}, "script_id": "other", "content": "Something else.", "description": "a note"}


# Who fits with whom


def test_every_member_of_a_script_is_known_here():
    assert OTHER.keys() | OWN.keys() | {"destination_container_url"} == Script.model_fields.keys()


@pytest.mark.parametrize("member", OWN)
def test_scripts_of_one_job_may_differ_in_text_and_name(member):
    assert pack_key(PLAIN.model_copy(update={member: OWN[member]})) == pack_key(PLAIN)


@pytest.mark.parametrize("member", OTHER)
def test_scripts_of_one_job_agree_in_everything_else(member):
    assert pack_key(PLAIN.model_copy(update={member: OTHER[member]})) != pack_key(PLAIN)


def test_a_script_with_a_destination_of_its_own_goes_alone():
    url = SecretStr("https://account.blob.core.windows.net/c?sv=1&sig=secret")

    assert pack_key(PLAIN.model_copy(update={"destination_container_url": url})) is None


def test_no_signature_can_be_read_from_a_key():
    image = "https://account.blob.core.windows.net/c/a.png?sv=1&sig=secret"

    key = pack_key(PLAIN.model_copy(update={"background_image": image}))

    assert len(key) == 16
    assert int(key, 16) >= 0


# The request


def long_link():
    """Longer than any that a storage account's rules for names allow."""
    signature = generate_container_sas(
        "a" * 24,
        "c" * 63,
        account_key="a2V5" * 22,
        permission=ContainerSasPermissions.from_string("racwdl"),
        start=datetime(2026, 11, 21, tzinfo=UTC),
        expiry=datetime(2026, 11, 28, tzinfo=UTC),
    )
    delegated = (
        "&skoid=" + "0" * 36 + "&sktid=" + "0" * 36 + "&skt=2026-11-21T09%3A00%3A00Z&ske=2026-11-28T09%3A00%3A00Z"
    )
    return f"https://{'a' * 24}.blob.core.windows.net/{'c' * 63}?{signature}{delegated}&sks=b&skv=2025-11-05"


def encoded(contents, **members):
    """The body of the request as it is sent."""
    shared = {
        "destination_container_url": SecretStr(long_link()),
        "destination_path": pack_job_id("0" * 16),
        "description": None,
        "content": contents[0],
        **members,
    }
    request = wire_for("2024-08-01").encode_create(
        with_defaults(PLAIN.model_copy(update=shared)),
        job_id=pack_job_id("0" * 16),
        description=mark_description(f"a pack of {len(contents)} scripts", "0" * 16),
        inputs=contents,
    )
    return request.body


TEXTS = st.lists(
    st.tuples(st.text(min_size=1, max_size=40), st.integers(1, 20_000)).map(lambda pair: pair[0] * pair[1]),
    min_size=1,
    max_size=30,
)


@given(TEXTS)
def test_as_many_as_fit_make_a_request_that_the_service_takes(contents):
    sizes = [input_bytes(PLAIN.model_copy(update={"content": content})) for content in contents]
    fit = fitting(sizes, len(sizes))

    assert fit == 1 or len(encoded(contents[:fit])) <= MAX_BODY_BYTES


@given(st.text(min_size=1, max_size=200))
def test_an_input_takes_exactly_as_much_of_a_request_as_is_said(content):
    once, twice = encoded(["x"]), encoded(["x", content])

    assert len(twice) - len(once) == input_bytes(PLAIN.model_copy(update={"content": content}))


def test_as_many_as_fit_leave_no_room_for_one_more_than_the_rest_of_a_request_needs():
    content = "x" * 1000
    fit = fitting([input_bytes(PLAIN.model_copy(update={"content": content}))] * MAX_INPUTS, MAX_INPUTS)

    assert len(encoded([content] * fit)) > 0.97 * MAX_BODY_BYTES


def test_a_request_never_has_more_inputs_than_the_service_takes():
    assert fitting([20] * 2000, 2000) == MAX_INPUTS


def test_no_more_are_taken_than_were_asked_for():
    assert fitting([20] * 10, 3) == 3


def test_one_that_is_too_large_for_any_request_goes_all_the_same_and_the_service_says_so():
    assert fitting([10 * MAX_BODY_BYTES, 1], 2) == 1


# Names


def test_a_pack_is_named_by_its_members_attempts_and_their_order():
    two = [("0" * 16, 1), ("1" * 16, 1)]
    others = ([("0" * 16, 1)], two[::-1], [("0" * 16, 2), ("1" * 16, 1)])

    assert derive_pack_id(two, archive_id="a") == derive_pack_id(list(two), archive_id="a")
    assert derive_pack_id(two, archive_id="a") not in [derive_pack_id(other, archive_id="a") for other in others]
    assert derive_pack_id(two, archive_id="a") != derive_pack_id(two, archive_id="b")


def test_the_name_of_a_pack_never_changes():
    assert derive_pack_id([("0" * 16, 1), ("1" * 16, 2)], archive_id="f" * 16) == GOLDEN


GOLDEN = "10b93ecbba2d410b"


# The bill

WEIGHTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=50)


@given(st.integers(0, 10**9), WEIGHTS)
def test_shares_of_a_bill_sum_to_the_bill_and_none_is_negative(total, weights):
    shares = [share(total, weights, number) for number in range(1, len(weights) + 1)]

    assert sum(shares) == total
    assert min(shares) >= 0


@given(st.integers(0, 10**6), WEIGHTS)
def test_a_share_is_what_its_weight_says_to_one_unit(total, weights):
    whole = sum(weights)
    for number, weight in enumerate(weights, start=1):
        if whole:
            assert abs(share(total, weights, number) - total * weight / whole) < 1


# How many


def size(sizer, lengths, spacing=30.0):
    """For scripts that are predicted to take so long, the next first."""
    return sizer.size(iter(lengths), spacing_seconds=spacing, left_seconds=sum(lengths))


def play(sizer, lengths, spacing):
    """Packs sent one after another, the longest scripts first: (when sent, how many, when ended)."""
    left, packs, at = sorted(lengths, reverse=True), [], 0.0
    while left:
        count = size(sizer, left, spacing)
        pack, left = left[:count], left[count:]
        packs.append((at, len(pack), at + sum(pack)))
        at += spacing
    return packs


def log_normal(count):
    """Lengths as they were seen: mean 148 s, spread 0.6 of it."""
    chance = random.Random(1)
    return [chance.lognormvariate(math.log(148) - 0.154, 0.555) for _ in range(count)]


@pytest.mark.parametrize(
    ("lengths", "spacing"),
    [([148.0] * 1000, 30), ([60.0] * 300, 30), ([20.0] * 2000, 10), (log_normal(1000), 30), (log_normal(100), 30)],
    ids=["equal", "few", "fast", "log-normal", "few log-normal"],
)
def test_packs_end_together(lengths, spacing):
    packs = play(PackSizer(None), lengths, spacing)
    ends = [end for _, _, end in packs]
    best = math.sqrt(2 * spacing * sum(lengths))

    assert sum(count for _, count, _ in packs) == len(lengths)
    assert max(ends) <= 1.1 * best + max(lengths)
    assert min(ends) >= 0.9 * best - max(lengths)


def test_of_equal_scripts_packs_shrink():
    sizes = [count for _, count, _ in play(PackSizer(None), [60.0] * 500, 30)]

    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[-1]


def test_packs_are_far_faster_than_single_scripts_at_the_default_quota():
    packs = play(PackSizer(None), log_normal(1000), 30)

    assert max(end for _, _, end in packs) < 999 * 30 / 5


def test_without_a_pace_nothing_is_gained_by_packing():
    assert size(PackSizer(None), [60.0] * 1000, spacing=0) == 1


def test_no_pack_is_larger_than_what_is_left_or_what_the_service_takes():
    assert size(PackSizer(None), [1.0] * 3, spacing=1e6) == 3
    assert size(PackSizer(None), [1.0] * 2000, spacing=1e9) == MAX_INPUTS


LENGTHS = st.lists(st.floats(0, 1e5), min_size=1, max_size=50)


@given(LENGTHS, st.floats(0, 1e6), st.floats(1, 1e6))
def test_there_is_always_a_size(lengths, spacing, deadline):
    assert 1 <= size(PackSizer(None, deadline_seconds=deadline), lengths, spacing) <= len(lengths)


@given(LENGTHS, st.integers(2, 60), st.floats(0, 1e6))
def test_a_fixed_size_is_that_size(lengths, fixed, spacing):
    assert size(PackSizer(fixed), lengths, spacing) == min(fixed, len(lengths))


@pytest.mark.parametrize("fixed", [None, 500])
def test_no_pack_is_predicted_to_fill_much_more_than_half_of_a_jobs_deadline(fixed):
    """Of one that is late nothing may be sent again while it may still finish."""
    count = size(PackSizer(fixed, deadline_seconds=4 * 3600), [60.0] * 1000, spacing=3600)

    assert 60 * count == pytest.approx(2 * 3600, abs=60)


def test_a_service_that_renders_inputs_side_by_side_gets_larger_packs():
    """The job takes as long as its longest input; then creates alone are the limit."""
    sizer, lengths = PackSizer(None), [60.0] * 500
    before = size(sizer, lengths)
    sizer.note(took_seconds=60, predicted_seconds=[60.0] * before)

    assert size(sizer, lengths) > 2 * before
    assert sizer.job_seconds([60.0] * 10) < 2 * 60


def test_a_service_that_is_slower_than_predicted_gets_smaller_packs():
    sizer, lengths = PackSizer(None), [60.0] * 500
    before = size(sizer, lengths)
    sizer.note(took_seconds=4 * before * 60, predicted_seconds=[60.0] * before)

    assert size(sizer, lengths) < before


def test_inputs_are_taken_to_be_rendered_one_after_another_until_a_pack_shows_otherwise():
    assert PackSizer(None).job_seconds([60.0, 30.0, 10.0]) == 100


def test_what_was_learned_long_ago_is_forgotten():
    sizer = PackSizer(None)
    for took in (60, 600):
        for _ in range(20):
            sizer.note(took_seconds=took, predicted_seconds=[60.0] * 10)

    assert sizer.job_seconds([60.0] * 10) == pytest.approx(600)


@pytest.mark.parametrize("alone", [[60.0], [0.0, 0.0], [60.0, 0.0]])
def test_a_pack_whose_other_inputs_were_to_take_no_time_teaches_nothing(alone):
    sizer = PackSizer(None)
    sizer.note(took_seconds=1000, predicted_seconds=alone)

    assert sizer.job_seconds([60.0, 30.0]) == 90
