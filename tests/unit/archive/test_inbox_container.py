"""The container that scripts are dropped into, on a real storage; and what settings and manifests say of it."""

import secrets
import time
from http.server import BaseHTTPRequestHandler

import pytest
from azure.storage.blob import ContainerClient

from batch_avatar.archive.inbox_container import Copy, Inbox
from batch_avatar.errors import ArchiveError, ArchiveRefused, ManifestError, SettingsError
from batch_avatar.scripts.drafts import check_defaults, check_file
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.settings import load_settings
from tests.support.loopback import Loopback

WIRE = wire_for("2024-08-01")
DEFAULTS = {"voice": "v", "talking_avatar_character": "lisa", "talking_avatar_style": "graceful-sitting"}
PATIENCE_SECONDS = 30
ODD = [
    "plain.txt",
    "ein Wörtchen.txt",
    "日本語/スクリプト.ssml",
    "a%20b%2F.txt",
    "a?b#c&d=e.txt",
    'it\'s "quoted" <tag>.xml',
    "tab\tand\nline.txt",
    "a+b~c!$,;.txt",
    "..dots..txt",
    "//twice.txt",
    "x" * 900 + ".txt",
    "\U0001f600.txt",
]


@pytest.fixture
def container(user_storage):
    with user_storage.get_container_client(f"inbox-{secrets.token_hex(6)}") as client:
        yield client


@pytest.fixture
def inbox(container):
    container.create_container()
    return Inbox(container=container)


def put(container, name, content=b"Hi.", **options):
    container.upload_blob(f"inbox/{name}", content, overwrite=True, **options)


def blobs(container):
    return {blob.name: container.download_blob(blob.name).readall() for blob in container.list_blobs()}


def only(inbox):
    (drop,) = inbox.look()
    return drop


# What lies there


def test_a_container_that_is_missing_is_made_and_is_an_empty_inbox(container):
    inbox = Inbox(container=container)

    assert (inbox.look(), container.exists(), inbox.look()) == ([], True, [])


def test_every_blob_below_the_inbox_is_a_drop_and_nothing_else_is(inbox, container):
    for name in ("processed/b.txt", "rejected/c.txt", "d.txt", "inboxes/e.txt"):
        container.upload_blob(name, b"Hi.")
    put(container, "a.txt", b"Hello.")

    drop = only(inbox)

    assert (drop.name, drop.size_bytes) == ("inbox/a.txt", 6)


def test_folders_that_are_listed_as_blobs_are_no_drops(inbox, container):
    put(container, "marked", b"", metadata={"hdi_isfolder": "true"})
    put(container, "slash/", b"")
    put(container, "empty.txt", b"")

    assert only(inbox).name == "inbox/empty.txt"


def test_the_age_of_a_drop_grows_by_the_clock_of_the_storage_and_begins_anew_with_each_change(inbox, container):
    put(container, "a.txt")
    give_up = time.monotonic() + PATIENCE_SECONDS
    while (age := only(inbox).age_seconds) < 2 and time.monotonic() < give_up:
        time.sleep(0.05)
    began = time.monotonic()
    put(container, "a.txt", b"Changed.")
    anew = only(inbox).age_seconds

    assert age >= 2
    assert 0 <= anew <= time.monotonic() - began + 1, "both times are told in whole seconds"


def test_many_drops_are_listed_in_pages_and_each_is_there_once(inbox, container):
    for number in range(12):
        put(container, f"{number}.txt")

    assert len({drop.name for drop in inbox.look()}) == 12


# Reading and moving


def test_a_version_is_read_or_nothing(inbox, container):
    put(container, "a.txt", b"One.")
    drop = only(inbox)
    assert inbox.read(drop) == b"One."

    put(container, "a.txt", b"Two.")
    assert inbox.read(drop) is None
    container.delete_blob(drop.name)
    assert inbox.read(drop) is None


@pytest.mark.parametrize("name", ODD)
def test_a_drop_of_any_name_is_listed_read_copied_and_removed(inbox, container, name):
    put(container, name, name.encode())
    drop = only(inbox)

    assert drop.name == f"inbox/{name}"
    assert inbox.read(drop) == name.encode()
    copy = inbox.copy(drop, f"processed/{name}", {"run": "r-1"})
    assert copy.complete
    assert inbox.is_copied(f"processed/{name}", copy)
    inbox.write_reason(f"processed/{name}", "Because.")
    inbox.remove(drop)

    assert blobs(container) == {f"processed/{name}": name.encode(), f"processed/{name}.reason.txt": b"Because."}
    assert container.get_blob_client(f"processed/{name}").get_blob_properties().metadata == {"run": "r-1"}


def test_a_copy_is_of_the_version_that_was_read_or_none(inbox, container):
    put(container, "a.txt", b"One.")
    drop = only(inbox)
    put(container, "a.txt", b"Two.")

    assert inbox.copy(drop, "processed/a.txt", {}) is None
    container.delete_blob(drop.name)
    assert inbox.copy(drop, "processed/a.txt", {}) is None
    assert blobs(container) == {}


def test_an_older_one_of_that_name_is_replaced_with_its_facts(inbox, container):
    container.upload_blob("processed/a.txt", b"Old.", metadata={"run": "old", "more": "yes"})
    put(container, "a.txt", b"New.")

    inbox.copy(only(inbox), "processed/a.txt", {"run": "new"})

    found = container.get_blob_client("processed/a.txt")
    assert (found.download_blob().readall(), found.get_blob_properties().metadata) == (b"New.", {"run": "new"})


