"""Read scripts from folders, files and manifests, and report every fault of every script at once."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch_avatar.scripts.cells import Rows, cell_value
from batch_avatar.scripts.checked import Checked
from batch_avatar.scripts.drafts import (
    DEFAULTS_NAME,
    KINDS,
    MANIFESTS,
    layered,
    members_of,
)
from batch_avatar.scripts.findings import found
from batch_avatar.scripts.folders import FolderChoice, look_into_folder
from batch_avatar.scripts.ignoring import is_junk
from batch_avatar.scripts.parsing import Malformed, parse_json, parse_toml
from batch_avatar.scripts.reading import (
    DEFAULTS_LIMIT,
    SCRIPT_LIMIT,
    Limit,
    NotRead,
    NotUtf8,
    Roots,
    decoded_lines,
    opened_twice,
    read_whole,
)
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from batch_avatar.models import Script
    from batch_avatar.scripts.spool import ScriptSpool
    from batch_avatar.scripts.voices import Known
    from batch_avatar.service.wire.generations import Wire


@dataclass
class _Reader:
    """Finds drafts, hands each one on as it is read, and collects the faults of files."""

    base: Mapping[str, Any]
    checked: Checked
    roots: Roots | None = None
    choice: FolderChoice = field(default_factory=FolderChoice)
    known_defaults: dict[Path, dict[str, Any] | None] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def text(self, path: Path, where: str, limit: Limit, *, pipe: bool = False) -> str | None:
        try:
            return "".join(decoded_lines(io.BytesIO(read_whole(path, limit, pipe=pipe, roots=self.roots))))
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

    def defaults_below(self, top: Path, folder: Path) -> dict[str, Any] | None:
        """Return what all folders from `top` down to this one give to its scripts; None as in `defaults`."""
        parts = folder.relative_to(top).parts
        given: dict[str, Any] = {}
        for depth in range(len(parts) + 1):
            own = self.defaults(top.joinpath(*parts[:depth]))
            if own is None:
                return None
            given |= own
        return given

    def left_out(self, source: Path, line: str) -> None:
        self.checked.scripts.warnings.append(found("left-out", line)._replace(source=str(source)))

    def source(self, source: Path) -> None:
        try:
            if self.roots is not None:
                self.roots.place(source)  # what lies outside is not even said to be there
            if source.is_dir():
                self.folder(source)
            elif is_junk(source.name) and source.exists():
                self.left_out(source, "a system has left it beside other files; it is no script")
            elif source.suffix.lower() in KINDS:
                self.script_file(source, self.defaults(source.parent), pipe=True)
            elif source.suffix.lower() in MANIFESTS:
                self.manifest(source)
            elif source.exists():
                self.faults.append(f"{source}: not a folder, nor a .txt, .ssml, .xml, .jsonl, .ndjson or .csv file")
            else:
                self.faults.append(f"{source}: does not exist")
        except NotRead as error:
            self.faults.append(f"{source}: {error.reason}")
        except OSError as error:  # e.g. its name is too long, or its folder may not be looked into
            self.faults.append(f"{source}: cannot be read: {error.strerror}")

    def manifest(self, path: Path) -> None:
        try:
            with opened_twice(path, roots=self.roots) as file:
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
        look = look_into_folder(folder, self.choice, self.roots)
        self.faults.extend(look.faults)
        line = look.left_out.line(str(folder))
        if look.files and line:
            self.left_out(folder, line)
        elif not look.files and not look.faults:
            beside = f"; left out are {line}" if line else ""
            self.faults.append(f"{folder}: no scripts in it (*.txt, *.ssml, *.xml){beside}")
        for path, script_id in look.files:
            if script_id is None:
                self.source(path)
            else:
                self.script_file(path, self.defaults_below(folder, path.parent), script_id=script_id)

    def script_file(
        self, path: Path, defaults: Mapping[str, Any] | None, *, script_id: str | None = None, pipe: bool = False
    ) -> None:
        script_id = script_id or path.stem
        try:
            script_id.encode()
        except UnicodeEncodeError:
            self.faults.append(f"{path}:1: its name is not UTF-8, so no script can be called so; rename it")
            return
        text = self.text(path, f"{path}:1", SCRIPT_LIMIT, pipe=pipe)
        if text is not None and defaults is not None:
            own = members_of(path, text, script_id=script_id)
            self.checked.take(f"{path}:1", layered(self.base, defaults, own))

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
        feed = Rows(lines)
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
                    cells = {name: cell_value(name, cell) for name, cell in zip(header, row, strict=False) if cell}
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
        self.checked.take(where, layered(self.base, values))


def read_scripts(
    sources: Sequence[Path | str],
    *,
    defaults: Mapping[str, Any],
    wire: Wire,
    roots: Roots | None = None,
    choice: FolderChoice | None = None,
    known: Known | None = None,
) -> ScriptSpool:
    """Read all scripts of all sources, valid and distinct. Nearer wins: script, then defaults.toml, then `defaults`.

    `roots`: the folders below which everything must lie; without them any file is read. `choice`: of what
    lies in folders. `known`: the day alone, if not told.

    Raises:
        ManifestError: with every fault of every script; then nothing may be sent.
        InputError: the disk has no room for them, or a chosen pattern is none.
    """
    reader = _Reader(base=defaults, checked=Checked(wire, known), roots=roots, choice=choice or FolderChoice())
    for source in sources:
        reader.source(Path(source))
    return reader.checked.finish(reader.faults)


def check_scripts(
    scripts: Iterable[Script], *, defaults: Mapping[str, Any], wire: Wire, known: Known | None = None
) -> ScriptSpool:
    """Check scripts that came as values, e.g. as a flow's parameter; otherwise the same as `read_scripts`."""
    checked = Checked(wire, known)
    for number, script in enumerate(scripts):
        checked.take(f"scripts[{number}]", layered(defaults, script.model_dump(exclude_unset=True)))
    return checked.finish([] if checked.drafts else ["scripts: none given"])
