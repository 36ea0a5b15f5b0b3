"""Runs of the real core, each in a thread of its own with connections of its own, to their end or to their death."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.progress import Phase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from batch_avatar.clock import Clock
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.progress import Event
    from batch_avatar.settings import Settings

PATIENCE_SECONDS = 120.0  # a run that takes longer is stopped; none does while nothing is in its way


class Died(BaseException):
    """The process is gone: nothing of the core catches that."""


@dataclass(frozen=True)
class Stop:
    """Ends a run at the `number`-th event of its scripts, by cancelling it, or request that it makes, by death.

    `late`: once the request has its effect.
    """

    at: str
    number: int
    late: bool = False


@dataclass(frozen=True)
class Run:
    name: str
    work: Callable[[Connections], Awaitable[Any]]
    stop: Stop | None = None
    create_archive: bool = True


class Leaving:
    """Counts the creates that have left for the service, whatever became of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def note(self) -> None:
        with self._lock:
            self.count += 1


@dataclass
class Ended:
    """What became of a run: its value, or what it raised; `stopped` where it did not come to its own end."""

    value: Any = None
    error: BaseException | None = None
    stopped: bool = False


def run_at_once(
    runs: Sequence[Run],
    settings: Settings,
    clock: Clock,
    leaving: Leaving,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> list[Ended]:
    """What became of each, once no thread of theirs is left. A create may then still be under way at the service."""
    ended = [Ended() for _ in runs]
    threads = [
        threading.Thread(target=_run, args=(run, settings, clock, leaving, end, patience_seconds), name=run.name)
        for run, end in zip(runs, ended, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for thread in threading.enumerate():  # a request that was on its way when its run was stopped
        if thread.name.startswith(("control", "transfer")):
            thread.join()
    return ended


def _run(  # noqa: PLR0917
    run: Run,
    settings: Settings,
    clock: Clock,
    leaving: Leaving,
    ended: Ended,
    patience_seconds: float,
) -> None:
    async def main() -> None:
        opened = open_run(settings, run.name, clock=clock, create_archive=run.create_archive)
        async with opened as live:
            c = live.connections
            for resource in c.resources.values():
                resource.client = Counted(resource.client, leaving)
            task = asyncio.ensure_future(run.work(c))
            if run.stop is not None and run.stop.at == "event":
                live.listeners.append(_Countdown(run.stop.number, task.cancel))
            elif run.stop is not None:
                for resource in c.resources.values():
                    resource.client = Mortal(resource.client, run.stop)
            _, late = await asyncio.wait({task}, timeout=patience_seconds)
            for one in late:
                one.cancel()
            try:
                ended.value = await task
            except asyncio.CancelledError:
                ended.value, ended.stopped = live.report, True

    try:
        asyncio.run(main())
    except BaseException as error:  # noqa: BLE001 - whoever asked for the run decides
        if _is_death(error):
            ended.stopped = True
        else:
            ended.error = error


def _is_death(error: BaseException) -> bool:
    return isinstance(error, Died) or (isinstance(error, BaseExceptionGroup) and error.subgroup(Died) is not None)


class _Countdown:
    """Calls once, at the `number`-th event."""

    def __init__(self, number: int, call: Callable[[], object]) -> None:
        self._left = number
        self._call = call

    def __call__(self, event: Event) -> None:
        self._left -= event.phase is not Phase.WAITING  # which all have before anything happens
        if self._left == 0:
            self._call()


class Counted:
    """A client whose creates are counted when nothing can hold them back any more."""

    def __init__(self, inner: Any, leaving: Leaving) -> None:
        self._inner = inner
        self._leaving = leaving

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create(self, *args: Any, check: Callable[[], None], **kwargs: Any) -> Any:
        def leave() -> None:
            check()
            self._leaving.note()

        return self._inner.create(*args, check=leave, **kwargs)


class Mortal:
    """A client whose process dies at one of its requests."""

    def __init__(self, inner: Any, stop: Stop) -> None:
        self._inner = inner
        self._stop = stop
        self._lock = threading.Lock()
        self._made = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create(self, *args: Any, **kwargs: Any) -> Any:
        return self._counted(lambda: self._inner.create(*args, **kwargs))

    def get(self, *args: Any) -> Any:
        return self._counted(lambda: self._inner.get(*args))

    def look(self, *args: Any) -> Any:
        return self._counted(lambda: self._inner.look(*args))

    def delete(self, *args: Any) -> Any:
        return self._counted(lambda: self._inner.delete(*args))

    def list_pages(self, **kwargs: Any) -> Any:
        return self._counted(lambda: iter(list(self._inner.list_pages(**kwargs))))

    @contextmanager
    def open_output(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with self._inner.open_output(*args, **kwargs) as response:
            yield self._counted(lambda: response)

    def _counted(self, request: Callable[[], Any]) -> Any:
        with self._lock:
            self._made += 1
            number = self._made
        if number > self._stop.number or (number == self._stop.number and not self._stop.late):
            raise Died
        answer = request()
        if number == self._stop.number:
            raise Died
        return answer
