"""Render an inbox: list it, take all good drops as one wave, and move each drop when its script has ended.

The inbox is listed again while waves run, so that new drops do not wait for the next run.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.errors import BatchAvatarError, ManifestError, Stopped
from batch_avatar.inbox.background import Background
from batch_avatar.inbox.intake import (
    REJECTED,
    KnownDrop,
    facts_of_move,
    folder_of,
    reason_of_failure,
    reason_of_faults,
    target_of,
    with_advice,
)
from batch_avatar.inbox.steps import look_into_inbox, move, open_inbox, put_off, read_defaults, read_script, refused
from batch_avatar.planning.options import RenderOptions
from batch_avatar.rendering.connections import CONTROL_THREADS
from batch_avatar.rendering.outcomes import build_report, own_mistake
from batch_avatar.rendering.progress import Event, Phase
from batch_avatar.rendering.run import current_run
from batch_avatar.rendering.runner import REPORT_SECONDS, publish_report, render_scripts
from batch_avatar.scripts.defaults import NO_DEFAULTS, Defaults
from batch_avatar.scripts.findings import log_warnings
from batch_avatar.scripts.spool import ScriptSpool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from batch_avatar.archive.inbox_container import Drop, Inbox
    from batch_avatar.inbox.intake import Look
    from batch_avatar.inbox.steps import Taken
    from batch_avatar.models import Outcome, Script
    from batch_avatar.rendering.chain import Chain
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.rendering.run import Run

    Publish = Callable[[BatchReport], Awaitable[None]]
    Render = Callable[[Sequence[Script], Publish], Awaitable[None]]

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""Time between two looks while waves run: as often as cron could start a run, and 60 listings an hour."""
AT_ONCE = CONTROL_THREADS // 2  # reads and moves at once; the other threads are for the service
READ_AHEAD = 100  # scripts, of 500 KB each at most, in memory before they go to disk


async def render_inbox(
    first: Look,
    chain: Chain,
    options: RenderOptions | None = None,
    *,
    look_seconds: float = LOOK_SECONDS,
) -> BatchReport:
    """Render what `first` shows and what is dropped meanwhile, until nothing is left to take; return one report.

    Call it inside open connections; the budget holds for all drops of the run. A drop that is not a script has an
    outcome under the name of its blob. A drop that was cancelled, or cannot be sent for now, stays in the inbox.
    """
    run, wanted = current_run(), (options or RenderOptions()).keywords()

    async def render(scripts: Sequence[Script], publish: Publish) -> None:
        await render_scripts(scripts, chain, publish=publish, **wanted)

    return await _InboxRun(run, open_inbox(run.connections), render, look_seconds).run(first)


