"""What the environment and `.env` say; the only module that reads them."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from batch_avatar.errors import SettingsError
from batch_avatar.models import Properties, SubtitleType, VideoCodec, VideoFormat

PREFIX = "BATCH_AVATAR_"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
CONTAINER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62}")  # Azure Storage's rule for names
ENTRA_DOMAIN = ".cognitiveservices.azure.com"
PREVIEW_31 = "3.1-preview1"
PREVIEW_31_DOMAIN = ".customvoice.api.speech.microsoft.com"


def _checked_url(value: str) -> str:
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
        raise ValueError("has a port that is none") from None
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl().rstrip("/")


def _check_generation(host: str, api_version: str, *, key: bool) -> None:
    """Raises ValueError where this host does not speak that generation, or asks for another kind of access."""
    local, older = host in LOOPBACK, host.endswith(PREVIEW_31_DOMAIN)
    if api_version == PREVIEW_31:
        if not older and not local:
            raise ValueError(
                f"{PREFIX}ENDPOINT: with {PREVIEW_31} it is https://<region>{PREVIEW_31_DOMAIN}, not {host}"
            )
        if not key:
            raise ValueError(
                f"{PREFIX}SPEECH_KEY: {PREVIEW_31} needs one; Microsoft Entra works with a custom domain only, "
                "which the host of this generation is not"
            )
    elif older:
        region = host.removesuffix(PREVIEW_31_DOMAIN)
        raise ValueError(
            f"{PREFIX}ENDPOINT: {host} speaks {PREVIEW_31} only; with {api_version} it is "
            f"https://{region}.api.cognitive.microsoft.com or https://<name>{ENTRA_DOMAIN}"
        )
    elif not key and not host.endswith(ENTRA_DOMAIN) and not local:
        raise ValueError(
            f"{PREFIX}ENDPOINT: Microsoft Entra needs the resource's custom domain, https://<name>{ENTRA_DOMAIN}; "
            f"{host} takes keys only. Set that endpoint, or {PREFIX}SPEECH_KEY"
        )


class Settings(BaseSettings):
    """One Speech resource, one archive, and the limits between them. Durations are seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    endpoint: str = Field(description="The Speech resource, https://<name>.cognitiveservices.azure.com.")
    speech_key: SecretStr | None = Field(default=None, description="Its key; without one, Microsoft Entra.")
    api_version: Literal["2024-08-01", "2024-04-15-preview", "3.1-preview1"] = Field(
        default="2024-08-01", description="Generation of the batch avatar API."
    )
    storage_connection_string: SecretStr | None = Field(default=None, description="The archive's account, by key.")
    storage_account_url: str | None = Field(
        default=None,
        description="The archive's account with Microsoft Entra, https://<name>.blob.core.windows.net.",
    )
    container: str = Field(
        default="batch-avatar",
        description="The archive's container; created when missing.",
    )
    prefix: str = Field(default="", description="Folder of the archive inside the container.")

    creates_per_minute: float = Field(
        default=2, ge=0, description="Pace of new jobs; 0 means unpaced. The service's default quota is 2."
    )
    max_unfinished_jobs: int = Field(
        default=200, ge=1, description="Jobs at once; the service allows 200 per resource."
    )
    poll_interval_seconds: float = Field(default=10, gt=0, description="Between two looks at the job list.")
    start_deadline_seconds: float = Field(
        default=3600,
        gt=0,
        description="From creation until the job has started; stuck jobs were seen to abort after 30 min.",
    )
    job_deadline_seconds: float = Field(default=4 * 3600, gt=0, description="From creation until the job has ended.")
    claim_seconds: float = Field(
        default=240, gt=0, description="After this long an unsent claim of a run that died may be taken over."
    )
    max_attempts: int = Field(
        default=3,
        ge=1,
        le=99,
        description="Jobs per script when the service itself fails; each may be billed.",
    )
    max_changed_scripts: int = Field(
        default=10,
        ge=0,
        description="So many scripts may differ from what was archived under their name before `--accept-changes` "
        "is asked for.",
    )
    settle_seconds: float = Field(
        default=60,
        gt=0,
        description="3.1-preview1 only: how long complete job lists must agree that a job is absent before it is sent "
        "again. Nothing documents how far the list lags; this is a choice (the emulator's lags 2 s).",
    )
    request_timeout_seconds: float = Field(default=30, gt=0, description="For one answer of the service.")
    transfer_deadline_seconds: float = Field(default=3600, gt=0, description="For one video to be copied.")

    voice: str | None = Field(default=None, description="Voice of scripts that name none.")
    talking_avatar_character: str | None = Field(default=None, description="Avatar of scripts that name none.")
    talking_avatar_style: str | None = Field(default=None, description="Its style.")
    video_format: VideoFormat | None = Field(default=None, description="Format of scripts that name none.")
    video_codec: VideoCodec | None = Field(default=None, description="Codec of scripts that name none.")
    subtitle_type: SubtitleType | None = Field(default=None, description="Subtitles of scripts that name none.")
    background_color: str | None = Field(default=None, description="Background of scripts that name none.")
    bitrate_kbps: int | None = Field(default=None, gt=0, description="Bit rate of scripts that name none.")

    @field_validator("endpoint", "storage_account_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        return None if value is None else _checked_url(value)

    @field_validator("endpoint")
    @classmethod
    def _resource_only(cls, value: str) -> str:
        host = urlsplit(value).hostname or ""
        if host.endswith(".services.ai.azure.com"):
            name = host.removesuffix(".services.ai.azure.com")
            raise ValueError(f"is a Foundry project; use https://{name}{ENTRA_DOMAIN}")
        if urlsplit(value).path:
            raise ValueError("must end after the host name")
        return value

    @field_validator("speech_key", "storage_connection_string", mode="before")
    @classmethod
    def _without_line_end(cls, value: object) -> object:
        """A secret that is mounted as a file often ends with one."""
        return value.strip() if isinstance(value, str) else value

    @field_validator("speech_key")
    @classmethod
    def _header_value(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
            raise ValueError("holds characters that no key has")
        return value

    @field_validator("container")
    @classmethod
    def _container_name(cls, value: str) -> str:
        if not CONTAINER_NAME.fullmatch(value):
            raise ValueError("must be 3 to 63 lower-case letters, digits and single hyphens")
        return value

    @field_validator("prefix")
    @classmethod
    def _folder(cls, value: str) -> str:
        value = value.strip("/")
        if ".." in value or any(ord(character) < 32 for character in value):  # noqa: PLR2004 - control characters
            raise ValueError("must not contain '..' or control characters")
        return f"{value}/" if value else ""

    @model_validator(mode="after")
    def _combined(self) -> Self:
        _check_generation(urlsplit(self.endpoint).hostname or "", self.api_version, key=self.speech_key is not None)
        if (self.storage_connection_string is None) == (self.storage_account_url is None):
            raise ValueError(f"set exactly one of {PREFIX}STORAGE_CONNECTION_STRING and {PREFIX}STORAGE_ACCOUNT_URL")
        if self.start_deadline_seconds > self.job_deadline_seconds:
            raise ValueError(f"{PREFIX}START_DEADLINE_SECONDS must not exceed {PREFIX}JOB_DEADLINE_SECONDS")
        if self.request_timeout_seconds > self.claim_seconds / 4:
            raise ValueError(
                f"{PREFIX}CLAIM_SECONDS must be at least four times {PREFIX}REQUEST_TIMEOUT_SECONDS, "
                "so that a create cannot arrive after its claim was taken over"
            )
        return self

    @property
    def resource(self) -> str:
        """The resource's host and port: how claims and receipts name it."""
        return urlsplit(self.endpoint).netloc

    def video_defaults(self) -> dict[str, Any]:
        """The properties that scripts get when they name none."""
        return {name: value for name in Properties.model_fields if (value := getattr(self, name, None)) is not None}


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment and `.env`.

    Raises:
        SettingsError: with the name of each variable that is missing or wrong; never with its value.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = []
        for fault in error.errors(include_input=False, include_url=False):
            variable = "_".join(str(part) for part in fault["loc"][:1]).upper()
            reason = "is not set" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, ")
            lines.append(f"{PREFIX}{variable}: {reason}" if variable else reason)
        raise SettingsError("wrong settings:\n  " + "\n  ".join(lines)) from None


class _PrefectSettings(BaseSettings):
    """The few settings of Prefect's that decide whether there is an API."""

    model_config = SettingsConfigDict(env_prefix="PREFECT_", env_file=".env", env_ignore_empty=True, extra="ignore")

    api_url: str | None = None
    home: Path = Path("~/.prefect")
    profile: str | None = None


def prefect_api_url() -> str | None:
    """The Prefect API that a flow run would be recorded by, found without importing Prefect.

    Prefect reads, in this order, PREFECT_API_URL, `.env`, and the active profile in its home folder.
    """
    prefect = _PrefectSettings()
    if prefect.api_url:
        return prefect.api_url
    try:
        text = (prefect.home.expanduser() / "profiles.toml").read_text(encoding="utf-8")
        known = tomllib.loads(text)
        url = known["profiles"][prefect.profile or known["active"]]["PREFECT_API_URL"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(url) if url else None


def prepare_prefect() -> None:
    """Before Prefect is imported: its console shows warnings only, as ours shows the progress; the UI gets our log."""
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "WARNING")
    os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "batch_avatar")
