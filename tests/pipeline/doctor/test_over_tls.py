"""Hosts that speak TLS: a certificate that is not trusted, and a storage that is opened by a sign-in."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

from batch_avatar.emulator.certificate import make_certificate
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from tests.support.answering_road import ERROR
from tests.support.road import Road, Traveller
from tests.support.sign_in.identity_endpoint import IdentityEndpoint

TOKEN = "e30.eyJvaWQiOiAib2JqZWN0LTEifQ.c2ln"
"""Its claims: {"oid": "object-1"}."""
ROLE = 'az role assignment create --assignee object-1 --role "Storage Blob Data Contributor"'


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


class TokenTaker(Traveller):
    """Lets in whoever has the token, as the storage does whose account takes sign-ins; refuses what it is told to."""

    def travel(self):
        wanted, code, status = self.server.refused
        if wanted(self.command, self.path):
            headers = [("x-ms-error-code", code), ("Content-Type", "application/xml")]
            self.answer(status, headers, ERROR.format(code).encode())
            return
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            del self.headers["Authorization"]
            self.path += ("&" if "?" in self.path else "?") + self.server.signature
        super().travel()


@pytest.fixture
def tls_road(azurite, certificate, user_storage):
    """A road to the storage that speaks TLS with this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.path, certificate.key_path)
    road = Road(azurite.url, TokenTaker)
    road.socket = context.wrap_socket(road.socket, server_side=True)
    road.url = road.url.replace("http:", "https:")
    road.refused = (lambda *_: False, "", 0)
    road.signature = generate_account_sas(
        USER_ACCOUNT,
        user_storage.credential.account_key,
        resource_types=ResourceTypes(service=True, container=True, object=True),
        permission=AccountSasPermissions(read=True, write=True, delete=True, list=True, add=True, create=True),
        expiry=datetime.now(UTC) + timedelta(days=1),
    )
    with road:
        yield road


@pytest.fixture
def signed_in(doctor, quick, machine, monkeypatch, tls_road, certificate):  # noqa: PLR0917
    """`signed_in(**variables)`: what is found with the sign-in in place of all keys of the storage."""

    def look(**variables):
        b = quick()
        b.render([])
        with IdentityEndpoint() as identity:
            identity.token = TOKEN
            machine(REQUESTS_CA_BUNDLE=certificate.path)
            identity.use(monkeypatch)
            url = f"{tls_road.url}/{USER_ACCOUNT}"
            return doctor(b, storage_connection_string=None, storage_account_url=url, **variables)

    return look


def test_a_certificate_that_is_not_trusted_is_told(quick, doctor, tls_road):
    b = quick()
    plain = f"http://{tls_road.storage}"

    said = doctor(b, storage_connection_string=b.connection_string.replace(plain, tls_road.url))

    assert "is not trusted" in said.only_fault("storage account", fix="export REQUESTS_CA_BUNDLE=")


def test_with_a_sign_in_all_is_in_order(signed_in):
    said = signed_in()

    assert (said.failed, said.warned) == ([], [])
    assert said["sign-in"].found == "by the managed identity of this machine: object object-1"
    assert said["storage access"].found == "the sign-in is taken"


@pytest.mark.parametrize(
    ("wanted", "code", "status", "name", "fix"),
    [
        ("restype=container", "AuthorizationPermissionMismatch", 403, "storage access", ROLE),
        ("restype=container", "InvalidAuthenticationInfo", 401, "storage access", "az login --tenant"),
        ("_doctor/", "AuthorizationPermissionMismatch", 403, "archive writing", ROLE),
        ("comp=userdelegationkey", "AuthorizationPermissionMismatch", 403, "packs", ROLE),
    ],
    ids=["no role", "other tenant", "reads only", "signs nothing"],
)
def test_what_an_identity_may_not_do_is_told(signed_in, tls_road, wanted, code, status, name, fix):  # noqa: PLR0917
    tls_road.refused = (lambda _, path: wanted in path, code, status)

    said = signed_in(staging_container="staging" if name == "packs" else None)

    assert code in said.only_fault(name, fix=fix)
