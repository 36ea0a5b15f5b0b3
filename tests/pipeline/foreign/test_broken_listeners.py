"""Who only listens cannot end a batch that is paid for."""

from __future__ import annotations

import asyncio

from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts

TOO_MANY = Status(status=429, code="TooManyRequests", message="Too many.", retry_after_seconds=0)


def test_a_batch_is_archived_whatever_its_listeners_do(quick, script):
    b = quick(faults=(FaultRule(operation="create", action=TOO_MANY, at_most=1),))
    told = []

    def breaks(*what):
        told.append(type(what[0]).__name__)
        raise ZeroDivisionError

    async def work():
        async with open_run(b.settings(), "r") as run:
            run.listeners.append(breaks)
            run.connections.job_listeners.append(breaks)
            for resource in run.connections.resources.values():
                resource.listeners.append(breaks)
            return await render_scripts([script("a"), script("b")], plain_chain())

    assert asyncio.run(work()).archived == 2
    assert set(told) == {"Event", "SynthesisJob", "Resource"}
    assert set(b.accepted().values()) == {1}
