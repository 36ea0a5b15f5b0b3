"""What the storage's error codes mean for us. Data and two pure functions; docs/decisions has the same table in words.

The codes decide, and the status does not: a status of 409 or 412 stands for a lost race as well as for a policy, for a
lease, or for a container that is being deleted. Source: the pages "Common REST API error codes" and "Blob service error
codes" of Azure Storage.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Meaning(StrEnum):
    LOST_RACE = "lost race"  # the condition of the request is not met: look again, then decide anew
    NOT_THERE = "not there"  # no such blob or container
    LATER = "later"  # it passes by itself: try the same step again
    REFUSED = "refused"  # a person has to mend something; trying again changes nothing


class Answer(NamedTuple):
    """`status` is what Azure documents, for tests and readers. `next_step`: what a person does about a refusal."""

    status: int
    meaning: Meaning
    next_step: str = ""


POLICY = "the container must not be write-once; use another container, or have the policy or legal hold taken away"
LEASE = "somebody holds a lease on it; have the lease released or broken"
FOLDER = "a folder or another kind of blob has this name; move it away"
ONLINE = "it is in the tier Archive; set its tier to hot, cool or cold first, which may take hours"
SIGN_IN = "mend the key or the sign-in, and see that this machine's clock is right"
NO_KEYS = "the account takes no keys; set BATCH_AVATAR_STORAGE_ACCOUNT_URL, so that Microsoft Entra is used"
WRITE_ONCE = ("BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold")

ANSWERS: dict[str, Answer] = {
    "BlobAlreadyExists": Answer(409, Meaning.LOST_RACE),
    "ContainerAlreadyExists": Answer(409, Meaning.LOST_RACE),
    "ResourceAlreadyExists": Answer(409, Meaning.LOST_RACE),
    "BlobOverwritten": Answer(409, Meaning.LOST_RACE),
    "ConditionNotMet": Answer(412, Meaning.LOST_RACE),
    "SourceConditionNotMet": Answer(412, Meaning.LOST_RACE),
    "TargetConditionNotMet": Answer(412, Meaning.LOST_RACE),
    "InvalidBlockList": Answer(400, Meaning.LOST_RACE),  # another writer has committed, which drops our blocks
    "BlobNotFound": Answer(404, Meaning.NOT_THERE),
    "ContainerNotFound": Answer(404, Meaning.NOT_THERE),
    "ResourceNotFound": Answer(404, Meaning.NOT_THERE),
    "ContainerBeingDeleted": Answer(409, Meaning.LATER),
    "AccountBeingCreated": Answer(409, Meaning.LATER),
    "PendingCopyOperation": Answer(409, Meaning.LATER),
    "SystemInUse": Answer(409, Meaning.LATER),
    "BlobImmutableDueToPolicy": Answer(409, Meaning.REFUSED, POLICY),
    "BlobImmutableDueToLegalHold": Answer(409, Meaning.REFUSED, POLICY),
    "LeaseIdMissing": Answer(412, Meaning.REFUSED, LEASE),
    "LeaseLost": Answer(412, Meaning.REFUSED, LEASE),
    "LeaseAlreadyPresent": Answer(409, Meaning.REFUSED, LEASE),
    "LeaseIdMismatchWithBlobOperation": Answer(412, Meaning.REFUSED, LEASE),
    "LeaseIdMismatchWithContainerOperation": Answer(412, Meaning.REFUSED, LEASE),
    "LeaseIdMismatchWithLeaseOperation": Answer(409, Meaning.REFUSED, LEASE),
    "LeaseNotPresentWithBlobOperation": Answer(412, Meaning.REFUSED, LEASE),
    "LeaseNotPresentWithContainerOperation": Answer(412, Meaning.REFUSED, LEASE),
    "InvalidBlobType": Answer(409, Meaning.REFUSED, FOLDER),
    "ResourceTypeMismatch": Answer(409, Meaning.REFUSED, FOLDER),
    "PathConflict": Answer(409, Meaning.REFUSED, FOLDER),
    "PathAlreadyExists": Answer(409, Meaning.REFUSED, FOLDER),
    "DirectoryNotEmpty": Answer(409, Meaning.REFUSED, FOLDER),
    "BlobOperationNotSupported": Answer(409, Meaning.REFUSED, FOLDER),
    "SnapshotsPresent": Answer(409, Meaning.REFUSED, "delete its snapshots first"),
    "BlobArchived": Answer(409, Meaning.REFUSED, ONLINE),
    "BlobBeingRehydrated": Answer(409, Meaning.REFUSED, "its tier is being changed; wait until it is online"),
    "ContainerDisabled": Answer(409, Meaning.REFUSED, "an administrator has disabled the container"),
    "BlockCountExceedsLimit": Answer(409, Meaning.REFUSED, "uncommitted blocks of others are in the way"),
    "AccountIsDisabled": Answer(403, Meaning.REFUSED, "the storage account is disabled"),
    "AuthenticationFailed": Answer(403, Meaning.REFUSED, SIGN_IN),
    "InvalidAuthenticationInfo": Answer(401, Meaning.REFUSED, SIGN_IN),
    "NoAuthenticationInformation": Answer(401, Meaning.REFUSED, SIGN_IN),
    "KeyBasedAuthenticationNotPermitted": Answer(403, Meaning.REFUSED, NO_KEYS),
    "AuthorizationFailure": Answer(403, Meaning.REFUSED, "mend the role or the firewall"),
    "AuthorizationPermissionMismatch": Answer(403, Meaning.REFUSED, "give it Storage Blob Data Contributor"),
    "InsufficientAccountPermissions": Answer(403, Meaning.REFUSED, "mend the role or the signature"),
    "UnauthorizedBlobOverwrite": Answer(403, Meaning.REFUSED, "mend the role or the signature"),
    "CannotVerifyCopySource": Answer(404, Meaning.NOT_THERE, "the source of the copy cannot be read"),
    "OperationTimedOut": Answer(500, Meaning.LATER),
    "InternalError": Answer(500, Meaning.LATER),
    "ServerBusy": Answer(503, Meaning.LATER),
}
"""The codes that answer the requests that we make."""

_PASSING = (408, 429)


def meaning_of(code: str | None, status: int) -> Meaning:
    """Return what this refusal means; of a code that is not in the table only the status tells whether it passes."""
    if status in _PASSING or status >= 500:  # noqa: PLR2004 - HTTP statuses
        return Meaning.LATER
    answer = ANSWERS.get(code or "")
    if answer is None or (answer.meaning is Meaning.NOT_THERE and status != answer.status):
        return Meaning.REFUSED
    return answer.meaning


def next_step(code: str | None) -> str:
    """Return what a person does about it; empty where nothing is known."""
    answer = ANSWERS.get(code or "")
    return answer.next_step if answer is not None else ""
