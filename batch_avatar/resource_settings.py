"""One Speech resource in the settings: its address, its key, and how much it takes; and how secrets are read."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from batch_avatar.models import Written
from batch_avatar.safe_text.redaction import know

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
ENTRA_DOMAIN = ".cognitiveservices.azure.com"
REGIONAL_DOMAIN = ".api.cognitive.microsoft.com"
PREVIEW_31 = "3.1-preview1"
PREVIEW_31_DOMAIN = ".customvoice.api.speech.microsoft.com"
MOST_SECRET_BYTES = 64_000  # a list of 200 resources has some 30 KB
_PLACEHOLDER = re.compile(r"<[a-z -]{1,40}>")
AROUND = " \t\r\n\v\f\x85\xa0\u200b\u2028\u2029\u2060\ufeff"
QUOTES = frozenset({'""', "''", "``", "“”", "””", "„“", "„”", "‘’", "’’", "‚‘", "«»", "»«"})


def checked_url(value: str) -> str:
    """Return the URL in one spelling. Raise ValueError if it cannot be the address of an account."""
    if placeholder := _PLACEHOLDER.search(value):
        raise ValueError(f"still holds {placeholder[0]}, the placeholder of an example: put the name of your own there")
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


def _listed(value: object) -> object:
    """Return the folders of a list as in PATH."""
    if not isinstance(value, str):
        return value
    folders = [Path(folder) for folder in value.split(os.pathsep) if folder]
    if not all(folder.is_absolute() for folder in folders):
        raise ValueError("must be absolute paths")
    return folders


Folders = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_listed)]


def _of_resource(value: str) -> str:
    value = checked_url(value)
    host = urlsplit(value).hostname or ""
    if host.endswith(".services.ai.azure.com"):
        name = host.removesuffix(".services.ai.azure.com")
        raise ValueError(f"is a Foundry project; use https://{name}{ENTRA_DOMAIN}")
    if urlsplit(value).path:
        raise ValueError("must end after the host name")
    return value


def read_secrets(given: dict[str, Any], names: Iterable[str], *, prefix: str) -> None:
    """Add to the given settings those of these names that come as files, under `<name>_file`.

    Raises:
        ValueError: some files cannot be used, or a secret is given twice; the text has a line for each.
    """
    faults = []
    for name in names:
        if (path := given.get(f"{name}_file")) is None:
            continue
        variable = f"{prefix}{name.upper()}"
        if given.get(name):
            faults.append(f"set only one of {variable} and {variable}_FILE")
            continue
        try:
            given[name] = read_secret(Path(path))
        except ValueError as error:
            faults.append(f"{variable}_FILE: {error}")
    if faults:
        raise ValueError("\n".join(faults))


def read_secret(path: Path) -> str:
    """Return what a file holds that is mounted as a secret, without white space around it.

    Raises:
        ValueError: it cannot be a secret; the text says why, and nothing of the content.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError(f"{path} is not a file")
        with path.open("rb") as file:
            content = file.read(MOST_SECRET_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({type(error).__name__})") from None
    if len(content) > MOST_SECRET_BYTES:
        raise ValueError(f"{path} is larger than {MOST_SECRET_BYTES:,} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    if not unwrapped(text):
        raise ValueError(f"{path} is empty")
    return text.strip()


def unwrapped(value: object) -> object:
    """Return a text without what is often copied with it: quotes around it, white space, signs without a width."""
    if not isinstance(value, str):
        return value
    text = value.strip(AROUND)
    while quoted(text):
        text = text[1:-1].strip(AROUND)
    return text


def quoted(value: object) -> bool:
    """Return whether there are quotes around the text."""
    text = value.strip(AROUND) if isinstance(value, str) else ""
    return len(text) > 1 and text[0] + text[-1] in QUOTES


def unwrap(given: dict[str, Any], names: Iterable[str], *, prefix: str) -> None:
    """Take off what was copied with these of the given settings; leave out those of which nothing is left."""
    for name in given.keys() & set(names):
        if quoted(given[name]):
            logger.warning("%s%s: the quotes around its value are taken off", prefix, name.upper())
        if (value := unwrapped(given[name])) in ("", None):
            del given[name]
        else:
            given[name] = value


def _known(value: SecretStr) -> SecretStr:
    """Return the secret. From now on no text shows it, also if it is refused."""
    know(value.get_secret_value())
    return value


def _speech_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("holds characters that no key has")
    if text[0] in "\"'`" or text[-1] in "\"'`":
        raise ValueError("holds a quote at one end only")
    return value


def _connection_string(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x20\x21\x23-\x26\x28-\x7e]+", value.get_secret_value()):
        raise ValueError("holds a quote or another character that no connection string has")
    return value


def checked_region(value: str) -> str:
    """Return a region's identifier: `westeurope`, also of "West Europe". Raise ValueError if it cannot be one."""
    region = value.replace(" ", "").lower()
    if not re.fullmatch(r"[a-z][a-z0-9]{2,39}", region):
        raise ValueError("is not the identifier of a region, such as westeurope")
    return region


Endpoint = Annotated[str, BeforeValidator(unwrapped), AfterValidator(_of_resource)]
Region = Annotated[str, AfterValidator(checked_region)]
SpeechKey = Annotated[SecretStr, BeforeValidator(unwrapped), AfterValidator(_known), AfterValidator(_speech_key)]
ConnectionString = Annotated[
    SecretStr, BeforeValidator(unwrapped), AfterValidator(_known), AfterValidator(_connection_string)
]


class ResourceSettings(Written):
    """One Speech resource. Without a key it uses Microsoft Entra; pace and slots default to those of the settings."""

    name: str = Field(min_length=1, max_length=60, description="Its name in messages.")
    endpoint: Endpoint
    speech_key: SpeechKey | None = None
    creates_per_minute: float | None = Field(default=None, ge=0)
    max_unfinished_jobs: int | None = Field(default=None, ge=1)
    unsupported: tuple[str, ...] = Field(
        default=(),
        description="Characters and voices that it cannot do, also as patterns such as *:DragonHD*; scripts that need "
        "one go to another.",
    )

    @property
    def host(self) -> str:
        """Host and port. Claims and receipts name the resource by it, whatever people call the resource."""
        return urlsplit(self.endpoint).netloc

    @property
    def region(self) -> str | None:
        """The region that the endpoint's host tells; None for a custom domain, which tells none."""
        label, _, domain = (urlsplit(self.endpoint).hostname or "").partition(".")
        return label if f".{domain}" in (REGIONAL_DOMAIN, PREVIEW_31_DOMAIN) else None

    def completed(self, *, creates_per_minute: float, max_unfinished_jobs: int) -> ResourceSettings:
        """Return a copy that has these values where it has none of its own."""
        defaults: dict[str, Any] = {
            "creates_per_minute": creates_per_minute,
            "max_unfinished_jobs": max_unfinished_jobs,
        }
        unset = {name: value for name, value in defaults.items() if getattr(self, name) is None}
        return self.model_copy(update=unset)


def check_resources(resources: Iterable[ResourceSettings], api_version: str, *, several: bool, prefix: str) -> None:
    """Raise ValueError if two have one name or endpoint, or one does not serve this API generation."""
    given = list(resources)
    for kind, values in (("name", [one.name for one in given]), ("endpoint", [one.host for one in given])):
        if len(values) != len(set(values)):
            raise ValueError(f"{prefix}RESOURCES: two of them have the same {kind}")
    for resource in given:
        of = f"{prefix}RESOURCES, {resource.name}, " if several else ""
        check_generation(
            resource.endpoint,
            api_version,
            has_key=resource.speech_key is not None,
            endpoint_name=f"{of}endpoint" if of else f"{prefix}ENDPOINT",
            key_name=f"{of}speech_key" if of else f"{prefix}SPEECH_KEY",
        )


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
                f"{key_name}: a key is needed for {PREVIEW_31}; Microsoft Entra works with a custom domain only, "
                "which the host of this generation is not"
            )
    elif older:
        region = host.removesuffix(PREVIEW_31_DOMAIN)
        raise ValueError(
            f"{endpoint_name}: {host} speaks {PREVIEW_31} only; with {api_version} it is "
            f"https://{region}{REGIONAL_DOMAIN} or https://<name>{ENTRA_DOMAIN}"
        )
    elif not has_key and not host.endswith(ENTRA_DOMAIN) and not local:
        raise ValueError(
            f"{endpoint_name}: Microsoft Entra needs the resource's custom domain, https://<name>{ENTRA_DOMAIN}; "
            f"{host} takes keys only. Set that endpoint, or {key_name}"
        )
