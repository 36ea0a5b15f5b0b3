"""Faults of the storage account and its containers: each is named once with its fix, and nothing else has failed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    RetentionPolicy,
    generate_account_sas,
)

from batch_avatar.emulator.ports import free_port
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from tests.support.road import Road, Traveller

OTHER_KEY = base64.b64encode(b"another key of the account, or none").decode()
BLOB = "/_doctor/"


def is_container(method):
    return lambda said, path: said == method and "restype=container" in path and "comp=list" not in path


def is_blob(method, *, number=1):
    """The n-th request of this method to our blob, and those after it."""
    seen = []

    def wanted(said, path):
        if said == method and BLOB in path and "comp=list" not in path:
            seen.append(path)
        return said == method and BLOB in path and "comp=list" not in path and len(seen) >= number

    return wanted


def is_listing(said, path):
    return said == "GET" and "comp=list" in path and "restype=container" in path


def test_without_a_fault_all_is_green_and_nothing_is_left(quick, doctor, user_storage):
    b = quick()

    for _ in ("no archive yet", "an archive"):
        staging, inbox = f"{b.container_name}-s", f"{b.container_name}-i"
        said = doctor(b, region="westeurope", staging_container=staging, inbox_container=inbox)

        assert (said.failed, said.warned) == ([], [])
        not_green = {check.name for check in said.checks if check.status != "ok"}
        assert not_green - {"archive id"} == {"sign-in", "prefect server"}
        b.render([])
        assert [name for name in b.blobs() if "_doctor" in name] == []
    assert said["packs"].found == f"a signed link opens {staging}"
    left = [one.name for one in user_storage.list_containers(name_starts_with="batch-avatar-doctor-")]
    assert left == []
    assert b.accepted() == {}


def test_the_archives_container_is_not_made_but_that_it_may_be_is_found(quick, doctor, user_storage):
    b = quick()

    said = doctor(b)

    assert said["archive container"].found == f"{b.container_name} is missing, and is made by the first render"
    assert said["conditional writes"].status == "ok"
    assert not user_storage.get_container_client(b.container_name).exists()


def test_a_wrong_key_is_told(quick, doctor, azurite):
    b = quick()
    good = azurite.connection_string(USER_ACCOUNT)
    key = good.partition("AccountKey=")[2].partition(";")[0]

    said = doctor(b, storage_connection_string=good.replace(key, OTHER_KEY))

    said.only_fault("storage access", fix="az storage account show-connection-string --name")
    assert OTHER_KEY not in str(said.checks)


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("AuthenticationFailed", "az storage account show-connection-string --name"),
        ("AuthorizationFailure", "az storage account network-rule add"),
        ("KeyBasedAuthenticationNotPermitted", "unset BATCH_AVATAR_STORAGE_CONNECTION_STRING"),
        ("AccountIsDisabled", "az storage account show"),
    ],
)
def test_an_account_that_lets_nobody_in_is_told_by_its_own_code(by_road, doctor, road, code, fix):
    road.refuse(is_container("GET"), code, 403)

    doctor(by_road).only_fault("storage access", fix=fix)


def test_an_account_that_takes_no_connection_is_told(quick, doctor, azurite):
    b = quick()
    away = b.connection_string.replace(azurite.url, f"http://127.0.0.1:{free_port()}")

    found = doctor(b, storage_connection_string=away).only_fault("storage account", fix="curl")

    assert "takes no connection" in found


def test_a_name_that_no_account_has_is_told(quick, doctor, azurite):
    b = quick()
    away = b.connection_string.replace(azurite.url, "https://nobody.blob.invalid")

    found = doctor(b, storage_connection_string=away).only_fault("storage account", fix="az storage account list")

    assert found == "no host has the name nobody.blob.invalid"


def test_a_page_of_a_proxy_is_no_storage(by_road, doctor, road):
    road.refuse(lambda *_: True, None, 200)

    doctor(by_road).only_fault("storage account", fix="az storage account list")


def test_a_connection_string_that_is_none_is_told(quick, doctor):
    doctor(quick(), storage_connection_string="AccountName=only").only_fault(
        "storage account", fix="az storage account"
    )


def test_a_container_that_is_missing_and_may_not_be_made_is_told(quick, doctor, road):
    b = quick()
    road.refuse(is_container("PUT"), "AuthorizationPermissionMismatch", 403)

    said = doctor(b, storage_connection_string=road.connection_string(b.connection_string))

    said.only_fault("archive container", fix=f"az storage container create --name {b.container_name}")


class Shown(Traveller):
    """Shows a policy on the container."""

    def travel(self):
        status, headers, content = self.forward()
        if "restype=container" in self.path and self.command == "GET" and "comp" not in self.path:
            headers = [(k, v) for k, v in headers if k.lower() != "x-ms-has-immutability-policy"]
            headers.append(("x-ms-has-immutability-policy", "true"))
        self.answer(status, headers, content)


class Late(Traveller):
    """Its clock is an hour behind."""

    def travel(self):
        status, headers, content = self.forward()
        late = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
        self.answer(status, [(k, late if k.lower() == "date" else v) for k, v in headers], content)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [(Shown, ("archive container", "export BATCH_AVATAR_CONTAINER=")), (Late, ("clock", "timedatectl"))],
    ids=["write-once", "clock"],
)
def test_a_storage_that_is_not_as_claims_need_it_is_told(quick, doctor, azurite, kind, fault):
    name, fix = fault
    b = quick()
    b.render([])
    with Road(azurite.url, kind) as road:
        by = b.connection_string.replace(azurite.url, road.url)

        doctor(b, storage_connection_string=by).only_fault(name, fix=fix)

    assert [name for name in b.blobs() if "_doctor" in name] == []


@pytest.mark.parametrize(
    ("wanted", "code", "status", "name", "fix"),
    [
        (is_blob("PUT"), "AuthorizationPermissionMismatch", 403, "archive writing", "az storage account"),
        (
            is_blob("PUT", number=2),
            "BlobImmutableDueToPolicy",
            409,
            "archive writing",
            "export BATCH_AVATAR_CONTAINER=",
        ),
        (is_blob("PUT", number=3), "AuthorizationFailure", 403, "conditional writes", "network-rule"),
        (is_listing, "AuthorizationPermissionMismatch", 403, "archive listing", "az storage account"),
        (is_blob("DELETE"), "AuthorizationPermissionMismatch", 403, "archive deleting", "az storage account"),
    ],
    ids=["no writing", "no overwriting", "no conditions", "no listing", "no deleting"],
)
def test_what_may_not_be_done_in_the_container_is_told(  # noqa: PLR0917
    by_road, doctor, road, wanted, code, status, name, fix
):
    road.refuse(
        lambda said, path: wanted(said, path) and (name != "archive listing" or "_doctor" in path), code, status
    )

    doctor(by_road).only_fault(name, fix=fix)


@pytest.mark.parametrize(("number", "header"), [(3, "If-None-Match: *"), (4, "If-Match")])
def test_a_storage_that_does_not_heed_a_condition_is_told(by_road, doctor, road, number, header):
    written = {"ETag": '"0x1"', "Last-Modified": "Tue, 01 Dec 2026 09:00:00 GMT", "x-ms-request-id": "1"}
    road.say(is_blob("PUT", number=number), 201, b"", written)

    found = doctor(by_road).only_fault("conditional writes", fix="export BATCH_AVATAR_STORAGE_ACCOUNT_URL=https://")

    assert found == f"the storage does not heed {header}"


def test_a_container_that_could_not_be_deleted_again_is_warned_of(quick, doctor, road, user_storage):
    b = quick()
    road.refuse(is_container("DELETE"), "AuthorizationFailure", 403)

    said = doctor(b, storage_connection_string=road.connection_string(b.connection_string))

    said.only_warning("archive container", fix="az storage container delete --name batch-avatar-doctor-")
    left = said["archive container"].fix.split("--name ")[1].split()[0]
    user_storage.delete_container(left)


def test_soft_delete_that_is_off_is_warned_of(quick, doctor, user_storage):
    user_storage.set_service_properties(delete_retention_policy=RetentionPolicy(enabled=False))
    try:
        said = doctor(quick())
    finally:
        user_storage.set_service_properties(delete_retention_policy=RetentionPolicy(enabled=True, days=7))

    said.only_warning("soft delete", fix="--enable-delete-retention true")


def test_soft_delete_that_cannot_be_read_is_warned_of(by_road, doctor, road):
    road.refuse(lambda _, path: "comp=properties" in path and "restype=service" in path, "AuthorizationFailure", 403)

    doctor(by_road).only_warning("soft delete", fix="blob-service-properties show")


def test_an_archive_that_has_lost_its_id_is_told(quick, doctor, script):
    b = quick()
    b.render([script("intro")])
    before = b.etags()
    b.delete_blob("_archive.json")

    doctor(b).only_fault("archive id", fix="batch-avatar archive repair")

    before.pop("_archive.json")
    assert b.etags() == before


def test_an_archive_of_a_later_layout_is_told(quick, doctor):
    b = quick()
    b.render([])
    with b.container() as client:
        text = '{"layout": 99, "archive_id": "0123456789abcdef"}'
        client.upload_blob("_archive.json", text, overwrite=True)

    doctor(b).only_fault("archive id", fix="pip install --upgrade batch-avatar")


def test_a_connection_string_without_a_key_can_sign_nothing_for_packs(quick, doctor):
    b = quick()
    b.render([])
    with BlobServiceClient.from_connection_string(b.connection_string) as client:
        signature = generate_account_sas(
            str(client.account_name),
            client.credential.account_key,
            resource_types=ResourceTypes(service=True, container=True, object=True),
            permission=AccountSasPermissions(read=True, write=True, delete=True, list=True, add=True, create=True),
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )
        by = f"BlobEndpoint={client.primary_endpoint};SharedAccessSignature={signature}"

        said = doctor(b, storage_connection_string=by, staging_container=f"{b.container_name}-s")

    said.only_fault("packs", fix="az storage account show-connection-string")


def test_a_signed_link_that_the_storage_refuses_is_told(by_road, doctor, road):
    road.refuse(lambda _, path: "sig=" in path, "AuthenticationFailed", 403)

    said = doctor(by_road, staging_container=f"{by_road.container_name}-s")

    assert "refuses a signed link" in said.only_fault("packs", fix="az storage account show-connection-string")


def test_an_inbox_that_cannot_be_listed_is_told(by_road, doctor, road):
    inbox = f"{by_road.container_name}-inbox"
    road.refuse(lambda _, path: f"/{inbox}?" in path, "AuthorizationFailure", 403)

    doctor(by_road, inbox_container=inbox).only_fault("inbox", fix="network-rule")


def test_a_disk_without_room_is_told(quick, doctor, machine):
    """No file can be written below /proc, and it has no room."""
    machine(XDG_CACHE_HOME="/proc")

    doctor(quick()).only_fault("disk space", fix="df -h /proc")
