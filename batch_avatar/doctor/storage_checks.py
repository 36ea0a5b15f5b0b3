"""The storage account, and the archive's container in it: what a run will do there is tried with a blob of our own."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azure.core import MatchConditions

from batch_avatar.archive.identity_check import NO_ARCHIVE, open_identity
from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.doctor.checks import Step, failed, ok, skipped, warning
from batch_avatar.doctor.reach import Unreachable, reach
from batch_avatar.doctor.sign_in_checks import SIGN_IN
from batch_avatar.doctor.storage_fixes import ACCOUNTS, Fixes
from batch_avatar.errors import ArchiveDamaged, ArchiveError, LostRace, NotThere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient

    from batch_avatar.doctor.checks import Check
    from batch_avatar.doctor.connecting import Patient

ACCOUNT, ACCESS, CONTAINER = "storage account", "storage access", "archive container"
WRITING, CONDITIONS, LISTING, DELETING = "archive writing", "conditional writes", "archive listing", "archive deleting"
SOFT_DELETE, ARCHIVE_ID = "soft delete", "archive id"
FOLDER = "_doctor/"
"""Where our blob lies for a moment, below the archive's folder. No run looks there."""
SECONDS = 20.0
"""The storage library tries again for some 10 s."""
_OF_A_STORAGE = ("x-ms-request-id", "x-ms-version")


