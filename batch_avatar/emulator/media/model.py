"""The request for a clip, the clip, and the time base that sound and pictures share."""

from dataclasses import dataclass

FRAMES_PER_SECOND = 25
MILLISECONDS_PER_FRAME = 1000 // FRAMES_PER_SECOND
SAMPLE_RATE = 22_050  # espeak-ng's own rate; 882 samples are one video frame, without a remainder
SAMPLES_PER_FRAME = SAMPLE_RATE // FRAMES_PER_SECOND
LONGEST_SECONDS = 20 * 60  # the service's limit; one sentence is never longer


@dataclass(frozen=True)
class Box:
    """A part of a frame, in its pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class ClipRequest:
    """What to render, in the values of the REST API.

    `width` and `height` are those of a whole frame. `crop` is left, top, right and bottom of the part of it that is
    shown, in pixels of the service's own frame: 1920x1080, or 512x512 for a photo avatar.
    `background_color` is `#RRGGBBAA`; only webm with vp9 keeps an alpha below FF, all others draw it opaque.
    `nonce` goes into the container's metadata, so that no two renders have the same bytes.
    """

    input_kind: str  # PlainText | SSML
    content: str
    voice: str | None  # for example en-US-AvaMultilingualNeural; the locale chooses the espeak voice
    character: str
    style: str | None
    video_format: str  # mp4 | webm
    video_codec: str  # h264 | hevc | vp9 | av1
    subtitle_type: str  # soft_embedded | hard_embedded | external_file | none
    background_color: str
    width: int
    height: int
    bitrate_kbps: int
    nonce: str
    photo: bool = False
    crop: tuple[float, float, float, float] | None = None
    longest_milliseconds: int = LONGEST_SECONDS * 1000  # what would be spoken later is left out


@dataclass(frozen=True)
class Clip:
    """A rendered file. `spoken_characters` are those of the text without tags; the bill counts others."""

    video: bytes
    duration_milliseconds: int
    spoken_characters: int
    subtitles_srt: str


@dataclass(frozen=True)
class Cue:
    """One sentence on the screen; times count from the start of the clip."""

    start_milliseconds: int
    end_milliseconds: int
    text: str
