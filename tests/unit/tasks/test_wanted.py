"""What a process does about the state that Prefect has for its run, and for the run's parent."""

from __future__ import annotations

from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import (
    AwaitingRetry,
    Cancelled,
    Cancelling,
    Completed,
    Crashed,
    Failed,
    Paused,
    Pending,
    Running,
    Scheduled,
    Suspended,
)

from tasks.wanted import Verdict, judge


def run_in(state, run_count=1):
    return FlowRun(flow_id=uuid4(), state=state, run_count=run_count)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (Running(), Verdict.WANTED),
        (Paused(), Verdict.HELD),
        (Suspended(), Verdict.SUSPENDED),
        (Cancelling(), Verdict.CANCELLED),
        *((ended, Verdict.TAKEN) for ended in (Cancelled(), Completed(), Failed(), Crashed())),
        *((released, Verdict.TAKEN) for released in (Scheduled(), AwaitingRetry(), Pending())),
    ],
    ids=lambda value: value.name,
)
def test_a_state_of_its_own(state, verdict):
    assert judge(run_in(state), None, run_count=1, has_parent=False) is verdict


def test_a_run_that_was_deleted_or_is_another_process_by_now():
    assert judge(None, None, run_count=1, has_parent=False) is Verdict.TAKEN
    assert judge(run_in(Running(), run_count=2), None, run_count=1, has_parent=False) is Verdict.TAKEN


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (Cancelled(), Verdict.CANCELLED),
        (Cancelling(), Verdict.CANCELLED),
        (Suspended(), Verdict.HELD),
        *((other, Verdict.WANTED) for other in (Running(), Completed(), Failed(), Crashed(), AwaitingRetry())),
    ],
    ids=lambda value: value.name,
)
def test_a_state_of_its_parent(state, verdict):
    assert judge(run_in(Running()), run_in(state), run_count=1, has_parent=True) is verdict


def test_a_parent_that_was_deleted():
    assert judge(run_in(Running()), None, run_count=1, has_parent=True) is Verdict.CANCELLED
