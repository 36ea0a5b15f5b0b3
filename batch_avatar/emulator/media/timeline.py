"""Decides which face is shown when: mouth shapes by loudness, and a blink now and then."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from batch_avatar.emulator.media.drawing import BLINK, CLOSED
from batch_avatar.emulator.media.model import SAMPLES_PER_FRAME

# Runs of one frame are excluded: two h264 key frames in a row would need different idr_pic_ids.
SHORTEST_RUN = 2
LONGEST_RUN = 8  # the frames of an encoded group

_BLINK_RUN = 3
_LOUDNESS_STEPS = (0.10, 0.32, 0.60)  # shares of the loudest frame from which the mouth opens further
_SILENCE = 300  # peak (of at most 32767) below which the mouth is always shut


@dataclass(frozen=True)
class Run:
    """A face that is shown for some frames; `segment` is the number of borders before it."""

    face: int
    frames: int
    segment: int


def plan_runs(samples: bytes, borders: Iterable[int] = ()) -> list[Run]:
    """Cover the clip with runs of SHORTEST_RUN to LONGEST_RUN frames. No run crosses a border (a frame number)."""
    faces = _choose_faces(samples)
    runs: list[Run] = []
    last_blink = 0
    edges = [*borders, len(faces)]
    position = 0
    for segment, edge in enumerate(edges):
        while position < edge:
            face = max(faces[position : position + SHORTEST_RUN])
            frames = SHORTEST_RUN
            since = position - last_blink
            # A blink comes sooner in a pause and later in the middle of a word; its intervals vary a little.
            if since > (60 if face == CLOSED else 100) + 7 * len(runs) % 30:
                face, frames, last_blink = BLINK, _BLINK_RUN, position
            else:
                while frames < LONGEST_RUN and faces[position + frames : position + frames + 1] == [face]:
                    frames += 1
            frames = _fit(frames, edge - position)
            runs.append(Run(face, frames, segment))
            position += frames
    return runs


def space_borders(borders: Iterable[int], frame_count: int) -> list[int]:
    """Return the borders (frame numbers) without those that leave fewer than SHORTEST_RUN frames on one side."""
    kept = [0]
    for border in borders:
        if kept[-1] + SHORTEST_RUN <= border <= frame_count - SHORTEST_RUN:
            kept.append(border)
    return kept[1:]


def _fit(frames: int, left: int) -> int:
    if left <= SHORTEST_RUN + 1:
        return left
    frames = min(frames, left)
    if left - frames == 1:
        return frames - 1 if frames > SHORTEST_RUN else frames + 1
    return frames


def _choose_faces(samples: bytes) -> list[int]:
    sound = array("h", samples)
    peaks = []
    for start in range(0, len(sound), SAMPLES_PER_FRAME):
        piece = sound[start : start + SAMPLES_PER_FRAME]
        peaks.append((max(piece) - min(piece)) / 2)
    loudest = max([*peaks, _SILENCE / _LOUDNESS_STEPS[0]])
    return [sum(peak > step * loudest for step in _LOUDNESS_STEPS) for peak in peaks]
