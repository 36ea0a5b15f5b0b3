"""Settings from the environment and `.env`. No other module reads these."""

from __future__ import annotations

import json
import logging
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, NoDecode, SettingsConfigDict

from batch_avatar.errors import SettingsError
from batch_avatar.resource_settings import (
    ConnectionString,
    Endpoint,
    Folders,
    Region,
    ResourceSettings,
    SpeechKey,
    check_resources,
    checked_url,
    read_secrets,
    unwrap,
)
from batch_avatar.safe_text.logs import make_logs_safe
from batch_avatar.script_settings import PREFIX, ScriptSettings, loaded, unknown_variables

logger = logging.getLogger(__name__)

NO_RESOURCE = f"{PREFIX}ENDPOINT: is not set"
SECRETS = ("speech_key", "resources", "storage_connection_string")
"""Settings that hold secrets. Each may come as a file instead, whose path is in the setting `<name>_file`."""
UNWRAPPED = {*SECRETS, *(f"{name}_file" for name in SECRETS), "endpoint", "storage_account_url", "region"}
"""Taken without what was copied with them. All else says where an archive is, or what a video is: it stays as it is."""
CONTAINER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62}")  # Azure Storage's rule for names


class Settings(ScriptSettings):
    """The Speech resources, the archive, and the limits of a run. Durations are in seconds."""

    endpoint: Endpoint | None = Field(
        default=None, description="The Speech resource, https://<name>.cognitiveservices.azure.com."
    )
    speech_key: SpeechKey | None = Field(default=None, description="Its key; without one, Microsoft Entra is used.")
    speech_key_file: Path | None = Field(default=None, description="A file that holds the key instead.")
    resources: Annotated[tuple[ResourceSettings, ...], NoDecode] = Field(
        default=(),
        description="Several Speech resources instead of one, as a JSON list: name, endpoint and, where it differs, "
        "speech_key, creates_per_minute, max_unfinished_jobs, unsupported (characters and voices, also *:DragonHD*).",
    )
    resources_file: Path | None = Field(default=None, description="A file that holds this list instead.")
    region: Region | None = Field(
        default=None, description="Its region, such as westeurope, whose voices `batch-avatar voices` asks for."
    )
    storage_connection_string: ConnectionString | None = Field(
        default=None, description="The archive's account, with a key."
    )
    storage_connection_string_file: Path | None = Field(default=None, description="A file that holds it instead.")
    storage_account_url: str | None = Field(
        default=None,
        description="The archive's account, with Microsoft Entra, https://<name>.blob.core.windows.net.",
    )
    container: str = Field(
        default="batch-avatar",
        description="The archive's container; created when missing.",
    )
    prefix: str = Field(default="", description="Folder of the archive inside the container.")
    staging_container: str | None = Field(
        default=None,
        description="Container, in the archive's account, that the service writes packed jobs (`--pack`) into; never "
        "the archive's own, because the service may delete what it wrote.",
    )
    inbox_container: str | None = Field(
        default=None,
        description="Container, in the archive's account, into which scripts are dropped as blobs below inbox/; "
        "created when missing. It must be a container of its own.",
    )
    inbox_ids: Literal["name", "path"] = Field(
        default="name", description="What the id of a drop is: its name, or its path below inbox/, as in hr/welcome."
    )
    inbox_settle_seconds: float = Field(
        default=30, gt=0, description="A drop is taken once it has not changed for so long; some tools write in pieces."
    )
    source_roots: Folders = Field(
        default=(), description="Folders below which flow runs may read scripts; empty: the deployment's folder."
    )

    creates_per_minute: float = Field(
        default=2, ge=0, description="Pace of new jobs; 0 means unpaced. The service's default quota is 2."
    )
    max_unfinished_jobs: int = Field(
        default=200, ge=1, description="Most unfinished jobs at a time; the service allows 200 per resource."
    )
    poll_interval_seconds: float = Field(default=10, gt=0, description="Typical time between two listings of the jobs.")
    start_deadline_seconds: float = Field(
        default=3600,
        gt=0,
        description="From a job's creation to its start; stuck jobs were seen to abort after 30 min.",
    )
    job_deadline_seconds: float = Field(default=4 * 3600, gt=0, description="From a job's creation to its end.")
    claim_seconds: float = Field(
        default=240, gt=0, description="After this long another run may take over an unsent claim of a run that died."
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
        description="How many texts may differ from what was archived under their name; more need `--accept-changes`.",
    )
    keep_changed: bool = Field(
        default=False, description="Leave archived scripts of which only the look changed as they are."
    )
    settle_seconds: float = Field(
        default=60,
        gt=0,
        description="3.1-preview1 only: how long complete job lists must agree that a job is absent before it is sent "
        "again. Nothing documents how far the list lags; 60 s is a choice (the emulator's list lags 2 s).",
    )
    request_timeout_seconds: float = Field(default=30, gt=0, description="Longest wait for an answer of the service.")
    transfer_deadline_seconds: float = Field(default=3600, gt=0, description="Longest time to copy one video.")

    @model_validator(mode="before")
    @classmethod
    def _as_meant(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Read the secrets that come as files, and take off what was copied with a value."""
        unwrap(given, UNWRAPPED, prefix=PREFIX)
        read_secrets(given, SECRETS, prefix=PREFIX)
        return given

    @field_validator("storage_account_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        return None if value is None else checked_url(value)

    @field_validator("resources", mode="before")
    @classmethod
    def _list_of_resources(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            raise ValueError("is not JSON") from None

    @field_validator("container", "staging_container", "inbox_container")
    @classmethod
    def _container_name(cls, value: str | None) -> str | None:
        if value is not None and not CONTAINER_NAME.fullmatch(value):
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
        self._check_resources()
        if self.staging_container == self.container:
            raise ValueError(f"{PREFIX}STAGING_CONTAINER must not be the archive's own container")
        if self.inbox_container is not None and self.inbox_container in (self.container, self.staging_container):
            raise ValueError(f"{PREFIX}INBOX_CONTAINER must be neither the archive's container nor that for staging")
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

    def _check_resources(self) -> None:
        if self.endpoint is None and not self.resources:
            raise ValueError(NO_RESOURCE)
        if self.endpoint is not None and self.resources:
            raise ValueError(f"set only one of {PREFIX}ENDPOINT and {PREFIX}RESOURCES")
        if self.resources and self.speech_key is not None:
            raise ValueError(f"{PREFIX}SPEECH_KEY: with {PREFIX}RESOURCES each has its own speech_key")
        check_resources(self.all_resources(), self.api_version, several=bool(self.resources), prefix=PREFIX)

    def all_resources(self) -> tuple[ResourceSettings, ...]:
        """Return the configured resources, or the only one, each with its pace and slots."""
        given = self.resources
        if self.endpoint is not None:
            host = urlsplit(self.endpoint).netloc
            given = (ResourceSettings(name=host[:60], endpoint=self.endpoint, speech_key=self.speech_key),)
        return tuple(
            resource.completed(creates_per_minute=self.creates_per_minute, max_unfinished_jobs=self.max_unfinished_jobs)
            for resource in given
        )


def load_settings(**overrides: Any) -> Settings:
    """Return the settings from the environment and `.env`.

    Raises:
        SettingsError: some variables are missing or wrong; the message names each of them, and never its value.
    """
    make_logs_safe()
    _warn_of_unknown_variables()
    return loaded(Settings, **overrides)


def load_script_settings() -> ScriptSettings:
    """Return the settings of scripts alone, which need no account. Raises as `load_settings` does."""
    make_logs_safe()
    _warn_of_unknown_variables()
    return loaded(ScriptSettings)


def misspelt_variables() -> list[str]:
    """Return a sentence for each variable of the environment or `.env` that begins as ours do and is no setting."""
    names = [name for source in (EnvSettingsSource, DotEnvSettingsSource) for name in source(Settings).env_vars]
    return unknown_variables(names, Settings.model_fields)


def _warn_of_unknown_variables() -> None:
    for text in misspelt_variables():
        _warn_once(text)


@cache
def _warn_once(text: str) -> None:
    """Warn of it once in the life of this process, which may load its settings again and again."""
    logger.warning("%s", text)


def renewed(settings: Settings) -> Settings:
    """Return the settings with the secrets that their files hold now; the same ones if a file cannot be used."""
    from_files = {name for name in SECRETS if getattr(settings, f"{name}_file") is not None}
    others = {name: getattr(settings, name) for name in Settings.model_fields.keys() - from_files}
    try:
        return load_settings(**others) if from_files else settings
    except SettingsError as error:
        logger.warning("the secrets cannot be read again, those from before are used: %s", error)
        return settings


def cache_folder() -> Path:
    """Return our folder in the user's cache, as the XDG Base Directory Specification says; it may be missing."""
    given, home = os.environ.get("XDG_CACHE_HOME", ""), Path(os.path.expanduser("~"))  # noqa: PTH111 - never raises
    return (Path(given) if given.startswith("/") else Path("/") / home / ".cache") / "batch-avatar"


class _PrefectSettings(BaseSettings):
    """Prefect's own settings, as far as they say where its API is and who may ask it."""

    model_config = SettingsConfigDict(env_prefix="PREFECT_", env_file=".env", env_ignore_empty=True, extra="ignore")

    api_url: str | None = None
    api_auth_string: str | None = None
    api_key: str | None = None
    home: Path = Path("~/.prefect")
    profile: str | None = None


def prefect_api_url() -> str | None:
    """Return the URL of the Prefect API that would record a flow run, without importing Prefect.

    Prefect reads its variables first, then `.env`, then the active profile in its home folder.
    """
    return prefect_setting("api_url")


def prefect_setting(name: str) -> str | None:
    """Return a setting of Prefect's own, such as `api_auth_string`, which may be a secret; found as its URL is."""
    prefect = _PrefectSettings()
    if given := getattr(prefect, name):
        return str(given)
    try:
        known = tomllib.loads((prefect.home.expanduser() / "profiles.toml").read_text(encoding="utf-8"))
        found = known["profiles"][prefect.profile or known["active"]][f"PREFECT_{name.upper()}"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(found) if found else None


def prepare_prefect() -> None:
    """Set Prefect's logging; this must happen before Prefect is imported.

    Its console shows warnings only, because ours shows the progress. Its UI gets our log.
    """
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "WARNING")
    os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "batch_avatar")
    os.environ.setdefault("PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL", "WARNING")  # as in prefect.yaml
