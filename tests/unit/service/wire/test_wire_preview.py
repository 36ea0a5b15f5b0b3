"""The older generation on the wire, literally, and whatever may come back.

The bodies are those of its documents (11/2023): the pages on getting, listing and obtaining results.
"""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.models import Script, SynthesisJob
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.service.wire.messages import WireRequest
from batch_avatar.service.wire.summary import decode_summary
from tests.unit.service.wire.examples import EXAMPLES

WIRE = wire_for("3.1-preview1")
JOBS = "/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar"
SEEN = datetime(2023, 10, 19, 12, 24, tzinfo=UTC)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text("-PYWDTHMS0123456789.,Z:+", max_size=24),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def encode(**members):
    script = Script.model_validate({"script_id": "intro", "content": "Hi."} | members)
    request = WIRE.encode_create(script, job_id="intro-0123456789abcdef-1", description="batch-avatar:0011223344556677")
    return request, json.loads(request.body)


def decode(**members):
    return WIRE.decode_job({"id": "c48b4cf5", "status": "Running"} | members, observed_at=SEEN)


def faults(**members):
    return list(WIRE.check(Script.model_validate({"script_id": "intro", "content": "Hi."} | members)))


# What is sent


def test_a_create_with_every_property_that_this_generation_has_is_sent_as_documented():
    request, body = encode(
        input_kind="PlainText",
        content="One.\r\nTwo.\rThree.",
        description="for the spring campaign",
        voice="en-US-JennyNeural",
        style="cheerful",
        rate="+10%",
        pitch="low",
        volume="80",
        custom_voices={"My_Own-Voice name": "0b6b0a3d"},
        talking_avatar_character="lisa",
        talking_avatar_style="graceful-sitting",
        customized=False,
        video_format="WebM",
        video_codec="VP9",
        bitrate_kbps=500,
        subtitle_type="external_file",
        background_color="#00000000",
        video_crop={"top_left": {"x": 0.5, "y": 1.5}, "bottom_right": {"x": 960.5, "y": 540.5}},
        time_to_live_in_hours=36,
        destination_container_url="https://u.blob.core.windows.net/c?sr=c&sig=z",
    )

    assert (request.method, request.path, request.query) == ("POST", JOBS, {})
    assert body == {
        "displayName": "intro-0123456789abcdef-1",
        "description": "batch-avatar:0011223344556677",
        "textType": "PlainText",
        "inputs": [{"text": "One.\nTwo.\nThree."}],
        "customVoices": {"My_Own-Voice name": "0b6b0a3d"},
        "synthesisConfig": {
            "voice": "en-US-JennyNeural",
            "style": "cheerful",
            "rate": "+10%",
            "pitch": "low",
            "volume": "80",
        },
        "properties": {
            "timeToLive": "PT36H",
            "destinationContainerUrl": "https://u.blob.core.windows.net/c?sr=c&sig=z",
            "talkingAvatarCharacter": "lisa",
            "talkingAvatarStyle": "graceful-sitting",
            "customized": False,
            "videoFormat": "webm",
            "videoCodec": "vp9",
            "kBitrate": 500,
            "subtitleType": "external_file",
            "backgroundColor": "#00000000",
            "videoCrop": {"topLeft": {"x": 0.5, "y": 1.5}, "bottomRight": {"x": 960.5, "y": 540.5}},
        },
    }


VALUES = EXAMPLES | {"customized": False, "use_built_in_voice": False}
EVERY_SCRIPT = {"script_id", "input_kind", "content", "description"}
KEPT = {"columns"}
"""What is kept beside the video, and never sent."""
PROPERTIES = Script.model_fields.keys() - EVERY_SCRIPT - KEPT


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_every_property_of_a_script_is_either_sent_or_refused(name):
    """A property that is forgotten would be billed for and not rendered."""
    given_ = {name: VALUES.get(name, "something")}
    _, bare = encode()

    _, body = encode(**given_)

    assert (body != bare) is not bool(faults(**given_))


def test_columns_are_neither_sent_nor_refused():
    given_ = {"columns": {"department": "HR"}}

    assert encode(**given_) == encode()
    assert faults(**given_) == []


