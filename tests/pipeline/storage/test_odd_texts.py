"""Texts of the service that fit into no header and no UTF-8: videos are archived and letters written all the same."""

from __future__ import annotations

import asyncio
import json
import secrets

import pytest

from batch_avatar.errors import BatchAvatarError, RequestRefused
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.settings import load_settings
from tests.support.road import Road, Traveller

HALF = "\ud83d"  # the first half of a surrogate pair, as JSON can hold it and UTF-8 cannot


def changing(change):
    """A traveller that changes the JSON of every job on its way."""

    class Changing(Traveller):
        def travel(self):
            status, headers, content = self.forward()
            if content[:1] == b"{":
                body = json.loads(content)
                for job in body.get("value", [body]):
                    change(job, self.command)
                content = json.dumps(body).encode()
            self.answer(status, headers, content)

    return Changing


def render(b, road, scripts):
    settings = load_settings(
        endpoint=road.url,
        speech_key=b.emulator.key,
        storage_connection_string=b.connection_string,
        container=b.container_name,
        creates_per_minute=0,
        poll_interval_seconds=0.2,
    )

    async def work():
        async with open_run(settings, secrets.token_hex(4)):
            return await render_scripts(scripts, plain_chain())

    return asyncio.run(work())


@pytest.mark.parametrize(
    "internal_id", ["x" * 9000, "größe 日本 🎬", "a\r\nb: c", HALF, " ", "%41"], ids=lambda text: ascii(text[:12])
)
def test_an_internal_id_of_any_kind_does_not_keep_a_video_from_its_archive(quick, script, internal_id):
    b = quick()

    def change(job, _):
        if "internalId" in job:
            job["internalId"] = internal_id

    with Road(b.emulator.endpoint, changing(change)) as road:
        report = render(b, road, [script("intro")])

        assert report.archived == 1, report.outcomes[0]
        b.delete_blob(r"intro/.*/receipt\.json")
        again = render(b, road, [script("intro")])

    assert (again.failed, again.unfinished) == (0, 0), again.outcomes[0]
    assert b.emulator.stats()["creates"]["accepted"] == 1
    assert b.receipts()["intro"]["attempt"] == 1


def test_half_a_surrogate_pair_in_a_refusal_does_not_keep_it_from_its_letter_and_report(quick, script):
    b = quick()

    def change(job, _):
        if "error" in job:
            job["error"] = {"code": "BadRequest", "message": f"no such voice {HALF}"}

    odd = script("intro", talking_avatar_character="nobody")
    with Road(b.emulator.endpoint, changing(change)) as road:
        report = render(b, road, [odd])

    assert report.failed == 1, report.outcomes[0]
    assert "no such voice" in b.letters()["intro"]["failure"]["message"]
    assert any(name.endswith("report.json") for name in b.blobs())


@pytest.mark.parametrize("kind", [BatchAvatarError, RequestRefused])
def test_the_text_of_an_error_is_text_that_can_be_written(kind):
    error = kind(f"said {HALF}", code=f"C{HALF}", request_id="r-1")

    assert str(error).encode() == b"C\\ud83d: said \\ud83d [request r-1]"
