"""Pictures behind links that are signed anew each day are paid for once, also where an earlier version began."""

from __future__ import annotations

import asyncio
import json

import pytest

from batch_avatar.identity import content_ids
from batch_avatar.rendering import stages
from batch_avatar.rendering.connect import open_run

PICTURE = "https://pictures.example/sky.png"
SIGNED = {
    "s3": "X-Amz-Algorithm=A&X-Amz-Credential=C&X-Amz-Date=2026112{day}T09&X-Amz-Expires=3600&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=canary{day}",
    "azure-in-capitals": "SV=2024-11-04&SE=2026-11-2{day}&SR=b&SP=r&SIG=canary{day}",
    "cloudfront": "Expires={day}&Signature=canary{day}&Key-Pair-Id=K",
}


def signed(script, name, day):
    return script(name, background_image=f"{PICTURE}?{SIGNED[name].replace('{day}', str(day))}")


def test_three_days_of_three_signed_pictures_are_three_creates(quick, script):
    b = quick()

    reports = [b.render([signed(script, name, day) for name in SIGNED]) for day in (1, 2, 3)]

    assert [(report.archived, report.skipped) for report in reports] == [(3, 0), (0, 3), (0, 3)]
    assert len(b.accepted()) == 3
    assert "canary" not in json.dumps([b.claim(name) for name in SIGNED])


@pytest.mark.parametrize("name", SIGNED)
def test_what_an_earlier_version_has_sent_under_its_own_id_is_adopted_and_archived_under_that_id(quick, script, name):
    b, one = quick(), signed(script, name, 1)

    async def send_as_the_earlier_version():
        async with open_run(b.settings(), "earlier") as run:
            _, earlier = content_ids(one, archive_id=run.connections.archive.archive_id)
            run.content_ids[name] = earlier
            await stages.submit(one)
            return earlier

    earlier = asyncio.run(send_as_the_earlier_version())

    assert b.render([one]).archived == 1
    assert b.receipts()[name]["content_id"] == earlier
    assert b.render([one]).skipped == 1
    assert len(b.accepted()) == 1
