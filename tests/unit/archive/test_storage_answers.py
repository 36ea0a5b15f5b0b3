"""What a storage's error code means for each of our conditional writes, before and after the write took effect."""

import secrets
from functools import partial
from pathlib import Path

import pytest
from azure.core import MatchConditions
from azure.storage.blob import BlobServiceClient

from batch_avatar.archive.inbox_container import Inbox
from batch_avatar.archive.ledger import Archive
from batch_avatar.archive.storage_answers import ANSWERS, Meaning, meaning_of
from batch_avatar.archive.transfer import store_bytes
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from batch_avatar.errors import ArchiveConflict, ArchiveRefused, ArchiveUnavailable, LostRace, NotThere
from tests.support.answering_road import AnsweringRoad, ends
from tests.unit.archive.known_claim import CLAIM


@pytest.fixture(scope="module")
def shared_road(azurite):
    with AnsweringRoad(azurite.url) as running:
        yield running


@pytest.fixture
def road(shared_road):
    yield shared_road
    shared_road.reset()


@pytest.fixture(scope="module")
def storage(shared_road, azurite):
    """The user's account by the road; nothing is tried again, so that every request counts."""
    direct = azurite.connection_string(USER_ACCOUNT)
    with BlobServiceClient.from_connection_string(shared_road.connection_string(direct), retry_total=0) as client:
        yield client


@pytest.fixture(scope="module")
def container(storage):
    with storage.get_container_client(f"answers-{secrets.token_hex(6)}") as client:
        client.create_container()
        yield client


@pytest.fixture
def archive(container):
    opened = Archive(container=container, prefix=f"{secrets.token_hex(4)}/")
    opened.open()
    return opened


def outcome(write):
    """What a write says, in one word."""
    try:
        result = write()
    except NotThere:
        return Meaning.NOT_THERE
    except LostRace:
        return "an unexpected lost race"
    except ArchiveRefused:
        return Meaning.REFUSED
    except ArchiveUnavailable:
        return Meaning.LATER
    except ArchiveConflict:
        return Meaning.LOST_RACE
    return Meaning.LOST_RACE if result is None else "done"


def status_of(code):
    return ANSWERS[code].status if code in ANSWERS else 409


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("code", [*ANSWERS, "SomethingNew"])
def test_every_write_tells_a_lost_race_from_a_refusal_in_one_request(archive, container, road, code, after):
    name, meaning = secrets.token_hex(4), meaning_of(code, status_of(code))
    container.upload_blob(f"inbox/{name}.txt", b"Hi.")
    inbox = Inbox(container=container)
    (drop,) = (drop for drop in inbox.look() if drop.script_id == name)
    side_file = container.get_blob_client(f"{name}/summary.json")
    held = archive.create_claim(CLAIM.model_copy(update={"script_id": "held"}))
    writes = ends("PUT", "/claim.json"), ends("PUT", "/summary.json"), ends("DELETE", f"/{name}.txt")
    before = [road.seen.count(write) for write in writes]
    for write in writes:
        road.refuse(write, code, status_of(code), after=after)

    assert outcome(partial(archive.create_claim, CLAIM)) == meaning
    assert outcome(partial(archive.replace_claim, held, held.claim)) == meaning
    stored = outcome(partial(store_bytes, side_file, b"x", content_type="application/json", metadata={}))
    compared = "done" if after else Meaning.NOT_THERE
    assert stored == (compared if meaning is Meaning.LOST_RACE else meaning)
    gone = meaning in (Meaning.LOST_RACE, Meaning.NOT_THERE)
    assert outcome(partial(inbox.remove, drop)) == (Meaning.LOST_RACE if gone else meaning)
    assert [road.seen.count(write) for write in writes] == [before[0] + 2, 1, 1]


@pytest.mark.parametrize("code", [code for code, answer in ANSWERS.items() if answer.next_step])
def test_a_refusal_says_which_blob_the_code_and_what_to_do(archive, road, code):
    road.refuse(ends("PUT", "/claim.json"), code, status_of(code))

    with pytest.raises(ArchiveRefused) as caught:
        archive.create_claim(CLAIM)

    assert caught.value.code == code
    for part in ("intro/0123456789abcdef/claim.json", ANSWERS[code].next_step):
        assert part in str(caught.value)


@pytest.mark.parametrize("status", [404, 409, 412])
def test_the_page_of_a_proxy_is_neither_a_lost_race_nor_an_absent_blob(archive, road, status):
    road.refuse(lambda *_: True, None, status)

    assert outcome(partial(archive.create_claim, CLAIM)) == Meaning.REFUSED
    assert outcome(partial(archive.read_claim, "intro", CLAIM.content_id)) == Meaning.REFUSED
    assert outcome(partial(archive.read_receipt, "intro", CLAIM.content_id)) == Meaning.REFUSED


def test_the_real_storage_is_understood(archive, container):
    """Every code that decides something, as a storage says it and not as a test does."""
    held = archive.create_claim(CLAIM)
    assert archive.create_claim(CLAIM) is None
    assert archive.replace_claim(held, CLAIM) is not None
    assert archive.replace_claim(held, CLAIM) is None
    assert archive.read_claim("other", CLAIM.content_id) is None
    blob = container.get_blob_client(f"{archive.prefix_of(CLAIM)}claim.json")
    lease = blob.acquire_lease(60)
    try:
        with pytest.raises(ArchiveRefused, match=r"LeaseIdMissing.*lease"):
            archive.replace_claim(archive.read_claim("intro", CLAIM.content_id), CLAIM)
    finally:
        lease.release()
    etag = blob.get_blob_properties().etag
    blob.delete_blob(etag=etag, match_condition=MatchConditions.IfNotModified)
    assert archive.replace_claim(held, CLAIM) is None, "a claim that has gone is another version"


def test_the_source_of_a_copy_that_may_not_be_read_has_not_gone():
    assert meaning_of("CannotVerifyCopySource", 404) is Meaning.NOT_THERE
    assert meaning_of("CannotVerifyCopySource", 403) is Meaning.REFUSED
    assert meaning_of("CannotVerifyCopySource", 500) is Meaning.LATER


def test_the_page_about_refusals_names_every_code_of_the_table():
    page = next(Path(__file__).parents[3].glob("docs/decisions/*refusal-of-the-storage*")).read_text(encoding="utf-8")
    rows = {row.split("|")[1].strip(): row for row in page.splitlines() if row.startswith("| ")}

    for code, answer in ANSWERS.items():
        row = rows[answer.meaning]
        assert f"`{code}`" in row or (answer.meaning is Meaning.REFUSED and code.startswith("Lease")), code
