"""Writes sound, pictures and subtitles into one file."""

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

from batch_avatar.emulator.media.encoders import AUDIO_ENCODERS, VIDEO_ENCODERS
from batch_avatar.emulator.media.groups import Groups, Look
from batch_avatar.emulator.media.model import FRAMES_PER_SECOND, SAMPLE_RATE, Cue
from batch_avatar.emulator.media.subtitles import ASS_HEADER, encode_mov_text, encode_webvtt
from batch_avatar.emulator.media.timeline import Run

_AUDIO_RATE = 24_000  # the rate of the service's own videos; Opus accepts it too
_FRAME_TIME = Fraction(1, FRAMES_PER_SECOND)
_MILLISECOND = Fraction(1, 1000)
_PIECE_BYTES = 2 * SAMPLE_RATE  # the audio encoder gets one second at a time


def write_clip(
    *,
    video_format: str,
    look: Look,
    groups: Groups,
    runs: Sequence[tuple[int, Run]],
    samples: bytes,
    cues: Sequence[Cue] | None,
    comment: str,
) -> bytes:
    """Mux the packets of `groups` in the order of `runs`: pairs of a group's number and the run that shows it.

    `cues` is None for a file without a subtitle stream. Only the sound is encoded here.
    """
    output = io.BytesIO()
    # Without bitexact webm gets a random identifier.
    with av.open(output, "w", format=video_format, options={"fflags": "+bitexact"}) as container:
        container.metadata["comment"] = comment
        encoder = VIDEO_ENCODERS[look.video_codec]
        video = container.add_stream_from_template(groups.template, opaque=True)
        video.time_base = _FRAME_TIME
        if encoder.tag:
            video.codec_context.codec_tag = encoder.tag
        if look.has_alpha:
            video.metadata["alpha_mode"] = "1"
        sound = _add_sound(container, video_format)
        subtitle = None if cues is None else _add_subtitles(container, video_format)
        packets = [*_string_together(groups, runs, video), *_encode_sound(sound, samples)]
        if subtitle is not None:
            packets += _encode_subtitles(subtitle, cues or (), video_format)
        packets.sort(key=_start_seconds)
        container.mux(packets)
    return output.getvalue()


def _add_sound(container: OutputContainer, video_format: str) -> AudioStream:
    name, options = AUDIO_ENCODERS[video_format]
    stream = container.add_stream(name, rate=_AUDIO_RATE, options=options, layout="mono")
    if not isinstance(stream, AudioStream):
        raise TypeError(f"{name} does not encode sound")
    return stream


def _add_subtitles(container: OutputContainer, video_format: str) -> SubtitleStream:
    stream = container.add_stream("mov_text" if video_format == "mp4" else "webvtt")
    if not isinstance(stream, SubtitleStream):
        raise TypeError("not a subtitle stream")
    stream.time_base = _MILLISECOND
    stream.codec_context.subtitle_header = ASS_HEADER
    return stream


def _string_together(groups: Groups, runs: Sequence[tuple[int, Run]], stream: Stream) -> "Iterator[Packet[Any]]":
    time = 0
    for group, run in runs:
        for offset in range(run.frames):
            packet = groups.packet(group, offset, time)
            packet.time_base = _FRAME_TIME
            packet.stream = stream
            time += 1
            yield packet


def _encode_sound(stream: AudioStream, samples: bytes) -> "Iterator[Packet[Any]]":
    position = 0
    while piece := samples[2 * position : 2 * position + _PIECE_BYTES]:
        frame = AudioFrame(format="s16", layout="mono", samples=len(piece) // 2)
        frame.planes[0].update(piece)
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.pts = position
        position += frame.samples
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _encode_subtitles(stream: SubtitleStream, cues: Sequence[Cue], video_format: str) -> "Iterator[Packet[Any]]":
    encode = encode_mov_text if video_format == "mp4" else encode_webvtt
    for start, length, payload in encode(cues):
        packet: Packet[Any] = Packet(payload)
        packet.pts = packet.dts = start
        packet.duration = length
        packet.time_base = _MILLISECOND
        packet.is_keyframe = True
        packet.stream = stream
        yield packet


def _start_seconds(packet: "Packet[Any]") -> float:
    return float((packet.dts or 0) * packet.time_base)
