"""Questions that need further creates: repeats, creates that should be refused, and too many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.doctor.live import bodies
from batch_avatar.doctor.live.answers import found, unanswered
from batch_avatar.doctor.live.judging import (
    by_status,
    has_ended,
    judge_limited,
    judge_mismatch,
    judge_order,
    judge_oversize,
    judge_rate,
    judge_refusal,
    judge_replay,
    judge_ttl,
    repeat_reading,
)
from batch_avatar.doctor.live.probes import TOO_LATE, is_late, new_id, wait_for_end
from batch_avatar.doctor.live.results import judge_billing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from batch_avatar.doctor.live.answers import Answer
    from batch_avatar.doctor.live.conversation import Conversation, Seen
    from batch_avatar.doctor.live.probes import Clip

MOST_AT_ONCE = 10
"""A quota of more creates a minute is not tried out."""
LIMITED = 429


async def ask_unfinished(c: Conversation, clip: Clip) -> AsyncIterator[Answer]:
    """Ask with a job of a second: repeat it and delete it while it has not ended. Then look at the list."""
    job_id, body = new_id(), bodies.short(clip.hours)
    await c.pace.wait(2)
    first = await c.create("PUT of a short job", job_id, body, seconds=bodies.SHORT_SECONDS)
    if not first.accepted:
        why = "the short job was refused"
        yield unanswered("repeat_unfinished", why, first.evidence())
        yield unanswered("delete_unfinished", why, first.evidence())
        return
    again = await c.create("PUT of the short job again", job_id, body, seconds=bodies.SHORT_SECONDS)
    if repeat_reading(again, first.body) == "existing":
        c.spending.give_back(bodies.SHORT_SECONDS)
    after = await c.get("GET of the short job", job_id)
    reading = repeat_reading(again, first.body)
    if has_ended(after.body) or has_ended(again.body) or (reading == "replace" and is_late(again, first)):
        yield unanswered("repeat_unfinished", TOO_LATE, again.evidence())
    else:
        yield found("repeat_unfinished", reading, again.evidence())
    deleted = await c.delete("DELETE of the unfinished job", job_id)
    left = await c.get("GET of the job after that", job_id)
    if deleted.accepted and (has_ended(after.body) or has_ended(left.body) or is_late(deleted, after)):
        yield unanswered("delete_unfinished", TOO_LATE, deleted.evidence())
    else:
        answer = by_status("delete_unfinished", deleted, {400: "refused", 409: "refused", 204: "accepted"})
        yield found(answer.question, answer.reading or "", deleted.evidence(f"a GET then gets {left.status}"))
    if not await _is_gone(c, job_id):
        last = await wait_for_end(c, job_id, "the short job")
        _, billed = judge_billing(last)
        c.spending.correct(bodies.SHORT_SECONDS, billed)
        clip.short_seconds = max(bodies.SHORT_SECONDS, billed)
    jobs, seen = await c.jobs("list of the jobs")
    yield judge_order(jobs, seen)


async def _is_gone(c: Conversation, job_id: str) -> bool:
    return (await c.get("GET of the short job", job_id)).status in (404, 204)


async def ask_repeats(c: Conversation, clip: Clip) -> AsyncIterator[Answer]:
    """Repeat the clip's create after its end, with its Operation-Id and without."""
    replay = await c.create(
        "PUT of the ended clip with its Operation-Id",
        clip.id,
        clip.sent,
        seconds=clip.seconds,
        operation_id=clip.operation_id,
    )
    reading = repeat_reading(replay, clip.job)
    if reading == "existing":
        c.spending.give_back(clip.seconds)
    if reading == "replace":  # the header made no difference, and without it a third clip might be billed
        repeat = found("repeat_ended", reading, replay.evidence("with its Operation-Id"))
        yield repeat
    else:
        again = await c.create("PUT of the ended clip", clip.id, clip.sent, seconds=clip.seconds)
        plain = repeat_reading(again, clip.job)
        if plain == "existing":
            c.spending.give_back(clip.seconds)
        repeat = found("repeat_ended", plain, again.evidence())
        yield repeat
    yield judge_replay(replay, clip.job, repeat)


async def ask_refusals(c: Conversation, clip: Clip) -> AsyncIterator[Answer]:
    """Send what should be refused; what is accepted is short, and deleted at once."""
    mismatch = await _send(c, clip, "PUT of vp9 in mp4", bodies.mismatched(clip.hours))
    yield judge_mismatch(mismatch)
    for question, hours in (("ttl_too_small", 0), ("ttl_too_large", 745)):
        seen = await _send(c, clip, f"PUT with a time to live of {hours} hours", bodies.short(hours))
        yield judge_ttl(question, seen, hours)


async def _send(c: Conversation, clip: Clip, doing: str, body: dict[str, object]) -> Seen:
    job_id = new_id()
    seen = await c.create(doing, job_id, body, seconds=clip.short_seconds)
    if seen.accepted:
        await c.delete("DELETE of that job", job_id)
    return seen


async def ask_rates(c: Conversation, creates_per_minute: float) -> AsyncIterator[Answer]:
    """Send creates without inputs: a large one, a small one, and then too many at once."""
    doing = "PUT without inputs"
    large = await c.create("PUT of 600 KB without inputs", new_id(), bodies.refused(bodies.OVER_LIMIT_BYTES), seconds=0)
    small = await c.create(doing, new_id(), bodies.refused(), seconds=0)
    yield judge_oversize(large, small)
    allowed = int(creates_per_minute)
    if not 1 <= creates_per_minute <= MOST_AT_ONCE:
        yield unanswered("refused_creates", f"the settings allow {creates_per_minute:g} creates a minute")
    else:
        c.tell("waiting for a minute without a create ...")
        await c.clock.sleep(61)
        burst: list[Seen] = []
        while len(burst) <= allowed and (not burst or burst[-1].status != LIMITED):
            burst.append(await c.create(doing, new_id(), bodies.refused(), seconds=0, tries=1))
        for answer in judge_rate(burst, allowed):
            yield answer
    limited = [seen for seen in c.seen if seen.creates and seen.status == LIMITED]
    yield judge_refusal(limited[-1] if limited else None)
    yield judge_limited(c.seen, creates_per_minute or 2)
