"""Predict how long a script's video will be and how long its rendering takes, corrected by past renders. Pure.

Good enough to start the longest first, to know when to poll, and to refuse what is far too long; nothing else that is
paid for may depend on it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from math import fsum, isfinite
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from batch_avatar.identity import sendable
from batch_avatar.service.wire.voices import voice_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from batch_avatar.models import Script

LETTERS_PER_SECOND = 1 / 0.068
"""68 ms per character, the mean of 14 languages; languages that write their vowels differ little (6 % in speed).

The source of this and of the rates below, unless they say otherwise: reading aloud as measured by Trauzettel-Klosinski
and Dietz, "Standardized Assessment of Reading Performance", IOVS 53 (2012). Voices differ; learning corrects that.
"""

SLOWER_WRITING = (
    (re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"), 255 / 60),  # Han, from Chinese
    (re.compile("[\u3040-\u30ff\uff66-\uff9f]+"), 447 / 60),  # kana; mixed with Han: the 6 measured in Japanese
    (re.compile("[\uac00-\ud7a3]+"), 7.0),  # Hangul: a choice, about 8 characters of Korean with the blanks
    (re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]+"), 612 / 60),  # Arabic writes few vowels
)
"""Characters per second, by the text's writing system and not by the voice's locale: multilingual voices speak any
language, texts mix them, and with a time for each character a longer text never takes less time."""

RATE_WORDS = {"x-slow": 0.5, "slow": 0.64, "medium": 1.0, "default": 1.0, "fast": 1.55, "x-fast": 2.0}
"""From Azure's page on voice and sound in SSML, which gives `slow` as 0.64 and as -46 %; `default` is from W3C."""
LOWEST_RATE, HIGHEST_RATE = 0.5, 2.0  # what the same page allows, relative to the voice's own rate

PAUSE_SECONDS = {"none": 0.0, "x-weak": 0.25, "weak": 0.5, "medium": 0.75, "strong": 1.0, "x-strong": 1.25}
"""From Azure's page on the structure of SSML; `none` is from W3C."""
LONGEST_PAUSE_SECONDS = 20.0  # the same page: the service shortens longer pauses to this

RENDER_OVERHEAD_SECONDS = 2.0  # a choice: a clip of 2.5 s was done after 3.6 s (the service's documented example)
RENDER_FACTOR = 1.7  # 87 s of video took about 150 s (reported by a user)
LOWEST_FACTOR, HIGHEST_FACTOR = 0.1, 10.0  # a choice; 0.6 (2.5 s in hevc) to 5.9 (3.5 s in vp9) are documented

LOWEST_RATIO, HIGHEST_RATIO = 0.2, 5.0  # a choice: outside, the cause is another text or a broken video
ENOUGH_VIDEOS = 3  # a choice: the smallest number whose median one outlier does not decide
ENOUGH_RENDERS = 5  # a choice: allows two outliers, because queues make rendering times vary more than lengths

