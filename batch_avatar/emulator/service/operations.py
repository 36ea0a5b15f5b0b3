"""The service behind the HTTP routes: every operation is a method that returns a value or raises `ApiError`."""

from __future__ import annotations

import hashlib
import logging
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from batch_avatar.emulator.clock import ServiceClock
from batch_avatar.emulator.errors import ApiError, bad_request
from batch_avatar.emulator.faults import FaultRule, Faults, StickJob
from batch_avatar.emulator.jobs.job import Job, Removal, Rendered
from batch_avatar.emulator.jobs.preview_request import parse_preview
from batch_avatar.emulator.jobs.validation import check_id, parse_request
from batch_avatar.emulator.jobs.view import view_job
from batch_avatar.emulator.jobs.withdrawal import settle_withdrawn, settle_withdrawn_preview
from batch_avatar.emulator.service.allowance import Allowance
from batch_avatar.emulator.service.counters import Counters, describe_job
from batch_avatar.emulator.service.job_store import JobStore
from batch_avatar.emulator.storage.destination import check_destination
from batch_avatar.emulator.storage.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from batch_avatar.emulator.faults import JobAction
    from batch_avatar.emulator.jobs.request import SynthesisRequest
    from batch_avatar.emulator.options import EmulatorOptions, Generation

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Created:
    """The answer to a create."""

    view: dict[str, Any]
    operation_id: str


