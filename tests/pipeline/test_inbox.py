"""Scripts that are dropped into a container: what is rendered, moved and rejected, and that no drop is ever lost."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerClient

from batch_avatar.archive.inbox_container import Drop, Inbox
from batch_avatar.emulator.faults import FailJob, FaultRule, Status, StickJob
from batch_avatar.errors import AccessRefused, ArchiveUnavailable, ServiceUnavailable, SettingsError, Stopped
from batch_avatar.inbox.run import render_inbox
from batch_avatar.inbox.steps import look_into_inbox
from batch_avatar.models import Script
from batch_avatar.planning.options import RenderOptions
from batch_avatar.planning.permits import Permits
from batch_avatar.rendering.connect import open_connections, open_run
from batch_avatar.rendering.connections import sharing
from batch_avatar.rendering.progress import Phase
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.run import begin_run
from batch_avatar.rendering.runner import render_scripts
from tests.support.processes import ROOT, run_python
from tests.support.scripts import LOOK
from tests.support.waiting import happened, until

PATIENCE_SECONDS = 60
SSML = (
    "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>"
    "<voice name='en-US-AvaMultilingualNeural'>Hi.</voice></speak>"
)


@asynccontextmanager
async def opened_with(inbox, settings, name):
    """A run that has this inbox in place of its own, if one is given."""
    async with open_connections(settings) as opened:
        c = replace(opened, inbox=inbox or opened.inbox)
        with sharing(c), begin_run(c, name) as run:
            yield run


@dataclass
class Dropped:
    """A bench with an inbox whose drops are taken at once; settling is what other tests are about."""

    bench: object
    name: str

    def settings(self, *, settle_seconds=0, **overrides):
        given = self.bench.settings(inbox_container=self.name, **LOOK | overrides)
        return given.model_copy(update={"inbox_settle_seconds": settle_seconds})

    def container(self):
        return ContainerClient.from_connection_string(self.bench.connection_string, self.name)

    def drop(self, name, content="Hi."):
        with self.container() as client:
            client.upload_blob(f"inbox/{name}", content, overwrite=True)

    def names(self):
        """Of all that lies there."""
        with self.container() as client:
            return set(client.list_blob_names())

    def blobs(self):
        """Name to text of all that lies there, while nobody moves any of it."""
        with self.container() as client:
            return {blob.name: client.download_blob(blob.name).readall().decode() for blob in client.list_blobs()}

    def metadata(self, name):
        with self.container() as client:
            return client.get_blob_client(name).get_blob_properties().metadata

    def settled_for(self, name, seconds):
        """Wait until it has not changed for so long by the storage's clock."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        with self.container() as client:
            while time.monotonic() < give_up:
                ages = {drop.name: drop.age_seconds for drop in Inbox(container=client).look()}
                if ages[f"inbox/{name}"] >= seconds:
                    return
                time.sleep(0.05)

    async def work(self, *, listener=None, permits=None, look_seconds=0.2, inbox=None, run=None, pack=1, **overrides):
        """One run: its report; None where there is nothing to take."""
        async with (
            opened_with(inbox, self.settings(**overrides), run or secrets.token_hex(4)) as live,
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            live.listeners += [] if listener is None else [listener]
            first = await look_into_inbox()
            if not first:
                return None
            return await render_inbox(
                first, plain_chain(), RenderOptions(permits=permits or Permits(), pack=pack), look_seconds=look_seconds
            )

    def run(self, **options):
        return asyncio.run(self.work(**options))


@pytest.fixture
def dropped(quick):
    """`dropped(**options)` starts an emulator with an empty inbox."""

    def start(**options):
        found = Dropped(quick(**options), f"inbox-{secrets.token_hex(6)}")
        with found.container() as client, suppress(ResourceExistsError):
            client.create_container()
        return found

    return start


def outcomes(report):
    return {outcome.script_id: outcome for outcome in report.outcomes}


def listening(script_id, phase, act):
    """Act once, when the script has come so far."""
    left = [act]

    def listener(event):
        if (event.script_id, event.phase) == (script_id, phase) and left:
            left.pop()()

    return listener


# What becomes of a drop


def test_drops_are_rendered_and_moved_with_what_leads_to_their_videos(dropped):
    d = dropped()
    d.drop("intro.txt", "Hello.")
    d.drop("team/b/outro.ssml", SSML)

    report = d.run(run="run-1")

    assert (report.archived, report.scripts) == (2, 2)
    assert d.blobs() == {"processed/intro.txt": "Hello.", "processed/team/b/outro.ssml": SSML}
    receipts = d.bench.receipts()
    assert set(receipts) == {"intro", "outro"}
    for script_id, name in (("intro", "processed/intro.txt"), ("outro", "processed/team/b/outro.ssml")):
        receipt = receipts[script_id]
        assert d.metadata(name) == {
            "script_id": script_id,
            "content_id": receipt["content_id"],
            "archive": f"{script_id}/{receipt['content_id']}/",
            "job_id": receipt["job_id"],
            "run": "run-1",
        }
    assert set(d.bench.accepted().values()) == {1}


def test_an_empty_inbox_costs_one_listing_and_no_plan(dropped):
    d = dropped()

    assert d.run() is None
    assert d.bench.emulator.stats()["requests"] == {}
    assert set(d.bench.blobs()) == {"_archive.json"}


def test_the_container_is_made_by_the_first_run(dropped):
    d = replace(dropped(), name=f"new-{secrets.token_hex(6)}")

    assert d.run() is None
    d.drop("a.txt")
    assert d.run().archived == 1


def test_without_an_inbox_in_the_settings_the_variable_is_named(quick):
    async def work():
        async with open_run(quick().settings(), "r"):
            await look_into_inbox()

    with pytest.raises(SettingsError, match="BATCH_AVATAR_INBOX_CONTAINER, which is not set"):
        asyncio.run(work())


REJECTS = {
    "picture.png": ("not text", "not a script: *.txt, *.ssml and *.xml are taken"),
    "all.jsonl": ("{}", "put it into a folder and render it with render-batch"),
    "all.csv": ("script_id", "put it into a folder"),
    "_own.txt": ("Hi.", "script_id must not start with '_'"),
    "latin.txt": (b"Gr\xfc\xdfe", "latin.txt:1: not UTF-8 (byte 2)"),
    "blank.txt": (" \n", "content is empty"),
    "broken.ssml": ("<speak>", "<speak> of line 1 is never closed"),
    "large.txt": ("x" * 500_001, "it has 500,001 bytes"),
    "quoted.txt": ('"' * 300_000, "the service takes 500,000"),
    "team/good.xml": (SSML, "its script_id is taken by inbox/"),
    "a.txt.reason.txt": ("Because.", "the reason of an earlier rejection"),
    "on-a-horse/rider.txt": ("Hi.", "class: input"),
    "fails.txt": ("Hi.", "batch-avatar failed replay fails"),
}


def test_what_cannot_be_rendered_is_rejected_with_its_reason_and_stops_nobody(dropped):
    """One run with every kind of reject, and good ones among them."""
    d = dropped(faults=(FaultRule(operation="create", job_id="^fails-", action=FailJob(code="BadRequest")),))
    d.drop("on-a-horse/defaults.toml", 'talking_avatar_style = "on-a-horse"')
    d.drop("good.txt", "Hello.")
    d.settled_for("good.txt", 1)  # older than the other of that name
    for name, (content, _) in REJECTS.items():
        d.drop(name, content)

    report = d.run()

    with d.container() as client:
        found = {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()}
    assert found.pop("processed/good.txt") == b"Hello."
    assert found.pop("inbox/on-a-horse/defaults.toml")
    for name, (content, reason) in REJECTS.items():
        target = next(one for one in found if one.startswith(f"rejected/{name.removesuffix('.txt')}"))
        assert found.pop(target) == (content if isinstance(content, bytes) else content.encode()), name
        assert reason in found.pop(f"{target}.reason.txt").decode(), name
    assert found == {}
    assert (report.archived, report.failed, report.scripts) == (1, len(REJECTS), len(REJECTS) + 1)
    assert sum(d.bench.accepted().values()) == 2, "the good one and the one that fails as a job"
    told = outcomes(report)
    assert told["inbox/picture.png"].error.failure_class == "input"
    assert (told["fails"].error.failure_class, told["rider"].error.failure_class) == ("job", "input")


def test_a_rejected_drop_that_is_mended_is_rendered(dropped):
    d = dropped()
    d.drop("a.ssml", "<speak>")
    d.run()
    d.drop("a.ssml", SSML)

    assert d.run().archived == 1
    assert d.blobs()["processed/a.ssml"] == SSML


@pytest.mark.parametrize(
    "name",
    [
        "Grüße aus Köln.txt",
        "日本語.txt",
        "a b.txt",
        "50%.txt",
        "a?b#c&d.txt",
        "sub folder/é\u0301.txt",
        "x" * 196 + ".txt",
    ],
)
def test_a_name_may_be_anything_that_a_script_may_be_called(dropped, name):
    d = dropped()
    d.drop(name)

    assert d.run().archived == 1
    assert d.blobs() == {f"processed/{name}": "Hi."}


def test_a_name_of_the_greatest_length_is_moved_under_a_shorter_one(dropped):
    d = dropped()
    folder = "/".join(["deep" * 10] * 24)
    name = f"{folder}/{'y' * (1024 - len(folder) - 11)}.txt"
    d.drop(name, "Kept.")

    d.run()

    found = d.blobs()
    assert "Kept." in found.values()
    assert not any(name.startswith("inbox/") for name in found)


def test_defaults_beside_drops_work_as_in_a_folder(dropped):
    d = dropped()
    d.drop("team/defaults.toml", 'video_format = "webm"\nvideo_codec = "vp9"')
    d.drop("team/a.txt")
    d.drop("b.txt")

    assert d.run().archived == 2
    receipts = d.bench.receipts()
    assert receipts["a"]["video"]["blob_name"].endswith(".webm")
    assert receipts["b"]["video"]["blob_name"].endswith(".mp4")
    assert "inbox/team/defaults.toml" in d.names()


@pytest.mark.parametrize("content", ["voice = ", 'voise = "v"'])
def test_drops_beside_faulty_defaults_wait_and_the_run_says_so(dropped, content):
    d = dropped()
    d.drop("team/defaults.toml", content)
    d.drop("team/a.txt")
    d.drop("b.txt")

    report = d.run()

    assert (report.archived, report.failed, report.scripts) == (1, 1, 2)
    assert "the scripts of its folder wait" in outcomes(report)["inbox/team/defaults.toml"].error.message
    assert d.names() == {"inbox/team/defaults.toml", "inbox/team/a.txt", "processed/b.txt"}

    d.drop("team/defaults.toml", "bitrate_kbps = 1000")
    assert d.run().all_archived
    assert d.names() == {"inbox/team/defaults.toml", "processed/team/a.txt", "processed/b.txt"}


# What stays


def test_what_is_uploaded_in_pieces_is_taken_whole(dropped):
    d = dropped()
    d.drop("a.txt", "First half,")
    assert d.run(settle_seconds=3600) is None
    d.drop("a.txt", "First half, second half.")
    assert d.run(settle_seconds=3600) is None
    d.settled_for("a.txt", 2)

    assert d.run(settle_seconds=2).archived == 1
    assert d.blobs() == {"processed/a.txt": "First half, second half."}
    assert sum(d.bench.accepted().values()) == 1


def test_changed_scripts_beyond_the_threshold_stay_until_they_are_accepted(dropped):
    d = dropped()
    d.drop("a.txt", "One.")
    d.run()
    d.drop("a.txt", "Two.")

    refused = d.run(max_changed_scripts=0)

    assert (refused.failed, refused.outcomes[0].error.failure_class) == (1, "changed")
    assert "`render-inbox` with accept_changes" in refused.outcomes[0].error.message
    assert d.blobs() == {"inbox/a.txt": "Two.", "processed/a.txt": "One."}
    assert d.run(max_changed_scripts=0, permits=Permits(accept_changes=True)).archived == 1
    assert d.blobs() == {"processed/a.txt": "Two."}


def test_an_unchanged_text_with_another_look_stays_until_a_word_says_whether_to_render_it(dropped):
    d = dropped()
    d.drop("a.txt", "One.")
    d.run()
    d.drop("a.txt", "One.")
    green = {"background_color": "#00FF00FF"}

    refused = d.run(**green)
    kept = d.run(**green, permits=Permits(keep_changed=True))

    assert (refused.failed, refused.outcomes[0].error.code) == (1, "ChangesNotAccepted")
    assert (kept.all_archived, kept.kept) == (True, 1)
    assert d.names() == {"processed/a.txt"}
    assert sum(d.bench.accepted().values()) == 1
    d.drop("a.txt", "One.")
    assert d.run(**green, permits=Permits(accept_changes=True)).archived == 1


def test_ssml_dropped_as_text_is_ssml_and_what_was_read_aloud_stays_until_a_word_says_what_to_do(dropped):
    d = dropped()
    d.bench.render([Script(script_id="a", content=SSML, **LOOK)])
    d.drop("a.txt", SSML)
    d.drop("b.txt", SSML)

    refused = d.run()
    kept = d.run(permits=Permits(keep_changed=True))

    assert (refused.archived, refused.failed) == (1, 1)
    assert "its tags were read aloud when it was archived as " in outcomes(refused)["a"].error.message
    assert (kept.all_archived, kept.kept) == (True, 1)
    assert d.names() == {"processed/a.txt", "processed/b.txt"}
    d.drop("a.txt", SSML)
    assert d.run(permits=Permits(accept_changes=True)).archived == 1
    assert sum(d.bench.accepted().values()) == 3


@pytest.mark.parametrize("operation", ["list", "create"])
def test_refused_access_leaves_every_drop_where_it_is_and_takes_no_more(dropped, operation):
    d = dropped(faults=(FaultRule(operation=operation, action=Status(status=401, code="401")),))
    d.drop("a.txt")
    late = listening("a", Phase.WAITING, lambda: d.drop("late.txt"))

    report = d.run(listener=late, look_seconds=3600)

    assert (report.unfinished, report.scripts) == (1, 1)
    assert report.outcomes[0].error.failure_class == "access"
    assert d.names() == {"inbox/a.txt", "inbox/late.txt"}
    d.bench.emulator.clear_faults()
    assert d.run().archived == 2


def test_what_a_run_leaves_unfinished_is_not_taken_again_by_it_but_by_the_next(dropped):
    d = dropped()
    d.drop("a.txt")

    async def unable(*_):
        raise ServiceUnavailable("Not now.")

    async def work():
        async with open_run(d.settings(), "r"):
            first = await look_into_inbox()
            return await render_inbox(first, replace(plain_chain(), submit=unable), look_seconds=0.05)

    report = asyncio.run(work())

    assert (report.unfinished, report.scripts) == (1, 1)
    assert d.names() == {"inbox/a.txt"}
    assert d.run().archived == 1


@pytest.mark.parametrize(
    ("phase", "where"),
    [(Phase.CREATED, "its job goes on at the service"), (Phase.WAITING, "it was not sent in this run")],
)
def test_a_run_that_is_cancelled_says_what_is_in_flight_and_the_next_one_pays_nothing(dropped, phase, where):
    d = dropped(faults=(FaultRule(operation="create", action=StickJob()),))
    d.drop("a.txt")
    reports = []

    async def work():
        async with open_run(d.settings(), "first") as run:
            task = asyncio.current_task()
            run.listeners.append(listening("a", phase, task.cancel))
            try:
                await render_inbox(await look_into_inbox(), plain_chain(), look_seconds=0.2)
            finally:
                reports.append(run.report)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())

    assert (reports[0].unfinished, reports[0].scripts) == (1, 1)
    assert where in reports[0].outcomes[0].error.message
    assert json.loads(d.bench.blobs()["_runs/first/report.json"])["unfinished"] == 1
    assert d.blobs() == {"inbox/a.txt": "Hi."}
    d.bench.emulator.clear_faults()
    d.bench.emulator.release()
    assert d.run().archived == 1
    assert list(d.bench.accepted().values()) == [1]


