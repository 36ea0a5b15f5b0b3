"""Bringing up processes that belong together."""

import sys

import pytest

from batch_avatar.commands.stack import Starting
from batch_avatar.errors import BatchAvatarError

NOBODY = "http://127.0.0.1:9/"


def test_a_process_that_ends_instead_of_answering_is_told_at_once_with_the_end_of_its_log(tmp_path):
    with Starting(tmp_path) as starting:
        starting.run("shy", [sys.executable, "-c", "raise SystemExit('not today')"], {})
        with pytest.raises(BatchAvatarError, match="shy did not start:\n  not today"):
            starting.await_answer(NOBODY, "shy")


def test_ports_that_are_given_before_they_are_bound_differ(tmp_path):
    with Starting(tmp_path) as starting:
        assert len({starting.free_port() for _ in range(300)}) == 300
