"""What a person does when the Speech service refuses access, by the service's own words. Pure.

The words are those of public reports; not all of them are documented, and the service gives some of them with 400.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

OWN_TENANT = "sign in to the tenant of this resource: set AZURE_TENANT_ID, or run `az login --tenant <tenant>`"
CUSTOM_DOMAIN = (
    "with Microsoft Entra the endpoint is the resource's custom domain, https://<name>.cognitiveservices.azure.com; "
    "set that, or a key, BATCH_AVATAR_SPEECH_KEY"
)
ROLE = "give this identity the role Cognitive Services Speech User on the resource; a new role counts after minutes"
KEY = "set BATCH_AVATAR_SPEECH_KEY to a key of this endpoint's own resource"
STANDARD = "batch avatars need a Speech resource of the tier Standard (S0)"
NETWORK = "let this machine through the network rules of the resource"
NO_KEYS = "the resource takes no keys; leave BATCH_AVATAR_SPEECH_KEY out, so that Microsoft Entra is used"
SIGN_IN_AGAIN = "sign in again, and see that this machine's clock is right"

STEPS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("resource tenant", "tenant provided in token"), OWN_TENANT),
    (("custom subdomain", "custom domain", "provide an authentication key"), CUSTOM_DOMAIN),
    (("key based authentication", "key-based authentication", "authenticationtypedisabled"), NO_KEYS),
    (("virtual network", "firewall", "public access is disabled"), NETWORK),
    (("permissiondenied", "does not have access", "lacks the required"), ROLE),
    (("invalid subscription key", "missing subscription key"), KEY),
    (('"standard" subscriptions',), STANDARD),
    (("access token is missing, invalid", "token is expired", "token has expired"), SIGN_IN_AGAIN),
)
"""Parts of what the service says, in lower case, and what to do about it."""
WITH_400 = (
    "tenant provided in token does not match",
    "token tenant ",
    "please provide a custom subdomain",
    "please provide an authentication key",
)
"""How messages begin that refuse access with status 400. Other words may be a script's own, which services repeat."""


def next_step(said: str) -> str:
    """Return what to do about a refusal in these words; empty where they are not known."""
    said = said.lower()
    return next((step for parts, step in STEPS if any(part in said for part in parts)), "")


def refuses_access(status: int, said: Iterable[str]) -> bool:
    """Return whether an answer with this status, code and messages refuses access, to whatever is asked for."""
    return status in (401, 403) or (status == 400 and any(one.lower().startswith(WITH_400) for one in said))  # noqa: PLR2004
