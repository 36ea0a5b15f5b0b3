"""Make a script of its members, one by one: a member that is wrong is told, and does not hide what else is wrong. Pure.

`look_at` builds a script of what is right, so that the other checks can say what they find in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from batch_avatar.catalog.near import near
from batch_avatar.models import Script
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.content.kind import with_kind
from batch_avatar.scripts.content.leftovers import check_values
from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

    from batch_avatar.scripts.findings import Finding

MEMBERS = tuple(Script.model_fields)
LONGEST_NAME = 200
"""Characters of a name that a fault repeats."""
STAND_INS = {"script_id": "any", "content": "Any."}
"""For members that every script has, so that one of them being wrong hides nothing else."""
FOLLOWS = {
    "input_kind": ("voice-missing", "prosody-in-ssml", "ssml-malformed"),
    "voice": ("voice-missing",),
    "use_built_in_voice": ("voice-missing",),
    "custom_voices": ("voice-unknown", "voice-impossible"),
    "talking_avatar_character": ("character-missing", "avatar-unknown", "style-unknown"),
    "talking_avatar_style": ("style-missing",),
    "customized": ("built-in-voice-not-custom", "avatar-unknown", "style-missing", "style-unknown"),
    "photo_avatar_base_model": ("scene-not-photo", "base-model-missing", "avatar-unknown", "style-missing"),
    "video_format": ("transparency-impossible", "codec-impossible"),
    "video_codec": ("transparency-impossible",),
    "destination_container_url": ("destination-unusable",),
}
"""Rules that may only tell that a member is missing, by the member. Where it is wrong, that was told already."""
_GROUPS = {
    "avatarConfig": "write each of its members by itself, such as talking_avatar_character",
    "synthesisConfig": "write each of its members by itself, such as voice",
    "properties": "write each of its members by itself, such as time_to_live_in_hours",
    "inputs": "write each text as the content of a script",
    "textType": "write input_kind",
}
"""What the service's requests have and scripts have not."""
_MUST = {
    **dict.fromkeys(("string_type", "string_sub_type"), "must be text"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "must be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "must be an object in braces {{ }}"),
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_long": "must have at most {max_length} characters",
    "string_unicode": "must be text without half of a surrogate pair, which no request can carry",
}
"""What a member must be, by the type of the error (page of errors of pydantic 2)."""
_NO_LETTER = re.compile(r"[\W_]")


class Looked(NamedTuple):
    """A script of the members that are right, with stand-ins for what none can be without; None if there is no way.

    `wrong`: the members that are missing, wrong or perhaps misspelt; each was told.
    """

    script: Script | None
    findings: list[Finding]
    wrong: frozenset[str]

    def of_its_own(self, findings: Iterator[Finding]) -> list[Finding]:
        """Return those findings about the script that do not follow from what is told already."""
        follows = {rule for name in self.wrong for rule in FOLLOWS.get(name, ())}
        return [finding for finding in findings if finding.rule not in follows]


def look_at(values: Mapping[str, Any]) -> Looked:
    """Return the script that these members make, and everything that is wrong with them."""
    values, findings, wrong = _in_our_words(values)
    for name, finding in list(check_values(values)):
        findings.append(finding)
        wrong.add(name)
        del values[name]
    values, about_kind = with_kind(values)
    findings += about_kind
    try:
        return Looked(Script.model_validate(values), findings, frozenset(wrong))
    except ValidationError as error:
        faults = error.errors(include_url=False)
    findings += [_fault(fault) for fault in faults if _member(fault) not in wrong]
    wrong |= {str(fault["loc"][0]) for fault in faults if fault["loc"]}
    return Looked(_of_the_rest(values, wrong), findings, frozenset(wrong))


def faults_of(error: ValidationError) -> list[str]:
    """Return what is wrong with these members, in plain words."""
    return [_fault(fault).message for fault in error.errors(include_url=False)]


def _of_the_rest(values: Mapping[str, Any], wrong: set[str]) -> Script | None:
    rest = {name: value for name, value in values.items() if name not in wrong}
    if "content" in wrong and str(values.get("input_kind")).lower() == "ssml":
        wrong.add("input_kind")
        del rest["input_kind"]
    try:
        return Script.model_validate(STAND_INS | rest)
    except ValidationError:  # no member of it is known to be wrong, but all of it is
        return None


def _in_our_words(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding], set[str]]:
    """Return the known members, also those that are spelled as the service does, which is told; and what was meant."""
    values: dict[str, Any] = {name: value for name, value in given.items() if name in MEMBERS}
    findings: list[Finding] = []
    meant: set[str] = set()
    for name in given:
        if name not in MEMBERS:
            same = _OURS.get(_NO_LETTER.sub("", name).lower())
            findings.append(_unknown(name, same))
            if same and same not in values:
                values[same] = given[name]
            elif not same and (like := near(name, MEMBERS)) is not None:
                meant.add(like)
    return values, findings, meant - values.keys()


def _unknown(name: str, same: str | None) -> Finding:
    try:
        name.encode()
    except UnicodeEncodeError:
        text = "the name of a property holds half of a surrogate pair, which no request can carry"
        return found("member-unreadable", text)
    like = near(name, MEMBERS)
    if same:
        advice = f"; here it is written {same}"
    elif name in _GROUPS:
        advice = f", which only the service's requests have; {_GROUPS[name]}"
    else:
        advice = f"; did you mean {like}?" if like else ""
    return found("member-unreadable", f"unknown property {name[:LONGEST_NAME]!r}{advice}")


def _member(fault: ErrorDetails) -> str:
    return str(fault["loc"][0]) if fault["loc"] else ""


def _fault(fault: ErrorDetails) -> Finding:
    path = ".".join(str(part) for part in fault["loc"])[:LONGEST_NAME]
    if fault["type"] == "extra_forbidden":
        return found("member-unreadable", f"unknown property {path!r}")
    if fault["type"] == "missing":
        return found("member-unreadable", f"{path} is missing")
    if fault["type"] == "string_too_short":
        return found("content-empty" if path == "content" else "member-unreadable", f"{path} is empty")
    return found("member-unreadable", f"{path} {_must(fault)}, not {_given(fault['input'])}")


def _must(fault: ErrorDetails) -> str:
    """Return what the member must be, as it continues its name."""
    words = _MUST.get(fault["type"])
    return words.format(**fault.get("ctx", {})) if words else f"is wrong ({fault['msg']})"


def _given(value: object) -> str:
    match value:
        case str():
            return shown(value) if len(value) <= LONGEST_NAME else f"{len(value):,} characters"
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case int() | float():
            return shown(str(value))
        case list() | tuple():
            return "a list"
    return "an object"


_OURS = {name.replace("_", ""): name for name in MEMBERS}
"""Our names by their letters alone, which are those of the service's names too: `talkingAvatarCharacter`."""
