"""A process dies, or falls behind another, at each point of a script's way: nothing is paid twice, nothing is lost."""

from __future__ import annotations

from typing import NamedTuple

from batch_avatar.emulator.faults import FaultRule, Status
from tests.chaos.arena import AGEING, GA, PREVIEW
from tests.chaos.worker import AGES, POINTS

READINGS = ("conflict", "existing", "replace", "bad_request")
AROUND_CREATE = POINTS[: POINTS.index("during-wait")]
RESULT_BYTES = 1_000_000  # several pieces on their way through
FAILS_ONCE = FaultRule(operation="create", at_most=1, action=Status(status=500))


class Cell(NamedTuple):
    """Of the matrix; `reading` is the service's answer to a repeated create, where the client chooses the id."""

    point: str
    generation: str
    reading: str


def pytest_generate_tests(metafunc):
    """Every point in every generation, with every reading where a create may be repeated; with `--full` anywhere."""
    if "cell" not in metafunc.fixturenames:
        return
    full = metafunc.config.getoption("full", default=False)
    cells = [Cell(point, PREVIEW, "any") for point in POINTS]
    for point in POINTS:
        readings = READINGS if full or point in AROUND_CREATE else READINGS[:1]
        cells += [Cell(point, GA, reading) for reading in readings]
    metafunc.parametrize("cell", cells, ids="-".join)


def scene(arena, cell, environment):
    """The arena of one cell of the matrix."""
    options = {"repeat_put": cell.reading} if cell.generation == GA else {}
    faults = (FAILS_ONCE,) if cell.point == "after-get-404" else ()
    about = {"minimal_size_bytes": RESULT_BYTES, "faults": faults, "environment": environment}
    return arena(api_version=cell.generation, **about, **options)


def test_what_a_killed_process_left_is_finished_by_the_next(arena, row, cell):
    a = scene(arena, cell, AGEING)  # at any point: the other scripts may be just before their create
    scripts = a.write_manifest(3)
    with a.worker(cell.point) as worker:
        worker.kill()
    first = a.render()
    second = first if first.returncode == 0 else a.render()
    assert second.returncode == 0, first.stderr + second.stderr
    remark = "" if second is first else "2 runs"
    if a.show_all_jobs():  # archived, not deleted yet, and still missing in the list: the next run's task
        assert a.render().returncode == 0
        remark = "a later run deletes the job"
    a.judge(scripts, note=row(**cell._asdict(), kind="kill", remark=remark))


def test_a_process_that_fell_behind_another_does_no_harm(arena, row, cell):
    a = scene(arena, cell, AGEING if cell.point in AGES else {})
    scripts = a.write_manifest(3)
    with a.worker(cell.point) as worker:
        other = a.render()
        late = worker.release()
    assert late.returncode == 0, late.stderr
    assert late.report["failed"] == 0, late.report
    remark = ""
    if other.returncode or late.report["unfinished"]:
        settled = a.render()
        assert settled.returncode == 0, settled.stderr
        remark = f"the other: {other.unfinished}, the late: {late.unfinished}"
    a.judge(scripts, note=row(**cell._asdict(), kind="race", remark=remark))


def test_what_two_runs_report_as_billed_is_what_was_billed(arena):
    a = arena()
    scripts = a.write_manifest(1)
    with a.worker("before-receipt") as worker:
        other = a.render()
        late = worker.release()
    figures = a.judge(scripts)
    assert other.report["billed_seconds"] + late.report["billed_seconds"] == figures.billed_seconds
