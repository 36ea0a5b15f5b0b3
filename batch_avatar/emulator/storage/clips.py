"""Makes the video of an input: with the media package, or as a small container of the right length without pictures."""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from batch_avatar.emulator.jobs.request import SynthesisRequest
    from batch_avatar.emulator.options import EmulatorOptions

_TAG = re.compile(r"<[^>]*>")


class Clip(Protocol):
    """A rendered video, like that of `batch_avatar.emulator.media`."""

    @property
    def video(self) -> bytes: ...
    @property
    def duration_milliseconds(self) -> int: ...
    @property
    def subtitles_srt(self) -> str: ...


@dataclass(frozen=True)
class MinimalClip:
    """A container without pictures. Its bytes are made only on demand, because a pack may have a thousand inputs."""

    text: str
    duration_milliseconds: int
    video_format: Literal["mp4", "webm"]
    size_bytes: int
    nonce: str

    @property
    def video(self) -> bytes:
        """The container, filled up to its size."""
        make_head = _make_webm if self.video_format == "webm" else _make_mp4
        return _pad(make_head(self.duration_milliseconds), self.video_format, self.nonce, self.size_bytes)

    @property
    def subtitles_srt(self) -> str:
        """The whole text as one cue."""
        return f"1\n00:00:00,050 --> {_srt_time(self.duration_milliseconds)}\n{self.text}\n\n"


def make_clip(request: SynthesisRequest, content: str, nonce: str, options: EmulatorOptions) -> Clip:
    """Render one input."""
    if options.media == "real":
        return _make_real(request, content, nonce, options)
    text = " ".join(_TAG.sub(" ", content).split()) if request.input_kind == "SSML" else content.strip()
    milliseconds = max(1000, round(max(1, len(text)) * 1000 / options.minimal_characters_per_second))
    milliseconds = min(milliseconds, longest_milliseconds(options))
    return MinimalClip(
        text=text,
        duration_milliseconds=milliseconds,
        video_format=request.avatar_config.video_format,
        size_bytes=options.minimal_size_bytes,
        nonce=nonce,
    )


def longest_milliseconds(options: EmulatorOptions) -> int:
    """Return where a video ends that would be longer than the service allows.

    If it is not cut there, it goes on for a second, so that it is seen to be too long.
    """
    limit = round(options.max_video_minutes * 60_000)
    return limit if options.long_videos == "cut" else limit + 1000


def _make_real(request: SynthesisRequest, content: str, nonce: str, options: EmulatorOptions) -> Clip:
    from batch_avatar.emulator.media.model import ClipRequest
    from batch_avatar.emulator.media.render import render_clip

    config = request.avatar_config
    colour = config.background_color or "#FFFFFFFF"
    crop = config.video_crop
    clip: Clip = render_clip(
        ClipRequest(
            input_kind=request.input_kind,
            content=content,
            voice=request.voice,
            character=config.talking_avatar_character,
            style=config.talking_avatar_style or None,
            video_format=config.video_format,
            video_codec=config.video_codec,
            subtitle_type=config.subtitles,
            background_color="#00000000" if colour == "transparent" else colour,
            width=options.video_width,
            height=options.video_height,
            bitrate_kbps=config.bitrate_kbps,
            nonce=nonce,
            longest_milliseconds=longest_milliseconds(options),
            photo=config.photo_avatar_base_model is not None,
            crop=(crop.top_left.x, crop.top_left.y, crop.bottom_right.x, crop.bottom_right.y) if crop else None,
        )
    )
    return clip


def _srt_time(milliseconds: int) -> str:
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},{fraction:03d}"


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def _make_mp4(milliseconds: int) -> bytes:
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    header = struct.pack(">IIIIIIH10x", 0, 0, 0, 1000, milliseconds, 0x10000, 0x100)
    movie = _box(b"mvhd", header + matrix + bytes(24) + struct.pack(">I", 2))
    return _box(b"ftyp", b"isom\0\0\x02\0isomiso2mp41") + _box(b"moov", movie)


def _element(name: str, body: bytes) -> bytes:
    return bytes.fromhex(name) + struct.pack(">Q", len(body) | 1 << 56) + body


def _make_webm(milliseconds: int) -> bytes:
    head = _element("1A45DFA3", _element("4282", b"webm") + _element("4287", b"\x04") + _element("4285", b"\x02"))
    scale = _element("2AD7B1", (1_000_000).to_bytes(3, "big"))
    return head + _element("18538067", _element("1549A966", scale + _element("4489", struct.pack(">d", milliseconds))))


def _pad(head: bytes, video_format: str, nonce: str, size: int) -> bytes:
    """Fill the container up to `size` bytes, inside an `mdat` box or a Void element. The nonce decides the bytes."""
    overhead = 9 if video_format == "webm" else 8
    filling = hashlib.shake_256(nonce.encode()).digest(min(4096, max(1, size - len(head) - overhead)))
    repeats = -(-max(1, size - len(head) - overhead) // len(filling))
    body = (filling * repeats)[: max(1, size - len(head) - overhead)]
    return head + (_element("EC", body) if video_format == "webm" else _box(b"mdat", body))
