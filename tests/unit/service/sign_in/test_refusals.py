"""What the service says when it lets nobody in, and what a person is told to do about it."""

from __future__ import annotations

import pytest

from batch_avatar.errors import AccessRefused, RequestRefused
from batch_avatar.service.sign_in.refusals import CUSTOM_DOMAIN, KEY, NETWORK, NO_KEYS, OWN_TENANT, ROLE, STANDARD
from tests.support.scripts import script
from tests.support.tiny_server import Answer

TENANT = "Token tenant 33e01921-4d64-4f8c-a055-5bdaffd5e33d does not match resource tenant."
REFUSALS = {
    "tenant": (400, "Tenant provided in token does not match resource token", TENANT, OWN_TENANT),
    "tenant, in other words": (401, "401", "Tenant provided in token does not match resource tenant", OWN_TENANT),
    "region": (
        400,
        "BadRequest",
        "Please provide a custom subdomain for token authentication, otherwise API key is required.",
        CUSTOM_DOMAIN,
    ),
    "role": (401, "PermissionDenied", "Principal does not have access to API/Operation.", ROLE),
    "key": (401, "401", "Access denied due to invalid subscription key or wrong API endpoint.", KEY),
    "tier": (
        403,
        "Forbidden",
        'Only "Standard" subscriptions for the region of the called service are valid.',
        STANDARD,
    ),
    "network": (403, "403", "Access denied due to Virtual Network/Firewall rules.", NETWORK),
    "no keys": (
        403,
        "AuthenticationTypeDisabled",
        "Key based authentication is disabled for this resource.",
        NO_KEYS,
    ),
}
CALLS = {
    "list": lambda client: next(client.list_pages()),
    "get": lambda client: client.get("my-job-01"),
    "create": lambda client: client.create(script("a"), job_id="my-job-01", description="x"),
    "delete": lambda client: client.delete("my-job-01"),
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("call", ["list", "get", "create"])
def test_a_refusal_of_access_is_told_in_the_services_words_with_what_to_do(server, client, name, call):
    status, code, message, step = REFUSALS[name]
    server.answers = [Answer(status, {"error": {"code": code, "message": message}})]

    with pytest.raises(AccessRefused) as caught:
        CALLS[call](client)

    assert caught.value.message == f"{message}; {step}"
    assert caught.value.code == code


def test_other_words_are_told_as_they_are(server, client):
    server.answers = [Answer(403, {"error": {"code": "Forbidden", "message": "No."}})]

    with pytest.raises(AccessRefused) as caught:
        CALLS["get"](client)

    assert caught.value.message == "No."


def test_a_script_that_speaks_of_a_tenant_is_refused_for_itself(server, client):
    server.answers = [Answer(400, {"error": {"code": "InvalidRequest", "message": "The tenant is not allowed here."}})]

    with pytest.raises(RequestRefused):
        CALLS["create"](client)


ECHOED = {
    "custom domain": "The voice custom domain is not supported.",
    "a sentence": "The voice 'Token tenant x does not match resource tenant' is not supported.",
    "jobs": "The voice too many jobs is not supported.",
    "more jobs": "Of the voice 'There are too many active jobs' nothing is known.",
    "existing": "The style already exists twice is not supported.",
}


@pytest.mark.parametrize("name", ECHOED)
def test_a_script_whose_words_are_repeated_is_refused_for_itself(server, client, name):
    """Or it would stop all others: as a refusal of access, as a full resource, or as a job that is there."""
    server.answers = [Answer(400, {"error": {"code": "BadRequest", "message": ECHOED[name]}})]

    with pytest.raises(RequestRefused):
        CALLS["create"](client)
