"""Counts what the service saw. Benchmarks are judged by these counts, and so are the tests that break things."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from batch_avatar.emulator.clock import format_time
from batch_avatar.emulator.jobs.gestures import ignored_gestures
from batch_avatar.emulator.jobs.job import RenderedInput, content_key

if TYPE_CHECKING:
    from batch_avatar.emulator.jobs.job import Job

_BILLED = ("jobs", "seconds", "milliseconds", "characters")


def billed_of(job: Job, *, billed: bool = True) -> dict[str, int]:
    """Return what one job costs: whole seconds, rounded down (I), and characters (I); zeros if it is not billed."""
    rendered = job.rendered if billed else None
    milliseconds = rendered.duration_milliseconds if rendered else 0
    return {
        "jobs": 1,
        "seconds": milliseconds // 1000,
        "milliseconds": milliseconds,
        "characters": rendered.characters if rendered else 0,
    }


class Counters:
    """Thread-safe counts and a log of requests. They do not influence what the service does."""

    def __init__(self, *, log_size: int) -> None:
        self._lock = threading.Lock()
        self._accepted: Counter[str] = Counter()
        self._accepted_by_name: Counter[str] = Counter()
        self._accepted_packs = 0
        self._accepted_inputs = 0
        self._billed_by_name: Counter[str] = Counter()
        self._unique_by_name: dict[str, int] = {}
        self._billed_seconds_by_content: Counter[str] = Counter()
        self._billed_milliseconds_by_content: Counter[str] = Counter()
        self._unique_by_content: dict[str, int] = {}
        self._refused: Counter[str] = Counter()
        self._requests: dict[str, Counter[str]] = {}
        self._billed: dict[str, Counter[str]] = {
            kind: Counter(dict.fromkeys(_BILLED, 0)) for kind in ("succeeded", "failed", "aborted", "cancelled")
        }
        self._most_unfinished = 0
        self._own_errors = 0
        self._deletes: Counter[str] = Counter()
        self._log: deque[dict[str, Any]] = deque(maxlen=log_size)

    def accepted(self, job: Job, *, unfinished: int) -> None:
        """Count an accepted create; `unfinished` is the number of unfinished jobs, this one included."""
        with self._lock:
            self._accepted[job.id] += 1
            self._accepted_by_name[job.name] += 1
            self._accepted_inputs += len(job.request.inputs)
            self._accepted_packs += len(job.request.inputs) > 1
            self._most_unfinished = max(self._most_unfinished, unfinished)

    def refused(self, reason: str) -> None:
        """Count a refused create by its error code."""
        with self._lock:
            self._refused[reason] += 1

    def ended(self, job: Job, kind: str, *, billed: bool = True) -> None:
        """Count the end of a job. `kind`: succeeded, failed, aborted, or cancelled (removed before its end)."""
        figures = billed_of(job, billed=billed)
        with self._lock:
            self._billed[kind].update(figures)
            self._billed_by_name[job.name] += figures["seconds"]
            if kind == "succeeded":
                self._unique_by_name.setdefault(job.name, figures["seconds"])
            if billed and job.rendered is not None:
                for one in job.rendered.inputs:
                    self._count_input(one, kept=kind != "cancelled" and one.video is not None)

    def _count_input(self, one: RenderedInput, *, kept: bool) -> None:
        if one.milliseconds:
            self._billed_seconds_by_content[one.content] += one.milliseconds // 1000
            self._billed_milliseconds_by_content[one.content] += one.milliseconds
        if kept:
            self._unique_by_content.setdefault(one.content, one.milliseconds)

    def own_error(self) -> None:
        """Count a bug of the emulator itself; tests expect none."""
        with self._lock:
            self._own_errors += 1

    def removed(self, reason: str) -> None:
        """Count a removed job. `reason`: deleted, expired or replaced."""
        with self._lock:
            self._deletes[reason] += 1

    def request(self, entry: dict[str, Any]) -> None:
        """Count one request and add it to the log."""
        with self._lock:
            self._requests.setdefault(entry["operation"], Counter())[str(entry["status"])] += 1
            self._log.append(entry)

    def requests(self, operation: str | None = None) -> list[dict[str, Any]]:
        """Return the requests in the log, oldest first; only those of one operation if it is given."""
        with self._lock:
            return [entry for entry in self._log if operation in (None, entry["operation"])]

    def report(self, *, unfinished: int, live: int) -> dict[str, Any]:
        """Return all counts as plain JSON values.

        Unique seconds by name are those of the first job of each name that succeeded. Unique seconds by content are
        those of the first video of each content that was billed and kept. Seconds are rounded down: for each job in
        the counts by name, for each input in the counts by content.
        """
        with self._lock:
            billed = {kind: dict(figures) for kind, figures in self._billed.items()}
            return {
                "creates": {
                    "accepted": self._accepted.total(),
                    "accepted_by_id": dict(self._accepted),
                    "accepted_by_name": dict(self._accepted_by_name),
                    "packs": self._accepted_packs,
                    "inputs": self._accepted_inputs,
                    "refused": self._refused.total(),
                    "refused_by_code": dict(self._refused),
                },
                "requests": {operation: dict(counts) for operation, counts in self._requests.items()},
                "requests_total": sum(counts.total() for counts in self._requests.values()),
                "unfinished": unfinished,
                "most_unfinished": self._most_unfinished,
                "jobs": live,
                "deletes": self._deletes["deleted"],
                "expired": self._deletes["expired"],
                "replaced": self._deletes["replaced"],
                "own_errors": self._own_errors,
                "billed": billed,
                "billed_seconds": sum(figures["seconds"] for figures in billed.values()),
                "billed_seconds_by_name": dict(self._billed_by_name),
                "unique_seconds": sum(self._unique_by_name.values()),
                "unique_seconds_by_name": dict(self._unique_by_name),
                "billed_milliseconds": sum(figures["milliseconds"] for figures in billed.values()),
                "billed_seconds_by_content": dict(self._billed_seconds_by_content),
                "billed_milliseconds_by_content": dict(self._billed_milliseconds_by_content),
                "unique_seconds_by_content": {
                    content: milliseconds // 1000 for content, milliseconds in self._unique_by_content.items()
                },
                "unique_milliseconds_by_content": dict(self._unique_by_content),
                "billed_characters": sum(figures["characters"] for figures in billed.values()),
            }


def describe_job(job: Job, *, bill_failed: bool) -> dict[str, Any]:
    """Return one job, existing or removed, as plain JSON values for `/emulator/jobs`."""
    rendered = job.rendered
    billed = job.shows_outcome or bill_failed
    return {
        "id": job.id,
        "name": job.name,
        "internal_id": job.internal_id,
        "incarnation": job.incarnation,
        "status": job.status,
        "description": job.request.description,
        "created": format_time(job.created),
        "last_action": format_time(job.last_action),
        "terminal": job.terminal,
        "run_seconds": (job.last_action - job.created).total_seconds() if job.terminal else None,
        "first_reported_terminal": job.first_reported_terminal and format_time(job.first_reported_terminal),
        "reads": job.reads,
        "deleted": job.removed is not None,
        "removed": job.removed,
        "fault": job.fault.kind if job.fault else None,
        "outputs": [
            {
                "role": blob.role,
                "name": blob.name,
                "sha256": blob.sha256,
                "size_bytes": blob.size_bytes,
                "duration_milliseconds": blob.duration_milliseconds,
            }
            for blob in (rendered.blobs if rendered else ())
        ],
        "inputs": _describe_inputs(job),
        "ignored_gestures": ignored_gestures(job.request),
        "billed": billed_of(job, billed=billed) if job.terminal else None,
    }


def _describe_inputs(job: Job) -> list[dict[str, Any]]:
    """Return the inputs in their order, so that a test can find which payment the bytes in an archive belong to."""
    rendered = job.rendered.inputs if job.rendered else ()
    return [
        {
            "content": one.content,
            "milliseconds": one.milliseconds,
            "video": one.video and one.video.name,
            "sha256": one.video and one.video.sha256,
        }
        for one in rendered or (RenderedInput(content_key(item.content)) for item in job.request.inputs)
    ]
