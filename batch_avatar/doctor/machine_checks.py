"""This machine: its clock against those of the hosts that answered, and room on its disks."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from batch_avatar.doctor.checks import Step, failed, ok, skipped, warning
from batch_avatar.doctor.storage_fixes import CLOCK as SET_CLOCK
from batch_avatar.settings import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from batch_avatar.doctor.checks import Check
    from batch_avatar.doctor.connecting import Patient
    from batch_avatar.doctor.reach import Reached

CLOCK, DISK = "clock", "disk space"
WARN_SECONDS, FAIL_SECONDS = 60.0, 300.0
"""Signed links begin five minutes before now, and claims are judged by the storage's clock: beyond this they are not
right any more."""
FAIL_BYTES, WARN_BYTES = 50_000_000, 500_000_000
"""Scripts of a batch wait in the temporary folder, voices are kept in the cache, and reports may go to the working
folder. Videos stream through without a file. 50 MB are the texts of 10,000 scripts."""


def machine_steps(patient: Patient, hosts: Iterable[str]) -> list[Step]:
    """Return the steps; `hosts` are the checks that note what time it is elsewhere."""
    return [
        Step((CLOCK,), lambda: [check_clock(patient.reached)], after=tuple(hosts)),
        disk_step(),
    ]


def disk_step() -> Step:
    return Step((DISK,), lambda: [check_disk()])


def check_clock(reached: Mapping[str, Reached]) -> Check:
    """Compare our clock with each host's; HTTP dates are whole seconds. Pure."""
    ahead = {one.host: one.ahead_seconds for one in reached.values() if one.ahead_seconds is not None}
    if not ahead:
        return skipped(CLOCK, "no host has told its time")
    host, most = max(ahead.items(), key=lambda item: abs(item[1]))
    if abs(most) <= WARN_SECONDS:
        return ok(CLOCK, f"within {WARN_SECONDS:g} s of {', '.join(sorted(ahead))}")
    off = "; ".join(f"{name} is {abs(by):,.0f} s {'ahead' if by > 0 else 'behind'}" for name, by in ahead.items())
    if abs(most) > FAIL_SECONDS:
        return failed(CLOCK, f"signed links and claims do not hold: {off}", SET_CLOCK)
    return warning(CLOCK, f"off by {abs(most):,.0f} s from {host}: {off}", SET_CLOCK)


def check_disk() -> Check:
    """Look at the disks of the cache, of temporary files, and of the working folder."""
    folders = {"cache": cache_folder(), "temporary files": Path(tempfile.gettempdir()), "working folder": Path.cwd()}
    found, least, where = [], None, ""
    for what, folder in folders.items():
        try:
            there = next(path for path in (folder, *folder.parents) if path.exists())
            free = shutil.disk_usage(there).free
        except OSError as error:
            return failed(DISK, f"{folder} ({what}) cannot be looked at: {error.strerror}", f"ls -ld {folder}")
        found.append(f"{what} {free / 1e9:,.1f} GB")
        if least is None or free < least:
            least, where = free, f"{there} ({what})"
    if least is not None and least < WARN_BYTES:
        say = failed if least < FAIL_BYTES else warning
        return say(DISK, f"{least / 1e6:,.0f} MB free in {where}", f"df -h {where.partition(' (')[0]}")
    return ok(DISK, f"free: {', '.join(found)}")
