"""The emulator on a port: in a thread for tests and benchmarks, or in the foreground until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from batch_avatar.emulator.options import EmulatorOptions
from batch_avatar.emulator.service.operations import Service
from batch_avatar.emulator.web.app import create_app
from batch_avatar.emulator.web.front import StorageFront

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from batch_avatar.emulator.certificate import Certificate
    from batch_avatar.emulator.faults import FaultRule

_START_SECONDS = 60.0
"""A start takes milliseconds, but a busy machine may delay it for longer."""


class _DroppableProtocol(H11Protocol):
    """Lets the application close its own connection, for which ASGI has no message."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})["emulator.close"] = transport.abort
            await inner(scope, receive, send)

        self.app = app


class _PromptServer(uvicorn.Server):
    """Stops as soon as it is told to. uvicorn's own server checks ten times a second whether it should.

    It also stands still for a tenth of a second for connections to close, where there are none.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told_to_stop = asyncio.Event()

    async def main_loop(self) -> None:
        await self.told_to_stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for server in self.servers:
            await server.wait_closed()


class EmulatorServer:
    """The service on loopback, as a context manager.

    `storage_connection_string` names the *service's* storage account; see `storage.azurite.Azurite`. Requests that are
    being answered when it stops have `grace_seconds` to end. With a certificate it speaks https.
    """

    def __init__(
        self,
        options: EmulatorOptions | None = None,
        *,
        storage_connection_string: str,
        port: int = 0,
        grace_seconds: int = 2,
        certificate: Certificate | None = None,
    ) -> None:
        self.options = options or EmulatorOptions()
        self._connection_string = storage_connection_string
        self._port = port
        self._grace_seconds = grace_seconds
        self._certificate = certificate
        self._service: Service | None = None
        self._front: StorageFront | None = None
        self._servers: list[_PromptServer] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.endpoint = ""
        """`http://127.0.0.1:<port>`, or https, the endpoint for clients."""
        self.storage_endpoint: str | None = None
        """The host of links if the storage front is on."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def key(self) -> str:
        """The resource's key."""
        return self.options.key

    @property
    def service(self) -> Service:
        """The service behind the port."""
        if self._service is None:
            raise RuntimeError("the emulator is not running")
        return self._service

    def start(self) -> Self:
        """Start to listen, and return once requests are answered."""
        with contextlib.ExitStack() as undo:
            listener = undo.enter_context(_listen(self._port))
            self._service = Service(self.options, self._connection_string)
            undo.callback(self._service.close)
            self.endpoint = self._url_of(listener)
            pairs: list[tuple[Any, socket.socket]] = [(create_app(self._service), listener)]
            if self.options.storage_front:
                front_listener = undo.enter_context(_listen(0))
                self.storage_endpoint = self._url_of(front_listener)
                self._front = StorageFront(self._service, self.storage_endpoint)
                undo.callback(self._front.close)
                self._service.outputs.mint_link = self._front.mint_link
                pairs.append((self._front, front_listener))
            self._run(pairs)
            undo.pop_all()
        return self

    def stop(self) -> None:
        """Stop listening, finish the requests that are being answered, and close everything.

        Do nothing if it is not running.
        """
        if self._thread is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                for server in self._servers:
                    self._loop.call_soon_threadsafe(server.told_to_stop.set)
            self._thread.join()
        self._servers, self._thread, self._loop = [], None, None
        if self._front is not None:
            self._front.close()
            self._front = None
        if self._service is not None:
            self._service.close()
            self._service = None

    def stats(self) -> dict[str, Any]:
        """Return the answer of `GET /emulator/stats`."""
        return self.service.stats()

    def jobs(self) -> list[dict[str, Any]]:
        """Return all jobs that were ever created, removed ones included."""
        return self.service.jobs()

    def requests(self, operation: str | None = None) -> list[dict[str, Any]]:
        """Return the request log, oldest first; it contains downloads only if the storage front is on."""
        return self.service.counters.requests(operation)

    def set_faults(self, rules: Sequence[FaultRule]) -> None:
        """Replace the fault rules."""
        self.service.set_faults(rules)

    def clear_faults(self) -> None:
        """Remove all fault rules. Stuck jobs stay stuck until `release`."""
        self.service.set_faults([])

    def release(self, job_id: str | None = None) -> int:
        """Let one stuck job, or all of them, go on; return how many."""
        return self.service.release(job_id)

    def advance(self, seconds: float) -> datetime:
        """Move service time ahead by `seconds` and return it."""
        return self.service.clock.advance(seconds)

    def settle(self, timeout_seconds: float = 60.0) -> None:
        """Wait until no media is being written or removed."""
        self.service.settle(timeout_seconds)

    @property
    def _serving(self) -> bool:
        return all(server.started for server in self._servers)

    def _url_of(self, listener: socket.socket) -> str:
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{listener.getsockname()[1]}"

    def _run(self, pairs: list[tuple[Any, socket.socket]]) -> None:
        self._servers = [_PromptServer(_configure(app, self._grace_seconds, self._certificate)) for app, _ in pairs]
        listeners = [listener for _, listener in pairs]
        started = threading.Event()
        failure: list[BaseException] = []

        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            serving = [
                asyncio.create_task(server.serve(sockets=[listener]))
                for server, listener in zip(self._servers, listeners, strict=True)
            ]
            # uvicorn shows that it has started only by an attribute
            while not self._serving and not any(task.done() for task in serving):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            started.set()
            await asyncio.gather(*serving)

        def target() -> None:
            try:
                asyncio.run(run())
            except BaseException as error:  # noqa: BLE001 - handed to the waiting thread
                failure.append(error)
            finally:
                started.set()

        self._thread = threading.Thread(target=target, name="emulator", daemon=True)
        self._thread.start()
        started.wait(_START_SECONDS)
        if not started.is_set() or failure:  # asked again: it may have been set just after the wait ended
            raise RuntimeError("the emulator did not start") from (failure[0] if failure else None)


def _configure(app: Any, grace_seconds: int, certificate: Certificate | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_DroppableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # dropped and cut answers are intended; uvicorn would log each as an error
        access_log=False,
        server_header=False,
        date_header=False,  # the gate sends service time
        timeout_keep_alive=60,
        timeout_graceful_shutdown=grace_seconds,
        backlog=2048,
        ssl_certfile=certificate and certificate.path,
        ssl_keyfile=certificate and certificate.key_path,
    )


def _listen(port: int) -> socket.socket:
    # asyncio switches off Nagle's delay (40 ms an answer) only if the socket's protocol is named
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def serve(
    options: EmulatorOptions,
    *,
    storage_connection_string: str,
    port: int = 0,
    certificate: Certificate | None = None,
    on_ready: Callable[[EmulatorServer], None] = lambda _: None,
) -> None:
    """Run the emulator until SIGINT or SIGTERM. Call this from the main thread."""
    stop: queue.SimpleQueue[None] = (
        queue.SimpleQueue()
    )  # put is reentrant; Event.set may block on the wait it interrupts
    before = {number: signal.signal(number, lambda *_: stop.put(None)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with EmulatorServer(
            options, storage_connection_string=storage_connection_string, port=port, certificate=certificate
        ) as emulator:
            on_ready(emulator)
            stop.get()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
