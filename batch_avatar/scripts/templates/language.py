"""What can stand in a template: columns, conditions, loops over lists and a few filters. Pure.

The language is Jinja's (https://jinja.palletsprojects.com/en/stable/templates/), without what could go on for ever,
grow without end or reach beyond the row: calls, variables, arithmetics, macros, loops in loops, and other files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS

from batch_avatar.safe_text.sinks import name as shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_POSSIBLE = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Test,
    nodes.Filter,
    nodes.Keyword,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Getattr,
    nodes.Getitem,
)
_WORDS: dict[type[nodes.Node], str] = {
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.FromImport: "{% from %}",
    nodes.Extends: "{% extends %}",
    nodes.Block: "{% block %}",
    nodes.Macro: "{% macro %}",
    nodes.CallBlock: "{% call %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.With: "{% with %}",
    nodes.Scope: "{% autoescape %}",
    nodes.ScopedEvalContextModifier: "{% autoescape %}",
    nodes.Call: "a call with ( )",
    nodes.Concat: "~",
    nodes.Dict: "{ } inside {{ }}",
}
_ON_TEXT = ("upper", "lower", "capitalize", "title", "trim")
_COMPARED = ("eq", "ne", "in", "notin")
_TESTS = ("defined", "undefined", "eq", "ne", "in")
_OF_LOOPS = ("index", "index0", "first", "last", "length")
_FILTERS = ("default", "d", "length", *_ON_TEXT)
POSSIBLE = f"columns, {{% if %}}, {{% for %}} over a list, and the filters {', '.join(_FILTERS)}"


class NoText(Exception):
    """A template would speak a value that is no text, e.g. a list of JSON."""


class Missing(StrictUndefined):
    """What a row has not. It is false in a condition; what else is done with it counts as a use, and is noted."""

    __slots__ = ()
    noted: list[str]

    @property
    def _undefined_message(self) -> str:
        """The name alone; what is said of it is said where the row is known."""
        return str(self._undefined_name)

    def __bool__(self) -> bool:  # type: ignore[override] # of a method that never returns
        return False

    def __str__(self) -> str:  # type: ignore[override] # likewise
        self.noted.append(self._undefined_message)
        return ""


class Language(ImmutableSandboxedEnvironment):
    """Jinja for one template. `noted` gets the names of what a row has not, and was used all the same."""

    def __init__(self, *, escaped: bool) -> None:
        self.noted: list[str] = []
        missing = type("MissingHere", (Missing,), {"noted": self.noted, "__slots__": ()})
        super().__init__(autoescape=escaped, undefined=missing, finalize=spoken, keep_trailing_newline=True)
        self.globals.clear()
        on_text = {name: _of_text(FILTERS[name]) for name in _ON_TEXT}
        self.filters = {name: FILTERS[name] for name in ("default", "d", "length")} | on_text
        self.tests = {name: TESTS[name] for name in _TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a member of an object of JSON, or a fact of the loop; no attribute of anything else."""
        if isinstance(obj, LoopContext) and attribute in _OF_LOOPS:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, dict) and argument in obj:
            return obj[argument]
        if isinstance(obj, list) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=str(argument))


