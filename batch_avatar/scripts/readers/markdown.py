"""Markdown (`.md`) as the words that are read: without marks, addresses, and what is not for the ear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from batch_avatar.scripts.readers.omitted import Omitted, reader_of
from batch_avatar.scripts.reading import Limit, NotRead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

MARKDOWN_LIMIT = Limit(100_000, "a text in Markdown")
"""A choice; five times what is spoken in 20 minutes. The parser takes time with the square of some texts."""
MOST_NESTED = 50
"""Lists and quotes inside each other, a choice. What is deeper the parser leaves out without a word."""
MOST_FRONT_LINES = 200
BLOCKS = {"fence": "code", "code_block": "code", "html_block": "HTML", "table_open": "tables"}
"""What is not spoken, by the type of its token."""
_STYLE_TAG = re.compile(
    r"</?(?:a|abbr|b|cite|code|em|i|kbd|mark|q|small|span|strong|sub|sup|u)(?:\s[^<>]{0,500})?/?>", re.IGNORECASE
)
_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,50}\]")
_FRONT_MEMBER = re.compile(r"[\w-]{1,50}:")


def spoken(text: str) -> tuple[str, Omitted]:
    """Return the words of Markdown, each paragraph, heading and item of a list on its own, and what is left out.

    Raises:
        NotRead: lists or quotes are too deep.
    """
    from markdown_it import MarkdownIt

    omitted = Omitted()
    front = _front_lines(text.splitlines())
    if front:
        omitted.note("front matter", 1)
        text = "\n" * front + text.split("\n", front)[front]
    known: dict[str, Any] = {}
    tokens = MarkdownIt("commonmark", {"maxNesting": MOST_NESTED}).enable(["table", "strikethrough"]).parse(text, known)
    for name, reference in known.get("references", {}).items():
        if name.startswith("^"):
            omitted.note("footnotes", reference["map"][0] + 1)
    return "\n\n".join(filter(None, _paragraphs(tokens, omitted))), omitted


def _front_lines(lines: Sequence[str]) -> int:
    """Return how many lines of YAML the text begins with, as many programs write them before Markdown."""
    if len(lines) < 2 or lines[0].rstrip() != "---" or not _FRONT_MEMBER.match(lines[1]):  # noqa: PLR2004 - a mark, a member
        return 0
    ends = (
        number for number, line in enumerate(lines[:MOST_FRONT_LINES]) if line.rstrip() in ("---", "...") and number
    )
    return next(ends, -1) + 1


def _paragraphs(tokens: Sequence[Token], omitted: Omitted) -> Iterator[str]:
    in_table = False
    for token in tokens:
        line = token.map[0] + 1 if token.map else 0
        if token.level >= MOST_NESTED - 1:
            raise NotRead("has lists or quotes too deep inside each other", line)
        in_table = token.type == "table_open" or (in_table and token.type != "table_close")
        if token.type in BLOCKS and not _is_comment(token):
            omitted.note(BLOCKS[token.type], line)
        elif token.type == "inline" and not in_table:
            yield _words(token, line, omitted)


def _is_comment(token: Token) -> bool:
    text = token.content.strip()
    return token.type == "html_block" and text.startswith("<!--") and text.endswith("-->")


def _words(paragraph: Token, line: int, omitted: Omitted) -> str:
    """Return what is spoken of a paragraph; a line of it is one only where it was broken on purpose."""
    if _FOOTNOTE.match(paragraph.content) and paragraph.content.partition("]")[2].startswith(":"):
        omitted.note("footnotes", line)
        return ""
    parts: list[str] = []
    before, struck = "", 0
    for token in paragraph.children or []:
        struck += token.nesting if token.type.startswith("s_") else 0
        if token.type.endswith("break"):
            line += 1
        what = _not_spoken(token, before) if not struck else "struck words"
        if what:
            omitted.note(what, line)
        else:
            text = _FOOTNOTE.sub("", token.content) if token.type == "text" else _mark(token)
            if token.type == "text" and text != token.content:
                omitted.note("footnotes", line)
            parts.append(text)
        before = token.type
    return "\n".join(" ".join(part.split()) for part in "".join(parts).split("\n"))


def _not_spoken(token: Token, before: str) -> str | None:
    """Return as what a part of a paragraph is left out, by it and the type of the one before; None if it is not."""
    if token.type == "image":
        return "pictures"
    if token.type == "text" and before == "link_open" and _FOOTNOTE.fullmatch(f"[{token.content}]"):
        return "footnotes"
    is_html = token.type == "html_inline" and not token.content.startswith("<!--")
    if is_html and not _STYLE_TAG.fullmatch(token.content) and not _BREAK.fullmatch(token.content):
        return "HTML"
    return None


def _mark(token: Token) -> str:
    """Return what stands in the words for a part of a paragraph that is no text."""
    match token.type:
        case "code_inline":
            return token.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "html_inline" if _BREAK.fullmatch(token.content):
            return "\n"
        case _:
            return ""


read_markdown = reader_of(spoken)
