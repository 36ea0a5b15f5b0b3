"""What of an answer is believed: the job that was asked for, and no other; a readable part, without a line for each."""

import gzip
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from batch_avatar.errors import AccessRefused, CreateUnclear, RequestRefused, ServiceUnavailable
from batch_avatar.models import JobRef, Script
from tests.support.tiny_server import Answer

NAME = "intro-0123456789abcdef-1"
OTHER = "outro-fedcba9876543210-1"
SCRIPT = Script(script_id="intro", content="Hi.", voice="v", talking_avatar_character="lisa")
GUID = "c48b4cf5-1111-2222-3333-444455556666"
REF = JobRef(script_id="intro", content_id="0123456789abcdef", attempt=1, job_id=NAME, service_id=NAME)


def create(client):
    return client.create(SCRIPT, job_id=NAME, description="batch-avatar:00112233445566aa")


# Another id


def test_a_create_that_is_answered_with_another_id_is_unclear(server, client):
    server.answers = [Answer(201, {"id": OTHER, "status": "NotStarted"})]

    with pytest.raises(CreateUnclear, match=OTHER) as caught:
        create(client)

    assert (caught.value.job_id, caught.value.request_id) == (NAME, "r-1")


@pytest.mark.parametrize("call", ["get", "look"])
def test_a_get_that_is_answered_with_another_id_is_an_error_and_no_job(server, client, call):
    server.answers = [Answer(200, {"id": OTHER, "status": "Succeeded"})]

    with pytest.raises(ServiceUnavailable, match=f"{OTHER}.*{NAME}") as caught:
        client.get(NAME) if call == "get" else client.look(REF)

    assert (caught.value.job_id, caught.value.request_id) == (NAME, "r-1")


def test_a_create_of_the_older_generation_that_is_answered_with_another_name_is_unclear(server, older):
    server.answers = [Answer(201, {"id": GUID, "displayName": OTHER, "status": "NotStarted"})]

    with pytest.raises(CreateUnclear, match=OTHER):
        create(older)


@pytest.mark.parametrize("more", [{}, {"displayName": None}])
def test_a_create_of_the_older_generation_that_is_answered_without_a_name_is_believed(server, older, more):
    server.answers = [Answer(201, {"id": GUID, "status": "NotStarted"} | more)]

    assert create(older).service_id == GUID


def test_a_get_of_the_older_generation_that_is_answered_with_another_id_is_an_error(server, older):
    server.answers = [Answer(200, {"id": GUID.replace("c", "d"), "displayName": NAME, "status": "Succeeded"})]

    with pytest.raises(ServiceUnavailable, match="another job"):
        older.look(REF.model_copy(update={"service_id": GUID}))


# What cannot be read


def test_what_cannot_be_read_of_a_job_is_told_once_and_not_with_each_listing(server, client, caplog):
    listed = [{"id": f"job-{n}", "status": "Running", "createdDateTime": ""} for n in range(3)]
    server.answers = [Answer(200, {"value": listed})]

    for _ in range(3):
        assert [job.service_id for page in client.list_pages() for job in page.jobs] == ["job-0", "job-1", "job-2"]

    assert caplog.text.count("createdDateTime") == 1
    assert "job-0" in caplog.text


def test_jobs_without_id_or_status_are_told_once_and_not_with_each_listing(server, client, caplog):
    server.answers = [Answer(200, {"value": [7, {"id": "a", "status": "Running"}]})]

    for _ in range(3):
        list(client.list_pages())

    assert caplog.text.count("cannot be read") == 1


def test_a_name_that_cannot_be_read_may_be_the_one_looked_for(server, older):
    server.answers = [Answer(200, {"values": [{"id": GUID, "displayName": 7, "status": "Running"}]})]

    with pytest.raises(ServiceUnavailable, match="cannot be read"):
        older.look(REF)


# Bodies


def deep(levels=200_000):
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize("body", [deep(), b"[" * 200_000, b'{"id": ' + b"9" * 5_000 + b"}"], ids=["deep", "open", "9s"])
def test_odd_json_is_an_outage_whatever_is_asked(server, client, body):
    server.answers = [Answer(200, body)]

    with pytest.raises(ServiceUnavailable, match="cannot be read"):
        client.get(NAME)
    with pytest.raises(ServiceUnavailable, match="cannot be read"):
        list(client.list_pages())
    with pytest.raises(CreateUnclear, match="cannot be read"):
        create(client)