_RATE = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)(%?)", re.ASCII)
_TIME = re.compile(r"\+?(\d+(?:\.\d*)?|\.\d+)\s*(ms|s)", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")  # no '<' inside, so that many unclosed tags do not take quadratic time


@dataclass(frozen=True, slots=True)
class Prediction:
    """`characters`: the spoken ones, without tags. `render_seconds`: from the job's creation to its end.

    `pause_seconds`: the part of the video that is silence as it was written, of which nothing has to be guessed.

    `voice`: in lower case; in SSML the one that speaks most characters; empty where an avatar speaks with its own.
    """

    characters: int
    video_seconds: float
    render_seconds: float
    voice: str
    pause_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PastRender:
    """What a receipt says. `predicted_video_seconds` is what `speech_seconds` returns, before any learning."""

    voice: str
    predicted_video_seconds: float
    video_seconds: float
    render_seconds: float | None
    archived_at: str = ""
    """In the format of ISO 8601, so that it sorts by time."""


class Predictor:
    """Predicts with the medians of past renders, or with our defaults where there are too few.

    Lengths are corrected by the renders of the same voice, or else of all voices; rendering times by all renders.
    """

    def __init__(self, past: Iterable[PastRender] = ()) -> None:
        by_voice: defaultdict[str, list[float]] = defaultdict(list)
        factors = []
        for render in past:
            video_seconds = render.video_seconds
            if not _positive(video_seconds):
                continue
            if _positive(render.predicted_video_seconds):
                ratio = video_seconds / render.predicted_video_seconds
                by_voice[render.voice.lower()].append(_clamped(ratio, LOWEST_RATIO, HIGHEST_RATIO))
            if render.render_seconds is not None and _positive(render.render_seconds):
                factor = (render.render_seconds - RENDER_OVERHEAD_SECONDS) / video_seconds
                factors.append(_clamped(factor, LOWEST_FACTOR, HIGHEST_FACTOR))
        ratios = [ratio for of_voice in by_voice.values() for ratio in of_voice]
        self._ratio = median(ratios) if len(ratios) >= ENOUGH_VIDEOS else 1.0
        self._voice_ratios = {voice: median(own) for voice, own in by_voice.items() if len(own) >= ENOUGH_VIDEOS}
        self._factor = median(factors) if len(factors) >= ENOUGH_RENDERS else RENDER_FACTOR

    def predict(self, script: Script) -> Prediction:
        speech = _speech_of(script)
        video_seconds = speech.seconds * self._voice_ratios.get(speech.voice, self._ratio)
        return Prediction(
            characters=speech.characters,
            video_seconds=video_seconds,
            render_seconds=RENDER_OVERHEAD_SECONDS + self._factor * video_seconds,
            voice=speech.voice,
            pause_seconds=speech.pauses,
        )


def spoken_characters(script: Script) -> int:
    """Count the spoken characters: no tags, and a run of white space as one blank."""
    return _speech_of(script).characters


def speech_seconds(script: Script) -> float:
    """Return the length before learning: the text at its writing system's rate, with prosody rates and pauses.

    Sound files count as their text. Digits and spelled words (say-as) count as letters, though they take longer.
    """
    return _speech_of(script).seconds


class _Speech(NamedTuple):
    characters: int
    seconds: float
    voice: str
    pauses: float = 0.0


class _Context(NamedTuple):
    """What applies inside an element. `silent`: inside <sub>, whose text its alias replaces."""

    voice: str
    rate: float
    silent: bool = False


class _Transcript:
    """A target of the XML parser instead of a tree: it takes any depth of elements, and no second pass."""

    def __init__(self, voice: str) -> None:
        self.texts: defaultdict[tuple[str, float], list[str]] = defaultdict(list)
        self.pauses: list[float] = []
        self._contexts = [_Context(voice, 1.0)]

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        context = self._contexts[-1]
        match tag.rpartition("}")[2]:
            case "voice":
                context = context._replace(voice=attributes.get("name", context.voice).lower())
                self.texts[context.voice, context.rate]  # registers the voice, even if it says nothing
            case "prosody":
                rate = context.rate * _rate(attributes.get("rate"))
                context = context._replace(rate=_clamped(rate, LOWEST_RATE, HIGHEST_RATE))
            case "sub" if "alias" in attributes:
                self.data(attributes["alias"])
                context = context._replace(silent=True)
            case "break":
                strength = attributes.get("strength", "").strip().lower()
                usual = PAUSE_SECONDS.get(strength, PAUSE_SECONDS["medium"])
                self.pauses.append(_pause_seconds(attributes.get("time"), usual=usual))
            case "silence":  # counted once, though those between sentences or at commas are heard at each
                self.pauses.append(_pause_seconds(attributes.get("value"), usual=0.0))
        self._contexts.append(context)

    def end(self, _tag: str) -> None:
        self._contexts.pop()

    def data(self, text: str) -> None:
        context = self._contexts[-1]
        if not context.silent:
            self.texts[context.voice, context.rate].append(text)

    def speech(self) -> _Speech:
        characters: defaultdict[str, int] = defaultdict(int)
        seconds = [*self.pauses]
        for (voice, rate), pieces in self.texts.items():
            text = _heard("".join(pieces))
            characters[voice] += len(text)
            seconds.append(_text_seconds(text) / rate)
        voice = max(characters, key=lambda name: (characters[name], bool(name)), default=self._contexts[0].voice)
        return _Speech(sum(characters.values()), fsum(seconds), voice, fsum(self.pauses))


def _speech_of(script: Script) -> _Speech:
    voice = (script.voice or "").lower()
    if script.input_kind == "SSML":
        speech = _ssml_speech(sendable(script.content, script.input_kind), voice)
    else:
        text = _heard(script.content)
        rate = _clamped(_rate(script.rate), LOWEST_RATE, HIGHEST_RATE)
        speech = _Speech(len(text), _text_seconds(text) / rate, voice)
    return speech._replace(voice="") if script.use_built_in_voice else speech


def _ssml_speech(content: str, voice: str) -> _Speech:
    transcript = _Transcript(voice)
    parser = ElementTree.DefusedXMLParser(target=transcript)
    try:
        parser.feed(content)
        parser.close()
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        text = _heard(_TAG.sub(" ", content))
        return _Speech(len(text), _text_seconds(text), next(voice_names(content), voice).lower())
    return transcript.speech()


def _heard(text: str) -> str:
    return " ".join(text.split())


def _text_seconds(text: str) -> float:
    if text.isascii():
        return len(text) / LETTERS_PER_SECOND
    counts = [(sum(map(len, letters.findall(text))), rate) for letters, rate in SLOWER_WRITING]
    others = len(text) - sum(count for count, _ in counts)
    return fsum([others / LETTERS_PER_SECOND, *(count / rate for count, rate in counts)])


def _rate(value: str | None) -> float:
    """Return the factor that a prosody rate stands for; 1 for rates that the service ignores.

    A percentage is a change, with or without a sign, and a number is a factor (Azure's page). A number with a sign is
    in neither list, and is ignored.
    """
    value = (value or "medium").strip().lower()
    if value in RATE_WORDS:
        return RATE_WORDS[value]
    written = _RATE.fullmatch(value)
    if written is None or (written[1] and not written[3]):
        return 1.0
    number = float(written[1] + written[2])
    return 1 + number / 100 if written[3] else number


def _pause_seconds(value: str | None, *, usual: float) -> float:
    written = _TIME.fullmatch((value or "").strip())
    if written is None:
        return usual
    seconds = float(written[1]) / (1000 if written[2].lower() == "ms" else 1)
    return min(seconds, LONGEST_PAUSE_SECONDS)


def _positive(seconds: float) -> bool:
    return isfinite(seconds) and seconds > 0


def _clamped(value: float, lowest: float, highest: float) -> float:
    return max(lowest, min(value, highest))
