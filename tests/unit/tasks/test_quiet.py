"""What Prefect's engine logs as an error although the run ends well, or as it was told to."""

import logging

import pytest
from prefect.exceptions import CancelledRun
from prefect.logging.loggers import get_logger

import tasks.steps  # noqa: F401 - as every flow does

CANCELLED = "Execution was cancelled by the runtime environment."
SHUTDOWN = "unhandled exception during asyncio.run() shutdown\ntask: <Task finished name='Task-1'>"
HEARTBEAT = "Error emitting event: prefect.flow-run.heartbeat"
STOPPED = RuntimeError("Cannot put items in a stopped service instance.")


@pytest.fixture
def logged(flow_run):  # noqa: ARG001 - without it Prefect asks where to send the log
    """`logged(logger, message, error)`: the level of what comes out, and whether it has a stack trace; or None."""

    def log(name, message, error=None):
        out = []
        handler = logging.Handler()
        handler.emit = out.append
        logger = logging.getLogger(name) if name == "asyncio" else get_logger(name)
        logger.addHandler(handler)
        try:
            logger.error(message, exc_info=error)
        finally:
            logger.removeHandler(handler)
        return [(record.levelname, bool(record.exc_info)) for record in out]

    return log


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("prefect.flow_runs", "Finished in state Cancelled('stopped: 0 archived')"),
        ("prefect.task_runs", f"Crash detected! {CANCELLED}"),
        ("prefect.task_runs", f"Finished in state Crashed('{CANCELLED}')"),
    ],
)
def test_the_end_of_a_run_that_was_stopped_is_no_error(logged, name, message):
    assert logged(name, message) == [("INFO", False)]


def test_a_flow_that_was_stopped_leaves_no_stack_trace_to_asyncio(logged):
    assert logged("asyncio", SHUTDOWN, CancelledRun("stopped")) == []


def test_a_heartbeat_that_comes_after_the_end_is_not_told(logged):
    assert logged("prefect.events.utilities", HEARTBEAT, STOPPED) == []
    later = RuntimeError("cannot schedule new futures after interpreter shutdown")
    assert logged("prefect.events.utilities", HEARTBEAT, later) == []


@pytest.mark.parametrize(
    ("name", "message", "error"),
    [
        ("prefect.flow_runs", "Finished in state Failed('1 failed; first: Cancelled(')", None),
        ("prefect.flow_runs", f"Crash detected! {CANCELLED}", None),
        ("prefect.task_runs", "Crash detected! Execution was aborted.", None),
        ("prefect.task_runs", "Finished in state Failed('x')", None),
        ("asyncio", SHUTDOWN, ValueError("odd")),
        ("asyncio", "Task exception was never retrieved", CancelledRun("stopped")),
        ("prefect.events.utilities", HEARTBEAT, ValueError("odd")),
        ("prefect.events.utilities", "Error emitting event: batch-avatar.script.failed", STOPPED),
    ],
)
def test_whatever_else_goes_wrong_stays_an_error(logged, name, message, error):
    assert logged(name, message, error) == [("ERROR", error is not None)]
