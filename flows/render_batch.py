"""Render many scripts: those of folders and manifests, or a short list given as a parameter."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from batch_avatar.errors import InputError
from batch_avatar.models import Script
from batch_avatar.planning.budget import Budget
from batch_avatar.planning.options import RenderOptions
from batch_avatar.planning.order import Order
from batch_avatar.planning.packing import MAX_INPUTS
from batch_avatar.planning.permits import Permits
from batch_avatar.safe_text.sinks import name
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.settings import load_settings
from tasks.children import cancel_children
from tasks.rendering import gather_scripts, render_as_task_runs
from tasks.reporting import refused
from tasks.shards import batch_of, read_shard, render_as_child_runs


def _run_name() -> str:
    parameters = flow_run.parameters
    if shard := parameters.get("shard"):
        run, _, number = shard.partition("/")
        return name(f"render shard {number} of {run[:13]}")
    sources, scripts = parameters.get("sources") or [], parameters.get("scripts") or []
    what = [*sources, parameters.get("rows") or "", f"{len(scripts)} scripts" if scripts else ""]
    return name(f"render {', '.join(part for part in what if part) or 'nothing'}")


@flow(name="render-batch", flow_run_name=_run_name, persist_result=False, on_cancellation=[cancel_children])
async def render_batch(
    *,
    sources: list[str] | None = None,
    scripts: list[Script] | None = None,
    recursive: bool = False,
    include: list[str] | None = None,
    exclude: list[str] | None = None,
    encoding: str | None = None,
    columns: dict[str, str] | None = None,
    ignore_columns: list[str] | None = None,
    ignore_unknown: bool = False,
    keep_columns: list[str] | None = None,
    by_heading: bool = False,
    template: str | None = None,
    rows: str | None = None,
    id_column: str | None = None,
    scripts_per_run: Annotated[int, Field(ge=1)] | None = None,
    revision: Annotated[int, Field(ge=0, le=999)] = 0,
    retry_failed: bool = False,
    rerender_lost: bool = False,
    accept_changes: bool = False,
    keep_changed: bool = False,
    allow_long: bool = False,
    order: Order = Order.LONGEST,
    pack: Annotated[int, Field(ge=0, le=MAX_INPUTS)] = 1,
    max_minutes: Annotated[float, Field(ge=0)] | None = None,
    max_cost: Annotated[float, Field(ge=0)] | None = None,
    max_jobs: Annotated[int, Field(ge=0)] | None = None,
    shard: str | None = None,
) -> State[None]:
    """Render every script that is not archived yet; the run is green only when all are archived.

    Args:
        sources: Folders of txt, ssml and xml files, or manifests (jsonl, csv), with paths as the worker sees them, e.g.
            "examples". They must lie below the worker's BATCH_AVATAR_SOURCE_ROOTS. Enter sources or scripts.
        scripts: A handful of scripts, given here. If there are any, only these are rendered, and no sources. Prefect
            keeps what is entered, also if it is refused: enter no link with a signature (SAS), put it in a manifest.
        recursive: Read sub folders of the sources as well; the path below the source is the script's id (hr/welcome).
        include: Patterns of files in folders that are read although they are of another kind, e.g. "*.csv".
        exclude: Patterns of what is left out of folders, as in a .gitignore; they decide before a .batchavatarignore.
        encoding: The encoding of texts and tables that are neither UTF-8 nor UTF-16, e.g. windows-1252.
        columns: The property for each column of tables that has another name, e.g. {"Text": "content"}.
        ignore_columns: Columns of tables that are not read.
        ignore_unknown: Do not read columns of tables that are no property of a script.
        keep_columns: Columns of tables that are kept beside the videos, in receipts and reports. Whoever reads the
            archive reads them, so think twice about personal data.
        by_heading: Of a document, make each top heading a script of its own.
        template: A template, e.g. "welcome.ssml.j2", that each row of a table fills; it lies where sources may lie.
        rows: That table, e.g. "people.xlsx".
        id_column: The column of that table that names the scripts; script_id, if left empty.
        scripts_per_run: Spread the batch over child flow runs with this many scripts each, e.g. 250. Leave it empty to
            render all in this run.
        revision: Render archived scripts again, once for each revision; 0 is the first rendering.
        retry_failed: Send scripts again that failed for good in an earlier run; each may be billed again.
        rerender_lost: Send scripts again that were paid for and are lost, or were archived without their video.
        accept_changes: Render changed scripts, however many there are, and those of which only the look changed.
        keep_changed: Leave archived scripts of which only the look changed as they are; the run is green all the same.
        allow_long: Send scripts whose video is predicted to be far longer than 20 minutes, where the service cuts.
        order: "longest" sends the longest predicted video first, so that no long one starts late; "manifest" sends
            them as given.
        pack: Send up to this many scripts in one job; 0 chooses what is fastest. Needs a staging container.
        max_minutes: Create no more jobs than for so many minutes of video, as predicted. What is left out is
            unfinished; a later run creates the rest.
        max_cost: Create no more jobs than cost so much, as predicted, in the currency of BATCH_AVATAR_PRICES.
        max_jobs: Create no more jobs than this.
        shard: Set by a parent run for its children; leave it empty.
    """
    permits = Permits(
        revision=revision,
        retry_failed=retry_failed,
        rerender_lost=rerender_lost,
        accept_changes=accept_changes,
        keep_changed=keep_changed,
        allow_long=allow_long,
    )
    budget = Budget.model_validate({"max_minutes": max_minutes, "max_cost": max_cost, "max_jobs": max_jobs})
    try:
        settings = load_settings()
        if shard is not None:
            wanted = await read_shard(settings, shard)
        else:
            chosen = SourceChoice(
                recursive=recursive,
                include=tuple(include or ()),
                exclude=tuple(exclude or ()),
                encoding=encoding,
                columns=tuple((columns or {}).items()),
                ignore_columns=tuple(ignore_columns or ()),
                ignore_unknown=ignore_unknown,
                keep_columns=tuple(keep_columns or ()),
                by_heading=by_heading,
                template=template,
                rows=rows,
                id_column=id_column,
            )
            named, choice = ([], None) if scripts else (sources or [], chosen)
            wanted = gather_scripts(settings, sources=named, scripts=scripts or [], choice=choice)
    except InputError as error:
        return await refused(error)
    options = RenderOptions(permits=permits, order=order, pack=pack, budget=budget)
    if scripts_per_run is not None and shard is None and len(wanted) > scripts_per_run:
        return await render_as_child_runs(settings, wanted, options, scripts_per_run=scripts_per_run)
    return await render_as_task_runs(settings, wanted, options, batch=batch_of(shard))