class StorageLook:
    """Looks at the account and the archive's container. `container_is_there` is known after the first looks."""

    def __init__(self, patient: Patient, service: BlobServiceClient) -> None:
        self._patient = patient
        self._settings = patient.settings
        self._service = service
        self._container: ContainerClient = service.get_container_client(patient.settings.container)
        self.container_is_there = False

    @property
    def fixes(self) -> Fixes:
        return Fixes(
            account=str(self._service.account_name or "<account>"),
            container=self._settings.container,
            assignee=self._patient.assignee,
            keyed=self._settings.storage_connection_string is not None,
        )

    def steps(self, clock: str) -> list[Step]:
        """Return the steps; `clock` is the check without which no signature is right."""
        entra = (SIGN_IN,) if self._settings.storage_account_url is not None else ()
        looks = (CONTAINER, WRITING, CONDITIONS, LISTING, DELETING)
        return [
            Step((ACCOUNT,), self._account),
            Step((ACCESS, *looks), self._archive, needs=(ACCOUNT, clock, *entra), seconds=SECONDS),
            Step((SOFT_DELETE,), self._soft_delete, needs=(ACCESS,), seconds=SECONDS),
            Step((ARCHIVE_ID,), self._archive_id, needs=(ACCESS, CONTAINER), seconds=SECONDS),
        ]

    def _account(self) -> Iterator[Check]:
        address = urlsplit(str(self._service.primary_endpoint))  # with a signature for its query, where one is used
        url = f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}/?comp=list"
        try:
            found = reach(self._patient.session, url, self._patient.clock)
        except Unreachable as error:
            fix = f"{error.fix}\n{ACCOUNTS}" if error.kind == "name" else error.fix
            yield failed(ACCOUNT, error.found, fix)
            return
        if not any(name in found.headers for name in _OF_A_STORAGE):
            yield failed(ACCOUNT, f"{found.host} answers as no Azure Storage does (status {found.status})", ACCOUNTS)
            return
        self._patient.reached[ACCOUNT] = found
        yield ok(ACCOUNT, f"{found.host} answers")

    def _archive(self) -> Iterator[Check]:
        try:
            with archive_errors(f"look at container {self._container.container_name}"):
                shown = self._container.get_container_properties()
        except NotThere:
            yield ok(ACCESS, "the sign-in is taken" if self._settings.storage_account_url else "the key is taken")
            yield from self._missing()
            return
        except ArchiveError as error:
            yield failed(ACCESS, str(error), self.fixes.of(error))
            return
        yield ok(ACCESS, "the sign-in is taken" if self._settings.storage_account_url else "the key is taken")
        if shown.has_immutability_policy or shown.has_legal_hold:
            what = "an immutability policy" if shown.has_immutability_policy else "a legal hold"
            yield failed(CONTAINER, f"{self._container.container_name} is write-once: it has {what}", self.fixes.other)
            return
        self.container_is_there = True
        yield ok(CONTAINER, f"{self._container.container_name} is there")
        yield from self._try(self._container)

    def _missing(self) -> Iterator[Check]:
        """Try in a container that lives for a moment; the archive's own is made by the first render."""
        name = f"batch-avatar-doctor-{secrets.token_hex(6)}"
        trial = self._service.get_container_client(name)
        wanted = self._container.container_name
        try:
            with archive_errors(f"make container {name}"):
                trial.create_container()
        except ArchiveError as error:
            yield failed(CONTAINER, f"{wanted} is missing and may not be made: {error}", self.fixes.make(wanted))
            return
        try:
            tried = list(self._try(trial))
        finally:
            left = self._drop(trial)
        if left:
            found = f"{wanted} is made by the first render; a container to try it, {name}, could not be deleted"
            yield warning(CONTAINER, found, self.fixes.drop(name))
        else:
            yield ok(CONTAINER, f"{wanted} is missing, and is made by the first render")
        yield from tried

    @staticmethod
    def _drop(trial: ContainerClient) -> bool:
        """Delete the container; return whether it is left."""
        try:
            with archive_errors("delete a container"):
                trial.delete_container()
        except NotThere:
            return False
        except ArchiveError:
            return True
        return False

    def _try(self, container: ContainerClient) -> Iterator[Check]:
        name = f"{self._settings.prefix}{FOLDER}{secrets.token_hex(8)}"
        blob = container.get_blob_client(name)
        try:
            with archive_errors(f"write {name}"):
                first = blob.upload_blob(b"1", overwrite=True)["etag"]
                blob.upload_blob(b"2", overwrite=True)
        except ArchiveError as error:
            self._delete(blob)  # it may have been written although it was refused
            yield failed(WRITING, str(error), self.fixes.of(error))
            return
        try:
            checks = [
                ok(WRITING, "blobs can be written and overwritten"),
                self._conditions(blob, str(first)),
                self._listing(container, name),
            ]
        finally:
            refused = self._delete(blob)
        yield from checks
        if refused is None:
            yield ok(DELETING, "our blob is deleted again")
        else:
            yield failed(DELETING, f"{refused}; {name} is left", self.fixes.of(refused))

    def _conditions(self, blob: BlobClient, old: str) -> Check:
        """A claim must not be written where there is one, nor over a version that was not read."""
        try:
            for condition, options in (
                ("If-None-Match: *", {"overwrite": False}),
                ("If-Match", {"overwrite": True, "etag": old, "match_condition": MatchConditions.IfNotModified}),
            ):
                with suppress(LostRace), archive_errors("write under a condition"):
                    blob.upload_blob(b"3", **options)
                    return failed(CONDITIONS, f"the storage does not heed {condition}", self.fixes.direct)
        except ArchiveError as error:
            return failed(CONDITIONS, str(error), self.fixes.of(error))
        return ok(CONDITIONS, "no blob is written twice, or over another version")

    def _listing(self, container: ContainerClient, name: str) -> Check:
        try:
            with archive_errors(f"list container {container.container_name}"):
                found = [one.name for one in container.list_blobs(name_starts_with=name, include=["metadata"])]
        except ArchiveError as error:
            return failed(LISTING, str(error), self.fixes.of(error))
        if name not in found:
            return failed(LISTING, "a blob that was written is not listed", self.fixes.direct)
        return ok(LISTING, "our blob is listed")

    @staticmethod
    def _delete(blob: BlobClient) -> ArchiveError | None:
        try:
            with archive_errors(f"delete {blob.blob_name}"):
                blob.delete_blob()
        except NotThere:
            return None
        except ArchiveError as error:
            return error
        return None

    def _soft_delete(self) -> Iterator[Check]:
        try:
            with archive_errors("read the properties of the account"):
                policy = self._service.get_service_properties().get("delete_retention_policy")
        except ArchiveError as error:
            yield warning(SOFT_DELETE, f"not known: {error}", self.fixes.soft_delete)
            return
        if policy is None or not policy.enabled:
            yield warning(SOFT_DELETE, "off: a video that somebody deletes is gone, and was paid for", self.fixes.keep)
            return
        yield ok(SOFT_DELETE, f"deleted blobs are kept for {policy.days} days")

    def _archive_id(self) -> Iterator[Check]:
        if not self.container_is_there:
            yield skipped(ARCHIVE_ID, "there is no archive yet")
            return
        try:
            about = open_identity(self._container, self._settings.prefix, create=False)
        except ArchiveDamaged as error:
            yield failed(ARCHIVE_ID, error.message, "batch-avatar archive repair")
            return
        except ArchiveError as error:
            yield failed(ARCHIVE_ID, str(error), self.fixes.of(error, otherwise="pip install --upgrade batch-avatar"))
            return
        if about.archive_id == NO_ARCHIVE:
            yield ok(ARCHIVE_ID, "there is no archive yet; the first render makes it")
        else:
            yield ok(ARCHIVE_ID, f"{about.archive_id}, that of its claims and receipts")
