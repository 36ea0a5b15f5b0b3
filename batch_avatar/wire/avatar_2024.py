"""Generations 2024-04-15-preview and 2024-08-01: same paths and members, another api-version."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from batch_avatar.identity import normalise_newlines
from batch_avatar.models import SynthesisJob
from batch_avatar.wire.messages import JobPage, WireRequest, encode_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.models import Script

JOBS = "/avatar/batchsyntheses"
PAGE_SIZE = 100  # the documented maximum

TOP_LEVEL = {"custom_voices": "customVoices"}
SYNTHESIS = {name: name for name in ("voice", "style", "rate", "pitch", "volume")}
PROPERTIES = {
    "time_to_live_in_hours": "timeToLiveInHours",
    "destination_container_url": "destinationContainerUrl",
    "destination_path": "destinationPath",
}
AVATAR = {
    "talking_avatar_character": "talkingAvatarCharacter",
    "talking_avatar_style": "talkingAvatarStyle",
    "customized": "customized",
    "photo_avatar_base_model": "photoAvatarBaseModel",
    "scene": "scene",
    "use_built_in_voice": "useBuiltInVoice",
    "video_format": "videoFormat",
    "video_codec": "videoCodec",
    "bitrate_kbps": "bitrateKbps",
    "subtitle_type": "subtitleType",
    "background_color": "backgroundColor",
    "background_image": "backgroundImage",
    "video_crop": "videoCrop",
    "avatar_position": "avatarPosition",
    "avatar_size": "avatarSize",
    "resolution": "resolution",
}


class Avatar2024:
    service_names_jobs = False

    def __init__(self, api_version: str) -> None:
        self.api_version = api_version
        self._query = {"api-version": api_version}

    def check(self, _script: Script) -> Iterator[str]:
        """Every property of a script is one of this generation's."""
        yield from ()

    def encode_create(self, script: Script, *, job_id: str, description: str) -> WireRequest:
        values = script.model_dump(exclude_none=True)
        if url := script.destination_container_url:
            values["destination_container_url"] = url.get_secret_value()
        body: dict[str, Any] = {
            "inputKind": script.input_kind,
            "inputs": [{"content": normalise_newlines(script.content)}],
            "description": description,
            **_pick(values, TOP_LEVEL),
            "synthesisConfig": _pick(values, SYNTHESIS),
            "properties": _pick(values, PROPERTIES),
            "avatarConfig": {name: _camel(value) for name, value in _pick(values, AVATAR).items()},
        }
        for member in ("synthesisConfig", "properties"):
            if not body[member]:
                del body[member]
        return WireRequest("PUT", f"{JOBS}/{job_id}", self._query, encode_body(body))

    def encode_get(self, service_id: str) -> WireRequest:
        return WireRequest("GET", f"{JOBS}/{service_id}", self._query)

    def encode_list(self) -> WireRequest:
        return WireRequest("GET", JOBS, {**self._query, "maxpagesize": str(PAGE_SIZE)})

    def encode_delete(self, service_id: str) -> WireRequest:
        return WireRequest("DELETE", f"{JOBS}/{service_id}", self._query)

    def decode_job(self, body: object, *, observed_at: datetime) -> SynthesisJob:
        job = _mapping(body)
        properties, outputs = _optional(job.get("properties")), _optional(job.get("outputs"))
        error, avatar = _optional(properties.get("error")), _optional(job.get("avatarConfig"))
        return SynthesisJob(
            service_id=job["id"] if "id" in job else _missing("id"),
            internal_id=job.get("internalId"),
            status=job["status"] if "status" in job else _missing("status"),
            description=job.get("description"),
            created_at=_moment(job.get("createdDateTime")),
            last_action_at=_moment(job.get("lastActionDateTime")),
            observed_at=observed_at,
            time_to_live_hours=properties.get("timeToLiveInHours"),
            subtitle_type=avatar.get("subtitleType"),
            size_bytes=properties.get("sizeInBytes"),
            duration_milliseconds=properties.get("durationInMilliseconds"),
            billing={k: v for k, v in _optional(properties.get("billingDetails")).items() if isinstance(v, int)},
            error_code=error.get("code"),
            error_message=error.get("message"),
            result_link=_link(outputs.get("result")),
            summary_link=_link(outputs.get("summary")),
            subtitle_link=_link(outputs.get("subtitle")),  # undocumented; seen with external_file
        )

    def decode_page(self, body: object, *, observed_at: datetime) -> JobPage:
        page = _mapping(body)
        jobs = page.get("value")
        if not isinstance(jobs, list):
            raise ValueError("a page without 'value'")  # noqa: TRY004 - one error for every unreadable body
        decoded = []
        for job in jobs:
            with suppress(ValueError):  # one odd job, perhaps of somebody else, must not hide the others
                decoded.append(self.decode_job(job, observed_at=observed_at))
        link = page.get("nextLink")
        return JobPage(
            jobs=tuple(decoded),
            next_link=link if isinstance(link, str) and link else None,
            unreadable=len(jobs) - len(decoded),
        )


def _pick(values: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {wire: values[ours] for ours, wire in names.items() if ours in values}


def _camel(value: Any) -> Any:
    """Nested members (scene, videoCrop) by the service's names."""
    if not isinstance(value, dict):
        return value
    return {_camel_name(name): _camel(inner) for name, inner in value.items()}


def _camel_name(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error for every unreadable body
    return value


def _optional(value: object) -> dict[str, Any]:
    return {} if value is None else _mapping(value)


def _missing(name: str) -> Any:
    raise ValueError(f"a job without {name!r}")


def _link(value: object) -> SecretStr | None:
    return SecretStr(value) if isinstance(value, str) and value else None


def _moment(value: object) -> datetime | None:
    """UTC, also without a zone: `lastActionDateTime` loses its Z once the job has moved on."""
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
