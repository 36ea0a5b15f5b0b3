"""In which order scripts are sent: the longest first, or as they were given."""

from __future__ import annotations

import asyncio
import json

import pytest

from batch_avatar.planning.order import Order
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts

LENGTHS = {"a": 2, "b": 9, "c": 1, "d": 5}
"""Of each script, so many sentences."""
ONE_BY_ONE = {"max_unfinished_jobs": 1, "poll_interval_seconds": 0.05}
"""Each is sent when the one before it has ended, so that they arrive as they leave."""


def scripts_of(script):
    sentence = "The rainbow has seven colors. "
    return [script(name, content=f"{name}: {sentence * count}") for name, count in LENGTHS.items()]


def render(b, scripts, **options):
    async def work():
        async with open_run(b.settings(**ONE_BY_ONE), "r"):
            return await render_scripts(scripts, plain_chain(), **options)

    return asyncio.run(work())


def sent(b):
    """What the service took, in that order."""
    return [request["job_id"] for request in b.emulator.requests("create") if request["status"] == 201]


def first_letters(names):
    return "".join(name[0] for name in names)


@pytest.mark.parametrize(("order", "expected"), [(Order.LONGEST, "bdac"), (Order.MANIFEST, "abcd")])
def test_scripts_are_sent_in_the_order_that_is_asked_for_and_told_as_given(quick, script, order, expected):
    b = quick()
    report = render(b, scripts_of(script), order=order)

    assert first_letters(sent(b)) == expected
    assert [one.script_id for one in report.outcomes] == list(LENGTHS)


@pytest.mark.parametrize(("options", "expected"), [((), "bdac"), (("--order", "manifest"), "abcd")])
def test_the_command_sends_the_longest_first_unless_told_otherwise(quick, script, written, options, expected):
    b = quick()
    b.overrides |= ONE_BY_ONE
    done = b.command("render", "scripts.jsonl", *options, "--json", folder=written(*scripts_of(script)))

    assert done.returncode == 0, done.stderr
    assert first_letters(sent(b)) == expected
    assert [one["script_id"] for one in json.loads(done.stdout)["outcomes"]] == list(LENGTHS)


def test_an_order_that_does_not_exist_is_refused(quick, script, written):
    b = quick()
    done = b.command("render", "scripts.jsonl", "--order", "shortest", folder=written(script()))

    assert done.returncode == 2
    assert b.emulator.stats()["requests"] == {}


@pytest.mark.parametrize(("order", "expected"), [(Order.LONGEST, "bdac"), (Order.MANIFEST, "abcd")])
def test_packs_and_their_inputs_are_in_the_order_that_is_asked_for(quick, script, order, expected):
    b = quick()
    b.overrides["staging_container"] = f"{b.container_name}-staging"
    render(b, scripts_of(script), order=order, pack=2)

    inputs = {(receipt["job_id"], receipt["input"]): name for name, receipt in b.receipts().items()}
    assert "".join(inputs[job_id, number] for job_id in sent(b) for number in (1, 2)) == expected
