"""One result on its way into a real storage emulator: every byte, or nothing that anyone can see."""

import base64
import gzip
import hashlib
import random
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest
from azure.core.exceptions import ResourceNotFoundError
from pydantic import SecretStr

from batch_avatar.archive.container_probe import ContainerFacts, doubts
from batch_avatar.archive.transfer import BLOCK_BYTES, CUTS, Transfer
from batch_avatar.clock import SystemClock
from batch_avatar.errors import ArchiveConflict, ArchiveRefused, LinkExpired, ResultLost, Stopped, TransferError
from batch_avatar.service.client import AvatarClient
from batch_avatar.service.credentials import KeyCredential
from batch_avatar.service.session import idempotent_retry, open_session
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.stopping import Stopping
from tests.support.clips import clip
from tests.support.loopback import Loopback
from tests.support.manual_clock import ManualClock

REQUEST_TIMEOUT_SECONDS = 160
SMALL = random.Random(1).randbytes(100_000)
LARGE = random.Random(2).randbytes(2 * BLOCK_BYTES + 12_345)


def no_pause():
    event = threading.Event()
    event.set()
    return event


@dataclass
class Source:
    """How the host of a result behaves. `cuts`: so many bytes are sent of the first, second, ... answer."""

    content: bytes = SMALL
    etag: str | None = '"v1"'
    cuts: list[int] = field(default_factory=list)
    status: int | None = None
    ranges: bool = True
    if_match: bool = True
    length: bool | str = True
    headers: dict[str, str] = field(default_factory=dict)
    shift: int = 0
    """Answer a range with bytes from so far away from its start."""
    then: list["Source"] = field(default_factory=list)
    """What it becomes after each answer, in order."""
    pause: threading.Event = field(default_factory=no_pause)
    """Wait for it before the connection is closed, 30 seconds at most."""


class ResultServer(Loopback):
    """Plays the service's storage; `link` leads to the result."""

    def __init__(self):
        super().__init__(_Answering)
        self.source = Source()
        self.asked = []
        self.link = f"{self.url}/0001.mp4?sig=z"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # a name that http.server asks for
        source = self.server.source
        if source.then:
            self.server.source = source.then.pop(0)
        asked = self.headers.get("Range"), self.headers.get("If-Match")
        self.server.asked.append(asked)
        start = 0
        status = source.status or 200
        if asked[0] and source.ranges and status == 200:
            start = int(asked[0].removeprefix("bytes=").removesuffix("-")) + source.shift
            status = 412 if source.if_match and asked[1] != source.etag else 206
        body = source.content[start:] if status in (200, 206) else b""
        self.send_response_only(status)
        if source.etag is not None:
            self.send_header("ETag", source.etag)
        if status == 206:
            last = len(source.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(source.content)}")
        if source.length:
            self.send_header("Content-Length", str(len(body)) if source.length is True else source.length)
        for name, value in source.headers.items():
            self.send_header(name, value)
        self.end_headers()
        cut = source.cuts.pop(0) if source.cuts else len(body)
        self.wfile.write(body[:cut])
        self.close_connection = True
        source.pause.wait(REQUEST_TIMEOUT_SECONDS)

    def log_message(self, *_):
        """Stay silent."""


@pytest.fixture(scope="module")
def _server():
    with ResultServer() as server:
        yield server


@pytest.fixture
def server(_server):
    _server.source, _server.asked = Source(), []
    return _server


@pytest.fixture(scope="module")
def client():
    session = open_session(retry=idempotent_retry().new(backoff_factor=0, backoff_jitter=0))
    yield AvatarClient(
        endpoint="http://127.0.0.1:1",
        credential=KeyCredential(SecretStr("key")),
        wire=wire_for("2024-08-01"),
        session=session,
        clock=SystemClock(),
        request_timeout_seconds=REQUEST_TIMEOUT_SECONDS,
    )
    session.close()


@pytest.fixture(scope="module")
def container(user_storage):
    with user_storage.create_container(f"transfer-{uuid.uuid4().hex}") as made:
        yield made


@pytest.fixture
def target(container):
    return container.get_blob_client(f"intro/0123456789abcdef/{uuid.uuid4().hex}/video.mp4")


