"""Processes by their id, and the ports they are given."""

import os
import subprocess
from pathlib import Path

import pytest

from batch_avatar.emulator.ports import free_port
from batch_avatar.emulator.process import is_running, stop_process

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 20_000


@pytest.fixture
def child():
    """A process that nobody reaps before the end of the test."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells the state of a process")
def test_a_process_that_has_ended_does_not_run_and_holds_up_no_stop_even_if_nobody_reaps_it(child):
    assert is_running(child)
    stop_process(child, grace_seconds=600)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert not is_running(child)


def test_a_free_port_is_one_that_nobody_gets_by_chance():
    first_ephemeral = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 32_768
    if first_ephemeral <= LOWEST:
        pytest.skip("here all ports are given by chance")
    assert all(LOWEST <= free_port() < first_ephemeral for _ in range(50))
