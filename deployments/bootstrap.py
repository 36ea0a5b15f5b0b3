"""Set up a Prefect server for our deployments: pool, queues, limits, variable, automations.

    python -m deployments.bootstrap [--notify slack-webhook/alerts] [--dry-run]

It prints a line for each thing that it creates or changes. A second time there is nothing to change.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from functools import partial
from math import isclose
from typing import TYPE_CHECKING

import click
import httpx
from prefect.client.schemas.actions import (
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
    VariableCreate,
    WorkPoolCreate,
)
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from batch_avatar.commands.terminal.prefect_answers import told
from batch_avatar.commands.terminal.saying import say
from batch_avatar.errors import InputError, SettingsError
from batch_avatar.settings import NO_RESOURCE, load_settings
from deployments.automation_files import Channel, channel_of, differing, read_automations, sends_message, sent_through
from deployments.prefect_server import POOL, open_client
from tasks.children import CHILD_QUEUE
from tasks.crashes import MAX_CRASHES, MAX_CRASHES_VARIABLE
from tasks.shared_pace import limit_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from prefect.client.orchestration import PrefectClient
    from prefect.events.schemas.automations import AutomationCore

    from batch_avatar.resource_settings import ResourceSettings

POOL_TYPE = "process"
DEFAULT_QUEUE = "default"  # Prefect creates it with the pool
SET_UP_SECONDS = 60.0  # for some 30 requests, which take 1 to 2 s together; then the server must be hanging
EXIT_INPUT = 2


@dataclass(frozen=True)
class Step:
    """A thing that is not as it should be, and how to change it. Without `make` it is only reported."""

    thing: str
    becomes: str
    make: Callable[[], Awaitable[object]] | None = None

    def told(self, *, dry_run: bool) -> str:
        would = "would be " if dry_run and self.make is not None else ""
        return f"{self.thing}: {would}{self.becomes}"


async def set_up(
    client: PrefectClient,
    *,
    pool: str = POOL,
    resources: Sequence[ResourceSettings] = (),
    notify: str | None = None,
    dry_run: bool = False,
) -> AsyncIterator[str]:
    """Set everything up, and yield a line for each thing once it is done.

    `notify` is `BLOCK_TYPE/NAME` of a notification or webhook block; without it messages go where they went before.

    Raises:
        InputError: there is no such block, or it cannot send messages.
        httpx.HTTPError: the server does not answer, or refuses.
    """
    channel = await _find_channel(client, notify) if notify else None
    changes = 0
    for steps in (
        _pool_steps(client, pool),
        _limit_steps(client, resources),
        _variable_steps(client),
        _automation_steps(client, channel),
    ):
        async for step in steps:
            if step.make is not None:
                changes += 1
                if not dry_run:
                    try:
                        await step.make()
                    except ObjectAlreadyExists:  # somebody else sets up at the same time
                        continue
            yield step.told(dry_run=dry_run)
    if not changes:
        yield "nothing to change"


async def _pool_steps(client: PrefectClient, name: str) -> AsyncIterator[Step]:
    try:
        pool = await client.read_work_pool(name)
    except ObjectNotFound:
        yield Step(f"work pool {name}", "created", lambda: _create_pool(client, name))
    else:
        if pool.type != POOL_TYPE:
            yield Step(f"work pool {name}", f"is of type {pool.type}, not {POOL_TYPE}, and is left so")
        if pool.is_paused:
            yield Step(f"work pool {name}", "is paused, no run begins; once nobody drains: prefect work-pool resume")
    try:
        queues = {queue.name: queue for queue in await client.read_work_queues(work_pool_name=name)}
    except ObjectNotFound:  # a dry run
        queues = {}
    children, others = queues.get(CHILD_QUEUE), queues.get(DEFAULT_QUEUE)
    # Lower numbers go first, and no two queues of a pool have the same number. Child runs go before new batches, so
    # that what has begun ends first.
    if children is None:
        create = partial(client.create_work_queue, CHILD_QUEUE, priority=1, work_pool_name=name)
        yield Step(f"work queue {name}/{CHILD_QUEUE}", "created, before all others", create)
    elif others is not None and (children.priority or 0) >= (others.priority or 0):
        last = max(queue.priority or 0 for queue in queues.values()) + 1
        yield Step(
            f"work queue {name}/{DEFAULT_QUEUE}",
            f"put behind {CHILD_QUEUE}",
            partial(client.update_work_queue, others.id, priority=last),
        )


async def _create_pool(client: PrefectClient, name: str) -> None:
    from prefect.workers.process import ProcessWorker  # takes 1 s to import, and is wanted once

    template = ProcessWorker.get_default_base_job_template()
    await client.create_work_pool(WorkPoolCreate(name=name, type=POOL_TYPE, base_job_template=template))


async def _limit_steps(client: PrefectClient, resources: Sequence[ResourceSettings]) -> AsyncIterator[Step]:
    """Limit each resource to one slot that frees itself after a minute's share: a pace that all machines keep."""
    for resource in resources:
        name, pace = limit_name(resource.name), resource.creates_per_minute or 0.0
        decay = pace / 60  # slots a second
        try:
            limit = await client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            if pace:
                create = GlobalConcurrencyLimitCreate(name=name, limit=1, slot_decay_per_second=decay)
                made = partial(client.create_global_concurrency_limit, create)
                yield Step(f"limit {name}", f"created, {pace:g} creates a minute", made)
            continue
        if not pace:
            if limit.active:
                off = GlobalConcurrencyLimitUpdate(active=False)
                switch = partial(client.update_global_concurrency_limit, name, off)
                yield Step(f"limit {name}", "switched off, as the settings say unpaced", switch)
        elif not (limit.active and limit.limit == 1 and isclose(limit.slot_decay_per_second, decay)):
            update = GlobalConcurrencyLimitUpdate(limit=1, active=True, slot_decay_per_second=decay)
            change = partial(client.update_global_concurrency_limit, name, update)
            yield Step(f"limit {name}", f"set to {pace:g} creates a minute", change)