def test_deep_json_in_an_error_is_an_error_of_ours(server, client):
    server.answers = [Answer(400, deep())]

    with pytest.raises(RequestRefused):
        create(client)


def test_a_number_of_thousands_of_digits_in_one_job_hides_no_other(server, client):
    odd = b'{"id": "a", "status": "Running", "properties": {"sizeInBytes": ' + b"9" * 5_000 + b"}}"
    server.answers = [Answer(200, b'{"value": [' + odd + b', {"id": "b", "status": "Running"}]}')]

    [page] = client.list_pages()

    assert [(job.service_id, job.size_bytes) for job in page.jobs] == [("a", None), ("b", None)]


@pytest.mark.parametrize("size", [30_000_000, 900_000_000])
def test_a_body_that_inflates_without_bound_is_an_outage_and_is_not_held(server, client, size):
    pieces = gzip.compress(b" " * 1_000_000) * (size // 1_000_000)
    server.answers = [Answer(200, pieces, {"Content-Encoding": "gzip"})]

    with pytest.raises(ServiceUnavailable, match="larger than"):
        client.get(NAME)


def test_a_page_that_is_packed_is_read(server, client):
    body = gzip.compress(json.dumps({"value": [{"id": "a", "status": "Running"}]}).encode())
    server.answers = [Answer(200, body, {"Content-Encoding": "gzip"})]

    [page] = client.list_pages()

    assert page.jobs[0].service_id == "a"


def test_a_body_that_is_no_gzip_although_it_says_so_is_an_outage(server, client):
    server.answers = [Answer(200, b"{}", {"Content-Encoding": "gzip"})]

    with pytest.raises(ServiceUnavailable):
        client.get(NAME)


def test_of_an_error_only_the_beginning_is_read(server, client):
    body = gzip.compress(b"x" * 1_000_000) * 200
    server.answers = [Answer(400, body, {"Content-Encoding": "gzip"})]

    with pytest.raises(RequestRefused) as caught:
        create(client)

    assert len(caught.value.message) <= 300 + len(" ... (63,700 more characters)")


# Headers


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Mon, 01 Jan 1800 00:00:00 GMT",
        "Sat, 21 Nov 2026 09:00:00 +99999999",
        "\xe9\xff",
        "1 2 3",
    ],
)
def test_a_date_beyond_the_calendar_is_no_date(server, client, date):
    server.answers = [Answer(200, {"id": NAME, "status": "Running"}, {"Date": date})]

    assert client.get(NAME).observed_at.year == 2026


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000", "UT"])
def test_a_date_without_a_known_zone_is_utc(server, client, zone):
    server.answers = [Answer(200, {"id": NAME, "status": "Running"}, {"Date": f"Sat, 21 Nov 2026 09:30:00 {zone}"})]

    assert client.get(NAME).observed_at.isoformat() == "2026-11-21T09:30:00+00:00"


def test_a_request_id_of_odd_bytes_is_made_fit_to_be_shown(server, client):
    server.answers = [Answer(400, b"{}", {"apim-request-id": "a\xe9\x1b[31mb" + "x" * 9_000})]

    with pytest.raises(RequestRefused) as caught:
        create(client)

    assert caught.value.request_id.isascii()
    assert caught.value.request_id.isprintable()
    assert len(caught.value.request_id) <= 100


@pytest.mark.parametrize("location", ["http://[", "https://x:99999999/", "\xff\xfe", "//"])
@pytest.mark.parametrize("status", [302, 307])
def test_an_odd_redirect_is_an_outage_and_no_refused_key(server, client, location, status):
    server.answers = [Answer(status, {}, {"Location": location})]

    with pytest.raises(ServiceUnavailable) as caught:
        client.get(NAME)
    with pytest.raises(CreateUnclear):
        create(client)

    assert not isinstance(caught.value, AccessRefused)


# A long list


def test_a_list_of_sixty_thousand_jobs_is_read(server, client):
    def page(path):
        skip = int(parse_qs(urlsplit(path).query).get("skip", ["0"])[0])
        jobs = [{"id": f"job-{skip + number}", "status": "Running"} for number in range(100)]
        link = f"/avatar/batchsyntheses?skip={skip + 100}" if skip < 59_900 else None
        return Answer(200, {"value": jobs, "nextLink": link})

    server.answers = [page]

    assert sum(len(page.jobs) for page in client.list_pages()) == 60_000
