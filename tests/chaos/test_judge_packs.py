"""The judge of packs can condemn: what must not be is put there and named."""

from __future__ import annotations

import json

import pytest
from azure.storage.blob import ContainerClient

PACKED = ("--pack", "3")


def change_receipt(container, **changes):
    """Of the first script."""
    name = next(name for name in container.list_blob_names() if name.endswith("receipt.json"))
    blob = container.get_blob_client(name)
    blob.upload_blob(json.dumps(json.loads(blob.download_blob().readall()) | changes).encode(), overwrite=True)


def exchange_inputs(container, _):
    change_receipt(container, input=2)


def bear_too_much(container, _):
    change_receipt(container, billed_seconds=1000)


def mix_summaries(container, _):
    one, other = [name for name in container.list_blob_names() if name.endswith("summary.json")][:2]
    text = container.download_blob(other).readall()
    container.get_blob_client(one).upload_blob(text, overwrite=True)


def forget_a_video(_, staging):
    staging.get_blob_client("pack-0123456789abcdef-1/0001.mp4").upload_blob(b"video")


@pytest.mark.parametrize(
    ("breakage", "named"),
    [
        (exchange_inputs, r"names the input of another script(.|\n)*video has not the service's bytes"),
        (bear_too_much, r"pack-\w+-1: \d+ seconds in the receipts, \d billed"),
        (mix_summaries, r"summary has not the receipt's bytes(.|\n)*its summary is about 1 texts, or another one"),
        (forget_a_video, "0001.mp4: still in staging"),
    ],
)
def test_the_judge_sees_a_pack_that_was_archived_wrongly(arena, breakage, named):
    a = arena(packs=True)
    scripts = a.write_manifest(3, lengths=3)
    done = a.render(*PACKED)
    assert done.returncode == 0, done.stderr
    assert a.judge_packs(scripts).accepted_creates == 1
    with (
        ContainerClient.from_connection_string(a.connection_string, a.container_name) as container,
        ContainerClient.from_connection_string(a.connection_string, a.staging_name) as staging,
    ):
        breakage(container, staging)
    with pytest.raises(AssertionError, match=named):
        a.judge_packs(scripts)
