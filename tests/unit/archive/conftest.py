"""An archive on a real storage."""

import secrets

import pytest

from batch_avatar.archive.ledger import Archive


@pytest.fixture
def archive(user_storage):
    """One of this test's own, below a prefix."""
    with user_storage.get_container_client(f"archive-{secrets.token_hex(6)}") as container:
        opened = Archive(container=container, prefix="films/2026/")
        opened.open()
        yield opened
