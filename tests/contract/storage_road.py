"""A road to the storage, on which chosen requests are held up or find their connection closed."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.road import Road, Traveller

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Incident:
    """What happens to the first request that `wanted` takes, by its method and its path with the query."""

    wanted: Callable[[str, str], bool]
    closes: bool
    arrived: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


class StorageRoad(Road):
    """Forwards all but those requests."""

    def __init__(self, storage_url: str) -> None:
        super().__init__(storage_url, _Traveller)
        self._incidents: list[Incident] = []
        self._lock = threading.Lock()

    def close_at(self, wanted: Callable[[str, str], bool]) -> Incident:
        """Close the connection when such a request comes, without an answer."""
        return self._expect(Incident(wanted, closes=True))

    @contextmanager
    def held(self, wanted: Callable[[str, str], bool]):
        """Hold such a request up until the end of the block."""
        incident = self._expect(Incident(wanted, closes=False))
        try:
            yield incident
        finally:
            incident.over.set()

    def _expect(self, incident: Incident) -> Incident:
        with self._lock:
            self._incidents.append(incident)
        return incident

    def take(self, method: str, path: str) -> Incident | None:
        with self._lock:
            found = next((one for one in self._incidents if one.wanted(method, path)), None)
            if found is not None:
                self._incidents.remove(found)
            return found


class _Traveller(Traveller):
    def travel(self) -> None:
        incident = self.server.take(self.command, self.path)
        if incident is not None:
            incident.arrived.set()
            if incident.closes:
                self.close_connection = True
                return
            incident.over.wait()
        super().travel()
