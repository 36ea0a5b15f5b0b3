"""What is sent with a warning: the warning is told, and the script rendered as far as it goes."""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import date

from azure.storage.blob import ContainerClient

from batch_avatar.inbox.run import render_inbox
from batch_avatar.inbox.steps import look_into_inbox
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from tests.support.hurried_clock import HurriedClock
from tests.support.scripts import LOOK


def test_nobody_waits_for_subtitles_that_never_come(quick, script):
    b, clock = quick(), HurriedClock()
    mia = {"talking_avatar_character": "Mia", "talking_avatar_style": None, "customized": True, "voice": None}

    report = b.render([script(**mia, use_built_in_voice=True, subtitle_type="external_file")], clock=clock)

    assert report.archived == 1
    receipt = b.receipts()["intro"]
    assert (receipt["missing"], receipt["subtitles"]) == ([], None)
    assert receipt["summary"] is not None
    assert [seconds for seconds in clock.waited if seconds >= 2] == []


def test_plan_render_and_sweep_tell_what_is_withdrawn(quick, script, written):
    b = quick(withdrawals_as_of=date(2026, 11, 15))
    jeff = {"talking_avatar_character": "jeff", "talking_avatar_style": "formal"}
    folder = written(script("a", **jeff), script("b", **jeff), script("c", talking_avatar_style="casual-sitting"))

    planned = b.command("plan", "scripts.jsonl", "--json", folder=folder)
    rendered = b.command("render", "scripts.jsonl", folder=folder)
    swept = b.command("sweep", folder=folder)

    warnings = json.loads(planned.stdout)["warnings"]
    assert [(one["rule"], one["script_id"], one["line"]) for one in warnings] == [
        ("avatar-withdrawn", "a", 1),
        ("avatar-withdrawn", "b", 2),
    ]
    assert (planned.returncode, rendered.returncode, swept.returncode) == (0, 0, 0)
    for done in (planned, rendered, swept):
        [line] = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
        assert "avatar-withdrawn: jeff" in line
        assert "withdrawn in 2026-12; use another avatar" in line
        assert line.endswith("[2 scripts: a, b]")


def test_the_inbox_tells_a_kind_once_for_all_drops_of_a_look(quick, caplog):
    b, name = quick(), f"inbox-{secrets.token_hex(6)}"
    look = LOOK | {"talking_avatar_character": "rowan", "talking_avatar_style": "newest"}
    with ContainerClient.from_connection_string(b.connection_string, name) as client:
        client.create_container()
        client.upload_blob("inbox/a.txt", "Hi.")
        client.upload_blob("inbox/b.txt", "Hi.")

    async def work():
        settings = b.settings(inbox_container=name, **look).model_copy(update={"inbox_settle_seconds": 0})
        async with open_run(settings, "inbox"):
            return await render_inbox(await look_into_inbox(), plain_chain(), look_seconds=0.2)

    report = asyncio.run(work())

    assert report.scripts == 2
    [said] = [record.getMessage() for record in caplog.records if "style-unknown" in record.getMessage()]
    assert said.startswith("style-unknown: rowan has no style newest; it has none, so write unset")
    assert said.endswith("[BATCH_AVATAR_TALKING_AVATAR_STYLE]")


def test_avatars_without_style_are_rendered_without_one(quick, script):
    b, names = quick(), ["rowan", "celine", "nia", "malik", "harry"]

    report = b.render([script(name, talking_avatar_character=name, talking_avatar_style=None) for name in names])

    assert report.archived == len(names)


def test_a_member_that_is_not_known_here_is_rendered_and_never_paid_twice(quick, script):
    b, gaze = quick(), {"avatarConfig": {"gaze": {"left": [1, 2.5, None]}}}

    assert b.render([script(extra_properties=gaze)]).archived == 1
    assert b.render([script(extra_properties=gaze)]).skipped == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1
    [item] = b.plan([script()]).items
    assert item.state == "changed"
    assert "extra_properties" in item.told
