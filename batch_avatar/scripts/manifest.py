"""Read scripts from folders, files and manifests, and report every fault of every script at once."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.checked import Checked
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.decoding import NotUtf8, check_encoding, decoded_lines
from batch_avatar.scripts.defaults import DEFAULTS_NAME, NO_DEFAULTS, Defaults, of_file, of_settings
from batch_avatar.scripts.findings import Finding, Level, Place, found
from batch_avatar.scripts.folders.ignoring import is_junk
from batch_avatar.scripts.folders.walk import look_into_folder
from batch_avatar.scripts.parsing import Malformed
from batch_avatar.scripts.readers.draft import Named
from batch_avatar.scripts.readers.kinds import (
    KINDS,
    TABLES,
    how_to_read,
    kind_of,
)
from batch_avatar.scripts.readers.unreadable import unreadable
from batch_avatar.scripts.reading import (
    DEFAULTS_LIMIT,
    NotRead,
    Roots,
    opened_twice,
    read_whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from batch_avatar.models import Script
    from batch_avatar.scripts.readers.draft import Draft
    from batch_avatar.scripts.readers.kinds import Kind
    from batch_avatar.scripts.spool import ScriptSpool
    from batch_avatar.scripts.voices import Known
    from batch_avatar.service.wire.generations import Wire


@dataclass
class _Reader:
    """Finds drafts, hands each one on as it is read, and collects the faults of files."""

    base: Defaults
    checked: Checked
    roots: Roots | None = None
    choice: SourceChoice = field(default_factory=SourceChoice)
    known_defaults: dict[Path, Defaults | None] = field(default_factory=dict)
    known_below: dict[tuple[Path, Path], Defaults | None] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)

    def fault(self, rule: str, place: Place, text: str) -> None:
        self.faults.append(found(rule, text).at(place))

    def unreadable(self, path: Path, place: Place, error: Exception) -> None:
        self.faults.append(unreadable(path, place, error))

    def defaults(self, folder: Path) -> Defaults | None:
        """Return what the folder's file gives to its scripts; None if that cannot be told, a fault of its own."""
        if folder not in self.known_defaults:
            self.known_defaults[folder] = self._read_defaults(folder / DEFAULTS_NAME)
        return self.known_defaults[folder]

    def _read_defaults(self, path: Path) -> Defaults | None:
        if not os.path.lexists(path):
            return NO_DEFAULTS
        try:
            content = read_whole(path, DEFAULTS_LIMIT, roots=self.roots)
            return of_file(str(path), "".join(decoded_lines(io.BytesIO(content), self.choice.encoding)))
        except Malformed as error:
            self.fault("table-malformed", Place(str(path), error.line), f"malformed TOML: {error.reason}")
        except (OSError, ValueError, NotUtf8, NotRead) as error:
            self.unreadable(path, Place(str(path), 1), error)
        return None

    def defaults_below(self, top: Path, folder: Path) -> Defaults | None:
        """Return what settings, and all folders from `top` down to this one, give to its scripts; None as above."""
        if (top, folder) not in self.known_below:
            self.known_below[top, folder] = self._defaults_below(top, folder)
        return self.known_below[top, folder]

    def _defaults_below(self, top: Path, folder: Path) -> Defaults | None:
        parts = folder.relative_to(top).parts
        given = self.base
        for depth in range(len(parts) + 1):
            own = self.defaults(top.joinpath(*parts[:depth]))
            if own is None:
                return None
            given = given.under(own)
        return given

    def left_out(self, source: Path, line: str) -> None:
        self.checked.scripts.warnings.append(found("left-out", line).at(Place(str(source))))

    def source(self, source: Path, kind: Kind | None = None) -> None:
        """Read a source. `kind`: how it is read, if not as its name says."""
        place, known = Place(str(source)), kind or kind_of(source)
        try:
            if self.roots is not None:
                self.roots.place(source)  # what lies outside is not even said to be there
            if source.is_dir() and kind is None:
                self.folder(source)
            elif is_junk(source.name) and source.exists():
                self.left_out(source, "a system has left it beside other files; it is no script")
            elif known is not None:
                self.file(source, self.defaults_below(source.parent, source.parent), kind=known, pipe=True)
            elif source.exists():
                self.of_no_kind(source)
            else:
                self.fault("file-unreadable", place, "does not exist")
        except NotRead as error:
            self.fault("file-unreadable", place, error.reason)
        except OSError as error:  # e.g. its name is too long, or its folder may not be looked into
            self.fault("file-unreadable", place, f"cannot be read: {error.strerror}")

    def folder(self, folder: Path) -> None:
        look = look_into_folder(folder, self.choice, self.roots)
        self.faults.extend(look.faults)
        line = look.left_out.line(str(folder))
        if look.files and line:
            self.left_out(folder, line)
        elif not look.files and not look.faults:
            beside = f"; left out are {line}" if line else ""
            self.fault("nothing-to-read", Place(str(folder)), f"no scripts in it (*.txt, *.ssml, *.xml){beside}")
        for path, script_id in look.files:
            if kind_of(path) is None:
                self.of_no_kind(path)
            else:
                self.file(path, self.defaults_below(folder, path.parent), script_id=script_id)

    def of_no_kind(self, path: Path) -> None:
        self.fault("kind-unknown", Place(str(path)), f"no folder, and of no kind that is read; {how_to_read(path)}")

    def filled(self, template: Path, rows: Path) -> None:
        """Take a script for each row of a table, which fills the template."""
        from batch_avatar.scripts.templates.file import read_template  # Jinja takes its time to import
        from batch_avatar.scripts.templates.rows import scripts_of_rows

        kind = kind_of(rows)
        if kind is None or kind.columns is None:
            self.fault("kind-unknown", Place(str(rows)), f"is no table; rows are read from {', '.join(TABLES)}")
            return
        try:
            reader = scripts_of_rows(read_template(template, self.choice, self.roots), kind.columns)
        except ManifestError as error:
            self.faults.extend(error.findings)
        else:
            self.source(rows, kind._replace(reader=reader))

    def file(
        self,
        path: Path,
        defaults: Defaults | None,
        *,
        script_id: str | None = None,
        kind: Kind | None = None,
        pipe: bool = False,
    ) -> None:
        """Read a file, and take every script in it."""
        first, script_id = Place(str(path), 1), script_id or path.stem
        before = self.checked.drafts + len(self.faults)
        try:
            script_id.encode()
        except UnicodeEncodeError:
            self.fault("name-unusable", first, "its name is not UTF-8, so no script can be called so; rename it")
            return
        try:
            for part in self.parts(path, script_id, kind=kind, pipe=pipe):
                if isinstance(part, Finding):
                    self.note(part)
                elif defaults is not None:
                    self.take(path.parent, part, defaults)
        except (OSError, ValueError, NotUtf8, NotRead) as error:
            self.unreadable(path, first, error)
        if defaults is not None and self.checked.drafts + len(self.faults) == before:
            self.fault("nothing-to-read", first, "no scripts in it")

    def parts(
        self,
        path: Path,
        script_id: str,
        *,
        kind: Kind | None = None,
        choice: SourceChoice | None = None,
        pipe: bool = False,
    ) -> Iterator[Draft | Finding]:
        """Read a file of a known kind. Raises as `Reader` does, and as opening it does."""
        kind = kind or kind_of(path) or KINDS[".txt"]
        with opened_twice(path, kind.limit, pipe=pipe, roots=self.roots) as file:
            yield from kind.reader(file, Named(str(path), script_id), choice or self.choice)

    def note(self, finding: Finding) -> None:
        if finding.level is Level.REFUSED:
            self.faults.append(finding)
        else:
            self.checked.scripts.warnings.append(finding)

    def take(self, folder: Path, draft: Draft, defaults: Defaults) -> None:
        """Take a draft. The `content_file` of a table's row is relative to the table."""
        own = dict(draft.values)
        named = own.pop("content_file", None)
        if named is not None:
            if "content" in own:
                self.fault("content-twice", draft.place, "content and content_file exclude each other")
                return
            content = self.content_of(folder / str(named), draft.place)
            if content is None:
                return
            own = {**content, **own}
        self.checked.take(draft.place, own, defaults)

    def content_of(self, path: Path, place: Place) -> Mapping[str, Any] | None:
        """Return what a file says that a row of a table names; None if it cannot be told, which is a fault."""
        kind = kind_of(path)
        if kind is not None and not kind.one_script:
            self.fault("kind-unknown", place, f"{path.name} is not the text of one script; name it as a source")
            return None
        try:
            parts = list(self.parts(path, "", choice=replace(self.choice, by_heading=False)))
        except (OSError, ValueError, NotUtf8, NotRead) as error:
            self.unreadable(path, place, error)
            return None
        own: Mapping[str, Any] | None = None
        for part in parts:
            if isinstance(part, Finding):
                self.note(part)
            else:
                own = {name: value for name, value in part.values.items() if name != "script_id"}
        return own


