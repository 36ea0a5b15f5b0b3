"""What the checks work with: sessions without long retries, one identity that is asked once, and the storage."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from batch_avatar.archive.signing import signer
from batch_avatar.archive.staging import Staging
from batch_avatar.clock import SystemClock
from batch_avatar.rendering.connect import connect_client, connect_identity, connect_storage
from batch_avatar.service.session import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests
    from azure.core.credentials import AccessToken
    from azure.storage.blob import BlobServiceClient

    from batch_avatar.clock import Clock
    from batch_avatar.doctor.reach import Reached
    from batch_avatar.resource_settings import ResourceSettings
    from batch_avatar.service.client import AvatarClient
    from batch_avatar.service.sign_in.tokens import Identity
    from batch_avatar.settings import Settings


class AskedOnce:
    """An identity that is asked once for each scope, as some take seconds each time."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._lock = threading.Lock()
        self._tokens: dict[str, AccessToken] = {}
        self.clock = identity.clock

    @property
    def kind(self) -> str:
        return self._identity.kind

    def ask(self, scope: str, **options: Any) -> AccessToken:
        with self._lock:
            if options or scope not in self._tokens:
                self._tokens[scope] = self._identity.ask(scope, **options)
            return self._tokens[scope]

    def forget(self) -> None:
        """Keep the token: no check needs a newer one."""


@dataclass
class Patient:
    """The settings that are looked at, and what was found out on the way."""

    settings: Settings
    clock: Clock
    session: requests.Session
    identity: Identity
    reached: dict[str, Reached] = field(default_factory=dict)
    """What answered, by the name of its check."""
    assignee: str = "<your object id>"
    """Who is signed in, as commands for roles name it."""

    def client(self, resource: ResourceSettings) -> AvatarClient:
        return connect_client(self.settings, resource, clock=self.clock, session=self.session, identity=self.identity)

    def storage(self) -> BlobServiceClient:
        """Return the storage account. Raises SettingsError where the settings cannot be used."""
        return connect_storage(self.settings, self.session, self.identity)

    def staging(self, storage: BlobServiceClient, container: str) -> Staging:
        sign = signer(storage, self.settings)
        return Staging(container=storage.get_container_client(container), sign=sign, clock=self.clock)


@contextmanager
def plain_session() -> Iterator[tuple[requests.Session, Clock]]:
    """Give a session and a clock, for checks that need no settings."""
    with open_session() as session:
        yield session, SystemClock()


def patient(settings: Settings, session: requests.Session, clock: Clock) -> Patient:
    identity = cast("Identity", AskedOnce(connect_identity(clock, session)))  # it does all that an identity does
    return Patient(settings=settings, clock=clock, session=session, identity=identity)
