"""How long the service asks to wait: read in one place, bounded, and told."""

import logging
from datetime import UTC, datetime

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.errors import Throttled
from batch_avatar.models import Script
from batch_avatar.service.admission import Admission
from batch_avatar.service.http_headers import MOST_WAIT_SECONDS, read_date, read_request_id, read_retry_after
from batch_avatar.service.resource import Resource
from batch_avatar.service.session import idempotent_retry
from tests.support.manual_clock import ManualClock
from tests.support.tiny_server import Answer

SCRIPT = Script(script_id="intro", content="Hi.", voice="v", talking_avatar_character="lisa")
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
WAITS = {
    "": None,
    "0": 0,
    "19": 19,
    " 19 ": 19,
    "86400": MOST_WAIT_SECONDS,
    "100000000000000": MOST_WAIT_SECONDS,
    "9" * 5_000: MOST_WAIT_SECONDS,
    "-5": None,
    "1e3": None,
    "1.5": None,
    "soon": None,
    "²": None,
    "\xe9\xff": None,
    "Sat, 21 Nov 2026 09:00:37 GMT": 37,
    "Sat, 21 Nov 2026 09:00:37 -0000": 37,
    "Sat, 21 Nov 2026 08:00:00 GMT": 0,
    "Sun, 22 Nov 2026 09:00:00 GMT": MOST_WAIT_SECONDS,
    "Fri, 31 Dec 9999 23:59:59 -1200": None,
    "Fri, 31 Dec 99999 23:59:59 GMT": None,
}


@pytest.mark.parametrize(("told", "seconds"), WAITS.items(), ids=[told[:40] for told in WAITS])
def test_a_wait_is_read_and_bounded(told, seconds):
    assert read_retry_after(told, now=NOW) == seconds


@pytest.mark.parametrize("told", WAITS, ids=[told[:40] for told in WAITS])
def test_the_retries_of_the_http_library_read_it_in_the_same_place(told):
    response = urllib3.HTTPResponse(headers={"Retry-After": told, "Date": "Sat, 21 Nov 2026 09:00:00 GMT"})
    wait = idempotent_retry().get_retry_after(response)

    seconds = WAITS[told]
    assert wait is None if seconds is None else min(seconds, 5) <= wait <= 10


@pytest.mark.parametrize("told", WAITS, ids=[told[:40] for told in WAITS])
def test_a_refusal_with_an_odd_wait_is_still_a_refusal(server, client, told):
    server.answers = [Answer(429, b"{}", {"Retry-After": told.replace("²", "\xb2")})]

    with pytest.raises(Throttled) as caught:
        client.delete("my-job-01") if told in ("", "0") else client.create(SCRIPT, job_id="my-job-01", description="x")

    assert caught.value.retry_after_seconds == WAITS[told]


@given(st.text(st.characters(max_codepoint=255)))
def test_no_header_is_too_odd(text):
    assert read_retry_after(text, now=NOW) is None or 0 <= read_retry_after(text, now=NOW) <= MOST_WAIT_SECONDS
    assert read_date(text) is None or read_date(text).tzinfo is UTC
    assert read_request_id(text) is None or read_request_id(text).isprintable()


@pytest.mark.parametrize(("told", "until"), [(19.0, "09:00:19"), (3600.0, "10:00:00")])
async def test_a_wait_is_told_with_the_resource_and_its_end(caplog, told, until):
    clock = ManualClock()
    resource = Resource(
        name="west",
        host="west.example",
        client=None,
        admission=Admission(clock=clock, creates_per_minute=2, max_unfinished_jobs=9),
        watcher=None,
        deadlines=None,
    )

    with caplog.at_level(logging.WARNING):
        resource.heed(Throttled("Please retry.", retry_after_seconds=told))

    assert "west" in caplog.text
    assert f"until {until}" in caplog.text
    assert "other resources go on" in caplog.text
