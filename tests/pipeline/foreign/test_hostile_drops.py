"""Drops and dead letters that are made to break a run: they fail alone, and the others go on."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import replace

import pytest
from azure.storage.blob import ContainerClient

from batch_avatar.archive.inbox_container import Inbox
from batch_avatar.archive.ledger import MOST_RECORD_BYTES
from batch_avatar.emulator.faults import FailJob, FaultRule
from batch_avatar.errors import ArchiveRefused, InputError
from batch_avatar.inbox.run import render_inbox
from batch_avatar.inbox.steps import look_into_inbox
from batch_avatar.rendering.connect import open_connections
from batch_avatar.rendering.connections import sharing
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.run import begin_run
from batch_avatar.upkeep.letters import list_letters, read_letters, scripts_to_replay
from tests.support.scripts import LOOK, script

PATIENCE_SECONDS = 60


class BreakingInbox(Inbox):
    """Reading the defaults of one folder breaks, in a way that nobody has thought of."""

    def read(self, drop):
        if drop.name == "inbox/odd/defaults.toml":
            raise ZeroDivisionError
        return super().read(drop)


@pytest.fixture
def dropped(quick):
    """`dropped(**texts)`: the report of one run over these drops, and the names of what lies there afterwards."""

    def start(texts, *, inbox=Inbox):
        b, name = quick(), f"inbox-{secrets.token_hex(6)}"
        settings = b.settings(inbox_container=name, **LOOK).model_copy(update={"inbox_settle_seconds": 0})

        async def work(container):
            async with open_connections(settings) as opened, asyncio.timeout(PATIENCE_SECONDS):
                c = replace(opened, inbox=inbox(container=container))
                with sharing(c), begin_run(c, "r"):
                    return await render_inbox(await look_into_inbox(), plain_chain(), look_seconds=0.2)

        with ContainerClient.from_connection_string(b.connection_string, name) as container:
            container.create_container()
            for drop, text in texts.items():
                container.upload_blob(f"inbox/{drop}", text)
            report = asyncio.run(work(container))
            return report, set(container.list_blob_names())

    return start


HOSTILE_DEFAULTS = {
    "dotted": "a" + ".a" * 20_000 + " = 1",
    "deep": "a = " + "[" * 20_000,
    "digits": "bitrate_kbps = " + "1" * 5_000,
    "large": "# " + "x" * 400_000,
    "odd": "voice = 'v'",
}


@pytest.mark.parametrize("name", HOSTILE_DEFAULTS)
def test_the_defaults_of_one_folder_never_hold_up_the_drops_of_others(dropped, name):
    texts = {"odd/defaults.toml": HOSTILE_DEFAULTS[name], "odd/a.txt": "Hi.", "b.txt": "Hi.", "team/c.txt": "Hi."}

    report, left = dropped(texts, inbox=BreakingInbox if name == "odd" else Inbox)

    assert (report.archived, report.scripts) == (2, 3)
    [outcome] = (outcome for outcome in report.outcomes if outcome.script_id == "inbox/odd/defaults.toml")
    assert outcome.error.message
    assert left == {"inbox/odd/defaults.toml", "inbox/odd/a.txt", "processed/b.txt", "processed/team/c.txt"}


def with_letter(bench, change):
    """Read a dead letter for a replay after its blob was changed."""
    b = bench(faults=[FaultRule(operation="create", action=FailJob(code="BadRequest", message="No such gesture."))])
    b.render([script()])
    name = next(name for name in b.etags() if name.startswith("_failed/"))
    with b.container() as container:
        blob = container.get_blob_client(name)
        old, facts = blob.download_blob().readall(), blob.get_blob_properties().metadata
        blob.upload_blob(change(old), overwrite=True, metadata=facts)

    async def work():
        async with open_connections(b.settings()) as c:
            with sharing(c):
                return scripts_to_replay(await read_letters(await list_letters()), archive_id=c.archive.archive_id)

    return asyncio.run(work())


def test_a_dead_letter_larger_than_any_is_refused_before_it_is_parsed(quick):
    with pytest.raises(ArchiveRefused, match="is not read, because it has 4,000,001 bytes"):
        with_letter(quick, lambda old: old.ljust(MOST_RECORD_BYTES + 1))


def test_a_dead_letter_whose_script_has_a_link_that_is_none_does_not_hold_the_script(quick):
    def change(old):
        letter = json.loads(old)
        letter["script"]["background_image"] = "https://[bad"
        return json.dumps(letter)

    with pytest.raises(InputError, match="intro: the dead letter does not hold the whole script"):
        with_letter(quick, change)
