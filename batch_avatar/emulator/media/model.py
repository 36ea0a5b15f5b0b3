"""The request for a clip, the clip, and the time base that sound and pictures share."""

from dataclasses import dataclass

FRAMES_PER_SECOND = 25
MILLISECONDS_PER_FRAME = 1000 // FRAMES_PER_SECOND
SAMPLE_RATE = 22_050  # espeak-ng's own rate; 882 samples are one video frame, without a remainder
SAMPLES_PER_FRAME = SAMPLE_RATE // FRAMES_PER_SECOND
LONGEST_SECONDS = 20 * 60  # the service's limit; it is not documented what happens beyond it, we stop speaking


@dataclass(frozen=True)
class ClipRequest:
    """What to render, in the values of the REST API.

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


@dataclass(frozen=True)
class Clip:
    """A rendered file. `spoken_characters` is what would be billed: the characters of the text without tags."""

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
