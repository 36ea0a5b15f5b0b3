"""An inbox in the machine's world: its scripts are dropped as blobs, and no drop may be lost."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError

from batch_avatar.errors import NoMoreSent
from batch_avatar.inbox.run import render_inbox
from batch_avatar.inbox.steps import look_into_inbox, put_off
from batch_avatar.models import Outcome, OutcomeKind
from batch_avatar.planning.options import RenderOptions
from batch_avatar.rendering.outcomes import build_report
from batch_avatar.rendering.retry import plain_chain
from tests.support.scripts import LOOK_TOML

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from batch_avatar.planning.permits import Permits
    from batch_avatar.rendering.report import BatchReport
    from tests.chaos.machine.evidence import Evidence
    from tests.chaos.machine.world import World

LOOK_SECONDS = 0.3  # short enough to be really waited
INBOX, PROCESSED, REJECTED = "inbox", "processed", "rejected"
DEFAULTS = "team/defaults.toml"


class Drops:
    """The scripts of a world in the folder of a team."""

    def __init__(self, world: World, members: Mapping[str, str]) -> None:
        self._world = world
        self.name = f"inbox-{secrets.token_hex(6)}"
        self.container = world.connect(self.name)
        with suppress(ResourceExistsError):
            self.container.create_container()
        toml = LOOK_TOML + "".join(f'{name} = "{value}"\n' for name, value in members.items())
        self.container.upload_blob(f"{INBOX}/{DEFAULTS}", toml)
        self.dropped: dict[str, bytes] = {}
        self.refused: set[str] = set()
        """Scripts that a report says have failed."""

    def close(self) -> None:
        self.container.close()

    def drop(self, names: list[str]) -> None:
        for name in names:
            self.dropped[name] = self._world.text(name).encode()
            self.container.upload_blob(f"{INBOX}/team/{name}.txt", self.dropped[name], overwrite=True)

    def rendering(self, permits: Permits, pack: int):
        async def work(_: Any) -> BatchReport:
            if look := await look_into_inbox():
                wanted = RenderOptions(permits=permits, pack=pack)
                return await render_inbox(look, plain_chain(), wanted, look_seconds=LOOK_SECONDS)
            return build_report("nothing to take", [])

        return work

    def told(self, report: BatchReport, names: Mapping[str, tuple[str, ...]], found: Evidence) -> BatchReport:
        """The report with an outcome for every script: who found no drop of it says what is, that it was archived.

        An outcome of a drop, and not of its script, says that the drop could not be read for now.
        """
        by_script = {one.script_id: one for one in report.outcomes if one.script_id in names}
        self.refused |= {name for name, one in by_script.items() if one.outcome is OutcomeKind.FAILED}
        for name in names.keys() - by_script.keys():
            archived = [content for content in names[name] if content in found.archived]
            skipped = (
                Outcome(script_id=name, job_id=f"{name}-{archived[0]}-1", outcome=OutcomeKind.SKIPPED)
                if archived
                else None
            )
            by_script[name] = skipped or put_off(name, NoMoreSent("no drop of it was taken"))
        return build_report(report.run, list(by_script.values()))

    def findings(self, found: Evidence) -> Iterator[str]:
        """Each drop lies somewhere with its bytes, and where it belongs."""
        blobs = {name: self.container.download_blob(name).readall() for name in self.container.list_blob_names()}
        archived = {found.receipts[content]["script_id"] for content in found.archived}
        for name, content in self.dropped.items():
            there = {folder for folder in (INBOX, PROCESSED, REJECTED) if f"{folder}/team/{name}.txt" in blobs}
            if not there:
                yield f"the drop {name} is lost"
            for folder in there:
                if blobs[f"{folder}/team/{name}.txt"] != content:
                    yield f"{folder}/team/{name}.txt has not the bytes that were dropped"
            if PROCESSED in there and name not in archived:
                yield f"the drop {name} was processed, and it is not archived"
            if there == {REJECTED}:
                if name not in self.refused:
                    yield f"the drop {name} was rejected, and no report says that it has failed"
                if f"{REJECTED}/team/{name}.txt.reason.txt" not in blobs:
                    yield f"the drop {name} was rejected without a reason"

    def left(self) -> list[str]:
        """The scripts whose drops are still in the inbox."""
        names = self.container.list_blob_names(name_starts_with=f"{INBOX}/team/")
        return sorted(PurePosixPath(name).stem for name in names if name != f"{INBOX}/{DEFAULTS}")
