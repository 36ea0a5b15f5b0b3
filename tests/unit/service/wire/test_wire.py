"""What goes over the wire, literally, and whatever may come back."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.models import Script
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.service.wire.messages import Problem, WireRequest, decode_problem
from batch_avatar.service.wire.summary import decode_summary
from tests.unit.service.wire.examples import EXAMPLES

WIRE = wire_for("2024-08-01")
SEEN = datetime(2024, 3, 6, 7, 35, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def encode(**members):
    script = Script.model_validate({"script_id": "intro", "content": "Hi."} | members)
    request = WIRE.encode_create(script, job_id="intro-0123456789abcdef-1", description="batch-avatar:0011223344556677")
    return request, json.loads(request.body)


def decode(**members):
    job = {"id": "my-job-01", "status": "Running"} | members
    return WIRE.decode_job(job, observed_at=SEEN)


# What is sent


def test_a_create_with_every_property_is_sent_as_documented():
    request, body = encode(
        input_kind="PlainText",
        content="One.\r\nTwo.\rThree.",
        description="for the spring campaign",
        voice="en-US-AvaMultilingualNeural",
        style="cheerful",
        rate="+10%",
        pitch="low",
        volume="80",
        custom_voices={"My_Own-Voice name": "0b6b0a3d"},
        talking_avatar_character="lisa",
        talking_avatar_style="graceful-sitting",
        customized=False,
        photo_avatar_base_model="vasa-1",
        scene={
            "zoom": 1.5,
            "position_x": -0.5,
            "position_y": 0.25,
            "rotation_x": 0.1,
            "rotation_y": 0.2,
            "rotation_z": 0.3,
            "amplitude": 0.9,
        },
        use_built_in_voice=True,
        video_format="WebM",
        video_codec="VP9",
        bitrate_kbps=500,
        subtitle_type="external_file",
        background_color="#00000000",
        background_image="https://x/y.png?a=1&sig=z",
        video_crop={"top_left": {"x": 0.5, "y": 1.5}, "bottom_right": {"x": 960.5, "y": 540.5}},
        avatar_position={"x": 1.5, "y": 2.5},
        avatar_size={"x": 3.5, "y": 4.5},
        resolution={"x": 1920.5, "y": 1080.5},
        time_to_live_in_hours=24,
        destination_container_url="https://u.blob.core.windows.net/c?sr=c&sig=z",
        destination_path="videos/spring",
    )

    assert request.method == "PUT"
    assert request.path == "/avatar/batchsyntheses/intro-0123456789abcdef-1"
    assert request.query == {"api-version": "2024-08-01"}
    assert body == {
        "inputKind": "PlainText",
        "inputs": [{"content": "One.\nTwo.\nThree."}],
        "description": "batch-avatar:0011223344556677",
        "customVoices": {"My_Own-Voice name": "0b6b0a3d"},
        "synthesisConfig": {
            "voice": "en-US-AvaMultilingualNeural",
            "style": "cheerful",
            "rate": "+10%",
            "pitch": "low",
            "volume": "80",
        },
        "properties": {
            "timeToLiveInHours": 24,
            "destinationContainerUrl": "https://u.blob.core.windows.net/c?sr=c&sig=z",
            "destinationPath": "videos/spring",
        },
        "avatarConfig": {
            "talkingAvatarCharacter": "lisa",
            "talkingAvatarStyle": "graceful-sitting",
            "customized": False,
            "photoAvatarBaseModel": "vasa-1",
            "scene": {
                "zoom": 1.5,
                "positionX": -0.5,
                "positionY": 0.25,
                "rotationX": 0.1,
                "rotationY": 0.2,
                "rotationZ": 0.3,
                "amplitude": 0.9,
            },
            "useBuiltInVoice": True,
            "videoFormat": "webm",
            "videoCodec": "vp9",
            "bitrateKbps": 500,
            "subtitleType": "external_file",
            "backgroundColor": "#00000000",
            "backgroundImage": "https://x/y.png?a=1&sig=z",
            "videoCrop": {"topLeft": {"x": 0.5, "y": 1.5}, "bottomRight": {"x": 960.5, "y": 540.5}},
            "avatarPosition": {"x": 1.5, "y": 2.5},
            "avatarSize": {"x": 3.5, "y": 4.5},
            "resolution": {"x": 1920.5, "y": 1080.5},
        },
    }


def test_every_property_of_a_script_is_sent():
    """A property that the encoder forgets would be billed for and not rendered."""
    not_sent = {"script_id", "input_kind", "content", "description", "columns"}
    _, bare = encode()

    for name in Script.model_fields.keys() - not_sent:
        _, body = encode(**{name: EXAMPLES.get(name, "something")})
        assert body != bare, name


def test_what_is_unset_is_not_sent():
    _, body = encode(voice="v", scene={"zoom": 2})

    assert body == {
        "inputKind": "PlainText",
        "inputs": [{"content": "Hi."}],
        "description": "batch-avatar:0011223344556677",
        "synthesisConfig": {"voice": "v"},
        "avatarConfig": {"scene": {"zoom": 2.0}},
    }


def test_text_is_sent_as_utf_8():
    request, _ = encode(content="Grüße, 日本! 🎬")

    assert "Grüße, 日本! 🎬".encode() in request.body


def test_the_names_of_custom_voices_are_sent_untouched():
    _, body = encode(custom_voices={"my_snake_voice": "Deployment_Id"})

    assert body["customVoices"] == {"my_snake_voice": "Deployment_Id"}


def test_get_list_and_delete_are_as_documented():
    version = {"api-version": "2024-08-01"}

    assert WIRE.encode_get("my-job-01") == WireRequest("GET", "/avatar/batchsyntheses/my-job-01", version)
    assert WIRE.encode_delete("my-job-01") == WireRequest("DELETE", "/avatar/batchsyntheses/my-job-01", version)
    listing = version | {"maxpagesize": "100"}
    assert WIRE.encode_list() == WireRequest("GET", "/avatar/batchsyntheses", listing)
    assert WIRE.encode_list(skip=50) == WireRequest("GET", "/avatar/batchsyntheses", listing | {"skip": "50"})


def test_the_preview_of_2024_differs_in_its_version_only():
    preview = wire_for("2024-04-15-preview")

    assert preview.encode_get("x") == WireRequest(
        "GET", "/avatar/batchsyntheses/x", {"api-version": "2024-04-15-preview"}
    )


# What comes back: jobs, as the documents show them

CREATED = """{
    "id": "my-job-01", "internalId": "5a25b929-1358-4e81-a036-33000e788c46", "status": "NotStarted",
    "createdDateTime": "2024-03-06T07:34:08.9487009Z", "lastActionDateTime": "2024-03-06T07:34:08.9487012Z",
    "inputKind": "SSML", "customVoices": {}, "properties": {"timeToLiveInHours": 744},
    "avatarConfig": {"talkingAvatarCharacter": "lisa", "talkingAvatarStyle": "graceful-sitting",
        "videoFormat": "Mp4", "videoCodec": "hevc", "subtitleType": "soft_embedded", "bitrateKbps": 2000,
        "customized": false}
}"""
SUCCEEDED = """{
    "id": "my-job-01", "internalId": "5a25b929-1358-4e81-a036-33000e788c46", "status": "Succeeded",
    "createdDateTime": "2024-03-06T07:34:08.9487009Z", "lastActionDateTime": "2024-03-06T07:34:12.5698769",
    "inputKind": "SSML", "customVoices": {},
    "properties": {"timeToLiveInHours": 744, "sizeInBytes": 344460, "durationInMilliseconds": 2520,
        "succeededCount": 1, "failedCount": 0,
        "billingDetails": {"neuralCharacters": 29, "talkingAvatarDurationSeconds": 2}},
    "avatarConfig": {"talkingAvatarCharacter": "lisa", "talkingAvatarStyle": "graceful-sitting",
        "videoFormat": "Webm", "videoCodec": "vp9", "subtitleType": "soft_embedded", "bitrateKbps": 2000,
        "customized": false},
    "outputs": {
        "result": "https://stttssvcprodusw2.blob.core.windows.net/batchsynthesis-output/x/y/0001.mp4?SAS_Token",
        "summary": "https://stttssvcprodusw2.blob.core.windows.net/batchsynthesis-output/x/y/summary.json?SAS_Token"}
}"""
ABORTED = """{
    "id": "my-job-02", "status": "Failed", "createdDateTime": "2024-03-06T07:34:08Z",
    "lastActionDateTime": "2024-03-06T08:04:09.25",
    "properties": {"timeToLiveInHours": 744,
        "error": {"code": "Aborted", "message": "This job is aborted due to timeout."}}
}"""


def test_a_new_job_is_read_as_documented():
    job = WIRE.decode_job(json.loads(CREATED), observed_at=SEEN)

    assert (job.service_id, job.internal_id) == ("my-job-01", "5a25b929-1358-4e81-a036-33000e788c46")
    assert (job.status, job.terminal) == ("NotStarted", False)
    assert job.created_at == datetime(2024, 3, 6, 7, 34, 8, 948700, tzinfo=UTC)
    assert job.observed_at == SEEN
    assert job.age_seconds == pytest.approx(51.0513)
    assert job.subtitle_type == "soft_embedded"
    assert (job.result_link, job.summary_link, job.subtitle_link, job.error_code) == (None, None, None, None)


def test_a_job_that_succeeded_is_read_as_documented():
    job = WIRE.decode_job(json.loads(SUCCEEDED), observed_at=SEEN)

    assert (job.status, job.terminal, job.subtitle_type) == ("Succeeded", True, "soft_embedded")
    assert (job.size_bytes, job.duration_milliseconds) == (344460, 2520)
    assert job.billing == {"neuralCharacters": 29, "talkingAvatarDurationSeconds": 2}
    assert (job.billed_seconds, job.billed_characters) == (2, 29)
    assert job.result_link.get_secret_value().endswith("/0001.mp4?SAS_Token")
    assert job.summary_link.get_secret_value().endswith("/summary.json?SAS_Token")


def test_a_job_that_failed_is_read_as_documented():
    job = WIRE.decode_job(json.loads(ABORTED), observed_at=SEEN)

    assert (job.status, job.terminal) == ("Failed", True)
    assert (job.error_code, job.error_message) == ("Aborted", "This job is aborted due to timeout.")


def test_a_time_without_a_zone_is_utc_and_can_be_compared():
    job = WIRE.decode_job(json.loads(SUCCEEDED), observed_at=SEEN)

    assert job.last_action_at == datetime(2024, 3, 6, 7, 34, 12, 569876, tzinfo=UTC)
    assert job.last_action_at > job.created_at


def test_a_time_without_a_zone_is_utc_also_where_the_machine_lives_elsewhere(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        job = WIRE.decode_job(json.loads(SUCCEEDED), observed_at=SEEN)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert job.last_action_at == datetime(2024, 3, 6, 7, 34, 12, 569876, tzinfo=UTC)


@pytest.mark.parametrize("written", ["2024-03-06T07:34:12", "2024-03-06T07:34:12.0Z", "2024-03-06T09:34:12+02:00"])
def test_a_time_is_read_in_any_of_its_forms(written):
    assert decode(lastActionDateTime=written).last_action_at == datetime(2024, 3, 6, 7, 34, 12, tzinfo=UTC)


def test_links_do_not_show_when_a_job_is_printed():
    assert "SAS_Token" not in repr(WIRE.decode_job(json.loads(SUCCEEDED), observed_at=SEEN))


def test_the_undocumented_link_to_the_subtitles_is_read():
    job = decode(outputs={"subtitle": "https://x/0001.srt?sig=z"})

    assert job.subtitle_link.get_secret_value() == "https://x/0001.srt?sig=z"


def test_unknown_members_are_no_mistake():
    job = decode(
        mood="good",
        properties={"neurons": 7, "billingDetails": {"hdNeuralCharacters": 5, "note": "x"}},
        avatarConfig={"subtitleType": "none", "gaze": "left"},
        outputs={"transcript": "https://x"},
    )

    assert (job.billing, job.subtitle_type) == ({"hdNeuralCharacters": 5}, "none")
    assert job.billed_characters == 5


def test_what_is_billed_is_read_under_the_names_of_the_first_preview_too():
    job = decode(properties={"billingDetails": {"neural": 29, "talkingAvatarDurationInSeconds": 2}})

    assert (job.billed_characters, job.billed_seconds) == (29, 2)


@pytest.mark.parametrize("status", ["Cancelled", "Queued"])
def test_an_unknown_status_survives_and_is_not_terminal(status):
    job = decode(status=status)

    assert (job.status, job.terminal) == (status, False)


@pytest.mark.parametrize("member", ["properties", "outputs", "avatarConfig", "description", "createdDateTime"])
def test_a_member_that_is_null_is_as_good_as_absent(member):
    assert decode(**{member: None}) == decode()


@pytest.mark.parametrize("member", ["error", "billingDetails"])
def test_a_nested_member_that_is_null_is_as_good_as_absent(member):
    assert decode(properties={member: None}) == decode()


def test_a_job_may_consist_of_id_and_status():
    job = WIRE.decode_job({"id": "x", "status": "Running"}, observed_at=SEEN)

    assert (job.age_seconds, job.billed_seconds) == (0.0, 0)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        7,
        {},
        {"id": "x"},
        {"status": "Running"},
        {"id": None, "status": "Running"},
        {"id": "x", "status": None},
        {"error": {"code": "x"}},
    ],
)
def test_what_is_no_job_is_a_value_error(body):
    with pytest.raises(ValueError):  # noqa: PT011 - which one is said by each case
        WIRE.decode_job(body, observed_at=SEEN)


@given(body=st.dictionaries(st.sampled_from([*json.loads(SUCCEEDED)]), JSON) | JSON)
def test_any_json_is_a_job_or_a_value_error(body):
    try:
        job = WIRE.decode_job(body, observed_at=SEEN)
    except ValueError:
        return
    assert job.service_id == body["id"]


# Pages

PAGE = f"""{{
    "value": [{SUCCEEDED}, {CREATED}],
    "nextLink": "https://r.api.cognitive.microsoft.com/avatar/batchsyntheses/?api-version=2024-08-01&skip=2&maxpagesize=2"
}}"""


def test_a_page_is_read_as_documented_and_its_link_as_written():
    page = WIRE.decode_page(json.loads(PAGE), observed_at=SEEN)

    assert [job.status for job in page.jobs] == ["Succeeded", "NotStarted"]
    assert page.next_link == (
        "https://r.api.cognitive.microsoft.com/avatar/batchsyntheses/?api-version=2024-08-01&skip=2&maxpagesize=2"
    )


@pytest.mark.parametrize("last", [{"value": []}, {"value": [], "nextLink": None}, {"value": [], "nextLink": ""}])
def test_the_last_page_has_no_link(last):
    page = WIRE.decode_page(last, observed_at=SEEN)

    assert (page.jobs, page.next_link) == ((), None)


ODD = [
    7,
    None,
    [],
    {},
    {"id": "x"},
    {"status": "Running"},
]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_job_that_cannot_be_read_is_counted_and_hides_no_other(odd, at):
    listed = [{"id": "a", "status": "Running"}, {"id": "b", "status": "Failed"}]
    listed.insert(at, odd)

    page = WIRE.decode_page({"value": listed, "nextLink": "/next"}, observed_at=SEEN)

    assert [job.service_id for job in page.jobs] == ["a", "b"]
    assert (page.unreadable, page.next_link) == (1, "/next")


def test_a_page_of_nothing_but_odd_jobs_is_a_page():
    page = WIRE.decode_page({"value": ODD}, observed_at=SEEN)

    assert (page.jobs, page.unreadable) == ((), len(ODD))


def test_a_page_that_can_be_read_counts_nothing_as_unreadable():
    assert WIRE.decode_page(json.loads(PAGE), observed_at=SEEN).unreadable == 0


@given(listed=st.lists(JSON | st.fixed_dictionaries({"id": st.text(), "status": st.text()}), max_size=5))
def test_every_job_of_a_page_is_read_or_counted(listed):
    page = WIRE.decode_page({"value": listed}, observed_at=SEEN)

    assert len(page.jobs) + page.unreadable == len(listed)


@pytest.mark.parametrize("link", [7, [], {}, True])
def test_a_link_that_is_no_text_is_none(link):
    assert WIRE.decode_page({"value": [], "nextLink": link}, observed_at=SEEN).next_link is None


@pytest.mark.parametrize("body", [None, [], {}, {"values": []}, {"value": None}, {"value": {}}, {"value": "x"}])
def test_what_is_no_page_is_a_value_error(body):
    with pytest.raises(ValueError):  # noqa: PT011 - which one is said by each case
        WIRE.decode_page(body, observed_at=SEEN)


# Errors

DOCUMENTED = {
    "error": {
        "code": "BadRequest",
        "message": "The inputs is required.",
        "target": "inputs",
        "details": [{"code": "Missing", "message": "inputs is missing"}],
        "innererror": {
            "code": "InvalidPayload",
            "message": "Outer.",
            "innererror": {"code": "Deepest", "message": "Inner."},
        },
    }
}
FLAT = {
    "code": "InvalidRequest",
    "message": "The request is invalid.",
    "innerError": {"code": "InvalidParameter", "message": "The output format is not supported."},
}
PROBLEM_DETAILS = {
    "errors": {
        "Properties.DestinationContainerUrl": ["The SAS has expired.", "It must be writable."],
        "Inputs": "One is required.",
    },
    "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
    "title": "One or more validation errors occurred.",
    "status": 400,
    "traceId": "00-x-y-00",
}
GATEWAY = {"error": {"code": "429", "message": "Please retry after 19 seconds."}}
STORAGE = (
    '<?xml version="1.0" encoding="utf-8"?><Error><Code>BlobNotFound</Code>'
    "<Message>The specified blob does not exist.\nRequestId:1\nTime:2026</Message></Error>"
)


def problem(value):
    return decode_problem(value.encode() if isinstance(value, str) else json.dumps(value).encode())


def test_the_documented_error_is_understood_down_to_its_innermost_reason():
    found = problem(DOCUMENTED)

    assert (found.code, found.message) == ("BadRequest", "The inputs is required.")
    assert found.details == ("inputs is missing", "InvalidPayload: Outer.", "Deepest: Inner.")
    assert str(found) == "The inputs is required. - inputs is missing - InvalidPayload: Outer. - Deepest: Inner."


def test_the_flat_error_of_the_older_generation_is_understood():
    assert problem(FLAT) == Problem(
        "InvalidRequest", "The request is invalid.", ("InvalidParameter: The output format is not supported.",)
    )


def test_problem_details_are_understood():
    found = problem(PROBLEM_DETAILS)

    assert str(found) == (
        "One or more validation errors occurred. - "
        "Properties.DestinationContainerUrl: The SAS has expired. - "
        "Properties.DestinationContainerUrl: It must be writable. - Inputs: One is required."
    )


@pytest.mark.parametrize("code", ["429", 429])
def test_the_gateways_error_with_a_number_is_understood(code):
    found = problem({"error": GATEWAY["error"] | {"code": code}})

    assert found == Problem("429", "Please retry after 19 seconds.")


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "with the byte order mark that Azure Storage sends"])
def test_the_error_of_storage_is_understood(mark):
    assert problem(mark + STORAGE) == Problem("BlobNotFound", "The specified blob does not exist.")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "no reason given"),
        ("Service Unavailable", "Service Unavailable"),
        ("<html><body>Bad Gateway</body></html>", "<html><body>Bad Gateway</body></html>"),
        ("[1, 2]", "[1, 2]"),
        ('{"error": "invalid_request"}', "invalid_request"),
        ('{"error": null}', '{"error": null}'),
        ("{}", "no reason given"),
        ("x" * 1000, "x" * 300 + " ... (700 more characters)"),
    ],
)
def test_a_body_of_no_known_shape_is_quoted(body, words):
    assert str(problem(body)) == words


def test_a_detail_without_a_message_adds_no_word():
    found = problem({"error": {"code": "x", "message": "m", "details": [{"code": "y"}, {"message": "n"}]}})

    assert "None" not in str(found)


def test_a_reason_that_is_told_twice_is_shown_once():
    found = problem({"error": {"code": "x", "message": "m", "details": [{"message": "m"}, {"message": "n"}]}})

    assert str(found) == "m - n"


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00",
        b"<Error><Code></Code><Message></Message></Error>",
        b"<Code>",
        b"<Error><Code>\n</Code></Error>",
        b'{"error": {"details": 7}}',
        b'{"error": {"details": true}}',
        b'{"errors": {}}',
        b'{"error": {"innererror": 7}}',
        b"[" * 100_000,
    ],
    ids=["binary", "empty tags", "open tag", "blank tag", "number", "true", "none", "inner number", "too deep"],
)
def test_no_body_is_too_odd_to_be_understood(body):
    assert isinstance(str(decode_problem(body)), str)


def members(*names):
    """Any of these members, each with any value."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON))


