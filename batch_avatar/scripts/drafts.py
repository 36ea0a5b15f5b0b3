"""Turn a file's text and its defaults into a script, or into every reason why it is not one, and what to know of it."""

from __future__ import annotations

import io
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from batch_avatar.clock import today
from batch_avatar.errors import ManifestError
from batch_avatar.identity import derive_job_id, mark_description
from batch_avatar.scripts.applicable import without_inapplicable
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.content.members import look_at
from batch_avatar.scripts.content.plain_text import check_content
from batch_avatar.scripts.decoding import NotUtf8, decoded_lines
from batch_avatar.scripts.defaults import (
    ANY_SCRIPT,
    NO_DEFAULTS,
    Defaults,
    Mistakes,
    mistakes,
    of_file,
    of_settings,
    placed,
)
from batch_avatar.scripts.findings import Finding, Place, found, refusals, warnings
from batch_avatar.scripts.parsing import Malformed
from batch_avatar.scripts.readers.draft import Named
from batch_avatar.scripts.readers.kinds import kind_of
from batch_avatar.scripts.reading import NotRead
from batch_avatar.scripts.rules import check_script, with_defaults
from batch_avatar.scripts.voices import Known
from batch_avatar.service.wire.generations import is_known
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from batch_avatar.models import Script
    from batch_avatar.service.wire.generations import Wire

LONGEST_ID = "0" * 16


def check_draft(
    values: Mapping[str, Any], *, own: Collection[str], wire: Wire, known: Known | None = None
) -> tuple[Script | None, list[Finding]]:
    """Return the script, or None if it has no id of its own, and all findings. With a refusal it is not to be sent.

    `own`: the members that the script says itself. What a default gave and cannot apply to the script is no fault.
    """
    looked = look_at(values)
    if looked.script is None:
        return None, looked.findings
    judged = without_inapplicable(looked.script, but=own)
    findings = looked.findings + looked.of_its_own(_check(judged, wire, known or Known(today())))
    return None if "script_id" in looked.wrong else looked.script, findings


def check_file(
    name: str,
    content: bytes,
    *,
    defaults: Mapping[str, Any],
    beside: Defaults = NO_DEFAULTS,
    wire: Wire,
    script_id: str | None = None,
) -> tuple[Script, list[Finding]]:
    """Return the script in a file of that name, checked by itself, and the warnings about it.

    `defaults`: those of the settings; `beside`: those of its folder. `script_id`: if it is not the name without its
    ending.

    Raises:
        ManifestError: with every fault.
    """
    path, place = PurePath(name), Place(name, is_text=True)
    own, given = _draft(path, content, script_id or path.stem), of_settings(defaults).under(beside)
    script, findings = check_draft(given.given_to(own), own=own, wire=wire)
    of_defaults = mistakes_of(given, wire=wire) if findings else {}
    if script is None or refusals(findings):
        raise ManifestError(placed(refusals(findings), of_defaults, place, ""))
    return script, placed(warnings(findings), of_defaults, place, script.script_id)


def mistakes_of(given: Defaults, *, wire: Wire, known: Known | None = None) -> Mistakes:
    """Return what is wrong with these defaults, whatever the script, and where each mistake stands."""
    return mistakes(given, lambda values: check_draft(values, own=(), wire=wire, known=known)[1])


def check_defaults(name: str, content: bytes) -> Defaults:
    """Return the properties that a folder's defaults give to its scripts.

    Raises:
        ManifestError: the defaults are not TOML, or no script can have such properties.
    """
    try:
        given = of_file(name, _text(name, content))
    except Malformed as error:
        raise ManifestError([f"{name}:{error.line}: malformed TOML: {error.reason}"]) from None
    faults = refusals(look_at(given.given_to(ANY_SCRIPT)).findings)
    if faults:
        of_defaults = mistakes(given, lambda values: look_at(values).findings)
        raise ManifestError(placed(faults, of_defaults, Place(name), ""))
    return given


def _draft(path: PurePath, content: bytes, script_id: str) -> Mapping[str, Any]:
    """Return what the file itself says of its script.

    Raises:
        ManifestError: it cannot be read.
    """
    kind = kind_of(path)
    if kind is None or not kind.in_folders:
        raise ManifestError([f"{path.name}: is not the text of one script"])
    with _told(path.name):
        [found] = kind.reader(io.BytesIO(content), Named(path.name, script_id), SourceChoice())
    if isinstance(found, Finding):
        raise ManifestError([found])
    return found.values


def _text(name: str, content: bytes) -> str:
    with _told(name):
        return "".join(decoded_lines(io.BytesIO(content)))


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell why a file is not read, with its name."""
    try:
        yield
    except NotUtf8 as error:
        raise ManifestError([f"{name}:{error.line}: {error.reason(option=False)}"]) from None
    except NotRead as error:
        raise ManifestError([f"{name}:{error.line}: {name} {error.reason}"]) from None


def _check(script: Script, wire: Wire, known: Known) -> Iterator[Finding]:
    yield from check_script(script, known)
    yield from check_content(script)
    sent = with_defaults(script)
    yield from _check_version(sent, wire)
    yield from _check_size(sent, wire)


def _check_version(sent: Script, wire: Wire) -> Iterator[Finding]:
    yield from (found("version-lacks", text) for text in wire.check(sent))
    if not is_known(wire.api_version):
        yield found("version-unknown", f"no api-version {wire.api_version} is known here; it may need other members")


def _check_size(sent: Script, wire: Wire) -> Iterator[Finding]:
    job_id = derive_job_id(sent.script_id, LONGEST_ID, 99)
    mark = mark_description(sent.description, LONGEST_ID)
    try:
        body = wire.encode_create(sent, job_id=job_id, description=mark).body or b""
    except UnicodeEncodeError:
        yield found("text-unsendable", "a property holds half of a surrogate pair, which no request can carry")
        return
    except ValueError:
        yield found("text-unsendable", "a number is too large, or none, so that no request can carry it")
        return
    if len(body) > MAX_BODY_BYTES:
        text = f"the request has {len(body):,} bytes; the service takes {MAX_BODY_BYTES:,}"
        yield found("request-too-large", text)
