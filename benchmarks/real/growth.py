"""What a script costs the process that renders it, for growing batches and longer scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figures import Row, Spread, Target
from benchmarks.real.world import open_world, plain_scripts

if TYPE_CHECKING:
    from benchmarks.real.world import Ended

USUAL_CHARACTERS = 1500  # 100 s of speech
LONG_CHARACTERS = 20_000
LONGEST_VIDEO_MINUTES = 60  # so that 20 KB can be spoken; the service's limit is 20, but it does not speak markup
STEPS = {False: (100, 1_000), True: (100, 1_000, 10_000)}
MOST_GROWTH = 1.2
MEGABYTE = 1e6
HOW = "the whole process of `batch-avatar render --engine local`, start included; emulator and storage over HTTP"


def measure(count: int, *, characters: int = USUAL_CHARACTERS) -> Ended:
    """Render one batch in a world of its own."""
    with open_world(max_video_minutes=LONGEST_VIDEO_MINUTES) as world:
        world.write_manifest(plain_scripts(count, characters=characters))
        return world.start("--engine", "local").end()


def growth_rows(*, full: bool) -> list[Row]:
    """Measure memory and CPU of the real command, in one run for each size: sizes are compared with each other."""
    ended = {count: measure(count) for count in STEPS[full]}
    rows: list[Row] = []
    for count, one in ended.items():
        rows += _rows(f"{count:,} scripts of {USUAL_CHARACTERS:,} characters", count, one)
    rows += _rows(f"100 scripts of {LONG_CHARACTERS:,} characters", 100, measure(100, characters=LONG_CHARACTERS))
    start = _start()
    rows.append(Row("peak memory, MB", "one script", Spread.of([start.peak_bytes / MEGABYTE]), remark=HOW))
    *_, (few, before), (many, after) = ended.items()
    rows += [
        Row(
            f"CPU per script, {many:,} over {few:,}",
            "ours",
            Spread.of([_cpu(after, start, many) / _cpu(before, start, few)]),
            Target("<=", MOST_GROWTH),
            "less the start of the process; " + HOW,
        ),
        Row(
            f"peak memory over that of one script, {many:,} over {few:,}",
            "ours",
            Spread.of([(after.peak_bytes - start.peak_bytes) / (before.peak_bytes - start.peak_bytes)]),
            Target("<=", MOST_GROWTH * many / few),
            f"as often as there are scripts would be {many / few:g}; {HOW}",
        ),
    ]
    return rows


def _start() -> Ended:
    """Measure a run of a single script, which stands for the start of the process."""
    return measure(1)


def _cpu(ended: Ended, start: Ended, count: int) -> float:
    return (ended.cpu_seconds - start.cpu_seconds) / count


def _rows(by: str, count: int, ended: Ended) -> list[Row]:
    return [
        Row("peak memory, MB", by, Spread.of([ended.peak_bytes / MEGABYTE]), remark=HOW),
        Row("CPU per script, ms", by, Spread.of([1000 * ended.cpu_seconds / count])),
        Row("seconds", by, Spread.of([ended.seconds])),
    ]