@pytest.fixture
def transfer(client, server, target):
    def transfer_(*, target=target, url=server.link, clock=None, stopping=None, around=None, deadline_seconds=600.0):
        @contextmanager
        def open_at(offset, etag):
            with client.open_output(url, offset=offset, etag=etag) as response:
                if around:
                    around(offset)
                yield response

        return Transfer(
            open_at=open_at,
            target=target,
            clock=clock or ManualClock(),
            deadline_seconds=deadline_seconds,
            stopping=stopping or Stopping(),
        )

    return transfer_


def run(transfer, **how):
    return transfer.run(content_type="video/mp4", metadata={"job_id": "j"}, **how)


def stored(target):
    return target.download_blob().readall()


def nothing_is_there(target):
    return not target.exists()


@pytest.mark.parametrize(
    "content",
    [b"x", SMALL, LARGE[:BLOCK_BYTES], LARGE[: BLOCK_BYTES + 1], LARGE],
    ids=["one byte", "small", "one block", "one block and a byte", "three blocks"],
)
def test_every_byte_arrives_with_its_digests(server, target, transfer, content):
    server.source.content = content

    blob = run(transfer())

    assert stored(target) == content
    assert (blob.blob_name, blob.size_bytes, blob.content_type) == (target.blob_name, len(content), "video/mp4")
    assert blob.sha256 == hashlib.sha256(content).hexdigest()
    assert base64.b64decode(blob.content_md5) == hashlib.md5(content, usedforsecurity=False).digest()
    found = target.get_blob_properties()
    assert found.metadata == {"job_id": "j", "sha256": blob.sha256}
    assert base64.b64encode(found.content_settings.content_md5).decode() == blob.content_md5
    assert found.content_settings.content_type == "video/mp4"


def test_a_result_comes_in_one_request_where_nothing_breaks(server, transfer):
    server.source.content = LARGE

    run(transfer())

    assert server.asked == [(None, None)]


def test_bytes_are_copied_as_they_are_also_where_they_are_said_to_be_packed(server, target, transfer):
    server.source = Source(content=gzip.compress(SMALL), headers={"Content-Encoding": "gzip"})

    run(transfer())

    assert stored(target) == server.source.content


# Cuts


def test_a_cut_is_resumed_where_it_was_and_on_the_same_version_only(server, target, transfer):
    cut = BLOCK_BYTES + 4_321
    server.source = Source(content=LARGE, cuts=[cut])

    blob = run(transfer())

    assert stored(target) == LARGE
    assert blob.sha256 == hashlib.sha256(LARGE).hexdigest()
    assert server.asked == [(None, None), (f"bytes={cut}-", '"v1"')]


def test_any_number_of_cuts_is_borne_while_each_try_comes_further(server, target, transfer):
    server.source = Source(content=SMALL, cuts=[7_000] * 12)

    run(transfer())

    assert stored(target) == SMALL
    assert len(server.asked) == 13 > CUTS


@pytest.mark.parametrize("first", [0, 1, 50_000, BLOCK_BYTES + 1])
def test_a_body_that_stays_short_is_never_committed(server, target, transfer, first):
    server.source = Source(content=LARGE, cuts=[first] + [0] * 20)

    with pytest.raises(TransferError, match=f"broke off {CUTS} times at byte {first}"):
        run(transfer())

    assert nothing_is_there(target)
    assert len(server.asked) <= CUTS + 1


def test_a_try_after_a_failed_one_starts_clean(server, target, transfer):
    server.source = Source(content=LARGE, cuts=[BLOCK_BYTES + 1] + [0] * 20)
    with pytest.raises(TransferError):
        run(transfer())

    server.source = Source(content=LARGE)
    run(transfer())

    assert stored(target) == LARGE


# Another version


def test_a_result_that_changed_and_comes_whole_starts_over(server, target, transfer):
    new = SMALL[::-1] + b"longer"
    server.source = Source(cuts=[50_000], then=[Source(content=new, etag='"v2"', ranges=False)])

    blob = run(transfer())

    assert stored(target) == new
    assert blob.size_bytes == len(new)


