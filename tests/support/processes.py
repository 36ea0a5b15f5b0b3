"""Programs as a user runs them: in a process of their own, without any setting of whoever runs the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
CLI = ("-m", "batch_avatar.commands.cli")


def own_environment(home: Path) -> dict[str, str]:
    """What the system says and nothing of ours or of Prefect's, with that folder as home."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("BATCH_AVATAR_", "PREFECT_"))}
    return given | {"HOME": str(home)}


def run_python(*arguments, folder=None, environment=None, timeout=PATIENCE_SECONDS) -> subprocess.CompletedProcess[str]:
    """The interpreter of the tests with these arguments, to its end."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def start_python(*arguments, folder, environment) -> subprocess.Popen[str]:
    """The same, and it runs on."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
