"""What a run writes into claims, and how old a claim may be when its create is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.archive.records import Claim
from batch_avatar.errors import ClaimedElsewhere, LostRace, NoMoreSent
from batch_avatar.identity import recorded_form, text_digests
from batch_avatar.scripts.prediction.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from batch_avatar.archive.records import Held
    from batch_avatar.models import JobRef, Script
    from batch_avatar.receipt import Attempt
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource

CLAIM_WRITES = 5  # writes of one claim that a run may lose in a row before it leaves the claim to the others


class ClaimTooOld(Exception):
    """Half of the claim's time has passed since it was written, so no create may be sent under it."""


def young_enough(run: Run, resource: Resource, written_at: datetime) -> None:
    """Check, as the last thing before a create is sent, that no other run may send it by now.

    Raises:
        ClaimTooOld: another run may soon take the claim over.
        Stopped: the run is ending.
        NoMoreSent: the run sends no more creates, or the resource is set aside.
    """
    c = run.connections
    c.stopping.check()
    if (reason := run.halted or resource.set_aside or resource.systemic()) is not None:
        raise NoMoreSent(f"it was not sent: {reason.message}")
    if not 0 <= (c.clock.now() - written_at).total_seconds() < c.settings.claim_seconds / 2:
        raise ClaimTooOld


def new_claim(run: Run, script: Script, resource: Resource, *attempts: Attempt) -> Claim:
    """Return a claim of this run for these attempts; the last one is about to be sent."""
    guess = Predictor().predict(script)
    return Claim(
        script_id=script.script_id,
        content_id=run.content_id_of(script),
        run=run.name,
        holder=run.holder,
        resource=resource.host,
        api_version=run.connections.settings.api_version,
        revision=run.revision_of(script),
        voice=guess.voice,
        predicted_seconds=round(guess.video_seconds, 3),
        expected=run.usage_of(script).written(),
        form=recorded_form(script),
        texts=text_digests(script),
        columns=script.columns or {},
        attempts=attempts,
    )


async def update_last(
    c: Connections,
    ref: JobRef,
    changes: Mapping[str, object],
    *,
    holder: str | None = None,
    held: Held | None = None,
) -> tuple[Attempt, ...]:
    """Change the last attempt in the claim, even if other runs write to it meanwhile. Return all attempts.

    `holder`: change it only if this holder still has the claim. `held`: the claim as it was last seen, which saves a
    read if nobody has written since.

    Raises:
        ClaimedElsewhere: another run has the claim or has gone on to another attempt, or others keep writing to it.
    """

    def change(claim: Claim) -> Claim:
        if claim.last.number != ref.attempt or holder not in (None, claim.holder):
            raise gone_on
        last = claim.last.model_copy(update=dict(changes))
        return claim.model_copy(update={"attempts": (*claim.attempts[:-1], last)})

    gone_on = ClaimedElsewhere(
        f"another run has gone on from attempt {ref.attempt}", script_id=ref.script_id, job_id=ref.job_id
    )
    for lost in range(CLAIM_WRITES):
        await c.clock.sleep(lost_write_pause(lost, c.settings.poll_interval_seconds))
        try:
            claim = await c.control(rewrite, c, ref, change, held=held)
        except LostRace:
            held = None
            continue
        if claim is None:
            raise gone_on
        return claim.attempts
    raise ClaimedElsewhere("other runs keep writing to the claim", script_id=ref.script_id, job_id=ref.job_id)


def lost_write_pause(lost: int, poll_interval_seconds: float) -> float:
    """Return how long to wait after so many lost writes in a row; another run is often done after its one. Pure."""
    return min(poll_interval_seconds, 5.0) * 2 ** (lost - 2) if lost > 1 else 0.0


def rewrite(c: Connections, ref: JobRef, change: Callable[[Claim], Claim], *, held: Held | None = None) -> Claim | None:
    """Change a claim, in one try. Return the new claim, or None if there is none.

    `held`: as in `update_last`. Blocking; call it in a thread.

    Raises:
        LostRace: another run has just written to the claim.
    """
    held = held or c.archive.read_claim(ref.script_id, ref.content_id)
    if held is None:
        return None
    claim = change(held.claim)
    if claim != held.claim and c.archive.replace_claim(held, claim) is None:
        raise LostRace("another run has just written to the claim", script_id=ref.script_id, job_id=ref.job_id)
    return claim
