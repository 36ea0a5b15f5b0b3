"""The ids of scripts and jobs: pure functions of what decides picture and sound.

The golden vectors in tests/unit/test_identity.py pin every byte of this, because an id that changes renders, and
bills, a whole archive again. So there are three rules: only what the user said goes in (our defaults and the service's
stay out), the models give enum values one spelling, and every new property is left out while it is not set.
"""

from __future__ import annotations

import hashlib
import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from batch_avatar.models import Script

ALGORITHM = 1
NOT_PICTURE_OR_SOUND = {
    "script_id",
    "columns",
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
AMZ = frozenset(
    f"x-amz-{name}" for name in ("algorithm", "credential", "date", "expires", "signedheaders", "signature")
)
GOOG = frozenset(
    f"x-goog-{name}" for name in ("algorithm", "credential", "date", "expires", "signedheaders", "signature")
)
AMZ_2 = frozenset(["awsaccesskeyid", "signature", "expires", "x-amz-security-token"])
GOOG_2 = frozenset(["googleaccessid", "signature", "expires"])
CLOUDFRONT = frozenset(["key-pair-id", "signature", "policy", "expires"])
SIGNATURE_SETS: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (frozenset(["sig", "se"]), SAS_PARAMETERS),
    (AMZ, AMZ | {"x-amz-security-token"}),
    (GOOG, GOOG),
    (frozenset(["key-pair-id", "signature", "policy"]), CLOUDFRONT),
    (frozenset(["key-pair-id", "signature", "expires"]), CLOUDFRONT),
    (frozenset(["awsaccesskeyid", "signature", "expires"]), AMZ_2),
    (frozenset(["googleaccessid", "signature", "expires"]), GOOG_2),
)
"""What a link must have to count as signed, in lower case, and what is then left out of it; nothing less counts.

From the pages on presigned links of Amazon S3 (Signature Version 4 and 2), Google Cloud Storage (V4 and V2) and Amazon
CloudFront.
"""


def normalise_newlines(text: str) -> str:
    """Return the text with LF as the only line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def sendable(content: str, input_kind: str) -> str:
    """Return the content as it is sent: of SSML without what stands before the first tag.

    That means nothing, and must not be there before an XML declaration. Ids keep it, because they never move.
    """
    text = normalise_newlines(content)
    return text.lstrip("\ufeff \t\n") if input_kind == "SSML" else text


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
    return _stripped(url, _signature_in)


def _stripped(url: str, signature_in: Callable[[Collection[str]], Collection[str]]) -> str:
    try:
        parts = urlsplit(url)._replace(fragment="")
    except ValueError:  # no link at all; it has no signature
        return url
    query = parse_qsl(parts.query, keep_blank_values=True)
    if signature := signature_in({name for name, _ in query}):
        parts = parts._replace(query=urlencode([(name, value) for name, value in query if name not in signature]))
    return urlunsplit(parts)


def _signature_in(names: Collection[str]) -> Collection[str]:
    """Return those names of a query that are its signature; none if it has no complete one."""
    folded = {name.lower() for name in names}
    parts = {part for needed, all_parts in SIGNATURE_SETS if needed <= folded for part in all_parts}
    return {name for name in names if name.lower() in parts} | set(_signature_known_earlier(names))


def _signature_known_earlier(names: Collection[str]) -> Collection[str]:
    """Return what the first versions took for a signature: Azure's alone, and its names in lower case alone."""
    return SAS_PARAMETERS.intersection(names) if "sig" in names else ()


def is_signed(url: str) -> bool:
    """Return whether the link holds a signature."""
    try:
        query = urlsplit(url).query
    except ValueError:
        return False
    return bool(_signature_in({name for name, _ in parse_qsl(query, keep_blank_values=True)}))


def unescaped(text: str) -> str:
    """Return the text with characters in place of their references; as it is if a reference has too many digits."""
    try:
        return unescape(text)
    except ValueError:
        return text


def holds_signed_link(text: str) -> bool:
    """Return whether the text names a signed link, e.g. SSML a sound file."""
    named = ("=" in text or "%3" in text) and _SIGNATURE.search(text)  # most texts are scripts, and long
    return bool(named) or any(is_signed(unescaped(link)) for link in _LINK.findall(text))


