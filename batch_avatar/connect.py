"""Settings become connections: one set per process; the only place that chooses implementations."""

from __future__ import annotations

import asyncio
import logging
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ExponentialRetry

from batch_avatar.admission import Admission
from batch_avatar.archive import NO_ARCHIVE, Archive
from batch_avatar.client import AvatarClient
from batch_avatar.clock import SystemClock
from batch_avatar.credentials import EntraCredential, KeyCredential
from batch_avatar.errors import SettingsError
from batch_avatar.identity import derive_content_id
from batch_avatar.log import redact_secrets
from batch_avatar.models import Permits
from batch_avatar.session import idempotent_retry, open_session
from batch_avatar.stopping import Stopping
from batch_avatar.transfer import BLOCK_BYTES
from batch_avatar.watcher import Deadlines, Watcher
from batch_avatar.wire import wire_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import requests
    from azure.storage.blob import ContainerClient
    from pydantic import SecretStr

    from batch_avatar.clock import Clock
    from batch_avatar.models import BatchReport, Script, SynthesisJob
    from batch_avatar.progress import Event
    from batch_avatar.session import Credential
    from batch_avatar.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

CONTROL_THREADS = 16
TRANSFER_THREADS = 8  # 8 threads move 264 small videos a second, measured; bandwidth is the limit for large ones


