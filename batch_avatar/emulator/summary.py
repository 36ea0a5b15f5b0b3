"""`summary.json`, in the words of the job's generation. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.emulator.jobs import Job

_BILLED_AS = {"neural": "Neural", "hdNeural": "Neural", "customNeural": "CustomNeural"}


class Spoken(NamedTuple):
    """What one input came to."""

    characters: int
    milliseconds: int


def make_summary(job: Job, spoken: Sequence[Spoken], failure: tuple[str, str] | None, resource_folder: str) -> bytes:
    """Write what the docs show for success; a failure entry is U, here with `error` beside the status.

    In 2024 `jobID` is the internal id and `videoFileName` disagrees with the blob's real path, as in the docs. A
    3.1-preview1 job has no other id than its own; there the bill stands in each entry, in strings (D).
    """
    config = job.request.avatar_config
    style = config.talking_avatar_style if job.preview is None else job.preview.properties.talking_avatar_style
    folder = job.internal_id if job.preview is not None else f"{resource_folder}/{job.internal_id}"
    status = "Failed" if failure else "Succeeded"
    results = []
    for index, (item, figures) in enumerate(zip(job.request.inputs, spoken, strict=True), start=1):
        entry: dict[str, object] = {"texts": [item.content], "status": status}
        if failure:
            entry["error"] = {"code": failure[0], "message": failure[1]}
        else:
            if job.preview is not None:
                entry["billingDetails"] = {
                    _BILLED_AS[job.request.voice_kind]: str(figures.characters),
                    "TalkingAvatarDuration": str(figures.milliseconds // 1000),
                }
            entry["videoFileName"] = f"{folder}/{index:04d}.{config.video_format}"
        entry["TalkingAvatarCharacter"] = config.talking_avatar_character
        entry["TalkingAvatarStyle"] = style or ""
        results.append(entry)
    return json.dumps({"jobID": job.internal_id, "status": status, "results": results}, indent=2).encode()
