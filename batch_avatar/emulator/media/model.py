"""The values that go in and come out, and the time base shared by sound and picture."""

from dataclasses import dataclass

FRAMES_PER_SECOND = 25
MILLISECONDS_PER_FRAME = 1000 // FRAMES_PER_SECOND
SAMPLE_RATE = 22_050  # espeak-ng's own rate; 882 samples are one video frame, without a remainder
SAMPLES_PER_FRAME = SAMPLE_RATE // FRAMES_PER_SECOND
LONGEST_SECONDS = 20 * 60  # the service's limit; what it does beyond is not documented, we stop speaking


@dataclass(frozen=True)
class ClipRequest:
    """What to render; the words are those of the REST API.

    `background_color` is `#RRGGBBAA`; only webm with vp9 keeps an alpha below FF, the others draw it opaque.
    `nonce` goes into the container's metadata, so that no two renders have the same bytes.
    """

    input_kind: str  # PlainText | SSML
    content: str
    voice: str | None  # en-US-AvaMultilingualNeural: the locale picks the espeak voice
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
    """A rendered file; `spoken_characters` counts what a bill would: the text without tags."""

    video: bytes
    duration_milliseconds: int
    spoken_characters: int
    subtitles_srt: str


@dataclass(frozen=True)
class Cue:
    """One sentence on screen; times count from the start of the clip."""

    start_milliseconds: int
    end_milliseconds: int
    text: str
