"""A place among a resource's unfinished jobs, as one walk holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batch_avatar.service.resource import Resource


class Slot:
    """Left at most once, whoever is in charge of it by then."""

    def __init__(self, resource: Resource, *, held: bool) -> None:
        self.resource = resource
        self._held = held
        self._sending = False
        self.given = False
        """Somebody else is in charge of the place."""

    async def hold(self) -> None:
        """Wait for a place, if it has none."""
        if not self._held:
            await self.resource.admission.adopt()
            self._held = True

    async def begin(self) -> None:
        """Wait until few enough creates are under way there; `sent` ends it."""
        await self.resource.sending.acquire()
        self._sending = True

    def sent(self) -> None:
        """The create has been answered, or will not be made."""
        if self._sending:
            self._sending = False
            self.resource.sending.release()

    def take(self) -> None:
        """Have a place without waiting: its job exists already."""
        if not self._held:
            self.resource.admission.take()
            self._held = True

    def leave(self) -> None:
        self.sent()
        if self._held:
            self._held = False
            self.resource.admission.leave()

    @property
    def held(self) -> bool:
        return self._held

    def move(self, resource: Resource) -> None:
        """To another resource, where it has no place yet."""
        self.leave()
        self.resource = resource

    def follow(self, resource: Resource) -> None:
        """The job turned out to be elsewhere."""
        if resource is not self.resource:
            self.leave()
            self.resource = resource
            self.take()

    def handed_over(self) -> Slot:
        """Another in charge of the same place; this one has none any more."""
        self.sent()
        heir = Slot(self.resource, held=self._held)
        self._held, self.given = False, True
        return heir
