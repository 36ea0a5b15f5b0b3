"""Members that are not as documented: each is left out alone and named, and the rest of the job is used."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.models import JobStatus
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.service.wire.summary import decode_summary

SEEN = datetime(2026, 11, 21, 9, tzinfo=UTC)
NEWER = {
    "id": "intro-0123456789abcdef-1",
    "internalId": "0a1b",
    "status": "Succeeded",
    "description": "batch-avatar:00112233445566aa",
    "createdDateTime": "2026-11-21T08:50:00.1234567Z",
    "lastActionDateTime": "2026-11-21T08:55:00.1234567",
    "properties": {
        "timeToLiveInHours": 744,
        "sizeInBytes": 344460,
        "durationInMilliseconds": 2520,
        "billingDetails": {"neuralCharacters": 29, "talkingAvatarDurationSeconds": 2},
        "error": {"code": "Odd", "message": "Words."},
    },
    "avatarConfig": {"subtitleType": "external_file"},
    "outputs": {"result": "https://x/0001.mp4", "summary": "https://x/summary.json", "subtitle": "https://x/0001.srt"},
}
OLDER = {
    "id": "c48b4cf5-1111-2222-3333-444455556666",
    "displayName": "intro-0123456789abcdef-1",
    "status": "Succeeded",
    "description": "batch-avatar:00112233445566aa",
    "createdDateTime": "2026-11-21T08:50:00.123Z",
    "lastActionDateTime": "2026-11-21T08:55:00.123Z",
    "properties": {
        "timeToLive": "P31D",
        "audioSize": 344460,
        "durationInTicks": 25200000,
        "billingDetails": {"neural": 29, "talkingAvatarDuration": 2},
        "error": {"code": "Odd", "message": "Words."},
        "subtitleType": "external_file",
    },
    "outputs": {"result": "https://x/0001.mp4", "summary": "https://x/summary.json", "subtitle": "https://x/0001.srt"},
}
GENERATIONS = {"2024-08-01": NEWER, "3.1-preview1": OLDER}
ODD = ["", "x", "yesterday", "0001-01-01T00:00:00+02:00", -1, 7.5, True, [], ["x"], {}, {"x": 1}, float("inf"), 10**30]


def decode(version, body):
    return wire_for(version).decode_job(body, observed_at=SEEN)


def places(value, at=()):
    """Every place in a job, objects included, but for the two members that it needs."""
    for name, inner in value.items():
        if (*at, name) not in (("id",), ("status",)):
            yield (*at, name)
            if isinstance(inner, dict):
                yield from places(inner, (*at, name))


def changed(body, place, value):
    copy = json.loads(json.dumps(body))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return copy


def without(body, place):
    copy = json.loads(json.dumps(body))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    del inner[place[-1]]
    return copy


EVERYWHERE = [(version, place) for version, body in GENERATIONS.items() for place in places(body)]


@pytest.mark.parametrize(("version", "place"), EVERYWHERE, ids=[f"{v} {'.'.join(p)}" for v, p in EVERYWHERE])
def test_an_odd_member_is_left_out_alone(version, place):
    body = GENERATIONS[version]
    as_if_absent = decode(version, without(body, place))

    for odd in ODD:
        job = decode(version, changed(body, place, odd))

        assert job.status == JobStatus.SUCCEEDED
        if job.unreadable and "billingDetails" not in place:
            assert job.model_copy(update={"unreadable": ()}) == as_if_absent, odd


@pytest.mark.parametrize(
    ("version", "place", "odd"),
    [
        ("2024-08-01", ("createdDateTime",), ""),
        ("2024-08-01", ("createdDateTime",), "yesterday"),
        ("2024-08-01", ("createdDateTime",), 7),
        ("2024-08-01", ("lastActionDateTime",), "0001-01-01T00:00:00+02:00"),
        ("2024-08-01", ("properties",), []),
        ("2024-08-01", ("properties", "sizeInBytes"), "x"),
        ("2024-08-01", ("properties", "sizeInBytes"), -1),
        ("2024-08-01", ("properties", "durationInMilliseconds"), 10**30),
        ("2024-08-01", ("properties", "timeToLiveInHours"), float("inf")),
        ("2024-08-01", ("properties", "billingDetails"), "much"),
        ("2024-08-01", ("avatarConfig",), "lisa"),
        ("2024-08-01", ("outputs",), "none"),
        ("2024-08-01", ("outputs", "result"), {"url": "https://x"}),
        ("2024-08-01", ("internalId",), 7),
        ("2024-08-01", ("description",), ["x"]),
        ("3.1-preview1", ("displayName",), 7),
        ("3.1-preview1", ("createdDateTime",), ""),
        ("3.1-preview1", ("properties",), 7),
        ("3.1-preview1", ("properties", "audioSize"), "large"),
        ("3.1-preview1", ("properties", "timeToLive"), "for ever"),
        ("3.1-preview1", ("outputs",), ["x"]),
    ],
)
def test_what_is_left_out_is_named(version, place, odd):
    assert decode(version, changed(GENERATIONS[version], place, odd)).unreadable == (".".join(place),)


@pytest.mark.parametrize("version", GENERATIONS)
def test_of_a_job_as_documented_nothing_is_left_out(version):
    assert decode(version, GENERATIONS[version]).unreadable == ()


@pytest.mark.parametrize("version", GENERATIONS)
def test_an_error_that_is_a_text_is_its_message(version):
    job = decode(version, changed(GENERATIONS[version], ("properties", "error"), "Quota used up."))

    assert (job.error_code, job.error_message, job.unreadable) == (None, "Quota used up.", ())


@pytest.mark.parametrize("version", GENERATIONS)
def test_half_a_surrogate_pair_costs_one_character_and_no_job(version):
    body = changed(GENERATIONS[version], ("properties", "error", "message"), "half \ud83d of it")

    assert decode(version, body).error_message == "half ? of it"


@pytest.mark.parametrize("version", GENERATIONS)
@pytest.mark.parametrize("identity", ["", "a/b", "a?b=c", "a#b", "../a", "..", "a b", "a\n", "é", "\ud83d", 7, None])
def test_an_id_that_would_lead_elsewhere_is_none(version, identity):
    with pytest.raises(ValueError, match="id"):
        decode(version, GENERATIONS[version] | {"id": identity})


@pytest.mark.parametrize("version", GENERATIONS)
@pytest.mark.parametrize("written", ["succeeded", "SUCCEEDED", "Succeeded", "sUCCEEDED"])
def test_a_status_is_read_in_any_case(version, written):
    job = decode(version, GENERATIONS[version] | {"status": written})

    assert (job.status, job.terminal) == (JobStatus.SUCCEEDED, True)


@pytest.mark.parametrize(
    ("written", "status"), [("FAILED", "Failed"), ("notstarted", "NotStarted"), ("running", "Running")]
)
def test_every_status_that_we_know_folds_case(written, status):
    assert decode("2024-08-01", NEWER | {"status": written}).status == status


@pytest.mark.parametrize("status", ["PartiallySucceeded", "Cancelled", "succeededish"])
def test_a_status_that_we_do_not_know_stays_as_it_is_written(status):
    assert decode("2024-08-01", NEWER | {"status": status}).status == status


def test_the_status_in_a_summary_folds_case_too():
    [result] = decode_summary(b'{"results": [{"status": "FAILED"}]}')

    assert result.status == JobStatus.FAILED


@pytest.mark.parametrize("version", GENERATIONS)
def test_subtitles_beside_the_video_are_wanted_in_any_case_of_their_name(version):
    place = ("avatarConfig", "subtitleType") if version == "2024-08-01" else ("properties", "subtitleType")

    assert decode(version, changed(GENERATIONS[version], place, "External_File")).subtitle_type == "external_file"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("version", GENERATIONS)
@given(data=st.data())
def test_a_job_with_id_and_status_is_read_whatever_else_it_has(version, data):
    body = GENERATIONS[version]
    place = data.draw(st.sampled_from(list(places(body))))

    job = decode(version, changed(body, place, data.draw(JSON)))

    assert (job.service_id, job.status) == (body["id"], JobStatus.SUCCEEDED)