def test_a_wish_that_the_settings_do_not_allow_rejects_nothing(dropped):
    d = dropped()
    d.drop("a.txt")

    report = d.run(pack=2)

    assert (report.unfinished, report.scripts) == (1, 1)
    assert "BATCH_AVATAR_STAGING_CONTAINER" in report.outcomes[0].error.message
    assert d.names() == {"inbox/a.txt"}


class OddInbox(Inbox):
    """The real one, which also lists a name that clients cannot write; some other tool may."""

    def look(self):
        return [*super().look(), Drop("inbox/../processed/a.txt", '"1"', 3, 1000.0)]


def test_a_name_that_leads_elsewhere_is_told_and_never_touched(dropped):
    d = dropped()
    d.drop("b.txt")
    with d.container() as client:
        client.upload_blob("processed/a.txt", "Kept.")
        report = d.run(inbox=OddInbox(container=client))

    assert (report.archived, report.failed) == (1, 1)
    assert "move it by hand" in outcomes(report)["inbox/../processed/a.txt"].error.message
    assert d.blobs() == {"processed/a.txt": "Kept.", "processed/b.txt": "Hi."}


# While a run goes on


class LateInbox(Inbox):
    """The real one, whose second listing is told only after something has happened that it did not see."""

    def __init__(self, container, meanwhile):
        super().__init__(container=container)
        self._looks, self._meanwhile = 0, meanwhile

    def look(self):
        found = super().look()
        self._looks += 1
        if self._looks == 2:
            self._meanwhile()
        return found


