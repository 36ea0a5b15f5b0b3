"""A container that takes no second version of a blob: the run is refused before anything is created or paid."""

from __future__ import annotations

import re
import threading

import pytest

from batch_avatar.errors import BatchAvatarError
from tests.support.answering_road import AnsweringRoad
from tests.support.road import Traveller


class WriteOnceRoad(AnsweringRoad):
    """Refuses to overwrite claims, and shows a policy in the container's properties if it is told to."""

    def __init__(self, storage_url):
        super().__init__(storage_url)
        self.RequestHandlerClass = _WriteOnce
        self.shown: dict[str, str] = {}
        self.code: str | None = "BlobImmutableDueToPolicy"
        self.overwrites = 0
        self.lock = threading.Lock()


class _WriteOnce(Traveller):
    def travel(self):
        path = self.path.split("?")[0]
        if self.server.code and self.command == "PUT" and path.endswith("claim.json") and self.headers.get("If-Match"):
            with self.server.lock:
                self.server.overwrites += 1
            self.answer(409, [("x-ms-error-code", self.server.code)], b"")
            return
        status, headers, content = self.forward()
        if self.command in ("GET", "HEAD") and "restype=container" in self.path and "comp=" not in self.path:
            headers = [(name, value) for name, value in headers if name.lower() not in self.server.shown]
            headers += list(self.server.shown.items())
        self.answer(status, headers, content)


@pytest.fixture
def road(azurite):
    with WriteOnceRoad(azurite.url) as running:
        yield running


@pytest.mark.parametrize("code", ["BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"])
def test_a_claim_that_cannot_be_overwritten_ends_the_run_before_any_create(by_road, road, script, code):
    road.code = code

    report = by_road.render([script(f"s{number}") for number in range(5)])

    assert (report.unfinished, by_road.emulator.stats()["creates"]["accepted"]) == (5, 0)
    for outcome in report.outcomes:
        assert by_road.container_name in outcome.error.message
        assert code in outcome.error.message
    assert road.overwrites <= 5
    road.code = None
    assert by_road.render([script("s0")], claim_seconds=4, request_timeout_seconds=1).archived == 1


@pytest.mark.parametrize("header", ["x-ms-has-immutability-policy", "x-ms-has-legal-hold"])
def test_a_policy_that_the_container_shows_refuses_the_run_before_anything_is_written(by_road, road, script, header):
    with by_road.container() as container:
        container.create_container()
    road.shown, road.code = {header: "true"}, None

    with pytest.raises(BatchAvatarError) as caught:
        by_road.render([script("a")])

    assert by_road.container_name in str(caught.value)
    assert "write-once" in str(caught.value)
    assert by_road.blobs() == {}
    assert by_road.emulator.stats()["creates"]["accepted"] == 0


def test_what_is_in_such_a_container_can_still_be_checked(by_road, road, script, tmp_path):
    road.code = None
    by_road.render([script("a")])
    road.shown = {"x-ms-has-immutability-policy": "true"}

    assert by_road.command("archive", "verify", folder=tmp_path).returncode == 0


def test_a_container_whose_properties_may_not_be_read_is_used(by_road, road, script):
    road.code = None
    assert by_road.render([script("a")]).archived == 1


@pytest.mark.parametrize("pattern", [r"a/.*/receipt\.json", r"a/.*/video\.mp4", r"a/.*/summary\.json"])
@pytest.mark.parametrize("quick_check", [True, False])
def test_a_blob_in_the_archive_tier_is_named_and_not_called_broken(quick, script, tmp_path, pattern, quick_check):
    b = quick()
    b.render([script("a"), script("b")])
    with b.container() as container:
        (name,) = (blob.name for blob in container.list_blobs() if re.fullmatch(pattern, blob.name))
        container.get_blob_client(name).set_standard_blob_tier("Archive")

    done = b.command("archive", "verify", *(["--quick"] if quick_check else []), folder=tmp_path)

    assert "tier" in done.stdout
    assert "Archive" in done.stdout
    assert "delete" not in done.stdout
    assert "damaged" not in done.stdout.lower()
