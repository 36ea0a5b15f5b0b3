"""A claim as tests of this room write it."""

from __future__ import annotations

from batch_avatar.archive.records import Claim
from batch_avatar.receipt import Attempt

CLAIM = Claim(
    script_id="intro",
    content_id="0123456789abcdef",
    run="r",
    holder="h",
    resource="x",
    api_version="2024-08-01",
    attempts=(Attempt(number=1, job_id="intro-0123456789abcdef-1"),),
)
"""Of a script that is about to be sent."""