def test_a_result_that_changed_and_refuses_to_go_on_is_taken_anew_by_the_next_try(server, target, transfer):
    server.source = Source(cuts=[50_000], then=[Source(content=SMALL[::-1], etag='"v2"')])
    with pytest.raises(TransferError, match="412"):
        run(transfer())
    assert nothing_is_there(target)

    run(transfer())

    assert stored(target) == SMALL[::-1]


def test_a_host_that_knows_no_ranges_starts_over(server, target, transfer):
    server.source = Source(cuts=[50_000], ranges=False)

    run(transfer())

    assert stored(target) == SMALL
    assert len(server.asked) == 2


def test_the_rest_of_another_version_is_never_taken_for_the_whole(server, target, transfer):
    """A host that heeds Range and not If-Match."""
    new = Source(content=SMALL[::-1], etag='"v2"', if_match=False)
    server.source = Source(cuts=[50_000], then=[new])

    try:
        run(transfer())
    except TransferError:
        assert nothing_is_there(target)
    else:
        assert stored(target) == SMALL[::-1]


@pytest.mark.parametrize("shift", [-10, 10])
def test_bytes_from_another_place_than_asked_for_are_not_taken(server, target, transfer, shift):
    """`Content-Range` says where they are from; here the rest is padded or cut to the length that is missing."""
    content = SMALL
    rest = content[50_000 + shift :][:50_000].ljust(50_000, b"\0")
    start = 50_000 + shift
    headers = {"Content-Range": f"bytes {start}-{start + len(rest) - 1}/{len(content)}"}
    server.source = Source(
        content=content,
        cuts=[50_000],
        then=[Source(content=rest, status=206, headers=headers), Source(content=content, ranges=False)],
    )

    try:
        run(transfer())
    except TransferError:
        assert nothing_is_there(target)
    else:
        assert stored(target) == content


# What is not whole


@pytest.mark.parametrize(
    "source", [Source(length=False), Source(length="9" * 5_000), Source(etag=None)], ids=["none", "endless", "no etag"]
)
def test_a_result_that_does_not_say_how_long_and_which_it_is_is_not_committed(server, target, transfer, source):
    server.source = source

    with pytest.raises(TransferError):
        run(transfer())

    assert nothing_is_there(target)


def test_a_digest_that_the_host_sends_is_heeded(server, target, transfer):
    wrong = base64.b64encode(hashlib.md5(b"other bytes", usedforsecurity=False).digest()).decode()
    server.source = Source(headers={"Content-MD5": wrong})

    with pytest.raises(TransferError):
        run(transfer())

    assert nothing_is_there(target)


def test_an_empty_result_is_no_result(server, target, transfer):
    server.source = Source(content=b"")

    with pytest.raises(TransferError):
        run(transfer())

    assert nothing_is_there(target)


@pytest.mark.parametrize(("status", "kind"), [(403, LinkExpired), (404, ResultLost), (500, TransferError)])
def test_what_the_client_says_of_the_link_is_passed_on(server, target, transfer, status, kind):
    server.source = Source(status=status)

    with pytest.raises(kind):
        run(transfer())

    assert nothing_is_there(target)


# What is judged while it passes


def whole(*form, **text):
    """The bytes of a whole container, and what is found in them."""
    made = clip(*form, **text)
    return made.video, ContainerFacts(made.video_format, made.duration_milliseconds)


MP4, MP4_FACTS = whole()
WEBM, WEBM_FACTS = whole("webm", "vp9", text="Good morning to each and every one of you, wherever you may be today.")


class Judge:
    """Remembers the facts that it was asked about, and finds what it was told to find."""

    def __init__(self, *doubtful):
        self.asked = []
        self._doubtful = doubtful

    def __call__(self, facts):
        self.asked.append(facts)
        return self._doubtful


