"""Say of a run that ends well, or as it was told to, nothing as an error, although Prefect's engine does.

It takes a cancellation for the crash of each task run at work, logs every end but Completed as an error, leaves the
`CancelledRun` of a stopped flow to asyncio, and may send a last heartbeat when its queue is closed (read in
`flow_engine.py`, `task_engine.py` and `events/utilities.py` of 3.8.8). All else stays as it is.
"""

from __future__ import annotations

import logging

from prefect.exceptions import CancelledRun

CANCELLED = "Execution was cancelled by the runtime environment."
STOPPED = {
    "prefect.flow_runs": ("Finished in state Cancelled(",),
    "prefect.task_runs": (f"Crash detected! {CANCELLED}", f"Finished in state Crashed('{CANCELLED}"),
}
"""By logger, how messages begin that tell of a stop."""
SHUTDOWN = "unhandled exception during asyncio.run() shutdown"
HEARTBEAT = "Error emitting event: prefect.flow-run.heartbeat"


def quieten() -> None:
    """Watch over Prefect's loggers from now on."""
    for name in (*STOPPED, "asyncio", "prefect.events.utilities"):
        logging.getLogger(name).addFilter(_judged)


def _judged(record: logging.LogRecord) -> bool:
    """Return whether the record is told; one of a stop is told as news."""
    message, kind = record.getMessage(), (record.exc_info and record.exc_info[0]) or type(None)
    if message.startswith(HEARTBEAT) and issubclass(kind, RuntimeError):
        return False  # the run has ended
    if message.startswith(SHUTDOWN) and issubclass(kind, CancelledRun):
        return False  # the flow run's own log has told it
    if message.startswith(STOPPED.get(record.name, ())):
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True
