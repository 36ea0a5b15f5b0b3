"""Turn a file's text and its defaults into a script, or into every reason why it is not one, and what to know of it."""

from __future__ import annotations

import io
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from batch_avatar.clock import today
from batch_avatar.errors import ManifestError
from batch_avatar.identity import derive_job_id, mark_description
from batch_avatar.models import Properties, Script
from batch_avatar.scripts.findings import found, refusals, warnings
from batch_avatar.scripts.parsing import Malformed, parse_toml
from batch_avatar.scripts.reading import NotRead, NotUtf8, decoded_lines
from batch_avatar.scripts.rules import check_script, with_defaults
from batch_avatar.scripts.voices import Known
from batch_avatar.service.wire.generations import is_known
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from batch_avatar.scripts.findings import Finding
    from batch_avatar.service.wire.generations import Wire

KINDS = {".txt": "PlainText", ".ssml": "SSML", ".xml": "SSML"}
DEFAULTS_NAME = "defaults.toml"
MANIFESTS = (".jsonl", ".ndjson", ".csv")
LONGEST_ID = "0" * 16
LONGEST_NAME = 200
"""Characters of a name that a fault repeats."""
UNSET = "unset"
"""The word that takes away what a default gave. What is left empty is not given, so the default stays."""


def members_of(path: PurePath, text: str, *, script_id: str | None = None) -> dict[str, str]:
    """Return the members that a script file sets by its text and its name, or by the id that its folder gives."""
    return {"script_id": script_id or path.stem, "input_kind": KINDS[path.suffix.lower()], "content": text}


def layered(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of all layers, of which a later one wins. `unset` takes a property away."""
    values: dict[str, Any] = {}
    for layer in layers:
        values |= layer
    return {name: value for name, value in values.items() if value != UNSET or name not in Properties.model_fields}


def check_draft(
    values: Mapping[str, Any], *, wire: Wire, known: Known | None = None
) -> tuple[Script | None, list[Finding]]:
    """Return the script, or None if these members do not make one, and all findings."""
    try:
        script = Script.model_validate(values)
    except ValidationError as error:
        return None, [found("member-unreadable", reason) for reason in _reasons(error)]
    return script, [
        *check_script(script, known or Known(today())),
        *_check_version(script, wire),
        *_check_size(script, wire),
    ]


def check_file(
    name: str, content: bytes, *, defaults: Mapping[str, Any], wire: Wire, script_id: str | None = None
) -> tuple[Script, list[Finding]]:
    """Return the script in a file of that name, checked by itself, and the warnings about it.

    `script_id`: if it is not the name without its ending.

    Raises:
        ManifestError: with every fault.
    """
    values = layered(defaults, members_of(PurePath(name), _text(name, content), script_id=script_id))
    script, findings = check_draft(values, wire=wire)
    if script is None or refusals(findings):
        raise ManifestError([f"{name}: {finding.message}" for finding in refusals(findings)])
    return script, [finding.at(name, script.script_id) for finding in warnings(findings)]


def check_defaults(name: str, content: bytes) -> dict[str, Any]:
    """Return the properties that a folder's defaults give to its scripts.

    Raises:
        ManifestError: the defaults are not TOML, or no script can have such properties.
    """
    try:
        values = parse_toml(_text(name, content))
        Script.model_validate(layered(values, members_of(PurePath("any.txt"), "Any.")))
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


def _check_version(script: Script, wire: Wire) -> Iterator[Finding]:
    yield from (found("version-lacks", text) for text in wire.check(with_defaults(script)))
    if not is_known(wire.api_version):
        yield found("version-unknown", f"no api-version {wire.api_version} is known here; it may need other members")


def _check_size(script: Script, wire: Wire) -> Iterator[Finding]:
    job_id = derive_job_id(script.script_id, LONGEST_ID, 99)
    mark = mark_description(script.description, LONGEST_ID)
    try:
        body = wire.encode_create(with_defaults(script), job_id=job_id, description=mark).body or b""
    except UnicodeEncodeError:
        yield found("text-unsendable", "a property holds half of a surrogate pair, which no request can carry")
        return
    except ValueError:
        yield found("text-unsendable", "a number is too large, or none, so that no request can carry it")
        return
    if len(body) > MAX_BODY_BYTES:
        text = f"the request has {len(body):,} bytes; the service takes {MAX_BODY_BYTES:,}"
        yield found("request-too-large", text)
