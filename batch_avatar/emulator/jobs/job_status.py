"""Decides which status a job has at a moment of service time. Pure."""

from __future__ import annotations

import functools
import math
import random
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.emulator.faults import AbortJob, StickJob
from batch_avatar.emulator.jobs.job import TERMINAL, Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from batch_avatar.emulator.jobs.job import Job
    from batch_avatar.emulator.options import Progression

_DRAWS_KEPT = 4096
"""Number of cached draws: about 20 times 200 jobs. Every read looks at every unfinished job, and a draw costs more
than all other steps of it."""


class Standing(NamedTuple):
    """A status, and since when the job has it."""

    status: Status
    since: datetime


def decide_standing(job: Job, progression: Progression, seed: int, now: datetime) -> Standing:
    """Return the job's status at `now`. It depends on the arguments only, and a job never moves backwards."""
    if job.terminal:
        return Standing(job.status, job.last_action)
    if isinstance(job.fault, AbortJob):
        done = job.created + timedelta(seconds=job.fault.after_seconds)
        return Standing("Failed", done) if now >= done else Standing("NotStarted", job.created)
    if progression.kind == "after_seconds":
        standing = _by_time(job, progression, seed, now)
    else:
        standing = _by_reads(job, progression, now)
    held = isinstance(job.fault, StickJob) and not (job.released_at and now >= job.released_at)
    if isinstance(job.fault, StickJob) and held:
        if job.fault.status == "NotStarted":
            return Standing("NotStarted", job.created)
        if standing.status in TERMINAL:
            return Standing("Running", job.last_action if job.status == "Running" else now)
    return standing


def _latest(*moments: datetime | None) -> datetime:
    return max(moment for moment in moments if moment is not None)


def _by_time(job: Job, progression: Progression, seed: int, now: datetime) -> Standing:
    starts = _find_start(job, progression)
    if now < starts:
        return Standing("NotStarted", job.created)
    if job.rendered is None:
        return Standing("Running", starts)
    ends = _latest(find_end(job, progression, seed, job.rendered.lengths), job.rendered.at)
    return Standing(job.end, ends) if now >= ends else Standing("Running", starts)


def _find_start(job: Job, progression: Progression) -> datetime:
    starts = job.created + timedelta(seconds=progression.start_delay_seconds)
    if isinstance(job.fault, StickJob) and job.fault.status == "NotStarted":
        return _latest(starts, job.released_at)
    return starts


def find_end(job: Job, progression: Progression, seed: int, lengths: Sequence[int]) -> datetime:
    """Return when a job ends whose progression goes by time; `lengths` of its inputs are in milliseconds."""
    run = timedelta(seconds=run_seconds(job, progression, seed, lengths))
    released = job.released_at if isinstance(job.fault, StickJob) else None
    return _latest(_find_start(job, progression) + run, released)


def _by_reads(job: Job, progression: Progression, now: datetime) -> Standing:
    """Decide by the number of the job's own reads: NotStarted for the first half, then Running, terminal at read N."""
    needed = 0 if progression.kind == "at_once" else progression.reads
    since = job.last_action if job.status == "Running" else now
    if job.reads >= needed and job.rendered is not None:
        return Standing(job.end, now)
    if job.reads > max(0, (needed - 1) // 2):
        return Standing("Running", since)
    return Standing("NotStarted", job.created)


def run_seconds(job: Job, progression: Progression, seed: int, lengths: Sequence[int]) -> float:
    """Return how long a job runs, in service seconds; `lengths` of its inputs are in milliseconds."""
    key = f"{seed}/{job.name}/{job.incarnation}"
    if progression.lognormal_mean_seconds is not None:
        run = _draw(key, progression.lognormal_mean_seconds, progression.lognormal_cv)
    else:
        length = sum(lengths) if progression.inputs == "sequential" else max(lengths, default=0)
        run = progression.overhead_seconds + progression.seconds_per_video_second * (length / 1000)
    return run * _draw(f"{key}/noise", 1.0, progression.noise_cv) if progression.noise_cv else run


@functools.lru_cache(_DRAWS_KEPT)
def _draw(key: str, mean: float, cv: float) -> float:
    """Draw from a log-normal distribution with this mean and coefficient of variation; the key decides the draw."""
    sigma = math.sqrt(math.log(1 + cv**2))
    draw = random.Random(key)  # noqa: S311 - reproducible, not secret
    return draw.lognormvariate(math.log(mean) - sigma**2 / 2, sigma)
