"""Turn a file's text and its defaults into a script, or into every reason why it is not one."""

from __future__ import annotations

import io
import logging
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from batch_avatar.errors import ManifestError
from batch_avatar.identity import derive_job_id, holds_signed_link, mark_description
from batch_avatar.models import Script
from batch_avatar.scripts.parsing import Malformed, parse_toml
from batch_avatar.scripts.reading import NotRead, NotUtf8, decoded_lines
from batch_avatar.scripts.rules import check_script, with_defaults
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from batch_avatar.service.wire.generations import Wire

logger = logging.getLogger(__name__)

KINDS = {".txt": "PlainText", ".ssml": "SSML", ".xml": "SSML"}
DEFAULTS_NAME = "defaults.toml"
MANIFESTS = (".jsonl", ".ndjson", ".csv")
LONGEST_ID = "0" * 16
LONGEST_NAME = 200
"""Characters of a name that a fault repeats."""


def members_of(path: PurePath, text: str) -> dict[str, str]:
    """Return the members that a script file sets by its name and its text."""
    return {"script_id": path.stem, "input_kind": KINDS[path.suffix.lower()], "content": text}


def check_draft(values: Mapping[str, Any], *, wire: Wire) -> tuple[Script | None, list[str]]:
    """Return the script, or None if these members do not make one, and every rule that they break."""
    try:
        script = Script.model_validate(values)
    except ValidationError as error:
        return None, list(_reasons(error))
    if script.input_kind == "SSML" and holds_signed_link(script.content):
        logger.warning("%s: its SSML names a signed link; signed anew, it is a changed script", script.script_id)
    return script, [*check_script(script), *wire.check(with_defaults(script)), *_check_size(script, wire)]


def check_file(name: str, content: bytes, *, defaults: Mapping[str, Any], wire: Wire) -> Script:
    """Return the script in a file of that name, checked by itself.

    Raises:
        ManifestError: with every fault.
    """
    script, faults = check_draft({**defaults, **members_of(PurePath(name), _text(name, content))}, wire=wire)
    if script is None or faults:
        raise ManifestError([f"{name}: {reason}" for reason in faults])
    return script


def check_defaults(name: str, content: bytes) -> dict[str, Any]:
    """Return the properties that a folder's defaults give to its scripts.

    Raises:
        ManifestError: the defaults are not TOML, or no script can have such properties.
    """
    try:
        values = parse_toml(_text(name, content))
        Script.model_validate({**values, **members_of(PurePath("any.txt"), "Any.")})
    except Malformed as error:
        raise ManifestError([f"{name}:{error.line}: malformed TOML: {error.reason}"]) from None
    except ValidationError as error:
        raise ManifestError([f"{name}: {reason}" for reason in _reasons(error)]) from None
    return values


def _text(name: str, content: bytes) -> str:
    try:
        return "".join(decoded_lines(io.BytesIO(content)))
    except NotUtf8 as error:
        raise ManifestError([f"{name}:{error.line}: not UTF-8 (byte {error.byte})"]) from None
    except NotRead as error:
        raise ManifestError([f"{name}:{error.line}: {name} {error.reason}"]) from None


def _reasons(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        member = ".".join(str(part) for part in fault["loc"])[:LONGEST_NAME]
        match fault["type"]:
            case "string_unicode" if not member:
                yield "the name of a property holds half of a surrogate pair, which no request can carry"
            case "extra_forbidden":
                yield f"unknown property {member!r}"
            case "missing":
                yield f"{member} is missing"
            case _:
                yield f"{member}: {fault['msg']}"


def _check_size(script: Script, wire: Wire) -> Iterator[str]:
    job_id = derive_job_id(script.script_id, LONGEST_ID, 99)
    mark = mark_description(script.description, LONGEST_ID)
    try:
        body = wire.encode_create(with_defaults(script), job_id=job_id, description=mark).body or b""
    except UnicodeEncodeError:
        yield "a property holds half of a surrogate pair, which no request can carry"
        return
    except ValueError:
        yield "a number is too large, or none, so that no request can carry it"
        return
    if len(body) > MAX_BODY_BYTES:
        yield f"the request has {len(body):,} bytes; the service takes {MAX_BODY_BYTES:,}"
