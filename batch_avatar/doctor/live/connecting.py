"""What a live examination works with: one resource, requests without retries, and a clock."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batch_avatar.clock import SystemClock
from batch_avatar.doctor.live.conversation import Conversation
from batch_avatar.doctor.live.spending import Pace, Spending
from batch_avatar.errors import SettingsError
from batch_avatar.rendering.connect import connect_credential, connect_identity
from batch_avatar.resource_settings import PREVIEW_31
from batch_avatar.service.exchange import Exchange
from batch_avatar.service.links import is_loopback
from batch_avatar.service.session import open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from batch_avatar.clock import Clock
    from batch_avatar.resource_settings import ResourceSettings
    from batch_avatar.settings import Settings

MOST_POLL_SECONDS = 5.0
"""Between two looks at a job: two seconds of video took four."""


@dataclass(frozen=True)
class Connected:
    conversation: Conversation
    session: requests.Session
    """For links, which carry their own signature."""
    loopback: bool
    """Whether the service is on this machine."""


def choose_resource(settings: Settings, name: str | None) -> ResourceSettings:
    """Return the resource of that name, or the first one.

    Raises:
        SettingsError: there is none of that name, or the api-version cannot be asked.
    """
    if settings.api_version == PREVIEW_31:
        raise SettingsError(f"doctor --live asks api-version 2024-08-01; BATCH_AVATAR_API_VERSION is {PREVIEW_31}")
    resources = settings.all_resources()
    if name is None:
        return resources[0]
    chosen = next((resource for resource in resources if resource.name == name), None)
    if chosen is None:
        raise SettingsError(f"there is no resource {name}; known are {', '.join(one.name for one in resources)}")
    return chosen


@contextmanager
def connected(
    settings: Settings, resource: ResourceSettings, *, tell: Callable[[str], None], clock: Clock | None = None
) -> Iterator[Connected]:
    clock = clock or SystemClock()
    host = urlsplit(resource.endpoint).hostname or ""
    hidden = (resource.host, host, host.split(".")[0], resource.name)
    with open_session() as session, open_session() as identity_session, open_session() as links_session:
        exchange = Exchange(
            endpoint=resource.endpoint,
            credential=connect_credential(settings, resource, connect_identity(clock, identity_session)),
            session=session,
            timeout_seconds=settings.request_timeout_seconds,
        )
        conversation = Conversation(
            exchange=exchange,
            clock=clock,
            api_version=settings.api_version,
            pace=Pace(clock, resource.creates_per_minute or 0),
            spending=Spending(),
            hidden=tuple(value for value in hidden if value != resource.region),
            poll_seconds=min(settings.poll_interval_seconds, MOST_POLL_SECONDS),
            tell=tell,
        )
        yield Connected(conversation, links_session, is_loopback(host))
