"""Encodes each picture once, as a closed group of packets. Groups can be strung together in any order."""

import io
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import av
from av.packet import Packet, PacketSideData
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from PIL import Image

from batch_avatar.emulator.media.captions import draw_caption, draw_label
from batch_avatar.emulator.media.drawing import FACES, draw_portrait
from batch_avatar.emulator.media.encoders import GROUP_FRAMES, VIDEO_ENCODERS
from batch_avatar.emulator.media.model import FRAMES_PER_SECOND, Box

_ALPHA: Final = "matroska_block_additional"
OPAQUE = 255
_BT709 = 1  # its value in each of FFmpeg's colour enumerations
_LIMITED_RANGE = 1


@dataclass(frozen=True)
class Look:
    """Everything that decides the packets: the part `box` of a frame, which is width and height.

    `background` is RGBA, already opaque if the codec has no alpha.
    """

    character: str
    style: str | None
    video_codec: str
    background: tuple[int, int, int, int]
    frame: tuple[int, int]
    box: Box
    photo: bool
    bitrate_kbps: int

    @property
    def has_alpha(self) -> bool:
        return self.background[3] < OPAQUE

    def draw(self, face: int, caption: str = "") -> Image.Image:
        portrait = draw_portrait(self.character, self.style, self.background, self.frame, self.box, photo=self.photo)
        image = portrait.picture(face)
        draw_label(image, ", ".join(filter(None, (self.character, self.style, "photo" if self.photo else None))))
        if caption:
            draw_caption(image, caption)
        return image


@dataclass(frozen=True)
class EncodedFrame:
    """One frame as bytes. The muxer changes a packet, so packets cannot be shared between threads; bytes can."""

    data: bytes
    alpha: PacketSideData | None

    def packet(self, time: int, *, is_key: bool) -> "Packet[Any]":
        packet: Packet[Any] = Packet(self.data)
        packet.pts = packet.dts = time
        packet.duration = 1
        packet.is_keyframe = is_key
        if self.alpha is not None:
            packet.set_sidedata(self.alpha)
        return packet


@dataclass(frozen=True)
class Groups:
    """GROUP_FRAMES frames for each picture, and a template stream that describes them to a muxer."""

    template: VideoStream
    frames: tuple[EncodedFrame, ...]

    def packet(self, group: int, offset: int, time: int) -> "Packet[Any]":
        return self.frames[group * GROUP_FRAMES + offset].packet(time, is_key=offset == 0)


def encode_groups(look: Look, pictures: Iterable[Image.Image]) -> Groups:
    """Encode the pictures in a thread that ends afterwards.

    When root runs SVT-AV1, it gives the calling thread the highest real-time priority and does not take it back (seen
    with 4.1). Everything that this thread starts later inherits the priority, and two such busy processes on two cores
    let nothing else run.
    """
    with ThreadPoolExecutor(1) as once:
        return once.submit(_encode, look, pictures).result()


def _encode(look: Look, pictures: Iterable[Image.Image]) -> Groups:
    """Encode with a single encoder thread, because the bytes must not depend on the machine's cores."""
    encoder = VIDEO_ENCODERS[look.video_codec]
    file = io.BytesIO()
    container = av.open(file, "w", format="matroska")
    stream = container.add_stream(encoder.name, rate=FRAMES_PER_SECOND, options=encoder.options_for(look.bitrate_kbps))
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{encoder.name} does not encode video")
    stream.width, stream.height = look.box.width, look.box.height
    stream.pix_fmt = "yuva420p" if look.has_alpha else "yuv420p"
    stream.gop_size = GROUP_FRAMES
    context = stream.codec_context
    context.thread_count = 1
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _LIMITED_RANGE
    packets: list[Packet[VideoStream]] = []
    for number, picture in enumerate(pictures):
        frame = _convert(picture, stream.pix_fmt)
        for offset in range(GROUP_FRAMES):
            frame.pts = number * GROUP_FRAMES + offset
            frame.pict_type = PictureType.NONE if offset else PictureType.I
            packets += stream.encode(frame)
    packets += stream.encode(None)
    container.mux(packets)
    container.close()
    # The file is read back: the encoder's own stream would keep the encoder in the cache, up to hundreds of megabytes.
    stored = av.open(io.BytesIO(file.getvalue()), "r")
    template = stored.streams.video[0]
    return Groups(template, tuple(_keep(packet) for packet in stored.demux(template) if packet.size))


def _convert(picture: Image.Image, pixel_format: str) -> VideoFrame:
    # from_image would drop the alpha.
    frame = VideoFrame.from_bytes(picture.tobytes(), picture.width, picture.height, "rgba")
    frame = frame.reformat(format=pixel_format, dst_colorspace=Colorspace.ITU709)
    frame.time_base = Fraction(1, FRAMES_PER_SECOND)
    return frame


def _keep(packet: "Packet[Any]") -> EncodedFrame:
    alpha = PacketSideData.from_packet(packet, _ALPHA) if packet.has_sidedata(_ALPHA) else None
    return EncodedFrame(bytes(packet), alpha)


def encode_captioned(look: Look, pictures: Sequence[tuple[int, str]]) -> Groups:
    """Encode (face, caption) pairs. Captions differ from clip to clip, so the result is not cached."""
    return encode_groups(look, (look.draw(face, caption) for face, caption in pictures))


def load_groups(look: Look) -> Groups:
    """Return one group for every face; they are encoded on the first call for this look."""
    with _slots_lock:
        slot = _slot(look)
    with slot.lock:  # threads that want the same look wait for the first; others do not
        if slot.groups is None:
            slot.groups = encode_groups(look, map(look.draw, FACES))
        return slot.groups


class _Slot:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.groups: Groups | None = None


_slots_lock = threading.Lock()


@lru_cache(maxsize=32)  # each look takes about 0.1-0.5 MB
def _slot(_look: Look) -> _Slot:
    return _Slot()
