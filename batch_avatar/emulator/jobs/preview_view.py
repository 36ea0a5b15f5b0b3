"""A job as 3.1-preview1 shows it: with one flat `properties`, and times in milliseconds with `Z`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batch_avatar.emulator.clock import format_short_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.emulator.jobs.job import Job, Rendered
    from batch_avatar.emulator.jobs.preview_request import PreviewBody

_TICKS_PER_MILLISECOND = 10_000


def view_preview_job(job: Job, body: PreviewBody, outputs: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the job object. Inputs and the destination URL are never shown again (D)."""
    view: dict[str, Any] = {"textType": body.text_type}
    if body.synthesis_config is not None and (config := body.synthesis_config.sent()):
        view["synthesisConfig"] = config
    view["customVoices"] = body.custom_voices
    view["properties"] = _view_outcome(job) | _view_settings(body)
    if outputs:
        view["outputs"] = dict(outputs)
    view |= {
        "lastActionDateTime": format_short_time(job.last_action),
        "status": job.status,
        "id": job.id,
        "createdDateTime": format_short_time(job.shown_created),
        "displayName": body.display_name,
    }
    if body.description is not None:
        view["description"] = body.description
    if body.custom_properties is not None:
        view["customProperties"] = body.custom_properties
    return view


def _view_settings(body: PreviewBody) -> dict[str, Any]:
    """Return the settings: these defaults always, other members only if they were sent, and as sent (I)."""
    properties = body.properties
    sent = properties.sent()
    sent.pop("destinationContainerUrl", None)
    return {
        "timeToLive": properties.time_to_live,
        "outputFormat": "riff-24khz-16bit-mono-pcm",
        "talkingAvatarCharacter": properties.talking_avatar_character,
        "kBitrate": properties.k_bitrate,
        "customized": properties.customized,
    } | sent


def _view_outcome(job: Job) -> dict[str, Any]:
    """Return counts, bill and error of a terminal job.

    `failedAudioCount` is left out if nothing failed, as in the avatar examples (I); zeros in the bill stay.
    """
    if job.shows_outcome and job.rendered is not None:
        odd = job.odd if job.odd is not None and job.odd.code is not None else None
        error = {"error": {"code": odd.code, "message": odd.message}} if odd else {}
        return _view_success(job, job.rendered) | error
    if job.status == "Failed" and job.failure is not None:
        succeeded = job.rendered.succeeded_count if job.rendered else 0
        return {
            "succeededAudioCount": succeeded,
            "failedAudioCount": len(job.request.inputs) - succeeded,
            "error": {"code": job.failure[0], "message": job.failure[1]},
        }
    return {}


def _view_success(job: Job, rendered: Rendered) -> dict[str, Any]:
    custom = job.request.voice_kind == "customNeural"
    failed = len(rendered.inputs) - rendered.succeeded_count
    return {
        "audioSize": rendered.size_bytes,
        "durationInTicks": rendered.duration_milliseconds * _TICKS_PER_MILLISECOND,
        "succeededAudioCount": rendered.succeeded_count,
        **({"failedAudioCount": failed} if failed else {}),
        "duration": format_duration(rendered.duration_milliseconds),
        "billingDetails": {
            "customNeural": rendered.characters if custom else 0,
            "neural": 0 if custom else rendered.characters,
        },
    }


def format_duration(milliseconds: int) -> str:
    """Write an ISO 8601 duration: PT2.52S, PT1M, PT1H0.5S."""
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else "", f"{rest / 1000:g}S" if rest else ""]
    return "PT" + ("".join(parts) or "0S")
