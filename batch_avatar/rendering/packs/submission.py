"""Send several scripts as the inputs of one job.

The rules are those for single scripts: every member's claim names the pack before it is sent, and the pack is sent only
while the oldest of these claims is young. A script whose claim another run has is left out, and the pack gets another
name. Once a create may have reached the service, the members are fixed; if another run then has one of the claims,
nothing more is sent until that create is settled.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.archive.records import Pack, PackMember
from batch_avatar.errors import (
    AccessRefused,
    BatchAvatarError,
    CreateGivenUp,
    CreateUnclear,
    JobExists,
    JobNotFound,
    NoMoreSent,
    RequestRefused,
    SettingsError,
    Throttled,
)
from batch_avatar.identity import derive_job_id, mark_description
from batch_avatar.planning.decision import LOOKS
from batch_avatar.planning.packing import derive_pack_id, pack_job_id
from batch_avatar.planning.stubborn import MAX_SENDS, PutOff, unclear
from batch_avatar.rendering.claims import ClaimTooOld, new_claim
from batch_avatar.rendering.creates import send_create
from batch_avatar.scripts.prediction.predictor import spoken_characters
from batch_avatar.scripts.rules import with_defaults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.archive.records import Held
    from batch_avatar.errors import ServiceError
    from batch_avatar.models import JobRef, SynthesisJob
    from batch_avatar.rendering.pack_draft import PackDraft
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource

logger = logging.getLogger(__name__)

SAS_MARGIN_SECONDS = 3600.0  # after the job's deadline, for the service to write the last video and for us to read it


class PackSubmission:
    """The submission of one pack, up to exactly one accepted create."""

    def __init__(self, run: Run, resource: Resource, draft: PackDraft) -> None:
        self._run = run
        self._c = run.connections
        self._resource = resource
        self._draft = draft
        self._put_off = PutOff(self._c.settings.job_deadline_seconds)

    async def submit(self) -> tuple[JobRef, ...]:
        """Send the pack, and return its job once for each script that is an input of it. The other scripts go alone.

        This may be retried.

        Raises:
            AccessRefused, CreateUnclear, ServiceUnavailable, ArchiveUnavailable: as for single scripts.
        """
        if self._draft.unclear is not None and (job := await self._found(self._draft.unclear)) is not None:
            return await self._accepted(self._draft.unclear, job)
        sends = 0
        pack = await self._ready()
        while pack is not None:
            try:
                return await self._accepted(pack, await self._send(pack))
            except (Throttled, ClaimTooOld):
                pack = await self._ready_again()
            except (JobExists, CreateUnclear) as error:
                logger.warning("looking for the job before it is sent again: %s", error)
                sends += 1
                self._draft.unclear = pack
                if (job := await self._found(pack)) is not None:
                    return await self._accepted(pack, job)
                if (end := self._run.stubborn[self._resource.host].verdict(pack.job_id)) is not None:
                    return await self._split(pack, end)
                if sends == MAX_SENDS:
                    raise unclear(sends, error, pack.job_id) from None
                pack = await self._ready_again()
            except (AccessRefused, RequestRefused, NoMoreSent, CreateGivenUp) as error:
                await self._refused(error)
                logger.warning("a pack of %d was refused, its scripts go alone: %s", len(pack.members), error)
                pack = None
        return ()

    async def _split(self, pack: Pack, error: ServiceError) -> tuple[JobRef, ...]:
        """Give the pack up: its scripts go alone, each as its next attempt. Raise any other error.

        First the claims grow old: until then a create that the service answered with an error may still take effect.
        """
        if not isinstance(error, RequestRefused):
            raise error
        age = (self._c.clock.now() - self._draft.written_at).total_seconds()
        pause = max(0.0, self._c.settings.claim_seconds - age)
        text = "a pack of %d is split in %.0f s, once its claims are old, and its scripts go alone: %s"
        logger.warning(text, len(pack.members), pause, error)
        await self._c.clock.sleep(pause)
        if (job := await self._found(pack)) is not None:
            return await self._accepted(pack, job)
        over = {"ended": f"{error.code}: {error.message}"[:1000], "over": True}

        async def leave(held: Held) -> None:
            last = held.claim.last.model_copy(update=over)
            left = held.claim.model_copy(update={"attempts": (*held.claim.attempts[:-1], last)})
            await self._c.control(self._c.archive.replace_claim, held, left)  # if lost, another run has it

        await asyncio.gather(*(leave(held) for held in self._draft.held.values()))
        self._draft.held, self._draft.unclear = {}, None
        return ()

    async def _refused(self, error: BatchAvatarError) -> None:
        """Release the claims if nothing was sent under them, and raise the error unless the scripts may go alone."""
        if self._draft.unclear is None:  # after an unclear create the job may exist all the same
            await self._release(refused=True)
        if not isinstance(error, RequestRefused | CreateGivenUp):
            raise error

    async def _ready_again(self) -> Pack | None:
        """Wait for another turn, then do as `_ready`."""
        await self._resource.admission.turn()
        return await self._ready()

    async def _ready(self) -> Pack | None:
        """Return a pack with young claims: unchanged if it may have been sent, else with all that can be claimed."""
        return await self._claimed() if self._draft.unclear is None else await self._renewed(self._draft.unclear)

    async def _claimed(self) -> Pack | None:
        """Claim the scripts and return the pack that every claim names; None if fewer than two scripts are left."""
        while len(self._draft.scripts) > 1:
            names = list(self._draft.scripts)
            pack = self._pack(names)
            self._draft.written_at = self._c.clock.now()
            writes = (self._claim(name, pack.job_id, number) for number, name in enumerate(names, start=1))
            written = await asyncio.gather(*writes, return_exceptions=True)
            errors = [one for one in written if isinstance(one, BaseException)]
            for name, held in zip(names, written, strict=True):
                if held is None:  # another run has this claim; the script will adopt that run's job
                    del self._draft.scripts[name]
                    self._draft.held.pop(name, None)
                elif not isinstance(held, BaseException):
                    self._draft.held[name] = held
            if errors:
                raise errors[0]
            if len(self._draft.scripts) == len(names):
                await self._c.control(self._c.archive.write_pack, pack)
                return pack
        await self._release(refused=False)
        return None

    async def _claim(self, name: str, job_id: str, number: int) -> Held | None:
        before = self._draft.held.get(name)
        claim = new_claim(
            self._run, self._draft.scripts[name], self._resource, self._run.attempt(1, job_id, input=number)
        )
        if before is None:
            return await self._c.control(self._c.archive.create_claim, claim)
        return await self._c.control(self._c.archive.replace_claim, before, claim)

    async def _renewed(self, pack: Pack) -> Pack | None:
        """Renew the pack's claims. None if another run has one of them by now: the pack is then not sent any more.

        Its scripts then go alone, each once its claim is old: by that time no create of the pack can be on its way.
        """
        self._draft.written_at = self._c.clock.now()
        held = [self._draft.held[member.script_id] for member in pack.members]
        writes = (self._c.control(self._c.archive.replace_claim, one, one.claim) for one in held)
        written = await asyncio.gather(*writes)
        if None in written:
            logger.warning("another run has taken over a part of the pack %s, its scripts go alone", pack.job_id)
            return None
        self._draft.held = {one.claim.script_id: one for one in written if one is not None}
        return pack

    async def _release(self, *, refused: bool) -> None:
        """Make each claim name a job of its own; nothing was sent under these claims."""

        async def release(name: str, held: Held) -> None:
            job_id = derive_job_id(name, held.claim.content_id, 1)
            own = new_claim(
                self._run, self._draft.scripts[name], self._resource, self._run.attempt(1, job_id, refused=refused)
            )
            await self._c.control(self._c.archive.replace_claim, held, own)

        await asyncio.gather(*(release(name, held) for name, held in self._draft.held.items()))
        self._draft.held = {}

    def _pack(self, names: Sequence[str]) -> Pack:
        scripts = [self._draft.scripts[name] for name in names]
        ids = [self._run.content_id_of(script) for script in scripts]
        pack_id = derive_pack_id([(content_id, 1) for content_id in ids], archive_id=self._c.archive.archive_id)
        return Pack(
            job_id=pack_job_id(pack_id),
            pack_id=pack_id,
            run=self._run.name,
            resource=self._resource.host,
            api_version=self._c.settings.api_version,
            staging_container=self._c.settings.staging_container or "",
            members=tuple(
                PackMember(
                    script_id=script.script_id,
                    content_id=content_id,
                    attempt=1,
                    characters=spoken_characters(script),
                )
                for script, content_id in zip(scripts, ids, strict=True)
            ),
        )

    async def _send(self, pack: Pack) -> SynthesisJob:
        """Send the create once, with a link that is made now, unless the claims have become too old meanwhile."""
        staging = self._c.staging
        if staging is None:
            raise SettingsError("packed jobs need BATCH_AVATAR_STAGING_CONTAINER")
        scripts = [self._draft.scripts[member.script_id] for member in pack.members]
        seconds = self._c.settings.job_deadline_seconds + SAS_MARGIN_SECONDS
        link = await self._c.control(partial(staging.write_link, seconds=seconds))
        shared = {"destination_container_url": link, "destination_path": pack.job_id, "description": None}
        script = with_defaults(scripts[0].model_copy(update=shared))
        mark = mark_description(f"a pack of {len(scripts)} scripts", self._c.archive.archive_id)
        create = partial(
            self._resource.client.create,
            script,
            job_id=pack.job_id,
            description=mark,
            contents=[script.content for script in scripts],
        )
        return await send_create(
            self._run,
            self._resource,
            create,
            job_id=pack.job_id,
            scripts=scripts,
            written_at=self._draft.written_at,
            put_off=self._put_off,
        )

    async def _found(self, pack: Pack) -> SynthesisJob | None:
        """Return the job, or None if every look in a row finds it absent."""
        for _ in range(LOOKS):
            await self._c.clock.sleep(min(self._c.settings.poll_interval_seconds, 5.0))  # the create may be on its way
            try:
                return await self._c.control(self._resource.client.get, pack.job_id)
            except JobNotFound:
                continue
        return None

    async def _accepted(self, pack: Pack, job: SynthesisJob) -> tuple[JobRef, ...]:
        """Note in every member's claim that it is paid for, and return the job once for each member."""
        self._run.packs[pack.job_id] = pack
        now = self._c.clock.now()
        accepted = {"accepted_at": job.created_at or now, "answered_at": now}
        self._resource.deadlines.note_created(job.service_id, now)

        async def note(held: Held) -> JobRef:
            last = held.claim.last.model_copy(update=accepted)
            claim = held.claim.model_copy(update={"attempts": (last,)})
            await self._c.control(self._c.archive.replace_claim, held, claim)  # if lost, the adopting run notes it
            return claim.ref()

        refs = await asyncio.gather(*(note(held) for held in self._draft.held.values()))
        return tuple(refs)
