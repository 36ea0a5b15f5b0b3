"""Start a Prefect worker that outlives a sleep of its machine; it takes the options of `prefect worker start`.

    python -m deployments.worker --pool batch-avatar --limit 2

A machine that sleeps for longer than the heartbeats allow is taken for dead, and its runs go back to their queue. If it
wakes before another worker has taken them, a Prefect worker with a limit is given a run whose process it still has. It
then ends, with all its runs: `this borrower is already holding one of this CapacityLimiter's tokens`. (Prefect 3.8.8,
`BaseWorker._submit_scheduled_flow_runs` in `prefect/workers/base.py`: of what the limiter raises it expects only
`WouldBlock`. `flow.serve()` had the same fault; Prefect's pull request 11264 mended it there.)
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from prefect.workers.process import ProcessWorker

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import WorkerFlowRunResponse

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # it takes the place of Prefect's own, on purpose

    class LastingWorker(ProcessWorker):
        """Prefect's process worker, which takes no run whose process it still has."""

        type = ProcessWorker.type

        async def _submit_scheduled_flow_runs(self, flow_run_response: list[WorkerFlowRunResponse]) -> list[FlowRun]:
            """Leave such a run in its queue until its process has ended, or another worker takes it."""
            held = self._limiter.statistics().borrowers if self._limiter is not None else ()
            new = [entry for entry in flow_run_response if entry.flow_run.id not in held]
            return await super()._submit_scheduled_flow_runs(new)


if __name__ == "__main__":
    from prefect.cli import app

    sys.argv[1:1] = ["worker", "start", "--type", LastingWorker.type]
    app()
