"""Every error this package raises, sorted by what the caller may do next.

BatchAvatarError
├── InputError                 input       mend the scripts or the settings; nothing was sent
│   ├── SettingsError                      a variable is wrong
│   ├── ManifestError                      all faults of all scripts, with file and line
│   └── ArchiveDamaged                     the archive's id is not that of its claims: `batch-avatar archive repair`
├── ServiceError                           the service refused a request, or did not answer
│   ├── RequestRefused         input       mend the script; this request will never succeed
│   ├── AccessRefused          access      mend key, role, tier or host; send nothing until then
│   ├── JobNotFound            unknown     no such job: look for the receipt before anything else
│   ├── JobExists              unknown     the job id is taken: adopt the job
│   ├── DeleteRefused          unfinished  the job has not ended: delete it later
│   ├── Throttled              throttled   wait as told, then send the same request again
│   │   └── TooManyJobs        throttled   all slots are taken: wait until a job ends
│   ├── ServiceUnavailable     transient   send the same request again, if it is idempotent
│   ├── CreateUnclear          transient   a create had no answer: see if the job exists, then decide
│   └── CreateGivenUp          transient   every create got an error or no room: run again later
├── JobError                   job         the script has no attempt left
│   ├── JobFailed              job         the job failed; `worth_another_attempt` tells if another may succeed
│   ├── JobOverdue             unfinished  a deadline passed; the job may still finish
│   ├── LateSuccess            unfinished  a job that was given up has succeeded: archive it
│   ├── ClaimedElsewhere       unfinished  another run, or another resource, has this script
│   ├── StillRunning           unfinished  the job has not ended: wait again
│   ├── LinkRefused            unfinished  the job's link to a result is not opened: look at the job, which is kept
│   └── ResultLost             lost        the result was paid for and is gone: a person decides
├── TransferError              transient   bytes are missing or wrong: transfer again
│   ├── LinkExpired            transient   read the job again for a fresh link, then transfer again
│   └── SideFileMissing        transient   the video is there, but its summary or subtitles are not yet
├── ArchiveError
│   ├── ArchiveUnavailable     transient   the storage did not answer: try again
│   ├── ArchiveRefused         storage     the storage refused: mend role, firewall or space
│   │   ├── LostRace           storage     a conditional write or read: another writer was first, so look again
│   │   └── NotThere           storage     there is no such blob or container
│   └── ArchiveConflict        storage     a blob with other content is in the way
├── AlreadyArchived            archived    no failure: another run has archived the script
└── Stopped                    stopped     this run ends early; run it again to continue
    └── NoMoreSent             stopped     not sent, because others like it were refused; mend that, then run again
        └── BudgetSpent        budget      not sent, because this run may not spend more; run again
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self

from batch_avatar.safe_text.bounds import first_of
from batch_avatar.safe_text.sinks import line, name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.models import SynthesisJob
    from batch_avatar.receipt import Receipt


class FailureClass(StrEnum):
    """The kind of a failure, as reports and dead letters name it."""

    INPUT = "input"
    ACCESS = "access"
    UNKNOWN = "unknown"
    THROTTLED = "throttled"
    TRANSIENT = "transient"
    JOB = "job"
    UNFINISHED = "unfinished"
    LOST = "lost"
    CHANGED = "changed"
    LONG = "long"
    BUDGET = "budget"
    STORAGE = "storage"
    ARCHIVED = "archived"
    STOPPED = "stopped"


class BatchAvatarError(Exception):
    """The base of all errors here. `retriable` is True where the same step may simply be tried again.

    Whatever is in them, message and code are one line each, without secrets; `more` are further lines.
    """

    failure_class: ClassVar[FailureClass] = FailureClass.UNKNOWN
    retriable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        more: Sequence[str] = (),
        code: str | None = None,
        script_id: str | None = None,
        job_id: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.message = "\n  ".join(map(line, (message, *more)))
        self.code = name(code) if code else type(self).__name__
        self.script_id, self.job_id, self.request_id, self.doing = script_id, job_id, request_id, ""
        super().__init__(self.message)

    def __copy__(self) -> Self:
        """Return a copy with the same facts; `copy.copy` alone would call the constructor without its keywords."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        return twin

    def about(self, *, script_id: str | None = None, job_id: str | None = None, doing: str = "") -> None:
        """Fill in what was not known where the error was raised; `doing`: what the request was for."""
        self.script_id = self.script_id or script_id
        self.job_id, self.doing = self.job_id or job_id, self.doing or doing

    def __str__(self) -> str:
        facts = [("script", self.script_id), ("job", self.job_id), ("request", self.request_id), ("while", self.doing)]
        known = ", ".join(f"{what} {name(value)}" for what, value in facts if value)
        code = "" if self.code == type(self).__name__ else f"{self.code}: "
        return f"{code}{self.message}" + (f" [{known}]" if known else "")


