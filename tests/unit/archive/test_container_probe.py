"""What a video's bytes are found to be while they pass, on real files, on broken ones and on hostile ones."""

import functools
import io
import json
import random
import struct
import tracemalloc
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.archive.container_probe import MAX_ELEMENTS, ContainerFacts, ContainerProbe, doubts
from tests.support import clips

FORMATS = [("mp4", "h264"), ("mp4", "hevc"), ("mp4", "av1"), ("webm", "vp9"), ("webm", "av1")]
NOTHING = ContainerFacts(kind=None, duration_milliseconds=None)
FRAME_MILLISECONDS = 40


def probe(content, cuts=()):
    """The facts of `content`, fed in pieces that end at `cuts`."""
    looking = ContainerProbe()
    view = memoryview(content)
    for start, end in pairwise([0, *sorted(cuts), len(view)]):
        looking.feed(view[start:end])
    return looking.finish()


@functools.cache
def clip(video_format, video_codec, media="real"):
    return clips.clip(video_format, video_codec, media=media)


@functools.cache
def remuxed(video_format, **options):
    """The pictures and the sound of a real clip in a container written with other options."""
    original = clip(video_format, {"mp4": "h264", "webm": "vp9"}[video_format])
    with TemporaryDirectory() as folder:  # faststart needs a file that it can open once more
        path = Path(folder, f"remuxed.{video_format}")
        with av.open(io.BytesIO(original.video)) as source, av.open(path, "w", options=options) as target:
            chosen = [source.streams.video[0], source.streams.audio[0]]
            streams = {stream.index: target.add_stream_from_template(stream) for stream in chosen}
            for packet in source.demux(chosen):
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    target.mux(packet)
        return path.read_bytes()


def top_level(content):
    at = 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        yield content[at + 4 : at + 8], content[at : at + size]
        at += size


# Hand-made files


def box(name, *parts):
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def wide_box(name, *parts):
    body = b"".join(parts)
    return struct.pack(">I4sQ", 1, name, 16 + len(body)) + body


def mvhd(length, *, scale=1000, version=0):
    times = struct.pack(">QQIQ" if version else ">IIII", 1, 2, scale, length)
    return box(b"mvhd", bytes([version, 0, 0, 0]), times, bytes(80))


def mehd(length, *, version=0):
    return box(b"mehd", bytes([version, 0, 0, 0]), struct.pack(">Q" if version else ">I", length))


FTYP = box(b"ftyp", b"isom\0\0\x02\0isommp41")
MDAT = box(b"mdat", b"pictures and sound")
TREX = box(b"mvex", box(b"trex", bytes(24)))


def mp4(*in_moov):
    return FTYP + box(b"moov", *in_moov, box(b"trak", bytes(40))) + MDAT


def element(name, *parts, width=8):
    body = b"".join(parts)
    return bytes.fromhex(name) + (len(body) | 1 << 7 * width).to_bytes(width, "big") + body


def unknown_size(name, *parts, width=8):
    return bytes.fromhex(name) + ((1 << 7 * width + 1) - 1).to_bytes(width, "big") + b"".join(parts)


def info(duration, scale=None):
    return element("1549A966", b"" if scale is None else element("2AD7B1", scale), element("4489", duration))


WEBM_HEAD = element("1A45DFA3", element("4286", b"\1", width=1), element("4282", b"webm", width=1), width=1)
SEGMENT, CLUSTER = "18538067", "1F43B675"
THREE_SECONDS = info(struct.pack(">d", 3000.0))
A_CLUSTER = element(CLUSTER, element("E7", b"\0"), element("A3", b"a block"))


def webm(*in_segment):
    return WEBM_HEAD + element(SEGMENT, *in_segment)


SMALL_FILES = {
    "mp4": mp4(mvhd(3000)),
    "fragmented mp4": mp4(mvhd(0), box(b"mvex", mehd(3000, version=1))) + box(b"moof", bytes(20)) + MDAT,
    "mp4 of wide boxes": FTYP + wide_box(b"mdat", bytes(50)) + wide_box(b"moov", mvhd(3000, version=1)),
    "webm": webm(element("EC", bytes(20)), THREE_SECONDS, A_CLUSTER, A_CLUSTER),
    "webm with the length behind": webm(A_CLUSTER, info(struct.pack(">f", 3000), b"\x0f\x42\x40")),
}