def test_what_is_dropped_while_the_others_end_and_a_look_is_under_way_is_taken_by_the_same_run(dropped):
    d = dropped(faults=(FaultRule(operation="create", job_id="^a-", action=StickJob()),))
    d.drop("a.txt")

    def meanwhile():
        d.drop("late.txt")
        d.bench.emulator.clear_faults()  # the job may not be there yet
        d.bench.emulator.release()
        assert until(lambda: d.names() == {"inbox/late.txt", "processed/a.txt"}, seconds=PATIENCE_SECONDS)

    with d.container() as client:
        late = LateInbox(client, meanwhile)
        report = d.run(inbox=late, look_seconds=0.05)

    assert (report.archived, report.scripts) == (2, 2)
    assert d.names() == {"processed/a.txt", "processed/late.txt"}


def test_what_a_look_finds_that_was_under_way_when_access_was_refused_stays_untouched(dropped):
    d, looking, runs = dropped(), threading.Event(), []
    d.drop("a.txt")

    async def refused(*_):
        await asyncio.to_thread(looking.wait, PATIENCE_SECONDS)
        raise AccessRefused("The key is wrong.")

    def meanwhile():
        looking.set()
        assert until(lambda: runs[0].halted is not None, seconds=PATIENCE_SECONDS)

    async def work(client):
        async with opened_with(LateInbox(client, meanwhile), d.settings(), "r") as run:
            runs.append(run)
            first = await look_into_inbox()
            d.drop("late.txt")
            return await render_inbox(first, replace(plain_chain(), submit=refused), look_seconds=0.05)

    with d.container() as client:
        report = asyncio.run(work(client))

    assert (report.unfinished, report.scripts) == (1, 1)
    assert d.names() == {"inbox/a.txt", "inbox/late.txt"}


