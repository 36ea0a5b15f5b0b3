"""The containers beside the archive: for packs, with the link that the service writes through, and for the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.doctor.checks import Step, failed, ok, skipped
from batch_avatar.doctor.reach import ANSWER_SECONDS
from batch_avatar.doctor.storage_checks import ACCESS, CONTAINER, SECONDS
from batch_avatar.errors import ArchiveError, NotThere, SettingsError
from batch_avatar.service.session import NO_ANSWER
from batch_avatar.service.time_limit import time_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import BlobServiceClient

    from batch_avatar.doctor.checks import Check
    from batch_avatar.doctor.connecting import Patient
    from batch_avatar.doctor.storage_checks import StorageLook

PACKS, INBOX = "packs", "inbox"
LINK_SECONDS = 60.0
LISTED = "&restype=container&comp=list&maxresults=1"


def side_steps(patient: Patient, service: BlobServiceClient, look: StorageLook) -> list[Step]:
    """Return the steps for both containers; of one that is not set it is only said."""
    return [
        Step((PACKS,), lambda: _packs(patient, service, look), needs=(ACCESS, CONTAINER), seconds=SECONDS),
        Step((INBOX,), lambda: _inbox(patient, service, look), needs=(ACCESS, CONTAINER), seconds=SECONDS),
    ]


def _packs(patient: Patient, service: BlobServiceClient, look: StorageLook) -> Iterator[Check]:
    name = patient.settings.staging_container
    if name is None:
        yield skipped(PACKS, "BATCH_AVATAR_STAGING_CONTAINER is not set, so nothing is packed (--pack)")
        return
    try:
        link = patient.staging(service, name).write_link(seconds=LINK_SECONDS)
    except SettingsError as error:
        yield failed(PACKS, error.message, look.fixes.key)
        return
    except ArchiveError as error:
        yield failed(PACKS, str(error), look.fixes.of(error))
        return
    try:
        with time_limit(ANSWER_SECONDS):
            answer = patient.session.get(link.get_secret_value() + LISTED, timeout=ANSWER_SECONDS)
    except NO_ANSWER as error:
        yield failed(PACKS, f"the signed link to {name} has no answer ({type(error).__name__})", look.fixes.direct)
        return
    if answer.status_code == 404:  # noqa: PLR2004 - HTTP status
        yield ok(PACKS, f"links can be signed; {name} is missing, and is made by the first render")
    elif answer.ok:
        yield ok(PACKS, f"a signed link opens {name}")
    else:
        code = answer.headers.get("x-ms-error-code") or answer.status_code
        fix = look.fixes.key if look.fixes.keyed else look.fixes.role
        yield failed(PACKS, f"the storage refuses a signed link to {name} ({code})", fix)


def _inbox(patient: Patient, service: BlobServiceClient, look: StorageLook) -> Iterator[Check]:
    name = patient.settings.inbox_container
    if name is None:
        yield skipped(INBOX, "BATCH_AVATAR_INBOX_CONTAINER is not set")
        return
    container = service.get_container_client(name)
    try:
        with archive_errors(f"list container {name}"):
            next(iter(container.list_blobs(results_per_page=1)), None)
    except NotThere:
        yield ok(INBOX, f"{name} is missing, and is made by the first look into it")
    except ArchiveError as error:
        yield failed(INBOX, str(error), look.fixes.of(error))
    else:
        yield ok(INBOX, f"{name} can be listed")