async def _variable_steps(client: PrefectClient) -> AsyncIterator[Step]:
    """Create the variable only if it is missing; a value that is there was chosen by somebody."""
    if await client.read_variable_by_name(MAX_CRASHES_VARIABLE) is None:
        create = partial(client.create_variable, VariableCreate(name=MAX_CRASHES_VARIABLE, value=MAX_CRASHES))
        yield Step(f"variable {MAX_CRASHES_VARIABLE}", f"created, {MAX_CRASHES}", create)


async def _automation_steps(client: PrefectClient, channel: Channel | None) -> AsyncIterator[Step]:
    left_out = []
    for wanted in read_automations():
        found = await client.read_automations_by_name(wanted.name)
        if not found:
            if not sends_message(wanted):
                yield _creation(client, wanted)
            elif channel is not None:
                yield _creation(client, sent_through(wanted, channel))
            else:
                left_out.append(wanted.name)
        for automation in found:
            through = channel or channel_of(automation)
            mended = wanted if through is None else sent_through(wanted, through)
            if differs := differing(automation, mended):
                mended = mended.model_copy(update={"enabled": automation.enabled})
                update = partial(client.update_automation, automation.id, mended)
                yield Step(f'automation "{wanted.name}"', f"changed ({', '.join(differs)})", update)
    if left_out:
        names = ", ".join(f'"{name}"' for name in left_out)
        yield Step("left out", f"{names}; they need --notify BLOCK_TYPE/NAME, see docs/automations.md")


def _creation(client: PrefectClient, automation: AutomationCore) -> Step:
    return Step(f'automation "{automation.name}"', "created", partial(client.create_automation, automation))


async def _find_channel(client: PrefectClient, notify: str) -> Channel:
    kind, _, name = notify.partition("/")
    try:
        block = await client.read_block_document_by_name(name, kind, include_secrets=False)
    except ObjectNotFound:
        raise InputError(
            f"--notify {notify}: there is no such block; `prefect block ls` shows those there are"
        ) from None
    if kind == "webhook":
        return Channel(block.id, is_webhook=True)
    if block.block_schema is None or "notify" not in block.block_schema.capabilities:
        raise InputError(f"--notify {notify}: is neither a notification block nor a webhook")
    return Channel(block.id, is_webhook=False)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--pool", default=POOL, show_default=True, help="The work pool.")
@click.option("--notify", metavar="BLOCK_TYPE/NAME", help="Send messages through this notification or webhook block.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def main(pool: str, notify: str | None, dry_run: bool) -> None:
    """Set up the Prefect server: pool, queues, limits of the resources, variable and automations."""
    try:
        resources: Sequence[ResourceSettings] = load_settings().all_resources()
    except SettingsError as error:
        if NO_RESOURCE not in error.message:
            say(str(error), err=True)
            sys.exit(EXIT_INPUT)
        resources = ()
        say(f"limits: left out, {NO_RESOURCE}")
    try:
        asyncio.run(_print_set_up(pool=pool, resources=resources, notify=notify, dry_run=dry_run))
    except InputError as error:
        say(str(error), err=True)
        sys.exit(EXIT_INPUT)
    except (httpx.HTTPError, TimeoutError) as error:
        say(told(error), err=True)
        sys.exit(EXIT_INPUT)


async def _print_set_up(*, pool: str, resources: Sequence[ResourceSettings], notify: str | None, dry_run: bool) -> None:
    async with asyncio.timeout(SET_UP_SECONDS), open_client() as client:
        async for line in set_up(client, pool=pool, resources=resources, notify=notify, dry_run=dry_run):
            say(line)


if __name__ == "__main__":
    main()
