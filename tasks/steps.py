"""The four steps of one script as Prefect tasks. Every Prefect option of a task is set here and only here.

Each step can be retried at any time: what was done is read from the service and the archive, never from a Prefect
result. Hence `persist_result=False` and `NO_CACHE`: neither a stored result nor a cache may ever decide whether a paid
job is sent again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import task_run

from batch_avatar.archive.records import Proof
from batch_avatar.models import JobRef, Script
from batch_avatar.receipt import Receipt
from batch_avatar.rendering import stages
from batch_avatar.rendering.chain import Chain
from batch_avatar.rendering.retry import ARCHIVE, DELETE, SUBMIT, WAIT, RetryPolicy, is_retriable
from batch_avatar.safe_text.sinks import name
from tasks.prefect_secrets import know_secrets
from tasks.quiet import quieten
from tasks.wanted import stopping_when_suspended

if TYPE_CHECKING:
    from collections.abc import Callable

    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun

logger = logging.getLogger("batch_avatar.steps")
"""One of the loggers that the worker's settings send to the UI. They silence Prefect's own, which logs the end of every
task run. Ids stand in fixed fields, so that a log can be searched for them."""
logging.getLogger("batch_avatar").setLevel(logging.INFO)  # Prefect gives such loggers its handler, but no level
quieten()
know_secrets()


def _retriable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Return whether to retry. This reads `state.data`: awaiting `state.result()` would never retry an async task."""
    return is_retriable(state.data)


def _about(step: str) -> Callable[[], str]:
    """Return a function that names a task run by its step and its script."""

    def named() -> str:
        (given,) = (value for key, value in task_run.parameters.items() if key in ("script", "ref", "proof"))
        return name(f"{step} {given.script_id}")

    return named


def _options(policy: RetryPolicy) -> dict[str, Any]:
    """Return the options that all steps share: the core's retries, with jitter so that scripts do not retry together.

    There are no tags, because each tagged task run asks the server for a concurrency slot.
    """
    return {
        "retries": policy.retries,
        "retry_delay_seconds": list(policy.delays_seconds),
        "retry_jitter_factor": 0.5,
        "retry_condition_fn": _retriable,
        "persist_result": False,
        "cache_policy": NO_CACHE,
    }


@task(name="submit-job", task_run_name=_about("submit"), **_options(SUBMIT))
async def submit_job(script: Script, resource: str) -> JobRef:
    """Claim the script and create its job on this resource, or adopt the one that exists."""
    ref = await stages.submit(script, resource)
    logger.info("sent script=%s job=%s attempt=%d", ref.script_id, ref.job_id, ref.attempt)
    return ref


@task(name="submit-pack", task_run_name="submit a pack of scripts", **_options(SUBMIT))
async def submit_pack(scripts: tuple[Script, ...], resource: str) -> tuple[JobRef, ...]:
    """Claim the scripts and create one job with all of them as inputs. Scripts that are not in the result go alone."""
    refs = await stages.submit_pack(scripts, resource)
    if refs:
        logger.info("sent scripts=%d job=%s", len(refs), refs[0].job_id)
    return refs


@task(name="wait-for-job", task_run_name=_about("wait for"), **_options(WAIT))
async def wait_for_job(ref: JobRef) -> JobRef:
    """Wait on the shared poller until the job has succeeded.

    One try waits for ten minutes. If the job has not ended by then, the task run shows AwaitingRetry for a moment and
    the next try goes on waiting, until the job's own deadlines. One try per poll would cost two events, two rows and a
    log line each.
    """
    return await stages.wait(ref)


@task(name="archive-outputs", task_run_name=_about("archive"), **_options(ARCHIVE))
async def archive_outputs(ref: JobRef) -> Receipt:
    """Stream video, summary and subtitles into the container, verify them, and write the receipt."""
    receipt = await stages.archive(ref)
    video = receipt.video
    logger.info(
        "archived script=%s job=%s video=%s bytes=%d billed_seconds=%d missing=%s",
        *(ref.script_id, ref.job_id, video.blob_name, video.size_bytes, receipt.billed_seconds),
        ",".join(receipt.missing) or "-",
    )
    return receipt


@task(name="delete-job", task_run_name=_about("delete job of"), **_options(DELETE))
async def delete_job(proof: Proof) -> None:
    """Delete the remote job; the proof says that nothing is lost by it."""
    await stages.delete(proof)


def task_chain() -> Chain:
    """Return the steps that the runner takes in a flow run, as tasks."""
    return Chain(
        submit=stopping_when_suspended(submit_job),
        wait=stopping_when_suspended(wait_for_job),
        archive=stopping_when_suspended(archive_outputs),
        delete=stopping_when_suspended(delete_job),
        submit_pack=stopping_when_suspended(submit_pack),
    )