@pytest.mark.parametrize("content", SMALL_FILES.values(), ids=SMALL_FILES)
def test_the_hand_made_files_are_whole(content):
    assert probe(content) == ContainerFacts("mp4" if content.startswith(FTYP) else "webm", 3000)


# Real files


@pytest.mark.parametrize("media", ["real", "minimal"])
@pytest.mark.parametrize(("video_format", "video_codec"), FORMATS)
def test_what_the_emulator_renders_leaves_no_doubt(video_format, video_codec, media):
    made = clip(video_format, video_codec, media)

    facts = probe(made.video)

    assert facts.kind == video_format
    assert abs(facts.duration_milliseconds - made.duration_milliseconds) <= FRAME_MILLISECONDS
    assert doubts(facts, ending=f".{video_format}", duration_milliseconds=made.duration_milliseconds) == ()


@pytest.mark.parametrize("video_format", ["mp4", "webm"])
def test_the_length_is_the_one_that_a_decoder_reads(video_format):
    content = remuxed(video_format)

    with av.open(io.BytesIO(content)) as container:
        assert probe(content).duration_milliseconds == round(container.duration / 1000)


def test_the_moov_may_come_first():
    content = remuxed("mp4", movflags="+faststart")

    assert [name for name, _ in top_level(content)] == [b"ftyp", b"moov", b"free", b"mdat"]
    assert probe(content) == probe(clip("mp4", "h264").video) != NOTHING


@pytest.mark.parametrize(
    "flags", ["+frag_keyframe+empty_moov", "+frag_keyframe", "+frag_every_frame+empty_moov", "+dash"]
)
def test_a_fragmented_mp4_is_whole_and_of_unknown_length_where_no_mehd_tells(flags):
    content = remuxed("mp4", movflags=flags)

    assert b"moof" in {name for name, _ in top_level(content)}
    assert b"mehd" not in content
    assert probe(content) == ContainerFacts("mp4", None)


def test_a_live_webm_is_a_webm_of_unknown_length():
    content = remuxed("webm", live="1")

    assert bytes.fromhex(SEGMENT) + b"\x01" + b"\xff" * 7 in content
    assert probe(content) == ContainerFacts("webm", None)


# Cut files


def offsets(content):
    """Where to cut: every byte of the ends, where heads and tables lie, and a sample of what is between."""
    ends = 3000
    between = random.Random(7).sample(range(len(content)), min(500, len(content)))
    return sorted({*range(min(ends, len(content))), *between, *range(max(0, len(content) - ends), len(content))})


@pytest.mark.parametrize(("video_format", "video_codec"), FORMATS)
def test_a_real_file_that_was_cut_is_never_whole(video_format, video_codec):
    content = memoryview(clip(video_format, video_codec).video)

    assert [at for at in offsets(content) if probe(content[:at]) != NOTHING] == []


def test_an_mp4_with_the_moov_in_front_that_was_cut_is_never_whole():
    content = memoryview(remuxed("mp4", movflags="+faststart"))

    assert [at for at in offsets(content) if probe(content[:at]) != NOTHING] == []


def test_a_minimal_mp4_that_was_cut_is_never_whole():
    content = memoryview(clip("mp4", "h264", "minimal").video)

    assert [at for at in range(len(content)) if probe(content[:at]) != NOTHING] == []


def test_a_fragmented_mp4_can_only_lose_whole_fragments_unseen():
    """Nothing in such a file counts its fragments."""
    content = memoryview(remuxed("mp4", movflags="+frag_keyframe+empty_moov"))
    ends, at = set(), 0
    for _, part in top_level(content.tobytes()):
        at += len(part)
        ends.add(at)

    taken_for_whole = {at for at in {*offsets(content), *ends} if probe(content[:at]) != NOTHING}

    assert taken_for_whole < ends


def test_a_webm_stream_of_unknown_size_that_is_cut_inside_a_cluster_of_known_size_is_not_whole():
    content = WEBM_HEAD + unknown_size(SEGMENT, THREE_SECONDS, A_CLUSTER, A_CLUSTER)
    last_cluster = range(len(content) - len(A_CLUSTER) + 1, len(content))

    assert probe(content) == ContainerFacts("webm", 3000)
    assert [at for at in last_cluster if probe(content[:at]) != NOTHING] == []


def test_a_segment_of_known_size_is_seen_to_be_cut_behind_a_cluster_of_unknown_size():
    content = webm(THREE_SECONDS, unknown_size(CLUSTER, b"blocks"))

    assert probe(content) == ContainerFacts("webm", 3000)
    assert probe(content[:-1]) == NOTHING


