"""Clips as an independent decoder sees them."""

import os
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from batch_avatar.emulator.media.model import ClipRequest
from batch_avatar.emulator.media.render import render_clip
from tests.support.independent_decoder import convert, decode_errors, describe, probe, run_ffmpeg

TEXT = "Hello, my name is Lisa. This film was made <here> & now!"
REQUEST = ClipRequest(
    input_kind="PlainText",
    content=TEXT,
    voice="en-US-AvaMultilingualNeural",
    character="lisa",
    style="graceful-sitting",
    video_format="mp4",
    video_codec="h264",
    subtitle_type="soft_embedded",
    background_color="#FFFFFFFF",
    width=320,
    height=180,
    bitrate_kbps=2000,
    nonce="one",
)
FORMATS = [("mp4", "h264"), ("mp4", "hevc"), ("mp4", "av1"), ("webm", "vp9"), ("webm", "av1")]
SUBTITLES = ["soft_embedded", "hard_embedded", "external_file", "none"]


@pytest.mark.parametrize("subtitle_type", SUBTITLES)
@pytest.mark.parametrize(("video_format", "video_codec"), FORMATS)
def test_every_combination_decodes_cleanly_and_is_what_was_asked_for(video_format, video_codec, subtitle_type):
    clip = render_clip(
        replace(REQUEST, video_format=video_format, video_codec=video_codec, subtitle_type=subtitle_type)
    )

    assert decode_errors(clip.video) == ""
    seen = probe(clip.video)
    assert abs(seen.duration_seconds * 1000 - clip.duration_milliseconds) <= 60
    assert (seen.video_codec, seen.width, seen.height) == (video_codec, 320, 180)
    assert seen.audio_codec == {"mp4": "aac", "webm": "opus"}[video_format]
    soft = {"mp4": "mov_text", "webm": "webvtt"}[video_format]
    assert seen.subtitle_codec == (soft if subtitle_type == "soft_embedded" else None)


def test_hevc_is_tagged_for_apple_players():
    clip = render_clip(replace(REQUEST, video_codec="hevc"))

    assert "hvc1" in describe(clip.video)


@pytest.mark.parametrize(("video_format", "video_codec"), [("mp4", "hevc"), ("webm", "vp9")])
def test_sound_and_pictures_are_equally_long(video_format, video_codec):
    clip = render_clip(replace(REQUEST, video_format=video_format, video_codec=video_codec))

    frames = len(convert(clip.video, "-an", "-vf", "scale=2:2", "-f", "rawvideo", "-pix_fmt", "gray")) // 4
    samples = len(convert(clip.video, "-vn", "-ar", "48000", "-ac", "1", "-f", "s16le")) // 2
    assert frames * 40 == clip.duration_milliseconds
    assert abs(samples / 48 - clip.duration_milliseconds) <= 60


@pytest.mark.parametrize("subtitle_type", ["soft_embedded", "hard_embedded"])
def test_transparent_vp9_shows_the_presenter_and_nothing_else(subtitle_type):
    clip = render_clip(
        replace(
            REQUEST,
            video_format="webm",
            video_codec="vp9",
            subtitle_type=subtitle_type,
            background_color="#00000000",
        )
    )

    assert decode_errors(clip.video) == ""
    assert re.search(r"alpha_mode\s*: 1", describe(clip.video), re.IGNORECASE)
    picture = first_picture(clip.video, decoder="libvpx-vp9")
    assert alpha_at(picture, 2, 2) == 0
    assert alpha_at(picture, 317, 2) == 0
    assert alpha_at(picture, 160, 80) == 255
    assert alpha_at(picture, 160, 170) == 255


def test_half_transparent_background_keeps_its_colour():
    clip = render_clip(replace(REQUEST, video_format="webm", video_codec="vp9", background_color="#00FF0080"))

    red, green, blue, alpha = pixel(first_picture(clip.video, decoder="libvpx-vp9"), 2, 2)
    assert green > 240
    assert max(red, blue) < 16
    assert 120 <= alpha <= 136


def test_other_codecs_fill_the_background():
    clip = render_clip(replace(REQUEST, background_color="#10C020FF"))

    red, green, blue, _ = pixel(first_picture(clip.video), 2, 2)
    assert abs(red - 0x10) + abs(green - 0xC0) + abs(blue - 0x20) < 30


def test_characters_look_different():
    corners = {first_picture(render_clip(replace(REQUEST, character=name)).video) for name in ("lisa", "jeff", "meg")}

    assert len(corners) == 3


def test_the_mouth_moves():
    pictures = convert(render_clip(REQUEST).video, "-an", "-f", "rawvideo", "-pix_fmt", "gray")
    size = 320 * 180
    different = {pictures[start : start + size] for start in range(0, len(pictures), size)}

    assert len(different) >= 5


@pytest.mark.parametrize(("video_format", "video_codec"), [("mp4", "h264"), ("webm", "vp9")])
def test_sound_is_neither_silent_nor_clipped(video_format, video_codec, tmp_path):
    path = tmp_path / "clip"
    path.write_bytes(render_clip(replace(REQUEST, video_format=video_format, video_codec=video_codec)).video)

    told = run_ffmpeg("-i", str(path), "-af", "volumedetect", "-vn", "-f", "null", "-").stderr.decode()
    mean, peak = (float(re.search(rf"{name}_volume: (\S+) dB", told)[1]) for name in ("mean", "max"))
    assert -35 < mean < -10
    assert -20 < peak <= 0


