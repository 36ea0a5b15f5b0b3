"""`batch-avatar archive verify` and `fetch` as a user runs them, against archives that are whole, cut or damaged."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from azure.storage.blob import BlobBlock, ContentSettings

from batch_avatar.archive.transfer import BLOCK_BYTES
from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for
from tests.support.processes import CLI, own_environment, start_python
from tests.support.road import Road, Traveller
from tests.support.scripts import LOOK_TOML

LARGE = random.Random(3).randbytes(2 * BLOCK_BYTES + 54_321)
OTHER = random.Random(4).randbytes(len(LARGE))
FILES = {"video.mp4", "summary.json", "receipt.json"}
SCRIPTS = """
{"script_id": "one", "content": "The rainbow has seven colors.", "subtitle_type": "external_file"}
{"script_id": "two", "content": "And a pot of gold at its end."}
"""


@dataclass
class Shelf:
    """An archive with the scripts `one` (with subtitles) and `two` in it, and a folder to run commands in."""

    bench: object
    folder: object
    environment: dict = field(default_factory=dict)
    before: dict = field(default_factory=dict)
    """What the archive held when it was whole."""

    def command(self, *arguments, **extra):
        return self.bench.command(*arguments, folder=self.folder, **self.environment, **extra)

    def fill(self):
        """Render the scripts in this process, which is faster than the command and writes the same."""
        own = {name.removeprefix("BATCH_AVATAR_").lower(): value for name, value in self.environment.items()}
        settings = self.bench.settings(**own)
        source, wire = self.folder / "scripts.jsonl", wire_for(settings.api_version)
        report = self.bench.render(read_scripts([source], defaults=settings.video_defaults(), wire=wire), **own)
        assert report.all_archived, report.outcomes
        self.before = self.bench.blobs()

    def render(self, *options):
        return self.command("render", "scripts.jsonl", *options)

    def verify(self, *options):
        """Exit code, and the JSON entries by script."""
        done = self.command("archive", "verify", "--json", *options)
        found = json.loads(done.stdout)
        return done.returncode, {entry["script_id"]: entry for entry in found["receipts"]}

    def fetch(self, *arguments, **extra):
        return self.command("archive", "fetch", "out", *arguments, **extra)

    def local(self):
        """Path to content of everything that was fetched."""
        out = self.folder / "out"
        return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def find(self, pattern):
        """The one blob whose name ends like this."""
        (name,) = [name for name in self.bench.blobs() if re.search(f"{pattern}$", name)]
        return name

    def delete(self, pattern):
        with self.bench.container() as container:
            container.delete_blob(self.find(pattern))

    def overwrite(self, pattern, content, **changed):
        """Other bytes under the same name, with the properties and metadata that it had."""
        with self.bench.container() as container:
            blob = container.get_blob_client(self.find(pattern))
            found = blob.get_blob_properties()
            settings = {
                "content_type": found.content_settings.content_type,
                "content_md5": found.content_settings.content_md5,
            }
            blocks = [f"{offset:08d}" for offset in range(0, len(content), BLOCK_BYTES)]
            for block in blocks:
                blob.stage_block(block, content[int(block) : int(block) + BLOCK_BYTES], validate_content="md5")
            blob.commit_block_list(
                [BlobBlock(block) for block in blocks],
                content_settings=ContentSettings(**settings | changed),
                metadata=found.metadata,
            )

    def set_tier(self, pattern, tier):
        with self.bench.container() as container:
            container.get_blob_client(self.find(pattern)).set_standard_blob_tier(tier)

    def change_receipt(self, script_id, **members):
        pattern = f"{script_id}/[0-9a-f]+/receipt.json"
        receipt = json.loads(self.bench.blobs()[self.find(pattern)])
        receipt["video"] |= members.pop("video", {})
        self.overwrite(pattern, json.dumps(receipt | members).encode(), content_md5=None)

    def enlarge(self, script_id, content=LARGE):
        """Make the archived video one of several pieces."""
        md5 = hashlib.md5(content, usedforsecurity=False).digest()
        sha256 = hashlib.sha256(content).hexdigest()
        self.overwrite(f"{script_id}/.*/video.mp4", content, content_md5=bytearray(md5))
        with self.bench.container() as container:
            blob = container.get_blob_client(self.find(f"{script_id}/.*/video.mp4"))
            blob.set_blob_metadata(blob.get_blob_properties().metadata | {"sha256": sha256})
        told = {"size_bytes": len(content), "sha256": sha256, "content_md5": base64.b64encode(md5).decode()}
        self.change_receipt(script_id, video=told)


@pytest.fixture
def shelf(bench, tmp_path):
    def fill(*, environment=None, scripts=SCRIPTS, **options):
        (tmp_path / "scripts.jsonl").write_text(scripts)
        (tmp_path / "defaults.toml").write_text(LOOK_TOML)
        made = Shelf(bench(**options), tmp_path, environment or {})
        made.fill()
        return made

    return fill


class Between(Road):
    """Forwards to the storage; notes what is asked for; `before` may act first, `cuts` chooses answers to break off."""

    def __init__(self, storage_url):
        super().__init__(storage_url, _Passing)
        self.asked = []
        self.before = lambda _request: None
        self.cuts = lambda _request: False

    def videos(self):
        return [request for request in self.asked if request["name"].endswith("/video.mp4")]


class _Passing(Traveller):
    def travel(self):
        asked = self.headers.get("x-ms-range") or self.headers.get("Range")
        request = {"name": self.path.split("?")[0], "range": asked, "if_match": self.headers.get("If-Match")}
        if self.command == "GET":
            self.server.asked.append(request)
            self.server.before(request)
        status, headers, content = self.forward()
        request["bytes"] = len(content)
        cut = self.command == "GET" and self.server.cuts(request)
        self.answer(status, headers, content, share=0.5 if cut else 1)


@pytest.fixture
def between(azurite):
    """`with between(shelf)` puts a proxy between its commands and the storage."""

    @contextmanager
    def put(shelf):
        direct = shelf.bench.connection_string
        with Between(azurite.url) as proxy:
            shelf.environment["BATCH_AVATAR_STORAGE_CONNECTION_STRING"] = direct.replace(azurite.url, proxy.url)
            try:
                yield proxy
            finally:
                del shelf.environment["BATCH_AVATAR_STORAGE_CONNECTION_STRING"]

    return put


def flipped(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def test_a_whole_archive_is_told_to_be_whole_and_every_byte_was_read(shelf):
    s = shelf()
    before = s.bench.emulator.stats()["requests_total"]

    done = s.command("archive", "verify")

    assert done.returncode == 0, done.stderr
    count = sum(len(content) for name, content in s.before.items() if re.search(r"/\d+/[a-z]+\.\w+$", name))
    assert done.stdout == f"2 receipts: 2 in order, 0 with faults, {count:,} bytes read\n"
    quick = s.command("archive", "verify", "--quick")
    assert (quick.returncode, quick.stdout) == (
        0,
        "2 receipts: 2 in order, 0 with faults, by their properties alone\n",
    )
    assert s.bench.emulator.stats()["requests_total"] == before


def test_verify_gives_json_with_an_entry_per_receipt(shelf):
    s = shelf()
    s.delete("two/.*/summary.json")
    done = s.command("archive", "verify", "--json")

    found = json.loads(done.stdout)

    one, two = found["receipts"]
    assert (one["script_id"], one["attempt"], one["faults"]) == ("one", 1, [])
    assert one["bytes_read"] > 0
    (fault,) = two["faults"]
    assert fault["kind"] == "side file"
    assert fault["name"].endswith(f"{two['content_id']}/1/summary.json")
    assert (fault["text"], fault["next_step"]) == (
        "is not there",
        "restore it if you can; a script is not rendered again for it",
    )
    del found["receipts"]
    assert found == {"videos_without_receipt": [], "claims_without_receipt": 0, "dead_letters": 0}


VIDEO, RECEIPT = "two/.*/video.mp4", "two/[0-9a-f]+/receipt.json"
DAMAGE = {
    "a deleted video": (lambda s, _: s.delete(VIDEO), "lost", "lost"),
    "a flipped bit": (lambda s, old: s.overwrite(VIDEO, flipped(old(VIDEO))), "damaged", None),
    "a video that is cut": (lambda s, old: s.overwrite(VIDEO, old(VIDEO)[:-1]), "damaged", "damaged"),
    "another Content-MD5": (
        lambda s, old: s.overwrite(VIDEO, old(VIDEO), content_md5=bytearray(16)),
        "properties",
        "properties",
    ),
    "no Content-MD5": (lambda s, old: s.overwrite(VIDEO, old(VIDEO), content_md5=None), "properties", "properties"),
    "a missing summary": (lambda s, _: s.delete("two/.*/summary.json"), "side file", "side file"),
    "a flipped bit in the summary": (
        lambda s, old: s.overwrite("two/.*/summary.json", flipped(old("two/.*/summary.json"))),
        "side file",
        None,
    ),
    "a video in the archive tier": (lambda s, _: s.set_tier(VIDEO, "Archive"), "unread", None),
    "an unreadable receipt": (lambda s, _: s.overwrite(RECEIPT, b'{"script_id": '), "receipt", "receipt"),
    "another script's receipt": (
        lambda s, old: s.overwrite(RECEIPT, old("one/[0-9a-f]+/receipt.json")),
        "receipt",
        "receipt",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_verify_finds_damage_and_says_so_of_that_receipt_alone(shelf, case):
    s = shelf()
    damage, full, quick = DAMAGE[case]
    damage(s, lambda pattern: s.before[s.find(pattern)])

    for options, expected in (((), full), (("--quick",), quick)):
        code, found = s.verify(*options)
        assert [fault["kind"] for fault in found["two"]["faults"]] == ([expected] if expected else []), options
        assert code == (1 if expected else 0)
        assert found["one"]["faults"] == []


def test_faults_are_shown_with_script_reason_and_next_step(shelf):
    s = shelf()
    s.delete("one/.*/video.mp4")
    s.overwrite(RECEIPT, b"[]")

    done = s.command("archive", "verify")

    assert done.returncode == 1
    assert re.search(
        r"^one +one/\w+/1/video\.mp4: is not there +restore it, or pay once more: `batch", done.stdout, re.MULTILINE
    )
    assert re.search(
        r"^two +two/\w+/receipt\.json: .*is not readable: \d faults? +delete it", done.stdout, re.MULTILINE
    )
    assert "2 receipts: 0 in order, 2 with faults" in done.stdout
    assert re.search(r"^one/\w+/1/video\.mp4: is not there$", done.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    ("gone", "options", "paid"),
    [("video", ("--rerender-lost",), 1), ("receipt", (), 0)],
)
def test_what_verify_advises_mends_the_archive(shelf, gone, options, paid):
    s = shelf()
    if gone == "video":
        s.overwrite(VIDEO, flipped(s.before[s.find(VIDEO)]))
        s.delete(VIDEO)
    else:
        s.overwrite(RECEIPT, b"")
        s.delete(RECEIPT)
    created = s.bench.emulator.stats()["creates"]["accepted"]

    assert s.render(*options).returncode == 0

    assert s.verify()[0] == 0
    assert s.bench.emulator.stats()["creates"]["accepted"] - created == paid


def test_what_is_no_fault_is_told_all_the_same(shelf):
    rule = FaultRule(operation="create", skip_first=2, at_most=1, action=Status(status=400))
    s = shelf(faults=(rule,))
    with (s.folder / "scripts.jsonl").open("a") as manifest:
        manifest.write('{"script_id": "three", "content": "It is refused."}\n')
    assert s.render().returncode == 1
    s.change_receipt("one", video={"doubtful": ["duration"]}, missing=["subtitles"])
    s.delete(RECEIPT)
    with s.bench.container() as container:
        container.upload_blob("four/0123456789abcdef/claim.json", b"{}")

    done = s.command("archive", "verify")

    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1 receipts: 1 in order, 0 with faults")
    assert lines[1:3] == [
        "doubtful videos, kept as they came: 1: one (duration)",
        "archived without a side file: 1: one (subtitles)",
    ]
    assert re.fullmatch(r"videos without a receipt, .*: 1: two/\w+/1/video.mp4", lines[3])
    assert lines[4:] == ["claims without a receipt, in flight or lost (`plan` tells): 1", "dead letters: 1"]


@pytest.mark.parametrize("command", [("verify",), ("fetch", "out")])
def test_no_archive_is_not_a_whole_one(bench, tmp_path, command):
    b = bench()
    done = b.command("archive", *command, folder=tmp_path)

    assert done.returncode == 2
    assert f"there is no archive in container {b.container_name}" in done.stderr
    with b.container() as container:
        assert not container.exists()


@pytest.mark.parametrize("command", [("verify",), ("fetch", "out")])
def test_a_refused_storage_key_gives_exit_code_3(shelf, command):
    s = shelf()
    wrong = re.sub("AccountKey=[^;]+", f"AccountKey={base64.b64encode(bytes(32)).decode()}", s.bench.connection_string)

    done = s.command("archive", *command, BATCH_AVATAR_STORAGE_CONNECTION_STRING=wrong)

    assert done.returncode == 3
    assert done.stderr.startswith("access refused: ")


def test_fetch_copies_every_script_and_a_second_time_transfers_nothing(shelf, between):
    s = shelf()
    done = s.fetch()

    assert done.returncode == 0, done.stderr
    archived = {
        f"{name.split('/')[0]}/{name.rpartition('/')[2]}": content
        for name, content in s.before.items()
        if "." in name.rpartition("/")[2] and not name.endswith("claim.json") and not name.startswith("_")
    }
    local = s.local()
    assert set(local) == {f"one/{name}" for name in (*FILES, "subtitles.srt")} | {f"two/{name}" for name in FILES}
    assert local == archived
    count = sum(len(content) for name, content in archived.items() if not name.endswith("receipt.json"))
    assert done.stdout == f"2 fetched, 0 already there, 0 failed, {count:,} bytes\n"

    with between(s) as proxy:
        again = s.fetch()

    assert (again.returncode, again.stdout) == (0, "0 fetched, 2 already there, 0 failed, 0 bytes\n")
    assert {request["name"].rpartition("/")[2] for request in proxy.asked if "." in request["name"][-6:]} == {
        "_archive.json",
        "receipt.json",
    }
    assert s.local() == local


def test_an_archive_below_a_prefix_is_checked_and_fetched(shelf):
    s = shelf(environment={"BATCH_AVATAR_PREFIX": "team/a"})
    assert all(name.startswith("team/a/") for name in s.before)

    assert s.verify()[0] == 0
    assert s.fetch().returncode == 0
    s.delete("two/.*/video.mp4")

    code, found = s.verify()
    assert code == 1
    assert found["two"]["faults"][0]["name"].startswith("two/")
    assert found["one"]["faults"] == []
    assert set(s.local()) == {f"one/{name}" for name in (*FILES, "subtitles.srt")} | {f"two/{name}" for name in FILES}


def test_an_archive_that_was_moved_below_another_prefix_is_still_whole(shelf):
    s = shelf()
    with s.bench.container() as container:
        for name in s.before:
            source = container.get_blob_client(name)
            found = source.get_blob_properties()
            container.upload_blob(
                f"moved/{name}",
                s.before[name],
                metadata=found.metadata,
                content_settings=found.content_settings,
            )
            source.delete_blob()
    s.environment["BATCH_AVATAR_PREFIX"] = "moved"

    assert s.verify()[0] == 0
    assert s.fetch().returncode == 0


def test_a_fetch_that_was_cut_goes_on_where_it_ended(shelf, between):
    s = shelf()
    s.enlarge("two")
    target = s.folder / "out" / "two"
    target.mkdir(parents=True)
    have = BLOCK_BYTES + 1_000
    (target / "video.mp4.part").write_bytes(LARGE[:have])

    with between(s) as proxy:
        done = s.fetch("two")

    assert done.returncode == 0, done.stderr
    assert (target / "video.mp4").read_bytes() == LARGE
    assert {path.name for path in target.iterdir()} == FILES
    ranges = [request["range"] for request in proxy.videos()]
    assert ranges == [
        f"bytes={have}-{have + BLOCK_BYTES - 1}",
        f"bytes={have + BLOCK_BYTES}-{len(LARGE) - 1}",
    ]
    assert sum(request["bytes"] for request in proxy.videos()) == len(LARGE) - have
    (etag,) = {request["if_match"] for request in proxy.videos()}
    assert etag


@pytest.mark.parametrize(
    "part",
    [OTHER[:1_000_000], OTHER, OTHER + b"more", b"", LARGE],
    ids=["another video's beginning", "another video", "one that is longer", "an empty file", "the whole video"],
)
def test_whatever_a_part_file_holds_the_video_comes_out_right(shelf, part):
    s = shelf()
    s.enlarge("two")
    target = s.folder / "out" / "two"
    target.mkdir(parents=True)
    (target / "video.mp4.part").write_bytes(part)

    assert s.fetch("two").returncode == 0

    assert (target / "video.mp4").read_bytes() == LARGE
    assert {path.name for path in target.iterdir()} == FILES


def test_a_local_file_with_other_bytes_is_replaced(shelf):
    s = shelf()
    s.fetch()
    whole = s.local()
    video = s.folder / "out" / "two" / "video.mp4"
    video.write_bytes(flipped(video.read_bytes()))
    (s.folder / "out" / "one" / "summary.json").write_bytes(b"{}")

    done = s.fetch()

    assert done.stdout.startswith("2 fetched, 0 already there")
    assert s.local() == whole


def test_a_video_that_is_damaged_in_the_archive_is_not_fetched_and_the_others_are(shelf):
    s = shelf()
    s.overwrite(VIDEO, flipped(s.before[s.find(VIDEO)]))

    done = s.fetch()

    assert done.returncode == 1
    assert re.search(
        r"^two +the bytes of \S+video\.mp4 do not have the SHA-256 that its receipt says", done.stdout, re.MULTILINE
    )
    assert done.stdout.splitlines()[-1].startswith("1 fetched, 0 already there, 1 failed")
    assert set(s.local()) == {f"one/{name}" for name in (*FILES, "subtitles.srt")}


def test_a_video_that_changes_while_it_is_read_is_not_mixed(shelf, between):
    s = shelf()
    s.enlarge("two")

    def change(_request):
        if len(proxy.videos()) == 2:
            proxy.before = lambda _request: None
            s.overwrite(VIDEO, OTHER)

    with between(s) as proxy:
        proxy.before = change
        done = s.fetch("two")

    assert done.returncode == 1
    assert "was changed while it was read" in done.stdout
    assert s.local() == {"two/video.mp4.part": LARGE[:BLOCK_BYTES]}


def test_a_video_whose_answers_break_off_fails_alone_and_the_rest_is_fetched(shelf, between):
    s = shelf()
    with between(s) as proxy:
        proxy.cuts = lambda request: request["name"].endswith("/1/video.mp4") and "/two/" in request["name"]
        done = s.fetch()

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("1 fetched, 0 already there, 1 failed"), done.stdout
    assert "cannot read two/" in done.stdout
    assert s.fetch().returncode == 0


def test_stopped_by_ctrl_c_it_leaves_only_a_part_which_the_next_time_completes(shelf, between):
    s = shelf()
    s.enlarge("two", content := LARGE * 3)
    reached, heard = threading.Event(), threading.Event()

    def hold_second_piece(_request):
        if len(proxy.videos()) == 2:
            reached.set()
            heard.wait(60)

    with between(s) as proxy:
        proxy.before = hold_second_piece
        started = start_python(
            *(*CLI, "archive", "fetch", "out", "two"),
            folder=s.folder,
            environment=own_environment(s.folder) | s.bench.environment(**s.environment),
        )

        assert reached.wait(60)
        started.send_signal(signal.SIGINT)
        told = started.stderr.readline()
        heard.set()
        out, _ = started.communicate(timeout=60)
        assert (started.returncode, out) == (1, "")
        assert told.startswith("stopping")
        ((name, part),) = s.local().items()
        assert name == "two/video.mp4.part"
        assert content.startswith(part)
        assert 2 * BLOCK_BYTES <= len(part) < len(content)

        proxy.before, proxy.asked = lambda _request: None, []
        assert s.fetch("two").returncode == 0

    assert sum(request["bytes"] for request in proxy.videos()) == len(content) - len(part)
    assert s.local()["two/video.mp4"] == content


def test_of_several_versions_the_newest_is_fetched_and_all_on_request(shelf):
    s = shelf()
    s.fetch()
    older = s.local()
    (s.folder / "scripts.jsonl").write_text(
        '{"script_id": "one", "content": "It has eight.", "subtitle_type": "none"}\n'
    )
    assert s.render().returncode == 0

    assert s.fetch().returncode == 0
    newest = s.local()
    everything = s.command("archive", "fetch", "all", "--all")

    assert everything.returncode == 0
    assert json.loads(newest["one/receipt.json"])["content_id"] != json.loads(older["one/receipt.json"])["content_id"]
    assert {name for name in newest if name.startswith("one/")} == {f"one/{name}" for name in FILES}
    assert {name for name in newest if newest[name] == older[name]} == {f"two/{name}" for name in FILES}
    versions = {path.name: path for path in (s.folder / "all" / "one").iterdir()}
    assert len(versions) == 2
    for local in (older, newest):
        receipt = json.loads(local["one/receipt.json"])
        assert (versions[receipt["content_id"]] / "video.mp4").read_bytes() == local["one/video.mp4"]
        assert hashlib.sha256(local["one/video.mp4"]).hexdigest() == receipt["video"]["sha256"]


def test_only_the_named_scripts_are_fetched(shelf):
    s = shelf()
    assert s.fetch("two").returncode == 0
    assert set(s.local()) == {f"two/{name}" for name in FILES}


def test_an_unknown_script_is_named_and_nothing_is_fetched(shelf):
    s = shelf()
    done = s.fetch("two", "tow", "../two")
    assert done.returncode == 2
    assert "not in the archive: ../two, tow" in done.stderr
    assert not (s.folder / "out").exists()


def test_a_folder_that_cannot_be_made_is_named_without_a_traceback(shelf):
    s = shelf()
    (s.folder / "file").write_text("")
    done = s.command("archive", "fetch", "file/out")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert re.match(r"cannot write to file/out/(one|two): Not a directory; ", line)


def test_a_full_disk_is_named_and_the_same_command_goes_on(shelf):
    s = shelf()
    s.enlarge("two")
    # the nearest thing to a full disk
    limited = 'ulimit -f 2048; exec "$0" -m batch_avatar.commands.cli archive fetch out two'

    done = subprocess.run(
        ["bash", "-c", limited, sys.executable],
        cwd=s.folder,
        env=own_environment(s.folder) | s.bench.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("cannot write to out/two: File too large; when that is mended"), done.stderr
    part = s.folder / "out" / "two" / "video.mp4.part"
    assert LARGE.startswith(part.read_bytes())
    assert s.fetch("two").returncode == 0
    assert s.local()["two/video.mp4"] == LARGE


def test_a_script_whose_name_the_file_system_refuses_does_not_keep_the_others(shelf):
    long = "ü" * 200
    s = shelf(scripts=SCRIPTS + json.dumps({"script_id": long, "content": "Long."}))
    done = s.fetch()
    assert done.returncode == 1
    assert "cannot be written here: File name too long" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("2 fetched, 0 already there, 1 failed")
