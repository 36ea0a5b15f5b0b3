"""What a check says of a script: by which rule, and whether the script is refused or only warned of. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.safe_text.bounds import first_of
from batch_avatar.safe_text.sinks import line as one_line
from batch_avatar.safe_text.sinks import name as shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from logging import Logger

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
    "id-case": _warning("Two ids differ in case only; on many disks their copies would be one"),
    "image-and-color": _warning("Both a picture and a colour are given as background; documents differ on it"),
    "left-out": _warning("Files or folders beside the scripts are not read"),
    "photo-not-in-batch": _warning("Batch synthesis does not render this photo avatar, as far as is known"),
    "ssml-signed-link": _warning("The SSML names a signed link; signed anew, it is a changed script"),
    "style-missing": _warning("The avatar has styles, and none is named"),
    "style-unknown": _warning("The avatar has no such style, as far as is known"),
    "style-unused": _warning("A photo avatar is given a style, and has none"),
    "subtitles-unknown": _warning("No such `subtitle_type` is known here"),
    "version-unknown": _warning("No such api-version is known here; requests have the form of the last one"),
    "voice-unknown": _warning("The voice is in no list that `batch-avatar voices` kept, or is named like none"),
    "built-in-voice-not-custom": _refused("Only custom avatars have a voice of their own"),
    "character-missing": _refused("No avatar is named"),
    "codec-impossible": _refused("The format, or a photo avatar, does not carry this codec"),
    "color-unreadable": _refused("`background_color` is neither `#RRGGBBAA` nor `transparent`"),
    "content-empty": _refused("Nothing is to be spoken"),
    "destination-unusable": _refused("The link to a container of your own has not what the service needs"),
    "extra-property": _refused("`extra_properties` holds what it may not"),
    "format-unknown": _refused("`video_format` is neither mp4 nor webm, and nothing else can be archived"),
    "id-taken": _refused("Another script has the same `script_id`"),
    "id-unusable": _refused("The `script_id` cannot be a folder of the archive"),
    "image-not-https": _refused("`background_image` is not an https link"),
    "member-unreadable": _refused("A member is missing, unknown, or not of its type"),
    "prosody-in-ssml": _refused("A speaking style, rate, pitch or volume stands beside SSML"),
    "request-too-large": _refused("The request with the script has more bytes than the service takes"),
    "scene-not-photo": _refused("`scene` is set for an avatar that is no photo avatar"),
    "ssml-malformed": _refused("The SSML is malformed, or has no `speak` or `voice`"),
    "text-unsendable": _refused("A text holds what cannot be sent, such as a NUL character"),
    "transparency-impossible": _refused("A transparent background needs webm with vp9"),
    "version-lacks": _refused("The api-version has no such property"),
    "voice-missing": _refused("Plain text needs a voice"),
}
"""All rules by their ids. `docs/checks.md` lists them too."""


class Finding(NamedTuple):
    """What one rule says of one script. `source` and `line` say where the script stands."""

    rule: str
    level: Level
    message: str
    script_id: str = ""
    source: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.script_id, self.message) if part)

    def at(self, where: str, script_id: str) -> Finding:
        """Return the finding with its script; `where` is `file:line`, or a place without lines."""
        source, _, number = where.rpartition(":")
        if not (source and number.isdecimal()):
            return self._replace(script_id=script_id, source=where)
        return self._replace(script_id=script_id, source=source, line=int(number))


def found(rule: str, message: str) -> Finding:
    """Return what the rule says of a script that is named later."""
    return Finding(rule, RULES[rule].level, message)


def refusals(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.REFUSED]


def warnings(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.WARNING]


def told(findings: Iterable[Finding]) -> list[str]:
    """Return one line for each kind of finding, with its rule, how many scripts it is about, and the first of them.

    Findings are of one kind if rule and message are equal. Of many kinds the first are told and the others counted.
    """
    kinds: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        kinds.setdefault((finding.rule, finding.message), []).append(finding.script_id or finding.source)
    return first_of([_line(rule, message, scripts) for (rule, message), scripts in kinds.items()])


def log_warnings(logger: Logger, findings: Iterable[Finding]) -> None:
    for text in told(findings):
        logger.warning("%s", text)


def _line(rule: str, message: str, scripts: list[str]) -> str:
    first = ", ".join(map(shown, scripts[:NAMED_SCRIPTS]))
    if len(scripts) == 1:
        about = first
    elif len(scripts) <= NAMED_SCRIPTS:
        about = f"{len(scripts)} scripts: {first}"
    else:
        about = f"{len(scripts):,} scripts: {first} and {len(scripts) - NAMED_SCRIPTS:,} more"
    return one_line(f"{rule}: {message} [{about}]")
