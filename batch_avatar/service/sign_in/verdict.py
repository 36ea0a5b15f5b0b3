"""Whether an identity that gave no token is away or refuses, and what a person does about a refusal. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch_avatar.safe_text.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Sequence

VM_IDENTITY = "169.254.169.254"
"""The address of a virtual machine's own identity. Where there is none, nothing answers there."""
PASSING_STATUSES = frozenset({404, 408, 410, 429})
"""Besides 5xx. The identity of a virtual machine answers 404 and 410 while it is updated ("How to use managed
identities on a VM to acquire an access token", error handling)."""
PASSING_WORDS = ("temporarily_unavailable", "AADSTS90006", "AADSTS90024", "AADSTS90033")
"""Codes that ask to try again ("Microsoft Entra authentication and authorization error codes")."""
SIGNED_OUT = "az login"  # the Azure CLI says it to whoever is not signed in
NETWORK_WORDS = ("network connection", "Max retries exceeded", "Connection aborted", "timed out")
"""What the Azure CLI says when it reaches nobody: its own words, and those of Python's requests, which it passes on."""
NOT_TRUSTED = "ertificate verif"  # ...ication failed, ...y failed: as of a proxy that reads what passes
MOST_WORDS = 300

SIGN_IN = "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
NEXT_STEPS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("7000215", "7000222", "7000212"), "set AZURE_CLIENT_SECRET to a valid secret of that application"),
    (("90002", "700016", "50020", "900023", "90019"), "mend AZURE_TENANT_ID and AZURE_CLIENT_ID"),
    (("500011", "650052"), "sign in to the tenant of the resource: AZURE_TENANT_ID, or `az login --tenant <tenant>`"),
    (("700024", "700027", "50013"), "set this machine's clock, and renew the federated token or certificate"),
    (("Identity not found",), "give this machine a managed identity, or set AZURE_CLIENT_ID to one that it has"),
)
"""Parts of what Microsoft Entra says, and what to do about it (the same document)."""
_OTHER_TENANT = "not configured to acquire tokens for tenant "
_CODE = re.compile(r"AADSTS\d+")
_ATTEMPTS, _MITIGATION = "Attempted credentials:", "\nTo mitigate"  # the identity library's own words around its list
_NO_SIGN_IN = ("Azure CLI not found", "Please run 'az login'")


@dataclass(frozen=True)
class Heard:
    """One answer to a request for a token. Without an answer the status is None, and `kind` is that of the error."""

    host: str
    status: int | None
    body: str = ""
    kind: str = ""


def is_away(heard: Sequence[Heard], said: str, *, proven: bool) -> bool:
    """Return whether the identity is away for a while; otherwise it refuses, or there is none.

    `said` is what the identity library says. `proven`: the identity gave a token before, so it does exist.
    """
    last = heard[-1] if heard else None
    words = f"{last.body if last else ''} {said}"
    if any(word in words for word in PASSING_WORDS):
        return True
    if _CODE.search(words) or SIGNED_OUT in said.partition("Attempted credentials")[0]:
        return False
    told = _told_by_attempts(said)
    if any(word in told for word in NETWORK_WORDS):
        return NOT_TRUSTED not in told
    if last is None:  # a command such as `az`, or an answer that the library remembers
        return proven
    if last.status is not None and 400 <= last.status < 500 and last.status not in PASSING_STATUSES:  # noqa: PLR2004
        return False
    return proven or last.host != VM_IDENTITY


def who_is_away(heard: Sequence[Heard], said: str, kind: str) -> str:
    """Return in one line who does not answer and how. `kind` is that of the identity library's error."""
    last = heard[-1] if heard else None
    if (last is None or last.host == VM_IDENTITY) and (words := _told_by_attempts(said)):
        return bounded(words, MOST_WORDS)  # what was tried after the virtual machine's own identity
    if last is None:
        return kind
    if last.status is not None and last.status >= 400:  # noqa: PLR2004 - HTTP statuses
        return f"{last.host} answers with status {last.status}"
    return f"{last.host or 'an address without a host'}: {last.kind or kind}"


def explain(heard: Sequence[Heard], said: str) -> str:
    """Return in one line why there is no token, and what a person does about it."""
    refusals = [one for one in heard if one.status is not None and one.status >= 400]  # noqa: PLR2004 - HTTP statuses
    last = refusals[-1] if refusals else None
    words = _told(last.body) if last is not None else ""
    if not words and (code := _CODE.search(said)):
        words = said[code.start() :].partition("\n")[0]
    if not words and (elsewhere := said.partition(_OTHER_TENANT)[2].split(maxsplit=1)):
        tenant = elsewhere[0].strip(".'\"")
        return f"this identity is of another tenant than {tenant}; set AZURE_TENANT_ID, or `az login --tenant {tenant}`"
    words = words or _told_by_attempts(said)
    if not words and last is not None and last.host != VM_IDENTITY:
        words = f"{last.host} answers with status {last.status}"
    if not words:
        return f"no sign-in is found; {SIGN_IN}"
    words = bounded(words.partition(" Trace ID:")[0].strip(), MOST_WORDS)
    step = next((step for parts, step in NEXT_STEPS if any(part in words for part in parts)), SIGN_IN)
    return f"{words}; {step}"


def _told_by_attempts(said: str) -> str:
    """Return what the Azure CLI says in the library's list, or that a file is not there; empty where nobody does."""
    for attempt in said.partition(_ATTEMPTS)[2].split("\n\t"):
        name, _, words = attempt.partition(_MITIGATION)[0].partition(": ")
        if name != "AzureCliCredential" and "[Errno " not in words:
            continue
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        if lines and not lines[0].startswith(_NO_SIGN_IN):
            return next((line for line in reversed(lines) if line.startswith("ERROR")), lines[0])
    return ""


def _told(body: str) -> str:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    told = value.get("error_description") or value.get("message") or value.get("error")
    return " ".join(told.split()) if isinstance(told, str) else ""