class InputError(BatchAvatarError):
    failure_class = FailureClass.INPUT


class SettingsError(InputError):
    pass


class ArchiveDamaged(InputError):
    pass


class ManifestError(InputError):
    """Faults in the scripts: as values, `file:line: what is wrong` each in `faults`, and for people in `told`."""

    def __init__(self, found: Sequence[Any], *, told: Sequence[str] = (), warnings: Sequence[Any] = ()) -> None:
        self.findings, self.warnings = tuple(found), tuple(warnings)
        self.faults = tuple(line(str(fault)) for fault in found)
        self.told = tuple(told) or self.faults
        super().__init__(f"{len(found):,} fault{'s' * (len(found) != 1)} in the scripts:", more=first_of(self.told))


class ServiceError(BatchAvatarError):
    """A request that the service refused or did not answer; without an answer `http_status` is None.

    `facts`: those of every error of ours.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        retry_after_seconds: float | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds
        self.resource: str | None = None  # the resource's host, set where the caller cannot know it


class RequestRefused(ServiceError):
    failure_class = FailureClass.INPUT


class AccessRefused(ServiceError):
    failure_class = FailureClass.ACCESS


class JobNotFound(ServiceError):
    pass


class JobExists(ServiceError):
    pass


class DeleteRefused(ServiceError):
    failure_class = FailureClass.UNFINISHED


class Throttled(ServiceError):
    failure_class = FailureClass.THROTTLED
    retriable = True


class TooManyJobs(Throttled):
    pass


class ServiceUnavailable(ServiceError):
    failure_class = FailureClass.TRANSIENT
    retriable = True


class CreateUnclear(ServiceError):
    failure_class = FailureClass.TRANSIENT
    retriable = True


class CreateGivenUp(ServiceError):
    failure_class = FailureClass.TRANSIENT


class JobError(BatchAvatarError):
    failure_class = FailureClass.JOB


class JobFailed(JobError):
    def __init__(self, message: str, *, job: SynthesisJob, worth_another_attempt: bool, **facts: Any) -> None:
        super().__init__(message, job_id=job.job_id, **facts)
        self.job = job
        self.worth_another_attempt = worth_another_attempt


class JobOverdue(JobError):
    failure_class = FailureClass.UNFINISHED

    def __init__(self, message: str, *, job: SynthesisJob, script_id: str | None = None) -> None:
        super().__init__(message, script_id=script_id, job_id=job.job_id)
        self.job = job


class StillRunning(JobError):
    failure_class = FailureClass.UNFINISHED
    retriable = True


class LinkRefused(JobError):
    failure_class = FailureClass.UNFINISHED


class LateSuccess(JobError):
    failure_class = FailureClass.UNFINISHED


class ClaimedElsewhere(JobError):
    failure_class = FailureClass.UNFINISHED


class ResultLost(JobError):
    failure_class = FailureClass.LOST


class TransferError(BatchAvatarError):
    failure_class = FailureClass.TRANSIENT
    retriable = True


class LinkExpired(TransferError):
    pass


class SideFileMissing(TransferError):
    pass


class ArchiveError(BatchAvatarError):
    failure_class = FailureClass.STORAGE


class ArchiveUnavailable(ArchiveError):
    failure_class = FailureClass.TRANSIENT
    retriable = True


class ArchiveRefused(ArchiveError):
    pass


class LostRace(ArchiveRefused):
    pass


class NotThere(ArchiveRefused):
    pass


class ArchiveConflict(ArchiveError):
    pass


class AlreadyArchived(BatchAvatarError):
    failure_class = FailureClass.ARCHIVED

    def __init__(self, receipt: Receipt) -> None:
        super().__init__("already archived", script_id=receipt.script_id, job_id=receipt.job_id)
        self.receipt = receipt


class Stopped(BatchAvatarError):
    failure_class = FailureClass.STOPPED


class NoMoreSent(Stopped):
    pass


class BudgetSpent(NoMoreSent):
    failure_class = FailureClass.BUDGET