LACKING = {
    "photo_avatar_base_model",
    "scene",
    "use_built_in_voice",
    "background_image",
    "destination_path",
    "avatar_position",
    "avatar_size",
    "resolution",
    "extra_properties",
}


def test_what_this_generation_lacks_is_told_by_our_name_for_it():
    refused = {name for name in PROPERTIES if faults(**{name: VALUES.get(name, "x")})}

    assert refused == LACKING
    assert faults(photo_avatar_base_model="vasa-1") == [
        "photo_avatar_base_model: 3.1-preview1 has no such property; use api-version 2024-08-01"
    ]


def test_everything_that_it_lacks_is_told_at_once():
    found = faults(**{name: VALUES.get(name, "x") for name in LACKING}, video_codec="av1")

    assert {fault.partition(":")[0] for fault in found} == LACKING | {"video_codec"}
    assert len(found) == len(LACKING) + 1


def test_of_the_codecs_it_lacks_av1_alone():
    assert [faults(video_codec=codec) for codec in ("h264", "hevc", "vp9", None)] == [[], [], [], []]
    assert faults(video_codec="AV1") == [
        "video_codec: 3.1-preview1 has no av1; use another codec, or api-version 2024-08-01"
    ]


def test_what_is_unset_is_not_sent():
    _, body = encode(input_kind="SSML", content="<speak/>")

    assert body == {
        "displayName": "intro-0123456789abcdef-1",
        "description": "batch-avatar:0011223344556677",
        "textType": "SSML",
        "inputs": [{"text": "<speak/>"}],
    }


def test_text_is_sent_as_utf_8():
    request, _ = encode(content="Grüße, 日本! 🎬")

    assert "Grüße, 日本! 🎬".encode() in request.body


def test_the_names_of_custom_voices_are_sent_untouched():
    _, body = encode(custom_voices={"my_snake_voice": "Deployment_Id"})

    assert body["customVoices"] == {"my_snake_voice": "Deployment_Id"}


def test_get_list_and_delete_are_as_documented_and_carry_no_api_version():
    assert WIRE.encode_get("c48b4cf5") == WireRequest("GET", f"{JOBS}/c48b4cf5", {})
    assert WIRE.encode_delete("c48b4cf5") == WireRequest("DELETE", f"{JOBS}/c48b4cf5", {})
    assert WIRE.encode_list() == WireRequest("GET", JOBS, {"skip": "0", "top": "100"})
    assert WIRE.encode_list(skip=50) == WireRequest("GET", JOBS, {"skip": "50", "top": "100"})


def test_the_service_names_the_jobs_of_this_generation_and_of_no_other():
    assert WIRE.api_version == "3.1-preview1"
    assert WIRE.service_names_jobs
    assert not wire_for("2024-08-01").service_names_jobs


# Times to live


@pytest.mark.parametrize(
    ("hours", "written"), [(744, "P31D"), (24, "P1D"), (48, "P2D"), (36, "PT36H"), (1, "PT1H"), (743, "PT743H")]
)
def test_a_time_to_live_of_whole_days_is_sent_in_days_and_any_other_in_hours(hours, written):
    _, body = encode(time_to_live_in_hours=hours)

    assert body["properties"] == {"timeToLive": written}


def test_a_time_to_live_that_is_echoed_is_read_as_it_was_given():
    for hours in range(1, 745):
        _, body = encode(time_to_live_in_hours=hours)

        assert decode(properties=body["properties"]).time_to_live_hours == hours


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("P31D", 744),
        ("P1DT12H", 36),
        ("PT36H", 36),
        ("PT90M", 1.5),
        ("P1W", 168),
        ("PT3600S", 1),
        (None, None),
        (744, None),
        ("744", None),
        ("31.00:00:00", None),
        ("a month", None),
        ("P", None),
        ("", None),
        ("P99999999999D", None),
        ({}, None),
    ],
)
def test_a_time_to_live_is_read_in_any_of_its_forms_and_an_odd_one_is_none(written, hours):
    assert decode(properties={"timeToLive": written}).time_to_live_hours == hours


# What comes back: jobs, as the documents show them

