"""End a flow run that crashes again and again; an automation schedules a run again whenever its process dies."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.runtime import flow_run
from prefect.states import Cancelled, Failed

from tasks.asking import NoAnswer, answer

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

MAX_CRASHES_VARIABLE = "batch_avatar_max_crashes"
MAX_CRASHES = 3  # a lost machine crashes a run once; a run that crashes on every machine is itself at fault


async def crashed_too_often() -> State[None] | None:
    """Return the state to end this flow run with if it crashed as often as allowed or was cancelled, else None."""
    if flow_run.id is None or flow_run.run_count <= 1:
        return None
    try:
        async with get_client() as client:
            states = await answer(client.read_flow_run_states(flow_run.id))
            variable = await answer(client.read_variable_by_name(MAX_CRASHES_VARIABLE))
        allowed = MAX_CRASHES if variable is None else int(str(variable.value))
    except (NoAnswer, ValueError):
        return None  # crashes cannot be counted, and a run that might go well is worth more than the count
    kinds = [state.type for state in sorted(states, key=lambda state: state.timestamp)]
    if (StateType.CANCELLING, StateType.CRASHED) in pairwise(kinds):  # its process died while it was being cancelled
        return Cancelled(message="it was cancelled before its process ended")
    crashes = kinds.count(StateType.CRASHED)
    if crashes < allowed:
        return None
    return Failed(
        message=f"this run has crashed {crashes} times, so it is not tried again by itself; look at its logs and at "
        f"the worker's memory, then start it anew: what is archived costs nothing (variable {MAX_CRASHES_VARIABLE})"
    )
