"""What is judged of a job that has succeeded: its links, its files, its summary, its bill. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from batch_avatar.doctor.live.answers import Evidence, found, unanswered
from batch_avatar.doctor.live.bodies import TEXT
from batch_avatar.doctor.live.questions import OTHER
from batch_avatar.doctor.live.redacting import header_names, told
from batch_avatar.service.wire.members import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batch_avatar.doctor.live.answers import Answer
    from batch_avatar.doctor.live.conversation import Seen


@dataclass(frozen=True)
class File:
    """The answer of one of a job's links."""

    member: str
    size: int | None
    headers: Mapping[str, str]
    content: bytes = b""
    """Of the summary alone."""

    def evidence(self, note: str = "") -> Evidence:
        return Evidence(f"download outputs.{told(self.member)}", 200, headers=header_names(self.headers), note=note)


def links_of(job: Mapping[str, Any]) -> dict[str, str]:
    outputs = job.get("outputs")
    items = outputs.items() if isinstance(outputs, dict) else ()
    return {str(name): link for name, link in items if isinstance(link, str) and "://" in link}


def judge_subtitle(seen: Seen) -> Answer:
    others = sorted(links_of(seen.body).keys() - {"result", "summary"})
    reading = "subtitle" if "subtitle" in others else OTHER if others else "none"
    return found("subtitle_member", reading, seen.evidence(f"outputs: {', '.join(sorted(links_of(seen.body)))}"))


def judge_lifetime(seen: Seen) -> Answer:
    query = parse_qs(urlsplit(links_of(seen.body).get("result", "")).query)
    try:
        start, end = (datetime.fromisoformat(query[name][0]) for name in ("st", "se"))
        minutes = round((end - start).total_seconds() / 60)
    except (KeyError, ValueError, TypeError, OverflowError):
        return unanswered("link_lifetime", "the link has no st and se", seen.evidence())
    kind = "user delegation" if "skoid" in query else "service signature"
    names = ", ".join(sorted(name for name in query if name.isalpha()))
    text = f"{minutes // 60} h {minutes % 60} min"
    return found("link_lifetime", text, seen.evidence(f"{kind}; parameters {names}"))


def judge_minted(first: Seen, second: Seen) -> Answer:
    one, other = (links_of(seen.body).get("result") for seen in (first, second))
    if not one or not other:
        return unanswered("links_minted", "a GET showed no link", second.evidence())
    return found("links_minted", "once" if one == other else "per_read", second.evidence())


def judge_billing(seen: Seen) -> tuple[Answer, int]:
    """Return the answer, and the seconds that the job says are billed."""
    properties = seen.body.get("properties")
    billing = properties.get("billingDetails") if isinstance(properties, dict) else None
    if not isinstance(billing, dict) or not billing:
        return unanswered("billing_members", "the job has no billingDetails", seen.evidence()), 0
    seconds = billing.get("talkingAvatarDurationSeconds")
    shown = ", ".join(f"{told(str(name))} {value}" for name, value in sorted(billing.items()) if isinstance(value, int))
    members = ", ".join(sorted(told(str(name)) for name in billing))
    return found("billing_members", members, seen.evidence(shown)), seconds if isinstance(seconds, int) else 0


def judge_files(seen: Seen, files: Sequence[File]) -> list[Answer]:
    """Judge sizes and headers of what the links lead to."""
    by_member = {file.member: file for file in files}
    video = by_member.get("result")
    if video is None:
        why = "the video's link does not answer"
        return [unanswered("content_md5", why), unanswered("size_in_bytes", why)]
    md5 = any(name.lower() == "content-md5" for name in video.headers)
    return [found("content_md5", "present" if md5 else "absent", video.evidence()), _judge_size(seen, files, video)]


def _judge_size(seen: Seen, files: Sequence[File], video: File) -> Answer:
    properties = seen.body.get("properties")
    told_bytes = properties.get("sizeInBytes") if isinstance(properties, dict) else None
    sizes = [file.size for file in files]
    if told_bytes is None or None in sizes:
        return unanswered("size_in_bytes", "the job or a file tells no size", seen.evidence())
    every = sum(size or 0 for size in sizes)
    reading = "videos" if told_bytes == video.size else "all_outputs" if told_bytes == every else OTHER
    listed = ", ".join(f"{told(file.member)} {file.size}" for file in files)
    return found("size_in_bytes", reading, seen.evidence(f"sizeInBytes {told_bytes}; {listed}"))


def judge_summary(job: Mapping[str, Any], files: Sequence[File]) -> list[Answer]:
    """Judge the members of summary.json; what it repeats of the text is not told."""
    summary = next((file for file in files if file.member == "summary"), None)
    value = _parsed(summary.content) if summary else {}
    if summary is None or not value:
        why = "there is no summary, or it cannot be read"
        return [unanswered("summary_texts", why), unanswered("summary_job_id", why)]
    results = value.get("results")
    result = results[0] if isinstance(results, list) and results and isinstance(results[0], dict) else {}
    shape = summary.evidence(f"members {_names(value)}; of a result {_names(result)}")
    job_id = value.get("jobID")
    ids = {job.get("internalId"): "internal_id", job.get("id"): "id", None: "absent"}
    return [
        found("summary_texts", _texts_reading(result), shape),
        found("summary_job_id", ids.get(job_id, OTHER) if isinstance(job_id, str | None) else OTHER, shape),
    ]


def _texts_reading(result: Mapping[str, Any]) -> str:
    if "texts" not in result:
        return "contents" if "contents" in result else "absent"
    texts = result["texts"]
    if not isinstance(texts, list):
        return OTHER
    return "whole" if texts == [TEXT] else "sentences" if len(texts) > 1 else OTHER


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        value = parse_json(content.decode("utf-8-sig", "replace"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _names(value: Mapping[str, Any]) -> str:
    return ", ".join(told(str(name)) for name in value)
