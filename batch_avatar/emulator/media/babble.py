"""Speech-like sound for machines where espeak-ng cannot be loaded: one syllable per few letters, without words."""

import math
from array import array
from functools import cache

from batch_avatar.emulator.media.model import SAMPLE_RATE
from batch_avatar.emulator.media.voices import EspeakVoice

_SYLLABLE_SECONDS = 0.16
_LETTERS_PER_SYLLABLE = 3
# First two formants of five vowels, in Hz.
_VOWELS = ((730, 1090), (530, 1840), (390, 1990), (570, 840), (440, 1020))


def babble(text: str, voice: EspeakVoice) -> bytes:
    """Return 16-bit mono samples at SAMPLE_RATE, about as long as a quick reading of the text."""
    pitch_hertz = (90 if voice.variant[0].isupper() else 160) + voice.pitch
    sound = bytearray()
    for word in text.split():
        for start in range(0, len(word), _LETTERS_PER_SYLLABLE):
            sound += _syllable(sum(map(ord, word[start : start + _LETTERS_PER_SYLLABLE])) % 5, pitch_hertz)
        sound += bytes(2 * (SAMPLE_RATE // 20))
    return bytes(sound)


@cache
def _syllable(vowel: int, pitch_hertz: int) -> bytes:
    count = int(_SYLLABLE_SECONDS * SAMPLE_RATE)
    harmonics = []
    for number in range(1, 12):
        frequency = number * pitch_hertz
        strength = sum(math.exp(-(((frequency - peak) / 180) ** 2)) for peak in _VOWELS[vowel])
        harmonics.append((2 * math.pi * frequency / SAMPLE_RATE, 0.06 + strength))
    loudness = 9000 / sum(strength for _, strength in harmonics)
    samples = array("h")
    for index in range(count):
        envelope = math.sin(math.pi * index / count) ** 0.5
        wave = sum(strength * math.sin(step * index) for step, strength in harmonics)
        samples.append(int(loudness * envelope * wave))
    return samples.tobytes()
