"""What a run finds out before it sends anything: the state of every script, at a price that does not grow with them."""

from __future__ import annotations

import http.client
import json
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import pytest

from batch_avatar.archive.index import claim_metadata, receipt_metadata
from batch_avatar.archive.records import Claim
from batch_avatar.emulator.faults import AbortJob, FaultRule, Status, StickJob
from batch_avatar.errors import AccessRefused
from batch_avatar.identity import derive_content_id, derive_job_id, form_digests, mark_description, recorded_form
from batch_avatar.planning.permits import Permits
from batch_avatar.receipt import Attempt, Receipt, StoredBlob
from batch_avatar.rendering.stages import SIDE_FILE_DELAYS_SECONDS
from tests.support.hurried_clock import HurriedClock
from tests.support.signing import signed_url

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
BLOBS_A_PAGE = 5000  # the storage's own maximum
KEPT = FaultRule(operation="delete", action=Status(status=400, code="NotNow"))
"""The service deletes nothing, so that jobs stay behind."""


def test_every_state_of_a_script_is_told_by_plan_and_command_and_nothing_is_changed(quick, script, written):
    stuck = FaultRule(operation="create", job_id="^(alive|lost)-", action=StickJob(status="Running"))
    refused = Status(status=400, code="BadRequest", message="Not here.")
    forbidden = Status(status=403, code="Forbidden")
    b = quick(
        faults=(
            stuck,
            FaultRule(operation="create", job_id="^dead-", action=refused),
            FaultRule(operation="create", job_id="^claimed-", action=forbidden),
        )
    )
    names = ("archived", "alive", "claimed", "dead", "lost", "damaged", "changed", "new")
    scripts = {name: script(name) for name in names}
    b.render([scripts["archived"], scripts["damaged"], script("changed", voice="de-DE-KatjaNeural"), scripts["dead"]])
    alive, lost = b.submit([scripts["alive"], scripts["lost"]])
    b.emulator.release(lost.job_id)
    b.delete_job(lost.job_id)
    with pytest.raises(AccessRefused):
        b.submit([scripts["claimed"]])
    b.delete_blob("damaged/.*/video.mp4")
    before, asked = b.etags(), b.emulator.stats()["requests"]

    planned = {item.script_id: item for item in b.plan(list(scripts.values())).items}
    shown = b.command("plan", "scripts.jsonl", folder=written(*scripts.values()))
    listed = b.command("plan", "scripts.jsonl", "--json", folder=written(*scripts.values()))

    assert {name: item.state for name, item in planned.items()} == {name: name for name in names}
    (archived,) = {receipt["content_id"] for name, receipt in b.receipts().items() if name == "changed"}
    told = {
        "archived": None,
        "alive": f"{alive.job_id} is Running",
        "claimed": None,
        "dead": "BadRequest: BadRequest: Not here.",
        "lost": f"{lost.job_id} is not in the job list",
        "damaged": "the receipt's video is not in the archive",
        "changed": f"voice differs from what was archived as {archived}",
        "new": None,
    }
    for row in json.loads(listed.stdout)["scripts"]:
        name = row["script_id"]
        assert (row["state"], row["content_id"], row["detail"]) == (
            name,
            planned[name].content_id,
            planned[name].told,
        )
        assert (row["detail"] or "").startswith(told[name] or ""), name
        assert re.search(
            rf"^{name} +{row['action']} +{name} *({re.escape(told[name] or '')}|$)", shown.stdout, re.MULTILINE
        ), name
    actions = {row["script_id"]: row["action"] for row in json.loads(listed.stdout)["scripts"]}
    assert actions == {
        "archived": "skip", "alive": "adopt", "claimed": "create", "dead": "refuse", "lost": "refuse",
        "damaged": "refuse", "changed": "refuse", "new": "create",
    }  # fmt: skip
    assert "8 scripts: 2 to create, 1 to adopt, 1 archived, 4 refused" in shown.stdout
    assert (shown.returncode, listed.returncode) == (0, 0)
    assert b.etags() == before
    later = b.emulator.stats()["requests"]
    assert later.pop("list")["200"] - asked.pop("list")["200"] == 3
    assert later == asked


