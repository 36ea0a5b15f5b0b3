"""Which element may stand in which, where text may stand, and whether anything is heard. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.avatars import meant
from batch_avatar.scripts.findings import found
from batch_avatar.scripts.ssml.grammar import ELEMENTS, ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.ssml.reading import Element

HEARD = {"audio": "src", "phoneme": "ph", "sub": "alias", "mstts:voiceconversion": "url"}
"""Elements that are heard though they hold no text, and the attribute that says what."""
_IN_SPEAK = ELEMENTS["speak"].holds
SPELLED = "say-as"
"""The element in which marks, which are silent elsewhere, may be named."""
PAUSES = ("break", "mstts:silence", "mstts:audioduration")


def check_structure(elements: list[Element]) -> Iterator[Finding]:
    """Say what stands where it may not, or where no page says that it may. The first element is `speak`."""
    voices = [element for element in elements if element.name == "voice"]
    if not voices:
        yield found("ssml-structure", "no voice is named; put the text inside <voice name='...'>", elements[0].line)
    for element in elements:
        parent = element.parent
        if parent is not None and (parent.name != "speak" or voices):
            yield from _check_place(element, parent)
        if element.name != "speak" or voices:
            yield from _check_text(element)
    if voices:
        yield from _check_heard(elements, voices)


def title(element: Element) -> str:
    """Return the element as messages name it."""
    return f"<{shown(element.name)}>"


def _check_place(element: Element, parent: Element) -> Iterator[Finding]:
    here, there, line = title(element), title(parent), element.line
    if element.name == "speak":
        text = f"a second <speak> stands inside {there}; one text has one <speak>, around everything"
        yield found("ssml-structure", text, line)
    elif element.name == "mstts:backgroundaudio" and (parent.name != "speak" or element.number):
        text = f"{here} must be the first in <speak>, and the only one; move it before the first <voice>"
        yield found("ssml-structure", text, line)
    elif element.name == "voice":
        yield from _check_voice_place(element, parent)
    elif parent.name == "speak" and element.name not in _IN_SPEAK:
        yield found("ssml-structure", f"{here} stands directly in <speak>; put it inside a <voice>", line)
    elif element.name not in ELEMENTS:
        text = f"the service has no element {here}, as far as is known{_hint(element)}"
        yield found("ssml-element-unknown", text, line)
    elif parent.name not in ELEMENTS or element.name in ELEMENTS[parent.name].holds:
        return
    elif ELEMENTS[parent.name].closed:
        text = "be empty" if not ELEMENTS[parent.name].text else "hold text alone"
        yield found("ssml-structure", f"{there} must {text}; move {here} out of it", line)
    else:
        text = f"no page of the service says that {here} may stand in {there}; listen to the result"
        yield found("ssml-nesting", text, line)


def _check_voice_place(voice: Element, parent: Element) -> Iterator[Finding]:
    outer = parent.parent
    if parent.name == "speak" or (outer is not None and outer.name == "speak" and parent.name not in _IN_SPEAK):
        return  # it is right, or what stands around it directly in <speak> was told
    if parent.name == "emphasis":  # one page allows it, and the other does not
        text = "the service's pages differ on a <voice> inside <emphasis>; listen to the result"
        yield found("ssml-nesting", text, voice.line)
    else:
        text = (
            f"a <voice> stands inside {title(parent)}; end the voice around it, and write one <voice> after the other"
        )
        yield found("ssml-structure", text, voice.line)


def _check_text(element: Element) -> Iterator[Finding]:
    rules = ELEMENTS.get(element.name)
    if not element.texts or rules is None or rules.text:
        return
    line = element.texts[0]
    if element.name == "speak":
        yield found("ssml-structure", "text stands directly in <speak>; put it inside a <voice>", line)
    elif rules.closed:
        yield found("ssml-structure", f"{title(element)} must be empty; move the text out of it", line)
    else:
        yield found("ssml-nesting", f"no page of the service says that text may stand in {title(element)}", line)


def _check_heard(elements: Iterable[Element], voices: list[Element]) -> Iterator[Finding]:
    heard, paused = set[int](), set[int]()
    for element in elements:
        source = element.attributes.get(HEARD.get(element.name, ""), "").strip()
        if element.name == "mstts:voiceconversion" and element.voice is None:
            heard.update(map(id, voices))
        elif element.speaks or source or (element.texts and element.name == SPELLED):
            heard.add(id(element.voice))
        elif element.name in PAUSES:
            paused.add(id(element.voice))
    if heard.isdisjoint(map(id, voices)):
        yield found("content-empty", "no <voice> holds anything that can be spoken", voices[0].line)
        return
    for voice in voices:
        if id(voice) not in heard | paused:
            yield found("ssml-voice-silent", "a <voice> holds nothing; delete it, or write what it says", voice.line)


def _hint(element: Element) -> str:
    """Return what was probably meant, as it continues a message."""
    prefix, _, local = element.name.rpartition(":")
    other = ELSEWHERE.get(element.name) or (local if prefix else f"mstts:{local}")
    if other in ELEMENTS:
        return f"; did you mean <{other}>?"
    return meant(element.name, ELEMENTS)
