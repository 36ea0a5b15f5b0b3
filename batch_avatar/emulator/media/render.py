"""Makes one clip from one request."""

from itertools import pairwise

from batch_avatar.emulator.media.encode import write_clip
from batch_avatar.emulator.media.groups import OPAQUE, Look, encode_captioned, load_groups
from batch_avatar.emulator.media.model import MILLISECONDS_PER_FRAME, Box, Clip, ClipRequest, Cue
from batch_avatar.emulator.media.speech import Speech, speak
from batch_avatar.emulator.media.subtitles import format_srt
from batch_avatar.emulator.media.timeline import Run, plan_runs, space_borders

# Frames of the service (what-is-text-to-speech-avatar.md of MicrosoftDocs/azure-ai-docs), whose pixels a crop counts:
# its rectangle of the video is the output (batch-synthesis-avatar-properties.md).
VIDEO_FRAME = (1920, 1080)
PHOTO_FRAME = (512, 512)
_SMALLEST = 64  # pixels; SVT-AV1 encodes nothing smaller


def render_clip(request: ClipRequest) -> Clip:
    """Render a clip: speak, draw and mux. Several threads may call this at once.

    Requests that differ only in the nonce give clips that differ only in the nonce, with the limit named in espeak.py.
    """
    speech = speak(request.input_kind, request.content, request.voice, request.longest_milliseconds)
    look = _choose_look(request)
    if request.subtitle_type == "hard_embedded":
        pictures, held = _plan_captions(speech)
        groups = encode_captioned(look, pictures)
    else:
        groups = load_groups(look)
        held = [(run.face, run) for run in plan_runs(speech.samples)]
    video = write_clip(
        video_format=request.video_format,
        look=look,
        groups=groups,
        runs=held,
        samples=speech.samples,
        cues=speech.cues if request.subtitle_type == "soft_embedded" else None,
        comment=request.nonce,
    )
    return Clip(video, speech.duration_milliseconds, speech.spoken_characters, format_srt(speech.cues))


def _choose_look(request: ClipRequest) -> Look:
    red, green, blue, alpha = bytes.fromhex(request.background_color.removeprefix("#"))
    # Photo avatars are small at the service already, so they have its size here too.
    frame = PHOTO_FRAME if request.photo else (request.width // 2 * 2, request.height // 2 * 2)
    keeps_alpha = (request.video_format, request.video_codec) == ("webm", "vp9")
    return Look(
        character=request.character.lower(),
        style=request.style,
        video_codec=request.video_codec,
        background=(red, green, blue, alpha if keeps_alpha else OPAQUE),
        frame=frame,
        box=_cut(frame, PHOTO_FRAME if request.photo else VIDEO_FRAME, request.crop),
        photo=request.photo,
        bitrate_kbps=request.bitrate_kbps,
    )


def _cut(frame: tuple[int, int], counted: tuple[int, int], crop: tuple[float, float, float, float] | None) -> Box:
    """Return the part of the frame that a crop shows; its size is even, because chroma has half the size."""
    if crop is None:
        return Box(0, 0, *frame)
    left, width = _span(crop[0] / counted[0], crop[2] / counted[0], frame[0])
    top, height = _span(crop[1] / counted[1], crop[3] / counted[1], frame[1])
    return Box(left, top, width, height)


def _span(start: float, end: float, length: int) -> tuple[int, int]:
    """Return where a part begins and how long it is: inside the frame, and not too small for an encoder."""
    smallest = min(_SMALLEST, length)
    first = min(max(0, round(start * length)), length - smallest)
    last = min(max(first + smallest, round(end * length)), length)
    return first, (last - first) // 2 * 2


def _plan_captions(speech: Speech) -> tuple[list[tuple[int, str]], list[tuple[int, Run]]]:
    """Return the (face, caption) pictures that are needed, and for each run the number of its picture."""
    edges = (edge for cue in speech.cues for edge in (cue.start_milliseconds, cue.end_milliseconds))
    borders = space_borders((edge // MILLISECONDS_PER_FRAME for edge in edges), speech.frame_count)
    segments = pairwise([0, *borders, speech.frame_count])
    captions = [_caption_at(speech.cues, (start + end) / 2) for start, end in segments]
    pictures: dict[tuple[int, str], int] = {}
    held = []
    for run in plan_runs(speech.samples, borders):
        picture = (run.face, captions[run.segment])
        held.append((pictures.setdefault(picture, len(pictures)), run))
    return list(pictures), held


def _caption_at(cues: tuple[Cue, ...], frame: float) -> str:
    time = frame * MILLISECONDS_PER_FRAME
    return next((cue.text for cue in cues if cue.start_milliseconds <= time < cue.end_milliseconds), "")
