"""One Speech resource in the settings: its address, its key, and how much it takes."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from batch_avatar.models import Written

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
ENTRA_DOMAIN = ".cognitiveservices.azure.com"
PREVIEW_31 = "3.1-preview1"
PREVIEW_31_DOMAIN = ".customvoice.api.speech.microsoft.com"


def checked_url(value: str) -> str:
    """Return the URL in one spelling. Raise ValueError if it cannot be the address of an account."""
    parts = urlsplit(value)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ValueError("is not a URL like https://westus2.api.cognitive.microsoft.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must be https; http is accepted for this machine only")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must not carry a query, a fragment or a user")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("has an invalid port") from None
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl().rstrip("/")


def _of_resource(value: str) -> str:
    value = checked_url(value)
    host = urlsplit(value).hostname or ""
    if host.endswith(".services.ai.azure.com"):
        name = host.removesuffix(".services.ai.azure.com")
        raise ValueError(f"is a Foundry project; use https://{name}{ENTRA_DOMAIN}")
    if urlsplit(value).path:
        raise ValueError("must end after the host name")
    return value


def without_line_end(value: object) -> object:
    """Strip white space from a secret: one that is mounted as a file often ends with a line end."""
    return value.strip() if isinstance(value, str) else value


def _header_value(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
        raise ValueError("holds characters that no key has")
    return value


Endpoint = Annotated[str, AfterValidator(_of_resource)]
SpeechKey = Annotated[SecretStr, BeforeValidator(without_line_end), AfterValidator(_header_value)]


class ResourceSettings(Written):
    """One Speech resource. Without a key it uses Microsoft Entra; pace and slots default to those of the settings."""

    name: str = Field(min_length=1, max_length=60, description="Its name in messages.")
    endpoint: Endpoint
    speech_key: SpeechKey | None = None
    creates_per_minute: float | None = Field(default=None, ge=0)
    max_unfinished_jobs: int | None = Field(default=None, ge=1)
    unsupported: tuple[str, ...] = Field(
        default=(), description="Characters and voices that it cannot do; scripts that need one go to another."
    )

    @property
    def host(self) -> str:
        """Host and port. Claims and receipts name the resource by it, whatever people call the resource."""
        return urlsplit(self.endpoint).netloc

    def completed(self, *, creates_per_minute: float, max_unfinished_jobs: int) -> ResourceSettings:
        """Return a copy that has these values where it has none of its own."""
        defaults: dict[str, Any] = {
            "creates_per_minute": creates_per_minute,
            "max_unfinished_jobs": max_unfinished_jobs,
        }
        unset = {name: value for name, value in defaults.items() if getattr(self, name) is None}
        return self.model_copy(update=unset)


def check_generation(endpoint: str, api_version: str, *, has_key: bool, endpoint_name: str, key_name: str) -> None:
    """Raise ValueError if the host does not serve this API generation, or needs another kind of access.

    `endpoint_name` and `key_name` are what the message calls the two settings.
    """
    host = urlsplit(endpoint).hostname or ""
    local, older = host in LOOPBACK, host.endswith(PREVIEW_31_DOMAIN)
    if api_version == PREVIEW_31:
        if not older and not local:
            raise ValueError(
                f"{endpoint_name}: with {PREVIEW_31} it is https://<region>{PREVIEW_31_DOMAIN}, not {host}"
            )
        if not has_key:
            raise ValueError(
                f"{key_name}: {PREVIEW_31} needs one; Microsoft Entra works with a custom domain only, "
                "which the host of this generation is not"
            )
    elif older:
        region = host.removesuffix(PREVIEW_31_DOMAIN)
        raise ValueError(
            f"{endpoint_name}: {host} speaks {PREVIEW_31} only; with {api_version} it is "
            f"https://{region}.api.cognitive.microsoft.com or https://<name>{ENTRA_DOMAIN}"
        )
    elif not has_key and not host.endswith(ENTRA_DOMAIN) and not local:
        raise ValueError(
            f"{endpoint_name}: Microsoft Entra needs the resource's custom domain, https://<name>{ENTRA_DOMAIN}; "
            f"{host} takes keys only. Set that endpoint, or {key_name}"
        )
