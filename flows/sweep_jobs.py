"""Clean up after runs that died; for a schedule."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Failed

from batch_avatar.errors import InputError
from batch_avatar.settings import load_settings
from tasks.sweeping import sweep_as_task_runs


@flow(name="sweep-jobs", flow_run_name="sweep jobs", persist_result=False)
async def sweep_jobs(dry_run: bool = False) -> State[None]:
    """Clean up after runs that died: archive what has succeeded, delete what is safe, record what has failed.

    Nothing is created or billed.

    Args:
        dry_run: Only say what would be done.
    """
    try:
        settings = load_settings()
    except InputError as error:
        return Failed(message=str(error))
    return await sweep_as_task_runs(settings, dry_run=dry_run)