SUCCEEDED = """{
    "textType": "SSML", "customVoices": {},
    "properties": {"audioSize": 336780, "durationInTicks": 25200000, "succeededAudioCount": 1,
        "duration": "PT2.52S", "billingDetails": {"customNeural": 0, "neural": 29}, "timeToLive": "P31D",
        "outputFormat": "riff-24khz-16bit-mono-pcm", "talkingAvatarCharacter": "lisa",
        "talkingAvatarStyle": "graceful-sitting", "kBitrate": 2000, "customized": false},
    "outputs": {
        "result": "https://cvoiceprodwus2.blob.core.windows.net/batch-synthesis-output/x/0001.mp4?SAS_Token",
        "summary": "https://cvoiceprodwus2.blob.core.windows.net/batch-synthesis-output/x/summary.json?SAS_Token"},
    "lastActionDateTime": "2023-10-19T12:23:06.320Z", "status": "Succeeded",
    "id": "c48b4cf5-957f-4a0f-96af-a4e3e71bd6b6", "createdDateTime": "2023-10-19T12:23:03.350Z",
    "displayName": "avatar batch synthesis sample"
}"""


def test_a_job_that_succeeded_is_read_as_documented():
    job = WIRE.decode_job(json.loads(SUCCEEDED), observed_at=SEEN)

    links = (job.result_link.get_secret_value(), job.summary_link.get_secret_value())
    assert [link.rpartition("/x/")[2] for link in links] == ["0001.mp4?SAS_Token", "summary.json?SAS_Token"]
    assert job.model_dump(exclude={"result_link", "summary_link"}) == {
        "service_id": "c48b4cf5-957f-4a0f-96af-a4e3e71bd6b6",
        "resource": "",
        "display_name": "avatar batch synthesis sample",
        "internal_id": None,
        "status": "Succeeded",
        "description": None,
        "created_at": datetime(2023, 10, 19, 12, 23, 3, 350_000, tzinfo=UTC),
        "last_action_at": datetime(2023, 10, 19, 12, 23, 6, 320_000, tzinfo=UTC),
        "observed_at": SEEN,
        "time_to_live_hours": 744,
        "subtitle_type": None,
        "character": "lisa",
        "style": "graceful-sitting",
        "size_bytes": 336780,
        "duration_milliseconds": 2520,
        "billing": {"customNeuralCharacters": 0, "neuralCharacters": 29},
        "error_code": None,
        "error_message": None,
        "subtitle_link": None,
        "unreadable": (),
    }
    assert (job.terminal, job.billed_characters, job.billed_seconds) == (True, 29, 0)
    assert job.expires_at == datetime(2023, 11, 19, 12, 23, 6, 320_000, tzinfo=UTC)


def test_our_name_for_a_job_is_its_display_name_and_a_job_may_have_none():
    assert decode(displayName="intro-0123456789abcdef-1").job_id == "intro-0123456789abcdef-1"
    assert decode().job_id == "c48b4cf5"


def test_the_description_with_the_archives_mark_is_read():
    assert decode(description="batch-avatar:0011223344556677").description == "batch-avatar:0011223344556677"


@pytest.mark.parametrize(
    ("properties", "milliseconds"),
    [
        ({"durationInTicks": 25_209_999}, 2520),
        ({"durationInTicks": "25200000"}, 2520),
        ({"durationInTicks": 25_200_000, "duration": "PT9S"}, 2520),
        ({"duration": "PT2.52S"}, 2520),
        ({"duration": "PT1M2.5234567S"}, 62_523),
        ({"durationInTicks": None, "duration": "PT1H"}, 3_600_000),
        ({"durationInTicks": True, "duration": "PT1S"}, 1000),
        ({"durationInTicks": "soon", "duration": 2.52}, None),
        ({}, None),
    ],
)
def test_a_length_is_read_from_the_ticks_or_else_the_duration(properties, milliseconds):
    assert decode(properties=properties).duration_milliseconds == milliseconds


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"code": "Aborted", "message": "Timed out."}, "Aborted", "Timed out."),
        ({"message": "Timed out."}, None, "Timed out."),
        ("Timed out.", None, "Timed out."),
        (None, None, None),
        ({}, None, None),
    ],
)
def test_the_reason_of_a_failure_is_read_as_object_and_as_text(error, code, message):
    job = decode(status="Failed", properties={"error": error})

    assert (job.terminal, job.error_code, job.error_message) == (True, code, message)