@given(body=st.builds(lambda inner: {"error": inner}, members("code", "message", "details", "innererror")))
def test_any_error_of_the_documented_shape_is_some_problem(body):
    assert str(problem(body))


@given(body=JSON | members("error", "errors", "code", "message", "details", "title", "innerError"))
def test_any_other_json_is_some_problem(body):
    assert str(problem(json.dumps(body)))


@given(body=st.binary() | st.text("<>/CodeMsag\n x").map(str.encode))
def test_any_bytes_are_some_problem(body):
    assert str(decode_problem(body))


# The summary


def test_the_summary_is_read_as_documented_and_of_its_path_only_the_name():
    body = json.dumps(
        {
            "jobID": "5a25b929-1358-4e81-a036-33000e788c46",
            "status": "Succeeded",
            "results": [
                {
                    "texts": ["<speak>The rainbow has seven colors.</speak>"],
                    "status": "Succeeded",
                    "videoFileName": "244a87c294b94ddeb3dbaccee8ffa7eb/5a25b929-1358-4e81-a036-33000e788c46/0001.mp4",
                    "TalkingAvatarCharacter": "lisa",
                    "TalkingAvatarStyle": "graceful-sitting",
                }
            ],
        }
    )

    [result] = decode_summary(body.encode())

    assert (result.status, result.video_file_name, result.error) == ("Succeeded", "0001.mp4", None)
    assert result.billing == {}  # this generation tells it in the job


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"status": "Failed", "error": "No such voice."}, ("Failed", None, "No such voice.")),
        (
            {"status": "Failed", "error": {"code": "BadRequest", "message": "No such voice."}},
            ("Failed", None, "BadRequest: No such voice."),
        ),
        ({"status": "Failed", "error": {"message": "No such voice."}}, ("Failed", None, "No such voice.")),
        ({"status": "Failed", "error": {}}, ("Failed", None, None)),
        ({"status": "Failed", "error": None}, ("Failed", None, None)),
        ({"error": ["No such voice."]}, (None, None, "['No such voice.']")),
        ({}, (None, None, None)),
        ({"videoFileName": None}, (None, None, None)),
        ({"videoFileName": "0001.webm"}, (None, "0001.webm", None)),
        ({"status": 7}, ("7", None, None)),
    ],
)
def test_an_entry_of_the_summary_may_be_odd(entry, expected):
    [result] = decode_summary(json.dumps({"results": [entry]}).encode())

    assert (result.status, result.video_file_name, result.error) == expected


def test_results_come_in_the_order_of_the_inputs_and_what_is_none_is_passed_over():
    body = json.dumps({"results": [{"status": "a"}, 7, None, {"status": "b"}]})

    assert [result.status for result in decode_summary(body.encode())] == ["a", "b"]


@pytest.mark.parametrize("body", [b"{}", b'{"results": []}', b'\xef\xbb\xbf{"results": []}'])
def test_a_summary_may_have_no_results(body):
    assert decode_summary(body) == ()


@pytest.mark.parametrize(
    "body",
    [b"", b"<xml/>", b"[]", b'"x"', b'{"results": null}', b'{"results": {}}', b"\xff\xff", b"[" * 100_000],
    ids=["nothing", "xml", "list", "text", "null", "object", "binary", "too deep"],
)
def test_what_is_no_summary_is_a_value_error(body):
    with pytest.raises(ValueError):  # noqa: PT011 - which one is said by each case
        decode_summary(body)
