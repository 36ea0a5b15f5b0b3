"""Answers of a hostile storage: every call that we make, and every error code that Azure documents for it.

Sources: the pages "Azure Blob Storage error codes" and "Common REST API error codes" of the Storage services REST API,
and the pages of the operations. The table is the tests' own: it says what may be answered, not what we make of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from hypothesis import strategies as st

from tests.chaos.hostile.changes import Arrives, Encoded, Header, Said
from tests.chaos.hostile.road import FOR_EVER, HostileRoad, HostileTraveller, Mischief
from tests.support.answering_road import ERROR

if TYPE_CHECKING:
    from tests.chaos.hostile.road import Answer

ANY = (
    (400, "InvalidHeaderValue"), (400, "InvalidQueryParameterValue"), (400, "OutOfRangeInput"), (400, "InvalidInput"),
    (400, "InvalidAuthenticationInfo"), (400, "MissingRequiredHeader"), (400, "UnsupportedHeader"), (400, "InvalidUri"),
    (400, "OutOfRangeQueryParameterValue"), (400, "RequestUrlFailedToParse"), (401, "NoAuthenticationInformation"),
    (403, "AuthenticationFailed"), (403, "AuthorizationFailure"), (403, "AuthorizationPermissionMismatch"),
    (403, "AuthorizationProtocolMismatch"), (403, "AuthorizationServiceMismatch"),
    (403, "AuthorizationSourceIPMismatch"), (403, "AuthorizationResourceTypeMismatch"),
    (403, "AccountIsDisabled"), (403, "InsufficientAccountPermissions"),
    (404, "ResourceNotFound"), (404, "ContainerNotFound"), (405, "UnsupportedHttpVerb"), (408, "RequestTimeout"),
    (409, "AccountBeingCreated"), (409, "ContainerBeingDeleted"), (409, "ContainerDisabled"),
    (409, "ResourceTypeMismatch"), (429, "TooManyRequests"), (500, "InternalError"), (500, "OperationTimedOut"),
    (503, "ServerBusy"),
)  # fmt: skip
"""Of every operation, common codes first."""
CONDITIONAL = (
    (412, "ConditionNotMet"),
    (400, "MultipleConditionHeadersNotSupported"),
    (400, "ConditionHeadersNotSupported"),
)
LEASED = (
    (412, "LeaseIdMissing"), (412, "LeaseLost"), (412, "LeaseIdMismatchWithBlobOperation"),
    (412, "LeaseNotPresentWithBlobOperation"),
)  # fmt: skip
BLOB = ((404, "BlobNotFound"), (409, "InvalidBlobType"))
WRITTEN = (
    (409, "BlobImmutableDueToPolicy"), (409, "BlobImmutableDueToLegalHold"), (409, "BlobArchived"),
    (409, "BlobBeingRehydrated"), (409, "SnapshotsPresent"), (409, "PendingCopyOperation"), (409, "PathConflict"),
    (409, "BlobOperationNotSupported"), (409, "SystemInUse"), (411, "MissingContentLengthHeader"),
    (413, "RequestBodyTooLarge"), (400, "InvalidMd5"), (400, "Md5Mismatch"), (400, "MetadataTooLarge"),
    (400, "InvalidMetadata"), (400, "EmptyMetadataKey"), (400, "InvalidResourceName"),
    (403, "UnauthorizedBlobOverwrite"),
)  # fmt: skip
PUT = (*ANY, *LEASED, *WRITTEN, (409, "InvalidBlobType"), (409, "BlobTierInadequateForContentLength"))
CODES: dict[str, tuple[tuple[int, str], ...]] = {
    "create container": (*ANY, (409, "ContainerAlreadyExists"), (400, "InvalidResourceName")),
    "list": ANY,
    "get": (*ANY, *BLOB, *LEASED, *CONDITIONAL, (304, "ConditionNotMet"), (409, "BlobArchived"), (416, "InvalidRange"),
            (409, "BlobBeingRehydrated"), (409, "BlobOverwritten"), (409, "BlobUsesCustomerSpecifiedEncryption")),
    "read by link": (*ANY, *BLOB, *LEASED, *CONDITIONAL[:1], (304, "ConditionNotMet"), (416, "InvalidRange")),
    "properties": (*ANY, *BLOB, *LEASED, *CONDITIONAL, (304, "ConditionNotMet")),
    "container properties": ANY,
    "put": PUT,
    "conditional put": (*PUT, *CONDITIONAL, (409, "BlobAlreadyExists")),
    "put block": (*PUT, (400, "InvalidBlobOrBlock"), (400, "InvalidBlockId"), (409, "BlockCountExceedsLimit")),
    "commit": (*PUT, *CONDITIONAL, (409, "BlobAlreadyExists"), (400, "InvalidBlockList"), (400, "InvalidBlockId"),
               (400, "BlockListTooLong"), (400, "InvalidXmlDocument"), (400, "InvalidXmlNodeValue")),
    "set metadata": (*PUT, BLOB[0], *CONDITIONAL),
    "copy": (*PUT, *CONDITIONAL, BLOB[0], (404, "CannotVerifyCopySource"), (500, "CannotVerifyCopySource"),
             (409, "NoPendingCopyOperation"), (412, "SourceConditionNotMet"), (412, "TargetConditionNotMet")),
    "delete": (*ANY, *BLOB, *LEASED, *CONDITIONAL, *WRITTEN[:7], (409, "DirectoryNotEmpty")),
}  # fmt: skip
"""Status and code by operation."""


@dataclass(frozen=True)
class Refused:
    """An error of the storage in place of its answer."""

    status: int
    code: str
    after: bool

    def of(self, answer: Answer) -> Answer:
        kept = tuple(one for one in answer.headers if one[0].lower() in ("date", "x-ms-request-id", "x-ms-version"))
        headers = (*kept, ("x-ms-error-code", self.code), ("Content-Type", "application/xml"))
        return replace(answer, status=self.status, headers=headers, body=ERROR.format(self.code).encode())


class StorageRoad(HostileRoad):
    """In front of the user's storage."""

    def __init__(self, storage_url: str) -> None:
        super().__init__(storage_url, StorageTraveller)


