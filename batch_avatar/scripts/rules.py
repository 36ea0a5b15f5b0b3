"""Check what a script may not combine, so that a mistake is found before anything is sent. Pure.

Only the service checks voices, characters and styles, because their lists grow without notice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

    from batch_avatar.models import Script

CODECS = {"mp4": ("h264", "hevc", "av1"), "webm": ("vp9", "av1")}
PHOTO_CODECS = ("h264", "hevc", "vp9")
PROSODY = ("style", "rate", "pitch", "volume")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
COLOR = re.compile(r"#[0-9A-Fa-f]{8}")


def transparent(color: str | None) -> bool:
    """Return whether it is the literal `transparent`, or a colour whose alpha is zero."""
    return color is not None and (color.lower() == "transparent" or (len(color) == 9 and color[7:] == "00"))  # noqa: PLR2004


def with_defaults(script: Script) -> Script:
    """Return the script as it is sent, with our choice of format and codec where it leaves them open.

    We choose h264 in mp4, because the service's own default, hevc, does not play in most browsers, and vp9 in webm,
    which alone carries transparency. These choices never enter the content id.
    """
    clear = transparent(script.background_color)
    video_format = script.video_format or ("webm" if clear or script.video_codec == "vp9" else "mp4")
    codec = script.video_codec or ("vp9" if video_format == "webm" else "h264")
    return script.model_copy(update={"video_format": video_format, "video_codec": codec})


def check_script_id(script_id: str) -> Iterator[str]:
    """Describe every fault of the id: as a folder it must differ from the archive's own and from other scripts'."""
    if "/" in script_id or "\\" in script_id or ".." in script_id or CONTROL.search(script_id):
        yield "script_id must not contain '/', '\\', '..' or control characters"
    if script_id.startswith("_"):
        yield "script_id must not start with '_'; such names are the archive's own"
    if script_id != script_id.strip() or script_id.endswith("."):
        yield "script_id must not begin or end with a blank, nor end with a dot"


def check_script(script: Script) -> Iterator[str]:
    """Describe every rule that the script breaks."""
    yield from check_script_id(script.script_id)
    yield from _check_characters(script)
    yield from _check_voice(script)
    yield from _check_avatar(script)
    yield from _check_video(script)
    yield from _check_destination(script)
    if script.input_kind == "SSML":
        yield from _check_ssml(script.content)
    elif not script.content.strip():
        yield "content is empty"


def _check_characters(script: Script) -> Iterator[str]:
    checked = {"script_id", *(["content"] if script.input_kind == "SSML" else [])}  # their own rules find it
    for name, value in script:
        if isinstance(value, str) and "\0" in value and name not in checked:
            wide = value.count("\0") * 3 > len(value)  # ASCII text in UTF-16 is valid UTF-8, with a NUL in each letter
            hint = "; is the text in UTF-16?" if wide else ""
            yield f"{name} holds a NUL character, which cannot be spoken or sent{hint}"


def _check_voice(script: Script) -> Iterator[str]:
    if script.input_kind == "PlainText":
        if not script.voice and not script.use_built_in_voice:
            yield "PlainText needs a voice; set voice, or use_built_in_voice of a custom avatar"
    elif used := [name for name in PROSODY if getattr(script, name) is not None]:
        yield f"{', '.join(used)}: for PlainText only; in SSML write express-as or prosody"
    if script.use_built_in_voice and not script.customized:
        yield "use_built_in_voice needs customized: only a custom avatar has a voice of its own"


def _check_avatar(script: Script) -> Iterator[str]:
    photo = script.photo_avatar_base_model is not None
    if not script.talking_avatar_character:
        yield "talking_avatar_character is required"
    elif not photo and not script.customized and not script.talking_avatar_style:
        yield "talking_avatar_style is required for a standard video avatar"
    if script.scene is not None and not photo:
        yield "scene is for photo avatars only; set photo_avatar_base_model"


def _check_video(script: Script) -> Iterator[str]:
    sent = with_defaults(script)
    video_format, codec = sent.video_format or "", sent.video_codec or ""
    if transparent(script.background_color) and (video_format, codec) != ("webm", "vp9"):
        yield f"a transparent background needs webm with vp9, not {video_format} with {codec}"
    elif codec not in CODECS[video_format]:
        yield f"{video_format} carries {', '.join(CODECS[video_format])}, not {codec}"
    if script.photo_avatar_base_model and codec not in PHOTO_CODECS:
        yield f"photo avatars are rendered in {', '.join(PHOTO_CODECS)}, not {codec}"
    color = script.background_color
    if color is not None and color.lower() != "transparent" and not COLOR.fullmatch(color):
        yield f"background_color is #RRGGBBAA or transparent, not {color!r}"
    if script.background_image is not None:
        if color is not None:
            yield "background_image and background_color exclude each other"
        if (link := _split(script.background_image)) is None or link.scheme != "https":
            yield "background_image must be an https link"


def _check_destination(script: Script) -> Iterator[str]:
    if script.destination_container_url is None:
        if script.destination_path is not None:
            yield "destination_path is for use with destination_container_url only"
        return
    parts = _split(script.destination_container_url.get_secret_value())
    if parts is None:
        yield "destination_container_url must be an https link"
        return
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        yield "destination_container_url must be an https link"
    given = parse_qs(parts.query)
    if missing := [name for name in ("sr", "sp", "se", "sig") if name not in given]:
        yield f"destination_container_url needs an ad-hoc service SAS; it lacks {', '.join(missing)}"
    elif given["sr"] != ["c"] or not set("wrl") <= set(given["sp"][0]):
        yield "destination_container_url: the SAS must be for a container (sr=c) with read, write and list"


def _split(link: str) -> SplitResult | None:
    """Return the parts of a link; None if it is malformed."""
    try:
        return urlsplit(link)
    except ValueError:
        return None


def _check_ssml(content: str) -> Iterator[str]:
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        yield f"malformed SSML: {str(error) or type(error).__name__}"
        return
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    if tags[0] != "speak":
        yield f"SSML starts with <speak>, not <{tags[0]}>"
    elif "voice" not in tags:
        yield "SSML names no voice; put the text inside <voice name='...'>"
