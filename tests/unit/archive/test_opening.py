"""What it takes to open an archive, and what is seen by then."""

import secrets

import pytest
from azure.storage.blob import BlobServiceClient

from batch_avatar.archive.ledger import Archive
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from batch_avatar.errors import ArchiveDamaged
from tests.support.answering_road import AnsweringRoad
from tests.unit.archive.known_claim import CLAIM


@pytest.fixture
def road(azurite):
    with AnsweringRoad(azurite.url) as running:
        yield running


@pytest.fixture
def container(road, azurite):
    """With an archive that has claims of five scripts."""
    direct = azurite.connection_string(USER_ACCOUNT)
    with BlobServiceClient.from_connection_string(road.connection_string(direct), retry_total=0) as client:
        container = client.get_container_client(f"opening-{secrets.token_hex(6)}")
        archive = Archive(container=container, prefix="")
        archive.open()
        for number in range(5):
            archive.create_claim(CLAIM.model_copy(update={"script_id": f"s{number}"}))
        yield container


def test_an_archive_in_order_is_opened_with_few_requests(container, road):
    road.seen.requests.clear()

    Archive(container=container, prefix="").open()

    assert len(road.seen.requests) == 4  # the container's properties, the archive's id, the folders, one folder


@pytest.mark.parametrize("telling", [0, 2])
def test_a_claim_of_another_id_is_seen_behind_claims_that_carry_none(container, telling):
    for number in range(5):
        blob = container.get_blob_client(f"s{number}/{CLAIM.content_id}/claim.json")
        metadata = blob.get_blob_properties().metadata
        others = {name: value for name, value in metadata.items() if name != "archive"}
        blob.set_blob_metadata(others | ({"archive": "0123456789abcdef"} if number == telling else {}))

    with pytest.raises(ArchiveDamaged, match="0123456789abcdef"):
        Archive(container=container, prefix="").open()
