"""Drops that are called by their paths, read from a real storage."""

import secrets

import pytest

from batch_avatar.archive.inbox_container import Inbox
from batch_avatar.errors import ManifestError
from batch_avatar.inbox.steps import read_script
from batch_avatar.scripts.defaults import NO_DEFAULTS
from batch_avatar.settings import load_settings
from tests.support.scripts import LOOK

SETTINGS = load_settings(
    endpoint="https://r.cognitiveservices.azure.com", storage_account_url="https://a.blob.core.windows.net", **LOOK
)


@pytest.fixture
def container(user_storage):
    with user_storage.get_container_client(f"inbox-{secrets.token_hex(6)}") as client:
        client.create_container()
        yield client


def test_the_script_in_a_drop_has_the_id_of_the_drop(container):
    container.upload_blob("inbox/hr/welcome.txt", b"Hi.")
    container.upload_blob("inbox/intro.txt", b"Hi.")
    for ids, expected in (("name", ["welcome", "intro"]), ("path", ["hr/welcome", "intro"])):
        inbox = Inbox(container=container, ids=ids)
        drops = inbox.look()
        taken = [read_script(inbox, drop, NO_DEFAULTS, SETTINGS) for drop in drops]
        assert [script.script_id for script, _ in taken] == [drop.script_id for drop in drops] == expected


def test_a_path_that_cannot_be_an_id_says_which_part(container):
    container.upload_blob("inbox/2026/welcome.txt", b"Hi.")
    inbox = Inbox(container=container, ids="path")
    (drop,) = inbox.look()

    with pytest.raises(ManifestError, match=r"welcome\.txt: script_id has the part '2026'"):
        read_script(inbox, drop, NO_DEFAULTS, SETTINGS)
