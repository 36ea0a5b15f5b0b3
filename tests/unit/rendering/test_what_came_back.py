"""A video of another avatar, or one that was cut: archived with its doubt, its job kept, and the report says so."""

import asyncio
import json
from datetime import date

import pytest

from batch_avatar.commands.terminal.running import report_code
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from tests.support.scripts import script

SUBSTITUTE = {"withdrawn_avatars": "substitute", "withdrawals_as_of": date(2027, 1, 1)}
SLOW = {"minimal_characters_per_second": 0.01}
WITHDRAWN = {"talking_avatar_character": "Lisa", "talking_avatar_style": "graceful-sitting"}


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
@pytest.mark.parametrize(
    ("options", "members", "doubt"), [(SUBSTITUTE, WITHDRAWN, "avatar"), (SLOW, {}, "cut")], ids=["avatar", "cut"]
)
async def test_it_is_archived_as_doubtful_and_its_job_is_kept(bench, options, members, doubt, api_version):
    b = bench(**options)
    async with b.open(api_version=api_version) as run:
        report = await render_scripts([script("intro", **members)], plain_chain())

        assert not report.outcomes[0].error
        (receipt,) = (json.loads(blob) for name, blob in b.blobs().items() if name.endswith("/receipt.json"))
        assert receipt["video"]["doubtful"] == [doubt]
        assert report.outcomes[0].note == f"doubtful {doubt}: look at the video; its remote job is kept"
        assert (report.all_archived, report.doubtful, report_code(report)) == (True, 1, 4)
        assert report.sums == "1 scripts: 1 archived (1 of them doubtful), 0 archived before, 0 failed, 0 unfinished"
        await asyncio.to_thread(run.connections.resource_of("").client.get, receipt["service_id"])
