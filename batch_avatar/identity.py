"""Who a script is: pure functions from what decides picture and sound to ids.

The golden vectors in tests/unit/test_identity.py pin every byte of this: an id that changes renders, and bills,
a whole archive again. Hence the rules: only what the user said goes in (our defaults and the service's stay out),
enum values arrive folded by the models, and every new property must be omitted while unset.
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
    """The content as it is hashed and sent."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def normal_form(script: Script) -> dict[str, Any]:
    """Everything that decides picture and sound, by our own names, whatever the API generation."""
    values = script.model_dump(exclude=NOT_PICTURE_OR_SOUND, exclude_none=True)
    values["content"] = normalise_newlines(script.content).rstrip()  # editors add a line end, nobody hears it
    if image := values.get("background_image"):
        values["background_image"] = without_signature(image)
    for folded in ("voice", "talking_avatar_character", "talking_avatar_style", "background_color"):
        if folded in values:
            values[folded] = values[folded].lower()  # the service compares these without case
    return values


def without_signature(url: str) -> str:
    """A signed link without its signature: it is minted anew each time and the picture is the same."""
    parts = urlsplit(url)._replace(fragment="")
    query = parse_qsl(parts.query, keep_blank_values=True)
    if any(name == "sig" for name, _ in query):
        kept = [(name, value) for name, value in query if name not in SAS_PARAMETERS]
        parts = parts._replace(query=urlencode(kept))
    return urlunsplit(parts)


def recorded_form(script: Script) -> dict[str, Any]:
    """The normal form as claims keep it: without the text, which is nobody's business there."""
    form = normal_form(script)
    return form | {"content": "sha256:" + hashlib.sha256(form["content"].encode()).hexdigest()}


def form_digests(form: Mapping[str, Any]) -> dict[str, str]:
    """A recorded form, a short digest per property: enough to tell which of them a later change touched."""
    return {name: hashlib.sha256(_canonical(value).encode()).hexdigest()[:8] for name, value in form.items()}


def form_digest(digests: Mapping[str, str]) -> str:
    """Of all of them together: whether two scripts say the same."""
    return hashlib.sha256(_canonical(digests).encode()).hexdigest()[:16]


def signed_properties(script: Script) -> list[str]:
    """Properties that hold a signature: they may not lie where others read."""
    image = script.background_image
    signed = ["background_image"] if image and "sig" in parse_qs(urlsplit(image).query) else []
    if redact(script.content) != script.content:  # SSML may name signed sound files
        signed.append("content")
    return signed + (["destination_container_url"] if script.destination_container_url else [])


def derive_content_id(script: Script, *, archive_id: str, revision: int = 0) -> str:
    """16 hexadecimal digits. `revision` counts wanted re-renders of the same script."""
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
    """Content id and attempt of a job id of ours; None for other names."""
    found = _JOB_ID.fullmatch(job_id)
    return (found[1], int(found[2])) if found else None


def derive_job_id(script_id: str, content_id: str, attempt: int) -> str:
    """3 to 64 letters, digits, '-' and '_', first and last alphanumeric: the documented rule for ids."""
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", script_id)[:40].strip("-_") or "s"
    return f"{slug}-{content_id}-{attempt}"


_JOB_ID = re.compile(r"[A-Za-z0-9_-]+-([0-9a-f]{16})-([1-9][0-9]?)")
_MARK = re.compile(r"batch-avatar:([0-9a-f]{16})\b")


def mark_description(description: str | None, archive_id: str) -> str:
    """The job's description with the archive's mark, by which sweep and adoption know our jobs."""
    mark = f"batch-avatar:{archive_id}"
    return f"{mark} {description}" if description else mark  # first, in case long ones are cut


def archive_of(description: str | None) -> str | None:
    """The archive id in a job's description, if it carries one."""
    found = _MARK.findall(description or "")
    return found[0] if found else None
