"""`summary.json`, in the members of the job's generation. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.emulator.jobs.job import Failure, Job, RenderedInput

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_BILLED_AS = {"neural": "Neural", "hdNeural": "Neural", "customNeural": "CustomNeural"}


def make_summary(
    job: Job,
    inputs: Sequence[RenderedInput],
    failure: Failure | None,
    resource_folder: str,
    texts: Literal["whole", "sentences", "absent"] = "whole",
) -> bytes:
    """Return the summary. `texts` is the option `summary_texts`.

    Success is written as the docs show it; a failed input gets `error` beside its status (U). An input that was
    rendered well in a job that keeps no videos has neither `error` nor `videoFileName` (U). In 2024 `jobID` is the
    internal id, and `videoFileName` disagrees with the blob's real path, as in the docs. A 3.1-preview1 job has only
    one id; its summary has the bill in each entry, as strings (D).
    """
    config = job.request.avatar_config
    style = config.talking_avatar_style if job.preview is None else job.preview.properties.talking_avatar_style
    folder = job.internal_id if job.preview is not None else f"{resource_folder}/{job.internal_id}"
    status = "Failed" if failure else "Succeeded"
    results = []
    for index, (item, one) in enumerate(zip(job.request.inputs, inputs, strict=True), start=1):
        entry: dict[str, object] = {"status": "Failed" if one.failure else "Succeeded"}
        if texts != "absent":
            entry = {"texts": _SENTENCE_END.split(item.content) if texts == "sentences" else [item.content]} | entry
        if one.failure:
            entry["error"] = {"code": one.failure[0], "message": one.failure[1]}
        elif job.preview is not None:
            entry["billingDetails"] = {
                _BILLED_AS[job.request.voice_kind]: str(one.characters),
                "TalkingAvatarDuration": str(one.milliseconds // 1000),
            }
        if one.video is not None:
            entry["videoFileName"] = f"{folder}/{index:04d}.{config.video_format}"
        entry["TalkingAvatarCharacter"] = config.talking_avatar_character
        entry["TalkingAvatarStyle"] = style or ""
        results.append(entry)
    return json.dumps({"jobID": job.internal_id, "status": status, "results": results}, indent=2).encode()