class Stock:
    """Fills an archive with what earlier runs would have left there, past the storage SDK, which takes 3 ms a blob."""

    def __init__(self, bench):
        bench.plan([])  # the archive gets its id
        self._resource = bench.settings().all_resources()[0].host
        with bench.container() as container:
            self.archive_id = json.loads(container.download_blob("_archive.json").readall())["archive_id"]
            url = urlsplit(signed_url(container, permission="cw"))
        self._host, self._path = url.netloc, f"{url.path}/{{}}?{url.query}"
        self._lane = threading.local()
        self._lanes = []
        self.blobs = []

    def claim(self, script, *, accepted=True):
        content_id = derive_content_id(script, archive_id=self.archive_id)
        job_id = derive_job_id(script.script_id, content_id, 1)
        claim = Claim(
            script_id=script.script_id,
            content_id=content_id,
            run="earlier",
            holder="earlier",
            resource=self._resource,
            api_version="2024-08-01",
            form=recorded_form(script),
            attempts=(Attempt(number=1, job_id=job_id, accepted_at=NOW if accepted else None),),
        )
        folder = f"{script.script_id}/{content_id}"
        self.blobs.append((f"{folder}/claim.json", claim.model_dump_json(), claim_metadata(claim)))
        return claim

    def archived(self, script, *, video=True):
        claim = self.claim(script)
        folder = f"{claim.script_id}/{claim.content_id}"
        stored = StoredBlob(
            blob_name=f"{folder}/1/video.mp4", size_bytes=1, sha256="0", content_md5="0", content_type="video/mp4"
        )
        receipt = Receipt(
            **claim.ref().model_dump(exclude={"resource"}),
            run="earlier",
            resource=claim.resource,
            api_version=claim.api_version,
            archived_at=NOW,
            video=stored,
            form=form_digests(claim.form),
        )
        self.blobs.append((f"{folder}/receipt.json", receipt.model_dump_json(), receipt_metadata(receipt)))
        if video:
            self.blobs.append((stored.blob_name, "v", {}))

    def write(self):
        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(self._put, self.blobs)) == {201}
        for lane in self._lanes:
            lane.close()

    def _put(self, blob):
        name, text, metadata = blob
        if not hasattr(self._lane, "connection"):
            self._lane.connection = http.client.HTTPConnection(self._host, timeout=30)
            self._lanes.append(self._lane.connection)
        headers = {"x-ms-blob-type": "BlockBlob"} | {f"x-ms-meta-{key}": value for key, value in metadata.items()}
        self._lane.connection.request("PUT", self._path.format(quote(name)), text.encode(), headers)
        answer = self._lane.connection.getresponse()
        answer.read()
        return answer.status


class Wire:
    """What went over the wire to the archive's account and to the service, from urllib3's log."""

    def __init__(self, caplog):
        self._caplog = caplog
        caplog.set_level(logging.DEBUG, "urllib3.connectionpool")

    def taken(self):
        """Method and path without query since the last call, in order."""
        found = [re.search(r'"([A-Z]+) ([^ ?]+)\S* HTTP', record.getMessage()) for record in self._caplog.records]
        self._caplog.clear()
        return [(match[1], match[2]) for match in found if match and not match[2].startswith("/svcaccount/")]


def opened(container, *, sample=1):
    """What opening an archive takes: its properties, its id, what lies at its top, and a sample of its scripts.

    The sample ends at the first script that says which archive it is of. At most three are read.
    """
    return [("GET", container), ("GET", f"{container}/_archive.json"), *(1 + sample) * [("GET", container)]]


