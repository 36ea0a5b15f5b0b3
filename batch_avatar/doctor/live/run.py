"""One live examination: it asks, cleans up whatever happens, and reports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from batch_avatar.doctor.live.answers import Answer, completed, unanswered
from batch_avatar.doctor.live.cleaning import clean, left_behind
from batch_avatar.doctor.live.connecting import connected
from batch_avatar.doctor.live.creates import ask_rates, ask_refusals, ask_repeats, ask_unfinished
from batch_avatar.doctor.live.probes import Clip, ask_without_jobs
from batch_avatar.doctor.live.spending import TooDear
from batch_avatar.errors import BatchAvatarError, ServiceUnavailable
from batch_avatar.service.answers import Answers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from batch_avatar.clock import Clock
    from batch_avatar.doctor.live.connecting import Connected
    from batch_avatar.doctor.live.conversation import Conversation
    from batch_avatar.resource_settings import ResourceSettings
    from batch_avatar.settings import Settings

CREATES = 13
"""Of a usual run: the clip, a short job, three repeats, three that should be refused, and five without inputs."""


NO_ANSWER = "the service did not answer"

STEPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "without_jobs": (
        "asking what needs no job",
        ("get_absent", "delete_absent", "version_missing", "version_unknown", "page_too_large"),
    ),
    "create": (
        "creating a clip of about two seconds",
        ("unknown_members", "smallest_ttl", "get_after_create", "operation_location", "list_lag", "created_time"),
    ),
    "end": (
        "waiting for its end",
        (
            "inputs_shown",
            "description_shown",
            "settings_shown",
            "subtitle_member",
            "link_lifetime",
            "links_minted",
            "content_md5",
            "size_in_bytes",
            "summary_texts",
            "summary_job_id",
            "billing_members",
        ),
    ),
    "unfinished": (
        "repeating and deleting an unfinished job",
        ("repeat_unfinished", "delete_unfinished", "list_order"),
    ),
    "repeats": ("repeating a job that has ended", ("repeat_ended", "operation_id_replay")),
    "refusals": ("sending what should be refused", ("codec_mismatch", "ttl_too_small", "ttl_too_large")),
    "rates": (
        "sending too much",
        ("body_too_large", "refused_creates", "rate_limit_answer", "limited_requests"),
    ),
}
"""What is asked in the order of the questions: what people are told, and which questions it answers."""


@dataclass(frozen=True)
class LiveReport:
    """What was asked and found. It names no resource, account or job of others."""

    version: str
    api_version: str
    date: str
    region: str
    minutes: float
    creates: int
    accepted: int
    others: int
    """Reads and deletes."""
    seconds_at_most: int
    """Billed, as far as can be: what each accepted create may have cost."""
    seconds_told: int
    """Of these, what jobs told."""
    complete: bool
    """Whether every step was gone through: the clip was made, and the service answered."""
    left: tuple[str, ...]
    """Our jobs that could not be deleted."""
    answers: tuple[Answer, ...]

    @property
    def answered(self) -> int:
        return sum(answer.reading is not None for answer in self.answers)


def expected_minutes(resource: ResourceSettings) -> float:
    """Return how long a run takes, in minutes: its creates at their pace, the clip's end, and a minute's rest."""
    pace = resource.creates_per_minute or 0
    return (CREATES - 3) / pace + 2 if pace else 2


async def run(
    settings: Settings,
    resource: ResourceSettings,
    *,
    tell: Callable[[str], None],
    clock: Clock | None = None,
) -> LiveReport:
    """Ask all questions of one resource.

    Raises:
        AccessRefused, ServiceUnavailable: the list of jobs cannot be read; nothing was created.
    """
    with connected(settings, resource, tell=tell, clock=clock) as opened:
        c = opened.conversation
        await _check_access(c, resource.host)
        earlier = await left_behind(c)
        if earlier:
            tell(f"deleting {len(earlier)} jobs that an earlier run has left ...")
            earlier = await clean(c, earlier, patient=False)
        began = c.clock.monotonic()
        answers: dict[str, Answer] = {}
        try:
            complete = await _ask(opened, answers, resource.creates_per_minute or 0)
        except asyncio.CancelledError:
            await _clean_after_stop(c)
            raise
        except BaseException:
            await clean(c, c.created, patient=False)
            raise
        tell(f"deleting {len(c.created)} jobs ...")
        try:
            left = await clean(c, c.created, patient=True)
        except asyncio.CancelledError:
            await _clean_after_stop(c)
            raise
        creates = [seen for seen in c.seen if seen.creates]
        return LiveReport(
            version=version("batch-avatar"),
            api_version=settings.api_version,
            date=f"{c.clock.now():%Y-%m-%d}",
            region=resource.region or settings.region or "not told",
            minutes=round((c.clock.monotonic() - began) / 60, 1),
            creates=len(creates),
            accepted=sum(seen.accepted for seen in creates),
            others=len(c.seen) - len(creates),
            seconds_at_most=c.spending.seconds,
            seconds_told=c.spending.told,
            complete=complete,
            left=tuple({**dict.fromkeys(earlier), **dict.fromkeys(left)}),
            answers=completed(answers),
        )


async def clean_up(
    settings: Settings, resource: ResourceSettings, *, tell: Callable[[str], None], clock: Clock | None = None
) -> tuple[int, list[str]]:
    """Delete what earlier runs have left. Return how many jobs there were, and those that are still there."""
    with connected(settings, resource, tell=tell, clock=clock) as opened:
        c = opened.conversation
        await _check_access(c, resource.host)
        jobs = await left_behind(c)
        return len(jobs), await clean(c, jobs, patient=True)


async def _check_access(c: Conversation, host: str) -> None:
    seen = await c.read("list of the jobs")
    Answers(host, c.clock).raise_for_status(seen.answer, None)


async def _ask(opened: Connected, answers: dict[str, Answer], creates_per_minute: float) -> bool:
    """Ask step by step, and note each answer at once. What ends a step is the reason why its rest has no answer.

    Return whether no step was ended so, unless because it might have cost too much.
    """
    c = opened.conversation
    ended_by: list[BatchAvatarError] = []
    clip = Clip(c, opened.session, loopback=opened.loopback)

    async def step(name: str, course: AsyncIterator[Answer]) -> bool:
        """Return whether all of it could be asked."""
        what, questions = STEPS[name]
        c.tell(f"{what} ...")
        try:
            async for answer in course:
                answers[answer.question] = answer
        except BatchAvatarError as error:
            why = NO_ANSWER if isinstance(error, ServiceUnavailable) else c.told(error.message)
            answers.update({one: unanswered(one, why) for one in questions if one not in answers})
            ended_by.append(error)
            return False
        return True

    def skip(*names: str) -> None:
        questions = [one for name in names for one in STEPS[name][1]]
        answers.update({one: unanswered(one, "it needs the clip, which there is not") for one in questions})

    await step("without_jobs", ask_without_jobs(c))
    if await step("create", clip.create()):
        ended = await step("end", clip.end())
        await step("unfinished", ask_unfinished(c, clip))
        await step("repeats", ask_repeats(c, clip)) if ended else skip("repeats")
        await step("refusals", ask_refusals(c, clip))
    else:
        skip("end", "unfinished", "repeats", "refusals")
    await step("rates", ask_rates(c, creates_per_minute))
    return all(isinstance(error, TooDear) for error in ended_by)


async def _clean_after_stop(c: Conversation) -> None:
    """Delete what can be deleted at once, and say what is left. What is left ends by its time to live."""
    left = await asyncio.shield(asyncio.ensure_future(clean(c, c.created, patient=False)))
    if left:
        c.tell(f"not deleted, as unfinished jobs may not be: {', '.join(left)}; `batch-avatar doctor --live --clean`")
