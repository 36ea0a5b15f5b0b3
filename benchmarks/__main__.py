"""`python -m benchmarks`: measure, print the table, store it as JSON, draw the charts, and update the page."""

from __future__ import annotations

import logging

import click

from benchmarks.bench import Bench
from benchmarks.figures import Row, machine_facts, store, stored_rows, table
from benchmarks.page import write_table
from benchmarks.pictures import draw_charts
from benchmarks.real import REAL_ROWS
from benchmarks.suite import SIMULATED


@click.command()
@click.option(
    "--full", is_flag=True, help="Also measure 10,000 scripts, 8 resources and everything else that takes long."
)
@click.option("--only", type=click.Choice(["simulated", "real"]), help="Measure only one half.")
def main(full: bool, only: str | None) -> None:
    """Measure what docs/benchmarks shows. A row uses all seeds unless it says otherwise."""
    rows: list[Row] = []
    if only != "real":
        logging.disable(logging.CRITICAL)  # refusals are counted and need no log line each
        with Bench.on_all_cores() as bench:
            for measure in SIMULATED:
                click.echo(f"{measure.__name__} ...", err=True)
                rows += measure(bench, full)
            store("simulated", rows)
            draw_charts(bench, full=full)
        logging.disable(logging.NOTSET)
    if only != "simulated":
        found: list[Row] = []
        for measure_really in REAL_ROWS:
            click.echo(f"{measure_really.__name__} ...", err=True)
            found += measure_really(full=full)
        store("real", found)
        rows += found
    click.echo(table(rows))
    write_table([*stored_rows("simulated"), *stored_rows("real")], machine_facts())
    if missed := [row for row in rows if row.verdict == "MISSED"]:
        click.echo(f"{len(missed)} of {sum(row.target is not None for row in rows)} targets are missed")


if __name__ == "__main__":
    main()