# What is told of the length


@pytest.mark.parametrize(
    ("in_moov", "milliseconds"),
    [
        ([mvhd(3000)], 3000),
        ([mvhd(90_045, scale=30_000)], 3002),
        ([mvhd(2**33, scale=2**20, version=1)], 8_192_000),
        ([mvhd(0)], None),
        ([mvhd(3000, scale=0)], None),
        ([mvhd(0xFFFFFFFF)], None),
        ([mvhd(0xFFFFFFFFFFFFFFFF, version=1)], None),
        ([mvhd(0), box(b"mvex", mehd(3000), box(b"trex", bytes(24)))], 3000),
        ([box(b"mvex", mehd(3000, version=1)), mvhd(0)], 3000),
        ([mvhd(160), box(b"mvex", mehd(3000))], 3000),  # 160 ms lie before the fragments
        ([mvhd(160), TREX], None),
        ([mvhd(0), TREX], None),
    ],
)
def test_an_mp4_tells_its_length_in_mvhd_or_with_fragments_in_mehd(in_moov, milliseconds):
    assert probe(mp4(*in_moov)) == ContainerFacts("mp4", milliseconds)


@pytest.mark.parametrize(
    ("in_segment", "milliseconds"),
    [
        ([THREE_SECONDS], 3000),
        ([info(struct.pack(">f", 3008.0))], 3008),
        ([info(struct.pack(">d", 30_000.0), (100_000).to_bytes(3, "big"))], 3000),
        ([element("1549A966", element("4489", struct.pack(">d", 30_000.0)), element("2AD7B1", b"\x01\x86\xa0"))], 3000),
        ([A_CLUSTER, THREE_SECONDS], 3000),
        ([unknown_size(CLUSTER, b"blocks"), THREE_SECONDS], None),
        ([A_CLUSTER], None),
        ([info(b"")], None),
        ([info(b"three")], None),
        *(([info(struct.pack(">d", length))], None) for length in (0.0, -3000.0, float("nan"), float("inf"), 1e308)),
    ],
)
def test_a_webm_tells_its_length_in_info(in_segment, milliseconds):
    assert probe(webm(*in_segment)) == ContainerFacts("webm", milliseconds)


# What is no container


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"<!DOCTYPE html><html><body><h1>503 Service Unavailable</h1></body></html>",
        b'<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code></Error>',
        json.dumps({"error": {"code": "NotFound"}}).encode(),
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\x1f\x8b\x08\0" + bytes(100),
        bytes(10_000),
        FTYP,
        FTYP + MDAT,
        FTYP + box(b"moov", mvhd(3000)),
        FTYP + box(b"moov", box(b"trak")) + MDAT,
        FTYP + box(b"moov", box(b"mvhd")) + MDAT,
        FTYP + box(b"moov", box(b"mvhd", bytes(10))) + MDAT,
        FTYP + box(b"moov", mvhd(3000), box(b"mvex", box(b"mehd", b"\1\0\0\0\0\0\0\0"))) + MDAT,
        box(b"moov", mvhd(3000)) + MDAT,
        mp4(mvhd(3000)) + b"\0\0\0",
        WEBM_HEAD,
        element("1A45DFA3", element("4282", b"docx")) + element(SEGMENT, THREE_SECONDS),
        element("1A45DFA3") + element(SEGMENT, THREE_SECONDS),
        element(SEGMENT, THREE_SECONDS),
        webm(unknown_size("1549A966", element("4489", struct.pack(">d", 3000.0)))),
        webm(THREE_SECONDS) + b"\x1a\x45",
    ],
)
def test_what_is_no_whole_container_is_nothing(content):
    assert probe(content) == NOTHING


@pytest.mark.parametrize(
    "content",
    [
        FTYP + box(b"moov", mvhd(3000)) + struct.pack(">I4s", 0, b"mdat") + bytes(100),
        FTYP + MDAT + struct.pack(">I4s", 0, b"moov") + mvhd(3000),
    ],
    ids=["mdat", "moov"],
)
def test_a_last_box_of_size_zero_goes_up_to_the_end(content):
    assert probe(content) == ContainerFacts("mp4", 3000)


def test_a_matroska_file_under_webm_is_let_pass():
    content = element("1A45DFA3", element("4282", b"matroska\0\0")) + element(SEGMENT, THREE_SECONDS)

    assert probe(content) == ContainerFacts("webm", 3000)


# Any bytes

