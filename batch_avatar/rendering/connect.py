"""Turn settings into connections, one set per process. The only module that chooses implementations."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import AzureError
from azure.identity import ChainedTokenCredential, DefaultAzureCredential
from azure.storage.blob import BlobServiceClient

from batch_avatar.archive.access.keys import StorageRetry
from batch_avatar.archive.access.tokens import StorageTokens
from batch_avatar.archive.access.transport import StorageTransport
from batch_avatar.archive.identity_check import NO_ARCHIVE
from batch_avatar.archive.inbox_container import Inbox
from batch_avatar.archive.ledger import Archive
from batch_avatar.archive.signing import signer
from batch_avatar.archive.staging import Staging
from batch_avatar.archive.transfer import BLOCK_BYTES
from batch_avatar.clock import SystemClock
from batch_avatar.errors import SettingsError
from batch_avatar.rendering.connections import (
    CONTROL_THREADS,
    TRANSFER_THREADS,
    Connections,
    find_open_connections,
    in_thread,
    sharing,
)
from batch_avatar.rendering.run import begin_run
from batch_avatar.service.admission import Admission
from batch_avatar.service.client import AvatarClient
from batch_avatar.service.credentials import SCOPE, EntraCredential, KeyCredential
from batch_avatar.service.deadlines import Deadlines
from batch_avatar.service.exchange import Exchange
from batch_avatar.service.listeners import Listeners
from batch_avatar.service.resource import Resource
from batch_avatar.service.session import idempotent_retry, open_session
from batch_avatar.service.sign_in.programs import at_once
from batch_avatar.service.sign_in.tokens import Identity, Tokens
from batch_avatar.service.sign_in.transport import TokenTransport
from batch_avatar.service.voices.asking import voices_endpoint
from batch_avatar.service.watcher import Watcher
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.settings import renewed
from batch_avatar.stopping import Stopping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    import requests
    from pydantic import SecretStr

    from batch_avatar.clock import Clock
    from batch_avatar.models import SynthesisJob
    from batch_avatar.rendering.run import Run
    from batch_avatar.resource_settings import ResourceSettings
    from batch_avatar.service.session import Credential
    from batch_avatar.settings import Settings

    GateOf = Callable[[str], Callable[[], Awaitable[None]]]

T = TypeVar("T")


@asynccontextmanager
async def open_connections(
    settings: Settings,
    *,
    clock: Clock | None = None,
    create_archive: bool = True,
    open_archive: bool = True,
    gate_of: GateOf | None = None,
) -> AsyncIterator[Connections]:
    """Open everything a run needs, and close it at the end. If the same settings are open already, share them.

    `gate_of` takes a resource's name and returns what every create there waits for last, e.g. a limit that machines
    share. With `create_archive=False` no archive is made where there is none; it then looks like an empty one.
    With `open_archive=False` the archive is not opened, so that it can be repaired.

    Raises:
        ArchiveDamaged: the archive's id is not that of its claims and receipts.
        ArchiveRefused, ArchiveUnavailable: the container cannot be opened.
        SettingsError: the storage settings cannot be used.
    """
    outer = find_open_connections()
    if outer is not None and outer.settings == settings:
        with _gated(outer, gate_of):
            yield outer
        return
    clock = clock or SystemClock()
    session, storage_session, identity_session = open_session(retry=idempotent_retry()), open_session(), open_session()
    identity = connect_identity(clock, identity_session)
    connections = _connect(settings, clock=clock, session=session, storage_session=storage_session, identity=identity)
    try:
        if open_archive:
            await connections.control(partial(connections.archive.open, create=create_archive))
        if connections.staging is not None and create_archive:
            await connections.control(connections.staging.open)
        with sharing(connections), _gated(connections, gate_of):
            yield connections
    finally:
        connections.stopping.throw()
        for resource in connections.resources.values():
            await resource.watcher.close()
        for threads in (connections.transfer_threads, connections.control_threads):
            threads.shutdown(wait=False, cancel_futures=True)  # calls that wait for an answer end by themselves
        for opened in (session, storage_session, identity_session):
            opened.close()


@asynccontextmanager
async def open_run(
    settings: Settings,
    name: str,
    *,
    batch: str = "",
    clock: Clock | None = None,
    create_archive: bool = True,
    gate_of: GateOf | None = None,
) -> AsyncIterator[Run]:
    """Open connections and begin a run over them. Inside a run with the same settings, share that run.

    `batch` is as in `Run`; the other options and the errors are those of `open_connections`.
    """
    async with open_connections(settings, clock=clock, create_archive=create_archive, gate_of=gate_of) as connections:
        with begin_run(connections, name, batch=batch) as run:
            yield run


@contextmanager
def _gated(connections: Connections, gate_of: GateOf | None) -> Iterator[None]:
    resources = connections.resources.values() if gate_of is not None else ()
    for resource in resources:
        resource.admission.gate = gate_of(resource.name) if gate_of is not None else None
    try:
        yield
    finally:
        for resource in resources:
            resource.admission.gate = None


@asynccontextmanager
async def open_existing_archive(settings: Settings) -> AsyncIterator[Connections]:
    """Open connections to an archive that must exist already.

    Raises:
        SettingsError: there is no archive; a wrong container must not look like an empty archive.
    """
    async with open_connections(settings, create_archive=False) as connections:
        if connections.archive.archive_id == NO_ARCHIVE:
            raise SettingsError(
                f"there is no archive in container {settings.container}, folder /{settings.prefix}; "
                "BATCH_AVATAR_CONTAINER and BATCH_AVATAR_PREFIX say where it is"
            )
        yield connections


def connect_client(
    settings: Settings,
    resource: ResourceSettings,
    *,
    clock: Clock | None = None,
    session: requests.Session | None = None,
    identity: Identity | None = None,
) -> AvatarClient:
    """Return a client for one resource; no archive is needed."""
    clock = clock or SystemClock()
    return AvatarClient(
        endpoint=resource.endpoint,
        credential=connect_credential(settings, resource, identity or connect_identity(clock, open_session())),
        wire=wire_for(settings.api_version),
        session=session or open_session(retry=idempotent_retry()),
        clock=clock,
        request_timeout_seconds=settings.request_timeout_seconds,
    )


def connect_voices(settings: Settings, resource: ResourceSettings, region: str) -> Exchange:
    """Return what asks a region for its voices, with the key of this resource."""
    credential = connect_credential(settings, resource, connect_identity(SystemClock(), open_session()))
    session, seconds = open_session(retry=idempotent_retry()), settings.request_timeout_seconds
    where = voices_endpoint(resource, region)
    return Exchange(endpoint=where, credential=credential, session=session, timeout_seconds=seconds)


def _connect(
    settings: Settings,
    *,
    clock: Clock,
    session: requests.Session,
    storage_session: requests.Session,
    identity: Identity,
) -> Connections:
    control_threads = ThreadPoolExecutor(CONTROL_THREADS, thread_name_prefix="control")
    listeners: Listeners[SynthesisJob] = Listeners()

    async def look(call: Callable[..., T], *args: object) -> T:
        return await in_thread(control_threads, partial(call, *args))

    def connected(given: ResourceSettings) -> Resource:
        deadlines = Deadlines(settings.start_deadline_seconds, settings.job_deadline_seconds, clock)
        client = connect_client(settings, given, clock=clock, session=session, identity=identity)
        admission = Admission(
            clock=clock,
            creates_per_minute=given.creates_per_minute or 0,
            max_unfinished_jobs=given.max_unfinished_jobs or settings.max_unfinished_jobs,
        )
        watcher = Watcher(
            client=client,
            clock=clock,
            poll_interval_seconds=settings.poll_interval_seconds,
            deadlines=deadlines,
            run=look,
            on_change=listeners.tell,
            on_others=admission.see_others,
        )
        return Resource(
            name=given.name,
            host=given.host,
            client=client,
            admission=admission,
            watcher=watcher,
            deadlines=deadlines,
            unsupported=frozenset(name.lower() for name in given.unsupported),
        )

    storage = connect_storage(settings, storage_session, identity)
    staging = None
    if settings.staging_container is not None:
        container = storage.get_container_client(settings.staging_container)
        staging = Staging(container=container, sign=signer(storage, settings), clock=clock)
    inbox = None
    if settings.inbox_container is not None:
        inbox = Inbox(container=storage.get_container_client(settings.inbox_container), ids=settings.inbox_ids)
    return Connections(
        settings=settings,
        clock=clock,
        resources={given.host: connected(given) for given in settings.all_resources()},
        archive=Archive(container=storage.get_container_client(settings.container), prefix=settings.prefix),
        staging=staging,
        inbox=inbox,
        stopping=Stopping(),
        control_threads=control_threads,
        transfer_threads=ThreadPoolExecutor(TRANSFER_THREADS, thread_name_prefix="transfer"),
        job_listeners=listeners,
    )


def connect_identity(clock: Clock, session: requests.Session) -> Identity:
    def sign_in() -> ChainedTokenCredential:  # without many tries, as outages are waited for
        return at_once(DefaultAzureCredential(transport=TokenTransport(session), retry_total=1))

    return Identity(sign_in, clock)


def connect_credential(settings: Settings, resource: ResourceSettings, identity: Identity) -> Credential:
    if resource.speech_key is None:
        return EntraCredential(Tokens(identity, SCOPE))

    def read_again() -> SecretStr | None:
        known = {given.host: given.speech_key for given in renewed(settings).all_resources()}
        return known.get(resource.host)

    return KeyCredential(resource.speech_key, read_again)


def connect_storage(settings: Settings, session: requests.Session, identity: Identity) -> BlobServiceClient:
    def read_again() -> str:
        given = renewed(settings).storage_connection_string
        return given.get_secret_value() if given is not None else ""

    retry = StorageRetry(read_again)
    options: dict[str, Any] = {
        "transport": StorageTransport(session),  # the session has no retries: the SDK has its own
        "retry_policy": retry,
        "max_single_put_size": BLOCK_BYTES,
        "max_block_size": BLOCK_BYTES,
    }
    try:
        if settings.storage_connection_string is not None:
            service = BlobServiceClient.from_connection_string(
                settings.storage_connection_string.get_secret_value(), **options
            )
            retry.sign_with(service)
        else:
            service = BlobServiceClient(
                settings.storage_account_url or "", credential=StorageTokens(identity), **options
            )
    except (ValueError, AzureError) as error:
        raise SettingsError(
            f"BATCH_AVATAR_STORAGE_CONNECTION_STRING or _ACCOUNT_URL cannot be used: {type(error).__name__}"
        ) from None
    logging.getLogger("azure").setLevel(logging.WARNING)
    return service
