"""`batch-avatar voices`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from batch_avatar.catalog.near import near
from batch_avatar.commands.terminal.options import JSON
from batch_avatar.commands.terminal.own_files import write_private
from batch_avatar.commands.terminal.running import fails_clearly, output
from batch_avatar.commands.terminal.saying import say, say_json
from batch_avatar.errors import AccessRefused
from batch_avatar.resource_settings import checked_region
from batch_avatar.settings import load_settings

if TYPE_CHECKING:
    from batch_avatar.service.voices.kept import VoiceList
    from batch_avatar.settings import Settings


def _region(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else checked_region(value)
    except ValueError as error:
        raise click.BadParameter(f"{value} {error}") from None


@click.command()
@click.option("--locale", metavar="LOCALE", help="Only of this language, or language and country: en, en-US.")
@click.option(
    "--region",
    callback=_region,
    metavar="REGION",
    help="Where to ask; without it, BATCH_AVATAR_REGION or the endpoint.",
)
@JSON
@fails_clearly
def voices(locale: str | None, region: str | None, as_json: bool) -> None:
    """Ask the region of your resource which voices it has, and keep the list for later checks of scripts.

    It takes the key of the resource. With Microsoft Entra the list cannot be had.
    """
    from rich.table import Table

    found = _asked(load_settings(), region)
    _keep(found)
    shown = [voice for voice in found.voices if locale is None or _in_locale(voice.locale, locale)]
    if as_json:
        say_json({"region": found.region, "voices": [voice.model_dump(mode="json") for voice in shown]})
        return
    table = Table("voice", "locale", "gender", "status", box=None, pad_edge=False)
    for voice in shown:
        table.add_row(voice.name, voice.locale, voice.gender, voice.status)
    console = output()
    if shown:
        console.print(table)
    of = f" of {locale}" if locale else ""
    meant = near(locale, sorted({voice.locale for voice in found.voices})) if locale and not shown else None
    console.print(f"{len(shown)} voices{of} in {found.region}{f'; did you mean {meant}?' if meant else ''}")


def _asked(settings: Settings, region: str | None) -> VoiceList:
    from batch_avatar.rendering.connect import connect_voices
    from batch_avatar.service.voices.asking import ask, choose

    region, resources = choose(settings.all_resources(), region or settings.region)
    *others, last = resources
    for resource in others:
        try:
            return ask(connect_voices(settings, resource, region), region)
        except AccessRefused:
            continue  # its key is for another region, which a custom domain does not tell
    return ask(connect_voices(settings, last, region), region)


def _keep(found: VoiceList) -> None:
    """Keep the list for plans and checks. If that fails, it is only said."""
    from batch_avatar.service.voices.kept import path_for

    path = path_for(found.region)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, found.model_dump_json())
    except OSError as error:
        say(f"the list cannot be kept for checks of scripts: {path}: {error.strerror}", err=True)


def _in_locale(locale: str, wanted: str) -> bool:
    return f"{locale}-".casefold().startswith(f"{wanted.strip()}-".casefold())
