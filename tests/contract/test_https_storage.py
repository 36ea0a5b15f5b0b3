"""A storage that speaks https with a certificate of its own: what the emulator does there, it does as ever."""

import pytest
import requests
from azure.storage.blob import ContainerClient

from batch_avatar.emulator.certificate import make_certificate
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT, Azurite
from tests.support.signing import signed_url
from tests.support.waiting import ANSWER_SECONDS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def azurite(certificate):
    with Azurite(certificate=certificate) as azurite:
        yield azurite


@pytest.fixture
def container(azurite, certificate):
    with ContainerClient.from_connection_string(
        azurite.connection_string(USER_ACCOUNT), "own", connection_verify=str(certificate.path), use_env_settings=False
    ) as client:
        client.create_container()
        yield client


def test_outputs_are_written_linked_forwarded_and_deleted(start, pack, container, certificate):
    assert certificate.key_path.stat().st_mode & 0o077 == 0
    speech = start(storage_certificate=str(certificate.path), storage_front=True)
    job = speech.finished()
    assert requests.get(job["outputs"]["result"], timeout=ANSWER_SECONDS).status_code == 200
    assert speech.delete().status_code == 204
    assert requests.get(job["outputs"]["result"], timeout=ANSWER_SECONDS).status_code == 404
    speech.finished("job-2", pack("One.", "Two.", signed=signed_url(container)))
    names = [blob.name.rsplit("/", 1)[1] for blob in container.list_blobs()]
    assert names == ["0001.mp4", "0002.mp4", "summary.json"]


def test_links_straight_to_it_are_https(start, certificate):
    link = start(storage_certificate=str(certificate.path)).finished()["outputs"]["result"]
    assert link.startswith("https://")
    assert requests.get(link, verify=str(certificate.path), timeout=ANSWER_SECONDS).status_code == 200