def test_what_is_dropped_while_others_render_does_not_wait_for_them(dropped):
    d = dropped(faults=(FaultRule(operation="create", job_id="^slow-", action=StickJob()),))
    d.drop("slow.txt")
    ended = []

    def listener(event):
        if (event.script_id, event.phase) == ("slow", Phase.CREATED):
            d.drop("late.txt")
            d.drop("bad.ssml", "<speak>")
        if event.outcome is not None:
            ended.append(event.script_id)
        if set(ended) == {"late", "inbox/bad.ssml"}:
            d.bench.emulator.release()

    report = d.run(listener=listener, run="run-1")

    assert ended[-1] == "slow"
    assert (report.archived, report.failed, report.scripts) == (2, 1, 3)
    assert {"processed/slow.txt", "processed/late.txt", "rejected/bad.ssml"} <= d.names()
    written = json.loads(d.bench.blobs()["_runs/run-1/report.json"])
    assert {one["script_id"] for one in written["outcomes"]} == {"slow", "late", "inbox/bad.ssml"}
    assert written["billed_seconds"] == d.bench.emulator.stats()["billed_seconds"]


def test_a_drop_is_moved_as_soon_as_its_own_script_has_ended(dropped):
    d = dropped(faults=(FaultRule(operation="create", job_id="^slow-", action=StickJob()),))
    d.drop("slow.txt")
    d.drop("fast.txt")

    async def work():
        running = asyncio.create_task(d.work())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await happened(lambda: "processed/fast.txt" in d.names())
        assert "inbox/slow.txt" in d.names()
        d.bench.emulator.clear_faults()  # its job may not be there yet
        d.bench.emulator.release()
        return await running

    assert asyncio.run(work()).archived == 2


