"""When looks that found no job count together."""

from __future__ import annotations

from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.identity import derive_job_id, mark_description
from batch_avatar.receipt import Attempt
from batch_avatar.rendering.claims import new_claim, update_last
from batch_avatar.rendering.submission import Submission
from tests.support.scripts import script

SCRIPT = script("intro")
PREVIEW = "3.1-preview1"
LAG_SECONDS = 3600


class Meanwhile:
    """A clock on which something happens in the first pause."""

    def __init__(self, clock):
        self._clock = clock
        self.happens = None

    def __getattr__(self, name):
        return getattr(self._clock, name)

    async def sleep(self, seconds):
        await self._clock.sleep(seconds)
        if seconds and self.happens:
            happens, self.happens = self.happens, None
            await happens()


async def test_a_look_before_a_job_was_known_and_one_after_it_are_not_two_looks_at_that_job(bench):
    """The list lags behind the other run's create, and then one request for the job is answered with 404."""
    b = bench(list_lag_seconds=LAG_SECONDS, faults=(FaultRule(operation="get", action=Status(status=404), at_most=1),))
    b.clock = Meanwhile(b.clock)
    async with b.open(api_version=PREVIEW) as run:
        resource = run.connections.resource_of("")
        name = derive_job_id("intro", run.content_id_of(SCRIPT), 1)
        claim = new_claim(run, SCRIPT, resource, Attempt(number=1, job_id=name))
        assert run.connections.archive.create_claim(claim.model_copy(update={"holder": "another"}))
        mark = mark_description(None, run.connections.archive.archive_id)
        job = await run.connections.control(resource.client.create, SCRIPT, job_id=name, description=mark)

        async def is_noted():
            known = {"service_id": job.service_id, "accepted_at": job.created_at}
            await update_last(run.connections, claim.ref(), known)

        b.clock.happens = is_noted
        ref = await Submission(run, SCRIPT, resource).submit()

        assert (ref.service_id, b.accepted(), b.asked("get")) == (job.service_id, [name], 2)