@dataclass
class Connections:
    """What the stages of one run share. `run` names it in claims, receipts and reports."""

    settings: Settings
    run: str
    clock: Clock
    client: AvatarClient
    archive: Archive
    admission: Admission
    watcher: Watcher
    stopping: Stopping
    control_threads: ThreadPoolExecutor
    transfer_threads: ThreadPoolExecutor
    deadlines: Deadlines
    permits: Permits = field(default_factory=Permits)
    """What may be paid for again."""
    revisions: dict[str, int] = field(default_factory=dict)
    """By script_id, where the plan goes on with a later revision than the permits ask for."""
    report: BatchReport | None = None
    """What the run ended with, for whoever opened the connections around it."""
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    """Whose claims are ours: this process and run, so that a step that is taken again knows its own."""
    destinations: dict[str, SecretStr] = field(default_factory=dict)
    """Signed links of destination containers by job id: secrets, so this process alone knows them."""
    job_listeners: list[Callable[[SynthesisJob], None]] = field(default_factory=list)
    listeners: list[Callable[[Event], None]] = field(default_factory=list)

    alive: set[str] = field(default_factory=set)
    """Scripts, by id, whose job the plan has seen: they are looked for before anything is sent."""

    def content_id_of(self, script: Script) -> str:
        """Of the revision that is wanted."""
        return derive_content_id(script, archive_id=self.archive.archive_id, revision=self.revision_of(script))

    def revision_of(self, script: Script) -> int:
        return self.revisions.get(script.script_id, self.permits.revision)

    def tell(self, event: Event) -> None:
        """Tell everyone who shows progress that a script moved on."""
        for listener in self.listeners:
            listener(event)

    async def control(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a short blocking call in a thread of our own; asyncio's default pool is small and not ours."""
        return await _in_thread(self.control_threads, partial(call, *args, **kwargs))

    async def transfer(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a long blocking call, one that moves a video."""
        return await _in_thread(self.transfer_threads, partial(call, *args, **kwargs))


def new_run_name(clock: Clock) -> str:
    """A name for a run that sorts by time, e.g. 20261121-093012-3f2a."""
    return f"{clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


async def _in_thread(threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    """With the caller's context, so that a flow engine knows whose log lines these are."""
    return await asyncio.get_running_loop().run_in_executor(threads, copy_context().run, call)


_current: ContextVar[Connections | None] = ContextVar("batch_avatar_connections", default=None)


def current() -> Connections:
    """The open connections.

    Raises:
        RuntimeError: outside `open_connections`.
    """
    connections = _current.get()
    if connections is None:
        raise RuntimeError("no connections are open here: use `async with open_connections(load_settings(), run=...)`")
    return connections


@asynccontextmanager
async def open_connections(
    settings: Settings, *, run: str, clock: Clock | None = None, create_archive: bool = True
) -> AsyncIterator[Connections]:
    """Open everything a run needs and close it again; inside a run that is open already, share that one's.

    With `create_archive=False` nothing is written where there is no archive yet; it then looks empty.

    Raises:
        ArchiveRefused, ArchiveUnavailable: the container cannot be opened.
        SettingsError: the storage settings cannot be used.
    """
    outer = _current.get()
    if outer is not None and outer.settings == settings:
        yield outer
        return
    clock = clock or SystemClock()
    session, storage_session = open_session(retry=idempotent_retry()), open_session()
    connections = _connect(settings, run=run, clock=clock, session=session, storage_session=storage_session)
    token = _current.set(connections)
    try:
        await connections.control(partial(connections.archive.open, create=create_archive))
        yield connections
    finally:
        _current.reset(token)
        connections.stopping.throw()
        await connections.watcher.close()
        for threads in (connections.transfer_threads, connections.control_threads):
            threads.shutdown(wait=False, cancel_futures=True)  # what still waits for an answer ends alone
        session.close()
        storage_session.close()


@asynccontextmanager
async def open_existing_archive(settings: Settings, *, run: str) -> AsyncIterator[Connections]:
    """Connections, with an archive at their other end.

    Raises:
        SettingsError: there is none; a wrong container must not look like an empty archive.
    """
    async with open_connections(settings, run=run, create_archive=False) as connections:
        if connections.archive.archive_id == NO_ARCHIVE:
            raise SettingsError(
                f"there is no archive in container {settings.container}, folder /{settings.prefix}; "
                "BATCH_AVATAR_CONTAINER and BATCH_AVATAR_PREFIX say where it is"
            )
        yield connections


def connect_client(
    settings: Settings, *, clock: Clock | None = None, session: requests.Session | None = None
) -> AvatarClient:
    """The service alone, without an archive."""
    clock = clock or SystemClock()
    redact_secrets()
    return AvatarClient(
        endpoint=settings.endpoint,
        credential=_credential(settings, clock),
        wire=wire_for(settings.api_version),
        session=session or open_session(retry=idempotent_retry()),
        clock=clock,
        request_timeout_seconds=settings.request_timeout_seconds,
    )


def _connect(
    settings: Settings,
    *,
    run: str,
    clock: Clock,
    session: requests.Session,
    storage_session: requests.Session,
) -> Connections:
    client = connect_client(settings, clock=clock, session=session)
    control_threads = ThreadPoolExecutor(CONTROL_THREADS, thread_name_prefix="control")
    listeners: list[Callable[[SynthesisJob], None]] = []

    def changed(job: SynthesisJob) -> None:
        for listener in listeners:
            listener(job)

    async def look(call: Callable[..., T], *args: object) -> T:
        return await _in_thread(control_threads, partial(call, *args))

    deadlines = Deadlines(settings.start_deadline_seconds, settings.job_deadline_seconds)
    watcher = Watcher(
        client=client,
        clock=clock,
        poll_interval_seconds=settings.poll_interval_seconds,
        deadlines=deadlines,
        run=look,
        on_change=changed,
    )
    return Connections(
        settings=settings,
        run=run,
        clock=clock,
        client=client,
        archive=Archive(container=_container(settings, storage_session), prefix=settings.prefix),
        admission=Admission(
            clock=clock,
            creates_per_minute=settings.creates_per_minute,
            max_unfinished_jobs=settings.max_unfinished_jobs,
        ),
        watcher=watcher,
        deadlines=deadlines,
        stopping=Stopping(),
        control_threads=control_threads,
        transfer_threads=ThreadPoolExecutor(TRANSFER_THREADS, thread_name_prefix="transfer"),
        job_listeners=listeners,
    )


def _credential(settings: Settings, clock: Clock) -> Credential:
    if settings.speech_key is not None:
        return KeyCredential(settings.speech_key)
    return EntraCredential(DefaultAzureCredential(), clock)


def _container(settings: Settings, session: requests.Session) -> ContainerClient:
    options = {
        "transport": RequestsTransport(session=session, session_owner=False),  # its own: the SDK retries by itself
        "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=4),  # its default waits 15 s
        "max_single_put_size": BLOCK_BYTES,
        "max_block_size": BLOCK_BYTES,
    }
    try:
        if settings.storage_connection_string is not None:
            service = BlobServiceClient.from_connection_string(
                settings.storage_connection_string.get_secret_value(), **options
            )
        else:
            service = BlobServiceClient(
                settings.storage_account_url or "", credential=DefaultAzureCredential(), **options
            )
    except (ValueError, AzureError) as error:
        raise SettingsError(
            f"BATCH_AVATAR_STORAGE_CONNECTION_STRING or _ACCOUNT_URL cannot be used: {type(error).__name__}"
        ) from None
    logging.getLogger("azure").setLevel(logging.WARNING)
    return service.get_container_client(settings.container)
