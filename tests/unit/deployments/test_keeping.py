"""What is kept running comes back when it dies, and goes when its keeper is told to go."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from batch_avatar.emulator.process import is_running
from deployments.stack import worker_command
from tests.support.processes import ROOT, start_python
from tests.support.waiting import ANSWER_SECONDS, until

KEEP = "import asyncio, sys; from deployments.keeping import keep; asyncio.run(keep(sys.argv[1:], pause_seconds=0))"
PROGRAM = "import os, sys, time; print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PROGRAM}"


@pytest.mark.parametrize("program", [PROGRAM, STUBBORN])
def test_a_program_that_is_killed_starts_again_and_ends_with_its_keeper(tmp_path, program):
    started = tmp_path / "started"
    started.touch()
    keeper = start_python(
        *("-c", KEEP, sys.executable, "-c", program, started),
        folder=tmp_path,
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    def pids():
        return [int(line) for line in started.read_text().splitlines()]

    try:
        assert until(lambda: len(pids()), 1) == 1
        os.kill(pids()[0], signal.SIGKILL)
        assert until(lambda: len(pids()), 2) == 2
        keeper.terminate()
        _, told = keeper.communicate(timeout=ANSWER_SECONDS)
    finally:
        keeper.kill()
    assert keeper.returncode == 0
    assert told == "it ended with -9, and starts again in 0 s\n"
    assert not any(map(is_running, pids()))


def test_a_worker_of_the_stack_is_kept_running():
    assert worker_command("worker-1")[1:3] == ["-m", "deployments.keeping"]
