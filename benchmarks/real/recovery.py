"""Measures a run that is killed while all its jobs are in flight, and is started again at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.storage.blob import ContainerClient

from batch_avatar.clock import SystemClock
from batch_avatar.emulator.options import Progression
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from benchmarks.figures import Row, Spread, Target
from benchmarks.real.world import await_that, open_world, plain_scripts

if TYPE_CHECKING:
    from datetime import datetime

    from benchmarks.real.world import World

COUNT = 100
CHARACTERS = 270  # 18 s of speech, rendered in about 34 s; all creates together take some 10 s on a busy machine
REPEATS = {False: 1, True: 3}
POLL_SECONDS = 2.0
PROGRESSION = Progression.after_seconds(noise_cv=0.2)


def recovery_rows(*, full: bool) -> list[Row]:
    """Measure the seconds from when all jobs were in flight to the last receipt, with and without a kill."""
    killed = [run(kill=True) for _ in range(REPEATS[full])]
    undisturbed = [run(kill=False) for _ in range(REPEATS[full])]
    figure = "seconds from SIGKILL to the last video"
    return [
        Row(
            figure,
            "same command at once",
            Spread.of(seconds for seconds, _ in killed),
            remark=f"{COUNT} jobs in flight, each of about 34 s; the start of a new process included",
        ),
        Row(figure, "undisturbed", Spread.of(seconds for seconds, _ in undisturbed), remark="from the same moment"),
        Row(
            "billed seconds / unique seconds, SIGKILL",
            "same command at once",
            Spread.of(ratio for _, ratio in killed),
            Target("=", 1.0),
        ),
    ]


def run(*, kill: bool) -> tuple[float, float]:
    """Return these seconds, and the billed seconds over those that had to be billed."""
    with open_world(progression=PROGRESSION, seed=1) as world:
        world.write_manifest(plain_scripts(COUNT, characters=CHARACTERS))
        options = {"BATCH_AVATAR_POLL_INTERVAL_SECONDS": POLL_SECONDS}
        running = world.start("--engine", "local", **options)
        await_that(lambda: world.emulator.stats()["creates"]["accepted"] == COUNT, "every create")
        moment = SystemClock().now()
        if kill:
            running.kill()
            running = world.start("--engine", "local", **options)
        running.end()
        stats = world.emulator.stats()
        ratio = sum(stats["billed_milliseconds_by_content"].values()) / sum(
            stats["unique_milliseconds_by_content"].values()
        )
        return (last_receipt(world) - moment).total_seconds(), ratio


def last_receipt(world: World) -> datetime:
    """Return when the last receipt was written, by the storage's clock and in whole seconds."""
    connection_string = world.storage.connection_string(USER_ACCOUNT)
    with ContainerClient.from_connection_string(connection_string, world.container_name) as container:
        written: list[datetime] = [
            blob.last_modified for blob in container.list_blobs() if blob.name.endswith("/receipt.json")
        ]
    return max(written)
