"""Generations 2024-04-15-preview and 2024-08-01: the same paths and members, only the api-version differs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from batch_avatar.identity import sendable
from batch_avatar.models import SynthesisJob
from batch_avatar.service.wire.members import Members, decode_object
from batch_avatar.service.wire.messages import (
    PAGE_SIZE,
    WireRequest,
    camel,
    decode_billing,
    decode_jobs,
    encode_body,
    pick,
    set_properties,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from batch_avatar.models import Script
    from batch_avatar.service.wire.messages import JobPage

JOBS = "/avatar/batchsyntheses"

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
WRITTEN = {
    "avatarConfig": frozenset(AVATAR.values()),
    "synthesisConfig": frozenset(SYNTHESIS.values()),
    "properties": frozenset(PROPERTIES.values()),
}
"""The objects of a request to which people may add members, and the members that are written here."""
NOT_EXTRA = frozenset(
    name.lower()
    for name in (
        "destinationContainerUrl",
        "destinationPath",
        "timeToLiveInHours",
        "timeToLive",
        "description",
        "displayName",
        "inputs",
        "inputKind",
        "textType",
        "id",
        "internalId",
    )
)
"""What nobody may add anywhere, in lower case: where videos go, how long they stay, what is spoken, and ids."""
KNOWN_VERSIONS = ("2024-08-01", "2024-04-15-preview")


class Avatar2024:
    service_names_jobs = False

    def __init__(self, api_version: str) -> None:
        self.api_version = api_version
        self._query = {"api-version": api_version}

    def check(self, _script: Script) -> Iterator[str]:
        """Yield nothing: this generation has every property of a script."""
        yield from ()

    def encode_create(
        self, script: Script, *, job_id: str, description: str, inputs: Sequence[str] = ()
    ) -> WireRequest:
        values, extra = set_properties(script), script.extra_properties or {}
        body: dict[str, Any] = {
            "inputKind": script.input_kind,
            "inputs": [{"content": sendable(text, script.input_kind)} for text in inputs or (script.content,)],
            "description": description,
            **pick(values, TOP_LEVEL),
            "synthesisConfig": extra.get("synthesisConfig", {}) | pick(values, SYNTHESIS),
            "properties": extra.get("properties", {}) | pick(values, PROPERTIES),
            "avatarConfig": extra.get("avatarConfig", {})
            | {name: camel(value) for name, value in pick(values, AVATAR).items()},
        }
        for member in ("synthesisConfig", "properties"):
            if not body[member]:
                del body[member]
        return WireRequest("PUT", f"{JOBS}/{job_id}", self._query, encode_body(body))

    def encode_get(self, service_id: str) -> WireRequest:
        return WireRequest("GET", f"{JOBS}/{service_id}", self._query)

    def encode_list(self, *, skip: int = 0) -> WireRequest:
        start = {"skip": str(skip)} if skip else {}
        return WireRequest("GET", JOBS, {**self._query, **start, "maxpagesize": str(PAGE_SIZE)})

    def encode_delete(self, service_id: str) -> WireRequest:
        return WireRequest("DELETE", f"{JOBS}/{service_id}", self._query)

    def decode_job(self, body: object, *, observed_at: datetime) -> SynthesisJob:
        job = Members(body)
        properties, outputs, avatar = job.inner("properties"), job.inner("outputs"), job.inner("avatarConfig")
        error = properties.inner("error", text="message")
        return SynthesisJob(
            service_id=job.job_id(),
            internal_id=job.text("internalId"),
            status=job.status(),
            description=job.text("description"),
            created_at=job.moment("createdDateTime"),
            last_action_at=job.moment("lastActionDateTime"),
            observed_at=observed_at,
            time_to_live_hours=properties.number("timeToLiveInHours"),
            subtitle_type=avatar.folded("subtitleType"),
            character=avatar.text("talkingAvatarCharacter"),
            style=avatar.text("talkingAvatarStyle"),
            size_bytes=properties.count("sizeInBytes"),
            duration_milliseconds=properties.count("durationInMilliseconds"),
            billing=properties.read("billingDetails", decode_billing) or {},
            error_code=error.text("code"),
            error_message=error.text("message"),
            result_link=outputs.link("result"),
            summary_link=outputs.link("summary"),
            subtitle_link=outputs.link("subtitle"),  # undocumented; seen with external_file
            unreadable=tuple(job.unreadable),
        )

    def decode_page(self, body: object, *, observed_at: datetime) -> JobPage:
        page = decode_object(body)
        return decode_jobs(page.get("value"), page.get("nextLink"), partial(self.decode_job, observed_at=observed_at))
