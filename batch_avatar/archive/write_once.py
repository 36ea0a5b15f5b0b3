"""See before anything is sent whether the container takes a second version of a blob, as claims need.

In a container that is write-once all jobs would be created and paid for, and none could be archived. What its
properties show is read when the archive is opened. What they do not show, the run's first claim tells (`ledger.py`).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from batch_avatar.archive.storage_answers import WRITE_ONCE
from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.errors import ArchiveRefused, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import ContainerClient

ADVICE = (
    "Claims must be overwritten, so no archive can be kept there and nothing is sent. Use another container "
    "(BATCH_AVATAR_CONTAINER), or have that taken away"
)


def check_properties(container: ContainerClient) -> None:
    """Refuse a container that shows an immutability policy or a legal hold.

    Raises:
        SettingsError: it shows one. Properties that may not be read, and a container that is missing, show none.
    """
    try:
        with archive_errors(f"look at container {container.container_name}"):
            shown = container.get_container_properties()
    except ArchiveRefused:
        return
    for has, what in (
        (shown.has_immutability_policy, "an immutability policy"),
        (shown.has_legal_hold, "a legal hold"),
    ):
        if has:
            raise SettingsError(f"container {container.container_name} is write-once: it has {what}. {ADVICE}")


class Overwriting:
    """Whether a claim could be overwritten in this container. Shared by all threads; the first claims try it."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container
        self._refused = ""
        self.proven = False

    def check(self) -> None:
        """Raise ArchiveRefused once a claim could not be overwritten."""
        if self._refused:
            raise self._error()

    @contextmanager
    def tried(self) -> Iterator[None]:
        """Note how a block ends that overwrites a claim.

        Raises:
            ArchiveRefused: the container is write-once.
        """
        try:
            yield
        except ArchiveRefused as error:
            if error.code not in WRITE_ONCE:
                raise
            self._refused = error.code
            raise self._error() from None
        self.proven = True

    def _error(self) -> ArchiveRefused:
        name = self._container.container_name
        return ArchiveRefused(f"container {name} is write-once. {ADVICE}", code=self._refused)
