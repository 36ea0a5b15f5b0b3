"""`python -m benchmarks.real.profiling [COUNT]`: which functions use a batch's CPU, in the client's process only."""

from __future__ import annotations

import pstats
import sys

from benchmarks.real.growth import USUAL_CHARACTERS
from benchmarks.real.world import open_world, plain_scripts

COUNT = 1_000
LINES = 40


def main() -> None:
    """Print the functions with the most CPU time, first their own, then with everything that they call."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with open_world() as world:
        world.write_manifest(plain_scripts(count, characters=USUAL_CHARACTERS))
        profile = world.folder / "profile"
        world.start("--engine", "local", profile=profile).end()
        found = pstats.Stats(str(profile))
    for order in ("tottime", "cumulative"):
        found.sort_stats(order).print_stats(LINES)


if __name__ == "__main__":
    main()