@pytest.mark.parametrize(
    ("content", "facts"),
    [(MP4, MP4_FACTS), (WEBM, WEBM_FACTS), (SMALL, ContainerFacts()), (MP4[:-1], ContainerFacts())],
    ids=["mp4", "webm", "noise", "short mp4"],
)
def test_the_judge_is_asked_once_about_what_the_bytes_turned_out_to_be(server, target, transfer, content, facts):
    server.source.content = content
    judge = Judge()

    blob = run(transfer(), judge=judge)

    assert (judge.asked, blob.doubtful) == ([facts], ())
    assert stored(target) == content
    assert "doubtful" not in target.get_blob_properties().metadata


@pytest.mark.parametrize("doubtful", [("container",), ("container", "duration")])
def test_what_is_doubtful_is_kept_with_the_blob_and_not_refused(server, target, transfer, doubtful):
    server.source.content = MP4

    blob = run(transfer(), judge=Judge(*doubtful))

    assert blob.doubtful == doubtful
    assert stored(target) == MP4
    metadata = target.get_blob_properties().metadata
    assert metadata == {"job_id": "j", "sha256": blob.sha256, "doubtful": " ".join(doubtful)}


def test_a_video_that_nobody_judges_is_not_doubted(target, transfer):
    assert run(transfer()).doubtful == ()
    assert stored(target) == SMALL


@pytest.mark.parametrize("cuts", [[1], [7, 5, 40], [len(MP4) - 1], [20] * 6])
def test_cuts_do_not_show_in_the_facts(server, target, transfer, cuts):
    server.source = Source(content=MP4, cuts=cuts)
    judge = Judge()

    run(transfer(), judge=judge)

    assert judge.asked == [MP4_FACTS]
    assert stored(target) == MP4


@pytest.mark.parametrize("cut", [1, 30, len(MP4) - 1])
def test_a_result_that_starts_over_is_judged_by_its_new_bytes_alone(server, target, transfer, cut):
    server.source = Source(content=MP4, cuts=[cut], then=[Source(content=WEBM, etag='"v2"', ranges=False)])
    judge = Judge()

    run(transfer(), judge=judge)

    assert judge.asked == [WEBM_FACTS]
    assert stored(target) == WEBM


@pytest.mark.parametrize(
    "source",
    [
        Source(content=MP4, cuts=[5] + [0] * 20),
        Source(content=b""),
        Source(content=MP4, headers={"Content-MD5": base64.b64encode(bytes(16)).decode()}),
        Source(status=404),
    ],
    ids=["cut", "empty", "wrong digest", "gone"],
)
def test_what_is_not_whole_is_not_judged(server, target, transfer, source):
    server.source = source
    judge = Judge()

    with pytest.raises((TransferError, ResultLost)):
        run(transfer(), judge=judge)

    assert judge.asked == []
    assert nothing_is_there(target)


@pytest.mark.parametrize(
    ("content", "said", "doubtful"),
    [
        (MP4, MP4_FACTS.duration_milliseconds, ()),
        (MP4, MP4_FACTS.duration_milliseconds + 10_000, ("duration",)),
        (MP4, None, ()),
        (WEBM, WEBM_FACTS.duration_milliseconds, ("container",)),
        (SMALL, 1000, ("container",)),
    ],
    ids=["as said", "shorter than said", "nothing said", "of another kind", "noise"],
)
def test_the_doubts_of_the_probe_reach_the_blob(server, transfer, content, said, doubtful):
    server.source.content = content

    blob = run(transfer(), judge=lambda facts: doubts(facts, ending=".mp4", duration_milliseconds=said))

    assert blob.doubtful == doubtful


# The commit


def test_another_writer_with_the_same_bytes_is_accepted(target, transfer):
    first = run(transfer())
    etag = target.get_blob_properties().etag

    second = run(transfer())

    assert second == first
    assert target.get_blob_properties().etag == etag


def test_another_writer_with_other_bytes_wins_and_is_told_of(server, target, transfer):
    run(transfer())
    server.source.content = SMALL[::-1]

    with pytest.raises(ArchiveConflict, match="exists with other bytes"):
        run(transfer())

    assert stored(target) == SMALL


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "three blocks"])
def test_two_writers_at_once_leave_one_whole_blob(server, target, transfer, content):
    server.source.content = content
    others = []

    def meanwhile(_):
        if not others:
            others.append("running")
            others.append(run(transfer()))

    mine = run(transfer(around=meanwhile))

    assert mine == others[1]
    assert stored(target) == content


