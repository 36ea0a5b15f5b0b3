"""A slot among a resource's unfinished jobs, as one walk holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batch_avatar.service.resource import Resource


class Slot:
    """One slot at a resource. It is released at most once, even if it was handed over."""

    def __init__(self, resource: Resource, *, held: bool) -> None:
        self.resource = resource
        self._held = held
        self._sending = False
        self.given = False
        """The slot was handed over, and the new `Slot` releases it."""

    async def hold(self) -> None:
        """Wait for a slot, unless one is held already."""
        if not self._held:
            await self.resource.admission.wait_for_slot()
            self._held = True

    async def begin(self) -> None:
        """Wait until few enough creates are under way at the resource; pair with `sent`."""
        await self.resource.sending.acquire()
        self._sending = True

    def sent(self) -> None:
        """Note that the create has been answered or will not be made."""
        if self._sending:
            self._sending = False
            self.resource.sending.release()

    def take(self) -> None:
        """Hold a slot without waiting, for a job that exists already."""
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
        """Move to another resource, where no slot is held yet."""
        self.leave()
        self.resource = resource

    def follow(self, resource: Resource) -> None:
        """Move to the resource where the job turned out to be, and hold a slot there."""
        if resource is not self.resource:
            self.leave()
            self.resource = resource
            self.take()

    def handed_over(self) -> Slot:
        """Return a new `Slot` that is in charge of what this one held; this one no longer holds it."""
        self.sent()
        heir = Slot(self.resource, held=self._held)
        self._held, self.given = False, True
        return heir
