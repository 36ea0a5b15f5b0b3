"""The judge can condemn: each thing that must not be is put there once, and named."""

from __future__ import annotations

import asyncio
import json

import pytest
from azure.storage.blob import ContainerClient

from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.settings import load_settings


class SendsTwice:
    """A client that sends every create once more, before the one whose answer it gives."""

    def __init__(self, inner, rename):
        self._inner = inner
        self._rename = rename

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def create(self, script, *, job_id, **about):
        self._inner.create(script, job_id=self._rename(job_id), **about)
        return self._inner.create(script, job_id=job_id, **about)


@pytest.fixture
def settled(arena, monkeypatch):
    """`settled(wrap, **options)`: one script, rendered in this process."""

    def start(wrap=lambda client: client, **options):
        a = arena(**options)
        scripts = a.write_manifest(1)
        for name, value in a.environment("here").items():
            monkeypatch.setenv(name, value)
        settings = load_settings()
        wanted = read_scripts([a.folder / "scripts.jsonl"], defaults={}, wire=wire_for(settings.api_version))

        async def work():
            async with open_run(settings, "here") as run:
                for resource in run.connections.resources.values():
                    resource.client = wrap(resource.client)
                return await render_scripts(wanted, plain_chain())

        report = asyncio.run(work())
        assert report.unfinished == 0
        return a, scripts

    return start


def blob_name(container, ending):
    return next(name for name in container.list_blob_names() if name.endswith(ending))


def test_the_judge_sees_a_script_that_was_sent_twice(settled):
    a, scripts = settled(lambda client: SendsTwice(client, str), repeat_put="replace")
    with pytest.raises(AssertionError, match=r"s000-\w+-1: 2 accepted creates\n +s000: 2 accepted creates, 1 due"):
        a.judge(scripts)


def test_the_judge_sees_a_script_that_was_sent_under_two_names(settled):
    a, scripts = settled(lambda client: SendsTwice(client, lambda job_id: f"{job_id[:-1]}2"))
    a.await_ends()  # nobody has waited for the second
    told = r"s000: 2 accepted creates, 1 due\n +2 s billed for 1 s of video\n +job s000-\w+-2 is left"
    with pytest.raises(AssertionError, match=told):
        a.judge(scripts)


def test_the_judge_sees_a_job_that_was_left(settled):
    a, scripts = settled(faults=(FaultRule(operation="delete", action=Status(status=400)),))
    with pytest.raises(AssertionError, match=r"job s000-\w+-1 is left"):
        a.judge(scripts)


def test_the_judge_sees_a_script_that_is_missing(settled):
    a, scripts = settled()
    with pytest.raises(AssertionError, match=r"s001: 0 receipts(.|\n)*no claim for s001"):
        a.judge([*scripts, "s001"])


def change_video(container):
    blob = container.get_blob_client(blob_name(container, "video.mp4"))
    blob.upload_blob(blob.download_blob().readall()[:-1] + b"!", overwrite=True)


def delete_summary(container):
    container.delete_blob(blob_name(container, "summary.json"))


def delete_receipt(container):
    container.delete_blob(blob_name(container, "receipt.json"))


def forget_acceptance(container):
    blob = container.get_blob_client(blob_name(container, "claim.json"))
    claim = json.loads(blob.download_blob().readall())
    claim["attempts"][-1]["accepted_at"] = None
    blob.upload_blob(json.dumps(claim).encode(), overwrite=True)


def stage_half(container):
    container.get_blob_client("s000/video.mp4").stage_block("MDAw", b"half")


@pytest.mark.parametrize(
    ("breakage", "named"),
    [
        (change_video, r"video has not the receipt's bytes(.|\n)*video has not the service's bytes"),
        (delete_summary, "summary is named by the receipt and is not in the archive"),
        (delete_receipt, r"s000: 0 receipts(.|\n)*video without a receipt(.|\n)*no receipt beside it"),
        (forget_acceptance, "claim.json: stale"),
        (stage_half, "s000/video.mp4: uncommitted"),
    ],
)
def test_the_judge_sees_an_archive_that_is_not_true(settled, breakage, named):
    a, scripts = settled()
    assert a.judge(scripts).violations == ()
    with ContainerClient.from_connection_string(a.connection_string, a.container_name) as container:
        breakage(container)
    with pytest.raises(AssertionError, match=named):
        a.judge(scripts)
