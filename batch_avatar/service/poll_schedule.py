"""When to look at the job list next: pure, and what is learned for it from the jobs that have ended.

A look costs its pages; no look costs the waiting of jobs that have ended unseen. From how far jobs ended off their
prediction before, each watched job has likely moments of its end. The next look comes at the first moment at which

- so many jobs are expected to have ended that they pay for the pages: `REQUESTS_PER_JOB`; or
- those that are expected to have ended would have waited for `LAG` on average by then. As long as that is but the
  faint chance of one job, the look waits as if it were `FAINT_ENDS` of a job; or
- some job could have ended for a `WINDOW`; or it is time anyway: `LONGEST`.

The first decides where many are in flight, the others where few are.
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
"""Pages for each job that ends, where many are in flight. The aim is 0.5 in all: the start and the end of a run cost
more, and a moving list makes some jobs be asked for by name. Simulated: 0.33 and 3 s of lag for 1,000 jobs."""

LAG = 0.4  # poll intervals from a job's end to the look, on average: 4 s of 10, where the aim is 5 s
SHORTEST = 0.2  # poll intervals between two looks: short jobs, however many, do not make a loop of requests
LONGEST = 6.0  # poll intervals, a minute of 10 s: jobs can fail early, and those of others take and free slots
FAINT_ENDS = 0.3  # expected ends; 0.2 costs 3 % more requests at 5 jobs in flight, and ends are hardly seen sooner
WINDOW = 0.9  # poll intervals between looks while something may end: half of it and the answer's time stay below 5 s
EARLY = 0.05  # of the jobs end before that; they wait for `LONGEST` at most, and the 95th percentile still holds

OVERRUN_SHARE = 0.25  # of the time by which a job has outlasted all that was learned, until it is looked at again
OVERRUN_ENDS = 0.25  # its chance to have ended by then; not 1, or jobs that are stuck would seem to pay for looks

OUTAGE_SHARE = 0.25  # of an outage passes between two looks whether it is over, at most OUTAGE_POLL_SECONDS
OUTAGE_POLL_SECONDS = 600.0

FIRST_RATIOS = (0.52, 0.66, 0.76, 0.86, 0.95, 1.05, 1.17, 1.31, 1.51, 1.93)
"""Real to predicted, until as many jobs have ended here: ten equally likely values of a guess that is 30 % off at
random and may be off by a factor of its own (log-normal, sigma 0.4)."""

MOST_RATIOS = 50  # remembered: enough to know the spread, and few enough to follow a service that becomes slower


@dataclass(frozen=True, slots=True)
class Awaited:
    """A job in flight; `expected_seconds` from its creation to its end, None where nobody can tell."""

    elapsed_seconds: float
    expected_seconds: float | None


class Ratios:
    """How real times compare with predicted ones, so that a constant error of the predictions corrects itself."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=MOST_RATIOS)

    def learn(self, job: SynthesisJob, expected_seconds: float | None) -> None:
        """From a job that has ended. One that failed tells nothing: it ended when it failed."""
        if expected_seconds and job.status == JobStatus.SUCCEEDED and job.created_at and job.last_action_at:
            real = (job.last_action_at - job.created_at).total_seconds()
            if real > 0:
                self._latest.append(real / expected_seconds)

    @property
    def ascending(self) -> tuple[float, ...]:
        guessed = FIRST_RATIOS if len(self._latest) < len(FIRST_RATIOS) else ()
        return tuple(sorted((*guessed, *self._latest)))


def pause_seconds(awaited: Iterable[Awaited], ratios: Sequence[float], *, pages: int, interval_seconds: float) -> float:
    """Until the next look. `ratios` in ascending order; `pages` as many as the last look took."""
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
    """Until the next look while the list cannot be read."""
    return max(interval_seconds, min(OUTAGE_SHARE * lasted_seconds, OUTAGE_POLL_SECONDS))


def _likely_ends(elapsed: float, expected: float, ratios: Sequence[float]) -> list[tuple[float, float]]:
    """Seconds from now, and the chance of each."""
    ahead = ratios[bisect_right(ratios, elapsed / expected) :]
    if ahead:
        return [(ratio * expected - elapsed, 1.0 / len(ahead)) for ratio in ahead]
    return [(OVERRUN_SHARE * (elapsed - expected * ratios[-1]), OVERRUN_ENDS)]


def _worth_a_look(moments: Sequence[tuple[float, float]], pages: int, lag: float) -> float:
    """The first moment at which the expected ends pay for the pages, or have waited for long enough."""
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
