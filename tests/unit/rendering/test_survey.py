"""How much of a long job list is read, and which jobs are asked for by their ids instead."""

import pytest
from pydantic import SecretStr

from batch_avatar.archive.index import ArchiveIndex
from batch_avatar.rendering.preparing.survey import ENOUGH_PAGES, Read, read_newest, unseen_jobs
from batch_avatar.service.client import AvatarClient
from batch_avatar.service.credentials import KeyCredential
from batch_avatar.service.listing import NOTHING_READ
from batch_avatar.service.session import open_session
from batch_avatar.service.wire.generations import wire_for
from tests.support.manual_clock import ManualClock
from tests.support.tiny_server import Answer, TinyServer

MORE_PAGES = ENOUGH_PAGES + 50  # as many as the server has, so that a client that reads on comes to an end


@pytest.fixture
def long_list():
    """A server with pages of one job each, and `read(api_version, **options)`, which reads its list."""
    with TinyServer() as server, open_session() as session:

        def page(path):
            more = len(server.requests) < MORE_PAGES
            link = f"{server.url}{path.partition('?')[0]}?skip={len(server.requests)}" if more else None
            job = {"id": f"job-{len(server.requests)}", "status": "Running", "createdDateTime": "0001-01-01T00:00:00Z"}
            return Answer(200, {"value": [job], "values": [job], "nextLink": link, "@nextLink": link})

        def read(api_version, **options):
            client = AvatarClient(
                endpoint=server.url,
                credential=KeyCredential(SecretStr("key")),
                wire=wire_for(api_version),
                session=session,
                clock=ManualClock(),
                request_timeout_seconds=120,
            )
            return read_newest(client, **options)

        server.answers = [page]
        yield server, read


@pytest.mark.parametrize("overlap", [False, True])
def test_a_long_list_is_read_so_far_and_no_further_whatever_its_times_show(long_list, overlap):
    server, read = long_list

    found = read("2024-08-01", overlap=overlap)

    assert len(server.requests) == len(found.jobs) == ENOUGH_PAGES
    assert found.down_to is not None


def test_a_list_whose_jobs_have_no_ids_of_ours_is_read_to_its_end(long_list):
    server, read = long_list

    assert read("3.1-preview1").down_to is None
    assert len(server.requests) == MORE_PAGES


CLAIMS = {
    "running": ({"accepted": "yes"}, True),
    "not answered": ({}, True),
    "refused": ({"refused": "yes"}, False),
    "refused here and accepted from another run": ({"refused": "yes", "accepted": "yes"}, True),
    "over": ({"accepted": "yes", "over": "yes"}, False),
}


@pytest.mark.parametrize(("facts", "asked"), CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("down_to", [None, NOTHING_READ], ids=["whole list", "part of it"])
def test_jobs_that_open_claims_name_are_asked_for_if_the_list_was_not_read_to_its_end(facts, asked, down_to):
    index = ArchiveIndex()
    index.enter("intro/0123456789abcdef/claim.json", {"attempt": "1", "job_id": "intro-0123456789abcdef-1", **facts})

    found = unseen_jobs(index, {"host": Read([], down_to)})

    assert found == ({("host", "intro-0123456789abcdef-1")} if asked and down_to else set())
