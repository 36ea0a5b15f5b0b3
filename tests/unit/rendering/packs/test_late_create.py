"""A create of a pack that the service answers with errors, and that takes effect long after the last of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from batch_avatar.errors import CreateUnclear
from batch_avatar.planning.stubborn import MAX_SENDS, OTHERS
from batch_avatar.rendering.pack_draft import PackDraft
from batch_avatar.rendering.packs.submission import PackSubmission
from tests.support.scripts import script

SCRIPTS = tuple(map(script, ("s1", "s2")))
LATE_SECONDS = 60.0  # after the first create; sooner than claims are old


class SlowGateway:
    """The service behind a gateway that answers every create with 504, while others are accepted.

    With `late` the service takes one of the creates all the same, after `LATE_SECONDS`.
    """

    def __init__(self, run, *, late):
        self._run, self._late = run, late
        self._resource = run.connections.resource_of("")
        self._client = self._resource.client
        self._sent = None

    def __getattr__(self, name):
        return getattr(self._client, name)

    def create(self, *args, **kwargs):
        self._sent = self._sent or (self._run.connections.clock.monotonic(), args, kwargs)
        for number in range(OTHERS):
            self._run.stubborn[self._resource.host].accepted(f"other-{number}")
        raise CreateUnclear("The gateway timed out.", http_status=504)

    def get(self, service_id):
        at, args, kwargs = self._sent
        if self._late and self._run.connections.clock.monotonic() - at >= LATE_SECONDS:
            self._late = False
            self._client.create(*args, **kwargs | {"check": None})
        return self._client.get(service_id)


@pytest.fixture
def submitted(bench):
    """`await submitted(late=...)`: the bench, the run's claims and what the submission gave."""

    async def submit(*, late):
        b = bench()
        b.overrides["staging_container"] = f"{b.container}-staging"
        async with b.open() as run:
            c = run.connections
            resource = replace(c.resource_of(""), client=SlowGateway(run, late=late))
            draft = PackDraft({one.script_id: one for one in SCRIPTS}, written_at=c.clock.now())
            refs = await PackSubmission(run, resource, draft).submit()
            claims = [c.archive.read_claim(one.script_id, run.content_id_of(one)).claim for one in SCRIPTS]
        return b, refs, claims

    return submit


async def test_a_pack_that_takes_effect_before_its_claims_are_old_is_adopted_and_not_split(submitted):
    b, refs, claims = await submitted(late=True)

    assert [ref.input for ref in refs] == [1, 2]
    assert b.accepted() == [refs[0].job_id]
    assert not any(claim.last.over for claim in claims)


async def test_a_pack_that_has_not_taken_effect_when_its_claims_are_old_is_split_and_the_wait_is_told(
    submitted, caplog
):
    b, refs, claims = await submitted(late=False)

    assert (refs, b.accepted()) == ((), [])
    assert all(claim.last.over for claim in claims)
    assert sum(b.clock.slept) >= 240
    assert f"is split in {max(b.clock.slept):.0f} s, once its claims are old" in caplog.text
    assert MAX_SENDS == 3
