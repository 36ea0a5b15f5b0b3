"""espeak-ng inside this process, through ctypes."""

import ctypes
import threading
from functools import cache
from typing import Any, Final

from batch_avatar.emulator.media.model import LONGEST_SECONDS, SAMPLE_RATE
from batch_avatar.emulator.media.voices import EspeakVoice

# Values of espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
_INITIALIZE_DONT_EXIT: Final = 0x8000
_CHARS_UTF8: Final = 1
_POS_CHARACTER: Final = 1
_PITCH: Final = 3
_CALLBACK_MILLISECONDS: Final = 1000

_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The espeak-ng library. It keeps its state in globals, so a process has one instance and one caller at a time.

    Its random numbers are seeded before each call, so a sentence always has the same length. The samples of rolled
    consonants may still differ a little, because their amplitude depends on a counter that cannot be reset.
    """

    def __init__(self, library_path: str, data_path: str) -> None:
        self._lock = threading.Lock()
        self._samples = bytearray()
        self._libc = ctypes.CDLL(None)
        self._library = ctypes.CDLL(library_path)
        rate = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, _CALLBACK_MILLISECONDS, data_path.encode(), _INITIALIZE_DONT_EXIT
        )
        if rate != SAMPLE_RATE:
            raise OSError(f"espeak-ng did not start: it gave {rate} as its sample rate, not {SAMPLE_RATE}")
        self._callback = _SynthCallback(self._receive)  # kept: C holds no reference
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: EspeakVoice) -> bytes:
        """Return 16-bit mono samples at SAMPLE_RATE; empty if there is nothing to pronounce."""
        data = text.encode()
        with self._lock:
            for language in voice.languages:
                if self._library.espeak_SetVoiceByName(f"{language}+{voice.variant}".encode()) == 0:
                    break
            self._library.espeak_SetParameter(_PITCH, voice.pitch, 0)
            self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
            self._libc.srand(1)  # breath noise comes from libc
            self._samples.clear()
            self._library.espeak_Synth(
                data, ctypes.c_size_t(len(data) + 1), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
            )
            return bytes(self._samples)

    def _receive(self, samples: Any, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, 2 * count)
        # Any value but 0 ends the synthesis: half a megabyte without a full stop would be hours of one sentence.
        return int(len(self._samples) > 2 * SAMPLE_RATE * LONGEST_SECONDS)


_start_lock = threading.Lock()


def load_espeak() -> Espeak | None:
    """Return the library, which is started on the first call; None if it is not installed or does not load."""
    with _start_lock:  # the cache alone would let two threads start it
        return _start_espeak()


@cache
def _start_espeak() -> Espeak | None:
    try:
        import espeakng_loader

        return Espeak(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
    except (ImportError, OSError, AttributeError):  # AttributeError: the library lacks a function that we call
        return None
