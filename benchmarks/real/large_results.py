"""Memory and speed of moving large results. Each byte passes through the worker once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.storage.blob import ContainerClient

from batch_avatar.emulator.options import Progression
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from benchmarks.figures import Row, Spread, Target
from benchmarks.real.world import open_world, plain_scripts

if TYPE_CHECKING:
    from benchmarks.real.world import Ended, World

RESULT_BYTES = 300_000_000
RESULTS = {False: 8, True: 20}
"""Number of results. Only those that are moved at once (`connections.TRANSFER_THREADS`) decide the peak of memory."""
TARGET_BYTES = 150_000_000
MEGABYTE, GIGABYTE = 1e6, 1e9
CHARACTERS = 300  # 20 s of speech; the size of the video is set in the emulator


def large_rows(*, full: bool) -> list[Row]:
    """Measure one run, in which all jobs have copies of one source blob."""
    count = RESULTS[full]
    with open_world(
        on_disk=True,
        media="shared",
        minimal_size_bytes=RESULT_BYTES,
        progression=Progression.after_seconds(start_delay=0.1, overhead=0.4, per_video_second=0.0),
    ) as world:
        world.write_manifest(plain_scripts(count, characters=CHARACTERS))
        ended = world.start_inside().end()
        archived = archived_bytes(world)
    by = f"{count} results of {RESULT_BYTES / MEGABYTE:,.0f} MB"
    return _rows(by, ended, archived)


def archived_bytes(world: World) -> int:
    """Return the size of all videos in the archive."""
    connection_string = world.storage.connection_string(USER_ACCOUNT)
    with ContainerClient.from_connection_string(connection_string, world.container_name) as container:
        return sum(blob.size for blob in container.list_blobs() if blob.name.endswith(".mp4"))


def _rows(by: str, ended: Ended, archived: int) -> list[Row]:
    over_idle = ended.peak_bytes - ended.said["idle_bytes"]
    remark = (
        "VmHWM of the process that renders, less its VmRSS once connections are open; one run. "
        "Eight results are moved at once, however many there are"
    )
    return [
        Row(
            "peak memory over idle, MB",
            by,
            Spread.of([over_idle / MEGABYTE]),
            Target("<=", TARGET_BYTES / MEGABYTE),
            remark,
        ),
        Row("memory of the idle process, MB", by, Spread.of([ended.said["idle_bytes"] / MEGABYTE])),
        Row("bytes through the worker, GB", by, Spread.of([archived / GIGABYTE])),
        Row("CPU per GB, s", by, Spread.of([ended.cpu_seconds / (archived / GIGABYTE)])),
        Row("MB/s", by, Spread.of([archived / MEGABYTE / ended.seconds]), remark="source and archive in one Azurite"),
    ]
