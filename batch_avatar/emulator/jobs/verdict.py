"""Decides how a job ends: which inputs fail, what is billed, and which videos are kept. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.emulator.faults import FailInputs
from batch_avatar.emulator.jobs.job_status import find_end

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from batch_avatar.emulator.jobs.job import Failure, Job
    from batch_avatar.emulator.options import EmulatorOptions

TOO_LONG: Failure = ("BadRequest", "The output video is longer than the service supports.")
NOT_WRITABLE: Failure = ("InvalidRequest", "The destination container URL cannot be written to.")
"""U: the failure of a job whose container cannot be written to any more when its videos are ready."""


class Verdict(NamedTuple):
    """The decision about one job."""

    failure: Failure | None
    """Failure of the job as a whole."""
    failures: tuple[Failure | None, ...]
    """Failure of each input."""
    lengths: tuple[int, ...]
    """Milliseconds of each input that count as rendered, whether its video is kept or not."""
    keeps: bool
    """Whether the videos of the inputs without a failure are written."""
    writes: bool = True
    """Whether the container can be written to at all; without it there is no summary either."""


def choose_failures(job: Job) -> list[Failure | None]:
    """Return the failure of each input that a fault rule fails before anything is rendered."""
    fault = job.fault
    if not isinstance(fault, FailInputs):
        return [None] * len(job.request.inputs)
    failure = (fault.code, fault.message)
    return [
        failure if fault.hits(number, item.content) else None for number, item in enumerate(job.request.inputs, start=1)
    ]


def judge(job: Job, attempted: Sequence[int], options: EmulatorOptions, now: datetime) -> Verdict:
    """Decide from `attempted`: the milliseconds of each input's video, 0 for an input that a fault rule has failed.

    A failed input of a pack is not billed. A job whose only video is too long is billed, and so is a job that fails
    as a whole. A video that is cut is not too long.
    """
    longest = options.max_video_minutes * 60_000
    failures = tuple(
        failure or (TOO_LONG if length > longest and options.long_videos == "failed" else None)
        for failure, length in zip(choose_failures(job), attempted, strict=True)
    )
    failed = [failure for failure in failures if failure is not None]
    lengths = tuple(attempted)
    if len(attempted) > 1 and job.failure is None:
        lengths = tuple(0 if failure else length for failure, length in zip(failures, attempted, strict=True))
    expires = job.destination_expires
    expired = expires is not None and _find_end(job, lengths, options, now) >= expires
    if job.failure is not None or expired:
        whole = job.failure or NOT_WRITABLE
        return Verdict(whole, (whole,) * len(attempted), lengths, keeps=False, writes=not expired)
    if len(failed) == len(attempted):
        return Verdict(failed[0], failures, lengths, keeps=False)
    if failed and options.partial_failure == "failed":
        return Verdict(failed[0], failures, lengths, keeps=options.partial_outputs == "kept")
    return Verdict(None, failures, lengths, keeps=True)


def _find_end(job: Job, lengths: Sequence[int], options: EmulatorOptions, now: datetime) -> datetime:
    """Return when the job ends. Only a progression by time knows that; with any other the videos are written now."""
    if options.progression.kind != "after_seconds":
        return now
    return max(now, find_end(job, options.progression, options.seed, lengths))
