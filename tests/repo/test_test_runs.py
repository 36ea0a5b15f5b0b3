"""What the tests rely on when several processes share them."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("one process")
def test_a_group_of_tests_stays_in_one_process(request):
    """pytest-xdist reads a group from the end of a test's id; where it cannot write it there, it says nothing.

    Then each process starts a Prefect server of its own, and tests that share one run at the same time.
    """
    grouped = getattr(request.config.option, "loadgroup", False)  # set in pytest-xdist's own processes alone
    assert request.node.nodeid.endswith("@one process") or not grouped
