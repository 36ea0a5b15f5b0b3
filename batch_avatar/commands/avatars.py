"""`batch-avatar avatars`."""

from __future__ import annotations

import click

from batch_avatar.catalog.avatars import characters, photo_avatars
from batch_avatar.commands.terminal.options import JSON
from batch_avatar.commands.terminal.running import fails_clearly, output
from batch_avatar.commands.terminal.saying import say_json


@click.command()
@JSON
@fails_clearly
def avatars(as_json: bool) -> None:
    """Show the standard avatars that are known here, their styles, and the month in which one is withdrawn.

    --json adds the gestures of each style, and where each entry comes from. An avatar that is not shown may be a new
    one; it is sent all the same.
    """
    if as_json:
        say_json(
            {
                "characters": [one.model_dump(mode="json") for one in characters()],
                "photo_avatars": [one.model_dump(mode="json") for one in photo_avatars()],
            }
        )
        return
    from rich.table import Table

    table = Table("character", "style", "gestures", "withdrawn", "instead", box=None, pad_edge=False)
    for character in characters():
        for style in character.styles:
            ends = character if character.withdrawn else style
            gestures = str(len(style.gestures) or "none")
            table.add_row(character.name, style.name or "(none)", gestures, ends.withdrawn or "", ends.instead)
    console = output()
    console.print(table)
    for photos in photo_avatars():
        where = f"photo_avatar_base_model {photos.base_model}" if photos.in_batch else "not in batch synthesis"
        console.print(f"photo avatars ({where}): {', '.join(photos.names)}")
    days = [one.seen for one in (*characters(), *photo_avatars())]
    if days:
        console.print(f"as of {max(days)}, from Microsoft's documents")
