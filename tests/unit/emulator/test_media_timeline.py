"""The order of faces."""

import random
from array import array

import pytest

from batch_avatar.emulator.media.drawing import BLINK, CLOSED, WIDE
from batch_avatar.emulator.media.model import SAMPLES_PER_FRAME
from batch_avatar.emulator.media.timeline import LONGEST_RUN, SHORTEST_RUN, plan_runs, space_borders


def sound(*loudness):
    return b"".join(array("h", [level, -level] * (SAMPLES_PER_FRAME // 2)).tobytes() for level in loudness)


@pytest.mark.parametrize("seed", range(20))
def test_runs_cover_the_clip_and_are_neither_too_short_nor_too_long(seed):
    chance = random.Random(seed)
    frames = chance.randint(25, 400)
    samples = sound(*(chance.choice([0, 0, 900, 4000, 9000]) for _ in range(frames)))
    borders = space_borders(sorted(chance.sample(range(frames), 8)), frames)

    runs = plan_runs(samples, borders)

    assert sum(run.frames for run in runs) == frames
    assert all(SHORTEST_RUN <= run.frames <= LONGEST_RUN for run in runs)
    ends = [sum(run.frames for run in runs if run.segment <= number) for number in range(len(borders))]
    assert ends == borders


def test_silence_shuts_the_mouth_and_blinks():
    faces = [run.face for run in plan_runs(sound(*[0] * 500))]

    assert set(faces) == {CLOSED, BLINK}
    assert 3 <= faces.count(BLINK) <= 8


def test_the_loudest_frames_open_the_mouth_widest():
    runs = plan_runs(sound(*[0] * 10, *[9000] * 6, *[0] * 10))

    assert [run.face for run in runs if run.face] == [WIDE]


def test_borders_too_close_to_others_are_dropped():
    assert space_borders([1, 5, 6, 8, 24], 25) == [5, 8]
