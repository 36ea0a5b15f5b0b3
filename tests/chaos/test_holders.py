"""A holder that is slow, but not too slow, keeps its claim: the other run waits for it instead of sending."""

from __future__ import annotations

import time

import pytest

from tests.chaos.arena import GA, PREVIEW
from tests.support.waiting import PATIENCE_SECONDS

LOOKS = 6  # more than the other run needs, plans included, to be sure that the job is absent
LOOK = {GA: "get", PREVIEW: "list"}


def await_looks(emulator, operation, other):
    """Return when runs have looked for jobs so often, and the other still waits."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while len(emulator.requests(operation)) < LOOKS:
        assert other.poll() is None, "the other run does not wait"
        assert time.monotonic() < give_up, "the other run does not look"
        time.sleep(0.05)


@pytest.mark.parametrize("generation", [GA, PREVIEW])
@pytest.mark.parametrize("point", ["after-claim", "before-create"])
def test_a_holder_that_is_slow_and_in_time_keeps_its_script(arena, row, point, generation):
    a = arena(api_version=generation, repeat_put="replace")
    scripts = a.write_manifest(1)
    with a.worker(point) as worker:
        other = a.start("--engine", "local")
        await_looks(a.emulator, LOOK[generation], other)
        assert a.emulator.stats()["creates"]["accepted"] == 0
        late = worker.release()
    assert late.returncode == a.end(other).returncode == 0
    reading = "replace" if generation == GA else "any"
    a.judge(scripts, note=row(point=point, kind="slow holder", generation=generation, reading=reading))
