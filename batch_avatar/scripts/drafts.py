"""Turn a file's text and its defaults into a script, or into every reason why it is not one."""

from __future__ import annotations

import codecs
import io
import re
import tomllib
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from batch_avatar.errors import ManifestError
from batch_avatar.identity import derive_job_id, mark_description
from batch_avatar.models import Script
from batch_avatar.scripts.rules import check_script, with_defaults
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

    from batch_avatar.service.wire.generations import Wire

KINDS = {".txt": "PlainText", ".ssml": "SSML", ".xml": "SSML"}
DEFAULTS_NAME = "defaults.toml"
MANIFESTS = (".jsonl", ".ndjson", ".csv")
LONGEST_ID = "0" * 16


class NotUtf8(Exception):
    """The position of the first byte that is not UTF-8, without a byte order mark, and the line it is on."""

    def __init__(self, line: int, byte: int) -> None:
        super().__init__(line, byte)
        self.line, self.byte = line, byte


def decoded_lines(file: IO[bytes]) -> Iterator[str]:
    """Decode lines, with their line ends; only one at a time is in memory.

    Raises:
        NotUtf8: at the first byte that is not UTF-8.
    """
    start = 0
    for number, raw in enumerate(file, start=1):
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise NotUtf8(number, start + error.start) from None
        start += len(line)
        yield text


def members_of(path: PurePath, text: str) -> dict[str, str]:
    """Return the members that a script file sets by its name and its text."""
    return {"script_id": path.stem, "input_kind": KINDS[path.suffix.lower()], "content": text}


def check_draft(values: Mapping[str, Any], *, wire: Wire) -> tuple[Script | None, list[str]]:
    """Return the script, or None if these members do not make one, and every rule that they break."""
    try:
        script = Script.model_validate(values)
    except ValidationError as error:
        return None, list(_reasons(error))
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
        values = tomllib.loads(_text(name, content))
        Script.model_validate({**values, **members_of(PurePath("any.txt"), "Any.")})
    except tomllib.TOMLDecodeError as error:
        raise ManifestError([f"{name}:{toml_line(error)}: malformed TOML: {error}"]) from None
    except ValidationError as error:
        raise ManifestError([f"{name}: {reason}" for reason in _reasons(error)]) from None
    return values


def toml_line(error: tomllib.TOMLDecodeError) -> str:
    """Return the line of the error; the first if it names none."""
    found = re.search(r"at line (\d+)", str(error))
    return found[1] if found else "1"


def _text(name: str, content: bytes) -> str:
    try:
        return "".join(decoded_lines(io.BytesIO(content)))
    except NotUtf8 as error:
        raise ManifestError([f"{name}:{error.line}: not UTF-8 (byte {error.byte})"]) from None


def _reasons(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        member = ".".join(str(part) for part in fault["loc"])
        match fault["type"]:
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
    if len(body) > MAX_BODY_BYTES:
        yield f"the request has {len(body):,} bytes; the service takes {MAX_BODY_BYTES:,}"