def test_the_blocks_of_a_writer_that_gives_up_get_into_no_other_writers_blob(server, target, transfer):
    server.source = Source(content=LARGE, cuts=[BLOCK_BYTES + 1])
    others = []

    def meanwhile(offset):
        if offset and not others:  # we have staged our first block; now another writer stages its own, and fails
            others.append("running")
            before = server.source
            server.source = Source(content=LARGE[::-1], cuts=[BLOCK_BYTES + 1] + [0] * 20)
            with pytest.raises(TransferError):
                run(transfer())
            server.source = before

    run(transfer(around=meanwhile))

    assert others
    assert stored(target) == LARGE


def test_two_writers_with_different_bytes_never_mix_them(server, target, transfer):
    server.source = Source(content=LARGE, cuts=[BLOCK_BYTES + 1])
    others = []

    def meanwhile(offset):
        if offset and not others:  # we have staged a block and are cut; now the other one comes
            others.append("running")
            before, server.source = server.source, Source(content=LARGE[::-1])
            others.append(run(transfer()))
            server.source = before

    with pytest.raises(ArchiveConflict):
        run(transfer(around=meanwhile))

    assert stored(target) == LARGE[::-1]


def test_a_blob_that_somebody_else_put_there_is_not_overwritten(target, transfer):
    target.upload_blob(b"mine")

    with pytest.raises(ArchiveConflict):
        run(transfer())

    assert stored(target) == b"mine"


def test_a_container_that_is_gone_is_named_in_the_storages_own_words(user_storage, transfer):
    with user_storage.get_blob_client("gone", "video.mp4") as target, pytest.raises(ArchiveRefused) as caught:
        run(transfer(target=target))

    assert caught.value.code == "ContainerNotFound"
    assert "video.mp4" in str(caught.value)


# The end of a run


def test_a_run_that_ends_stops_its_transfers_before_anything_is_asked_for(server, target, transfer):
    stopping = Stopping()
    stopping.throw()

    with pytest.raises(Stopped):
        run(transfer(stopping=stopping))

    assert nothing_is_there(target)
    assert server.asked == []


def test_a_transfer_is_stopped_in_its_middle(server, target, transfer):
    server.source = Source(content=LARGE, cuts=[BLOCK_BYTES + 1])
    stopping = Stopping()

    with pytest.raises(Stopped):
        run(transfer(stopping=stopping, around=lambda offset: stopping.throw() if offset else None))

    assert nothing_is_there(target)
    with pytest.raises(ResourceNotFoundError):
        target.get_blob_properties()


class WatchedClock(ManualClock):
    """Tells when a transfer has read a first piece: it looks at the clock when it begins and after each piece."""

    def __init__(self):
        super().__init__()
        self.read = threading.Event()
        self._looks = 0

    def monotonic(self):
        self._looks += 1
        if self._looks > 1:
            self.read.set()
        return super().monotonic()


def test_a_stop_wakes_a_transfer_that_waits_for_bytes_which_do_not_come(server, target, transfer):
    stopping, silence, clock = Stopping(), threading.Event(), WatchedClock()
    server.source = Source(content=SMALL, cuts=[1], pause=silence)
    stopper = threading.Thread(target=lambda: clock.read.wait(REQUEST_TIMEOUT_SECONDS) and stopping.throw())
    stopper.start()
    started = time.monotonic()

    try:
        with pytest.raises(Stopped):
            run(transfer(stopping=stopping, clock=clock))
        assert time.monotonic() - started < REQUEST_TIMEOUT_SECONDS / 2  # it did not wait for the request to time out
    finally:
        silence.set()
        stopper.join()
    assert server.asked == [(None, None)]
    assert nothing_is_there(target)


async def test_a_transfer_past_its_deadline_ends(server, target, transfer):
    clock = ManualClock()
    slow = transfer(clock=clock, deadline_seconds=600)
    await clock.advance(601)

    with pytest.raises(TransferError, match="too slowly"):
        run(slow)

    assert nothing_is_there(target)
    assert len(server.asked) == 1