def spoken(value: Any) -> Any:
    """Return a value that is text. What a row has not is noted as used.

    Raises:
        NoText: it is something else.
    """
    if isinstance(value, Undefined | str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return str(value)
    raise NoText({dict: "an object", bool: "true or false", list: "a list"}.get(type(value), "nothing"))


def check_language(tree: nodes.Template, text: str) -> Iterator[tuple[int, str]]:
    """Yield the line of each thing that a template cannot have, and what is wrong."""
    yield from dict.fromkeys((line, wrong) for line, node in _all_below(tree, 1) if (wrong := _wrong(node)))
    for start, section in _character_data(text):
        if "{{" in section or "{%" in section:
            line = text.count("\n", 0, start) + 1
            yield line, "a column inside <![CDATA[ ]]> would be read aloud with its &amp; and &lt;; write it outside"


def _character_data(text: str) -> Iterator[tuple[int, str]]:
    """Yield each CDATA section, and where it begins. Takes linear time."""
    start = text.find("<![CDATA[")
    while start >= 0:
        end = text.find("]]>", start)
        section = text[start : end if end >= 0 else len(text)]
        yield start, section
        start = text.find("<![CDATA[", start + len(section))


def syntax_fault(error: TemplateSyntaxError) -> str:
    """Return what is wrong, in other words than the parser's."""
    said = error.message or ""
    if found := re.match(r"Encountered unknown tag '(\w+)'\.(.*)", said):
        return _unknown_tag(found[1], found[2])
    if found := re.match(r"Unexpected end of template\..*?tags: '(end\w+|el\w+)'", said):
        closing = re.findall(r"'(end\w+)'", said)
        return f"{{% {closing[-1].removeprefix('end')} %}} is never closed; write {{% {closing[-1]} %}} where it ends"
    return next((told for part, told in _SAID if part in said), _UNREADABLE)


def _unknown_tag(tag: str, more: str) -> str:
    if tag.startswith("end") or tag in ("else", "elif"):
        wanted = re.findall(r"'(end\w+)'", more)
        beside = f"; {{% {wanted[-1]} %}} is wanted here" if wanted else ", and nothing is open that it could belong to"
        return f"{{% {tag} %}} does not fit{beside}"
    return f"there is no {{% {shown(tag)} %}}; a template has {POSSIBLE}"


def _all_below(node: nodes.Node, line: int) -> Iterator[tuple[int, nodes.Node]]:
    """Yield each node with its line; some have none of their own."""
    for child in node.iter_child_nodes():
        own = getattr(child, "lineno", None) or line
        yield own, child
        yield from _all_below(child, own)


def _wrong(node: nodes.Node) -> str | None:
    wrong: str | None = None
    match node:
        case nodes.Filter() if node.name not in _FILTERS:
            wrong = f"there is no filter {shown(str(node.name))}; a template has {POSSIBLE}"
        case nodes.Filter() if node.name not in ("default", "d") and (node.args or node.kwargs):
            wrong = f"the filter {node.name} has nothing in ( )"
        case nodes.Operand() if node.op not in _COMPARED:
            wrong = "texts are compared with ==, !=, in and not in alone"
        case nodes.Test() if node.name not in _TESTS:
            wrong = f"there is no test {shown(node.name)}; there are {', '.join(_TESTS)}"
        case nodes.For() if node.recursive or node.find(nodes.For):
            wrong = "a loop inside a loop is not possible in a template"
        case nodes.Name() if node.name == "self":
            wrong = "self means something else in a template; rename the column"
        case nodes.Sub():
            wrong = "- is not possible in a template; a name of more than one word has _ between them: {{ first_name }}"
        case nodes.Node() if not isinstance(node, _POSSIBLE):
            what = "arithmetic" if isinstance(node, nodes.BinExpr | nodes.UnaryExpr) else _WORDS.get(type(node), "this")
            wrong = f"{what} is not possible in a template; it has {POSSIBLE}"
    return wrong


def _of_text(apply: Callable[..., Any]) -> Callable[..., Any]:
    return lambda value: apply(spoken(value))


_SAID = (
    ("Expected an expression", "between {{ and }} stands the name of a column, and here is none"),
    ("got '='", "= does not compare; write =="),
    (
        "expected token 'end of print statement'",
        "between {{ and }} stands more than one name; in names of columns write _ for a blank: {{ first_name }}",
    ),
    ("unexpected '}'", "{{ is not closed; write }} where it ends"),
    ("end of comment", "{# is not closed; write #} where it ends"),
)
"""What the parser says, by a part of it, and what is wrong."""
_UNREADABLE = "this cannot be read; between {{ and }} stands the name of a column, between {% and %} a command like if"
