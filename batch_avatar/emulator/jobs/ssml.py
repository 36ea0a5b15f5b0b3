"""Reads the structure of SSML: which elements stand in `speak`, and which voices speak. Pure.

Source: speech-synthesis-markup-structure.md of MicrosoftDocs/azure-ai-docs. Other rules of that page are not checked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NAMESPACE = re.compile(r"\{https?://www\.w3\.org/2001/10/synthesis\}")
_MSTTS = re.compile(r"\{https?://www\.w3\.org/2001/mstts\}")


class SsmlError(ValueError):
    """What is wrong, in the words of the emulator."""


class Voice(NamedTuple):
    """A voice element."""

    name: str
    has_embedding: bool
    """Whether it contains `mstts:ttsembedding`, which names a personal voice."""


def read_voices(content: str, *, built_in: bool = False) -> tuple[Voice, ...]:
    """Return the voices of a document. With a built-in voice, no voice is needed, and nothing but the root is checked.

    Raises:
        SsmlError: it is not well-formed, or its structure is not allowed.
    """
    try:
        root: Element = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise SsmlError(str(error)) from error
    if _local(root) != "speak":
        raise SsmlError("the root element must be speak")
    voices = [element for element in root.iter() if _local(element) == "voice"]
    if not built_in:
        _check_structure(root, voices)
    return tuple(Voice(voice.get("name", ""), _has_embedding(voice)) for voice in voices)


def read_marks(content: str) -> list[str]:
    """Return the marks of all bookmarks in a well-formed document, in their order."""
    return [element.get("mark", "") for element in fromstring(content).iter() if _local(element) == "bookmark"]


def _check_structure(root: Element, voices: list[Element]) -> None:
    for child in root:
        if _local(child) != "voice" and _MSTTS.sub("", child.tag) != "backgroundaudio":
            raise SsmlError(f"{child.tag.rpartition('}')[2]} must stand in a voice element")
        if (child.tail or "").strip():
            raise SsmlError("text must stand in a voice element")
    if (root.text or "").strip():
        raise SsmlError("text must stand in a voice element")
    if not voices or not all(voice.get("name", "").strip() for voice in voices):
        raise SsmlError("a voice element with a name is required")
    if len(voices) != sum(_local(child) == "voice" for child in root):
        raise SsmlError("a voice element must stand directly in speak")


def _local(element: Element) -> str:
    return _NAMESPACE.sub("", element.tag, count=1)


def _has_embedding(voice: Element) -> bool:
    return any(_MSTTS.sub("", element.tag, count=1) == "ttsembedding" for element in voice.iter())