def test_two_thousand_scripts_are_planned_with_a_request_per_page(quick, script, caplog):
    b = quick(
        page_size_limit=10,
        oversized_page="clamp",
        faults=(FaultRule(operation="create", action=AbortJob(after_seconds=10_000)),),
    )
    scripts = [script(f"s{number:04d}") for number in range(2000)]
    stock = Stock(b)
    for one in scripts[:1600]:
        stock.archived(one)
    for one in scripts[1600:1700]:
        stock.archived(one.model_copy(update={"content": "Before."}))
    for one in scripts[1700:1800]:
        stock.archived(one, video=False)
    for one in scripts[1800:1850]:
        stock.claim(one)
    for one in scripts[1850:1900]:
        stock.claim(one, accepted=False)
    for one in scripts[1900:1925]:
        claim = stock.claim(one)
        b.put_job(claim.last.job_id, description=mark_description(None, stock.archive_id))
    stock.write()
    wire = Wire(caplog)
    wire.taken()

    plan = b.plan(scripts)

    expected = {"archived": 1600, "alive": 25, "claimed": 50, "lost": 50, "damaged": 100, "changed": 100, "new": 75}
    assert plan.counts() == expected
    container = f"/useraccount/{b.container_name}"
    blob_pages = -(-(len(stock.blobs) + 1) // BLOBS_A_PAGE)
    assert blob_pages == 2
    jobs = [("GET", "/avatar/batchsyntheses")] + 2 * [("GET", "/avatar/batchsyntheses/")]
    listing = blob_pages * [("GET", container)]
    assert wire.taken() == [*opened(container, sample=3), *jobs, *listing]

    b.plan(scripts[:100])
    assert wire.taken() == [*opened(container, sample=3), *jobs, *listing]

    report = b.render(scripts[:1600])
    assert (report.skipped, report.billed_seconds) == (1600, 0)
    written = 2 * [("PUT", f"{container}/_runs/{report.run}/report.json")]  # its only block, and the list of blocks
    assert wire.taken() == [*opened(container, sample=3), *jobs, *listing, *written]


def test_few_scripts_of_a_large_archive_are_looked_up_one_by_one(quick, script, caplog):
    b = quick()
    scripts = [script(f"s{number}") for number in range(3)]
    b.render(scripts)
    wire = Wire(caplog)
    assert b.plan(scripts).counts() == {"archived": 3}
    container = f"/useraccount/{b.container_name}"
    listing = 5 * [("GET", container)]  # each script, the dead letters, and the packs
    assert wire.taken() == [*opened(container), ("GET", "/avatar/batchsyntheses"), *listing]


CHANGES = {
    "one": ({"voice": "de-DE-KatjaNeural"}, "voice differs"),
    "two": ({"content": "Something else.", "rate": "fast"}, "content, rate differ"),
    "gone": ({"style": None}, "style differs"),
    "many": (
        {"video_format": "webm", "background_color": "#00000000", "talking_avatar_style": "another"},
        "background_color, talking_avatar_style, video_format differ",
    ),
}


def test_changed_scripts_are_told_with_the_members_that_differ(quick, script):
    b = quick()
    before = {name: script(name, **({"style": "cheerful"} if name == "gone" else {})) for name in CHANGES}
    b.render(list(before.values()))
    archived = {name: receipt["content_id"] for name, receipt in b.receipts().items()}

    plan = b.plan([before[name].model_copy(update=change) for name, (change, _) in CHANGES.items()])

    for item in plan.items:
        name = item.script_id
        assert item.state == "changed"
        assert item.detail == f"{CHANGES[name][1]} from what was archived as {archived[name]}"


def test_what_decides_neither_picture_nor_sound_changes_no_script(quick, script):
    b = quick()
    b.render([script()])
    text = script().content
    same = script(description="For the landing page.", time_to_live_in_hours=5, content=f"{text}\n")
    assert b.plan([same]).counts() == {"archived": 1}
    assert b.render([same]).skipped == 1


def test_a_receipt_that_is_missing_is_rebuilt_without_a_create_or_a_download(quick, script):
    b = quick(storage_front=True)
    scripts = [script("one"), script("two", subtitle_type="external_file")]
    b.render(scripts)
    first, downloads = b.receipts(), len(b.emulator.requests("download"))
    for name in first:
        b.delete_blob(f"{name}/.*/receipt.json")
    assert {item.detail for item in b.plan(scripts).items} == {"a video without a receipt; the receipt is rebuilt"}

    report = b.render(scripts)

    assert report.skipped == 2
    assert b.emulator.stats()["creates"]["accepted"] == 2
    assert len(b.emulator.requests("download")) == downloads
    rebuilt = b.receipts()
    kept = (
        "attempt", "job_id", "service_id", "internal_id", "created_at", "duration_milliseconds", "billed_seconds",
        "billed_characters", "video", "summary", "subtitles", "missing", "attempts", "form", "resource",
    )  # fmt: skip
    assert {name: {member: rebuilt[name][member] for member in kept} for name in rebuilt} == {
        name: {member: first[name][member] for member in kept} for name in first
    }
    assert b.plan(scripts).counts() == {"archived": 2}


def test_a_receipt_that_is_missing_while_the_job_is_there_costs_no_create_and_no_download(quick, script):
    b = quick(storage_front=True, faults=(KEPT,))
    b.render([script()])
    first, downloads = b.receipts()["intro"], len(b.emulator.requests("download"))
    b.delete_blob("intro/.*/receipt.json")
    b.emulator.clear_faults()

    report = b.render([script()])

    assert report.all_archived
    assert b.emulator.stats()["creates"]["accepted"] == 1
    assert len(b.emulator.requests("download")) == downloads
    assert b.receipts()["intro"]["video"] == first["video"]
    assert b.receipts()["intro"]["summary"] == first["summary"]
    assert b.emulator.stats()["jobs"] == 0


NO_SUMMARY = FaultRule(operation="download", skip_first=1, action=Status(status=404, code="BlobNotFound"))
FIRST_WAIT_SECONDS = SIDE_FILE_DELAYS_SECONDS[0]


class Interrupting(HurriedClock):
    """Does something the first time that somebody sleeps so long."""

    def __init__(self, seconds, act):
        super().__init__()
        self._seconds, self._act = seconds, act

    async def sleep(self, seconds):
        if seconds == self._seconds and self._act:
            act, self._act = self._act, None
            act()
        await super().sleep(seconds)


def test_a_job_that_vanishes_between_video_and_summary_is_archived_with_a_note(quick, script):
    b = quick(storage_front=True, faults=(NO_SUMMARY,))

    report = b.render(
        [script()], clock=Interrupting(FIRST_WAIT_SECONDS, lambda: b.delete_job(b.emulator.jobs()[0]["id"]))
    )

    assert report.all_archived
    receipt = b.receipts()["intro"]
    assert (receipt["missing"], receipt["summary"]) == (["summary"], None)
    assert receipt["video"]["blob_name"] in b.blobs()
    stats = b.emulator.stats()
    assert (stats["creates"]["accepted"], stats["deletes"], receipt["billed_seconds"]) == (
        1,
        1,
        stats["billed_seconds"],
    )
    assert b.render([script()], permits=Permits(rerender_lost=True)).skipped == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_run_whose_job_vanishes_after_its_video_came_tells_what_it_paid_and_what_is_missing(quick, script):
    b = quick(storage_front=True, faults=(NO_SUMMARY,))
    report = b.render(
        [script()], clock=Interrupting(FIRST_WAIT_SECONDS, lambda: b.delete_job(b.emulator.jobs()[0]["id"]))
    )
    assert report.billed_seconds == b.emulator.stats()["billed_seconds"]
    assert (report.archived, report.outcomes[0].note) == (1, "without summary")
