"""An ffmpeg which had no part in making the clips: the judge of whether they play."""

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg

Source = Path | str | bytes

_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+\.\d+)")
_VIDEO = re.compile(r"Stream #0:\d+.*?: Video: (\w+).*?, (\d+)x(\d+)")
_AUDIO = re.compile(r"Stream #0:\d+.*?: Audio: (\w+)")
_SUBTITLE = re.compile(r"Stream #0:\d+.*?: Subtitle: (\w+)")


@dataclass(frozen=True)
class Probe:
    duration_seconds: float
    video_codec: str
    width: int
    height: int
    audio_codec: str | None
    subtitle_codec: str | None


def probe(source: Source) -> Probe:
    """Read what the container says; AssertionError when it has no duration or no video."""
    told = describe(source)
    duration, video = _DURATION.search(told), _VIDEO.search(told)
    assert duration is not None, told
    assert video is not None, told
    hours, minutes, seconds = duration.groups()
    audio, subtitle = _AUDIO.search(told), _SUBTITLE.search(told)
    return Probe(
        duration_seconds=int(hours) * 3600 + int(minutes) * 60 + float(seconds),
        video_codec=video[1],
        width=int(video[2]),
        height=int(video[3]),
        audio_codec=audio[1] if audio else None,
        subtitle_codec=subtitle[1] if subtitle else None,
    )


def decode_errors(source: Source) -> str:
    """Decode sound and pictures to the end; empty when ffmpeg had nothing to say."""
    with _as_file(source) as path:
        done = run_ffmpeg("-v", "error", "-xerror", "-i", path, "-f", "null", "-")
    errors = done.stderr.decode(errors="replace")
    return errors or (f"exit code {done.returncode}" if done.returncode else "")


def describe(source: Source) -> str:
    """Give what `ffmpeg -i` prints about the file, tags included."""
    with _as_file(source) as path:
        return run_ffmpeg("-hide_banner", "-i", path).stderr.decode(errors="replace")


def convert(source: Source, *options: str, before: tuple[str, ...] = ()) -> bytes:
    """Give ffmpeg's output; `before` holds the options that go in front of the input."""
    with _as_file(source) as path:
        done = run_ffmpeg("-v", "error", *before, "-i", path, *options, "-")
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def run_ffmpeg(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([_executable(), "-nostdin", *arguments], capture_output=True, timeout=180, check=False)


@cache
def _executable() -> str:
    return imageio_ffmpeg.get_ffmpeg_exe()


@contextlib.contextmanager
def _as_file(source: Source) -> Iterator[str]:
    if not isinstance(source, bytes):
        yield str(source)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip")
        path.write_bytes(source)
        yield str(path)
