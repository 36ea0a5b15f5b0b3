"""Values that properties of a request may have, as far as they are known (batch avatar properties page, 2/2026)."""

from __future__ import annotations

VIDEO_FORMATS = ("mp4", "webm")
VIDEO_CODECS = ("h264", "hevc", "vp9", "av1")
SUBTITLE_TYPES = ("soft_embedded", "hard_embedded", "external_file", "none")
