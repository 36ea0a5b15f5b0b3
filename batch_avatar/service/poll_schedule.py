"""When to list the jobs next, and what is learned for that from jobs that have ended. Pure.

A listing costs a request for each page; without it, jobs that have ended wait unseen. How far earlier jobs were off
their prediction gives each watched job some likely times of its end. The next listing comes at the first moment at
which

- so many jobs are expected to have ended that they are worth the pages: `REQUESTS_PER_JOB`; or
- the jobs that are expected to have ended have waited for `LAG` on average. If they amount to less than `FAINT_ENDS` of
  a job, the listing waits until their waiting adds up to that of `FAINT_ENDS` of a job; or
- the first job that could end has had a `WINDOW` to do so; or `LONGEST` is over.

The first rule decides while many jobs are in flight, the others while few are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch_avatar.models import JobStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from batch_avatar.models import SynthesisJob

REQUESTS_PER_JOB = 0.2
"""Pages for each job that ends, while many are in flight. The aim is 0.5 for a whole run: its start and its end cost
more, and some jobs that a moving list misses are read by id. Simulated: 0.33 and 3 s of lag for 1,000 jobs."""

LAG = 0.4  # poll intervals from a job's end to the listing, on average: 4 s of 10; the aim is 5 s
SHORTEST = 0.2  # poll intervals between two listings, so that many short jobs make no loop of requests
LONGEST = 6.0  # poll intervals, a minute at 10 s: jobs can fail early, and those of others take and free slots
FAINT_ENDS = 0.3  # expected ends; 0.2 costs 3 % more requests at 5 jobs in flight and hardly shows ends sooner
WINDOW = 0.9  # poll intervals between listings while a job may end: half of it and an answer take less than 5 s
EARLY = 0.05  # of the jobs end before their window; they wait `LONGEST` at most, and the 95th percentile still holds

OVERRUN_SHARE = 0.25  # of the time by which a job has outlasted all learned ratios, until the next listing for it
OVERRUN_ENDS = 0.25  # its chance to have ended by then; with 1, stuck jobs would seem worth a listing

OUTAGE_SHARE = 0.25  # of an outage's length passes until the next try, at most OUTAGE_POLL_SECONDS
OUTAGE_POLL_SECONDS = 600.0

FIRST_RATIOS = (0.52, 0.66, 0.76, 0.86, 0.95, 1.05, 1.17, 1.31, 1.51, 1.93)
"""Ratios of real to predicted times, used until as many jobs have ended here: ten equally likely values of a guess that
is 30 % off at random, and may also be off by a constant factor (log-normal, sigma 0.4)."""

MOST_RATIOS = 50  # remembered: enough to know the spread, and few enough to follow a service that becomes slower


@dataclass(frozen=True, slots=True)
class Awaited:
    """A job in flight. `expected_seconds`: from its creation to its end, None without a prediction."""

    elapsed_seconds: float
    expected_seconds: float | None


class Ratios:
    """Ratios of real to predicted times, by which a constant error of the predictions corrects itself."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=MOST_RATIOS)

    def learn(self, job: SynthesisJob, expected_seconds: float | None) -> None:
        """Learn from a job that has ended. When a job failed says nothing about how long others take."""
        if expected_seconds and job.status == JobStatus.SUCCEEDED and job.created_at and job.last_action_at:
            real = (job.last_action_at - job.created_at).total_seconds()
            if real > 0:
                self._latest.append(real / expected_seconds)

    @property
    def ascending(self) -> tuple[float, ...]:
        guessed = FIRST_RATIOS if len(self._latest) < len(FIRST_RATIOS) else ()
        return tuple(sorted((*guessed, *self._latest)))


def pause_seconds(awaited: Iterable[Awaited], ratios: Sequence[float], *, pages: int, interval_seconds: float) -> float:
    """Return the time until the next listing. `ratios` are ascending; `pages`: as many as the last listing took."""
    shortest, longest = SHORTEST * interval_seconds, LONGEST * interval_seconds
    early = ratios[int(EARLY * len(ratios))]
    moments: list[tuple[float, float]] = []
    for job in awaited:
        if not job.expected_seconds:
            longest = interval_seconds
            continue
        if job.elapsed_seconds < ratios[-1] * job.expected_seconds:
            opens = max(0.0, early * job.expected_seconds - job.elapsed_seconds)
            longest = min(longest, opens + WINDOW * interval_seconds)
        moments += _likely_ends(job.elapsed_seconds, job.expected_seconds, ratios)
    return max(shortest, min(longest, _worth_a_look(sorted(moments), pages, LAG * interval_seconds)))


def outage_pause_seconds(lasted_seconds: float, *, interval_seconds: float) -> float:
    """Return the time until the next try while the list cannot be read."""
    return max(interval_seconds, min(OUTAGE_SHARE * lasted_seconds, OUTAGE_POLL_SECONDS))


def _likely_ends(elapsed: float, expected: float, ratios: Sequence[float]) -> list[tuple[float, float]]:
    """Return likely ends of a job in seconds from now, each with its chance."""
    ahead = ratios[bisect_right(ratios, elapsed / expected) :]
    if ahead:
        return [(ratio * expected - elapsed, 1.0 / len(ahead)) for ratio in ahead]
    return [(OVERRUN_SHARE * (elapsed - expected * ratios[-1]), OVERRUN_ENDS)]


def _worth_a_look(moments: Sequence[tuple[float, float]], pages: int, lag: float) -> float:
    """Return the first moment at which the expected ends are worth the pages, or have waited long enough."""
    ended = waited = since = 0.0  # jobs; seconds of all of them together; seconds from now
    for moment, chance in [*moments, (float("inf"), 0.0)]:
        if ended:
            enough = since + (lag * max(ended, FAINT_ENDS) - waited) / ended
            if enough <= moment:
                return enough
            waited += ended * (moment - since)
        ended += chance
        since = moment
        if ended * REQUESTS_PER_JOB >= pages:
            break
    return since
