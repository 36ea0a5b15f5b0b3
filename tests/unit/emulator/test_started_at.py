"""When a process started, as the system tells it."""

import os

from batch_avatar.emulator.process import _told_by_ps, started_at


def test_it_is_told_alike_in_every_language_and_time_zone(tmp_path, monkeypatch):
    ps = tmp_path / "ps"
    ps.write_text('#!/bin/sh\necho " $LC_ALL $TZ $* "\n')
    ps.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("TZ", "Europe/Berlin")

    assert _told_by_ps(7) == "C UTC0 -o lstart= -p 7"


def test_of_no_process_nothing_is_told():
    assert _told_by_ps(2**22 + 1) is None
    assert started_at(2**22 + 1) is None
