"""Several processes render the same scripts at the same time."""

from __future__ import annotations

import pytest

from batch_avatar.stack import start_stack
from tests.chaos.arena import GA, PREVIEW

SCRIPTS = 100
HOSTILE = {GA: {"repeat_put": "replace"}, PREVIEW: {}}
"""Nothing at the service stops a second create."""
CROWD_SECONDS = 170.0
PATIENT = {"BATCH_AVATAR_CLAIM_SECONDS": "60", "BATCH_AVATAR_REQUEST_TIMEOUT_SECONDS": "15"}  # two cores, all at once


def render_at_once(arena, row, generation, engine, processes, **environment):
    """All of them end well; the remark tells how many each archived."""
    options = HOSTILE[generation]
    a = arena(api_version=generation, environment=PATIENT | environment, **options)
    scripts = a.write_manifest(SCRIPTS)
    started = [a.start("--engine", engine) for _ in range(processes)]
    ended = [a.end(process, timeout=CROWD_SECONDS) for process in started]
    assert [one.returncode for one in ended] == [0] * processes, "\n".join(one.stderr[-3000:] for one in ended)
    remark = "archived by each: " + ", ".join(str(one.report["archived"]) for one in ended)
    kind, reading = f"{processes} processes, {engine}", options.get("repeat_put", "any")
    a.judge(scripts, note=row(point="-", kind=kind, generation=generation, reading=reading, remark=remark))


@pytest.mark.parametrize(("processes", "generation"), [(2, GA), (4, GA), (4, PREVIEW)])
def test_processes_that_render_the_same_scripts_at_once_pay_for_each_once(arena, row, processes, generation):
    render_at_once(arena, row, generation, "local", processes)


@pytest.mark.prefect
@pytest.mark.xdist_group("prefect")
@pytest.mark.timeout(500)
def test_flow_runs_that_render_the_same_scripts_at_once_pay_for_each_once(arena, row, tmp_path):
    stack = start_stack(tmp_path / "stack", time_scale=1)  # for its Prefect server alone
    try:
        for processes in (2, 4):
            render_at_once(arena, row, GA, "prefect", processes, PREFECT_API_URL=f"{stack.prefect_url}/api")
    finally:
        stack.stop()