def test_a_drop_that_is_replaced_while_it_renders_is_rendered_twice_as_two_contents(dropped):
    d = dropped()
    d.drop("a.txt", "One.")

    report = d.run(listener=listening("a", Phase.CREATED, lambda: d.drop("a.txt", "Two.")))

    assert (report.archived, report.scripts) == (2, 2)
    assert d.blobs() == {"processed/a.txt": "Two."}
    assert len(d.bench.documents("/receipt.json")) == 2
    assert list(d.bench.accepted().values()) == [1, 1]


def test_a_wave_that_ends_says_nothing_of_a_later_drop_under_the_name_of_one_of_its_own(dropped):
    sticks = (
        FaultRule(operation="create", job_id="^long-", action=StickJob()),
        FaultRule(operation="create", job_id="^a-", skip_first=1, action=StickJob()),
    )
    d, jobs, ends = dropped(faults=sticks), {}, []
    d.drop("a.txt", "One.")
    d.drop("long.txt", "Long.")

    def listener(event):
        match event.script_id, event.phase:
            case name, Phase.CREATED:
                jobs.setdefault(name, []).append(event.job_id)
            case "a", Phase.ARCHIVED:
                ends.append(event.outcome)
                if len(ends) == 1:
                    d.drop("a.txt", "Two.")
            case "long", Phase.ARCHIVED:  # its wave says how it ended in a moment, and the second "a" is not ready
                asyncio.get_running_loop().call_later(0.5, d.bench.emulator.release)
        if len(jobs.get("a", ())) == 2 and "long" in jobs and event.phase == Phase.CREATED:
            d.bench.emulator.release(jobs["long"][0])

    report = d.run(listener=listener)

    assert (report.archived, report.scripts) == (3, 3)
    assert [end.job_id for end in ends] == jobs["a"]
    assert d.metadata("processed/a.txt")["job_id"] == jobs["a"][1]


