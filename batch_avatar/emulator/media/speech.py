"""Makes the sound of a clip, and notes when each sentence is heard."""

from dataclasses import dataclass

from batch_avatar.emulator.media.babble import babble
from batch_avatar.emulator.media.espeak import load_espeak
from batch_avatar.emulator.media.model import (
    FRAMES_PER_SECOND,
    LONGEST_SECONDS,
    MILLISECONDS_PER_FRAME,
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Cue,
)
from batch_avatar.emulator.media.script import Phrase, read_script
from batch_avatar.emulator.media.voices import choose_espeak_voice

LEAD_MILLISECONDS = 50  # the service's first cue starts at this time
TAIL_MILLISECONDS = 300
SHORTEST_FRAMES = FRAMES_PER_SECOND

_BYTES_PER_SAMPLE = 2


@dataclass(frozen=True)
class Speech:
    """16-bit mono samples at SAMPLE_RATE, filled up with silence to whole video frames, and their cues."""

    samples: bytes
    cues: tuple[Cue, ...]
    spoken_characters: int

    @property
    def frame_count(self) -> int:
        return len(self.samples) // (_BYTES_PER_SAMPLE * SAMPLES_PER_FRAME)

    @property
    def duration_milliseconds(self) -> int:
        return self.frame_count * MILLISECONDS_PER_FRAME


def speak(
    input_kind: str, content: str, voice: str | None, longest_milliseconds: int = LONGEST_SECONDS * 1000
) -> Speech:
    """Speak the content sentence by sentence, so that start and end of each cue are exact to the sample."""
    script = read_script(input_kind, content, voice)
    sound = bytearray(_silence(LEAD_MILLISECONDS))
    cues: list[Cue] = []
    for phrase in script.phrases:
        sound += _silence(phrase.pause_milliseconds)
        start = _milliseconds(sound)
        if start >= longest_milliseconds:
            break
        if spoken := _pronounce(phrase):
            sound += spoken
            end = min(_milliseconds(sound), longest_milliseconds)
            cues.append(Cue(start, end, phrase.text))
    sound += _silence(TAIL_MILLISECONDS)
    del sound[longest_milliseconds * SAMPLE_RATE // 1000 * _BYTES_PER_SAMPLE :]
    frame_bytes = SAMPLES_PER_FRAME * _BYTES_PER_SAMPLE
    frames = max(SHORTEST_FRAMES, -(-len(sound) // frame_bytes))
    return Speech(bytes(sound.ljust(frames * frame_bytes, b"\0")), tuple(cues), script.spoken_characters)


def _pronounce(phrase: Phrase) -> bytes:
    if not phrase.text:
        return b""
    voice = choose_espeak_voice(phrase.voice, phrase.text)
    espeak = load_espeak()
    return (
        espeak.speak(phrase.text, voice)
        if espeak
        else babble(phrase.text, voice)[: _BYTES_PER_SAMPLE * SAMPLE_RATE * LONGEST_SECONDS]
    )


def _silence(milliseconds: int) -> bytes:
    milliseconds = min(milliseconds, LONGEST_SECONDS * 1000)  # the sum of breaks has no limit
    # Rounded up, so that the next cue does not start a millisecond early.
    return bytes(_BYTES_PER_SAMPLE * -(-milliseconds * SAMPLE_RATE // 1000))


def _milliseconds(sound: bytearray) -> int:
    return len(sound) // _BYTES_PER_SAMPLE * 1000 // SAMPLE_RATE
