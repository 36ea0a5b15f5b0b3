"""Splits the content of a request into sentences, each with its voice and the pause before it."""

import html
import re
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

SENTENCE_PAUSE_MILLISECONDS = 250
PARAGRAPH_PAUSE_MILLISECONDS = 600
LONGEST_BREAK_MILLISECONDS = 20_000  # the service shortens longer breaks to this

# A full stop ends a sentence if a space follows; in Chinese and Japanese no space is needed.
_SENTENCE_END = re.compile(
    r"(?:(?<=[.!?…؟।۔])|(?<=[.!?…][\"'”’»)\]]))\s+"
    r"|(?<=[。！？])(?![。！？」』])\s*"
    r"|(?<=[。！？][」』])\s*"
)
_TAG = re.compile(r"<[^>]*>")
_BREAK_TIME = re.compile(r"\+?(\d+(?:\.\d+)?)\s*(ms|s)", re.IGNORECASE)
_BREAK_STRENGTHS = {"none": 0, "x-weak": 250, "weak": 500, "medium": 750, "strong": 1000, "x-strong": 1250}
_PARAGRAPHS = {"p": PARAGRAPH_PAUSE_MILLISECONDS, "s": SENTENCE_PAUSE_MILLISECONDS}


@dataclass(frozen=True)
class Phrase:
    """One sentence and the pause before it; with an empty text it is only a pause."""

    text: str
    voice: str | None
    pause_milliseconds: int


@dataclass(frozen=True)
class Script:
    phrases: tuple[Phrase, ...]
    spoken_characters: int


def read_script(input_kind: str, content: str, voice: str | None) -> Script:
    """Split the content into phrases. SSML that does not parse is spoken without its tags; it is never refused."""
    content = content.encode("utf-8", "replace").decode()  # JSON can contain half a surrogate pair
    if input_kind.lower() != "ssml":
        return _read_plain_text(content, voice)
    reader = _SsmlReader(voice)
    parser = DefusedXMLParser(target=reader)
    try:
        parser.feed(content)
        parser.close()
    except (ParseError, DefusedXmlException):
        return _read_plain_text(_one_line(html.unescape(_TAG.sub(" ", content))), voice)
    return Script(tuple(reader.phrases), len(_one_line("".join(reader.heard))))


def _read_plain_text(content: str, voice: str | None) -> Script:
    phrases: list[Phrase] = []
    for paragraph in content.split("\r\n"):
        _add_sentences(phrases, paragraph, voice, PARAGRAPH_PAUSE_MILLISECONDS if phrases else 0)
    return Script(tuple(phrases), len(content))


class _SsmlReader:
    """A parser target. It builds no tree and does not recurse, however deep the elements are nested."""

    def __init__(self, voice: str | None) -> None:
        self.phrases: list[Phrase] = []
        self.heard: list[str] = []
        self._voices = [voice]
        self._pending: list[str] = []
        self._break = 0
        self._gap = 0  # the pause after a paragraph; unlike a break it is left out at the end

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local_name(tag)
        if name == "voice":
            self._flush()
            self._voices.append(attributes.get("name") or self._voices[-1])
        elif name == "break":
            self._flush()
            self._break += _read_break(attributes)
        elif name in _PARAGRAPHS:
            self._flush()

    def end(self, tag: str) -> None:
        name = _local_name(tag)
        if name == "voice":
            self._flush()
            self._voices.pop()
        elif name in _PARAGRAPHS:
            self._flush()
            self._gap = max(self._gap, _PARAGRAPHS[name])

    def data(self, text: str) -> None:
        self._pending.append(text)
        self.heard.append(text)

    def close(self) -> None:
        self._flush()
        if self._break:
            self.phrases.append(Phrase("", None, self._break))

    def _flush(self) -> None:
        text = "".join(self._pending)
        self._pending.clear()
        if text.strip():
            _add_sentences(self.phrases, text, self._voices[-1], max(self._break, self._gap))
            self._break = self._gap = 0


def _add_sentences(phrases: list[Phrase], text: str, voice: str | None, first_pause: int) -> None:
    pause = first_pause
    for sentence in map(_one_line, _SENTENCE_END.split(text)):
        if any(map(str.isalnum, sentence)):
            phrases.append(Phrase(sentence, voice, pause))
            pause = SENTENCE_PAUSE_MILLISECONDS


def _read_break(attributes: dict[str, str]) -> int:
    if match := _BREAK_TIME.fullmatch(attributes.get("time", "").strip()):
        milliseconds = float(match[1]) * (1000 if match[2].lower() == "s" else 1)
        return int(min(milliseconds, LONGEST_BREAK_MILLISECONDS))
    return _BREAK_STRENGTHS.get(attributes.get("strength", "medium"), _BREAK_STRENGTHS["medium"])


def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())
