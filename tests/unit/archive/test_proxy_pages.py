"""The page of a proxy in place of the storage's own answer: it is refused or tried again, and never believed."""

import secrets

import pytest
from azure.storage.blob import BlobServiceClient

from batch_avatar.archive.inbox_container import Inbox
from batch_avatar.archive.ledger import Archive
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from batch_avatar.errors import ArchiveError, ArchiveUnavailable, BatchAvatarError
from tests.support.answering_road import PAGE, AnsweringRoad, ends
from tests.unit.archive.known_claim import CLAIM

XHTML = b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>Sign in</p></body></html>'


@pytest.fixture
def road(azurite):
    with AnsweringRoad(azurite.url) as running:
        yield running


@pytest.fixture
def container(road, azurite):
    direct = azurite.connection_string(USER_ACCOUNT)
    with BlobServiceClient.from_connection_string(road.connection_string(direct), retry_total=0) as client:
        yield client.get_container_client(f"pages-{secrets.token_hex(6)}")


@pytest.fixture
def archive(container):
    opened = Archive(container=container, prefix="")
    opened.open()
    opened.create_claim(CLAIM)
    return opened


def listing(method, path):
    return method == "GET" and "comp=list" in path


@pytest.mark.parametrize("page", [PAGE, XHTML, b"", b'{"error": "sign in"}'], ids=["html", "xhtml", "empty", "json"])
@pytest.mark.parametrize("kind", ["text/html", "application/xml"])
def test_a_page_in_place_of_a_listing_is_no_empty_archive(archive, road, page, kind):
    road.say(listing, 200, page, {"Content-Type": kind})

    with pytest.raises(ArchiveError):
        archive.index()
    with pytest.raises(ArchiveError):
        archive.list_outputs(CLAIM.ref())


@pytest.mark.parametrize("page", [PAGE, XHTML], ids=["html", "xhtml"])
def test_a_page_in_place_of_a_listing_is_no_empty_inbox(container, road, page):
    container.create_container()
    container.upload_blob("inbox/a.txt", b"Hi.")
    road.say(listing, 200, page, {"Content-Type": "text/html"})

    with pytest.raises(ArchiveError):
        Inbox(container=container).look()


@pytest.mark.parametrize("status", [200, 403, 404, 502])
def test_a_page_in_place_of_the_archives_id_makes_no_new_archive(archive, container, road, status):
    road.say(ends("GET", "/_archive.json"), status, PAGE, {"Content-Type": "text/html", "ETag": '"x"'})

    with pytest.raises(BatchAvatarError):
        Archive(container=container, prefix="").open()

    road.honest()
    again = Archive(container=container, prefix="")
    again.open()
    assert again.archive_id == archive.archive_id


def test_a_page_in_place_of_a_claim_is_no_claim_and_not_none(archive, road):
    road.say(ends("GET", "/claim.json"), 200, PAGE, {"Content-Type": "text/html", "ETag": '"x"'})

    with pytest.raises(ArchiveError, match=r"claim\.json"):
        archive.read_claim("intro", CLAIM.content_id)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Nov 2026 99:99:99 GMT", "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_a_date_that_is_none_is_no_stack_trace_and_makes_no_claim_old(archive, road, date):
    claim = archive._blob("intro/0123456789abcdef/claim.json").download_blob()  # noqa: SLF001
    headers = {"Content-Type": "application/json", "ETag": claim.properties.etag, "Date": date}
    headers["Last-Modified"] = "Mon, 30 Nov 2026 20:00:00 GMT"
    road.say(ends("GET", "/claim.json"), 200, claim.readall(), headers)

    with pytest.raises(ArchiveUnavailable, match="none of a storage"):
        archive.read_claim("intro", CLAIM.content_id)
