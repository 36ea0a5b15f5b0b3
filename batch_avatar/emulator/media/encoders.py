"""Settings of the encoders: fast, with small output, and without frames that depend on later ones."""

import math
import os
from dataclasses import dataclass

GROUP_FRAMES = 8

# The AV1 library (SVT-AV1) writes messages to standard error by default; 1 limits them to errors.
os.environ.setdefault("SVT_LOG", "1")

_NOMINAL_KBPS = 2000  # the service's default


@dataclass(frozen=True)
class VideoEncoder:
    name: str
    quality: int  # crf at the nominal bit rate
    options: dict[str, str]
    tag: str | None = None
    quality_range: tuple[int, int] = (14, 44)

    def options_for(self, bitrate_kbps: int) -> dict[str, str]:
        """Return the options for a bit rate.

        Six steps of crf halve the rate of an ordinary film. Our pictures hardly move, so the rate only follows roughly.
        """
        shift = 6 * math.log2(_NOMINAL_KBPS / max(1, bitrate_kbps))
        low, high = self.quality_range
        return {**self.options, "crf": str(round(min(high, max(low, self.quality + shift))))}


VIDEO_ENCODERS = {
    "h264": VideoEncoder(
        "libx264",
        21,
        {"preset": "veryfast", "bf": "0", "x264-params": "scenecut=0:rc-lookahead=0:sync-lookahead=0"},
    ),
    "hevc": VideoEncoder(
        "libx265",
        27,
        {
            "preset": "ultrafast",
            "x265-params": "log-level=none:bframes=0:keyint=8:min-keyint=8:scenecut=0:open-gop=0"
            ":pools=none:frame-threads=1:rc-lookahead=0:info=0",
        },
        tag="hvc1",  # needed by Apple's players
    ),
    "vp9": VideoEncoder(
        "libvpx-vp9",
        30,
        {"deadline": "realtime", "cpu-used": "8", "b": "0", "lag-in-frames": "0", "auto-alt-ref": "0"},
    ),
    "av1": VideoEncoder(
        "libsvtav1",
        34,
        {"preset": "11", "svtav1-params": "pred-struct=1:lp=1:keyint=8:scd=0"},
        quality_range=(20, 60),
    ),
}
AUDIO_ENCODERS = {
    "mp4": ("aac", {"aac_coder": "fast", "b": "64000"}),
    "webm": ("libopus", {"b": "48000"}),
}