def test_the_kind_of_subtitles_and_their_undocumented_link_are_read():
    job = decode(properties={"subtitleType": "external_file"}, outputs={"subtitle": "https://x/0001.srt?sig=z"})

    assert job.subtitle_type == "external_file"
    assert job.subtitle_link.get_secret_value() == "https://x/0001.srt?sig=z"


def test_links_do_not_show_when_a_job_is_printed():
    assert "SAS_Token" not in repr(WIRE.decode_job(json.loads(SUCCEEDED), observed_at=SEEN))


@pytest.mark.parametrize("status", ["Cancelled", "Queued"])
def test_an_unknown_status_survives_and_is_not_terminal(status):
    job = decode(status=status, mood="good", properties={"neurons": 7}, outputs={"transcript": "https://x"})

    assert (job.status, job.terminal) == (status, False)


@pytest.mark.parametrize(
    "member", ["properties", "outputs", "displayName", "description", "createdDateTime", "lastActionDateTime"]
)
def test_a_member_that_is_null_is_as_good_as_absent(member):
    assert decode(**{member: None}) == decode()


@pytest.mark.parametrize("member", [*json.loads(SUCCEEDED)["properties"], "error", "subtitleType"])
def test_a_property_that_is_null_is_as_good_as_absent(member):
    assert decode(properties={member: None}) == decode()


ODD = [
    7,
    None,
    [],
    {},
    {"id": "x"},
    {"status": "Running"},
    {"id": None, "status": "Running"},
    {"id": "x", "status": None},
    {"code": "InvalidRequest", "message": "x", "innerError": {"code": "InvalidParameter"}},
]


@pytest.mark.parametrize("body", ODD)
def test_what_is_no_job_is_a_value_error(body):
    with pytest.raises(ValueError):  # noqa: PT011 - which one is said by each case
        WIRE.decode_job(body, observed_at=SEEN)


def shaped(value):
    """JSON of the given shape, some of it missing or odd."""
    if not isinstance(value, dict):
        return st.just(value) | JSON
    return st.fixed_dictionaries({}, optional={name: shaped(inner) for name, inner in value.items()}) | JSON


JOB = json.loads(SUCCEEDED) | {"description": "x"}
JOB["properties"] |= {"error": {"code": "x", "message": "y"}, "subtitleType": "none"}
JOB["outputs"] |= {"subtitle": "https://x"}


@given(body=shaped(JOB))
def test_any_json_is_a_job_or_a_value_error(body):
    try:
        job = WIRE.decode_job(body, observed_at=SEEN)
    except ValueError:
        return
    assert isinstance(job, SynthesisJob)
    assert job.service_id == body["id"]


# What is billed


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({"neural": 29, "customNeural": 3}, {"neuralCharacters": 29, "customNeuralCharacters": 3}),
        ({"Neural": "29", "TalkingAvatarDuration": "2"}, {"neuralCharacters": 29, "talkingAvatarDurationSeconds": 2}),
        ({"CustomNeural": "0"}, {"customNeuralCharacters": 0}),
        ({"talkingAvatarDurationInSeconds": 2}, {"talkingAvatarDurationSeconds": 2}),
        ({"talkingAvatarDurationSeconds": "2"}, {"talkingAvatarDurationSeconds": 2}),
        ({"neuralCharacters": 29, "HDVoices": "7"}, {"neuralCharacters": 29, "HDVoices": 7}),
        ({"neural": "many", "customNeural": None, "a": 1.5, "b": True, "c": "-1", "d": "", "e": "²"}, {}),
        ({}, {}),
        (None, {}),
        ([29], {}),
        ("29", {}),
    ],
)
def test_counts_are_read_by_their_later_names_from_job_and_summary_alike(told, read):
    body = json.dumps({"results": [{"status": "Succeeded", "billingDetails": told}]})

    assert decode(properties={"billingDetails": told}).billing == read
    assert decode_summary(body.encode())[0].billing == read