def read_scripts(
    sources: Sequence[Path | str],
    *,
    defaults: Mapping[str, Any],
    wire: Wire,
    roots: Roots | None = None,
    choice: SourceChoice | None = None,
    known: Known | None = None,
) -> ScriptSpool:
    """Read all scripts of all sources, valid and distinct. Nearer wins: script, then defaults.toml, then `defaults`.

    `roots`: the folders below which everything must lie; without them any file is read. `choice`: of what
    lies in folders. `known`: the day alone, if not told.

    Raises:
        ManifestError: with every fault of every script; then nothing may be sent.
        InputError: the disk has no room for them, a chosen pattern or encoding is none, or a choice is incomplete.
    """
    choice = choice or SourceChoice()
    check_encoding(choice.encoding)
    reader = _Reader(base=of_settings(defaults), checked=Checked(wire, known), roots=roots, choice=choice)
    for source in sources:
        reader.source(Path(source))
    if filling := choice.filling():
        reader.filled(*map(Path, filling))
    return reader.checked.finish(reader.faults)


def check_scripts(
    scripts: Iterable[Script], *, defaults: Mapping[str, Any], wire: Wire, known: Known | None = None
) -> ScriptSpool:
    """Check scripts that came as values, e.g. as a flow's parameter; otherwise the same as `read_scripts`."""
    return _check_values(Checked(wire, known), scripts, of_settings(defaults))


def recheck_scripts(scripts: Iterable[Script], *, wire: Wire) -> ScriptSpool:
    """Check scripts that were checked before, and since then hold what their defaults gave, whether it applies or not.

    Raises as `read_scripts` does.
    """
    return _check_values(Checked(wire, with_defaults=True), scripts, NO_DEFAULTS)


def _check_values(checked: Checked, scripts: Iterable[Script], defaults: Defaults) -> ScriptSpool:
    for number, script in enumerate(scripts):
        checked.take(Place(f"scripts[{number}]"), script.model_dump(exclude_unset=True), defaults)
    return checked.finish([] if checked.drafts else [found("nothing-to-read", "none given").at(Place("scripts"))])
