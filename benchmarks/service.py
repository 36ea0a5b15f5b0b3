"""One Speech resource in virtual time. It has the methods of `service.client.AvatarClient` and counts what it sees.

It renders nothing and knows no HTTP: a job is only the times at which it starts and ends. It has the limits that
matter for schedules: slots, the pace of creates, pages of the list, and how late the list shows a job. In all other
respects it answers as the emulator does by default.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING, Literal

from batch_avatar.errors import DeleteRefused, JobExists, JobNotFound, RequestRefused, Throttled, TooManyJobs
from batch_avatar.service.wire.messages import PAGE_SIZE, JobPage
from benchmarks.simulated_job import Refusal, SimulatedJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from batch_avatar.clock import Clock
    from batch_avatar.models import JobRef, Script, SynthesisJob
    from benchmarks.workload import Rendering

MINUTE_SECONDS = 60.0
TICK_SECONDS = 1e-6
"""Tolerance when times are compared: the service's times have microseconds; errors of float sums and early timers are
smaller."""


class SimulatedService:
    """A resource that accepts, lists and ends jobs.

    `renderings`: the rendering of each text, by content; any other text is refused as bad input. `host`: the host that
    its jobs name. `creates_per_minute`: the limit in any sliding minute; 0 = no limit. `rendering`: whether the inputs
    of one job are rendered one after another or in parallel.
    """

    service_names_jobs = False

    def __init__(
        self,
        clock: Clock,
        renderings: Mapping[str, Rendering],
        *,
        host: str = "speech.invalid",
        slots: int = 200,
        creates_per_minute: int = 0,
        start_delay_seconds: float = 1.0,
        list_lag_seconds: float = 0.0,
        rendering: Literal["sequential", "parallel"] = "sequential",
    ) -> None:
        self.host = host
        self.slots = slots
        self.requests: Counter[str] = Counter()
        """Requests by kind: create, get, list (one for each page), delete; refused ones included."""
        self.jobs: list[SimulatedJob] = []
        """The jobs of all accepted creates, in order, deleted ones included."""
        self.refusals: list[Refusal] = []
        self.most_in_flight = 0
        self._clock = clock
        self._renderings = renderings
        self._creates_per_minute = creates_per_minute
        self._start_delay_seconds = start_delay_seconds
        self._list_lag_seconds = list_lag_seconds
        self._rendering = rendering
        self._lock = threading.Lock()
        self._live: dict[str, SimulatedJob] = {}
        self._ends: list[float] = []  # a heap: end times of the jobs that have not ended
        self._spent: deque[float] = deque()  # creates of the last minute

    # The methods of the client

    def create(
        self,
        script: Script,
        *,
        job_id: str,
        description: str,
        contents: Sequence[str] = (),
        check: Callable[[], None] | None = None,
    ) -> SynthesisJob:
        """Accept a job. `contents`: several inputs instead of the script's only one.

        Raises:
            Throttled, JobExists, RequestRefused: nothing was accepted.
        """
        if check is not None:
            check()
        contents = contents or (script.content,)
        with self._lock:
            now = self._clock.monotonic()
            self.requests["create"] += 1
            self._spend(now, job_id)
            if job_id in self._live:
                raise JobExists(
                    f"A synthesis with the id {job_id} already exists.", http_status=409, code="Conflict", job_id=job_id
                )
            if unknown := [content for content in contents if content not in self._renderings]:
                raise RequestRefused(
                    f"no render time for {unknown[0][:40]!r}", http_status=400, code="BadRequest", job_id=job_id
                )
            self._check_slots(now, job_id)
            return self._show(self._accept(contents, job_id, description, now), now)

    def get(self, service_id: str) -> SynthesisJob:
        with self._lock:
            self.requests["get"] += 1
            job = self._live.get(service_id)
            if job is None:
                raise JobNotFound("The specified synthesis could not be found.", http_status=404, job_id=service_id)
            return self._show(job, self._clock.monotonic())

    def look(self, ref: JobRef) -> SynthesisJob | None:
        try:
            return self.get(ref.service_id)
        except JobNotFound:
            return None

    def list_pages(self, *, overlap: bool = False) -> Iterator[JobPage]:
        """Yield pages like the client. Each is read on demand, so jobs deleted in the meantime move the others up."""
        skip, more = 0, True
        while more:
            page, more = self._page(skip)
            yield page
            skip += max(len(page.jobs) // 2, 1) if overlap else len(page.jobs)

    def delete(self, service_id: str) -> None:
        with self._lock:
            now = self._clock.monotonic()
            self.requests["delete"] += 1
            job = self._live.get(service_id)
            if job is None:
                return
            if not self._ended(job, now):
                raise DeleteRefused(
                    "the synthesis has not ended", http_status=400, code="BadRequest", job_id=service_id
                )
            job.deleted_at = now
            del self._live[service_id]

    # What other clients do

    def take_by_others(self, job_id: str, rendering: Rendering) -> bool:
        """Create a job for another client of the resource; return whether it was accepted.

        The job is listed like any other but is not in the counts.
        """
        with self._lock:
            now = self._clock.monotonic()
            if self._refused_for_seconds(now) or self._unfinished(now) >= self.slots:
                return False
            if self._creates_per_minute:
                self._spent.append(now)
            times = self._times(now, [rendering])
            self._enter(SimulatedJob(job_id, "", ("",), (rendering,), self._clock.now(), now, *times))
            return True

    # What the judge reads

    def in_flight(self) -> int:
        """Return the number of jobs that have not ended."""
        with self._lock:
            return self._unfinished(self._clock.monotonic())

    def slot_seconds(self, render_seconds: float) -> float:
        """Return how long a job with one input occupies a slot; lower bounds are computed from it."""
        return self._start_delay_seconds + render_seconds

    def forget(self) -> None:
        """Drop every job, so that the freed memory shows how much the simulation had kept."""
        self.jobs.clear()
        self._live.clear()
        self._ends.clear()

    # Private methods; the caller holds the lock

    def _refused_for_seconds(self, now: float) -> int:
        """Return the seconds until another create is allowed; 0 if it is allowed now."""
        if not self._creates_per_minute:
            return 0
        while self._spent and self._spent[0] <= now - MINUTE_SECONDS + TICK_SECONDS:
            self._spent.popleft()
        if len(self._spent) < self._creates_per_minute:
            return 0
        return max(1, math.ceil(self._spent[0] + MINUTE_SECONDS - now - TICK_SECONDS))

    def _spend(self, now: float, job_id: str) -> None:
        """Count one create. It stays counted even if it is refused later for another reason, as in the emulator."""
        if wait_seconds := self._refused_for_seconds(now):
            self.refusals.append(Refusal(now, "pace", len(self.jobs)))
            raise Throttled(
                f"Requests have exceeded the call rate limit. Please retry after {wait_seconds} seconds.",
                http_status=429,
                code="429",
                retry_after_seconds=float(wait_seconds),
                job_id=job_id,
            )
        if self._creates_per_minute:
            self._spent.append(now)

    def _check_slots(self, now: float, job_id: str) -> None:
        if self._unfinished(now) >= self.slots:
            self.refusals.append(Refusal(now, "slots", len(self.jobs)))
            raise TooManyJobs(
                f"There are too many active jobs: the limit is {self.slots} per resource.",
                http_status=429,
                code="TooManyRequests",
                job_id=job_id,
            )

    def _accept(self, contents: Sequence[str], job_id: str, description: str, now: float) -> SimulatedJob:
        inputs = tuple(self._renderings[content] for content in contents)
        times = self._times(now, inputs)
        job = SimulatedJob(job_id, description, tuple(contents), inputs, self._clock.now(), now, *times)
        self.jobs.append(job)
        self._enter(job)
        self.most_in_flight = max(self.most_in_flight, self._unfinished(now))
        return job

    def _times(self, now: float, inputs: Sequence[Rendering]) -> tuple[float, float]:
        """Return when a job with these inputs starts and ends."""
        seconds = [rendering.render_seconds for rendering in inputs]
        starts_at = now + self._start_delay_seconds
        return starts_at, starts_at + (sum(seconds) if self._rendering == "sequential" else max(seconds))

    def _enter(self, job: SimulatedJob) -> None:
        self._live[job.job_id] = job
        heapq.heappush(self._ends, job.ends_at)

    def _unfinished(self, now: float) -> int:
        while self._ends and self._ends[0] <= now + TICK_SECONDS:
            heapq.heappop(self._ends)
        return len(self._ends)

    def _page(self, skip: int) -> tuple[JobPage, bool]:
        """Return one page, newest first, and whether more follow."""
        with self._lock:
            now = self._clock.monotonic()
            self.requests["list"] += 1
            visible_until = now - self._list_lag_seconds
            visible = (job for job in reversed(self._live.values()) if job.created_at <= visible_until + TICK_SECONDS)
            jobs = list(islice(visible, skip, skip + PAGE_SIZE + 1))
            more = len(jobs) > PAGE_SIZE
            shown = tuple(self._show(job, now) for job in jobs[:PAGE_SIZE])
        link = f"https://{self.host}/avatar/batchsyntheses?skip={skip + PAGE_SIZE}" if more else None
        return JobPage(shown, link), more

    def _ended(self, job: SimulatedJob, now: float) -> bool:
        return now + TICK_SECONDS >= job.ends_at

    def _show(self, job: SimulatedJob, now: float) -> SynthesisJob:
        """Return the job as an answer shows it now. If it has ended, its end counts as seen."""
        ended = self._ended(job, now)
        if ended and job.seen_at is None:
            job.seen_at = now
        running = now + TICK_SECONDS >= job.starts_at
        return job.shown(self.host, self._clock.now(), running=running, ended=ended)
