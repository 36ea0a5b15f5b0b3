"""Notes on the Prefect server about which workers drain a work pool at this time.

Each worker has a variable of its own, so that two machines that stop together never overwrite each other. A note has an
end, so that a machine that dies while it drains does not keep the pool paused for the others.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from prefect.client.schemas.actions import VariableCreate, VariableUpdate, WorkPoolUpdate
from prefect.client.schemas.objects import Variable
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from pydantic import AwareDatetime

from batch_avatar.models import Written

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from batch_avatar.clock import Clock

PREFIX = "batch_avatar_draining_"


class Note(Written):
    """This worker drains this pool, until `until` at the latest."""

    worker: str
    pool: str
    until: AwareDatetime

    def variable(self) -> str:
        """Return the note's name on the server, which allows lower-case letters, digits and underscores."""
        readable = re.sub("[^a-z0-9]+", "_", self.worker.lower())[:60]
        exact = hashlib.sha256(f"{self.pool}/{self.worker}".encode()).hexdigest()[:8]
        return f"{PREFIX}{readable}_{exact}"


class Drains:
    """The notes about one pool."""

    def __init__(self, client: PrefectClient, *, pool: str, clock: Clock) -> None:
        self._client = client
        self._pool = pool
        self._clock = clock

    async def enter(self, worker: str, *, seconds: float) -> bool:
        """Note that the worker drains, for at most `seconds`, and pause the pool. Return whether this call paused it.

        A pool that is paused while no worker drains was paused by a person, and is left to that person.
        """
        pool = await self._client.read_work_pool(self._pool)
        notes = await self._notes()
        if pool.is_paused and not notes:
            return False
        now = self._clock.now()
        if worker not in notes or notes[worker].until <= now:
            await self._write(Note(worker=worker, pool=self._pool, until=now + timedelta(seconds=seconds)))
        if pool.is_paused:
            return False
        await self._client.update_work_pool(self._pool, WorkPoolUpdate(is_paused=True))
        return True

    async def leave(self, worker: str) -> bool:
        """Remove the worker's note, and resume the pool if no other worker drains. Return whether it was resumed.

        The note is ended before the others are read, so of two workers that leave together at least one resumes the
        pool. It is deleted last, so that the next call completes one that broke off.
        """
        notes = await self._notes()
        if worker not in notes:
            return False
        now = self._clock.now()
        await self._write(notes[worker].model_copy(update={"until": now}))
        notes = await self._notes()
        last = not any(_drains(note, now) for note in notes.values())
        if last:
            await self._client.update_work_pool(self._pool, WorkPoolUpdate(is_paused=False))
        for note in notes.values():
            if not _drains(note, now):
                await self._delete(note)
        return last

    async def _notes(self) -> dict[str, Note]:
        """Return the notes about this pool, by worker."""
        wanted = {"variables": {"name": {"like_": f"{PREFIX}%"}}}
        answer = await self._client.request("POST", "/variables/filter", json=wanted)
        variables = Variable.model_validate_list(answer.json())
        notes = (Note.model_validate(variable.value) for variable in variables)
        return {note.worker: note for note in notes if note.pool == self._pool}

    async def _write(self, note: Note) -> None:
        name, value = note.variable(), note.model_dump(mode="json")
        try:
            await self._client.create_variable(VariableCreate(name=name, value=value))
        except ObjectAlreadyExists:
            await self._client.update_variable(VariableUpdate(name=name, value=value))

    async def _delete(self, note: Note) -> None:
        try:
            await self._client.delete_variable_by_name(note.variable())
        except ObjectNotFound:  # another worker that leaves has deleted it
            return


def _drains(note: Note, now: datetime) -> bool:
    return note.until > now
