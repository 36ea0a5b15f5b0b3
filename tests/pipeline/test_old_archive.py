"""An archive that the first version wrote is read by this one, and costs nothing. Its blobs lie in tests/data."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient, ContentSettings

from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for

DATA = Path(__file__).parents[1] / "data" / "archive-layout-1"
ARCHIVED, OTHERS = DATA / "archived.jsonl", DATA / "others.jsonl"
BLOBS = json.loads((DATA / "blobs.json").read_text(encoding="utf-8"))


@pytest.fixture
def old(bench):
    """A bench with the old archive in its container, and a service that knows none of its jobs."""
    b = bench(list_lag_seconds=0)
    host = b.emulator.endpoint.removeprefix("http://")
    with ContainerClient.from_connection_string(b.connection_string, b.container_name) as container:
        container.create_container()
        for blob in BLOBS:
            text = blob.get("text")
            content = base64.b64decode(blob["base64"]) if text is None else text.replace("RESOURCE", host).encode()
            container.upload_blob(
                blob["name"],
                content,
                metadata={name: value.replace("RESOURCE", host) for name, value in blob["metadata"].items()},
                content_settings=ContentSettings(
                    content_type=blob["content_type"],
                    content_md5=bytearray(base64.b64decode(blob["content_md5"])) if text is None else None,
                ),
            )
    return b


def scripts_of(b, *sources):
    settings = b.settings()
    return read_scripts(sources, defaults=settings.video_defaults(), wire=wire_for(settings.api_version))


def test_every_script_of_an_old_archive_is_known_as_what_it_was(old):
    found = {name.rsplit("/", 1)[0] for name in receipts()}

    items = {item.script_id: item for item in old.plan(scripts_of(old, ARCHIVED, OTHERS)).items}

    states = {name: str(item.state) for name, item in items.items()}
    assert (states.pop("refused"), states.pop("lost")) == ("dead", "lost")
    assert (len(states), set(states.values())) == (12, {"archived"})
    assert {f"{name}/{items[name].content_id}" for name in states} < found
    assert len(found) == 13, "one script was rendered in two revisions"


def test_a_run_over_an_old_archive_creates_nothing_and_changes_nothing_in_it(old):
    before = old.etags()

    report = old.render(scripts_of(old, ARCHIVED, OTHERS))

    assert (report.skipped, report.failed, report.scripts) == (12, 2, 14)
    assert old.emulator.stats()["creates"]["accepted"] == 0
    assert {name: etag for name, etag in old.etags().items() if not name.startswith("_runs/")} == before


def test_every_video_of_an_old_archive_is_as_its_receipt_says(old, tmp_path):
    done = old.command("archive", "verify", folder=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "13 receipts: 13 in order, 0 with faults" in done.stdout


def receipts():
    """Names of all receipts in the old archive."""
    return [blob["name"] for blob in BLOBS if blob["name"].endswith("/receipt.json")]


def test_the_costs_of_an_old_archive_are_its_videos_and_what_is_not_told_is_counted(old, tmp_path):
    done = old.command("costs", "--json", folder=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    total = json.loads(done.stdout)["total"]
    assert (total["videos"], total["characters"], total["characters_not_told"]) == (13, 0, 13)
    assert total["seconds"] > 0
    assert total["cost"] is None
