"""Seeded scripts whose render times have a log-normal distribution, and the rendering of each script.

The length of the text decides the length of the video, and the length of the video decides the predicted render time.
The real render time is the predicted one times noise, because equal videos do not take equally long in reality. The
real times have exactly the mean and the coefficient of variation that are asked for: a product of log-normal factors
is log-normal, and with means of 1 the squared coefficients combine as (1 + a^2)(1 + b^2) = 1 + c^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from batch_avatar.models import Script

SEEDS = (1, 2, 3, 4, 5)

MEAN_RENDER_SECONDS = 148.0
"""A video of 87 s was seen to take about 150 s; 148 s is the mean of all benchmarks."""
RENDER_CV = 0.6
NOISE_CV = 0.2
OVERHEAD_SECONDS = 2.0
RENDER_SECONDS_PER_VIDEO_SECOND = 1.7
"""Overhead and factor come from the few known times: 87 s of video took about 150 s, 2.5 s took 3.6 s. The emulator
has the same."""
CHARACTERS_PER_SECOND = 15.0
"""Approximate speed of speech in Latin script; the emulator has the same."""
LONGEST_VIDEO_SECONDS = 1200.0  # documented limit: 20 minutes
SHORTEST_VIDEO_SECONDS = 1.0  # long enough for the number that begins each text

VOICE = "en-US-AvaMultilingualNeural"
_SENTENCES = (
    "The morning shift begins with a walk through the hall, and nobody hurries. "
    "What was measured yesterday lies on the table, beside what was expected. "
    "Between the two there is a gap, and most of our work is to explain it. "
    "Some days it closes by itself, on others it takes a week and three colleagues. "
    "Whoever asks why is welcome to sit down and look at the numbers with us. "
)
_TEXT = _SENTENCES * math.ceil(LONGEST_VIDEO_SECONDS * CHARACTERS_PER_SECOND / len(_SENTENCES))


@dataclass(frozen=True, slots=True)
class Rendering:
    """How the service renders one text."""

    characters: int
    video_seconds: float
    render_seconds: float
    """Seconds from start to end, alone in a job."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Scripts in the order of a manifest; `renderings` by content, predicted and real seconds by position."""

    scripts: tuple[Script, ...]
    renderings: dict[str, Rendering]
    predicted_seconds: tuple[float, ...]
    """Render times without the noise, as a perfect predictor would give them."""
    render_seconds: tuple[float, ...]


def draw_workload(
    count: int,
    *,
    seed: int,
    mean_seconds: float = MEAN_RENDER_SECONDS,
    cv: float = RENDER_CV,
    noise_cv: float = NOISE_CV,
) -> Workload:
    """Draw a workload; the same arguments give the same one everywhere.

    The first n scripts of a longer workload are those of a workload with n scripts.

    Raises:
        ValueError: the noise has a larger coefficient of variation than the render times shall have.
    """
    if noise_cv > cv:
        raise ValueError(f"noise of cv {noise_cv} in render times of cv {cv}")
    length_cv = math.sqrt((1 + cv**2) / (1 + noise_cv**2) - 1)
    random = Random(f"{seed}")  # noqa: S311 - repeatable on purpose
    scripts, renderings = [], {}
    predicted, real = [], []
    for number in range(count):
        length, noise = random.gauss(), random.gauss()
        wanted_seconds = _lognormal(length, mean=mean_seconds, cv=length_cv)
        content = _text(number, (wanted_seconds - OVERHEAD_SECONDS) / RENDER_SECONDS_PER_VIDEO_SECOND)
        video_seconds = len(content) / CHARACTERS_PER_SECOND
        predicted.append(OVERHEAD_SECONDS + RENDER_SECONDS_PER_VIDEO_SECOND * video_seconds)
        real.append(predicted[-1] * _lognormal(noise, mean=1.0, cv=noise_cv))
        scripts.append(
            Script(
                script_id=f"s{number:05d}",
                content=content,
                voice=VOICE,
                talking_avatar_character="lisa",
                talking_avatar_style="casual-sitting",
            )
        )
        renderings[content] = Rendering(len(content), video_seconds, real[-1])
    return Workload(tuple(scripts), renderings, tuple(predicted), tuple(real))


def _lognormal(normal: float, *, mean: float, cv: float) -> float:
    """Turn a standard normal draw into a log-normal one with this mean and coefficient of variation."""
    variance = math.log1p(cv**2)
    return mean * math.exp(math.sqrt(variance) * normal - variance / 2)


def _text(number: int, video_seconds: float) -> str:
    """Return a text of this length. Each number gives a different text, because the service knows texts by content."""
    seconds = min(max(video_seconds, SHORTEST_VIDEO_SECONDS), LONGEST_VIDEO_SECONDS)
    length = round(seconds * CHARACTERS_PER_SECOND)
    return f"{number}: {_TEXT}"[: length - 1] + "."
