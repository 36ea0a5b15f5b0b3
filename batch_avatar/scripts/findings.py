"""What a check says of a script: by which rule, and whether the script is refused or only warned of. Pure."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.safe_text.bounds import first_of
from batch_avatar.safe_text.sinks import line as one_line
from batch_avatar.safe_text.sinks import name as shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from logging import Logger

TOLD_FAULTS = 20
"""Lines of faults that a person reads; the others are counted."""
NAMED_SCRIPTS = 3
"""Scripts that a warning names; the others are counted."""


class Level(StrEnum):
    REFUSED = "refused"
    """Nothing of the batch is sent."""
    WARNING = "warning"
    """The script is sent all the same."""


class Rule(NamedTuple):
    level: Level
    meaning: str


def _refused(meaning: str) -> Rule:
    return Rule(Level.REFUSED, meaning)


def _warning(meaning: str) -> Rule:
    return Rule(Level.WARNING, meaning)


RULES = {
    "avatar-unknown": _warning("No standard avatar of this name is known here; it may be a new one"),
    "avatar-withdrawn": _warning("The service withdraws the avatar or its style within 60 days, or has done so"),
    "base-model-missing": _warning("A photo avatar is named without `photo_avatar_base_model`"),
    "base-model-unknown": _warning("No such base model of photo avatars is known here"),
    "built-in-voice": _warning("With `use_built_in_voice` no subtitles are made, and gestures are ignored"),
    "codec-unknown": _warning("No such `video_codec` is known here"),
    "content-signs": _warning("A text has neither letters nor digits, only signs such as emoji"),
    "gesture-unknown": _warning("The avatar has no such gesture, as far as is known, and leaves it out"),
    "id-case": _warning("Two ids differ in case only; on many disks their copies would be one"),
    "image-and-color": _warning("Both a picture and a colour are given as background; documents differ on it"),
    "left-out": _warning("Files, folders, sheets or columns beside the scripts are not read"),
    "markup": _warning("Tags, references such as `&amp;`, or Markdown stand in a text, and would be read aloud"),
    "not-spoken": _warning("Parts of a file, such as tables or hidden slides, are not spoken"),
    "odd-characters": _warning("Control characters stand in a text, or a sign for letters that were lost"),
    "photo-not-in-batch": _warning("Batch synthesis does not render this photo avatar, as far as is known"),
    "placeholder": _warning("A placeholder such as `{{name}}`, or an error such as `#REF!`, is left in a text"),
    "ssml-attribute-unknown": _warning("An element of SSML has no such attribute, as far as is known"),
    "ssml-attribute-wanted": _warning("`speak` has no `version` or `xml:lang`, or an element does nothing as it is"),
    "ssml-element-unknown": _warning("The service's SSML has no such element, as far as is known"),
    "ssml-link-http": _warning("A link to a lexicon or to background audio is http; only https is documented"),
    "ssml-namespace": _warning("`xmlns` or `xmlns:mstts` has another address than the service's"),
    "ssml-nesting": _warning("No page of the service says that an element or text may stand where it does"),
    "ssml-signed-link": _warning("The SSML names a signed link; signed anew, it is a changed script"),
    "ssml-value": _warning("An attribute of SSML has a value that the service does not have, and leaves out"),
    "ssml-voice-silent": _warning("A `voice` holds nothing, while others speak"),
    "ssml-taken": _warning("A text begins with `<speak>`, so it is taken as SSML; nobody said what it is"),
    "style-missing": _warning("The avatar has styles, and none is named"),
    "style-unknown": _warning("The avatar has no such style, as far as is known"),
    "style-unused": _warning("A photo avatar or a custom avatar is given a style, and has none"),
    "subtitles-unknown": _warning("No such `subtitle_type` is known here"),
    "template-default": _warning("A template uses a column that no row fills, and says what holds instead"),
    "version-unknown": _warning("No such api-version is known here; requests have the form of the last one"),
    "voice-unknown": _warning("The voice is in no list that `batch-avatar voices` kept, or is named like none"),
    "built-in-voice-not-custom": _refused("Only custom avatars have a voice of their own"),
    "character-missing": _refused("No avatar is named"),
    "codec-impossible": _refused("The format, or a photo avatar, does not carry this codec"),
    "column-twice": _refused("Two columns of a table are read as the same member"),
    "column-unknown": _refused("A column of a table is no property of a script"),
    "column-unnamed": _refused("Cells of a table stand under no header"),
    "columns-missing": _refused("The header of a table has not the columns that are needed"),
    "content-twice": _refused("A row gives both `content` and `content_file`"),
    "color-unreadable": _refused("`background_color` is neither `#RRGGBBAA` nor `transparent`"),
    "content-empty": _refused("Nothing is to be spoken"),
    "destination-unusable": _refused("The link to a container of your own has not what the service needs"),
    "encoding-unknown": _refused("A text is neither UTF-8, nor UTF-16 with its mark, nor what it was said to be"),
    "extra-missing": _refused("A file of this kind is read only with an extra that is not installed"),
    "extra-property": _refused("`extra_properties` holds what it may not"),
    "file-unreadable": _refused("A file or folder cannot be read, or may not be"),
    "format-unknown": _refused("`video_format` is neither mp4 nor webm, and nothing else can be archived"),
    "id-taken": _refused("Another script has the same `script_id`"),
    "id-unusable": _refused("The `script_id` cannot be a folder of the archive"),
    "image-not-https": _refused("`background_image` is not an https link"),
    "kept-columns": _refused("The columns to keep are too long, or hold a signed link, which nothing stores"),
    "kind-unknown": _refused("A source is of a kind that is not read"),
    "member-unreadable": _refused("A member is missing, unknown, or not of its type"),
    "name-unusable": _refused("No script can be called as its file is"),
    "no-value": _refused("A property is a word for no value, such as `NULL` or `N/A`"),
    "nothing-to-read": _refused("A source holds no scripts"),
    "prosody-in-ssml": _refused("A speaking style, rate, pitch or volume stands beside SSML"),
    "request-too-large": _refused("The request with the script has more bytes than the service takes"),
    "scene-not-photo": _refused("`scene` is set for an avatar that is no photo avatar"),
    "spreadsheet-error": _refused("A member is an error of a spreadsheet, such as `#REF!`, or a formula"),
    "ssml-as-text": _refused("The `input_kind` of SSML is `PlainText`, so that its tags would be read aloud"),
    "ssml-attribute-missing": _refused(
        "An element of SSML lacks an attribute that it needs, such as `name` of `voice`"
    ),
    "ssml-link": _refused("A sound, lexicon or source in SSML is no link, or not https where that is required"),
    "ssml-malformed": _refused("The SSML is no well-formed XML, does not begin with `speak`, or declares entities"),
    "ssml-structure": _refused("Text or an element of SSML stands where it may not, or there is no `voice`"),
    "table-malformed": _refused("A table or a `defaults.toml` cannot be read as what it says to be"),
    "template-malformed": _refused("A template cannot be read, or holds what no template may hold"),
    "template-unfilled": _refused("A row lacks what the template uses, or the id, or has what cannot be spoken"),
    "text-unsendable": _refused("A text holds what cannot be sent, such as a NUL character"),
    "transparency-impossible": _refused("A transparent background needs webm with vp9"),
    "version-lacks": _refused("The api-version has no such property"),
    "voice-impossible": _refused("The voice is one of Windows, which the service does not have"),
    "voice-missing": _refused("Plain text needs a voice"),
}
"""All rules by their ids. `docs/checks.md` lists them too."""


class Place(NamedTuple):
    """Where something stands: a file, with its sheet or slide, and a line or row of it, from 1.

    `is_text`: whether a script's text begins there, so that the lines of the text are lines of the file.
    """

    source: str
    line: int | None = None
    is_text: bool = False

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"

    def within(self, line: int) -> int:
        """Return the line of the file that is this line of the text."""
        return (self.line or 1) + line - 1


class Finding(NamedTuple):
    """What one rule says of one script or file. `source` and `line` say where it stands.

    Before it has its source, `line` is one of the script's text, from 1.
    """

    rule: str
    level: Level
    message: str
    script_id: str = ""
    source: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = str(Place(self.source, self.line))
        return ": ".join(part for part in (place, self.script_id, self.message) if part)

    def at(self, place: Place, script_id: str = "") -> Finding:
        """Return the finding with its place, and the script that it is about."""
        line, message = place.line, self.message
        if self.line is not None and place.is_text:
            line = place.within(self.line)
        elif self.line is not None and self.line > 1:
            message = f"line {self.line} of its content: {message}"
        return self._replace(message=message, script_id=script_id, source=place.source, line=line)


def found(rule: str, message: str, line: int | None = None) -> Finding:
    """Return what the rule says of a script that is named later; `line` is one of its text, from 1."""
    return Finding(rule, RULES[rule].level, message, line=line)


def refusals(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.REFUSED]


def warnings(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.WARNING]


def told(findings: Iterable[Finding]) -> list[str]:
    """Return one line for each kind of finding, with its rule, how many scripts it is about, and the first of them.

    Findings are of one kind if rule and message are equal. Of many kinds the first are told and the others counted.
    """
    kinds: dict[tuple[str, str], dict[str, None]] = {}  # what is about no script may be found again with each of them
    for finding in findings:
        about = finding.script_id or str(Place(finding.source, finding.line))
        kinds.setdefault((finding.rule, finding.message), {})[about] = None
    return first_of([_line(rule, message, list(about)) for (rule, message), about in kinds.items()])


def told_faults(faults: Sequence[Finding]) -> list[str]:
    """Return the lines that a person reads: first the faults of files, then one line for each kind, of many the first.

    Faults are of one kind if rule and message are equal; the line names the first place, how many scripts it is about,
    and the first of them.
    """
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for fault in faults:
        kinds.setdefault((fault.rule, fault.message), []).append(fault)
    lines = [_line_of_faults(same) for same in kinds.values()]
    left = len(lines) - TOLD_FAULTS
    return [*lines[:TOLD_FAULTS], *([f"and {left:,} more; --json has all"] if left > 0 else [])]


def log_warnings(logger: Logger, findings: Iterable[Finding]) -> None:
    for text in told(findings):
        logger.warning("%s", text)


def _line(rule: str, message: str, scripts: list[str]) -> str:
    return one_line(f"{rule}: {message} [{_about(scripts)}]")


def _line_of_faults(same: Sequence[Finding]) -> str:
    first = same[0]
    if len(same) == 1:
        return str(first)
    about = _about([one.script_id or PurePath(one.source).name for one in same])
    return one_line(f"{first._replace(script_id='')} [{about}]")


def _about(scripts: Sequence[str]) -> str:
    first = ", ".join(map(shown, scripts[:NAMED_SCRIPTS]))
    if len(scripts) == 1:
        return first
    if len(scripts) <= NAMED_SCRIPTS:
        return f"{len(scripts)} scripts: {first}"
    return f"{len(scripts):,} scripts: {first} and {len(scripts) - NAMED_SCRIPTS:,} more"
