"""Which ending is read by which reader."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.scripts.readers.csv_table import csv_rows
from batch_avatar.scripts.readers.deck import read_deck
from batch_avatar.scripts.readers.document import read_document
from batch_avatar.scripts.readers.json_table import json_columns, read_json
from batch_avatar.scripts.readers.markdown import MARKDOWN_LIMIT, read_markdown
from batch_avatar.scripts.readers.script_file import read_ssml, read_text
from batch_avatar.scripts.readers.sheets import SHEET_LIMIT, sheet_rows
from batch_avatar.scripts.readers.subtitles import SUBTITLES_LIMIT, read_subtitles
from batch_avatar.scripts.readers.table import columns_as_they_are, scripts_of
from batch_avatar.scripts.reading import SCRIPT_LIMIT

if TYPE_CHECKING:
    from pathlib import PurePath

    from batch_avatar.scripts.readers.draft import Reader
    from batch_avatar.scripts.reading import Limit


class Kind(NamedTuple):
    """A form of file. `limit`: how large it may be; None where it is read in parts.

    `in_folders`: whether it is read where it lies in a folder; others are read when they are named. `one_script`:
    whether it can be the text of one script, so that a row of a table may name it as `content_file`. `columns`: of a
    list of scripts, the reader that gives all columns of its rows, whatever they mean.
    """

    reader: Reader
    limit: Limit | None = None
    in_folders: bool = False
    one_script: bool = False
    columns: Reader | None = None


_CSV = Kind(scripts_of(csv_rows), columns=columns_as_they_are(csv_rows))
_SHEETS = Kind(scripts_of(sheet_rows), SHEET_LIMIT, columns=columns_as_they_are(sheet_rows))
_JSON = Kind(read_json, columns=json_columns)
_MARKDOWN = Kind(read_markdown, MARKDOWN_LIMIT, one_script=True)
_SUBTITLES = Kind(read_subtitles, SUBTITLES_LIMIT, one_script=True)
_DECK = Kind(read_deck)
_DOCUMENT = Kind(read_document, one_script=True)
KINDS = {
    ".txt": Kind(read_text, SCRIPT_LIMIT, in_folders=True, one_script=True),
    ".ssml": Kind(read_ssml, SCRIPT_LIMIT, in_folders=True, one_script=True),
    ".xml": Kind(read_ssml, SCRIPT_LIMIT, in_folders=True, one_script=True),
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".srt": _SUBTITLES,
    ".vtt": _SUBTITLES,
    ".docx": _DOCUMENT,
    ".docm": _DOCUMENT,
    ".pptx": _DECK,
    ".pptm": _DECK,
    ".csv": _CSV,
    ".tsv": _CSV,
    ".xlsx": _SHEETS,
    ".xlsm": _SHEETS,
    ".ods": _SHEETS,
    ".json": _JSON,
    ".jsonl": _JSON,
    ".ndjson": _JSON,
}

TABLES = tuple(ending for ending, kind in KINDS.items() if kind.columns is not None)
TEMPLATE = ".j2"
"""What the name of a template has after the ending of what it gives."""
TEMPLATE_ENDINGS = ", ".join(f"{ending}{TEMPLATE}" for ending, kind in KINDS.items() if kind.in_folders)

SAVE_AS = {
    **dict.fromkeys((".xls", ".xlsb", ".numbers"), ".xlsx"),
    **dict.fromkeys((".ppt", ".pps", ".ppsx", ".odp", ".key"), ".pptx"),
    **dict.fromkeys((".doc", ".odt", ".pages", ".rtf"), ".docx"),
    **dict.fromkeys((".htm", ".html", ".pdf"), ".txt or .docx"),
}
"""Kinds that are not read, and the one that a program can save them as.

Of .xls and .xlsb calamine could read all but errors such as #REF!, which would be empty cells.
"""
ENDINGS = ", ".join(KINDS)


def kind_of(path: PurePath) -> Kind | None:
    """Return the kind of a file of this name; None if none is read by this ending."""
    return KINDS.get(path.suffix.lower())


def kind_of_template(path: PurePath) -> Kind | None:
    """Return the kind of script that a template of this name gives; None if it is no template."""
    kind = kind_of(path.with_suffix("")) if path.suffix.lower() == TEMPLATE else None
    return kind if kind is not None and kind.in_folders else None


def how_to_read(path: PurePath) -> str:
    """Return what to do with a file that is of no kind that is read."""
    if kind_of_template(path) is not None:
        return f"`--template {shlex.quote(str(path))} --rows TABLE` fills it with the rows of a table"
    other = SAVE_AS.get(path.suffix.lower())
    return f"save it as {other}" if other else f"those are {ENDINGS}"


def of_folders(path: PurePath) -> bool:
    """Return whether a file of this name is a script where it lies in a folder."""
    kind = kind_of(path)
    return kind is not None and kind.in_folders


def is_manifest(path: PurePath) -> bool:
    """Return whether a file of this name is a list of scripts."""
    kind = kind_of(path)
    return kind is not None and kind.columns is not None
