"""Send one create, of a script alone or of a pack: what comes right before the request, and what its answer means."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.errors import AccessRefused, BudgetSpent, CreateUnclear, RequestRefused, Stopped, Throttled
from batch_avatar.planning.budget import left_out
from batch_avatar.rendering.claims import young_enough

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.planning.stubborn import PutOff
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource


async def send_create(
    run: Run,
    resource: Resource,
    create: Callable[..., SynthesisJob],
    *,
    job_id: str,
    scripts: Sequence[Script],
    written_at: datetime,
    put_off: PutOff,
) -> SynthesisJob:
    """Send the create once, if the budget reaches it and the claims are young. Note what its answer teaches.

    `create` takes `check`, which it calls as the last thing before the request. `written_at`: when the oldest of the
    claims was written. What was reserved for the job stays so while it is to be sent again, or may exist.

    Raises:
        BudgetSpent: this run may not spend so much.
        CreateGivenUp: the service has put it off too often.
        ClaimTooOld, NoMoreSent, Stopped: as `young_enough`.
        ServiceError: as the client's `create`.
    """
    reserve(run, job_id, scripts)
    stubborn, check = run.stubborn[resource.host], partial(young_enough, run, resource, written_at)
    try:
        async with resource.creating:
            job = await run.connections.control(partial(create, check=check))
    except CreateUnclear as error:
        resource.admission.unclear(job_id)
        stubborn.unclear(job_id, error)
        raise
    except Throttled as error:
        resource.heed(error)
        verdict = put_off.verdict(error, stubborn.taken, run.connections.clock.monotonic())
        if verdict is not None:
            run.spending.release(job_id)
        raise verdict or error from None
    except (AccessRefused, RequestRefused, Stopped):
        run.spending.release(job_id)
        raise
    resource.admission.accepted()
    stubborn.accepted(job_id)
    resource.watcher.mine(job.service_id)
    return job


def reserve(run: Run, job_id: str, scripts: Sequence[Script]) -> None:
    """Reserve what the job is predicted to take.

    Raises:
        BudgetSpent: it does not fit.
    """
    usages = {script.script_id: run.usage_of(script) for script in scripts}
    if limit := run.spending.reserve(job_id, usages):
        raise budget_spent(run, limit)


def budget_spent(run: Run, limit: str) -> BudgetSpent:
    """Return the error of a script that the budget does not reach; `limit`: which one, as `--max-<limit>` sets it."""
    return BudgetSpent(left_out(limit, run.spending), code="Budget")
