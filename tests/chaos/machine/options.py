"""The options of the state machine; `conftest.py` imports the hook."""

from __future__ import annotations

import pytest

DEFAULT_SEEDS = 20


@pytest.hookimpl(specname="pytest_addoption")
def pytest_addoption_machine(parser):
    parser.addoption(
        "--machine-seeds",
        type=int,
        default=DEFAULT_SEEDS,
        metavar="N",
        help=f"chaos: run the state machine with the seeds 0 to N-1 (default {DEFAULT_SEEDS})",
    )
    parser.addoption("--machine-seed", type=int, metavar="N", help="chaos: run the state machine with this seed alone")


def chosen_seeds(config) -> list[int]:
    """Where pytest was started above this folder the options are unknown, and the default holds."""
    alone = config.getoption("machine_seed", default=None)
    return list(range(config.getoption("machine_seeds", default=DEFAULT_SEEDS))) if alone is None else [alone]