def forms_of(script: Script) -> tuple[dict[str, Any], ...]:
    """Return the normal form and, where it differs, the one that the first versions took ids from."""
    form = normal_form(script)
    if script.background_image is None:
        return (form,)
    before = form | {"background_image": _stripped(script.background_image, _signature_known_earlier)}
    return (form,) if before == form else (form, before)


def text_digest(text: str) -> str:
    """Return a digest of the text without its white space, which the service may fold or split at."""
    return hashlib.sha256("".join(text.split()).encode(errors="replace")).hexdigest()[:16]


def text_digests(script: Script) -> tuple[str, ...]:
    """Return the digest of each form in which the service may repeat the script's text: of SSML also what is spoken."""
    sent = sendable(script.content, script.input_kind)
    spoken = [unescaped(_TAG.sub("", sent))] if script.input_kind == "SSML" else []
    return tuple(text_digest(text) for text in (sent, *spoken))


def recorded_form(script: Script) -> dict[str, Any]:
    """Return the normal form as claims keep it: with a digest in place of the text, to keep the text private."""
    return _without_text(normal_form(script))


def known_forms(script: Script) -> tuple[dict[str, str], ...]:
    """Return the digests of the script's recorded form; after it, of the form as the first versions recorded it."""
    return tuple(form_digests(_without_text(form)) for form in forms_of(script))


def _without_text(form: Mapping[str, Any]) -> dict[str, Any]:
    return dict(form) | {"content": "sha256:" + hashlib.sha256(form["content"].encode()).hexdigest()}


def form_digests(form: Mapping[str, Any]) -> dict[str, str]:
    """Return a short digest for each property of a recorded form, to tell later which of them has changed."""
    return {name: hashlib.sha256(_canonical(value).encode()).hexdigest()[:8] for name, value in form.items()}


def form_digest(digests: Mapping[str, str]) -> str:
    """Return one digest of all these digests; it is the same for scripts that say the same."""
    return hashlib.sha256(_canonical(digests).encode()).hexdigest()[:16]


def signed_properties(script: Script) -> list[str]:
    """Return the names of properties that hold a signature; they must not be stored where others can read them."""
    signed = ["background_image"] if script.background_image and is_signed(script.background_image) else []
    if holds_signed_link(script.content):
        signed.append("content")
    return signed + (["destination_container_url"] if script.destination_container_url else [])


def derive_content_id(script: Script, *, archive_id: str, revision: int = 0) -> str:
    """Return the content id, 16 hexadecimal digits. `revision` counts the re-renders that people asked for."""
    return content_ids(script, archive_id=archive_id, revision=revision)[0]


def content_ids(script: Script, *, archive_id: str, revision: int = 0) -> tuple[str, ...]:
    """Return the content id and, where it differs, the one that the first versions gave, which old archives hold."""
    return tuple(_content_id(form, script.script_id, archive_id, revision) for form in forms_of(script))


def _content_id(script: Mapping[str, Any], script_id: str, archive_id: str, revision: int) -> str:
    form: dict[str, Any] = {
        "algorithm": ALGORITHM,
        "archive_id": archive_id,
        "script_id": script_id,
        "script": script,
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


_SIGNATURE = re.compile(
    r"(?i)(?:\b|(?<=%26)|(?<=%3f))(?:sig|signature|x-amz-security-token|skoid|accountkey|sharedaccesssignature)"
    r"(?:=|%3d)[^&;\s'\"<>]"
)
"""Inside another link '?' and '&' are written %3F and %26, after which there is no word boundary."""
_LINK = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_JOB_ID = re.compile(r"[A-Za-z0-9_-]+-([0-9a-f]{16})-([1-9][0-9]?)")
_TAG = re.compile(r"<[^<>]*>")
_MARK = re.compile(r"batch-avatar:([0-9a-f]{16})\b")


def mark_description(description: str | None, archive_id: str) -> str:
    """Return the job's description with the archive's mark, by which sweep and adoption recognise our jobs."""
    mark = f"batch-avatar:{archive_id}"
    return f"{mark} {description}" if description else mark  # first, in case the service cuts long ones


def archive_of(description: str | None) -> str | None:
    """Return the archive id in a job's description, or None."""
    found = _MARK.findall(description or "")
    return found[0] if found else None
