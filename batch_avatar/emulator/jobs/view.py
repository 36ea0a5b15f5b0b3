"""A job as the service shows it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batch_avatar.emulator.clock import format_time
from batch_avatar.emulator.jobs.preview_view import view_preview_job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.emulator.jobs.job import Job
    from batch_avatar.emulator.jobs.request import AvatarConfig, SynthesisRequest

_FORMATS = {"mp4": "Mp4", "webm": "Webm"}


def view_job(job: Job, outputs: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the job object of the job's generation. Inputs and the destination URL are never shown again (D)."""
    if job.preview is not None:
        return view_preview_job(job, job.preview, outputs)
    request = job.request
    view: dict[str, Any] = {
        "id": job.id,
        "internalId": job.internal_id,
        "status": job.status,
        "createdDateTime": format_time(job.shown_created),
        "lastActionDateTime": format_time(job.last_action, zulu=job.status == "NotStarted"),
        "inputKind": request.input_kind,
    }
    if request.description is not None:
        view["description"] = request.description
    view["customVoices"] = request.custom_voices
    if request.synthesis_config is not None and (config := request.synthesis_config.sent()):
        view["synthesisConfig"] = config
    view["properties"] = _view_properties(job)
    view["avatarConfig"] = _view_avatar(request.avatar_config)
    if outputs:
        view["outputs"] = dict(outputs)
    return view


def _view_avatar(config: AvatarConfig) -> dict[str, Any]:
    return (
        {"talkingAvatarCharacter": config.talking_avatar_character}
        | config.sent()
        | {
            "videoFormat": _FORMATS[config.video_format],
            "videoCodec": config.video_codec,
            "subtitleType": config.subtitle_type,
            "bitrateKbps": config.bitrate_kbps,
            "customized": config.customized,
        }
    )


def _view_properties(job: Job) -> dict[str, Any]:
    view: dict[str, Any] = {"timeToLiveInHours": job.request.properties.time_to_live_in_hours}
    if job.request.properties.destination_path is not None:
        view["destinationPath"] = job.request.properties.destination_path
    if job.shows_outcome and job.rendered is not None:
        view |= {
            "sizeInBytes": job.rendered.size_bytes,
            "durationInMilliseconds": job.rendered.duration_milliseconds,
            **_count_inputs(job),
            "billingDetails": _view_billing(job.request, job.rendered.characters, job.rendered.duration_milliseconds),
        }
    if job.status == "Failed" and job.failure is not None:
        view |= {
            **_count_inputs(job),
            "error": {"code": job.failure[0], "message": job.failure[1]},
        }
    if job.terminal and job.odd is not None and job.odd.code is not None:
        view["error"] = {"code": job.odd.code, "message": job.odd.message}
    return view


def _count_inputs(job: Job) -> dict[str, int]:
    succeeded = job.rendered.succeeded_count if job.rendered else 0
    return {"succeededCount": succeeded, "failedCount": len(job.request.inputs) - succeeded}


def _view_billing(request: SynthesisRequest, characters: int, milliseconds: int) -> dict[str, int]:
    """Return the bill without zeros, as in the examples (I)."""
    billing = {f"{request.voice_kind}Characters": characters, "talkingAvatarDurationSeconds": milliseconds // 1000}
    return {name: value for name, value in billing.items() if value}
