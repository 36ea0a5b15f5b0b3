"""Judges a run by what the services saw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.service import SimulatedService

WARM_UP_CREATES = 100
"""Accepted creates in which a run learns the pace. Refusals before that are left out of the rate."""


class NotNoticed(Exception):
    """A run ended although it never saw the end of some of its jobs."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The figures of one run over one or several resources.

    Requests are per accepted create; times are in virtual seconds.
    """

    scripts: int
    jobs: int
    makespan_seconds: float
    bound_seconds: float
    over_bound: float
    slot_use: float
    """Share of all slots that was occupied, from the start to the end of the run."""
    creates_per_job: float
    gets_per_job: float
    lists_per_job: float
    status_requests_per_job: float
    deletes_per_job: float
    refusals: int
    """Number of 429s in the whole run."""
    refusals_per_1000: float
    """429s per 1,000 accepted creates after the warm-up."""
    most_in_flight: int
    lag_mean_seconds: float
    lag_p95_seconds: float
    lag_most_seconds: float
    billed_ratio: float
    """Billed seconds over the seconds of rendering every text once."""


def judge(services: Sequence[SimulatedService], *, finished_seconds: float, bound_seconds: float) -> Judgement:
    """Return the figures of a run that began at 0 and ended at `finished_seconds`.

    Raises:
        NotNoticed: the run never saw the end of some of its jobs.
    """
    jobs = [job for service in services for job in service.jobs]
    lags = sorted(job.lag_seconds for job in jobs if job.lag_seconds is not None)
    if len(lags) < len(jobs):
        raise NotNoticed(f"{len(jobs) - len(lags)} of {len(jobs)} jobs were never seen to end")
    count = len(jobs)
    slots = sum(service.slots for service in services)
    late_refusals = sum(
        refusal.accepted_before >= WARM_UP_CREATES for service in services for refusal in service.refusals
    )
    late_creates = sum(max(0, len(service.jobs) - WARM_UP_CREATES) for service in services)
    once = {
        content: int(rendering.video_seconds)
        for job in jobs
        for content, rendering in zip(job.contents, job.inputs, strict=True)
    }

    def per_job(*kinds: str) -> float:
        return sum(service.requests[kind] for service in services for kind in kinds) / count

    return Judgement(
        scripts=sum(len(job.inputs) for job in jobs),
        jobs=count,
        makespan_seconds=finished_seconds,
        bound_seconds=bound_seconds,
        over_bound=finished_seconds / bound_seconds,
        slot_use=sum(job.ends_at - job.created_at for job in jobs) / (slots * finished_seconds),
        creates_per_job=per_job("create"),
        gets_per_job=per_job("get"),
        lists_per_job=per_job("list"),
        status_requests_per_job=per_job("get", "list"),
        deletes_per_job=per_job("delete"),
        refusals=sum(len(service.refusals) for service in services),
        refusals_per_1000=1000 * late_refusals / late_creates if late_creates else 0.0,
        most_in_flight=sum(service.most_in_flight for service in services),
        lag_mean_seconds=sum(lags) / count,
        lag_p95_seconds=lags[math.ceil(0.95 * count) - 1],
        lag_most_seconds=lags[-1],
        billed_ratio=sum(job.billed_seconds for job in jobs) / max(sum(once.values()), 1),
    )


def slot_use_over_time(services: Sequence[SimulatedService], *, until_seconds: float, points: int) -> list[float]:
    """Return the share of slots that was occupied in each of `points` equal spans from 0 to `until_seconds`."""
    span = until_seconds / points
    occupied = [0.0] * points
    for job in (job for service in services for job in service.jobs):
        first, last = int(job.created_at / span), min(int(job.ends_at / span), points - 1)
        for place in range(first, last + 1):
            occupied[place] += min(job.ends_at, (place + 1) * span) - max(job.created_at, place * span)
    slots = sum(service.slots for service in services)
    return [seconds / (slots * span) for seconds in occupied]
