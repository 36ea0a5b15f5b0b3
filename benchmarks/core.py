"""Runs the real core over simulated services: plan, runner, order, admission, claims, packing and watcher are real.

Simulated are the service (`SimulatedService`), the container (`MemoryArchive`), the staging container, and the step
that moves videos: it takes the time that `Options` says and writes a receipt.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr

from batch_avatar.planning.order import Order
from batch_avatar.planning.permits import Permits
from batch_avatar.receipt import Receipt, StoredBlob
from batch_avatar.rendering.connections import Connections, in_thread, sharing
from batch_avatar.rendering.packs.members import load_pack, shared_billing
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.run import begin_run, current_run
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.service.admission import Admission
from batch_avatar.service.deadlines import Deadlines
from batch_avatar.service.resource import Resource
from batch_avatar.service.watcher import Watcher
from batch_avatar.settings import Settings
from batch_avatar.stopping import Stopping
from benchmarks.memory_archive import MemoryArchive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from batch_avatar.archive.ledger import Archive
    from batch_avatar.archive.staging import Staging
    from batch_avatar.clock import Clock
    from batch_avatar.models import JobRef, Script, SynthesisJob
    from batch_avatar.rendering.chain import Chain
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.client import AvatarClient
    from benchmarks.service import SimulatedService

DIGEST = "0" * 64  # stands for the digest of videos that do not exist


@dataclass(frozen=True, slots=True)
class Options:
    """How the core works. `creates_per_minute` is the configured pace, 0 for unpaced."""

    creates_per_minute: float = 0.0
    order: Order = Order.LONGEST
    pack: int = 1
    archive_seconds: float = 0.0
    """Seconds from noticing a job's end to its receipt."""


async def render_with_core(
    services: Sequence[SimulatedService], clock: Clock, scripts: Sequence[Script], options: Options | None = None
) -> BatchReport:
    """Render the scripts in one run over these services and an empty archive."""
    options = options or Options()
    async with open_simulated(services, clock, options):
        return await render_scripts(
            scripts, chain_of(options), permits=Permits(), order=options.order, pack=options.pack
        )


@asynccontextmanager
async def open_simulated(
    services: Sequence[SimulatedService], clock: Clock, options: Options
) -> AsyncIterator[Connections]:
    """Open simulated connections like `rendering.connect.open_connections`. Environment and `.env` are not read."""
    settings = Settings.model_construct(creates_per_minute=options.creates_per_minute)
    listeners: list[Callable[[SynthesisJob], None]] = []

    def changed(job: SynthesisJob) -> None:
        for listener in listeners:
            listener(job)

    with ThreadPoolExecutor(1) as threads:  # starts no thread: the virtual loop calls everything itself
        c = Connections(
            settings=settings,
            clock=clock,
            resources={
                service.host: _resource(service, clock, settings, partial(in_thread, threads), changed)
                for service in services
            },
            archive=cast("Archive", MemoryArchive(clock)),
            staging=cast("Staging", _Staging()),
            stopping=Stopping(),
            control_threads=threads,
            transfer_threads=threads,
            job_listeners=listeners,
        )
        try:
            with sharing(c), begin_run(c, "benchmark"):
                yield c
        finally:
            for resource in c.resources.values():
                await resource.watcher.close()


def _resource(
    service: SimulatedService,
    clock: Clock,
    settings: Settings,
    run: Callable[[Callable[[], Any]], Any],
    on_change: Callable[[SynthesisJob], None],
) -> Resource:
    client = cast("AvatarClient", service)
    deadlines = Deadlines(settings.start_deadline_seconds, settings.job_deadline_seconds, clock)
    admission = Admission(
        clock=clock,
        creates_per_minute=settings.creates_per_minute,
        max_unfinished_jobs=service.slots,
    )

    async def look(call: Callable[..., Any], *args: object) -> Any:
        return await run(partial(call, *args))

    watcher = Watcher(
        client=client,
        clock=clock,
        poll_interval_seconds=settings.poll_interval_seconds,
        deadlines=deadlines,
        run=look,
        on_change=on_change,
        on_others=admission.see_others,
    )
    return Resource(
        name=service.host, host=service.host, client=client, admission=admission, watcher=watcher, deadlines=deadlines
    )


def chain_of(options: Options) -> Chain:
    """Return the plain chain with a step `archive` that moves no video."""

    async def archive(ref: JobRef) -> Receipt:
        run = current_run()
        c = run.connections
        if options.archive_seconds:
            await c.clock.sleep(options.archive_seconds)
        return await c.transfer(_write_receipt, run, ref)

    return replace(plain_chain(), archive=archive)


def _write_receipt(run: Run, ref: JobRef) -> Receipt:
    """Write a receipt like `batch_avatar.rendering.archiving.archive_job`, but copy no outputs."""
    c = run.connections
    job = run.ended.get(ref.service_id) if ref.input else run.ended.pop(ref.service_id, None)
    if job is None:
        job = c.resource_of(ref.resource).client.get(ref.service_id)
    billing = shared_billing(load_pack(run, ref.job_id), job, ref.input) if ref.input else job.billing
    billed = job.model_copy(update={"billing": billing})
    held = c.archive.read_claim(ref.script_id, ref.content_id)
    return c.archive.write_receipt(
        Receipt(
            **ref.model_dump(exclude={"resource"}),
            internal_id=job.internal_id,
            run=run.name,
            resource=c.resource_of(ref.resource).host,
            api_version=c.settings.api_version,
            archived_at=c.clock.now(),
            created_at=job.created_at,
            last_action_at=job.last_action_at,
            duration_milliseconds=job.duration_milliseconds,
            billing=dict(billing),
            billed_seconds=billed.billed_seconds,
            billed_characters=billed.billed_characters,
            video=StoredBlob(
                blob_name=f"{c.archive.prefix_of(ref)}{ref.attempt}/video.mp4",
                size_bytes=job.size_bytes or 0,
                sha256=DIGEST,
                content_md5=DIGEST[:32],
                content_type="video/mp4",
            ),
            voice=held.claim.voice if held else "",
            predicted_seconds=held.claim.predicted_seconds if held else None,
            attempts=held.claim.attempts if held else (),
        )
    )


class _Staging:
    """A staging container that nobody writes to or reads from."""

    def write_link(self, *, seconds: float) -> SecretStr:
        del seconds
        return SecretStr("https://staging.invalid/packs?sig=none")

    def remove(self, job_id: str) -> None:
        del job_id