class _InboxRun:
    def __init__(self, run: Run, inbox: Inbox, render: Render, look_seconds: float) -> None:
        self._run = run
        self._c = run.connections
        self._inbox = inbox
        self._render = render
        self._look_seconds = look_seconds
        self._held: dict[str, KnownDrop] = {}
        self._rendering: dict[str, Drop] = {}
        """By `script_id`: the drops in waves that have no outcome yet."""
        self._waves, self._moves = Background(), Background()
        self._few = asyncio.Semaphore(AT_ONCE)
        self._outcomes: list[Outcome] = []
        self._faulty: list[Outcome] = []
        """Outcomes of faulty defaults at the last look; the drops of their folders wait."""
        self._broken = False

    async def run(self, first: Look) -> BatchReport:
        self._run.listeners.append(self._heard)
        try:
            await self._work(first)
            return await self._report()
        except BaseException:
            self._c.stopping.throw()
            await self._stop()
            raise
        finally:
            self._run.listeners.remove(self._heard)

    async def _work(self, look: Look) -> None:
        """Look and take until every drop is settled, and a look that began after that finds nothing to take."""
        settled = False
        await self._take(look)
        while self._waves or self._moves or not settled:
            await self._pause()
            settled = not (self._waves or self._moves)
            if self._closed():
                continue
            try:
                look = await look_into_inbox(held=self._held)
            except BatchAvatarError as error:
                logger.warning("the inbox cannot be listed, so nothing new is taken for now: %s", error)
                continue
            if not self._closed():  # it may have been closed during the look
                await self._take(look)

    def _closed(self) -> bool:
        """Return whether no more drops are taken."""
        return self._broken or self._run.halted is not None

    async def _pause(self) -> None:
        """Wait until the next look is due, or every drop is settled."""
        ends = [asyncio.create_task(wait) for wait in (self._c.clock.sleep(self._look_seconds), self._settled())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _settled(self) -> None:
        await self._waves.until_idle()
        await self._moves.until_idle()  # only waves and looks begin moves

    async def _take(self, look: Look) -> None:
        """Begin one wave with all good drops, reject those refused, and note those stuck."""
        for drop in look.stuck:
            self._keep(drop, running=False)
            text = "a part of its name is '.' or '..', which no request can carry: move it by hand"
            self._note(refused(drop.name, text))
        for drop, reason in look.refused:
            self._keep(drop, running=True)
            self._moves.begin(self._reject(drop, [reason]))
        for drop in look.good:
            self._keep(drop, running=True)
        self._faulty = []
        folders = {drop.folder for drop in look.good} & look.defaults.keys()
        beside = {folder: await self._defaults(look.defaults[folder]) for folder in sorted(folders)}
        if not look.good:
            return
        scripts, mine = ScriptSpool(), {}
        for start in range(0, len(look.good), READ_AHEAD):
            some = look.good[start : start + READ_AHEAD]
            read = await asyncio.gather(*(self._fetch(drop, beside.get(drop.folder, NO_DEFAULTS)) for drop in some))
            for drop, taken in zip(some, read, strict=True):
                if taken is not None:
                    scripts.add(*taken)
                    mine[taken[0].script_id] = self._rendering[taken[0].script_id] = drop
        log_warnings(logger, scripts.warnings)
        if scripts:
            self._waves.begin(self._wave(scripts, mine))

    async def _defaults(self, drop: Drop) -> Defaults | None:
        """Return the defaults of a folder; None if its drops have to wait. Other folders never wait for them."""
        try:
            return await self._c.control(read_defaults, self._inbox, drop)
        except ManifestError as error:
            text = f"{'; '.join(error.faults)}; the scripts of its folder wait until that is mended"
            self._faulty.append(refused(drop.name, text))
        except Exception as error:
            if not isinstance(error, BatchAvatarError):
                logger.exception("%s cannot be read, because of a mistake in this program", drop.name)
            self._faulty.append(put_off(drop.name, own_mistake(error)))
        return None

    async def _fetch(self, drop: Drop, defaults: Defaults | None) -> Taken | None:
        """Return the script in a drop and its warnings; None if there is none, or it cannot be read for now."""
        if defaults is None:
            del self._held[drop.name]
            return None
        try:
            async with self._few:
                taken = await self._c.control(read_script, self._inbox, drop, defaults, self._c.settings)
        except ManifestError as error:
            self._moves.begin(self._reject(drop, error.faults))
        except Exception as error:
            if not isinstance(error, BatchAvatarError):
                logger.exception("%s cannot be taken, because of a mistake in this program", drop.name)
            self._keep(drop, running=False)
            self._note(put_off(drop.name, own_mistake(error)))
        else:
            if taken is None:  # it has changed or gone; the next look sees what is there now
                del self._held[drop.name]
            return taken
        return None

    async def _wave(self, scripts: ScriptSpool, mine: Mapping[str, Drop]) -> None:
        """Render one wave. Each script reports its outcome as it ends; if the wave breaks, no more drops are taken."""
        try:
            await self._render(scripts, partial(self._told, mine))
        except Exception as error:
            self._broken = True
            if not isinstance(error, BatchAvatarError):
                logger.exception("a wave of %d scripts broke, because of a mistake in this program", len(scripts))
            for script_id in self._left(mine):
                self._end(put_off(script_id, own_mistake(error)))
        finally:
            scripts.close()

    def _left(self, mine: Mapping[str, Drop]) -> set[str]:
        """Return the ids of a wave's scripts that have not ended; the same id in another wave is another drop."""
        return {script_id for script_id, drop in mine.items() if self._rendering.get(script_id) is drop}

    async def _told(self, mine: Mapping[str, Drop], report: BatchReport) -> None:
        """Take the outcomes of scripts that have not ended from their wave's report, as when it was stopped."""
        if left := self._left(mine):
            for outcome in report.outcomes:
                if outcome.script_id in left:
                    self._end(outcome)

    def _heard(self, event: Event) -> None:
        if event.outcome is not None:
            self._end(event.outcome)

    def _end(self, outcome: Outcome) -> None:
        """Note the outcome of a script in a wave and move its drop; only the first outcome counts."""
        drop = self._rendering.pop(outcome.script_id, None)
        if drop is None:
            return
        self._outcomes.append(with_advice(outcome))
        folder = folder_of(outcome)
        if folder is None:
            self._keep(drop, running=False)
            return
        self._moves.begin(self._put_away(drop, folder, outcome))

    async def _reject(self, drop: Drop, faults: Sequence[str]) -> None:
        if await self._move(drop, REJECTED, {"run": self._run.name}, reason_of_faults(drop.name, faults)):
            self._note(refused(drop.name, "; ".join(faults)))

    async def _put_away(self, drop: Drop, folder: str, outcome: Outcome) -> None:
        reason = reason_of_failure(drop.name, outcome) if folder == REJECTED else ""
        await self._move(drop, folder, facts_of_move(outcome, self._run.name), reason)

    async def _move(self, drop: Drop, folder: str, facts: Mapping[str, str], reason: str) -> bool:
        """Move a drop; False if it had changed or gone. If it cannot be moved, it stays for the next run."""
        target = target_of(drop.name, folder)
        try:
            async with self._few:
                moved = await move(self._c, self._inbox, drop, target, facts=facts, reason=reason)
        except Exception as error:
            if not isinstance(error, BatchAvatarError):
                logger.exception("%s cannot be moved, because of a mistake in this program", drop.name)
            logger.warning("%s stays in the inbox for now: %s", drop.name, own_mistake(error))
            self._keep(drop, running=False)
            return True
        if moved:
            del self._held[drop.name]  # a blob of that name is another drop from now on
        else:
            self._keep(drop, running=False)  # a changed one is another drop; this one is taken once in a run
        return moved

    def _keep(self, drop: Drop, *, running: bool) -> None:
        self._held[drop.name] = KnownDrop(drop.etag, drop.script_id, running)

    def _note(self, outcome: Outcome) -> None:
        """Note the outcome of a drop that is in no wave."""
        self._outcomes.append(outcome)
        text = outcome.error.message if outcome.error else ""
        self._run.tell(Event(outcome.script_id, Phase(outcome.outcome.value), text=text, outcome=outcome))

    async def _stop(self) -> None:
        """Stop all waves, which report what is in flight; let moves that have begun end."""
        self._waves.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(REPORT_SECONDS):
                await self._settled()
        self._moves.cancel()
        for script_id in tuple(self._rendering):  # in waves that were stopped before they had a plan
            self._end(put_off(script_id, Stopped("the run was stopped; it was not sent in this run")))
        with suppress(TimeoutError):
            async with asyncio.timeout(REPORT_SECONDS):
                await self._report()

    async def _report(self) -> BatchReport:
        """Return the report of everything; publish it if it has any outcome."""
        report = build_report(self._run.name, [*self._outcomes, *self._faulty])
        if report.scripts:
            await publish_report(report)
        return report
