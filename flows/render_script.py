"""Render one script; for ad-hoc runs from the UI or the command line."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from batch_avatar.errors import InputError
from batch_avatar.models import Script
from batch_avatar.planning.options import RenderOptions
from batch_avatar.planning.permits import Permits
from batch_avatar.safe_text.sinks import name
from batch_avatar.settings import load_settings
from tasks.rendering import gather_scripts, render_as_task_runs
from tasks.reporting import refused


def _run_name() -> str:
    script = flow_run.parameters["script"]
    return name(f"render {script['script_id'] if isinstance(script, dict) else script.script_id}")


@flow(name="render-script", flow_run_name=_run_name, persist_result=False)
async def render_script(
    script: Script, revision: Annotated[int, Field(ge=0, le=999)] = 0, *, allow_long: bool = False
) -> State[None]:
    """Render one script to a video in the archive.

    A script that was rendered before and has not changed since is neither sent nor billed again.

    Args:
        script: What is spoken and how it looks. A property that is left empty gets the deployment's default. Prefect
            keeps what is entered, also if it is refused: enter no link with a signature (SAS), put it in a manifest.
        revision: Render an unchanged script again, once for each revision; 0 is the first rendering.
        allow_long: Send scripts whose video is predicted to be far longer than 20 minutes, where the service cuts.
    """
    try:
        settings = load_settings()
        scripts = gather_scripts(settings, sources=(), scripts=[script])
    except InputError as error:
        return await refused(error)
    permits = Permits(revision=revision, accept_changes=True, allow_long=allow_long)
    return await render_as_task_runs(settings, scripts, RenderOptions(permits=permits))
