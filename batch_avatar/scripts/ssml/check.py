"""Check an SSML text before it is sent: first whether it can be read, then what it says. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.identity import holds_signed_link, normalise_newlines, sendable
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import found
from batch_avatar.scripts.ssml.gestures import check_gestures
from batch_avatar.scripts.ssml.malformed import why_malformed
from batch_avatar.scripts.ssml.reading import MSTTS, SYNTHESIS, NotWellFormed, read_document
from batch_avatar.scripts.ssml.structure import check_structure, title
from batch_avatar.scripts.ssml.values import check_attributes
from batch_avatar.scripts.voices import check_voice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from batch_avatar.models import Script
    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.ssml.reading import Declared, Document, Element
    from batch_avatar.scripts.voices import Known


def check_ssml(script: Script, known: Known) -> Iterator[Finding]:
    """Say everything that is wrong or doubtful in the script's content, each with its line in it, from 1."""
    if holds_signed_link(script.content):
        yield found("ssml-signed-link", "its SSML names a signed link; signed anew, it is a changed script")
    sent = sendable(script.content, script.input_kind)
    skipped = normalise_newlines(script.content).count("\n") - sent.count("\n")
    try:
        document = read_document(sent)
    except NotWellFormed as error:
        findings = why_malformed(sent, error, skipped_lines=skipped)
    else:
        findings = (_moved(finding, skipped) for finding in _check(document, script, known))
    yield from dict.fromkeys(findings)  # what is wrong twice on a line is told once


def _check(document: Document, script: Script, known: Known) -> Iterator[Finding]:
    elements = document.elements
    yield from map(_odd_address, document.odd)
    if elements[0].name != "speak":
        text = f"it begins with {title(elements[0])}; SSML is one <speak> with everything inside"
        yield found("ssml-malformed", text, elements[0].line)
        return
    yield from check_structure(elements)
    for element in elements:
        yield from check_attributes(element)
    yield from check_gestures(elements, script)
    yield from _check_voices(elements, script, known)


def _check_voices(elements: Iterable[Element], script: Script, known: Known) -> Iterator[Finding]:
    """Say what is wrong with each name once, where it stands first."""
    named: dict[str, int] = {}
    for element in elements:
        if element.name == "voice":
            named.setdefault(element.attributes.get("name", "").strip(), element.line)
    for name, line in named.items():
        yield from (finding._replace(line=line) for finding in check_voice(name, script, known))


def _odd_address(declared: Declared) -> Finding:
    attribute, known = ("xmlns:mstts", MSTTS[1]) if declared.prefix else ("xmlns", SYNTHESIS[0])
    text = f'the service may not know {attribute}="{shown(declared.address)}"; write {attribute}="{known}"'
    return found("ssml-namespace", text, declared.line)


def _moved(finding: Finding, lines: int) -> Finding:
    return finding._replace(line=(finding.line or 1) + lines)
