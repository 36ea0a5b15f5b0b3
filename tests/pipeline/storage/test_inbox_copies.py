"""A drop that the storage does not copy, although it lists it: the run ends, and the drop stays for the next one."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from azure.storage.blob import ContainerClient

from batch_avatar.inbox.run import render_inbox
from batch_avatar.inbox.steps import look_into_inbox
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from tests.support.answering_road import AnsweringRoad, ends
from tests.support.scripts import LOOK

FAR_TOO_MANY = 8
"""After so many answers the road lets all pass, so that a run that never ends by itself ends all the same."""
COPY = ends("PUT", "/processed/intro.txt")


@pytest.fixture
def road(azurite):
    with AnsweringRoad(azurite.url) as running:
        yield running


@pytest.mark.parametrize(("code", "status"), [("CannotVerifyCopySource", 404), ("SourceConditionNotMet", 412)])
def test_a_drop_whose_copy_is_refused_though_it_has_not_changed_is_taken_once_in_a_run(by_road, road, code, status):
    name = f"inbox-{secrets.token_hex(6)}"
    settings = by_road.settings(inbox_container=name, **LOOK).model_copy(update={"inbox_settle_seconds": 0})

    async def work():
        async with open_run(settings, secrets.token_hex(4)):
            return await render_inbox(await look_into_inbox(), plain_chain(), look_seconds=0.1)

    with ContainerClient.from_connection_string(by_road.connection_string, name) as inbox:
        inbox.create_container()
        inbox.upload_blob("inbox/intro.txt", "Hi.")
        road.refuse(COPY, code, status, times=FAR_TOO_MANY)

        report = asyncio.run(work())

        assert road.seen.count(COPY) == 1
        assert [(one.script_id, one.outcome) for one in report.outcomes] == [("intro", "archived")]
        assert list(inbox.list_blob_names()) == ["inbox/intro.txt"]
        road.honest()
        assert asyncio.run(work()).skipped == 1
        assert list(inbox.list_blob_names()) == ["processed/intro.txt"]
    assert by_road.emulator.stats()["creates"]["accepted"] == 1
