"""Chooses the espeak-ng voice that stands in for a voice of the service."""

import hashlib
import re
from dataclasses import dataclass

FALLBACK_LANGUAGE = "en-us"

# Languages that espeak-ng names neither by the locale nor by its language. It has no Filipino, Javanese or Zulu.
_LANGUAGES = {"zh": "cmn", "zh-hk": "yue", "es-mx": "es-419", "es-us": "es-419", "no": "nb", "iw": "he"}

# espeak-ng's variants without flutter and roughness. The others keep a phase between calls, so the same sentence
# would have a different length each time.
_FEMALE, _MALE = "shelby", "Diogo"

# The male voices among the usual ones; the service's default voices are female.
_MEN = re.compile(
    "adam|alain|alvaro|andrew|antonio|arnav|benoit|brandon|brian|christopher|claude|conrad|dariush|"
    "davis|diego|dmitry|duarte|eric|fabio|filip|florian|guy|hamed|harri|henri|injoon|jacob|jason|"
    "jorge|kai|keita|killian|lewis|liam|maarten|madhur|marek|markus|mattias|maurice|naoki|niwat|"
    "oliver|ostap|phillip|remy|roger|ryan|samuel|steffan|thomas|tony|valentin|william|yunfan|yunhao|"
    "yunjian|yunxi|yunyang"
)

# First and last code point of each writing system: a multilingual voice speaks the language of the text.
_SCRIPTS = (
    ("\u3040", "\u30ff", "ja"),
    ("\uac00", "\ud7a3", "ko"),
    ("\u0400", "\u04ff", "ru"),
    ("\u0370", "\u03ff", "el"),
    ("\u0590", "\u05ff", "he"),
    ("\u0600", "\u06ff", "ar"),
    ("\u0900", "\u097f", "hi"),
    ("\u0e00", "\u0e7f", "th"),
    ("\u4e00", "\u9fff", "cmn"),  # after Japanese, which uses them too
)


@dataclass(frozen=True)
class EspeakVoice:
    languages: tuple[str, ...]  # in order of preference; the last one always exists
    variant: str
    pitch: int  # on espeak-ng's scale of 0-100; 50 is the variant's own


def choose_espeak_voice(voice: str | None, text: str) -> EspeakVoice:
    """Choose a voice. Each name gets its own pitch, so that two speakers in one clip can be told apart."""
    name = (voice or "").lower()
    parts = name.split("-", 2)
    locale = "-".join(parts[:2])
    languages = []
    if "multilingual" in name and (script := _find_script(text)):
        languages.append(script)
    languages += (_LANGUAGES.get(candidate, candidate) for candidate in (locale, parts[0]))
    speaker = parts[-1].split(":")[0].removesuffix("neural").removesuffix("multilingual")
    pitch = 42 + hashlib.sha256(name.encode()).digest()[0] % 20
    variant = _MALE if _MEN.fullmatch(speaker) else _FEMALE
    return EspeakVoice((*filter(None, languages), FALLBACK_LANGUAGE), variant, pitch)


def _find_script(text: str) -> str | None:
    for first, last, language in _SCRIPTS:
        if sum(first <= character <= last for character in text) * 3 > len(text):
            return language
    return None
