"""Check what a script may not combine, so that a mistake is found before anything is sent. Pure.

Only what the documents say for certain is refused. Names and values that are not known are warned of, because the
service grows without notice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from batch_avatar.catalog.choices import SUBTITLE_TYPES, VIDEO_CODECS, VIDEO_FORMATS
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.script_settings import PREFIX
from batch_avatar.scripts.applicable import PROSODY, without_inapplicable
from batch_avatar.scripts.avatars import check_avatar, meant
from batch_avatar.scripts.content.kept import check_kept_columns
from batch_avatar.scripts.extra_properties import check_extra_properties
from batch_avatar.scripts.findings import found
from batch_avatar.scripts.script_ids import check_script_id
from batch_avatar.scripts.ssml.check import check_ssml
from batch_avatar.scripts.voices import check_voice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

    from batch_avatar.models import Script
    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.voices import Known

CODECS = {"mp4": ("h264", "hevc", "av1"), "webm": ("vp9", "av1")}
PHOTO_CODECS = ("h264", "hevc", "vp9")
COLOR = re.compile(r"#[0-9A-Fa-f]{8}")


def transparent(color: str | None) -> bool:
    """Return whether it is the literal `transparent`, or a colour whose alpha is zero."""
    return color is not None and (color.lower() == "transparent" or (len(color) == 9 and color[7:] == "00"))  # noqa: PLR2004


def with_defaults(script: Script) -> Script:
    """Return the script as it is sent: without what cannot apply to it, and with our choice of format and codec.

    We choose h264 in mp4, because the service's own default, hevc, does not play in most browsers, and vp9 in webm,
    which alone carries transparency. These choices never enter the content id.
    """
    clear = transparent(script.background_color)
    video_format = script.video_format or ("webm" if clear or script.video_codec == "vp9" else "mp4")
    codec = script.video_codec or ("vp9" if video_format == "webm" else "h264")
    return without_inapplicable(script).model_copy(update={"video_format": video_format, "video_codec": codec})


def check_script(script: Script, known: Known) -> Iterator[Finding]:
    """Say what is wrong with the script, and what may be."""
    yield from (found("id-unusable", text) for text in check_script_id(script.script_id))
    yield from _check_characters(script)
    yield from check_kept_columns(script.columns or {})
    yield from _check_voice(script)
    if script.input_kind == "PlainText":
        yield from check_voice(script.voice or "", script, known)
    if not script.talking_avatar_character:
        yield found("character-missing", f"talking_avatar_character is required; {_where('talking_avatar_character')}")
    yield from check_avatar(script, known.today)
    if script.scene is not None and script.photo_avatar_base_model is None:
        yield found("scene-not-photo", "scene is for photo avatars only; set photo_avatar_base_model")
    yield from _check_video(script)
    yield from _check_background(script)
    yield from (found("destination-unusable", text) for text in _check_destination(script))
    yield from (
        found("extra-property", f"extra_properties: {text}")
        for text in check_extra_properties(script.extra_properties or {})
    )
    if script.input_kind == "SSML":
        yield from check_ssml(script, known)


def _where(name: str) -> str:
    """Return the three places where a property can be set."""
    return f"set {name} in the script itself, in a defaults.toml beside it, or {PREFIX}{name.upper()} for all scripts"


def _check_characters(script: Script) -> Iterator[Finding]:
    checked = {"script_id", *(["content"] if script.input_kind == "SSML" else [])}  # their own rules find it
    for name, value in script:
        if isinstance(value, str) and "\0" in value and name not in checked:
            yield found("text-unsendable", f"{name} holds a NUL character, which cannot be spoken or sent")


def _check_voice(script: Script) -> Iterator[Finding]:
    if script.input_kind == "PlainText":
        if not script.voice and not script.use_built_in_voice:
            yield found("voice-missing", f"PlainText needs a voice; {_where('voice')}")
    elif used := [name for name in PROSODY if getattr(script, name) is not None]:
        text = f"{', '.join(used)}: for PlainText only; in SSML write express-as or prosody"
        yield found("prosody-in-ssml", text)
    if script.use_built_in_voice and not script.customized:
        text = "use_built_in_voice needs customized: only a custom avatar has a voice of its own"
        yield found("built-in-voice-not-custom", text)
    elif script.use_built_in_voice and script.photo_avatar_base_model:
        yield found("built-in-voice-not-custom", "use_built_in_voice: a photo avatar has no voice of its own")
    elif script.use_built_in_voice:
        yield found("built-in-voice", "use_built_in_voice: no subtitles are made, and gestures are ignored")


def _check_video(script: Script) -> Iterator[Finding]:
    sent = with_defaults(script)
    video_format, codec = sent.video_format or "", sent.video_codec or ""
    subtitles = script.subtitle_type
    if subtitles is not None and subtitles not in SUBTITLE_TYPES:
        question = meant(subtitles, SUBTITLE_TYPES)
        yield found("subtitles-unknown", f"no subtitle_type {shown(subtitles)} is known here{question}")
    if video_format not in CODECS:
        text = f"video_format is {' or '.join(VIDEO_FORMATS)}, not {shown(video_format)}; nothing else can be archived"
        yield found("format-unknown", text)
        return
    if codec not in VIDEO_CODECS:
        yield found("codec-unknown", f"no video_codec {shown(codec)} is known here{meant(codec, VIDEO_CODECS)}")
        return
    if transparent(script.background_color) and (video_format, codec) != ("webm", "vp9"):
        text = f"a transparent background needs webm with vp9, not {video_format} with {codec}"
        yield found("transparency-impossible", text)
    elif codec not in CODECS[video_format]:
        yield found("codec-impossible", f"{video_format} carries {', '.join(CODECS[video_format])}, not {codec}")
    if script.photo_avatar_base_model and codec not in PHOTO_CODECS:
        yield found("codec-impossible", f"photo avatars are rendered in {', '.join(PHOTO_CODECS)}, not {codec}")


def _check_background(script: Script) -> Iterator[Finding]:
    color, image = script.background_color, script.background_image
    if color is not None and color.lower() != "transparent" and not COLOR.fullmatch(color):
        yield found("color-unreadable", f"background_color is #RRGGBBAA or transparent, not {color!r}")
    if image is not None:
        if color is not None:
            text = "background_image and background_color may exclude each other; write unset as one of them"
            yield found("image-and-color", text)
        if (link := _split(image)) is None or link.scheme != "https":
            yield found("image-not-https", "background_image must be an https link")


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
