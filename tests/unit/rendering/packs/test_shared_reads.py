"""The members of a pack share the reads of its job; a pack waits for no other pack."""

import asyncio
from collections import defaultdict
from types import SimpleNamespace

from batch_avatar.errors import ServiceUnavailable
from batch_avatar.models import JobRef, JobStatus
from batch_avatar.rendering.stages import _by_its_id


class Resource:
    """One that is down until `up` is set."""

    def __init__(self, *, down):
        self.asked = 0
        self.watcher, self.client = self, self
        self.up, self.was_asked = asyncio.Event(), asyncio.Event()
        if not down:
            self.up.set()

    async def answering(self):
        await self.up.wait()
        return True

    def get(self, service_id):
        self.asked += 1
        self.was_asked.set()
        if not self.up.is_set():
            raise ServiceUnavailable("503")
        return SimpleNamespace(service_id=service_id, ended=True, status=JobStatus.SUCCEEDED)


async def test_a_pack_at_a_resource_that_is_away_holds_up_no_other():
    resources = {"a": Resource(down=True), "b": Resource(down=False)}

    async def control(work, *arguments):
        return work(*arguments)

    connections = SimpleNamespace(control=control, resource_of=resources.__getitem__)
    run = SimpleNamespace(connections=connections, reading=defaultdict(asyncio.Lock), ended={}, absent_since={})

    async def read(host):
        ref = JobRef(
            script_id="s", content_id="0" * 16, attempt=1, job_id=host, service_id=host, resource=host, input=1
        )
        return (await _by_its_id(run, resources[host], ref)).service_id

    away = [asyncio.create_task(read("a")) for _ in range(3)]
    async with asyncio.timeout(60):
        await resources["a"].was_asked.wait()
        assert await read("b") == "b"
    assert not any(one.done() for one in away)
    resources["a"].up.set()
    assert await asyncio.gather(*away) == ["a", "a", "a"]
    assert resources["a"].asked == 2  # once while it was away, and once for all
