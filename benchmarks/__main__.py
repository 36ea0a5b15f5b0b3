"""`python -m benchmarks`: measure, print the table, keep it as JSON, draw the charts."""

from __future__ import annotations

import math

import click

from benchmarks.baselines import BASELINES
from benchmarks.charts import Bar, Line, bar_chart, line_chart, write_chart
from benchmarks.figures import Row, Spread, store, table
from benchmarks.judge import Judgement, slot_use_over_time
from benchmarks.suite import run_baseline, run_baselines
from benchmarks.workload import SEEDS, draw_workload

COUNT = 1000
PACE_PER_MINUTE = 2  # the documented default of an S0 resource
CHART_POINTS = 120


@click.command()
@click.option("--count", default=COUNT, show_default=True, help="Scripts in a batch.")
def main(count: int) -> None:
    """Run the baselines over all seeds, in virtual time."""
    unpaced = run_baselines(count)
    paced = run_baselines(count, creates_per_minute=PACE_PER_MINUTE)
    rows = _rows(unpaced, "unpaced") + _rows(paced, f"{PACE_PER_MINUTE} creates/min")
    click.echo(table(rows))
    store("baselines", rows)
    if count == COUNT:
        _draw(unpaced)


def _rows(judged: dict[str, list[Judgement]], pace: str) -> list[Row]:
    figures = {
        "makespan / lower bound": "over_bound",
        "slot use": "slot_use",
        "status requests per job": "status_requests_per_job",
        "mean detection lag, s": "lag_mean_seconds",
        "429s": "refusals",
        "most in flight": "most_in_flight",
    }
    return [
        Row(f"{title}, {pace}", name, Spread.of(getattr(judgement, member) for judgement in judgements))
        for title, member in figures.items()
        for name, judgements in judged.items()
    ]


def _draw(unpaced: dict[str, list[Judgement]]) -> None:
    conditions = f"{COUNT:,} scripts, 200 slots, creates unpaced; median of {len(SEEDS)} seeds"
    makespans = {name: Spread.of(j.over_bound for j in judged).median for name, judged in unpaced.items()}
    write_chart(
        "makespan",
        bar_chart(
            "How long a batch takes, in multiples of the lower bound",
            [Bar(name, value) for name, value in makespans.items()],
            subtitle=conditions,
            axis="makespan / lower bound (logarithmic; 1 cannot be beaten)",
            log=True,
        ),
    )
    requests = {name: Spread.of(j.status_requests_per_job for j in judged).median for name, judged in unpaced.items()}
    write_chart(
        "requests",
        bar_chart(
            "How often a job is asked about until its end is known",
            [Bar(name, value) for name, value in requests.items()],
            subtitle=conditions,
            axis="status requests per job",
        ),
    )
    workload = draw_workload(COUNT, seed=SEEDS[0])
    runs = {name: run_baseline(BASELINES[name], workload) for name in ("first-come", "waves-200")}
    until = max(judgement.makespan_seconds for judgement, _ in runs.values())
    spans = [(index + 0.5) * until / CHART_POINTS for index in range(CHART_POINTS)]
    lines = []
    for name, (judgement, service) in runs.items():
        use = slot_use_over_time([service], until_seconds=until, points=CHART_POINTS)
        ends = math.ceil(CHART_POINTS * judgement.makespan_seconds / until)  # no line where there is no run
        points = [(at / 60, 100 * share) for at, share in zip(spans, use, strict=True)]
        lines.append(Line(name, points[:ends]))
    write_chart(
        "slot-use",
        line_chart(
            "How many of the slots are in use",
            lines,
            subtitle=f"{COUNT:,} scripts, 200 slots, creates unpaced; seed {SEEDS[0]}",
            x_axis="minutes since the start",
            y_axis="slots in use, %",
            most=100,
        ),
    )


if __name__ == "__main__":
    main()