class Service:
    """One emulated Speech resource."""

    def __init__(self, options: EmulatorOptions, storage_connection_string: str) -> None:
        self.options = options
        self.clock = ServiceClock(scale=options.time_scale, stepped=options.stepped_clock)
        self.counters = Counters(log_size=options.request_log_size)
        self.faults = Faults(options.faults, seed=options.seed)
        self.outputs = Outputs(options, self.clock, storage_connection_string)
        self.store = JobStore(
            options,
            self.clock,
            on_release=lambda job: self._spawn(self._render, job),
            on_end=self._count_end,
            on_remove=self._count_removal,
        )
        self.workers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="emulator-io")
        self._renderers = ThreadPoolExecutor(options.render_threads, thread_name_prefix="emulator-render")
        self._pending: set[Future[None]] = set()
        self._pending_lock = threading.Lock()
        self.allowance = Allowance(options.creates_per_minute, self.clock)

    def close(self) -> None:
        """Finish the jobs that are being rendered, drop those that wait for it, and close the connections."""
        self._renderers.shutdown(cancel_futures=True)
        self.workers.shutdown()
        self.outputs.close()

    # The operations of the API

    def create(self, job_id: str, body: bytes, operation_id: str | None) -> Created:
        """Accept a job under the client's id, or raise; both are counted."""
        return self._paced("2024", lambda: self._create(job_id, body, operation_id))

    def create_preview(self, body: bytes) -> Created:
        """Accept a 3.1-preview1 job under a new id, or raise; both are counted. A repeat cannot be recognised."""
        return self._paced("3.1", lambda: self._create_preview(body))

    def get(self, job_id: str, generation: Generation = "2024") -> dict[str, Any] | None:
        """Return a job; None stands for an answer without content."""
        with self.store.lock:
            job = self.store.find(job_id, generation=generation, read=True)
            if job is not None:
                return view_job(job, self.outputs.links(job))
        if HTTPStatus(self.options.get_absent) is HTTPStatus.NO_CONTENT:
            return None
        raise ApiError(404, "NotFound", "The specified synthesis could not be found.")

    def list_page(self, skip: int, size: int, generation: Generation = "2024") -> tuple[list[dict[str, Any]], bool]:
        """Return one page, newest first, and whether more follow."""
        with self.store.lock:
            jobs, more = self.store.page(skip, size, generation)
            return [view_job(job, self.outputs.links(job)) for job in jobs], more

    def delete(self, job_id: str, generation: Generation = "2024") -> None:
        """Remove a job and its blobs; both are gone on return."""
        with self.store.lock:
            job = self.store.find(job_id, generation=generation)
            if job is None:
                if HTTPStatus(self.options.delete_absent) is HTTPStatus.NOT_FOUND:
                    raise ApiError(404, "NotFound", "The specified synthesis could not be found.")
                return
            if not job.terminal and self.options.delete_unfinished == "refuse":
                raise bad_request(f"The synthesis is {job.status}; only Succeeded or Failed ones can be deleted.")
            self.store.remove(job, "deleted")
        self.outputs.delete(job)

    def operation(self, operation_id: str) -> dict[str, Any]:
        """Return an operation's status, which is its job's."""
        found = self.store.find_operation(operation_id)
        if found is None:
            raise ApiError(404, "NotFound", "The specified operation could not be found.")
        return {"id": operation_id, "status": found[1].status}

    # What tests and operators use

    def stats(self) -> dict[str, Any]:
        """Return all counts."""
        counts = self.counters.report(unfinished=self.store.unfinished(), live=self.store.live())
        return counts | {"faults": self.faults.report()}

    def jobs(self) -> list[dict[str, Any]]:
        """Return all jobs that were ever created, removed ones included."""
        jobs = self.store.history()
        return [describe_job(job, bill_failed=self.options.bill_failed_jobs) for job in jobs]

    def set_faults(self, rules: Sequence[FaultRule]) -> None:
        """Replace the fault rules."""
        if not self.options.storage_front and any(rule.operation == "download" for rule in rules):
            raise bad_request("Download faults need the option storage_front.")
        self.faults.replace(rules)

    def release(self, job_id: str | None = None) -> int:
        """Let stuck jobs go on; return how many."""
        return self.store.release(job_id)

    def settle(self, timeout_seconds: float = 60.0) -> None:
        """Wait, in real time, until nothing is being rendered or removed in the background."""
        while True:
            with self._pending_lock:
                pending = set(self._pending)
            if not pending:
                return
            if wait(pending, timeout=timeout_seconds).not_done:
                raise TimeoutError(f"still rendering after {timeout_seconds} s")

    # Inside

    def _paced(self, generation: Generation, create: Callable[[], Created]) -> Created:
        try:
            spent_at = self.allowance.spend(generation)
            try:
                return create()
            except ApiError:
                if not self.options.refused_creates_count:
                    self.allowance.refund(spent_at)
                raise
        except ApiError as error:
            self.counters.refused(f"{error.status} {error.code}")
            raise

    def _create(self, job_id: str, body: bytes, operation_id: str | None) -> Created:
        check_id(job_id)
        if operation_id is not None:
            check_id(operation_id, what="The Operation-Id")
        fingerprint = hashlib.sha256(job_id.encode() + b"\0" + body).hexdigest()
        if (replayed := self._replay(operation_id, fingerprint)) is not None:
            return replayed
        request = settle_withdrawn(parse_request(body, self.options), self.options, self.clock.now())
        expires = self._check_destination(request)
        with self.store.lock:
            old = self.store.find(job_id)
            if old is not None and (answer := self._settle_repeat(old)) is not None:
                return answer
            if old is not None:
                self.store.remove(old, "replaced")
                self._spawn(self.outputs.delete, old)
            self._check_slots(self.options.active_jobs_refusal)
            job = Job(
                id=job_id,
                name=job_id,
                internal_id=str(uuid.uuid4()),
                operation_id=operation_id or str(uuid.uuid4()),
                incarnation=self.store.next_incarnation(job_id),
                request=request,
                created=self.clock.now(),
                created_shown=self.options.created_shown,
                fault=self._choose_fault(job_id, request),
                destination_expires=expires,
            )
            return self._admit(job, fingerprint)

    def _create_preview(self, body: bytes) -> Created:
        preview, request = settle_withdrawn_preview(parse_preview(body, self.options), self.options, self.clock.now())
        expires = self._check_destination(request)
        with self.store.lock:
            self._check_slots("400")
            job_id = str(uuid.uuid4())
            job = Job(
                id=job_id,
                name=preview.display_name,
                internal_id=job_id,
                operation_id=str(uuid.uuid4()),  # never sent: operations came in 2024
                incarnation=self.store.next_incarnation(preview.display_name),
                request=request,
                created=self.clock.now(),
                created_shown=self.options.created_shown,
                preview=preview,
                fault=self._choose_fault(preview.display_name, request),
                destination_expires=expires,
            )
            return self._admit(job)

    def _admit(self, job: Job, fingerprint: str = "") -> Created:
        created = Created(view_job(job), job.operation_id)
        self.store.admit(job, fingerprint=fingerprint)
        self.counters.accepted(job, unfinished=self.store.unfinished())
        if not job.held:
            self._spawn(self._render, job)
        return created

    def _check_destination(self, request: SynthesisRequest) -> datetime | None:
        expiry = check_destination(request.properties.destination_container_url, self.options.storage_certificate)
        return None if expiry is None else self.clock.at_real(expiry)

    def _choose_fault(self, name: str, request: SynthesisRequest) -> JobAction | None:
        fault = self.faults.for_job(name, [item.content for item in request.inputs])
        sticks = self.options.destination_jobs_stick and bool(request.properties.destination_container_url)
        return StickJob() if fault is None and sticks else fault

    def _replay(self, operation_id: str | None, fingerprint: str) -> Created | None:
        found = self.store.find_operation(operation_id) if operation_id else None
        if found is None:
            return None
        known, job = found
        if known != fingerprint:
            raise bad_request("The Operation-Id was used with another request.", target="Operation-Id")
        if self.options.operation_id_replay == "as_new" or job.removed is not None:
            return None
        return Created(view_job(job, self.outputs.links(job)), job.operation_id)

    def _settle_repeat(self, old: Job) -> Created | None:
        policy = self.options.repeat_put if old.generation == "2024" else "conflict"
        if policy == "conflict":
            raise ApiError(409, "Conflict", f"A synthesis with the id {old.id} already exists.")
        if policy == "bad_request":
            raise bad_request(f"A synthesis with the id {old.id} already exists.", target="id")
        if policy == "existing":
            return Created(view_job(old, self.outputs.links(old)), old.operation_id)
        return None

    def _check_slots(self, refusal: Literal["429", "400"]) -> None:
        limit = self.options.active_jobs_limit
        if limit and self.store.unfinished() >= limit:
            message = f"There are too many active jobs: the limit is {limit} per resource."
            if refusal == "429":
                raise ApiError(429, "TooManyRequests", message)
            raise bad_request(message)

    def _render(self, job: Job) -> None:
        try:
            rendered = self.outputs.render(job)
        except Exception as error:  # noqa: BLE001 - a bug of a renderer fails its job, as it would at the service
            _log.exception("rendering %s failed", job.id)
            self.counters.own_error()
            failure = ("InternalServerError", f"The emulator could not render: {type(error).__name__}.")
            rendered = Rendered(at=self.clock.now(), blobs=(), failure=failure)
        if not self.store.set_rendered(job, rendered):
            self.outputs.delete(job)

    def _spawn(self, work: Callable[[Job], None], job: Job) -> None:
        future = self._renderers.submit(work, job)
        with self._pending_lock:
            self._pending.add(future)
        future.add_done_callback(self._forget)

    def _forget(self, future: Future[None]) -> None:
        with self._pending_lock:
            self._pending.discard(future)

    def _count_end(self, job: Job) -> None:
        if job.shows_outcome:
            self.counters.ended(job, "succeeded")
        elif job.aborted:
            self.counters.ended(job, "aborted", billed=False)
        else:
            self.counters.ended(job, "failed", billed=self.options.bill_failed_jobs)

    def _count_removal(self, job: Job, reason: Removal) -> None:
        self.counters.removed(reason)
        if not job.terminal:
            self.counters.ended(job, "cancelled", billed=job.status == "Running")
        if reason == "expired":
            self._spawn(self.outputs.delete, job)