def test_a_drop_that_is_taken_back_while_it_renders_is_rendered_and_missed_by_nobody(dropped):
    d = dropped()
    d.drop("a.txt")

    def take_back():
        with d.container() as client:
            client.delete_blob("inbox/a.txt")

    assert d.run(listener=listening("a", Phase.CREATED, take_back)).archived == 1
    assert d.blobs() == {}


def test_two_runs_at_once_pay_once_and_lose_nothing(dropped):
    d = dropped()
    wanted = {f"s{number}.txt": f"Number {number}." for number in range(8)} | {"bad.ssml": "<speak>", "b.png": "-"}
    for name, content in wanted.items():
        d.drop(name, content)

    async def both():
        return await asyncio.gather(d.work(), d.work())

    reports = asyncio.run(both())

    assert set(d.bench.accepted().values()) == {1}
    assert len(d.bench.accepted()) == 8
    assert {f"processed/{name}" for name in wanted if name.startswith("s")} <= d.names()
    assert {"rejected/bad.ssml", "rejected/b.png"} <= d.names()
    assert not [name for name in d.names() if name.startswith("inbox/")]
    assert {content for name, content in d.blobs().items() if not name.endswith(".reason.txt")} == set(wanted.values())
    for report in filter(None, reports):
        assert not [outcome for outcome in report.outcomes if outcome.script_id.startswith("s") and outcome.error]