@pytest.mark.parametrize(("video_format", "video_codec"), [("mp4", "h264"), ("webm", "vp9")])
def test_soft_subtitles_say_what_the_srt_says(video_format, video_codec):
    clip = render_clip(replace(REQUEST, video_format=video_format, video_codec=video_codec))

    inside = convert(clip.video, "-map", "0:s:0", "-f", "srt").decode().replace("&lt;", "<").replace("&gt;", ">")
    assert inside.replace("&amp;", "&").split() == clip.subtitles_srt.split()


def test_burned_captions_change_the_lower_part_only():
    plain, burned = (
        first_picture(render_clip(replace(REQUEST, subtitle_type=kind)).video) for kind in ("none", "hard_embedded")
    )

    assert pixel(burned, 160, 155) != pixel(plain, 160, 155)
    assert pixel(burned, 2, 2) == pixel(plain, 2, 2)


@pytest.mark.parametrize(
    ("voice", "content"),
    [
        ("ar-SA-ZariyahNeural", "مرحبا بالعالم. كيف حالك؟"),
        ("ja-JP-NanamiNeural", "こんにちは。元気ですか？"),
        ("de-DE-ConradNeural", "Grüße aus Köln. Schöne Straße!"),
        ("fil-PH-BlessicaNeural", "Kumusta po. Salamat!"),
        ("nonsense", "It speaks. In any case \U0001f600!"),
        (None, "No voice. At all."),
    ],
)
@pytest.mark.parametrize("subtitle_type", ["soft_embedded", "hard_embedded"])
def test_any_language_is_spoken_and_captioned(voice, content, subtitle_type):
    clip = render_clip(replace(REQUEST, voice=voice, content=content, subtitle_type=subtitle_type))

    assert decode_errors(clip.video) == ""
    assert clip.subtitles_srt.count(" --> ") == 2
    assert clip.spoken_characters == len(content)


@pytest.mark.parametrize("content", ["...", "\r\n", "<", "a", "\x00", "\ud800"])
@pytest.mark.parametrize("input_kind", ["PlainText", "SSML"])
def test_strange_content_still_gives_a_second_of_film(input_kind, content):
    clip = render_clip(replace(REQUEST, input_kind=input_kind, content=content))

    assert decode_errors(clip.video) == ""
    assert clip.duration_milliseconds >= 1000


def test_a_nonce_changes_the_bytes_and_nothing_else():
    one, again, two = (render_clip(replace(REQUEST, nonce=nonce)) for nonce in ("one", "one", "two"))

    assert one == again
    assert one.video != two.video
    assert len(one.video) == len(two.video)
    assert replace(one, video=b"") == replace(two, video=b"")


@pytest.mark.parametrize(("video_format", "video_codec"), FORMATS)
def test_the_nonce_can_be_read_back(video_format, video_codec):
    clip = render_clip(replace(REQUEST, video_format=video_format, video_codec=video_codec, nonce="n-4711"))

    assert "n-4711" in describe(clip.video)


@pytest.mark.parametrize(("width", "height"), [(512, 512), (180, 320), (321, 241)])
def test_odd_and_tall_frames_are_drawn(width, height):
    clip = render_clip(replace(REQUEST, width=width, height=height))

    assert decode_errors(clip.video) == ""
    assert (probe(clip.video).width, probe(clip.video).height) == (width // 2 * 2, height // 2 * 2)


def test_eight_threads_render_at_once():
    requests = [
        replace(
            REQUEST,
            content=f"Thread number {number} speaks. " * (1 + number % 3),
            video_format=video_format,
            video_codec=video_codec,
            subtitle_type=SUBTITLES[number % 4],
            character=f"new{number % 3}",
            nonce=str(number),
        )
        for number in range(8)
        for video_format, video_codec in [FORMATS[number % 5]]
    ]

    with ThreadPoolExecutor(8) as pool:
        clips = list(pool.map(render_clip, requests))
        assert list(pool.map(lambda clip: decode_errors(clip.video), clips)) == [""] * 8
    alone = [render_clip(request) for request in requests]
    assert [clip.duration_milliseconds for clip in clips] == [clip.duration_milliseconds for clip in alone]
    assert [clip.subtitles_srt for clip in clips] == [clip.subtitles_srt for clip in alone]


def first_picture(video, decoder=None):
    before = ("-c:v", decoder) if decoder else ()
    return convert(video, "-an", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgba", before=before)


def pixel(picture, x, y):
    return struct.unpack_from("4B", picture, 4 * (y * 320 + x))


def alpha_at(picture, x, y):
    return pixel(picture, x, y)[3]


@pytest.mark.skipif(
    not hasattr(os, "sched_getscheduler") or os.geteuid() != 0, reason="only root on Linux may become real-time"
)
@pytest.mark.parametrize("video_codec", sorted({codec for _, codec in FORMATS}))
def test_who_renders_is_scheduled_as_before(video_codec):
    """Run by root, an encoder that made it a real-time process would let nothing else run."""
    video_format = "webm" if video_codec == "vp9" else "mp4"
    request = replace(REQUEST, video_format=video_format, video_codec=video_codec, width=64, height=66)
    with ThreadPoolExecutor(1) as other:  # a policy is a thread's own, so that of the tests stays
        before = other.submit(os.sched_getscheduler, 0).result()
        other.submit(render_clip, request).result()
        after = other.submit(os.sched_getscheduler, 0).result()

    assert after == before
