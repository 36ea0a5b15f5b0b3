"""Who this machine is to Microsoft Entra: which way to sign in is found, and whom it names."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from batch_avatar.archive.access.tokens import SCOPE as STORAGE_SCOPE
from batch_avatar.doctor.checks import Step, failed, ok, skipped
from batch_avatar.service.credentials import SCOPE as SPEECH_SCOPE
from batch_avatar.service.sign_in.tokens import NoToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.doctor.checks import Check
    from batch_avatar.doctor.connecting import Patient
    from batch_avatar.settings import Settings

SIGN_IN = "sign-in"
SECONDS = 5.0
"""A person waits for this line; `az` takes one to three seconds."""
TOO_LATE = "az account get-access-token --output none  # shows what it waits for"
AZ_LOGIN = "az login"
WAYS = {
    "EnvironmentCredential": "a service principal, of AZURE_CLIENT_ID",
    "WorkloadIdentityCredential": "a workload identity",
    "ManagedIdentityCredential": "the managed identity of this machine",
    "SharedTokenCacheCredential": "a token cache that programs share",
    "VisualStudioCodeCredential": "Visual Studio Code",
    "AzureCliCredential": "the Azure CLI, az login",
    "AzurePowerShellCredential": "Azure PowerShell, Connect-AzAccount",
    "AzureDeveloperCliCredential": "the Azure Developer CLI, azd auth login",
}
"""What people call the ways that azure-identity tries."""


def scope_of(settings: Settings) -> str | None:
    """Return for what a token is needed first; None where keys open everything. Pure."""
    if any(resource.speech_key is None for resource in settings.all_resources()):
        return SPEECH_SCOPE
    return STORAGE_SCOPE if settings.storage_account_url is not None else None


def sign_in_step(patient: Patient) -> Step:
    """Return the step that signs in, or that says why nobody need."""
    scope = scope_of(patient.settings)

    def work() -> Iterator[Check]:
        if scope is None:
            yield skipped(SIGN_IN, "keys open everything")
            return
        try:
            token = patient.identity.ask(scope).token
        except NoToken as error:
            yield failed(SIGN_IN, error.message, fix_for(error))
            return
        claims = claims_of(token)
        patient.assignee = str(claims.get("oid") or patient.assignee)
        yield ok(SIGN_IN, told(patient.identity.kind, claims))

    return Step((SIGN_IN,), work, seconds=SECONDS, too_late=TOO_LATE)


FIXES = (
    ("AZURE_... as they are set", "env | grep ^AZURE_  # mend or unset what the line names"),
    (
        "AZURE_CLIENT_SECRET to a valid",
        "az ad app credential reset --id <application>  # and put what it says into AZURE_CLIENT_SECRET",
    ),
    ("AZURE_TENANT_ID and AZURE_CLIENT_ID", "export AZURE_TENANT_ID=<tenant> AZURE_CLIENT_ID=<application>"),
    ("this machine's clock", "sudo timedatectl set-ntp true"),
    ("managed identity", "az vm identity assign --name <machine> --resource-group <group>"),
)
"""Parts of what is said where there is no token (`verdict.py`), and a command."""
AWAY = "curl --head https://login.microsoftonline.com  # on Azure: is a managed identity assigned?"


def fix_for(error: NoToken) -> str:
    """Return a command for the reason why there is no token. Pure."""
    if error.away:
        return AWAY
    return next((fix for part, fix in FIXES if part in error.message), AZ_LOGIN)


def told(kind: str, claims: dict[str, Any]) -> str:
    """Return in one line who is signed in. Pure."""
    way = WAYS.get(kind, kind or "a way that is not told")
    names = (("", "upn", "unique_name"), ("application ", "appid"), ("object ", "oid"), ("tenant ", "tid"))
    facts = [
        f"{what}{value}" for what, *keys in names if (value := next((claims[key] for key in keys if key in claims), ""))
    ]
    return f"by {way}" + (f": {', '.join(facts[:3])}" if facts else "")


def claims_of(token: str) -> dict[str, Any]:
    """Return the facts in a token that is a JSON Web Token (RFC 7519), unchecked; none of another one. Pure."""
    parts = token.split(".")
    try:
        text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        found = json.loads(text)
    except (ValueError, IndexError, RecursionError):
        return {}
    known = ("upn", "unique_name", "appid", "oid", "tid")
    return {name: found[name] for name in known if isinstance(found, dict) and isinstance(found.get(name), str)}