class StorageTraveller(HostileTraveller):
    def travel(self) -> None:
        if "sr=c" in urlsplit(self.path).query.split("&"):  # by the link that a pack is created with: not our request
            self.send(self.passed_on())
        else:
            super().travel()

    def operation(self) -> str:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        kind, container = query.get("comp", ""), query.get("restype") == "container"
        if "sig" in query:
            return "read by link"
        match self.command:
            case "DELETE":
                return "delete"
            case "HEAD" | "GET":
                one = "properties" if self.command == "HEAD" else "get"
                return "list" if kind == "list" else "container properties" if container else one
        if container:
            return "create container"
        if "x-ms-copy-source" in self.headers:
            return "copy"
        conditional = "If-Match" in self.headers or "If-None-Match" in self.headers
        by_kind = {"block": "put block", "blocklist": "commit", "metadata": "set metadata"}
        return by_kind.get(kind, "conditional put" if conditional else "put")


operations = st.sampled_from(("list", "get", "put", "conditional put", "conditional put", "put block", "commit",
                              "properties", "delete", "create container", "container properties", "copy",
                              "read by link"))  # fmt: skip
times = st.sampled_from((1, 1, 1, 2, 3, 6, 40, FOR_EVER))
skips = st.sampled_from((0, 0, 1, 2, 4, 8))


def refused(operation: str):
    """Links that lead to nothing come once only, as in front of the service: two such answers are believed."""
    gone = [one for one in CODES[operation] if one[0] == 404 and operation == "read by link"]
    if gone:
        others = [one for one in CODES[operation] if one not in gone]
        return st.one_of(*(refusing(operation, others, times),) * 3, refusing(operation, gone, st.just(1)))
    return refusing(operation, CODES[operation], times)


def refusing(operation: str, codes, often):
    changes = st.builds(lambda said, after: Refused(*said, after), st.sampled_from(codes), st.booleans())
    return st.builds(Mischief, st.just(operation), changes, skips, often)


odd = st.builds(
    Mischief,
    operations,
    st.one_of(
        st.builds(Said, st.sampled_from((200, 407, 502, 503)), st.sampled_from(("page", "empty", "deep error", "xml"))),
        st.builds(Said, st.just(503), st.just("xml"), st.sampled_from(("86400", "-5", "1e3", "soon"))
                  .map(lambda value: (("Retry-After", value),))),
        st.builds(Arrives, st.sampled_from(("cut", "dropped", "endless"))),
        st.builds(Encoded, st.sampled_from(("no gzip", "BOM"))),
        st.builds(Header, st.just("Date"), st.sampled_from((None, "now", "Fri, 31 Dec 99999 23:59:59 GMT"))),
    ),
    skips,
    st.sampled_from((1, 1, 2)),
)  # fmt: skip
mischiefs = st.lists(st.one_of(operations.flatmap(refused), operations.flatmap(refused), odd), min_size=2, max_size=5)
"""Some things that go wrong at once."""
