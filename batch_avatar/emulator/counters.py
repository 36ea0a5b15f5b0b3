"""What the service saw: the judge of benchmarks and of the tests that break things on purpose."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from batch_avatar.emulator.clock import format_time

if TYPE_CHECKING:
    from batch_avatar.emulator.jobs import Job

_BILLED = ("jobs", "seconds", "milliseconds", "characters")


def billed_of(job: Job) -> dict[str, int]:
    """Count what one job costs when it is billed: whole seconds, rounded down (I), and characters (I)."""
    rendered = job.rendered
    milliseconds = rendered.duration_milliseconds if rendered and not job.aborted else 0
    characters = rendered.characters if rendered and not job.aborted else 0
    return {
        "jobs": 1,
        "seconds": milliseconds // 1000,
        "milliseconds": milliseconds,
        "characters": characters,
    }


class Counters:
    """Thread-safe counts. Nothing here changes what the service does."""

    def __init__(self, *, log_size: int) -> None:
        self._lock = threading.Lock()
        self._accepted: Counter[str] = Counter()
        self._accepted_by_name: Counter[str] = Counter()
        self._billed_by_name: Counter[str] = Counter()
        self._unique_by_name: dict[str, int] = {}
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
        """Count an accepted create, and how many jobs are unfinished with it."""
        with self._lock:
            self._accepted[job.id] += 1
            self._accepted_by_name[job.name] += 1
            self._most_unfinished = max(self._most_unfinished, unfinished)

    def refused(self, reason: str) -> None:
        """Count a refused create by its error code."""
        with self._lock:
            self._refused[reason] += 1

    def ended(self, job: Job, kind: str, *, billed: bool = True) -> None:
        """Count a job's end: succeeded, failed, aborted, or cancelled (deleted before its end)."""
        figures = billed_of(job)
        if not billed:
            figures = dict.fromkeys(figures, 0) | {"jobs": 1}
        with self._lock:
            self._billed[kind].update(figures)
            self._billed_by_name[job.name] += figures["seconds"]
            if kind == "succeeded":
                self._unique_by_name.setdefault(job.name, figures["seconds"])

    def own_error(self) -> None:
        """Count a fault of the emulator itself; tests expect none."""
        with self._lock:
            self._own_errors += 1

    def removed(self, reason: str) -> None:
        """Count a removal: deleted, expired or replaced."""
        with self._lock:
            self._deletes[reason] += 1

    def request(self, entry: dict[str, Any]) -> None:
        """Count one request and keep it in the log."""
        with self._lock:
            self._requests.setdefault(entry["operation"], Counter())[str(entry["status"])] += 1
            self._log.append(entry)

    def requests(self, operation: str | None = None) -> list[dict[str, Any]]:
        """List the kept requests, oldest first."""
        with self._lock:
            return [entry for entry in self._log if operation in (None, entry["operation"])]

    def report(self, *, unfinished: int, live: int) -> dict[str, Any]:
        """Give all counts as plain JSON values. Unique seconds: of the first job of each name that succeeded."""
        with self._lock:
            billed = {kind: dict(figures) for kind, figures in self._billed.items()}
            return {
                "creates": {
                    "accepted": self._accepted.total(),
                    "accepted_by_id": dict(self._accepted),
                    "accepted_by_name": dict(self._accepted_by_name),
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
                "billed_characters": sum(figures["characters"] for figures in billed.values()),
            }


def describe_job(job: Job) -> dict[str, Any]:
    """Give one job, alive or removed, as plain JSON values for `/emulator/jobs`."""
    rendered = job.rendered
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
        "billed": billed_of(job) if job.terminal else None,
    }