def test_only_the_version_that_was_read_is_removed_and_one_that_is_gone_is_no_error(inbox, container):
    put(container, "a.txt", b"One.")
    drop = only(inbox)
    put(container, "a.txt", b"Two.")

    inbox.remove(drop)
    assert blobs(container) == {"inbox/a.txt": b"Two."}

    container.delete_blob(drop.name)
    inbox.remove(drop)


def test_a_blob_that_somebody_has_leased_is_refused_and_not_taken_for_a_changed_one(inbox, container):
    put(container, "a.txt")
    drop = only(inbox)
    container.get_blob_client(drop.name).acquire_lease()

    with pytest.raises(ArchiveRefused, match=r"cannot delete inbox/a\.txt"):
        inbox.remove(drop)


def test_a_copy_that_another_one_has_replaced_is_never_taken_for_complete(inbox, container):
    put(container, "a.txt")
    copy = inbox.copy(only(inbox), "processed/a.txt", {})
    inbox.copy(only(inbox), "processed/a.txt", {})

    with pytest.raises(ArchiveRefused, match="given up"):
        inbox.is_copied("processed/a.txt", copy)


class Answers(BaseHTTPRequestHandler):
    """A storage that copies slowly, as it may where the copy crosses its own borders."""

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(202, "pending")

    def do_HEAD(self):
        self._answer(200, self.server.statuses.pop(0))

    def _answer(self, code, status):
        self.send_response(code)
        for name, value in {"id": "c-1", "status": status}.items():
            self.send_header(f"x-ms-copy-{name}", value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_copy_that_takes_its_time_is_complete_when_the_storage_says_so(inbox, container):
    put(container, "a.txt")
    drop = only(inbox)
    with Loopback(Answers) as server, ContainerClient.from_container_url(f"{server.url}/account/c") as slow:
        server.statuses = ["pending", "success", "aborted"]
        there = Inbox(container=slow)
        copy = there.copy(drop, "processed/a.txt", {})
        assert copy == Copy("c-1", complete=False)
        assert [there.is_copied("processed/a.txt", copy) for _ in range(2)] == [False, True]
        with pytest.raises(ArchiveRefused, match="aborted"):
            there.is_copied("processed/a.txt", copy)


def test_a_storage_that_cannot_be_reached_is_a_trouble_of_the_storage():
    url = "http://127.0.0.1:9/account/c"
    with ContainerClient.from_container_url(url, retry_total=0) as nowhere, pytest.raises(ArchiveError):
        Inbox(container=nowhere).look()


# A file alone


def test_a_file_alone_is_the_script_that_it_would_be_in_a_folder():
    script, _ = check_file("intro.txt", "\ufeffHi.\r\n".encode(), defaults=DEFAULTS, wire=WIRE)

    assert (script.script_id, script.input_kind, script.content) == ("intro", "PlainText", "Hi.\r\n")
    assert script.voice == "v"


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("_a.txt", b"Hi.", "_a.txt: script_id must not start with '_'; such names are the archive's own"),
        ("a..b.txt", b"Hi.", "script_id must not contain '\\', '..' or control characters"),
        ("a.txt", b"One.\n\xff", "a.txt:2: not UTF-8 (byte 5)"),
        ("a.txt", b" \n", "a.txt: content is empty"),
        ("a.ssml", b"<speak>", "<speak> of line 1 is never closed"),
        ("a.txt", b"x" * 499_999, "the service takes 500,000"),
        ("x" * 201 + ".txt", b"Hi.", "script_id must have at most 200 characters"),
    ],
)
def test_a_file_that_is_no_script_says_why(name, content, fault):
    with pytest.raises(ManifestError) as caught:
        check_file(name, content, defaults=DEFAULTS, wire=WIRE)

    assert any(fault in one for one in caught.value.faults)


def test_every_fault_of_a_file_is_told_at_once():
    with pytest.raises(ManifestError) as caught:
        check_file("_a.txt", b"Hi.", defaults={}, wire=WIRE)

    assert len(caught.value.faults) == 3


def test_defaults_give_any_property_but_the_name_and_the_text():
    assert check_defaults("defaults.toml", b'voice = "v"\n[scene]\nzoom = 2.0').values == {
        "voice": "v",
        "scene": {"zoom": 2.0},
    }
    assert check_defaults("defaults.toml", b"").values == {}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a = 1\nb = = 2", "defaults.toml:2: malformed TOML"),
        (b'voise = "v"', "defaults.toml:1: unknown property 'voise'"),
        (b"bitrate_kbps = 0", "defaults.toml:1: bitrate_kbps must be more than 0"),
        (b"a = '\xff'", "defaults.toml:1: not UTF-8 (byte 5)"),
    ],
)
def test_defaults_that_no_script_can_have_are_faulty_themselves(content, fault):
    with pytest.raises(ManifestError) as caught:
        check_defaults("defaults.toml", content)

    assert fault in caught.value.faults[0]


# Settings


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"inbox_container": "Inbox"}, "BATCH_AVATAR_INBOX_CONTAINER: must be 3 to 63 lower-case letters"),
        ({"inbox_container": "batch-avatar"}, "BATCH_AVATAR_INBOX_CONTAINER must be neither the archive's container"),
        ({"inbox_container": "s-1", "staging_container": "s-1"}, "nor that for staging"),
        ({"inbox_settle_seconds": 0}, "BATCH_AVATAR_INBOX_SETTLE_SECONDS: Input should be greater than 0"),
    ],
)
def test_an_inbox_has_a_container_of_its_own(given, fault):
    with pytest.raises(SettingsError) as caught:
        load_settings(
            endpoint="https://r.cognitiveservices.azure.com",
            storage_account_url="https://a.blob.core.windows.net",
            container="batch-avatar",
            **given,
        )

    assert fault in str(caught.value)