class BlinkingInbox(Inbox):
    """The real one, which is seldom to be seen."""

    looks = 0

    def look(self):
        self.looks += 1
        if self.looks in (2, 3):
            raise ArchiveUnavailable("The storage does not answer.")
        return super().look()


def test_a_look_that_fails_while_others_render_ends_nothing(dropped):
    d = dropped(faults=(FaultRule(operation="create", job_id="^slow-", action=StickJob()),))
    d.drop("slow.txt")
    with d.container() as client:
        inbox = BlinkingInbox(container=client)

        def listener(event):
            if (event.script_id, event.phase) == ("slow", Phase.CREATED):
                d.drop("late.txt")
            if event.outcome is not None and event.script_id == "late":
                d.bench.emulator.release()

        report = d.run(listener=listener, inbox=inbox)

    assert report.archived == 2
    assert inbox.looks > 3


class BrokenInbox(Inbox):
    """The real one, whose storage goes away for good at one of its steps."""

    def __init__(self, *, container, step, after):
        super().__init__(container=container)
        self._step, self._after = step, after

    def _gone(self, step, call):
        if step != self._step:
            return call()
        if self._after:
            call()
        raise ArchiveUnavailable("The storage is gone.")

    def read(self, drop):
        return self._gone("read", lambda: Inbox.read(self, drop))

    def copy(self, drop, target, facts):
        return self._gone("copy", lambda: Inbox.copy(self, drop, target, facts))

    def write_reason(self, target, text):
        return self._gone("write_reason", lambda: Inbox.write_reason(self, target, text))

    def remove(self, drop):
        return self._gone("remove", lambda: Inbox.remove(self, drop))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", ["read", "copy", "write_reason", "remove"])
def test_a_run_that_dies_at_any_step_is_finished_by_the_next_without_paying_again(dropped, step, after):
    d = dropped()
    d.drop("a.txt")
    d.drop("bad.png", "-")

    with d.container() as client:
        broken = BrokenInbox(container=client, step=step, after=after)
        report = d.run(inbox=broken)

    assert report.scripts == 2
    assert {content for name, content in d.blobs().items() if not name.endswith(".reason.txt")} == {"Hi.", "-"}
    d.run()
    found = d.blobs()
    assert set(found) == {"processed/a.txt", "rejected/bad.png", "rejected/bad.png.reason.txt"}
    assert list(d.bench.accepted().values()) == [1]


# What batches share


def test_batches_over_one_set_of_connections_leave_each_other_what_they_know(quick, script):
    """The second takes up a job that died; the first goes on with another in the meantime."""
    b = quick(faults=(FaultRule(operation="create", action=StickJob()),))
    refs = {name: b.submit([script(name)])[0] for name in ("one", "two")}

    async def work():
        async with open_run(b.settings(), "r") as run, asyncio.timeout(PATIENCE_SECONDS):
            first = asyncio.create_task(render_scripts([script("one")], plain_chain()))
            await happened(lambda: "one" in run.alive)
            second = asyncio.create_task(render_scripts([script("two")], plain_chain()))
            await happened(lambda: "two" in run.alive)
            assert run.alive == {"one", "two"}
            b.emulator.clear_faults()
            b.emulator.release()
            return [await first, await second]

    reports = asyncio.run(work())

    assert [report.archived for report in reports] == [1, 1]
    assert set(b.accepted()) == {ref.job_id for ref in refs.values()}
    assert set(b.accepted().values()) == {1}


