"""Generation 3.1-preview1 (11/2023): the service chooses the ids, properties are flat, durations are ISO 8601.

Our job id is sent as `displayName`, which need not be unique, so only the job list tells what became of a create whose
answer was lost.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

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

JOBS = "/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar"
TICKS_PER_MILLISECOND = 10_000  # a tick is 100 ns

TOP_LEVEL = {"custom_voices": "customVoices"}
SYNTHESIS = {name: name for name in ("voice", "style", "rate", "pitch", "volume")}
PROPERTIES = {
    "destination_container_url": "destinationContainerUrl",
    "talking_avatar_character": "talkingAvatarCharacter",
    "talking_avatar_style": "talkingAvatarStyle",
    "customized": "customized",
    "video_format": "videoFormat",
    "video_codec": "videoCodec",
    "bitrate_kbps": "kBitrate",
    "subtitle_type": "subtitleType",
    "background_color": "backgroundColor",
    "video_crop": "videoCrop",
}
LACKING = (
    "photo_avatar_base_model",
    "scene",
    "use_built_in_voice",
    "background_image",
    "avatar_position",
    "avatar_size",
    "resolution",
    "destination_path",
    "extra_properties",
)
"""Properties that came with later generations."""

_DURATION = TypeAdapter(timedelta)


class AvatarPreview31:
    api_version = "3.1-preview1"
    service_names_jobs = True

    def check(self, script: Script) -> Iterator[str]:
        for name in LACKING:
            if getattr(script, name) is not None:
                yield f"{name}: {self.api_version} has no such property; use api-version 2024-08-01"
        if script.video_codec == "av1":
            yield f"video_codec: {self.api_version} has no av1; use another codec, or api-version 2024-08-01"

    def encode_create(
        self, script: Script, *, job_id: str, description: str, inputs: Sequence[str] = ()
    ) -> WireRequest:
        """Encode a create, without the properties that `check` names."""
        values = set_properties(script)
        body: dict[str, Any] = {
            "displayName": job_id,
            "description": description,
            "textType": script.input_kind,
            "inputs": [{"text": sendable(text, script.input_kind)} for text in inputs or (script.content,)],
            **pick(values, TOP_LEVEL),
        }
        properties = {name: camel(value) for name, value in pick(values, PROPERTIES).items()}
        if script.time_to_live_in_hours is not None:
            properties["timeToLive"] = _encode_hours(script.time_to_live_in_hours)
        if synthesis := pick(values, SYNTHESIS):
            body["synthesisConfig"] = synthesis
        if properties:
            body["properties"] = properties
        return WireRequest("POST", JOBS, {}, encode_body(body))

    def encode_get(self, service_id: str) -> WireRequest:
        return WireRequest("GET", f"{JOBS}/{service_id}", {})

    def encode_list(self, *, skip: int = 0) -> WireRequest:
        return WireRequest("GET", JOBS, {"skip": str(skip), "top": str(PAGE_SIZE)})

    def encode_delete(self, service_id: str) -> WireRequest:
        return WireRequest("DELETE", f"{JOBS}/{service_id}", {})

    def decode_job(self, body: object, *, observed_at: datetime) -> SynthesisJob:
        job = Members(body)
        properties, outputs = job.inner("properties"), job.inner("outputs")
        error = properties.inner("error", text="message")
        return SynthesisJob(
            service_id=job.job_id(),
            display_name=job.text("displayName"),
            status=job.status(),
            description=job.text("description"),
            created_at=job.moment("createdDateTime"),
            last_action_at=job.moment("lastActionDateTime"),
            observed_at=observed_at,
            time_to_live_hours=properties.read("timeToLive", _decode_hours),
            subtitle_type=properties.folded("subtitleType"),
            character=properties.text("talkingAvatarCharacter"),
            style=properties.text("talkingAvatarStyle"),
            size_bytes=properties.count("audioSize"),  # the size of the result, whatever it is called
            duration_milliseconds=_decode_milliseconds(properties),
            billing=properties.read("billingDetails", decode_billing) or {},
            error_code=error.text("code"),
            error_message=error.text("message"),
            result_link=outputs.link("result"),
            summary_link=outputs.link("summary"),
            subtitle_link=outputs.link("subtitle"),  # as in 2024-08-01; documented in neither
            unreadable=tuple(job.unreadable),
        )

    def decode_page(self, body: object, *, observed_at: datetime) -> JobPage:
        """Decode a page by the documented `values` and `@nextLink`, or by the later names, which are often confused."""
        page = decode_object(body)
        jobs = page.get("values", page.get("value"))
        link = page.get("@nextLink", page.get("nextLink"))
        return decode_jobs(jobs, link, partial(self.decode_job, observed_at=observed_at))


def _encode_hours(hours: int) -> str:
    """Write whole days as days, as in the documents' P31D, and anything else as hours."""
    days, rest = divmod(hours, 24)
    return f"PT{hours}H" if rest else f"P{days}D"


def _decode_duration(value: object) -> timedelta | None:
    """Read an ISO 8601 duration; None if the value is none."""
    try:
        return _DURATION.validate_python(value) if isinstance(value, str) and value.startswith("P") else None
    except ValidationError:
        return None


def _decode_hours(value: object) -> float | None:
    length = _decode_duration(value)
    return None if length is None else length / timedelta(hours=1)


def _decode_milliseconds(properties: Members) -> int | None:
    ticks = properties.count("durationInTicks")
    if ticks is not None:
        return ticks // TICKS_PER_MILLISECOND
    length = properties.read("duration", _decode_duration)
    return None if length is None else length // timedelta(milliseconds=1)
