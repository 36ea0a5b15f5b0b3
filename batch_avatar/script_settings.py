"""Settings of scripts, which need no account: what those get that say nothing; how settings are read and misspelt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from batch_avatar.catalog.near import near
from batch_avatar.catalog.prices import PriceTable
from batch_avatar.errors import SettingsError
from batch_avatar.models import Choice, Properties
from batch_avatar.safe_text.sinks import name as shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

PREFIX = "BATCH_AVATAR_"
API_VERSION = r"^(3\.1-preview1|20(2[4-9]|[3-9]\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(-preview)?)$"
"""Those that exist, and later ones of the same shape; a check warns of what is not known."""


_OF_KUBERNETES = re.compile(r"(?:.{0,200}_)?(?:SERVICE_(?:HOST|PORT(?:_.{1,200})?)|PORT(?:_\d{1,5}_.{1,200})?)")
"""What Kubernetes sets in each container for a service called `batch-avatar` or `batch-avatar-...`.

Source: its page "Service", environment variables.
"""


class ScriptSettings(BaseSettings):
    """The generation of the API, and the properties of scripts that name none."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    api_version: Annotated[str, Field(pattern=API_VERSION)] = Field(
        default="2024-08-01", description="Generation of the batch avatar API."
    )
    voice: str | None = Field(default=None, description="Voice of scripts that name none.")
    talking_avatar_character: str | None = Field(default=None, description="Avatar of scripts that name none.")
    talking_avatar_style: str | None = Field(default=None, description="Its style.")
    video_format: Choice | None = Field(default=None, description="Format of scripts that name none.")
    video_codec: Choice | None = Field(default=None, description="Codec of scripts that name none.")
    subtitle_type: Choice | None = Field(default=None, description="Subtitles of scripts that name none.")
    background_color: str | None = Field(default=None, description="Background of scripts that name none.")
    bitrate_kbps: int | None = Field(default=None, gt=0, description="Bit rate of scripts that name none.")
    prices: Annotated[PriceTable | None, NoDecode] = Field(
        default=None,
        description="What you pay, as JSON: currency, video_per_minute by avatar kind (standard, photo, custom, "
        "custom-photo), characters_per_million by voice kind (neural, hd, custom). Without it no money is told.",
    )

    def video_defaults(self) -> dict[str, Any]:
        """Return the properties of scripts that name none."""
        return {name: value for name in Properties.model_fields if (value := getattr(self, name, None)) is not None}


Kind = TypeVar("Kind", bound=ScriptSettings)


def loaded(kind: type[Kind], **overrides: Any) -> Kind:
    """Return the settings from the environment and `.env`.

    Raises:
        SettingsError: some variables are missing or wrong; the message names each of them, and never its value.
    """
    try:
        return kind(**overrides)
    except ValidationError as error:
        lines = []
        for fault in error.errors(include_input=False, include_url=False):
            first, *inner = [str(part) for part in fault["loc"]] or [""]
            variable = first.upper() + "".join(f" {part}" for part in inner)
            reason = "is not set" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, ")
            lines += [f"{PREFIX}{variable}: {reason}"] if variable else reason.split("\n")
        raise SettingsError("wrong settings:", more=lines) from None


def unknown_variables(names: Iterable[str], settings: Collection[str]) -> list[str]:
    """Return a sentence for each variable that begins as ours do and is none of the settings, with what was meant.

    `settings`: their names without the prefix, in lower case.
    """
    rests = {name.upper().removeprefix(PREFIX) for name in names if name.upper().startswith(PREFIX)}
    unknown = sorted(rest for rest in rests if rest.lower() not in settings and not _OF_KUBERNETES.fullmatch(rest))
    return [f"{PREFIX}{shown(rest)}: no such setting{_meant(rest, settings)}" for rest in unknown]


def _meant(rest: str, settings: Collection[str]) -> str:
    likely = near(rest, settings)
    return f"; did you mean {PREFIX}{likely.upper()}?" if likely else "; .env.example lists all of them"