def test_what_stops_one_batch_stops_the_others_before_they_claim_anything(quick, script):
    b = quick()

    async def work():
        async with open_run(b.settings(), "r") as run:
            run.halted = Stopped("The storage is full.", code="StorageRefused")
            return await render_scripts([script("one"), script("two")], plain_chain())

    report = asyncio.run(work())

    assert (report.unfinished, report.scripts) == (2, 2)
    assert "The storage is full." in report.outcomes[0].error.message
    assert b.documents("/claim.json") == {}
    assert b.emulator.stats()["creates"]["accepted"] == 0


def test_a_refusal_of_everything_ends_the_run_with_the_rest_still_in_the_inbox(dropped):
    refused = FaultRule(operation="create", action=Status(status=400, code="BadRequest"))
    d = dropped(faults=(refused,))
    for number in range(20):  # the fifth refusal ends it, when eight others may be on their way
        d.drop(f"s{number:02d}.txt")

    report = d.run()

    rejected = [name for name in d.names() if name.startswith("rejected/") and not name.endswith(".reason.txt")]
    stayed = [name for name in d.names() if name.startswith("inbox/")]
    assert (report.failed, report.unfinished) == (len(rejected), len(stayed))
    assert len(rejected) + len(stayed) == 20
    assert stayed


# As a flow run

FLOW = """
import asyncio, json
from flows.render_inbox import render_inbox
from prefect.settings import get_current_settings
state = asyncio.run(render_inbox(return_state=True))
print(json.dumps([state.type.value, state.message, str(state.state_details.flow_run_id)]))
"""


@pytest.fixture
def flow(environment, tmp_path):
    """`flow(**settings)` runs it in a process of its own: its state, its message, and its run on the server."""

    def run(**settings):
        given = {"inbox_settle_seconds": "1", **LOOK, **settings}
        own = environment | {f"BATCH_AVATAR_{name.upper()}": value for name, value in given.items()}
        done = run_python("-c", FLOW, folder=tmp_path, environment=own | {"PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.prefect
@pytest.mark.xdist_group("prefect")
@pytest.mark.timeout(420)
def test_an_inbox_as_a_flow_run_shows_what_it_did_and_nothing_where_there_was_nothing(stack, api, flow):
    name = f"inbox-{secrets.token_hex(6)}"

    def artifacts(run_id):
        wanted = {"flow_runs": {"id": {"any_": [run_id]}}}
        return {artifact["type"] for artifact in api("artifacts/filter", **wanted)}

    kind, message, _ = flow()
    assert (kind, "BATCH_AVATAR_INBOX_CONTAINER" in message) == ("FAILED", True)

    kind, message, run_id = flow(inbox_container=name)
    assert (kind, message, artifacts(run_id)) == ("COMPLETED", "nothing in the inbox", set())

    there = stack.environment["BATCH_AVATAR_STORAGE_CONNECTION_STRING"]
    with ContainerClient.from_connection_string(there, name) as client:
        client.upload_blob("inbox/good.txt", "Hello.")
        client.upload_blob("inbox/bad.png", "-")
        give_up = time.monotonic() + PATIENCE_SECONDS
        while min(drop.age_seconds for drop in Inbox(container=client).look()) < 1 and time.monotonic() < give_up:
            time.sleep(0.05)
        kind, message, run_id = flow(inbox_container=name)
        names = {blob.name for blob in client.list_blobs()}

    assert kind == "FAILED"
    assert message.startswith("1 archived, 0 archived before, 1 failed")
    assert names == {"processed/good.txt", "rejected/bad.png", "rejected/bad.png.reason.txt"}
    assert {"progress", "table"} <= artifacts(run_id)
