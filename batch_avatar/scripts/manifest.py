"""Read scripts from folders, files and manifests, and report every fault of every script at once."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.drafts import (
    DEFAULTS_NAME,
    KINDS,
    LONGEST_NAME,
    MANIFESTS,
    check_draft,
    members_of,
)
from batch_avatar.scripts.parsing import Malformed, parse_json, parse_toml
from batch_avatar.scripts.reading import (
    DEFAULTS_LIMIT,
    LONGEST_LINE_BYTES,
    SCRIPT_LIMIT,
    Limit,
    NotRead,
    NotUtf8,
    decoded_lines,
    opened_twice,
    read_whole,
)
from batch_avatar.scripts.spool import ScriptSpool
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batch_avatar.models import Script
    from batch_avatar.service.wire.generations import Wire

NESTED = ("custom_voices", "scene", "video_crop", "avatar_position", "avatar_size", "resolution")


@dataclass
class _Checked:
    """Checks drafts (a script's members and their place) one by one: scripts go to disk, faults stay in memory."""

    wire: Wire
    scripts: ScriptSpool = field(default_factory=ScriptSpool)
    faults: list[str] = field(default_factory=list)
    drafts: int = 0
    first: dict[str, str] = field(default_factory=dict)

    def take(self, where: str, values: Mapping[str, Any]) -> None:
        self.drafts += 1
        script, found = check_draft(values, wire=self.wire)
        name = script.script_id if script else str(values.get("script_id") or "")[:LONGEST_NAME]
        if script is not None:
            if script.script_id in self.first:
                found.append(f"script_id is taken by {self.first[script.script_id]}")
            self.first.setdefault(script.script_id, where)
        self.faults.extend(f"{where}: {f'{name}: ' if name else ''}{reason}" for reason in found)
        if script is not None and not self.faults:  # after the first fault nothing will be sent
            self.scripts.add(script)

    def finish(self, faults: Sequence[str]) -> ScriptSpool:
        """Return the scripts.

        Raises:
            ManifestError: with every fault; `faults`, those of files, come before those of scripts.
        """
        faults = [*faults, *self.faults]
        if not self.scripts and not faults:
            faults.append("no scripts")
        if faults:
            self.scripts.close()
            raise ManifestError(faults)
        return self.scripts


@dataclass
class _Reader:
    """Finds drafts, hands each one on as it is read, and collects the faults of files."""

    base: Mapping[str, Any]
    checked: _Checked
    known_defaults: dict[Path, dict[str, Any] | None] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def text(self, path: Path, where: str, limit: Limit, *, pipe: bool = False) -> str | None:
        try:
            return "".join(decoded_lines(io.BytesIO(read_whole(path, limit, pipe=pipe))))
        except (OSError, ValueError, NotUtf8, NotRead) as error:
            self.unreadable(path, where, error)
            return None

    def unreadable(self, path: Path, where: str, error: Exception) -> None:
        """Note why a file cannot be read: a bad byte at its own line, or at the manifest's line that names the file."""
        own = where.removesuffix(":1") if where.startswith(str(path)) else None
        match error:
            case NotUtf8():
                place = f"{own}:{error.line}" if own is not None else where
                self.faults.append(f"{place}: {path.name} is not UTF-8 (byte {error.byte})")
            case NotRead():
                place = f"{own}:{error.line}" if own is not None and error.line is not None else where
                self.faults.append(f"{place}: {path.name} {error.reason}")
            case OSError():
                self.faults.append(f"{where}: cannot read {path.name}: {error.strerror}")
            case _:  # the name holds a NUL or half a surrogate pair
                self.faults.append(f"{where}: {path.name!r} is not the name of a file")

    def defaults(self, folder: Path) -> dict[str, Any] | None:
        """Return what the folder gives to its scripts; None if that cannot be told, which is a fault of its own."""
        if folder not in self.known_defaults:
            self.known_defaults[folder] = self._read_defaults(folder / DEFAULTS_NAME)
        return self.known_defaults[folder]

    def _read_defaults(self, path: Path) -> dict[str, Any] | None:
        if not os.path.lexists(path):
            return {}
        text = self.text(path, f"{path}:1", DEFAULTS_LIMIT)
        try:
            return None if text is None else parse_toml(text)
        except Malformed as error:
            self.faults.append(f"{path}:{error.line}: malformed TOML: {error.reason}")
            return None

    def source(self, source: Path) -> None:
        try:
            if source.is_dir():
                self.folder(source)
            elif source.suffix.lower() in KINDS:
                self.script_file(source, self.defaults(source.parent), pipe=True)
            elif source.suffix.lower() in MANIFESTS:
                self.manifest(source)
            elif source.exists():
                self.faults.append(f"{source}: not a folder, nor a .txt, .ssml, .xml, .jsonl, .ndjson or .csv file")
            else:
                self.faults.append(f"{source}: does not exist")
        except OSError as error:  # e.g. its name is too long, or its folder may not be looked into
            self.faults.append(f"{source}: cannot be read: {error.strerror}")

    def manifest(self, path: Path) -> None:
        try:
            with opened_twice(path) as file:
                for _ in decoded_lines(file):
                    pass  # one byte that is not UTF-8 refuses the whole file, so no line is checked before
                file.seek(0)
                self.lines(path, decoded_lines(file))
        except (OSError, ValueError, NotUtf8, NotRead) as error:
            self.unreadable(path, f"{path}:1", error)

    def lines(self, path: Path, lines: Iterable[str]) -> None:
        before = self.checked.drafts + len(self.faults)
        defaults = self.defaults(path.parent)
        if defaults is None:
            return
        read = self.csv if path.suffix.lower() == ".csv" else self.jsonl
        read(path, lines, defaults)
        if self.checked.drafts + len(self.faults) == before:
            self.faults.append(f"{path}:1: no scripts in it")

    def folder(self, folder: Path) -> None:
        try:
            files = sorted(path for path in folder.iterdir() if path.suffix.lower() in KINDS and not path.is_dir())
        except OSError as error:
            self.faults.append(f"{folder}: cannot be read: {error.strerror}")
            return
        if not files:
            self.faults.append(f"{folder}: no scripts in it (*.txt, *.ssml, *.xml)")
        defaults = self.defaults(folder)
        for path in files:
            self.script_file(path, defaults)

    def script_file(self, path: Path, defaults: Mapping[str, Any] | None, *, pipe: bool = False) -> None:
        try:
            path.name.encode()
        except UnicodeEncodeError:
            self.faults.append(f"{path}:1: its name is not UTF-8, so no script can be called so; rename it")
            return
        text = self.text(path, f"{path}:1", SCRIPT_LIMIT, pipe=pipe)
        if text is not None and defaults is not None:
            self.checked.take(f"{path}:1", {**self.base, **defaults, **members_of(path, text)})

    def jsonl(self, path: Path, lines: Iterable[str], defaults: Mapping[str, Any]) -> None:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            try:
                value = parse_json(line.removesuffix("\n"))  # the error's text states the position in the line
            except Malformed as error:
                self.faults.append(f"{where}: malformed JSON: {error.reason}")
                continue
            if isinstance(value, dict):
                self.member(where, path.parent, {**defaults, **value})
            else:
                self.faults.append(f"{where}: a line is one JSON object, not {type(value).__name__}")

    def csv(self, path: Path, lines: Iterable[str], defaults: Mapping[str, Any]) -> None:
        csv.field_size_limit(MAX_BODY_BYTES)  # a longer cell cannot be sent anyway
        feed = _Rows(lines)
        rows = csv.reader(feed, strict=True)
        start = 1
        try:
            header = next(rows, [])
            start = rows.line_num + 1
            for row in rows:
                feed.characters = 0
                where, start = f"{path}:{start}", rows.line_num + 1
                if len(row) > len(header):
                    self.faults.append(f"{where}: {len(row)} cells under {len(header)} columns")
                elif row:
                    cells = {name: _cell(name, cell) for name, cell in zip(header, row, strict=False) if cell}
                    self.member(where, path.parent, {**defaults, **cells})
        except csv.Error as error:
            self.faults.append(f"{path}:{start}: malformed CSV: {error}")

    def member(self, where: str, folder: Path, values: dict[str, Any]) -> None:
        """Take a line of a manifest; `content_file` is relative to the manifest."""
        named = values.pop("content_file", None)
        if named is not None:
            if "content" in values:
                self.faults.append(f"{where}: content and content_file exclude each other")
                return
            text = self.text(folder / str(named), where, SCRIPT_LIMIT)
            if text is None:
                return
            values = {
                "input_kind": KINDS.get(Path(str(named)).suffix.lower(), "PlainText"),
                **values,
                "content": text,
            }
        self.checked.take(where, {**self.base, **values})


class _Rows(Iterator[str]):
    """Hands lines to a CSV reader, which keeps a row until it ends; set `characters` to 0 after each row."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = (part for line in lines for part in io.StringIO(line, newline=""))  # they may end in CR alone
        self.characters = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.characters += len(line)
        if self.characters > LONGEST_LINE_BYTES:
            raise csv.Error(f"a row has more than {LONGEST_LINE_BYTES:,} characters, which fit into no request")
        return line


def _cell(name: str, text: str) -> Any:
    """Return the value of a CSV cell; nested members are written as JSON."""
    if name in NESTED:
        try:
            return parse_json(text)
        except Malformed:
            return text
    return text


def read_scripts(sources: Sequence[Path | str], *, defaults: Mapping[str, Any], wire: Wire) -> ScriptSpool:
    """Read all scripts of all sources, valid and distinct. Nearer wins: script, then defaults.toml, then `defaults`.

    Raises:
        ManifestError: with every fault of every script; then nothing may be sent.
        InputError: the disk has no room for them.
    """
    reader = _Reader(base=defaults, checked=_Checked(wire))
    for source in sources:
        reader.source(Path(source))
    return reader.checked.finish(reader.faults)


def check_scripts(scripts: Iterable[Script], *, defaults: Mapping[str, Any], wire: Wire) -> ScriptSpool:
    """Check scripts that came as values, e.g. as a flow's parameter; otherwise the same as `read_scripts`."""
    checked = _Checked(wire)
    for number, script in enumerate(scripts):
        checked.take(f"scripts[{number}]", {**defaults, **script.model_dump(exclude_unset=True)})
    return checked.finish([] if checked.drafts else ["scripts: none given"])