SUMMARY = """{
  "jobID": "c48b4cf5-957f-4a0f-96af-a4e3e71bd6b6", "status": "Succeeded",
  "results": [{
      "texts": ["<speak>The rainbow has seven colors.</speak>"], "status": "Succeeded",
      "billingDetails": {"Neural": "29", "TalkingAvatarDuration": "2"},
      "videoFileName": "c48b4cf5-957f-4a0f-96af-a4e3e71bd6b6/0001.mp4",
      "TalkingAvatarCharacter": "lisa", "TalkingAvatarStyle": "graceful-sitting"}]
}"""


def test_the_seconds_of_video_that_the_job_leaves_out_are_in_the_summary():
    job = WIRE.decode_job(json.loads(SUCCEEDED), observed_at=SEEN)
    [result] = decode_summary(SUMMARY.encode())

    assert (result.status, result.video_file_name, result.error) == ("Succeeded", "0001.mp4", None)
    assert result.billing == {"neuralCharacters": 29, "talkingAvatarDurationSeconds": 2}
    known = job.model_copy(update={"billing": result.billing})
    assert (known.billed_seconds, known.billed_characters) == (2, 29)


# Pages

LINK = f"https://westus2.customvoice.api.speech.microsoft.com{JOBS}?skip=2&top=2"
PAGE = f'{{"values": [{SUCCEEDED}, {{"id": "8e3fea5f", "status": "NotStarted"}}], "@nextLink": "{LINK}"}}'


def test_a_page_is_read_as_documented_and_its_link_as_written():
    page = WIRE.decode_page(json.loads(PAGE), observed_at=SEEN)

    assert [(job.service_id[:8], job.status) for job in page.jobs] == [
        ("c48b4cf5", "Succeeded"),
        ("8e3fea5f", "NotStarted"),
    ]
    assert (page.next_link, page.unreadable) == (LINK, 0)


def test_a_page_with_the_later_names_is_read_too():
    page = WIRE.decode_page({"value": [{"id": "a", "status": "Running"}], "nextLink": "/next"}, observed_at=SEEN)

    assert ([job.service_id for job in page.jobs], page.next_link) == (["a"], "/next")


@pytest.mark.parametrize("link", [None, "", 7, [], {}, True])
def test_a_link_that_is_no_text_is_none(link):
    assert WIRE.decode_page({"values": [], "@nextLink": link}, observed_at=SEEN).next_link is None


def test_the_last_page_has_no_link():
    page = WIRE.decode_page({"values": []}, observed_at=SEEN)

    assert (page.jobs, page.next_link, page.unreadable) == ((), None, 0)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_job_that_cannot_be_read_is_counted_and_hides_no_other(odd, at):
    listed = [{"id": "a", "status": "Running"}, {"id": "b", "status": "Failed"}]
    listed.insert(at, odd)

    page = WIRE.decode_page({"values": listed, "@nextLink": "/next"}, observed_at=SEEN)

    assert [job.service_id for job in page.jobs] == ["a", "b"]
    assert (page.unreadable, page.next_link) == (1, "/next")


@given(listed=st.lists(shaped(JOB), max_size=3))
def test_every_job_of_a_page_is_read_or_counted(listed):
    page = WIRE.decode_page({"values": listed}, observed_at=SEEN)

    assert len(page.jobs) + page.unreadable == len(listed)


@pytest.mark.parametrize("body", [None, [], {}, {"values": None}, {"values": {}}, {"values": "x"}, {"value": None}])
def test_what_is_no_page_is_a_value_error(body):
    with pytest.raises(ValueError):  # noqa: PT011 - which one is said by each case
        WIRE.decode_page(body, observed_at=SEEN)


@given(body=shaped({"values": [JOB], "@nextLink": LINK, "value": [], "nextLink": ""}))
def test_any_json_is_a_page_or_a_value_error(body):
    try:
        page = WIRE.decode_page(body, observed_at=SEEN)
    except ValueError:
        return
    assert len(page.jobs) + page.unreadable == len(body.get("values", body.get("value")))
