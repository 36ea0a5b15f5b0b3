"""The job store: which jobs exist, which the list shows, and which expire. Knows nothing of HTTP, storage or media."""

from __future__ import annotations

import heapq
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from batch_avatar.emulator.faults import StickJob
from batch_avatar.emulator.jobs.job_status import decide_standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from batch_avatar.emulator.clock import ServiceClock
    from batch_avatar.emulator.jobs.job import Job, Removal, Rendered
    from batch_avatar.emulator.options import EmulatorOptions, Generation


class JobStore:
    """All jobs that were ever created, guarded by one lock. A caller that decides and then acts holds `lock` for both.

    The store reads the clock itself, under the lock: an older reading would move a job back.
    """

    def __init__(
        self,
        options: EmulatorOptions,
        clock: ServiceClock,
        *,
        on_release: Callable[[Job], None] = lambda _: None,
        on_end: Callable[[Job], None] = lambda _: None,
        on_remove: Callable[[Job, Removal], None] = lambda *_: None,
    ) -> None:
        self.lock = threading.RLock()
        self._options = options
        self._clock = clock
        self._on_release = on_release
        self._on_end = on_end
        self._on_remove = on_remove
        self._live: dict[str, Job] = {}  # in order of creation
        self._unfinished: dict[str, Job] = {}
        self._history: list[Job] = []
        self._incarnations: dict[str, int] = {}
        self._expiries: list[tuple[datetime, int, Job]] = []
        self._operations: dict[str, tuple[str, Job]] = {}
        self._names: dict[str, str] = {}

    def next_incarnation(self, name: str) -> int:
        """Return how many jobs have had this name."""
        with self.lock:
            return self._incarnations.get(name, 0)

    def name_of(self, job_id: str | None) -> str | None:
        """Return the name of the job that has or had this id."""
        with self.lock:
            return None if job_id is None else self._names.get(job_id)

    def admit(self, job: Job, *, fingerprint: str) -> None:
        """Add a job whose id is free. `fingerprint` identifies its request, so that a replay is recognised.

        Raises:
            ValueError: a job with this id exists.
        """
        with self.lock:
            if job.id in self._live:
                raise ValueError(f"{job.id} exists")
            self._incarnations[job.name] = job.incarnation + 1
            self._names[job.id] = job.name
            self._live[job.id] = self._unfinished[job.id] = job
            self._history.append(job)
            self._operations[job.operation_id] = (fingerprint, job)

    def find(self, job_id: str, *, generation: Generation | None = None, read: bool = False) -> Job | None:
        """Return the existing job with this id (and of this generation), with its status brought up to date.

        `read`: whether this counts as a read by a client.
        """
        with self.lock:
            now = self._clock.now()
            self._expire(now)
            job = self._live.get(job_id)
            if job is not None and generation not in (None, job.generation):
                return None
            if job is not None:
                self._move(job, now, read=read)
                if job.terminal and job.expires <= now:
                    self.remove(job, "expired")
                    return None
            return job

    def find_operation(self, operation_id: str) -> tuple[str, Job] | None:
        """Return the fingerprint and the job that an operation id started, even if the job is removed."""
        with self.lock:
            found = self._operations.get(operation_id)
            if found is not None and found[1].removed is None:
                self._move(found[1], self._clock.now())
            return found

    def page(self, skip: int, size: int, generation: Generation) -> tuple[list[Job], bool]:
        """Return one page of the jobs that the list of this generation shows, newest first, and whether more follow."""
        with self.lock:
            now = self._tick()
            visible_until = now - timedelta(seconds=self._options.list_lag_seconds)
            visible = [
                job
                for job in reversed(self._live.values())
                if job.generation == generation and job.created <= visible_until
            ]
            page = visible[skip : skip + size]
            for job in page:
                self._move(job, now, read=True)
            return page, len(visible) > skip + size

    def remove(self, job: Job, reason: Removal) -> None:
        """Remove a job; it stays in the history."""
        with self.lock:
            job.removed = reason
            self._live.pop(job.id, None)
            self._unfinished.pop(job.id, None)
        self._on_remove(job, reason)

    def set_rendered(self, job: Job, rendered: Rendered) -> bool:
        """Store the result of rendering; return False if the job was removed in the meantime."""
        with self.lock:
            job.rendered = rendered
            return job.removed is None

    def release(self, job_id: str | None) -> int:
        """Let stuck jobs go on (all, or those with this id or name); return how many."""
        with self.lock:
            now = self._clock.now()
            held = [
                job
                for job in self._unfinished.values()
                if isinstance(job.fault, StickJob)
                and job_id in (None, job.id, job.name)
                and (job.released_at is None or job.released_at > now)
            ]
            for job in held:
                job.released_at = now
                self._move(job, now)
            return len(held)

    def unfinished(self) -> int:
        """Return the number of jobs that are not terminal."""
        with self.lock:
            self._tick()
            return len(self._unfinished)

    def live(self) -> int:
        """Return the number of jobs that exist."""
        with self.lock:
            return len(self._live)

    def history(self) -> list[Job]:
        """Return all jobs that were ever created, in order of creation."""
        with self.lock:
            self._tick()
            return list(self._history)

    def _tick(self) -> datetime:
        """Bring every unfinished job up to date, remove expired ones, and return the time used for it."""
        now = self._clock.now()
        for job in list(self._unfinished.values()):
            self._move(job, now)
        self._expire(now)
        return now

    def _move(self, job: Job, now: datetime, *, read: bool = False) -> None:
        if read:
            job.reads += 1
        if job.held and job.released_at is not None and job.released_at <= now:
            job.held = False
            self._on_release(job)
        if not job.terminal:
            standing = decide_standing(job, self._options.progression, self._options.seed, now)
            if standing.status != job.status:
                job.status = standing.status
                job.last_action = max(standing.since, job.last_action)
            if job.is_end(standing.status):
                self._unfinished.pop(job.id, None)
                heapq.heappush(self._expiries, (job.expires, id(job), job))
                self._on_end(job)
        if read and job.terminal and job.first_reported_terminal is None:
            job.first_reported_terminal = now

    def _expire(self, now: datetime) -> None:
        while self._expiries and self._expiries[0][0] <= now:
            job = heapq.heappop(self._expiries)[2]
            if job.removed is None:
                self.remove(job, "expired")
