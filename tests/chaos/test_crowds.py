"""Several processes render the same scripts at the same time."""

from __future__ import annotations

import pytest

from batch_avatar.commands.stack import start_stack
from tests.chaos.arena import GA, PREVIEW

SCRIPTS = 100
HOSTILE = {GA: {"repeat_put": "replace"}, PREVIEW: {}}
"""Nothing at the service stops a second create."""
CROWD_SECONDS, PREFECT_CROWD_SECONDS = 500.0, 800.0


def render_at_once(arena, row, generation, engine, processes, *, seconds=CROWD_SECONDS, **environment):
    """All of them end well; the remark tells how many each archived."""
    options = HOSTILE[generation]
    a = arena(api_version=generation, environment=environment, **options)
    scripts = a.write_manifest(SCRIPTS)
    started = [a.start("--engine", engine) for _ in range(processes)]
    ended = [a.end(process, timeout=seconds) for process in started]
    assert [one.returncode for one in ended] == [0] * processes, "\n".join(one.stderr[-3000:] for one in ended)
    remark = "archived by each: " + ", ".join(str(one.report["archived"]) for one in ended)
    kind, reading = f"{processes} processes, {engine}", options.get("repeat_put", "any")
    a.judge(scripts, note=row(point="-", kind=kind, generation=generation, reading=reading, remark=remark))


@pytest.mark.timeout(CROWD_SECONDS + 100)
@pytest.mark.parametrize(("processes", "generation"), [(2, GA), (4, GA), (4, PREVIEW)])
def test_processes_that_render_the_same_scripts_at_once_pay_for_each_once(arena, row, processes, generation):
    render_at_once(arena, row, generation, "local", processes)


@pytest.mark.prefect
@pytest.mark.xdist_group("prefect")
@pytest.mark.timeout(2 * PREFECT_CROWD_SECONDS + 400)
def test_flow_runs_that_render_the_same_scripts_at_once_pay_for_each_once(arena, row, tmp_path):
    stack = start_stack(tmp_path / "stack", time_scale=1)  # for its Prefect server alone
    try:
        for processes in (2, 4):
            client = {name: stack.environment[name] for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING")}
            render_at_once(arena, row, GA, "prefect", processes, seconds=PREFECT_CROWD_SECONDS, **client)
    finally:
        stack.stop()
