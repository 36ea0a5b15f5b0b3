"""`batch-avatar jobs list|get|delete`."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click

from batch_avatar.commands.terminal.options import JSON
from batch_avatar.commands.terminal.running import fails_clearly, output
from batch_avatar.commands.terminal.saying import say, say_json
from batch_avatar.errors import JobNotFound
from batch_avatar.settings import load_settings


@click.group()
def jobs() -> None:
    """Look at the jobs that the service holds, and delete one by hand."""


@jobs.command("list")
@JSON
@fails_clearly
def list_jobs(as_json: bool) -> None:
    """List all jobs of the resource (or resources), newest first, including those of others."""
    from rich.table import Table

    from batch_avatar.identity import archive_of

    clients = _clients()
    found = [job for client in clients for page in client.list_pages() for job in page.jobs]
    if as_json:
        say_json([_shown(job) for job in found])
        return
    where = ["resource"] if len(clients) > 1 else []
    table = Table("job", "status", "created", "seconds", "archive", *where, box=None, pad_edge=False)
    for job in found:
        created = f"{job.created_at:%Y-%m-%d %H:%M:%S}" if job.created_at else ""
        length = f"{job.duration_milliseconds / 1000:.1f}" if job.duration_milliseconds else ""
        cells = [job.resource] if where else []
        table.add_row(job.service_id, job.status, created, length, archive_of(job.description) or "", *cells)
    console = output()
    console.print(table)
    console.print(f"{len(found)} jobs")


@jobs.command("get")
@click.argument("job_id")
@fails_clearly
def get_job(job_id: str) -> None:
    """Print one job as JSON, without its links."""
    say_json(_shown(_holding(job_id)[1]))


@jobs.command("delete")
@click.argument("job_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@fails_clearly
def delete_job(job_id: str, yes: bool) -> None:
    """Delete one job with its result. Renders delete their jobs themselves, once the video is safe."""
    client, job = _holding(job_id)
    if not yes:
        click.confirm(f"{job_id} is {job.status}; its result is deleted with it. Delete?", abort=True)
    client.delete(job_id)
    say(f"deleted {job_id}")


def _clients() -> list[Any]:
    from batch_avatar.rendering.connect import connect_client

    settings = load_settings()
    return [connect_client(settings, resource) for resource in settings.all_resources()]


def _holding(job_id: str) -> tuple[Any, Any]:
    """Return the client of the resource that has the job, and the job.

    Raises:
        JobNotFound: no resource has it.
    """
    clients = _clients()
    for client in clients[:-1]:
        with suppress(JobNotFound):
            return client, client.get(job_id)
    return clients[-1], clients[-1].get(job_id)


def _shown(job: Any) -> dict[str, Any]:
    """Return a job without its links, which are secrets."""
    links = {"result_link", "summary_link", "subtitle_link"}
    shown: dict[str, Any] = job.model_dump(mode="json", exclude=links, exclude_none=True)
    return shown
