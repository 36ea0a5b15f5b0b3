"""A template: which columns it uses, and its text with the values of one row. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateSyntaxError, UndefinedError, nodes
from jinja2.meta import find_undeclared_variables

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.templates.language import Language, NoText, check_language, syntax_fault
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import Template as Compiled


class MalformedTemplate(Exception):
    """Why a file is no template: each line with what is wrong there."""

    def __init__(self, faults: list[tuple[int, str]]) -> None:
        super().__init__(faults)
        self.faults = faults


class NotFilled(Exception):
    """Why a row does not fill a template: `missing` names the columns that it has not; else `reason` says it."""

    def __init__(self, missing: tuple[str, ...] = (), reason: str = "") -> None:
        super().__init__(missing, reason)
        self.missing, self.reason = missing, reason


@dataclass(frozen=True)
class Template:
    """A template that can be filled. `variables`: the line of each column's first use, in the order of these uses."""

    name: str
    input_kind: str
    variables: Mapping[str, int]
    language: Language
    compiled: Compiled

    def fill(self, values: Mapping[str, Any]) -> str:
        """Return the text with these values, of which an empty one is left out.

        Raises:
            NotFilled: the template uses what is left out, or a value that cannot be spoken.
        """
        if self.input_kind == "SSML":
            _check_xml(values)
        noted, pieces, size = self.language.noted, [], 0
        noted.clear()
        try:
            for piece in self.compiled.generate(**values):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_BODY_BYTES:
                    reason = f"{self.name} gives more than {MAX_BODY_BYTES:,} characters with it"
                    raise NotFilled(reason=f"{reason}, which fit into no request")
        except UndefinedError as error:
            noted.append(error.message or "")
        except NoText as error:
            raise NotFilled(reason=f"{self.name} would speak {error}; it can speak texts and numbers") from None
        except TypeError:
            raise NotFilled(reason=f"{self.name} takes a value of it for a list or a text, which it is not") from None
        if noted:
            raise NotFilled(tuple(dict.fromkeys(noted)))
        return "".join(pieces)


def parse_template(name: str, text: str, input_kind: str) -> Template:
    """Return the template that the text of a file is.

    Raises:
        MalformedTemplate: it cannot be read, or has what a template cannot have.
    """
    language = Language(escaped=input_kind == "SSML")
    try:
        tree = language.parse(text)
    except TemplateSyntaxError as error:
        raise MalformedTemplate([(error.lineno, syntax_fault(error))]) from None
    except RecursionError:
        raise MalformedTemplate([(1, "nested too deeply")]) from None
    if faults := list(check_language(tree, text)):
        raise MalformedTemplate(faults)
    compiled = language.from_string(tree)
    return Template(name, input_kind, _variables(tree), language, compiled)


def _variables(tree: nodes.Template) -> dict[str, int]:
    undeclared = find_undeclared_variables(tree)
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Name):
        if node.name in undeclared:
            lines.setdefault(node.name, node.lineno)
    return lines


def _check_xml(values: Mapping[str, Any]) -> None:
    for column, value in values.items():
        for text in _texts(value):
            if found := _NOT_XML.search(text):
                what = f"the character U+{ord(found[0]):04X}, which SSML cannot carry"
                raise NotFilled(reason=f"column {shown(column)} holds {what}; delete it")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML may hold (XML 1.0, 2.2, production Char)."""
