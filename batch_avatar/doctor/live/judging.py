"""What answers mean: from requests that were seen to the reading of a question. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from batch_avatar.doctor.live.answers import found, unanswered
from batch_avatar.doctor.live.bodies import DESCRIPTION, HOURS, UNKNOWN
from batch_avatar.doctor.live.questions import OTHER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batch_avatar.doctor.live.answers import Answer
    from batch_avatar.doctor.live.conversation import Seen

ENDED = ("succeeded", "failed")
OK, CREATED, NO_CONTENT = HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT
SAME_TIME_SECONDS = 10
TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS


def by_status(question: str, seen: Seen, readings: Mapping[int, str]) -> Answer:
    """Return the reading that the status stands for."""
    return found(question, readings.get(seen.status, OTHER), seen.evidence())


def status_name(job: Mapping[str, Any]) -> str:
    return str(job.get("status", "")).lower()


def has_ended(job: Mapping[str, Any]) -> bool:
    return status_name(job) in ENDED


def same_job(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two views are of one job: by internalId, or where there is none by the time of its creation."""
    name = "internalId" if one.get("internalId") and other.get("internalId") else "createdDateTime"
    return one.get(name) is not None and one.get(name) == other.get(name)


def repeat_reading(seen: Seen, before: Mapping[str, Any]) -> str:
    """Return what a PUT of an existing id got; `before` is the job that was there."""
    if seen.accepted:
        return "existing" if same_job(seen.body, before) else "replace"
    return {HTTPStatus.CONFLICT: "conflict", HTTPStatus.BAD_REQUEST: "bad_request"}.get(seen.status, OTHER)  # type: ignore[call-overload,no-any-return]


def judge_replay(seen: Seen, before: Mapping[str, Any], repeat: Answer | None) -> Answer:
    """Judge a repeat with the same Operation-Id by what a repeat without one got."""
    question, reading = "operation_id_replay", repeat_reading(seen, before)
    if repeat is None or repeat.reading is None:
        return unanswered(question, "no repeat without the header is there to compare", seen.evidence())
    if reading == repeat.reading:
        if reading == "existing":
            return unanswered(question, "a repeat without the header gets the first job as well", seen.evidence())
        return found(question, "as_new", seen.evidence())
    return found(question, "first_result" if reading == "existing" else OTHER, seen.evidence())


def judge_unknown(refused: Seen | None, taken: Seen) -> Answer:
    """Judge the create with a member that nobody knows: `refused`, if the same one without it was then taken."""
    if refused is not None:
        return found("unknown_members", "refused", refused.evidence())
    return found("unknown_members", "shown" if UNKNOWN in taken.body else "ignored", taken.evidence())


def judge_ttl(question: str, seen: Seen, asked: int) -> Answer:
    if not seen.accepted:
        return found(question, "refused" if seen.status == HTTPStatus.BAD_REQUEST else OTHER, seen.evidence())
    properties = seen.body.get("properties")
    shown = properties.get("timeToLiveInHours") if isinstance(properties, dict) else None
    if shown is None:
        return found(question, OTHER, seen.evidence("taken, and no time to live is shown"))
    return found(question, "taken" if shown == asked else "raised", seen.evidence(f"asked {asked}, shown {shown}"))


def judge_mismatch(seen: Seen) -> Answer:
    if not seen.accepted:
        return by_status("codec_mismatch", seen, {400: "refused"})
    config = seen.body.get("avatarConfig")
    shown = [str(config.get(name)) for name in ("videoFormat", "videoCodec")] if isinstance(config, dict) else []
    return found("codec_mismatch", "accepted", seen.evidence(f"shown: {' '.join(shown)}"))


def judge_oversize(seen: Seen, small: Seen) -> Answer:
    """Judge a body that is too large, beside a small one with the same other fault."""
    same = (seen.status, *seen.refusal) == (small.status, *small.refusal)
    if same:
        note = "refused for its missing inputs, as a small one is; its size may not have been looked at"
        return found("body_too_large", OTHER, seen.evidence(note))
    return by_status("body_too_large", seen, {400: "400", 413: "413"})


def judge_created_time(seen: Seen, created: Any) -> Answer:
    if seen.date is None or created is None:
        return unanswered("created_time", "the answer has no Date header, or the job no time", seen.evidence())
    seconds = (created - seen.date).total_seconds()
    right = abs(seconds) <= SAME_TIME_SECONDS
    return found("created_time", "right" if right else "off", seen.evidence(f"it differs by {seconds:.0f} s"))