BITS = st.sampled_from(
    [
        *(FTYP, MDAT, TREX, WEBM_HEAD, THREE_SECONDS, A_CLUSTER, mvhd(3000), mehd(3000), b"\0\0\0\1", b"\0\0\0\0"),
        *(b"moov", b"mvex", b"mdat", b"mvhd", b"\0\0\1\0moov", b"\0\0\0\0moov", b"\0\0\0\1mdat", b"\xff" * 8),
        *(bytes.fromhex(name) for name in (SEGMENT, CLUSTER, "1A45DFA3", "1549A966", "4489", "2AD7B1", "4282")),
        *(unknown_size(SEGMENT), unknown_size(CLUSTER, width=1), unknown_size("1549A966")),
    ]
)


@st.composite
def damaged(draw):
    content = bytearray(draw(st.sampled_from([*SMALL_FILES.values()])))
    for at, value in draw(st.dictionaries(st.integers(0, len(content) - 1), st.integers(0, 255), max_size=4)).items():
        content[at] = value
    return bytes(content)


ANY_BYTES = st.binary(max_size=300) | st.lists(BITS | st.binary(max_size=12), max_size=12).map(b"".join) | damaged()


@given(content=ANY_BYTES, data=st.data())
def test_no_bytes_raise_and_how_they_are_cut_into_pieces_does_not_matter(content, data):
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=10))

    whole = probe(content)

    assert probe(content, cuts) == whole
    assert probe(content, range(len(content))) == whole
    assert whole.kind is not None or whole.duration_milliseconds is None


@pytest.mark.parametrize(("video_format", "video_codec"), [("mp4", "h264"), ("webm", "vp9")])
@pytest.mark.parametrize("size", [1, 7, 4096, 65_536])
def test_a_real_file_is_the_same_in_pieces_of_any_size(video_format, video_codec, size):
    content = clip(video_format, video_codec).video

    facts = probe(content, range(0, len(content), size))

    assert facts == probe(content)
    assert facts.kind == video_format


def test_the_caller_may_use_one_buffer_for_all_pieces():
    content = SMALL_FILES["mp4"]
    buffer = bytearray(5)
    looking = ContainerProbe()
    for start in range(0, len(content), 5):
        piece = content[start : start + 5]
        buffer[: len(piece)] = piece
        looking.feed(memoryview(buffer)[: len(piece)])
        buffer[:] = b"?????"

    buffer.clear()  # BufferError if a view were held
    assert looking.finish() == probe(content)


def test_the_answer_stays_whatever_is_asked_or_fed_after_it():
    looking = ContainerProbe()
    looking.feed(SMALL_FILES["webm"])
    facts = looking.finish()

    looking.feed(SMALL_FILES["mp4"])

    assert looking.finish() == facts == ContainerFacts("webm", 3000)


# Sizes


def test_two_gigabytes_pass_in_little_memory():
    piece = bytes(1024 * 1024)
    pieces = 2048
    head = FTYP + struct.pack(">I4sQ", 1, b"mdat", 16 + pieces * len(piece))
    looking = ContainerProbe()
    looking.feed(head)

    tracemalloc.start()
    try:
        for _ in range(pieces):
            looking.feed(piece)
        looking.feed(box(b"moov", mvhd(3000)))
        assert tracemalloc.get_traced_memory()[1] < 20_000
    finally:
        tracemalloc.stop()

    assert looking.finish() == ContainerFacts("mp4", 3000)


