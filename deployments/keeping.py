"""Keep a program running: start it again whenever it ends, as the unit and Compose do with their workers.

    python -m deployments.keeping COMMAND...

SIGTERM ends it, with the program.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RESTART_SECONDS = 10.0  # as RestartSec in batch-avatar-worker.service
GRACE_SECONDS = 2.0  # less than `stop_process` gives us, so that we never leave the program behind


async def keep(command: Sequence[str], *, pause_seconds: float = RESTART_SECONDS) -> None:
    """Run the command again and again, with a pause between, until SIGTERM or SIGINT arrives."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    while not stopped.is_set():
        program = await asyncio.create_subprocess_exec(*command)
        ending, stopping = asyncio.create_task(program.wait()), asyncio.create_task(stopped.wait())
        await asyncio.wait((ending, stopping), return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            sys.stderr.write(f"it ended with {ending.result()}, and starts again in {pause_seconds:g} s\n")
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping, pause_seconds)
            continue
        program.terminate()
        _, late = await asyncio.wait((ending,), timeout=GRACE_SECONDS)
        if late:
            program.kill()
        await ending


if __name__ == "__main__":
    asyncio.run(keep(sys.argv[1:]))