def judge_shown(sent: Mapping[str, Any], seen: Seen) -> list[Answer]:
    """Judge what a job shows of its create."""
    job = seen.body
    description = "shown" if job.get("description") == DESCRIPTION else OTHER if "description" in job else "hidden"
    changes, kinds = [], {"as_sent"}
    for part in ("avatarConfig", "synthesisConfig"):
        shown = job.get(part)
        for name, value in sent[part].items():
            kind = _compared(value, shown.get(name) if isinstance(shown, dict) else None)
            kinds.add(kind)
            changes += [f"{part}.{name} {kind}"] if kind != "as_sent" else []
    worst = next(kind for kind in ("hidden", "changed", "other_case", "as_sent") if kind in kinds)
    return [
        found("inputs_shown", "shown" if "inputs" in job else "hidden", seen.evidence()),
        found("description_shown", description, seen.evidence()),
        found("settings_shown", worst, seen.evidence(", ".join(changes))),
    ]


def _compared(sent: Any, shown: Any) -> str:
    if shown is None:
        return "hidden"
    return "as_sent" if shown == sent else "other_case" if str(shown).lower() == str(sent).lower() else "changed"


def judge_smallest_ttl(tried: Sequence[tuple[int, Seen]]) -> Answer:
    """Judge the creates of the clip, each with its hours; the last one was taken."""
    short = [seen for hours, seen in tried if hours == HOURS]
    return judge_ttl("smallest_ttl", short[-1], HOURS)


def judge_order(jobs: Sequence[Mapping[str, Any]], seen: Seen) -> Answer:
    """Judge the list by the times that its jobs tell."""
    times = [str(job.get("createdDateTime", "")) for job in jobs]
    if len(set(times)) <= 1:
        return unanswered("list_order", "the list has one job only, or no times that differ", seen.evidence())
    newest, oldest = sorted(times, reverse=True), sorted(times)
    reading = "newest_first" if times == newest else "oldest_first" if times == oldest else OTHER
    return found("list_order", reading, seen.evidence(f"{len(times)} jobs"))


def judge_rate(burst: Sequence[Seen], allowed: int) -> list[Answer]:
    """Judge creates that were all to be refused, more of them at once than are allowed in that time."""
    limited = next((seen for seen in burst if seen.status == TOO_MANY), None)
    if limited is None:
        last = burst[-1].evidence(f"{len(burst)} creates at once, {allowed} are allowed")
        return [found("refused_creates", "not_counted", last)]
    count = burst.index(limited)
    if count < allowed:
        why = f"the limit came after {count} creates, fewer than the settings allow; others may create jobs as well"
        return [unanswered("refused_creates", why, limited.evidence())]
    return [found("refused_creates", "counted", limited.evidence(f"after {count} that were refused"))]


def judge_refusal(limited: Seen | None) -> Answer:
    if limited is None:
        return unanswered("rate_limit_answer", "no create was refused for its rate")
    names = {name.lower() for name in limited.answer.headers}
    rates = any(name.startswith("x-ratelimit") for name in names)
    reading = "retry_after" if "retry-after" in names else "rate_headers" if rates else "bare"
    wait = "" if limited.retry_after is None else f"Retry-After {limited.retry_after:.0f} s"
    return found("rate_limit_answer", reading, limited.evidence(wait))


def judge_limited(all_seen: Sequence[Seen], creates_per_minute: float) -> Answer:
    """Judge which requests the limit counts, by how many reads a minute were answered."""
    reads = [seen for seen in all_seen if not seen.creates]
    if limited := [seen for seen in reads if seen.status == TOO_MANY]:
        return found(
            "limited_requests", "all", limited[0].evidence(f"{len(limited)} of {len(reads)} reads and deletes")
        )
    most = _most_in_a_minute([seen.at for seen in reads])
    if most <= creates_per_minute:
        return unanswered("limited_requests", f"only {most} reads and deletes came within a minute")
    return found("limited_requests", "creates", reads[-1].evidence(f"{most} reads and deletes within a minute"))


def _most_in_a_minute(times: Sequence[float]) -> int:
    """Return how many of these times, in order, lie within one minute at most."""
    most = first = 0
    for last, moment in enumerate(times):
        while times[first] <= moment - 60:
            first += 1
        most = max(most, last - first + 1)
    return most
