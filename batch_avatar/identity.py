"""The ids of scripts and jobs: pure functions of what decides picture and sound.

The golden vectors in tests/unit/test_identity.py pin every byte of this, because an id that changes renders, and
bills, a whole archive again. So there are three rules: only what the user said goes in (our defaults and the service's
stay out), the models give enum values one spelling, and every new property is left out while it is not set.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from batch_avatar.errors import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.models import Script

ALGORITHM = 1
NOT_PICTURE_OR_SOUND = {
    "script_id",
    "description",
    "time_to_live_in_hours",
    "destination_container_url",
    "destination_path",
}
SAS_PARAMETERS = frozenset(
    [
        "sv",
        "ss",
        "srt",
        "sr",
        "st",
        "se",
        "sp",
        "sip",
        "spr",
        "si",
        "sig",
        "skoid",
        "sktid",
        "skt",
        "ske",
        "sks",
        "skv",
        "saoid",
        "suoid",
        "scid",
        "sdd",
        "ses",
        "rscc",
        "rscd",
        "rsce",
        "rscl",
        "rsct",
    ]
)
"""Query parameters of a shared access signature (Azure Storage's service and user delegation SAS pages)."""


def normalise_newlines(text: str) -> str:
    """Return the content as it is hashed and sent, with LF as the only line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def normal_form(script: Script) -> dict[str, Any]:
    """Return everything that decides picture and sound, by our own names, independent of the API generation."""
    values = script.model_dump(exclude=NOT_PICTURE_OR_SOUND, exclude_none=True)
    values["content"] = normalise_newlines(script.content).rstrip()  # editors add a line end, which nobody hears
    if image := values.get("background_image"):
        values["background_image"] = without_signature(image)
    for folded in ("voice", "talking_avatar_character", "talking_avatar_style", "background_color"):
        if folded in values:
            values[folded] = values[folded].lower()  # the service ignores case in these
    return values


def without_signature(url: str) -> str:
    """Return a link without its signature, which is new each time while the picture stays the same."""
    parts = urlsplit(url)._replace(fragment="")
    query = parse_qsl(parts.query, keep_blank_values=True)
    if any(name == "sig" for name, _ in query):
        kept = [(name, value) for name, value in query if name not in SAS_PARAMETERS]
        parts = parts._replace(query=urlencode(kept))
    return urlunsplit(parts)


def recorded_form(script: Script) -> dict[str, Any]:
    """Return the normal form as claims keep it: with a digest in place of the text, to keep the text private."""
    form = normal_form(script)
    return form | {"content": "sha256:" + hashlib.sha256(form["content"].encode()).hexdigest()}


def form_digests(form: Mapping[str, Any]) -> dict[str, str]:
    """Return a short digest for each property of a recorded form, to tell later which of them has changed."""
    return {name: hashlib.sha256(_canonical(value).encode()).hexdigest()[:8] for name, value in form.items()}


def form_digest(digests: Mapping[str, str]) -> str:
    """Return one digest of all these digests; it is the same for scripts that say the same."""
    return hashlib.sha256(_canonical(digests).encode()).hexdigest()[:16]


def signed_properties(script: Script) -> list[str]:
    """Return the names of properties that hold a signature; they must not be stored where others can read them."""
    image = script.background_image
    signed = ["background_image"] if image and "sig" in parse_qs(urlsplit(image).query) else []
    if redact(script.content) != script.content:  # SSML may name signed sound files
        signed.append("content")
    return signed + (["destination_container_url"] if script.destination_container_url else [])


def derive_content_id(script: Script, *, archive_id: str, revision: int = 0) -> str:
    """Return the content id, 16 hexadecimal digits. `revision` counts the re-renders that people asked for."""
    form: dict[str, Any] = {
        "algorithm": ALGORITHM,
        "archive_id": archive_id,
        "script_id": script.script_id,
        "script": normal_form(script),
    }
    if revision:
        form["revision"] = revision
    return hashlib.sha256(_canonical(form).encode()).hexdigest()[:16]


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def parse_job_id(job_id: str) -> tuple[str, int] | None:
    """Return the content id and attempt in one of our job ids; None for any other name."""
    found = _JOB_ID.fullmatch(job_id)
    return (found[1], int(found[2])) if found else None


def derive_job_id(script_id: str, content_id: str, attempt: int) -> str:
    """Return an id of 3 to 64 letters, digits, '-' and '_', alphanumeric at both ends: the documented rule."""
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", script_id)[:40].strip("-_") or "s"
    return f"{slug}-{content_id}-{attempt}"


_JOB_ID = re.compile(r"[A-Za-z0-9_-]+-([0-9a-f]{16})-([1-9][0-9]?)")
_MARK = re.compile(r"batch-avatar:([0-9a-f]{16})\b")


def mark_description(description: str | None, archive_id: str) -> str:
    """Return the job's description with the archive's mark, by which sweep and adoption recognise our jobs."""
    mark = f"batch-avatar:{archive_id}"
    return f"{mark} {description}" if description else mark  # first, in case the service cuts long ones


def archive_of(description: str | None) -> str | None:
    """Return the archive id in a job's description, or None."""
    found = _MARK.findall(description or "")
    return found[0] if found else None