HUGE = (1 << 63) - 1
HOSTILE = {
    "a box of 2**63 bytes": FTYP + struct.pack(">I4sQ", 1, b"mdat", HUGE),
    "a box of 2**64 bytes": FTYP + struct.pack(">I4sQ", 1, b"mdat", (1 << 64) - 1),
    "a moov of 2**63 bytes": FTYP + struct.pack(">I4sQ", 1, b"moov", HUGE) + mvhd(3000) + MDAT,
    "an mvhd of 4 GB": FTYP + struct.pack(">I4sQ", 1, b"moov", HUGE) + b"\xff\xff\xff\xffmvhd",
    "a wide box of size zero": FTYP + struct.pack(">I4sQ", 1, b"moov", 0),
    "a box shorter than its head": FTYP + struct.pack(">I4s", 7, b"moov") + MDAT,
    "a box larger than the one around it": mp4(mvhd(3000), struct.pack(">I4s", 5000, b"udta")),
    "a box of size zero inside another": mp4(mvhd(3000), struct.pack(">I4s", 0, b"udta")),
    "a box that ends with the file, not with the one around it": FTYP
    + MDAT
    + box(b"moov", mvhd(3000), struct.pack(">I4s", 8 + len(TREX), b"udta"))
    + TREX,
    "a box of size zero at the end of another": FTYP + MDAT + box(b"moov", mvhd(3000), struct.pack(">I4s", 0, b"udta")),
    "half a head inside a box": FTYP + box(b"moov", mvhd(3000), b"\0\0\0\x08tr") + MDAT,
    "a segment of 2**55 bytes": WEBM_HEAD + bytes.fromhex(SEGMENT + "01FFFFFFFFFFFF00") + THREE_SECONDS,
    "a name of 2**50 bytes": bytes.fromhex("1A45DFA3 01FFFFFFFFFFFF00 4282 01FFFFFFFFFFFE00"),
    "an element larger than the one around it": webm(bytes.fromhex("1549A966 4FFF")),
    "an element that ends with the file, not with the one around it": webm(THREE_SECONDS, b"\xec\x83") + bytes(3),
    "a head that ends with the file, not with the element around it": webm(THREE_SECONDS, b"\x1f\x43")
    + b"\xb6\x75\xff",
    "a name of too many bytes": webm(b"\x08\x80\x80\x80\x80\x80"),
    "a name of no bytes": webm(b"\0\x80"),
    "a size of too many bytes": webm(b"\xec\0" + bytes(8)),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_sizes_end_as_nothing_and_take_no_memory(content):
    looking = ContainerProbe()
    filler = bytes(1024 * 1024)

    tracemalloc.start()
    try:
        looking.feed(content)
        for _ in range(20):
            looking.feed(filler)
        facts = looking.finish()
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()

    assert facts == NOTHING
    assert probe(content) == NOTHING


@pytest.mark.parametrize("name", [b"moov", b"mvex"])
def test_boxes_inside_boxes_do_not_nest_the_reader(name):
    depth = 20_000
    nest = b"".join(struct.pack(">I4s", 8 * left, name) for left in range(depth, 0, -1))

    assert probe(mp4(mvhd(3000), nest)).kind == "mp4"


def test_segments_inside_segments_do_not_nest_the_reader():
    content = WEBM_HEAD + unknown_size(SEGMENT) * 20_000

    assert probe(content) == ContainerFacts("webm", None)


def test_it_gives_up_on_a_flood_of_small_boxes():
    def flooded(boxes):
        return FTYP + box(b"free") * boxes + box(b"moov", mvhd(3000)) + MDAT

    others = 5  # ftyp, moov, mvhd, mdat, and the look for one more

    assert probe(flooded(MAX_ELEMENTS - others)) == ContainerFacts("mp4", 3000)
    assert probe(flooded(MAX_ELEMENTS - others + 1)) == NOTHING


# Doubts


def seconds(value):
    return round(value * 1000)


@pytest.mark.parametrize(
    ("said", "found", "doubtful"),
    [
        (seconds(3), seconds(3), False),
        (seconds(3), 3008, False),
        (seconds(3), 3500, False),
        (seconds(3), 2500, False),
        (seconds(3), 3501, True),
        (seconds(3), 2499, True),
        (seconds(20), seconds(21), False),
        (seconds(20), seconds(19), False),
        (seconds(20), 21_001, True),
        (seconds(20), 18_999, True),
        (seconds(20), seconds(10), True),
        (0, seconds(10), True),
        (None, seconds(10), False),
        (seconds(20), None, False),
    ],
)
def test_a_length_is_doubted_beyond_half_a_second_and_five_in_a_hundred(said, found, doubtful):
    facts = ContainerFacts("mp4", found)

    assert doubts(facts, ending=".mp4", duration_milliseconds=said) == (("duration",) if doubtful else ())


@pytest.mark.parametrize(("kind", "ending"), [("mp4", ".webm"), ("webm", ".mp4"), (None, ".mp4"), (None, ".webm")])
def test_what_does_not_fit_its_ending_is_doubted(kind, ending):
    assert doubts(ContainerFacts(kind), ending=ending, duration_milliseconds=3000) == ("container",)


def test_a_real_mp4_named_webm_and_of_another_length_is_doubted_twice():
    made = clip("mp4", "h264")

    found = doubts(probe(made.video), ending=".webm", duration_milliseconds=2 * made.duration_milliseconds + 1000)

    assert found == ("container", "duration")
