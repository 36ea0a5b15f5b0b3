"""The storage's own explanation of a refusal, and what a person does about it. Pure.

The storage tells in `AuthenticationErrorDetail`, and in `Reason`, what its message does not: that the clock is off,
that the key is another one, or that the token is of another tenant ("Troubleshoot 403 errors in Azure Blob Storage").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batch_avatar.safe_text.sinks import line

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 300
TOLD = ("authenticationerrordetail", "extendederrordetail", "reason")
"""What is shown of the explanation. Values of headers and parameters are not: they may be signatures."""
STRING_TO_SIGN = ("Server used following string to sign", "String to sign used was")
SIGNATURE = re.compile(r"'[A-Za-z0-9+/]{20,}={0,2}'")

KEY = "set BATCH_AVATAR_STORAGE_CONNECTION_STRING to one with a present key of the account"
CLOCK = "set this machine's clock; if it is right, the signature or token in use has expired"
TENANT = "sign in to the tenant of the storage account: set AZURE_TENANT_ID, or run `az login --tenant <tenant>`"
ADDRESS = "set BATCH_AVATAR_STORAGE_ACCOUNT_URL to the account's own address, https://<account>.blob.core.windows.net"
STEPS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("mac signature", "signature did not match"), KEY),
    (("time frame", "date header", "lifetime", "expired", "not yet valid"), CLOCK),
    (("issuer",), TENANT),
    (("audience",), ADDRESS),
)
"""Parts of the explanation, in lower case, and what to do about it."""


def explanation(info: Mapping[str, object]) -> str:
    """Return the storage's explanation as a part of one line, without signatures; empty if it gives none.

    `info` are the members of the error's body other than code and message, by their names in lower case.
    """
    told = [info[name] for name in TOLD if isinstance(info.get(name), str)]
    words = SIGNATURE.sub("'...'", _before_string_to_sign("; ".join(map(str, told))))
    return line(" ".join(words.split()), MOST)


def _before_string_to_sign(text: str) -> str:
    for words in STRING_TO_SIGN:
        before, found, _ = text.partition(words)
        text = before.rstrip(" .\n") if found else before
    return text


def step_for(explained: str) -> str:
    """Return what to do about it; empty where the explanation is not known."""
    explained = explained.lower()
    return next((step for parts, step in STEPS if any(part in explained for part in parts)), "")
