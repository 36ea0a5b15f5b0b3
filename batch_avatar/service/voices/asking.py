"""Ask a region for its voices. Source: rest-text-to-speech.md of Microsoft's documents, "Get a list of voices".

A key is sent to two places only: to the region's own host below `tts.speech.microsoft.com`, and, where the resource
itself is on this machine, to that resource. Neither is a setting, and no redirect is followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batch_avatar.errors import AccessRefused, ServiceUnavailable, SettingsError
from batch_avatar.resource_settings import LOOPBACK
from batch_avatar.service.http_headers import read_date
from batch_avatar.service.voices.kept import MOST_CHARACTERS, MOST_VOICES, Voice, VoiceList
from batch_avatar.service.wire.members import Members, parse_json
from batch_avatar.service.wire.messages import WireRequest, decode_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.resource_settings import ResourceSettings
    from batch_avatar.service.exchange import Exchange

DOMAIN = ".tts.speech.microsoft.com"
PATH = "/cognitiveservices/voices/list"
REFUSED = (401, 403)
MEMBERS = {"name": "ShortName", "long_name": "Name", "locale": "Locale", "gender": "Gender", "status": "Status"}


def choose(resources: Sequence[ResourceSettings], region: str | None) -> tuple[str, tuple[ResourceSettings, ...]]:
    """Return the region to ask, and the resources whose key may open it, those that are surely there first. Pure.

    Raises:
        SettingsError: it is not known which region, or no resource has a key for it.
    """
    keyed = [resource for resource in resources if resource.speech_key is not None]
    if not keyed:
        raise SettingsError(
            "a region lists its voices for a key only, and with Microsoft Entra they are not known; "
            "set a key, or look them up in the documents of Azure Speech"
        )
    regions = sorted({resource.region for resource in keyed if resource.region is not None})
    if region is None:
        if not regions:
            raise SettingsError(
                f"{keyed[0].host} does not tell its region; say which it is with --region or BATCH_AVATAR_REGION"
            )
        if len(regions) > 1:
            raise SettingsError(f"the resources are in {' and '.join(regions)}; say which is meant with --region")
        region = regions[0]
    there = [resource for resource in keyed if resource.region == region]
    perhaps = [resource for resource in keyed if resource.region is None]
    if not there and not perhaps:
        raise SettingsError(
            f"no resource is in {region} but in {' and '.join(regions)}; a key opens only the region of its resource"
        )
    return region, (*there, *perhaps)


def voices_endpoint(resource: ResourceSettings, region: str) -> str:
    """Return where the key of this resource may be sent to ask for the region's voices. Pure."""
    if urlsplit(resource.endpoint).hostname in LOOPBACK:
        return resource.endpoint
    return f"https://{region}{DOMAIN}"


def ask(exchange: Exchange, region: str) -> VoiceList:
    """Return the region's voices.

    Raises:
        AccessRefused: the key does not open the region.
        ServiceUnavailable: no answer, or one that is no list of voices.
    """
    answer = exchange.send(WireRequest("GET", PATH, {}))
    about = f"the list of voices of {region}"
    if not answer.ok:
        said = decode_problem(answer.body)
        kind = AccessRefused if answer.status in REFUSED else ServiceUnavailable
        step = "; a key opens only the region of its resource" if kind is AccessRefused else ""
        raise kind(f"{about}: {said}{step}", http_status=answer.status, request_id=answer.request_id)
    try:
        voices = decode_voices(answer.body)
    except ValueError:
        raise ServiceUnavailable(
            f"{about}: the answer is not such a list; nothing is kept",
            http_status=answer.status,
            request_id=answer.request_id,
        ) from None
    return VoiceList(region=region, asked_at=read_date(answer.headers.get("Date")), voices=voices)


def decode_voices(body: bytes) -> tuple[Voice, ...]:
    """Return the voices that have a name; other members that are odd are left out. Pure.

    Raises:
        ValueError: it is no list of voices.
    """
    listed = parse_json(body)
    if not isinstance(listed, list) or len(listed) > MOST_VOICES:
        raise ValueError("not a list of voices")
    voices = []
    for one in listed:
        if not isinstance(one, dict):
            continue
        members = Members(one)
        texts = {name: members.text(wire) or "" for name, wire in MEMBERS.items()}
        known = {name: text for name, text in texts.items() if 0 < len(text) <= MOST_CHARACTERS}
        if "name" in known:
            voices.append(Voice(**known))
    if not voices:
        raise ValueError("no voice in it")
    return tuple(voices)
