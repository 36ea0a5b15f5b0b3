"""Decides which generation of the API a path belongs to, and which operation and job a request is about. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from batch_avatar.emulator.options import Generation

BATCH = "/avatar/batchsyntheses"
PREVIEW_BATCH = "/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar"
_PREVIEW_ROOT = "/api/texttospeech/3.1-preview1/"
_JOB = re.compile(rf"(?:{re.escape(BATCH)}|{re.escape(PREVIEW_BATCH)})/([^/]+)")
_OPERATION = re.compile(r"/avatar/operations/([^/]+)")
_BY_METHOD: dict[Generation, dict[str, str]] = {
    "2024": {"PUT": "create", "GET": "get", "DELETE": "delete"},
    "3.1": {"GET": "get", "DELETE": "delete"},
}


class Call(NamedTuple):
    """The operation and the job of a request. `job_id` comes from the path, so a 3.1-preview1 create has none."""

    operation: str
    job_id: str | None
    generation: Generation


def generation_of(path: str) -> Generation:
    """Return the generation that answers a path: 3.1-preview1 for its own paths, 2024 for all others."""
    return "3.1" if path.startswith(_PREVIEW_ROOT) else "2024"


def classify(method: str, path: str) -> Call:
    """Return the operation of a request and the job that it is about."""
    generation = generation_of(path)
    if path == PREVIEW_BATCH and method in ("GET", "POST"):
        return Call("list" if method == "GET" else "create", None, generation)
    if path.rstrip("/") == BATCH and method == "GET":
        return Call("list", None, generation)
    if (match := _JOB.fullmatch(path)) and method in _BY_METHOD[generation]:
        return Call(_BY_METHOD[generation][method], unquote(match[1]), generation)
    if _OPERATION.fullmatch(path) and method == "GET":
        return Call("operation", None, generation)
    return Call("other", None, generation)
