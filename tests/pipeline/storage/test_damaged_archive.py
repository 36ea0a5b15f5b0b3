"""An archive whose id is lost, unreadable or another: nothing is paid again, and `archive repair` gives it back."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from azure.storage.blob import ContentSettings

from batch_avatar.errors import BatchAvatarError
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for
from tests.pipeline.test_old_archive import ARCHIVED, BLOBS, OTHERS

OTHER_ID = json.dumps({"layout": 1, "archive_id": "0123456789abcdef"})
DAMAGES = {
    "deleted": None,
    "emptied": "",
    "a page": "<!DOCTYPE html><html></html>",
    "deep": "[" * 100_000,
    "another id": OTHER_ID,
    "no id": json.dumps({"layout": 1, "archive_id": "films"}),
    "nobody's id": json.dumps({"layout": 1, "archive_id": "0" * 16}),
    "a number": json.dumps({"layout": 1, "archive_id": 7}),
}


def damage(b, text, prefix=""):
    with b.container() as container:
        blob = container.get_blob_client(f"{prefix}_archive.json")
        if text is None:
            blob.delete_blob()
        else:
            blob.upload_blob(text, overwrite=True)


def accepted(b):
    return b.emulator.stats()["creates"]["accepted"]


def said(work):
    with pytest.raises(BatchAvatarError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize("kind", DAMAGES)
def test_nothing_is_sent_until_the_archive_is_repaired_and_then_nothing_is_paid_again(quick, script, tmp_path, kind):
    b = quick()
    scripts = [script("a"), script("b"), script("c")]
    b.render(scripts)
    before = b.blobs()["_archive.json"]
    damage(b, DAMAGES[kind])

    for sent in (scripts, [script("new")]):
        for work in (b.plan, b.render):
            error = said(lambda work=work, sent=sent: work(sent))
            assert "batch-avatar archive repair" in str(error)
            assert b.container_name in str(error)
    assert accepted(b) == 3

    done = b.command("archive", "repair", folder=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    after = json.loads(b.blobs()["_archive.json"])
    assert after["archive_id"] == json.loads(before)["archive_id"]
    assert b.render([*scripts, script("new")]).skipped == 3
    assert accepted(b) == 4


def test_the_command_says_that_nothing_was_sent_and_what_to_run(quick, script, written, tmp_path):
    b = quick()
    b.render([script("a")])
    damage(b, None)

    for command in ("render", "plan"):
        done = b.command(command, str(written(script("a")) / "scripts.jsonl"), folder=tmp_path)

        assert done.returncode == 2, done.stdout + done.stderr
        assert "Nothing was sent." in done.stderr
        assert "batch-avatar archive repair" in done.stderr
    assert accepted(b) == 1


def test_an_archive_in_order_is_left_as_it_is(quick, script, tmp_path):
    b = quick()
    b.render([script("a")])
    before = b.etags()

    done = b.command("archive", "repair", folder=tmp_path)

    assert done.returncode == 0
    assert "is in order" in done.stdout
    assert b.etags() == before


def test_where_there_is_no_archive_there_is_nothing_to_repair(quick, tmp_path):
    b = quick()

    done = b.command("archive", "repair", folder=tmp_path)

    assert done.returncode == 2
    assert "there is no archive" in done.stderr


def test_claims_of_two_ids_both_count_after_a_repair(quick, script, tmp_path):
    """A run of an earlier version may have gone on under another id."""
    b = quick()
    b.render([script("a"), script("b")])
    others = b.blobs()
    with b.container() as container:
        for name in others:
            container.delete_blob(name)
    b.render([script("c")])
    with b.container() as container:
        for name, content in others.items():
            if not name.startswith("_"):
                metadata = {"archive": json.loads(others["_archive.json"])["archive_id"]}
                sha256 = {"sha256": "0" * 64} if "/1/" in name else {}
                container.upload_blob(name, content, metadata=metadata | sha256)
    assert "archive repair" in str(said(lambda: b.plan([script("a")])))

    assert b.command("archive", "repair", folder=tmp_path).returncode == 0

    assert b.render([script("a"), script("b"), script("c")]).skipped == 3
    assert accepted(b) == 3


@pytest.fixture
def old(bench):
    """A bench with the archive of the first version, whose claims and receipts carry no id."""
    b = bench(list_lag_seconds=0)
    host = b.emulator.endpoint.removeprefix("http://")
    with b.container() as container:
        container.create_container()
        for blob in BLOBS:
            text = blob.get("text")
            content = base64.b64decode(blob["base64"]) if text is None else text.replace("RESOURCE", host).encode()
            md5 = None if text is not None else bytearray(base64.b64decode(blob["content_md5"]))
            container.upload_blob(
                blob["name"],
                content,
                metadata={name: value.replace("RESOURCE", host) for name, value in blob["metadata"].items()},
                content_settings=ContentSettings(content_type=blob["content_type"], content_md5=md5),
            )
    return b


@pytest.mark.parametrize("kind", ["deleted", "emptied"])
def test_an_old_archive_gets_a_new_id_and_nothing_of_it_is_paid_again(old, tmp_path, kind):
    settings = old.settings()
    scripts = read_scripts([ARCHIVED, OTHERS], defaults=settings.video_defaults(), wire=wire_for(settings.api_version))
    before = old.plan(scripts).counts()
    first = json.loads(old.blobs()["_archive.json"])["archive_id"]
    damage(old, DAMAGES[kind])
    assert "archive repair" in str(said(lambda: old.render(scripts)))

    assert old.command("archive", "repair", folder=tmp_path).returncode == 0

    assert json.loads(old.blobs()["_archive.json"])["archive_id"] != first
    assert old.plan(scripts).counts() == before
    report = old.render(scripts)
    assert (report.skipped, report.failed) == (12, 2)
    assert accepted(old) == 0


def test_a_changed_script_of_a_repaired_archive_is_rendered_and_another_revision_too(old, tmp_path):
    settings = old.settings()
    scripts = read_scripts([ARCHIVED], defaults=settings.video_defaults(), wire=wire_for(settings.api_version))
    damage(old, None)
    old.command("archive", "repair", folder=tmp_path)
    (first, *_) = scripts

    changed = old.plan([first.model_copy(update={"content": "Something else."})]).items[0]

    assert changed.state == "changed"


def test_a_job_in_flight_is_adopted_after_a_repair(bench, script, tmp_path):
    b = bench(list_lag_seconds=0)
    b.submit([script("a")])
    with b.container() as container:
        (claim,) = (blob for blob in container.list_blobs(include=["metadata"]) if blob.name.endswith("claim.json"))
        kept = {name: value for name, value in claim.metadata.items() if name != "archive"}
        container.get_blob_client(claim.name).set_blob_metadata(kept)  # as the first versions wrote it
    damage(b, None)
    assert b.command("archive", "repair", folder=tmp_path).returncode == 0

    assert b.render([script("a")]).archived == 1
    assert accepted(b) == 1


def test_a_new_archive_beside_a_known_one_is_told(quick, script, caplog):
    b = quick()
    b.render([script("a")], prefix="films/")
    assert "beside" not in caplog.text

    b.plan([script("a")], prefix="film/")

    assert "folder /film/, beside the one in folder /films/" in caplog.text
    caplog.clear()
    b.plan([script("a")], prefix="film/")
    assert "beside" not in caplog.text, "it is not new any more"


def test_two_runs_that_begin_a_new_archive_at_once_do_not_call_it_damaged(quick, script):
    b = quick()

    async def both():
        return await asyncio.gather(*(asyncio.to_thread(b.plan, [script("a")]) for _ in range(4)))

    for plan in asyncio.run(both()):
        assert plan.items[0].state == "new"
