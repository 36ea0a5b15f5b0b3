"""What is written into claims, and how long they let a create leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.archive.records import Claim
from batch_avatar.errors import ClaimedElsewhere, NoMoreSent
from batch_avatar.identity import recorded_form
from batch_avatar.scripts.prediction import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from batch_avatar.archive.ledger import Held
    from batch_avatar.models import JobRef, Script
    from batch_avatar.receipt import Attempt
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource

CLAIM_WRITES = 5  # lost races for one claim, in a row, before this run lets the others have it


class ClaimTooOld(Exception):
    """Half the claim's time has passed since it was written."""


def young_enough(run: Run, resource: Resource, written_at: datetime) -> None:
    """The last look before a create leaves: nobody else may send by then.

    Raises:
        ClaimTooOld: another run may soon take the claim over.
        Stopped: the run is ending.
        NoMoreSent: the run takes no more, or the resource is set aside.
    """
    c = run.connections
    c.stopping.check()
    if (reason := run.halted or resource.set_aside or resource.systemic()) is not None:
        raise NoMoreSent(f"it was not sent any more: {reason.message}")
    if not 0 <= (c.clock.now() - written_at).total_seconds() < c.settings.claim_seconds / 2:
        raise ClaimTooOld


def new_claim(run: Run, script: Script, resource: Resource, *attempts: Attempt) -> Claim:
    """A claim of this run for these attempts, the last of which is about to be sent."""
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
        form=recorded_form(script),
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
    """Change the last attempt in the claim, whoever else writes to it meanwhile; or only if `holder` still has it.

    `held`: the claim as it was last seen, which spares a read where nobody has written since.

    Gives all attempts as they now stand.

    Raises:
        ClaimedElsewhere: another run has gone on to another attempt, or does not let us write.
    """

    def change(claim: Claim) -> Claim:
        if claim.last.number != ref.attempt or holder not in (None, claim.holder):
            raise gone_on
        last = claim.last.model_copy(update=dict(changes))
        return claim.model_copy(update={"attempts": (*claim.attempts[:-1], last)})

    gone_on = ClaimedElsewhere(
        f"another run has gone on from attempt {ref.attempt}", script_id=ref.script_id, job_id=ref.job_id
    )
    claim = await c.control(rewrite, c, ref, change, held=held)
    if claim is None:
        raise gone_on
    return claim.attempts


def rewrite(c: Connections, ref: JobRef, change: Callable[[Claim], Claim], *, held: Held | None = None) -> Claim | None:
    """Change a claim, whoever else writes to it meanwhile: as it now stands, None where there is none.

    `held`: as in `update_last`. Blocks; for threads.

    Raises:
        ClaimedElsewhere: others do not let us write.
    """
    for _ in range(CLAIM_WRITES):
        held = held or c.archive.read_claim(ref.script_id, ref.content_id)
        if held is None:
            return None
        claim = change(held.claim)
        if claim == held.claim or c.archive.replace_claim(held, claim) is not None:
            return claim
        held = None
    raise ClaimedElsewhere("other runs keep writing to the claim", script_id=ref.script_id, job_id=ref.job_id)
